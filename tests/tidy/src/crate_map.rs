//! The crate map of ARCHITECTURE.md names the crates there are, and no others.

use crate::tree::{crates, in_backticks, rows, section};

#[test]
fn the_map_names_exactly_the_crates_there_are() {
    let map = section("ARCHITECTURE.md", "The crates");
    let mut named: Vec<String> =
        rows(&map).iter().filter_map(|row| in_backticks(row.first()?).into_iter().next()).collect();
    named.sort();
    assert_eq!(
        named,
        crates(),
        "the first column of the table under `## The crates` in ARCHITECTURE.md (left) is not the \
         folders of crates/ (right)"
    );
}
