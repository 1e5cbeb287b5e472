//! A device in a loop, by either protocol.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use housecarl_server::house;
use housecarl_server::ingest::mqtt::{Limits, Mqtt};
use housecarl_server::ingest::{Admission, Counters, Door, Quotas, Rates, Transport};

use crate::client::{PATIENCE, Reply, read_to_end};
use crate::house::{House, Setting, vitals};

/// One message a second, so that ten may be saved.
fn slow() -> Quotas {
    Quotas::new(Rates { messages_per_second: 1, bytes_per_second: 1 << 20 })
}

fn send(house: &House, credential: &str, number: u32) -> Reply {
    house.post("/v1/ingest/vitals", credential, &vitals(number, 71))
}

/// The bytes of an MQTT 3.1.1 session: a login, and so many messages at QoS 1.
fn session(credential: &str, messages: u16) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
    let packet = |kind: u8, body: &[u8]| {
        let length = body.len();
        [&[kind, (length & 127) as u8 | 128, (length >> 7) as u8], body].concat()
    };
    let (id, secret) = credential.strip_prefix("Bearer ").unwrap().split_once('.').unwrap();
    let connect = [text("MQTT"), vec![4, 0xC2, 0, 60], text("c"), text(id), text(secret)].concat();
    let mut bytes = packet(0x10, &connect);
    for number in 1..=messages {
        let topic = text(&format!("housecarl/v1/{id}/vitals"));
        let payload = vitals(number.into(), 71).into_bytes();
        bytes.extend(packet(0x32, &[topic, number.to_be_bytes().to_vec(), payload].concat()));
    }
    bytes
}

#[test]
fn a_looping_device_is_held_to_its_share_and_nobody_else_is() {
    let house = House::of(Setting { quotas: slow(), ..Setting::default() });
    let (looping, other) = (house.wearer(), house.device(house.home, None).1);

    // By HTTP: what was saved is taken, and then it is told for how long to wait.
    let mut number = 0;
    let over = loop {
        number += 1;
        let reply = send(&house, &looping.credential, number);
        if reply.status != 200 {
            break reply;
        }
        assert!(number < 200, "nothing holds it");
    };
    assert!(number > 10, "what was saved could not be sent at once: {number}");
    assert_eq!((over.status, over.json()["error"]["code"].as_str()), (429, Some("quota")));
    let seconds: u64 = over.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    let metrics = house.get("/metrics", "").body;
    assert!(metrics.contains("housecarl_http_messages_total{outcome=\"over-quota\"} 1\n"), "{metrics}");
    assert_eq!(send(&house, &other, 1000).status, 200, "another device has its own share");

    // By MQTT it is the same share: what is over it is not acknowledged, and the connection ends.
    let here = "127.0.0.1:0".parse().unwrap();
    let door = house.block_on(Door::bind(here, Transport::Plain { beyond_loopback: false })).unwrap();
    let address = door.address().unwrap();
    let counters = Arc::<Counters>::default();
    let now = Arc::clone(&house.now);
    let clock: house::Clock = Arc::new(move || now.load(Ordering::SeqCst));
    let gateway = Arc::new(house::House::new(Arc::clone(&house.journey), clock, Arc::clone(&house.quotas)));
    let mqtt = Mqtt::new(gateway, Limits::default(), Arc::clone(&counters));
    house.runtime.spawn(async move { mqtt.serve(door, std::future::pending()).await });
    let acknowledged = |credential: &str| {
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.write_all(&session(credential, 40)).unwrap();
        let answer = read_to_end(&mut socket);
        assert_eq!(&answer[..4], [0x20, 2, 0, 0], "it is let in");
        (answer.len() - 4) / 4
    };
    let first = acknowledged(&other);
    assert!((1..40).contains(&first), "{first} of 40 acknowledged");
    assert!(acknowledged(&looping.credential) < 10, "it had its share by HTTP");
    assert!(counters.messages(Admission::OverQuota) >= 2);

    // It may go on when it has waited.
    let from = number;
    while send(&house, &looping.credential, from).status == 429 {}
    house.close();
}

#[test]
fn lines_count_one_by_one_and_are_taken_all_or_none() {
    let house = House::of(Setting { quotas: slow(), ..Setting::default() });
    let wearer = house.wearer();
    let lines: String = (0..50).map(|number| vitals(number, 71) + "\n").collect();
    let headers = [("content-type", "application/jsonl"), ("authorization", wearer.credential.as_str())];
    let send = || house.call("POST", "/v1/ingest/vitals", &headers, lines.as_bytes());
    let first = send();
    assert_eq!(first.status, 200, "more than its share, which it waits for afterwards");
    let second = send();
    assert_eq!((second.status, second.json()["error"]["code"].as_str()), (429, Some("quota")));
    let seconds: u64 = second.header("retry-after").unwrap().parse().unwrap();
    assert!((2..=41).contains(&seconds), "fifty messages less the ten that were saved: {seconds}");
    assert!(second.json().get("lines").is_none());
    house.close();
}
