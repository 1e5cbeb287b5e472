//! Signals: certificates are read again, and what was taken is answered before the end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::gateway::{Gateway, PATIENCE, Wearer, folder, vitals};

fn certificates() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../housecarl-server/tests/tls")
}

/// Puts one of the two certificates of tests where the settings name it.
fn put(folder: &Path, which: &str) {
    for (file, name) in [("cert.pem", "certificate.pem"), ("key.pem", "key.pem")] {
        std::fs::copy(certificates().join(format!("{which}.{file}")), folder.join(name)).unwrap();
    }
}

/// Whether curl speaks to it, trusting this certificate alone.
fn is_served(gateway: &Gateway, which: &str) -> bool {
    let trusted = certificates().join(format!("{which}.cert.pem"));
    let at = format!("localhost:{}", gateway.http.port());
    Command::new("curl")
        .args(["--silent", "--output", "/dev/null", "--max-time", "30", "--cacert"])
        .arg(trusted)
        .args(["--resolve", &format!("{at}:127.0.0.1"), &format!("https://{at}/healthz")])
        .status()
        .unwrap()
        .success()
}

/// What a command complains of that asks it by TLS and trusts this certificate alone.
fn asks(gateway: &Gateway, which: &str) -> String {
    let address = format!("https://localhost:{}", gateway.http.port());
    let output = Command::new(env!("CARGO_BIN_EXE_housecarl"))
        .args(["home", "add", "--gateway", &address, "--token-file"])
        .arg(gateway.path("data/first-operator"))
        .arg("--trust")
        .arg(certificates().join(format!("{which}.cert.pem")))
        .output()
        .unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn certificates_are_read_again_on_hang_up_all_or_none_and_it_is_told() {
    let folder = folder("certificate = \"CERTIFICATE\"\nkey = \"KEY\"\n");
    put(folder.path(), "first");
    let settings = folder.path().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let path = folder.path().display();
    let text = text
        .replace("CERTIFICATE", &format!("{path}/certificate.pem"))
        .replace("KEY", &format!("{path}/key.pem"));
    std::fs::write(&settings, text).unwrap();
    let gateway = Gateway::start(folder);
    assert!(is_served(&gateway, "first") && !is_served(&gateway, "second"));
    assert!(asks(&gateway, "first").is_empty());
    assert!(
        asks(&gateway, "second").contains("no answer from"),
        "a token goes to nobody that is not vouched for"
    );

    put(gateway.folder.path(), "second");
    gateway.signal("HUP");
    gateway.complains("certificates were read again, at 1 of the addresses");
    assert!(is_served(&gateway, "second") && !is_served(&gateway, "first"));

    // A key that is not the certificate's: it is told, and the old ones stay.
    std::fs::copy(certificates().join("first.key.pem"), gateway.path("key.pem")).unwrap();
    gateway.signal("HUP");
    gateway.complains("certificates were not read again, and the old ones stay");
    gateway.complains("the private key does not belong to the first certificate");
    assert!(is_served(&gateway, "second"));
    assert_eq!(gateway.end().0, 0);
}

/// An MQTT 3.1.1 login, and so many messages at QoS 1.
fn session(wearer: &Wearer, messages: u16) -> Vec<u8> {
    let text = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes(), text.as_bytes()].concat();
    let packet = |kind: u8, body: &[u8]| {
        let length = body.len();
        let digits = [u8::try_from(length & 127).unwrap() | 128, u8::try_from(length >> 7).unwrap()];
        [&[kind][..], &digits, body].concat()
    };
    let login = [text("c"), text(&wearer.device), text(&wearer.secret)].concat();
    let mut bytes = packet(0x10, &[text("MQTT"), vec![4, 0xC2, 0, 60], login].concat());
    for number in 1..=messages {
        let topic = text(&format!("housecarl/v1/{}/vitals", wearer.device));
        let payload = vitals(number.into()).into_bytes();
        bytes.extend(packet(0x32, &[topic, number.to_be_bytes().to_vec(), payload].concat()));
    }
    bytes
}

#[test]
fn what_was_taken_is_acknowledged_before_it_ends_and_nothing_else_is_kept() {
    const SENT: u16 = 600;
    let gateway = Gateway::start(folder(""));
    gateway.take_over();
    let wearer = gateway.wearer();
    // Neither a core dump nor a debugger gets at what is in memory.
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", gateway.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");

    let mut socket = TcpStream::connect(gateway.mqtt).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut sending = socket.try_clone().unwrap();
    let bytes = session(&wearer, SENT);
    let sender = std::thread::spawn(move || {
        // It may end while this is sent.
        let _ = sending.write_all(&bytes);
    });
    // In the middle of it, when some are acknowledged, it is told to end.
    let mut answer = vec![0; 4 + 4 * 20];
    socket.read_exact(&mut answer).unwrap();
    gateway.signal("TERM");
    // Reset: what came before counts.
    let _ = socket.read_to_end(&mut answer);
    sender.join().unwrap();
    let mut gateway = gateway;
    let (status, complaints, folder) = gateway.wait();
    assert_eq!((status, complaints.as_str()), (0, ""));
    let mut acknowledged = vec![false; usize::from(SENT) + 1];
    for packet in answer[4..].chunks(4).filter(|packet| packet.len() == 4) {
        assert_eq!(packet[..2], [0x40, 2]);
        acknowledged[usize::from(u16::from_be_bytes([packet[2], packet[3]]))] = true;
    }

    // Sent again, what was acknowledged was kept before, and nothing else was.
    let gateway = Gateway::start(folder);
    for number in 1..=u32::from(SENT) {
        let again = gateway.send(&wearer, number) == "again";
        assert_eq!(again, acknowledged[number as usize], "message {number}");
    }
    assert_eq!(gateway.end().0, 0);
}
