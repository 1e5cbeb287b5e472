//! The journey stands in two places that can drift apart: the table in ARCHITECTURE.md and the
//! `mod` lines of the journey crate. Both are read in order by a newcomer.

use crate::tree::{in_backticks, read, root, rows, section, texts};

/// A row of the table under `## The journey`: stage, what is true when it is done, type.
struct Stage {
    name: String,
    /// `None` where the table says `not yet`.
    types: Option<Vec<String>>,
}

fn table() -> Vec<Stage> {
    let rows = rows(&section("ARCHITECTURE.md", "The journey"));
    let stages: Vec<Stage> = rows
        .iter()
        .map(|row| {
            let [stage, _, what] = row.as_slice() else {
                panic!("a row of the journey table has not three columns: {row:?}");
            };
            let types = in_backticks(what);
            assert_ne!(
                types.is_empty(),
                what != "not yet",
                "the type of {stage} is neither in backticks nor `not yet`"
            );
            Stage { name: stage.trim_matches('`').to_owned(), types: (!types.is_empty()).then_some(types) }
        })
        .collect();
    assert!(!stages.is_empty(), "the journey table in ARCHITECTURE.md is empty");
    stages
}

/// The modules of the journey crate, in the order of its `lib.rs`.
fn modules() -> Vec<String> {
    read("crates/housecarl-journey/src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_suffix(';'))
        .filter_map(|line| line.split_once("mod "))
        .filter(|(before, _)| before.is_empty() || before.starts_with("pub"))
        .map(|(_, name)| name.to_owned())
        .collect()
}

#[test]
fn the_table_and_the_modules_have_one_order() {
    let table = table();
    let existing: Vec<&str> =
        table.iter().filter(|stage| stage.types.is_some()).map(|stage| stage.name.as_str()).collect();
    let modules = modules();
    let stages: Vec<&str> = modules
        .iter()
        .map(String::as_str)
        .filter(|module| table.iter().any(|stage| stage.name == *module))
        .collect();
    assert_eq!(
        existing, stages,
        "the stages with a type in ARCHITECTURE.md (left) are not the stage modules of \
         crates/housecarl-journey/src/lib.rs in their order (right); a stage without a module is \
         marked `not yet`"
    );
}

#[test]
fn each_type_is_found_in_the_module_of_its_stage() {
    let texts = texts();
    for stage in table() {
        let file = format!("crates/housecarl-journey/src/{}.rs", stage.name);
        let folder = format!("crates/housecarl-journey/src/{}/", stage.name);
        for name in stage.types.unwrap_or_default() {
            let found = texts
                .iter()
                .filter(|text| text.path == file || text.path.starts_with(&folder))
                .any(|text| words(&text.text).any(|word| word == name));
            assert!(
                found,
                "ARCHITECTURE.md says that {} makes `{name}`, and {} has no such word",
                stage.name,
                root().join(&file).display()
            );
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}
