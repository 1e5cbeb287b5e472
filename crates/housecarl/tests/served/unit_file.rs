//! The unit file for systemd.

use std::path::Path;
use std::process::Command;

#[test]
fn systemd_understands_the_unit_file_and_nothing_of_memory_reaches_a_disk() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/housecarl.service");
    let unit = std::fs::read_to_string(file).unwrap();
    for line in ["LimitCORE=0", "MemorySwapMax=0", "NoNewPrivileges=yes", "ProtectSystem=strict"] {
        assert!(unit.lines().any(|known| known == line), "no `{line}`");
    }
    // The command that it starts is one that the program takes.
    let started = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/housecarl ")).unwrap();
    let help = Command::new(env!("CARGO_BIN_EXE_housecarl")).args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let words: Vec<&str> = started.split(' ').collect();
    let [command, option, _] = words.as_slice() else { panic!("{started}") };
    assert!(*command == "serve" && help.contains(option));

    // Where there is no systemd, nobody can say.
    let folder = tempfile::tempdir().unwrap();
    let installed = folder.path().join("housecarl.service");
    std::fs::write(&installed, unit.replace("/usr/bin/housecarl", env!("CARGO_BIN_EXE_housecarl"))).unwrap();
    let Ok(verified) = Command::new("systemd-analyze").arg("verify").arg(&installed).output() else { return };
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.is_empty(), "{said}");
}
