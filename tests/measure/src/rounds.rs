//! Interleaved rounds, medians and ratios.
//!
//! A machine that others use too is faster in one minute than in the next. So whatever is compared
//! takes turns in every round, a ratio is taken within each round, and the median of the rounds is
//! what is told.

use crate::clock;

/// Something to be measured.
pub struct Contestant<'c> {
    /// How many operations one turn is.
    operations: usize,
    turn: Box<dyn FnMut() + 'c>,
}

impl std::fmt::Debug for Contestant<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contestant").field("operations", &self.operations).finish_non_exhaustive()
    }
}

impl<'c> Contestant<'c> {
    /// One turn is so many operations.
    pub fn new(operations: usize, turn: impl FnMut() + 'c) -> Self {
        Self { operations, turn: Box::new(turn) }
    }
}

/// What one contestant took in each round: nanoseconds for one operation.
#[derive(Clone, Debug)]
pub struct Times(Vec<f64>);

impl Times {
    /// What was measured elsewhere.
    #[must_use]
    pub const fn of(times: Vec<f64>) -> Self {
        Self(times)
    }

    /// The median of the rounds.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(self.0.clone())
    }

    /// How many times as long as the other: the median of the rounds' ratios.
    #[must_use]
    pub fn ratio(&self, other: &Self) -> f64 {
        median(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine / theirs).collect())
    }
}

/// Lets everybody take a turn in each round, begun by another one each time. A round that is not
/// counted comes first.
pub fn race(rounds: usize, contestants: &mut [Contestant<'_>]) -> Vec<Times> {
    let mut times = vec![Vec::new(); contestants.len()];
    for round in 0..=rounds {
        for turn in 0..contestants.len() {
            let at = (turn + round) % contestants.len();
            let Contestant { operations, turn } = &mut contestants[at];
            let begun = clock::cpu();
            turn();
            let took = clock::cpu() - begun;
            if round > 0 {
                times[at].push(took as f64 / *operations as f64);
            }
        }
    }
    times.into_iter().map(Times).collect()
}

/// The middle one.
#[must_use]
pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
