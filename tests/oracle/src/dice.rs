//! Chance from a seed: the same seed throws the same dice on every machine.

/// Dice that are thrown for a test.
#[derive(Clone, Debug)]
pub struct Dice(oorandom::Rand64);

impl Dice {
    /// The dice of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(oorandom::Rand64::new(u128::from(seed)))
    }

    /// A number below `end`; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.0.rand_range(0..end) }
    }

    /// A position in something of this length.
    pub fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).unwrap())).unwrap()
    }

    /// A number from `low` to `high`, both included.
    pub fn from_to(&mut self, low: usize, high: usize) -> usize {
        low + self.place(high - low + 1)
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.rand_u64()
    }

    /// True in so many of a thousand throws.
    pub fn per_mille(&mut self, chance: u64) -> bool {
        self.below(1000) < chance
    }

    /// True in so many of a hundred throws.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.per_mille(chance * 10)
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.place(of.len())]
    }

    /// One of them, each as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, of: &[(u64, T)]) -> T {
        let mut at = self.below(of.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in of {
            if at < *weight {
                return *value;
            }
            at -= weight;
        }
        of[0].1
    }

    /// Those on which the coin fell, each with so many chances of a hundred.
    pub fn some<'a, T>(&mut self, of: &'a [T], percent: u64) -> Vec<&'a T> {
        of.iter().filter(|_| self.percent(percent)).collect()
    }

    /// Puts them in another order.
    pub fn shuffle<T>(&mut self, what: &mut [T]) {
        for at in (1..what.len()).rev() {
            what.swap(at, self.place(at + 1));
        }
    }
}
