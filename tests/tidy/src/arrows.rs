//! Which crate of ours may name which: whatever is not written here is denied.

use std::collections::BTreeMap;

use crate::tree::{crates, dependencies, read, section};

/// A crate, and the crates of ours that its `[dependencies]` may name.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "housecarl",
        &[
            "housecarl-audit",
            "housecarl-check",
            "housecarl-journey",
            "housecarl-manifest",
            "housecarl-policy",
            "housecarl-server",
        ],
    ),
    ("housecarl-audit", &[]),
    ("housecarl-check", &["housecarl-manifest", "housecarl-policy"]),
    ("housecarl-journey", &["housecarl-audit", "housecarl-policy"]),
    ("housecarl-manifest", &["housecarl-policy"]),
    ("housecarl-policy", &[]),
    (
        "housecarl-server",
        &[
            "housecarl-audit",
            "housecarl-check",
            "housecarl-journey",
            "housecarl-manifest",
            "housecarl-policy",
        ],
    ),
];

#[test]
fn no_crate_names_another_without_leave() {
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    let mut faults = Vec::new();
    for name in crates() {
        let path = format!("crates/{name}/Cargo.toml");
        let Some(allowed) = allowed.get(name.as_str()) else {
            faults.push(format!("{name} is not in the table of tests/tidy/src/arrows.rs"));
            continue;
        };
        for dependency in dependencies(&read(&path)) {
            // A test may look at anything; what is shipped may not.
            let shipped = !dependency.table.ends_with("dev-dependencies");
            let ours = dependency.name.starts_with("housecarl");
            if shipped && ours && !allowed.contains(&dependency.name.as_str()) {
                faults.push(format!(
                    "{path}:{}: {name} may not name {}",
                    dependency.line_number, dependency.name
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_policy_depends_on_nothing() {
    let named: Vec<String> = dependencies(&read("crates/housecarl-policy/Cargo.toml"))
        .into_iter()
        .filter(|dependency| !dependency.table.ends_with("dev-dependencies"))
        .map(|dependency| dependency.name)
        .collect();
    assert!(named.is_empty(), "housecarl-policy names {named:?}, and devices link it");
}

/// ARCHITECTURE.md writes the arrows as `crate -> crate, crate`, or `-> nothing`.
#[test]
fn the_document_draws_the_same_arrows() {
    let drawn: BTreeMap<String, Vec<String>> = section("ARCHITECTURE.md", "Who may name whom")
        .lines()
        .filter_map(|line| line.split_once("->"))
        .map(|(from, to)| {
            let mut to: Vec<String> =
                to.split(',').map(|name| name.trim().to_owned()).filter(|name| name != "nothing").collect();
            to.sort();
            (from.trim().to_owned(), to)
        })
        .collect();
    let allowed: BTreeMap<String, Vec<String>> = ALLOWED
        .iter()
        .map(|(from, to)| ((*from).to_owned(), to.iter().map(|name| (*name).to_owned()).collect()))
        .collect();
    assert_eq!(
        drawn, allowed,
        "the arrows under `## Who may name whom` in ARCHITECTURE.md (left) are not those that are \
         allowed (right)"
    );
}
