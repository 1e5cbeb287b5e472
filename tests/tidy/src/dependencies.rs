//! Each dependency has its argument, where it is declared, and comes from one place.

use crate::tree::{dependencies, texts};

#[test]
fn every_dependency_is_argued() {
    let mut faults = Vec::new();
    for file in texts() {
        if !file.path.ends_with("Cargo.toml") {
            continue;
        }
        for dependency in dependencies(&file.text) {
            let ours = dependency.name.starts_with("housecarl");
            if !ours && !dependency.inherited && !dependency.argued {
                faults.push(format!(
                    "{}:{}: no comment says why we depend on `{}`",
                    file.path, dependency.line_number, dependency.name
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_dependency_comes_from_the_public_registry() {
    const PUBLIC: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    for file in texts() {
        if !file.path.ends_with("Cargo.lock") {
            continue;
        }
        for line in file.text.lines().filter(|line| line.starts_with("source = ")) {
            assert_eq!(line, PUBLIC, "in {}", file.path);
        }
    }
}
