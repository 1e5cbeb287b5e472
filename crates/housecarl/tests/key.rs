//! `housecarl key`, as a program: what it prints can be put back, and a wrong key is refused in words that help.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use housecarl_journey::keys::{Keys, RootKey};

fn housecarl(data: &Path, arguments: &[&str]) -> Output {
    let (action, rest) = arguments.split_first().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_housecarl"));
    command.args(["key", action, "--data"]).arg(data).args(rest).output().unwrap()
}

fn gateway(data: &Path) {
    fs::create_dir(data).unwrap();
    drop(Keys::open(&data.join("keys"), RootKey::open_or_create(&data.join("root.key")).unwrap()).unwrap());
}

#[test]
fn a_page_that_was_exported_brings_the_key_back() {
    let folder = tempfile::tempdir().unwrap();
    let (data, other, page) =
        (folder.path().join("data"), folder.path().join("other"), folder.path().join("page"));
    gateway(&data);
    gateway(&other);
    let (key, name) = (fs::read(data.join("root.key")).unwrap(), page.to_str().unwrap());
    let printed = housecarl(&data, &["export"]);
    assert!(printed.status.success());
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains("has lost every value"), "what losing it means is said: {printed}");
    assert!(housecarl(&data, &["export", "--to", name]).status.success());
    assert_eq!(fs::read_to_string(&page).unwrap(), printed);
    assert_eq!(fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!housecarl(&data, &["export", "--to", name]).status.success(), "nothing is written over");

    fs::remove_file(data.join("root.key")).unwrap();
    let wrong = housecarl(&other, &["export"]).stdout;
    fs::write(folder.path().join("wrong"), wrong).unwrap();
    let refused = housecarl(&data, &["import", folder.path().join("wrong").to_str().unwrap()]);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("not the one that") && !data.join("root.key").exists(), "{told}");

    let typed = Command::new(env!("CARGO_BIN_EXE_housecarl"))
        .args(["key", "import", "--data"])
        .arg(&data)
        .stdin(File::open(&page).unwrap())
        .output()
        .unwrap();
    assert!(typed.status.success(), "{}", String::from_utf8_lossy(&typed.stderr));
    assert_eq!(fs::read(data.join("root.key")).unwrap(), key);
}
