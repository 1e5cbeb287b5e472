//! A client that we did not write: curl.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::house::{House, hex, vitals};
use crate::tls;

/// What curl prints: the body, and the status on a line of its own.
fn curl(arguments: &[&str], body: &[u8]) -> (String, String) {
    let mut curl = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "30", "--write-out", "\n%{http_code}"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("curl is here; `cargo xtask test` installs it");
    curl.stdin.take().unwrap().write_all(body).unwrap();
    let output = curl.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {:?}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (body.to_owned(), status.to_owned())
}

#[test]
fn curl_sends_and_reads() {
    let house = House::new();
    let wearer = house.wearer();
    let at = |path: &str| format!("http://{}{path}", house.address);
    // As a device: Basic, with its id and secret.
    let (id, secret) = wearer.credential.strip_prefix("Bearer ").unwrap().split_once('.').unwrap();
    let user = format!("{id}:{secret}");
    let ingest = at("/v1/ingest/vitals");
    let json =
        ["--user", &user, "--header", "content-type: application/json", "--data-binary", "@-", &ingest];
    let (body, status) = curl(&json, vitals(1, 71).as_bytes());
    assert_eq!(status, "200", "{body}");
    assert!(body.contains(r#""outcome":"kept""#), "{body}");
    // Chunked, and more than one message.
    let lines = [
        "--user",
        &user,
        "--header",
        "content-type: application/jsonl",
        "--header",
        "transfer-encoding: chunked",
        "--data-binary",
        "@-",
        &ingest,
    ];
    let body = format!("{}\n{}\n", vitals(2, 72), vitals(3, 73));
    assert_eq!(curl(&lines, body.as_bytes()).1, "200");
    // More than 1 MiB: curl asks first, and is told before it sends it.
    let (body, status) = curl(&json, &vec![b' '; 2 << 20]);
    assert_eq!(status, "413", "{body}");
    // As a consumer.
    let bearer = format!("authorization: {}", house.consumer(&["activity"]));
    let data = at(&format!("/v1/data/activity?person={}", hex(&wearer.person.0)));
    let (body, status) = curl(&["--header", &bearer, &data], b"");
    assert_eq!((status.as_str(), body.lines().count()), ("200", 6));
    // As nobody.
    let (body, status) = curl(&[&data], b"");
    assert_eq!(status, "401");
    assert!(body.contains(r#""code":"credential""#));
    house.close();
}

#[test]
fn curl_speaks_tls_and_trusts_who_it_was_told_to() {
    let house = House::new();
    let wearer = house.wearer();
    let (address, _open) = tls::door(&house, &tls::first());
    let ingest = format!("https://localhost:{}/v1/ingest/vitals", address.port());
    let resolve = format!("localhost:{}:127.0.0.1", address.port());
    let bearer = format!("authorization: {}", wearer.credential);
    let trusted = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls/first.cert.pem");
    for (number, version) in [(1, ["--tlsv1.2", "--tls-max", "1.2"]), (2, ["--tlsv1.3", "--tls-max", "1.3"])]
    {
        let to = ["--resolve", &resolve, "--cacert", trusted, "--header", &bearer];
        let body = ["--header", "content-type: application/json", "--data-binary", "@-", &ingest];
        let (body, status) = curl(&[&version[..], &to, &body].concat(), vitals(number, 71).as_bytes());
        assert_eq!(status, "200", "{version:?}: {body}");
    }
    house.close();
}
