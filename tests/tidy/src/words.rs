//! The project speaks of itself alone: nothing in it tells of the machine or the tools that
//! somebody happened to work with.

use crate::tree::texts;

/// Each in two halves, or this file would contain what it forbids.
const FORBIDDEN: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/fa", "rm/"),
    ("/ro", "ot/"),
    ("/tmp/", "target"),
    ("sub", "agent"),
    (".lib", "rary"),
    ("arti", "factory"),
];

#[test]
fn no_file_speaks_of_where_it_was_written() {
    let mut faults = Vec::new();
    for file in texts() {
        for (number, line) in file.text.lines().enumerate() {
            let line = line.to_lowercase();
            for (first, second) in FORBIDDEN {
                let word = format!("{first}{second}");
                if line.contains(&word) {
                    faults.push(format!("{}:{}: `{word}`", file.path, number + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
