//! Every module says at its head what it is for.

use crate::tree::texts;

const FOLDERS: &[&str] = &["crates/", "xtask/", "tests/", "fuzz/", "examples/"];

#[test]
fn every_module_opens_by_saying_what_it_is_for() {
    let silent: Vec<String> = texts()
        .into_iter()
        .filter(|file| file.path.ends_with(".rs"))
        .filter(|file| FOLDERS.iter().any(|folder| file.path.starts_with(folder)))
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.path)
        .collect();
    assert!(silent.is_empty(), "these do not open with `//!`:\n{}", silent.join("\n"));
}
