//! The whole interface, as a golden file that is reviewed as a diff, and its page.

use std::path::Path;

use housecarl_server::api::interface;

/// Compares a text with what was reviewed.
#[expect(clippy::disallowed_methods, reason = "rewriting a table is asked for by the environment")]
pub(crate) fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http").join(name);
    if std::env::var_os("HOUSECARL_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(reviewed == text, "{name} differs; write it with HOUSECARL_BLESS=1 and review the diff");
}

#[test]
fn the_interface_is_as_it_was_reviewed() {
    golden("interface.txt", &interface());
}

#[test]
fn the_page_has_a_row_for_each_address_and_no_other() {
    let page = include_str!("../../../../docs/http.md");
    let text = interface();
    let addresses: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
    let rows: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(address, _)| address)
        .filter(|address| address.contains(" /"))
        .collect();
    assert_eq!(addresses, rows);
}
