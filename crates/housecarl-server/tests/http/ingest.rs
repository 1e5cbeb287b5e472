//! What becomes of a message, and what the device is told.

use crate::house::{House, Wearer, vitals};

fn send(house: &House, wearer: &Wearer, kind: &str, key: &str, body: &[u8]) -> crate::client::Reply {
    let mut headers = vec![("content-type", kind), ("authorization", wearer.credential.as_str())];
    if !key.is_empty() {
        headers.push(("idempotency-key", key));
    }
    house.call("POST", "/v1/ingest/vitals", &headers, body)
}

#[test]
fn a_message_is_named_by_its_key_else_by_what_the_manifest_says() {
    let house = House::new();
    let wearer = house.wearer();
    let outcome = |key: &str, body: &str| {
        send(&house, &wearer, "application/json", key, body.as_bytes()).text("outcome")
    };
    assert_eq!(outcome("", &vitals(1, 71)), "kept");
    assert_eq!(outcome("", &vitals(1, 99)), "again", "the manifest says that the number makes it itself");
    assert_eq!(outcome("a", &vitals(1, 71)), "kept");
    assert_eq!(outcome("a", &vitals(2, 99)), "again", "the key does, where there is one");
    assert_eq!(outcome("b", &vitals(2, 99)), "kept");
    for key in ["x".repeat(256), " ".to_owned()] {
        assert_eq!(send(&house, &wearer, "application/json", &key, b"{}").status, 400);
    }
    house.close();
}

#[test]
fn cbor_is_kept_like_the_json_that_says_the_same() {
    let house = House::new();
    let wearer = house.wearer();
    // {"profile": "p1", "seq": 7, "hr": 71, "steps": 4217}
    let cbor = b"\xa4\x67profile\x62p1\x63seq\x07\x62hr\x18\x47\x65steps\x19\x10\x79";
    let reply = send(&house, &wearer, "application/cbor", "", cbor);
    assert_eq!((reply.status, reply.text("outcome").as_str()), (200, "kept"));
    assert_eq!(house.sees("activity", wearer.person), ["heart-rate 71", "steps 4210"]);
    let again = br#"{"profile": "p1", "seq": 7, "hr": 71, "steps": 4217}"#;
    assert_eq!(send(&house, &wearer, "application/json", "", again).text("outcome"), "again");
    // What JSON cannot say is refused as it is.
    let bytes = b"\xa1\x62hr\x41\x47";
    assert_eq!(send(&house, &wearer, "application/cbor", "", bytes).status, 422);
    assert_eq!(send(&house, &wearer, "application/cbor", "", &cbor[..20]).status, 400);
    house.close();
}

#[test]
fn lines_are_answered_one_by_one_and_a_bad_one_keeps_no_other_from_it() {
    let house = House::new();
    let wearer = house.wearer();
    let lines = format!("{}\n{}\n{{\"hr\": NaN}}\n\n{}\n", vitals(1, 71), vitals(1, 71), vitals(2, 72));
    let reply = send(&house, &wearer, "application/x-ndjson", "", lines.as_bytes());
    assert_eq!(reply.status, 422, "one will never be taken");
    let outcomes = |reply: &crate::client::Reply| -> Vec<String> {
        let lines = reply.json()["lines"].as_array().unwrap().clone();
        lines.iter().map(|line| line["outcome"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(outcomes(&reply), ["kept", "again", "not-taken", "not-taken", "kept"]);
    assert_eq!(reply.json()["lines"][2]["error"]["code"], "unreadable");
    assert_eq!(house.sees("activity", wearer.person).len(), 4);
    // Mended and sent once more, each is kept once.
    let mended = lines.replace("NaN", "73, \"seq\": 9, \"profile\": \"p1\"").replace("\n\n", "\n");
    let reply = send(&house, &wearer, "application/jsonl", "", mended.as_bytes());
    assert_eq!(
        (reply.status, outcomes(&reply)),
        (200, ["again", "again", "kept", "again"].map(str::to_owned).into())
    );
    // One key names each line.
    let twice = format!("{}\n{}", vitals(5, 75), vitals(5, 75));
    let reply = send(&house, &wearer, "application/jsonl", "k", twice.as_bytes());
    assert_eq!(outcomes(&reply), ["kept", "kept"]);
    let reply = send(&house, &wearer, "application/jsonl", "k", twice.as_bytes());
    assert_eq!(outcomes(&reply), ["again", "again"]);
    let nothing = "{\"profile\": \"p9\", \"hr\": 1}\n{\"profile\": \"p9\", \"hr\": 2}";
    assert_eq!(send(&house, &wearer, "application/jsonl", "", nothing.as_bytes()).status, 202);
    let many = "1\n".repeat(10_001);
    assert_eq!(send(&house, &wearer, "application/jsonl", "", many.as_bytes()).status, 413);
    house.close();
}

#[test]
fn each_outcome_is_counted() {
    let house = House::new();
    let wearer = house.wearer();
    for body in [&vitals(1, 71), &vitals(1, 71), r#"{"profile": "p9", "hr": 1}"#, "no"] {
        send(&house, &wearer, "application/json", "", body.as_bytes());
    }
    let metrics = house.get("/metrics", "").body;
    for outcome in ["kept", "again", "nothing-kept", "refused"] {
        let line = format!("housecarl_http_messages_total{{outcome=\"{outcome}\"}} 1\n");
        assert!(metrics.contains(&line), "{outcome}: {metrics}");
    }
    house.close();
}
