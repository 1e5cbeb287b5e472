//! The table, the reference and Cedar agree, in cases in which each gate alone decides some.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail loudly, and says what decided"
)]

use housecarl_oracle::gates::Gates;
use housecarl_oracle::trial::{self, Disagreement};

const CASES: u64 = 50_000;
const CASES_OF_TORTURE: u64 = 1_000_000;
const THREADS: u64 = 2;

#[expect(clippy::disallowed_methods, reason = "the one place here that reads the environment")]
fn cases() -> u64 {
    match std::env::var_os("HOUSECARL_TORTURE") {
        Some(set) if set == "1" => CASES_OF_TORTURE,
        _ => CASES,
    }
}

#[test]
fn table_reference_and_cedar_agree() {
    let each = cases().div_ceil(THREADS);
    let (mut gates, mut disagreements): (Gates, Vec<Disagreement>) = Default::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..THREADS).map(|seed| scope.spawn(move || trial::run(seed, THREADS, each))).collect();
        for thread in threads {
            let (counted, found) = thread.join().unwrap();
            gates.add(&counted);
            disagreements.extend(found);
        }
    });
    println!("{gates}");
    let listed: Vec<String> = disagreements.iter().map(ToString::to_string).collect();
    assert!(listed.is_empty(), "the judges do not agree:\n{}", listed.join("\n\n"));
    assert!((10.0..=90.0).contains(&gates.percent_permitted()), "too few or too many are permitted");
    let rare = trial::too_rare(&gates);
    assert!(rare.is_empty(), "these gates alone decide less than 1 % of the cases: {rare:?}");
}
