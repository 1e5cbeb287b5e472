//! What README shows is what the program prints.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::Path;
use std::process::Command;

#[test]
fn the_example_in_the_readme_is_what_replay_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_housecarl"))
        .args(["replay", "products/watch/payloads", "--product", "watch", "--as", "anna", "--as", "ben"])
        .current_dir(&root)
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let shown = printed.split("\n\n").find(|part| part.starts_with("heart-rate  (")).unwrap();
    assert!(readme.contains(shown), "README shows something else than:\n{shown}");
}
