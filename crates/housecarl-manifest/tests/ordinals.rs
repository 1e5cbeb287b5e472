//! Numbers are given once, kept by name, and never used again.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;

use housecarl_manifest::{Ordinals, compile, read};
use housecarl_policy::Table;

const OLD: &str = r#"
[item.a]
[item.b]
[purpose.walk]
[purpose.talk]
[feature.f]
"#;

fn numbered(text: &str, before: &Ordinals) -> Ordinals {
    before.extended(&read(text).manifest)
}

#[test]
fn a_new_name_never_gets_the_number_of_one_that_is_gone() {
    let old = numbered(OLD, &Ordinals::default());
    // `talk` is gone and `chat` is new: a rename is a removal and a new purpose.
    let new = numbered("[purpose.walk]\n[purpose.chat]\n", &old);
    assert_eq!(new.purpose("walk"), old.purpose("walk"));
    assert_eq!(new.purpose("talk"), old.purpose("talk"));
    assert!(![old.purpose("walk"), old.purpose("talk")].contains(&new.purpose("chat")));
    let back = numbered(OLD, &new);
    assert_eq!(back, new);
}

#[test]
fn the_order_of_lines_gives_no_number() {
    let forwards = numbered(OLD, &Ordinals::default());
    let backwards: Vec<&str> = OLD.lines().rev().collect();
    assert_eq!(numbered(&backwards.join("\n"), &Ordinals::default()), forwards);
}

#[test]
fn a_lock_file_is_read_as_it_was_written() {
    let ordinals = numbered(OLD, &Ordinals::default());
    assert_eq!(Ordinals::read(&ordinals.write()).unwrap(), ordinals);
}

#[test]
fn a_broken_lock_file_is_refused_at_its_line() {
    for (text, line, word) in [
        ("version = 1\n[purpose]\na = 0\nb = 0\n", 4, "another name has this number"),
        ("version = 1\n[purpose]\na = 128\n", 3, "too large"),
        ("version = 2\n", 1, "version = 1"),
        ("version = 1\n[porpoise]\n", 2, "`purpose`"),
        ("version = 1\n[item]\na = \"x\"\n", 3, "no number"),
        ("version = \n", 1, ""),
    ] {
        let error = Ordinals::read(text).unwrap_err();
        assert_eq!(error.line, line, "{text}");
        assert!(error.why.contains(word), "{text}: {}", error.why);
    }
}

#[test]
fn a_retired_number_stays_empty_in_the_table() {
    let old = numbered(OLD, &Ordinals::default());
    let manifest = read("[purpose.talk]\n[item.b]\n").manifest;
    let compiled = compile(&manifest, "", &old, &BTreeSet::new());
    let table = Table::read(&compiled.table).unwrap();
    assert!(table.purpose(old.purpose("walk").unwrap()).is_none());
    assert!(table.purpose(old.purpose("talk").unwrap()).is_some());
    assert_eq!(table.items().count(), 1);
}

#[test]
fn the_hundred_and_twenty_ninth_purpose_is_a_problem() {
    let text: String = (0..129).map(|n| format!("[purpose.p{n}]\n")).collect();
    let compiled = compile(&read(&text).manifest, &text, &Ordinals::default(), &BTreeSet::new());
    assert!(compiled.problems.iter().any(|problem| matches!(
        problem.kind,
        housecarl_manifest::problem::ProblemKind::TooMany { what: "purposes", most: 128 }
    )));
    assert!(Table::read(&compiled.table).is_ok());
}
