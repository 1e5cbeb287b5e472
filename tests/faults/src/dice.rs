//! Chance from a seed: the same seed throws the same dice on every machine.

#[derive(Clone, Debug)]
pub(crate) struct Dice(oorandom::Rand64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(oorandom::Rand64::new(u128::from(seed)))
    }

    /// A number below `end`; 0 where `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        let number = if end == 0 { 0 } else { self.0.rand_range(0..end) };
        usize::try_from(number).unwrap_or(0)
    }

    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// How many of `len` things in order are kept: none, all, or some number between, each of the three as likely.
    pub(crate) fn prefix(&mut self, len: usize) -> usize {
        match self.below(3) {
            0 => 0,
            1 => len,
            _ => self.below(len.saturating_add(1)),
        }
    }
}
