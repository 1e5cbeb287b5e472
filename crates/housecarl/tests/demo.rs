//! The demo, as a program: every device is heard, some values are kept and some are not, each reason
//! leads to a line of a manifest, and nothing of a payload is printed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn the_demo_counts_what_became_of_every_value_and_why() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO_BIN_EXE_housecarl"))
        .args(["demo", "--for", "12s", "--format", "json"])
        .current_dir(&root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sums: Value = serde_json::from_slice(&output.stdout).unwrap();
    let counts = sums["counts"].as_array().unwrap();
    let words =
        |key: &str| -> BTreeSet<&str> { counts.iter().map(|count| count[key].as_str().unwrap()).collect() };
    assert_eq!(words("device").len(), 8, "{:?}", words("device"));
    for reason in ["kept", "refused", "access-refused"] {
        assert!(words("reason").contains(reason), "{:?}", words("reason"));
    }
    for because in words("because") {
        let (file, line) = because.rsplit_once(':').unwrap();
        let manifest = std::fs::read_to_string(root.join(file)).unwrap();
        let line = line.parse::<usize>().unwrap();
        assert!(line >= 1 && !manifest.lines().nth(line - 1).unwrap().is_empty(), "{because}");
    }
    let refused = sums["sent_although_refused"].as_array().unwrap();
    assert!(refused.iter().all(|count| count["device"] == "fridge") && !refused.is_empty(), "{refused:?}");
    // A value that stands in the watch's payloads.
    assert!(!String::from_utf8_lossy(&output.stdout).contains("51.50735"));
}
