//! Counts how many inputs came to the end of what they test.
//!
//! A target that refuses nearly everything at its first line finds no crash and proves nothing, so
//! the share that got through is held against a minimum after the run.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static RUNS: AtomicU64 = AtomicU64::new(0);
static SUCCESSES: AtomicU64 = AtomicU64::new(0);

const WRITE_EVERY: u64 = 1 << 14;

/// Counts one run, and a success when its input was read to the end.
///
/// libFuzzer ends the process without a word to the target, so the counts are written on the way:
/// often at first, for slow targets, then every [`WRITE_EVERY`] runs.
pub fn count(read_to_the_end: bool) {
    let runs = RUNS.fetch_add(1, Relaxed) + 1;
    let successes = SUCCESSES.fetch_add(u64::from(read_to_the_end), Relaxed) + u64::from(read_to_the_end);
    if runs.is_power_of_two() || runs.is_multiple_of(WRITE_EVERY) {
        write(runs, successes);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment here: libFuzzer owns the arguments"
)]
fn write(runs: u64, successes: u64) {
    if let Some(path) = std::env::var_os("HOUSECARL_FUZZ_COUNTS") {
        // A lost count fails the run afterwards, when it is read.
        let _ = std::fs::write(path, format!("{runs} {successes}\n"));
    }
}
