//! Reading for a purpose, and what a withdrawal does to it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use housecarl_journey::audit::By;
use housecarl_journey::people::{About, Said};
use housecarl_server::api::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::client::{PATIENCE, Reply, request};
use crate::house::{House, START, Wearer, hex, item_and_value, limits, vitals};

/// Keeps so many messages, of two values each.
fn fill(house: &House, wearer: &Wearer, messages: u32) {
    let lines: Vec<String> = (0..messages).map(|number| vitals(number, 60 + number % 60)).collect();
    for lines in lines.chunks(5_000) {
        let headers = [("content-type", "application/jsonl"), ("authorization", wearer.credential.as_str())];
        let reply = house.call("POST", "/v1/ingest/vitals", &headers, lines.join("\n").as_bytes());
        assert_eq!(reply.status, 200);
    }
}

#[test]
fn a_consumer_sees_its_purpose_and_no_more() {
    let house = House::new();
    let wearer = house.wearer();
    fill(&house, &wearer, 1);
    assert_eq!(house.sees("activity", wearer.person), ["heart-rate 60", "steps 4210"]);
    assert_eq!(house.sees("usage-statistics", wearer.person), ["battery 75", "steps 4210"]);
    assert!(house.sees("coaching", wearer.person).is_empty(), "nobody agreed to it");
    house.close();
}

#[test]
fn a_query_narrows_what_is_read() {
    let house = House::new();
    let wearer = house.wearer();
    fill(&house, &wearer, 1);
    house.now.fetch_add(3_600, Ordering::SeqCst);
    house.post("/v1/ingest/vitals", &wearer.credential, &vitals(1, 99));
    let person = hex(&wearer.person.0);
    let consumer = house.consumer(&["activity"]);
    let cases = [
        ("", 200, vec!["heart-rate 60", "heart-rate 99", "steps 4210", "steps 4210"]),
        ("&stream=vitals&from=2027-01-01T01:00:00Z", 200, vec!["heart-rate 99", "steps 4210"]),
        (
            "&to=2027-01-01T01:00:00Z&from=2027-01-01T00:00:00%2B00:00",
            200,
            vec!["heart-rate 60", "steps 4210"],
        ),
        ("&stream=night", 200, vec![]),
        ("&from=2028-01-01T00:00:00Z", 200, vec![]),
        ("&stream=everything", 404, vec![]),
        ("&from=yesterday", 400, vec![]),
        ("&from=1969-01-01T00:00:00Z", 400, vec![]),
        ("&purpose=offers", 400, vec![]),
        ("&stream=vitals&stream=night", 400, vec![]),
        ("&home=00000000000000000000000000000000", 400, vec![]),
    ];
    for (query, status, expected) in cases {
        let reply = house.get(&format!("/v1/data/activity?person={person}{query}"), &consumer);
        assert_eq!(reply.status, status, "{query}");
        if status == 200 {
            let mut lines: Vec<String> = reply.body.lines().map(item_and_value).collect();
            lines.sort();
            assert_eq!(lines, expected, "{query}");
        }
    }
    for (path, status) in [
        ("/v1/data/activity", 400),
        ("/v1/data/activity?person=p1", 404),
        ("/v1/data/activity?home=00000000000000000000000000000000", 404),
        // Nobody of this id, or nothing that may be seen: it is the same.
        ("/v1/data/activity?person=00000000000000000000000000000000", 200),
        (&format!("/v1/data/activity?home={}", hex(&house.home.0)), 200),
        (&format!("/v1/data/nonsense?person={person}"), 403),
        (&format!("/v1/data/sleep?person={person}"), 403),
    ] {
        let reply = house.get(path, &consumer);
        assert!(reply.status == status && reply.is_whole, "{path}: {reply:?}");
    }
    house.close();
}

/// A reader with little room, who has asked and reads nothing yet.
async fn idle_reader(house: &House, wearer: &Wearer) -> tokio::net::TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut reader = socket.connect(house.address).await.unwrap();
    let path = format!("/v1/data/activity?person={}", hex(&wearer.person.0));
    let credential = house.consumer(&["activity"]);
    reader.write_all(&request("GET", &path, &[("authorization", &credential)], b"")).await.unwrap();
    let mut first = [0; 1];
    timeout(PATIENCE, reader.read_exact(&mut first)).await.unwrap().unwrap();
    reader
}

/// What came, after the first byte, until the end.
async fn rest(mut reader: tokio::net::TcpStream) -> Reply {
    let mut bytes = vec![b'H'];
    // It may be reset: what came before counts.
    let _ = timeout(PATIENCE, reader.read_to_end(&mut bytes)).await.expect("it ends");
    Reply::of(&bytes).unwrap()
}

#[test]
fn a_reader_who_stops_reading_is_cut_off() {
    let house = House::with(Limits { unread_time: Duration::from_millis(300), ..limits() });
    let wearer = house.wearer();
    // More than the system keeps for who does not read.
    fill(&house, &wearer, 40_000);
    house.block_on(async {
        let reader = idle_reader(&house, &wearer).await;
        let gone = async {
            while house.http.counts().open() > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, gone).await.expect("it is cut off");
        let reply = rest(reader).await;
        assert!(reply.status == 200 && !reply.is_whole && reply.body.lines().count() < 80_000);
    });
    house.close();
}

#[test]
fn a_withdrawal_does_not_wait_for_who_does_not_read() {
    let house = House::with(Limits { unread_time: Duration::from_millis(300), ..limits() });
    let wearer = house.wearer();
    fill(&house, &wearer, 5_000);
    house.block_on(async {
        let reader = idle_reader(&house, &wearer).await;
        let refused = Said::Refused("activity".to_owned());
        let withdrawal = house.journey.choose(
            About::Person(wearer.person),
            house.product(),
            &refused,
            By::Housecarl,
            START + 1,
        );
        timeout(PATIENCE, withdrawal).await.expect("it returns").unwrap();
        assert!(rest(reader).await.body.lines().count() < 10_000, "it ended there");
    });
    house.close();
}

#[test]
fn nothing_is_handed_on_after_a_withdrawal_was_answered() {
    let house = House::new();
    let wearer = house.wearer();
    fill(&house, &wearer, 2_000);
    let path = format!("{}/persons/{}/choices", house.home_path(), hex(&wearer.person.0));
    let body = r#"{"product": "watch", "choices": [{"said": "refused", "purpose": "activity"}]}"#;
    let (sender, received) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let reply = house.get(
                &format!("/v1/data/activity?person={}", hex(&wearer.person.0)),
                &house.consumer(&["activity"]),
            );
            sender.send(reply).unwrap();
        });
        house.operate(&path, body);
        let reply = received.recv_timeout(PATIENCE).unwrap();
        // It ends as a whole: what was no longer permitted was never part of it.
        assert!(reply.status == 200 && reply.is_whole);
    });
    assert!(house.sees("activity", wearer.person).is_empty());
    house.close();
}

#[test]
fn a_reader_who_leaves_ends_the_read() {
    let house = House::with(Limits { reads_max: 1, ..limits() });
    let wearer = house.wearer();
    fill(&house, &wearer, 40_000);
    house.block_on(async {
        let reader = idle_reader(&house, &wearer).await;
        // The only place is taken.
        let path = format!("/v1/data/activity?person={}", hex(&wearer.person.0));
        let credential = house.consumer(&["activity"]);
        let status = || house.get(&path, &credential).status;
        assert_eq!(status(), 503);
        drop(reader);
        let free = async {
            while status() == 503 {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, free).await.expect("the place is free again");
    });
    house.close();
}
