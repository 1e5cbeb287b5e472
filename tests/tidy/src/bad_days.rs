//! The table of bad days has a row for each that was promised, and every test that it names exists.

use crate::tree::{Text, in_backticks, read, rows, texts};

const PAGE: &str = "docs/bad-days.md";

/// How each row begins that may not be missing.
const PROMISED: &[&str] = &[
    "malformed",
    "huge",
    "deep",
    "a value of the wrong type or in the wrong unit",
    "NaN",
    "a duplicate",
    "reordered",
    "from 1970",
    "from 2099",
    "without a clock",
    "the store is gone, and back",
    "a full disk",
    "a slow disk",
    "2,000 connections",
    "slow-loris",
    "a device in a loop",
    "an erase while the device writes and sends again",
    "a restore of a copy from before a consent was withdrawn",
];

#[test]
fn every_bad_day_has_a_row_and_every_row_a_test_that_exists() {
    let sources: Vec<Text> = texts().into_iter().filter(|text| text.path.ends_with(".rs")).collect();
    let exists = |name: &str| sources.iter().any(|source| source.text.contains(&format!("fn {name}(")));
    let rows = rows(&read(PAGE));
    for row in &rows {
        assert_eq!(row.len(), 6, "{PAGE}: not the columns of the others: {row:?}");
        let tests = row.last().map(|cell| in_backticks(cell)).unwrap_or_default();
        assert!(!tests.is_empty(), "{PAGE}: no test for {:?}", row.first());
        for test in tests {
            assert!(exists(&test), "{PAGE} names `{test}`, and there is no such test");
        }
    }
    let days = rows.iter().filter_map(|row| row.first());
    for promised in PROMISED {
        assert!(days.clone().any(|day| day.starts_with(promised)), "{PAGE} has no row for {promised}");
    }
}
