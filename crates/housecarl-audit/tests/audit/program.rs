//! `housecarl-verify` as a stranger runs it: a folder or a file, and a key.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::log::{Store, key, with_receipt};

/// A folder of this test run alone, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, store: &Store, more: &[(&str, &str)]) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("audit-{name}-{}", std::process::id()));
        let write = |name: &str, bytes: &[u8]| {
            let file = path.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        };
        for (name, bytes) in &store.0 {
            write(name, bytes);
        }
        for (name, text) in more {
            write(name, text.as_bytes());
        }
        Self(path)
    }

    /// Exit status, standard output, standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_housecarl-verify"))
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_log_and_a_receipt_are_verified_from_files() {
    let (store, checkpoint, receipt) = with_receipt(4, 300);
    let (_, earlier, earlier_receipt) = with_receipt(4, 200);
    let receipt = receipt.to_string();
    let vkey = key().verifier().to_string();
    let folder = Folder::with(
        "good",
        &store,
        &[
            ("checkpoint", &checkpoint),
            ("earlier", &earlier),
            ("earlier.tlog-proof", &earlier_receipt.to_string()),
            ("mine.tlog-proof", &receipt),
        ],
    );
    let (status, out, err) = folder.run(&["log", ".", "--key", &vkey]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.starts_with("verified: the log `example.com/home` with 300 entries\n"), "{out}");
    assert!(out.contains("what this does not show") && out.contains("give it as `--since`"), "{out}");

    for since in ["--since=earlier", "--since=earlier.tlog-proof"] {
        let (status, out, _) = folder.run(&["log", ".", since, "--key", &vkey]);
        assert_eq!(status, 0);
        assert!(out.contains("the first 200 entries are unchanged"), "{out}");
    }

    let (status, out, err) = folder.run(&["receipt", "mine.tlog-proof", "--key", &vkey]);
    assert_eq!((status, err.as_str()), (0, ""));
    for row in [
        "what     choice\n",
        "at       2026-11-18T11:06:40.123Z\n",
        "answer   withdrew\n",
        "about    coaching\n",
    ] {
        assert!(out.contains(row), "{out}");
    }

    std::fs::write(folder.0.join("mine.tlog-proof"), receipt.replacen("index 4", "index 5", 1)).unwrap();
    let (status, out, err) = folder.run(&["receipt", "mine.tlog-proof", "--key", &vkey]);
    assert_eq!((status, err.as_str()), (1, ""));
    assert!(out.starts_with("not verified: a receipt of the log"), "{out}");

    std::fs::remove_file(folder.0.join("tile/entries/000")).unwrap();
    let (status, out, err) = folder.run(&["log", ".", "--key", &vkey]);
    assert_eq!((status, err.as_str()), (1, ""));
    assert!(out.contains("  `tile/entries/000` is missing\n"), "{out}");

    // A folder where a file should be: nothing was found out about the log.
    std::fs::create_dir(folder.0.join("tile/entries/000")).unwrap();
    let (status, out, err) = folder.run(&["log", ".", "--key", &vkey]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(err.starts_with("housecarl-verify: `tile/entries/000` cannot be read"), "{err}");
}

#[test]
fn what_cannot_be_checked_is_no_verdict() {
    let folder = Folder::with("bad", &Store::default(), &[("receipt", "no receipt")]);
    let vkey = key().verifier().to_string();
    let (status, out, err) = folder.run(&["--help"]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.contains("Exit status: 0 it holds, 1 it does not, 2 it could not be checked."));
    assert_eq!(folder.run(&["receipt", "receipt", "--key", &vkey]).0, 1);
    let refused: &[(&[&str], &str)] = &[
        (&[], "the first argument is `log` or `receipt`"),
        (&["logs", ".", "--key", &vkey], "the first argument is `log` or `receipt`"),
        (&["log", "--key", &vkey], "what is to be verified is missing"),
        (&["log", "."], "`--key` is missing"),
        (&["log", ".", "--key", "x"], "`--key x` is no key: a verifier key has the form `name+id+base64`"),
        (&["log", ".", "--key", &vkey], "there is no ./checkpoint"),
        (&["receipt", "none", "--key", &vkey], "there is no none"),
        (&["receipt", "receipt", "--key", &vkey, "--since", "x"], "a receipt has no `--since`"),
        (&["log", ".", "--key", &vkey, "--key", &vkey], "invalid option '--key'"),
        (&["log", ".", "more", "--key", &vkey], "unexpected argument \"more\""),
    ];
    for (arguments, why) in refused {
        let (status, out, err) = folder.run(arguments);
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.starts_with(&format!("housecarl-verify: {why}")), "{arguments:?}: {err}");
    }
}
