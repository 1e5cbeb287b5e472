//! What strangers, broken devices and bad networks send.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use housecarl_journey::journey::Stored;
use housecarl_server::api::Limits;

use crate::client::{PATIENCE, Reply, exchange, read_to_end, request};
use crate::house::{House, Setting, hex, limits, vitals};

#[test]
fn bad_messages_are_refused_with_a_way_on_and_nothing_is_kept() {
    let house = House::new();
    let wearer = house.wearer();
    let huge = format!(r#"{{"hr": "{}"}}"#, "7".repeat(1 << 20));
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let deeper = "[".repeat(100_000);
    let cases: [(&str, &str, &str, u16); 14] = [
        ("empty", "application/json", "", 400),
        ("white space", "application/json", " \n ", 400),
        ("not JSON", "application/json", "hr=71", 400),
        ("cut off", "application/json", r#"{"profile": "p1", "hr": 7"#, 400),
        ("NaN", "application/json", r#"{"profile": "p1", "hr": NaN}"#, 400),
        ("infinite", "application/json", r#"{"profile": "p1", "hr": 1e999}"#, 400),
        ("two values", "application/json", "{} {}", 400),
        ("huge", "application/json", &huge, 413),
        ("deep", "application/json", &deep, 202),
        ("deeper", "application/json", &deeper, 400),
        ("wrong type", "application/json", r#"{"profile": "p1", "hr": {"value": "fast"}}"#, 202),
        ("an undeclared type", "text/plain", "{}", 415),
        ("form", "application/x-www-form-urlencoded", "hr=71", 415),
        ("CBOR that is not", "application/cbor", "no", 400),
    ];
    for (what, kind, body, status) in cases {
        let headers = [("content-type", kind), ("authorization", wearer.credential.as_str())];
        let reply = house.call("POST", "/v1/ingest/vitals", &headers, body.as_bytes());
        assert_eq!(reply.status, status, "{what}: {reply:?}");
        if status >= 400 {
            let error = &reply.json()["error"];
            assert!(
                ["code", "what", "help"].iter().all(|member| error[member].is_string()),
                "{what}: {reply:?}"
            );
            assert!(!reply.body.contains("71") && !reply.body.contains("p1"), "{what}: {reply:?}");
        }
    }
    let compressed = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("authorization", wearer.credential.as_str()),
    ];
    assert_eq!(house.call("POST", "/v1/ingest/vitals", &compressed, b"{}").status, 415);
    let unknown = house.post("/v1/ingest/everything", &wearer.credential, "{}");
    assert_eq!((unknown.status, unknown.json()["error"]["code"].as_str()), (404, Some("unknown")));
    assert_eq!(house.journey.held(wearer.person.into()).unwrap(), 0);
    house.close();
}

#[test]
fn bytes_that_are_no_request_end_their_connection_at_worst() {
    let house = House::new();
    let wearer = house.wearer();
    let message = vitals(1, 71);
    let with = |framing: &str, body: &str| {
        format!(
            "POST /v1/ingest/vitals HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: application/json\r\n\
             authorization: {}\r\n{framing}\r\n\r\n{body}",
            wearer.credential
        )
    };
    let length = message.len();
    let chunk = format!("{length:x}\r\n{message}\r\n");
    let cases = [
        ("no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01".to_owned(), Some(400)),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), None),
        ("two lengths", with(&format!("content-length: {length}\r\ncontent-length: 5"), &message), Some(400)),
        ("a list of lengths", with(&format!("content-length: {length}, 5"), &message), Some(400)),
        ("a negative length", with("content-length: -1", &message), Some(400)),
        ("a signed length", with(&format!("content-length: +{length}"), &message), Some(400)),
        ("another encoding", with("transfer-encoding: gzip, x", &chunk), Some(400)),
        ("a chunk without a number", with("transfer-encoding: chunked", "x\r\n\r\n"), Some(400)),
        (
            "an endless number",
            with("transfer-encoding: chunked", &format!("{}1\r\nx", "f".repeat(40))),
            Some(400),
        ),
        (
            "a chunk longer than it says",
            with("transfer-encoding: chunked", &format!("2\r\n{message}\r\n0\r\n\r\n")),
            Some(400),
        ),
        ("many headers", format!("GET /healthz HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(100)), Some(431)),
        ("a long header", format!("GET /healthz HTTP/1.1\r\na: {}\r\n\r\n", "b".repeat(20_000)), Some(431)),
        ("a long address", format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000)), None),
        ("a body that is announced too long", with("content-length: 99999999", ""), Some(413)),
        (
            "two credentials",
            with(&format!("content-length: {length}\r\nauthorization: Bearer x"), &message),
            Some(401),
        ),
        (
            "a header over two lines",
            with(&format!("content-length: {length}\r\na: b\r\n c: d"), &message),
            Some(400),
        ),
    ];
    for (what, bytes, status) in cases {
        let reply = Reply::of(&exchange(house.address, bytes.as_bytes()));
        if let Some(status) = status {
            assert_eq!(reply.as_ref().map(|reply| reply.status), Some(status), "{what}: {reply:?}");
        } else if let Some(reply) = reply {
            assert!(reply.status >= 400, "{what}: {reply:?}");
        }
    }
    assert_eq!(house.journey.held(wearer.person.into()).unwrap(), 0);
    // Smuggled: where both are there, what counts is the chunks, and nothing is left to be a request.
    let both = with("content-length: 5\r\ntransfer-encoding: chunked", &format!("{chunk}0\r\n\r\n"));
    let answers = String::from_utf8(exchange(house.address, both.as_bytes())).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
    // Chunks are taken.
    let chunked = with("transfer-encoding: chunked", &format!("{}0\r\n\r\n", chunk.replace(": 1,", ": 2,")));
    let reply = Reply::of(&exchange(house.address, chunked.as_bytes())).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    house.close();
}

#[test]
fn requests_behind_one_another_are_answered_in_order() {
    let house = House::new();
    let wearer = house.wearer();
    let mut bytes = Vec::new();
    for number in 0..20 {
        let body = vitals(number / 2, 71);
        bytes.extend_from_slice(
            format!(
                "POST /v1/ingest/vitals HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n\
                 authorization: {}\r\ncontent-length: {}\r\n\r\n{body}",
                wearer.credential,
                body.len()
            )
            .as_bytes(),
        );
    }
    bytes.extend_from_slice(&request("GET", "/healthz", &[], b""));
    let answers = String::from_utf8(exchange(house.address, &bytes)).unwrap();
    let outcomes: Vec<&str> = answers.lines().filter(|line| line.starts_with('{')).collect();
    assert_eq!(outcomes.len(), 21, "{answers}");
    for (at, outcome) in outcomes.iter().take(20).enumerate() {
        assert_eq!(outcome.contains("kept"), at % 2 == 0, "{at}: {outcome}");
    }
    assert_eq!(outcomes[20], r#"{"up":true}"#);
    house.close();
}

#[test]
fn who_dribbles_is_put_out() {
    let short = Duration::from_millis(200);
    let house = House::with(Limits { head_time: short, body_time: short, ..Limits::default() });
    let wearer = house.wearer();
    for (what, sent, status) in [("nothing", "", None), ("half a head", "GET /healthz HTTP/1.1\r\nhos", None)]
    {
        let mut socket = TcpStream::connect(house.address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.write_all(sent.as_bytes()).unwrap();
        let reply = Reply::of(&read_to_end(&mut socket)).map(|reply| reply.status);
        assert!(reply == status || reply == Some(408), "{what}: {reply:?}");
    }
    let half = format!(
        "POST /v1/ingest/vitals HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n\
         authorization: {}\r\ncontent-length: 100\r\n\r\n{{",
        wearer.credential
    );
    let reply = Reply::of(&exchange(house.address, half.as_bytes())).unwrap();
    assert_eq!(reply.status, 408);
    // A connection that rests for so long ends.
    let rested = exchange(house.address, b"GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n");
    assert_eq!(Reply::of(&rested).unwrap().status, 200);
    house.close();
}

#[test]
fn a_body_that_is_cut_off_is_not_taken() {
    let house = House::new();
    let wearer = house.wearer();
    let half = format!(
        "POST /v1/ingest/vitals HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n\
         authorization: {}\r\ncontent-length: 1000\r\n\r\n{}",
        wearer.credential,
        vitals(1, 71)
    );
    let mut socket = TcpStream::connect(house.address).unwrap();
    socket.write_all(half.as_bytes()).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let reply = Reply::of(&read_to_end(&mut socket));
    assert!(reply.is_none_or(|reply| reply.status == 400));
    assert_eq!(house.journey.held(wearer.person.into()).unwrap(), 0);
    house.close();
}

#[test]
fn so_many_connections_and_no_more() {
    let house = House::with(Limits { connections_max: 2, ..limits() });
    let first = TcpStream::connect(house.address).unwrap();
    let second = TcpStream::connect(house.address).unwrap();
    assert!(exchange(house.address, &request("GET", "/healthz", &[], b"")).is_empty());
    drop((first, second));
    while Reply::of(&exchange(house.address, &request("GET", "/healthz", &[], b""))).is_none() {}
    while house.http.counts().open() > 0 {}
    house.close();
}

#[test]
fn what_is_not_there_is_said_to_nobody_in_particular() {
    let house = House::new();
    for (method, path, status, allow) in [
        ("GET", "/", 404, None),
        ("GET", "/v1/", 404, None),
        ("GET", "/v1/homes/", 404, None),
        ("GET", "/v1//persons", 404, None),
        ("GET", "/healthz/", 404, None),
        ("GET", "/v1/%68omes", 404, None),
        ("GET", "/v1/homes", 405, Some("POST")),
        ("PUT", "/v1/devices/x/secret", 405, Some("POST, DELETE")),
        ("HEAD", "/healthz", 405, Some("GET")),
        ("OPTIONS", "/metrics", 405, Some("GET")),
    ] {
        let reply = house.call(method, path, &[], b"");
        assert_eq!((reply.status, reply.header("allow")), (status, allow), "{method} {path}");
    }
    house.close();
}

#[test]
fn a_full_disk_is_told_and_nothing_is_acknowledged() {
    // No disk has so much to keep free.
    let house = House::of(Setting { stored: Stored::OnDisk, keep_free: u64::MAX, ..Setting::default() });
    let wearer = house.wearer();
    let reply = house.post("/v1/ingest/vitals", &wearer.credential, &vitals(1, 71));
    assert_eq!((reply.status, reply.json()["error"]["code"].as_str()), (503, Some("not-kept")));
    assert_eq!(reply.header("retry-after"), Some("1"));
    let headers = [("content-type", "application/jsonl"), ("authorization", wearer.credential.as_str())];
    let lines = format!("{}\n{{}}\n", vitals(2, 72));
    let reply = house.call("POST", "/v1/ingest/vitals", &headers, lines.as_bytes());
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    assert_eq!(reply.json()["lines"][0]["error"]["code"], "not-kept");
    assert_eq!(reply.json()["lines"][1]["outcome"], "nothing-kept", "what needs no room is answered");
    let ready = house.get("/readyz", "");
    assert_eq!((ready.status, ready.json()["error"]["code"].as_str()), (503, Some("full")));
    assert_eq!(house.get("/healthz", "").status, 200);
    let metrics = house.get("/metrics", "").body;
    assert!(metrics.contains("housecarl_http_messages_total{outcome=\"not-now\"} 2\n"), "{metrics}");
    assert_eq!(house.journey.held(wearer.person.into()).unwrap(), 0);
    // Whoever withdraws or erases has the room that was kept free.
    let person = format!("{}/persons/{}", house.home_path(), hex(&wearer.person.0));
    let withdrawn = r#"{"product": "watch", "choices": [{"said": "refused", "purpose": "activity"}]}"#;
    house.operate(&format!("{person}/choices"), withdrawn);
    let erased = house.with_credential("DELETE", &format!("{person}/data?all=true"), &house.operator(), "");
    assert_eq!(erased.status, 200, "{erased:?}");
    house.close();
}
