//! Commands that ask a running gateway, and the log that it leaves.

use std::process::Command;

use crate::gateway::{Gateway, folder, vitals};

fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().next().unwrap_or("").to_owned()
}

#[test]
fn from_the_first_operator_to_a_reader_and_back_out() {
    let gateway = Gateway::start(folder(""));
    // The token is nowhere in what was printed, and only its owner can read the file.
    let first = std::fs::read_to_string(gateway.path("data/first-operator")).unwrap();
    assert!(!gateway.printed.iter().any(|line| line.contains(first.trim())));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(gateway.path("data/first-operator")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    gateway.take_over();
    assert_ne!(gateway.token(), first.trim());
    assert_eq!(gateway.ask("POST", "/v1/homes", first.trim(), "").0, 401, "the first one is used up");

    let wearer = gateway.wearer();
    assert_eq!(gateway.send(&wearer, 1), "kept");
    let reader = gateway.does(&["operator", "add", "--reads", "watch", "--for", "activity"], "");
    let data = format!("/v1/data/activity?person={}", wearer.person);
    let (status, read) = gateway.ask("GET", &data, &reader, "");
    assert!(status == 200 && read.contains(r#""item":"heart-rate""#), "{status} {read}");
    gateway.does(&["operator", "revoke", "-"], &reader);
    assert_eq!(gateway.ask("GET", &data, &reader, "").0, 401);

    // A device's secret, renewed into a file, and taken away.
    let file = gateway.path("secret").display().to_string();
    gateway.does(&["device", "renew", &wearer.device, "--save", &file], "");
    let secret = std::fs::read_to_string(gateway.path("secret")).unwrap();
    let send = |secret: &str| {
        let credential = format!("{}.{}", wearer.device, secret.trim());
        gateway.ask("POST", "/v1/ingest/vitals", &credential, &vitals(2)).0
    };
    assert_eq!((send(&wearer.secret), send(&secret)), (401, 200));
    gateway.does(&["device", "revoke", &wearer.device], "");
    assert_eq!(send(&secret), 401);

    // What does not work says why, and what to do.
    for (arguments, input, expected) in [
        (&["device", "enrol", "-"][..], "0000", "there is no such claim code here"),
        (
            &["device", "revoke", "../../homes"],
            "",
            "`../../homes` is no id: it has 32 hexadecimal digits, in lower case",
        ),
        (&["home", "claim", &wearer.home, "--product", "kettle"], "", "there is no such product here"),
        (&["operator", "add", "--reads", "watch", "--for", "spying"], "", "there is no such purpose here"),
        (&["operator", "revoke", "-"], "", "- does not hold one line with one word"),
        (
            &["home", "add", "--gateway", "http://gateway.example"],
            "",
            "without TLS anybody between here and `gateway.example` could read the token",
        ),
    ] {
        let output = gateway.run(arguments, input);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(first_line(&output.stderr), format!("housecarl: {expected}"), "{arguments:?}");
    }
    let nobody = Command::new(env!("CARGO_BIN_EXE_housecarl"))
        .args(["home", "add"])
        .env_remove("HOUSECARL_TOKEN")
        .env_remove("HOUSECARL_TOKEN_FILE")
        .output()
        .unwrap();
    assert!(first_line(&nobody.stderr).contains("nobody said whose token it is"));

    let key =
        gateway.printed.iter().find_map(|line| line.strip_prefix("The audit log is verified with ")).unwrap();
    assert!(key.starts_with("example.com/home+"), "{key}");
    let key = key.to_owned();
    let (status, complaints, folder) = gateway.end();
    assert_eq!((status, complaints.as_str()), (0, ""));

    // The log that is left holds, and does not when somebody has touched it.
    let log = folder.path().join("data/log");
    let verify = || {
        let arguments = ["verify", "log", log.to_str().unwrap(), "--key", &key];
        Command::new(env!("CARGO_BIN_EXE_housecarl")).args(arguments).output().unwrap()
    };
    let holds = verify();
    assert_eq!(holds.status.code(), Some(0), "{}", String::from_utf8_lossy(&holds.stderr));
    for file in files(&log.join("tile/entries")) {
        let mut bytes = std::fs::read(&file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&file, bytes).unwrap();
    }
    assert_eq!(verify().status.code(), Some(1));
    std::fs::remove_file(log.join("checkpoint")).unwrap();
    assert_eq!(verify().status.code(), Some(2));
}

fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_check_serves_nobody_and_finds_what_would_keep_it_from_serving() {
    let check = |folder: &tempfile::TempDir| {
        let output = Command::new(env!("CARGO_BIN_EXE_housecarl"))
            .args(["serve", "--check", "--settings"])
            .arg(folder.path().join("settings.toml"))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let good = folder("");
    assert_eq!(check(&good), (Some(0), String::new()));
    assert!(!good.path().join("data").exists(), "nothing is begun");
    let no_certificate = folder("certificate = \"/nowhere.pem\"\nkey = \"/nowhere.pem\"\n");
    assert!(check(&no_certificate).1.contains("/nowhere.pem"));
    let manifest = good.path().join("watch/privacy.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, format!("{text}\n[surprise]\n")).unwrap();
    let (status, why) = check(&good);
    assert!(status == Some(2) && why.contains("cannot be read in full"), "{why}");
}
