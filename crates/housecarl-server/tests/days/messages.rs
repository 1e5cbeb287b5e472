//! Bad messages: each over each protocol, with its answer, its counter and what is kept of it.

use crate::devices::{Http, Mqtt, Told};
use crate::gateway::{House, START};

/// What should become of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    NothingKept,
    /// It is not what the manifest says, and never will be.
    Unreadable,
    TooLong,
}

impl Fate {
    const fn over_mqtt(self, version: u8) -> Told {
        match (self, version) {
            (Self::TooLong, 4) => Told::Ended(None),
            (Self::TooLong, _) => Told::Ended(Some(0x95)),
            (_, 4) | (Self::Kept, _) => Told::Acknowledged(None),
            (Self::NothingKept, _) => Told::Acknowledged(Some(0x10)),
            (Self::Unreadable, _) => Told::Acknowledged(Some(0x99)),
        }
    }

    const fn over_http(self) -> u16 {
        match self {
            Self::Kept => 200,
            Self::NothingKept => 202,
            Self::Unreadable => 400,
            Self::TooLong => 413,
        }
    }

    /// The series that count it: those of MQTT and of HTTP. What is too long is never a message.
    const fn counters(self) -> Option<[&'static str; 2]> {
        match self {
            Self::Kept => Some([
                "housecarl_mqtt_messages_total{outcome=\"kept\"}",
                "housecarl_http_messages_total{outcome=\"kept\"}",
            ]),
            Self::NothingKept => Some([
                "housecarl_mqtt_messages_total{outcome=\"nothing_kept\"}",
                "housecarl_http_messages_total{outcome=\"nothing-kept\"}",
            ]),
            Self::Unreadable => Some([
                "housecarl_mqtt_messages_total{outcome=\"not_as_declared\"}",
                "housecarl_http_messages_total{outcome=\"refused\"}",
            ]),
            Self::TooLong => None,
        }
    }
}

/// A message; `STEPS` is a number of steps that no other message has, and `SEQ` its own number.
const MESSAGES: &[(&str, &str, Fate)] = &[
    ("good", r#"{"profile": "p1", "seq": SEQ, "steps": STEPS}"#, Fate::Kept),
    ("empty", "", Fate::Unreadable),
    ("white space", " \n\t ", Fate::Unreadable),
    ("malformed", "steps=STEPS", Fate::Unreadable),
    ("cut off", r#"{"profile": "p1", "seq": SEQ, "steps": STEPS"#, Fate::Unreadable),
    ("NaN", r#"{"profile": "p1", "seq": SEQ, "hr": NaN, "steps": STEPS}"#, Fate::Unreadable),
    ("infinite", r#"{"profile": "p1", "seq": SEQ, "hr": -1e999, "steps": STEPS}"#, Fate::Unreadable),
    (
        "two messages",
        r#"{"profile": "p1", "steps": STEPS} {"profile": "p1", "steps": STEPS}"#,
        Fate::Unreadable,
    ),
    ("not UTF-8", "{\"profile\": \"\u{1}\"}", Fate::Unreadable),
    ("wrong type", r#"{"profile": "p1", "seq": SEQ, "steps": {"count": STEPS}}"#, Fate::NothingKept),
    ("another wrong type", r#"{"profile": "p1", "seq": SEQ, "steps": true}"#, Fate::NothingKept),
    ("wrong unit", r#"{"profile": "p1", "seq": SEQ, "steps": "STEPS steps"}"#, Fate::NothingKept),
    ("a number beyond all", r#"{"profile": "p1", "seq": SEQ, "steps": 1e300}"#, Fate::NothingKept),
    ("undeclared", r#"{"profile": "p1", "seq": SEQ, "paces": STEPS}"#, Fate::NothingKept),
    ("somebody else's", r#"{"profile": "p9", "seq": SEQ, "steps": STEPS}"#, Fate::NothingKept),
    ("from 1970", r#"{"profile": "p1", "seq": SEQ, "ts": 12, "steps": STEPS}"#, Fate::NothingKept),
    (
        "from 2099",
        r#"{"profile": "p1", "seq": SEQ, "ts": "2099-01-01T00:00:00Z", "steps": STEPS}"#,
        Fate::NothingKept,
    ),
    ("from no time", r#"{"profile": "p1", "seq": SEQ, "ts": "soon", "steps": STEPS}"#, Fate::NothingKept),
    (
        "from before anybody was asked",
        r#"{"profile": "p1", "seq": SEQ, "ts": BEFORE, "steps": STEPS}"#,
        Fate::NothingKept,
    ),
    ("without a clock", r#"{"profile": "p1", "seq": SEQ, "steps": STEPS}"#, Fate::Kept),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_bad_message_is_answered_counted_and_kept_as_the_page_says() {
    let house = House::open().await;
    let device = house.device().await;
    let huge = format!(
        r#"{{"profile": "p1", "seq": SEQ, "steps": STEPS, "x": "{}"}}"#,
        "7".repeat((1 << 20) + (9 << 10))
    );
    let deep = format!(
        r#"{{"profile": "p1", "seq": SEQ, "x": {}{}, "steps": STEPS}}"#,
        "[".repeat(100),
        "]".repeat(100)
    );
    let deeper = format!(r#"{{"profile": "p1", "x": {}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let long: [(&str, &str, Fate); 3] =
        [("huge", &huge, Fate::TooLong), ("deep", &deep, Fate::Kept), ("deeper", &deeper, Fate::Unreadable)];
    let (mut number, mut kept) = (0, Vec::new());
    for (what, message, fate) in MESSAGES.iter().copied().chain(long) {
        let counters = fate.counters();
        let before = match counters {
            Some([mqtt, http]) => Some((house.counted(mqtt).await, house.counted(http).await)),
            None => None,
        };
        let mut next = || {
            number += 1;
            let steps = 1_000 + 10 * number;
            if fate == Fate::Kept {
                kept.push(steps);
            }
            let filled = message.replace("SEQ", &number.to_string()).replace("STEPS", &steps.to_string());
            let filled = filled.replace("BEFORE", &(START - 3_600).to_string());
            // No text of Rust's holds what is not UTF-8.
            filled
                .into_bytes()
                .into_iter()
                .map(|byte| if byte == 1 { 0xFF } else { byte })
                .collect::<Vec<u8>>()
        };
        for version in [4, 5] {
            let mut connection = Mqtt::login(house.mqtt(), &device, version, "c").await;
            assert_eq!(connection.publish(&next()).await, fate.over_mqtt(version), "{what}, MQTT {version}");
        }
        let reply = Http::publish(house.http(), &device, &next()).await;
        assert_eq!(reply.status, fate.over_http(), "{what}: {}", reply.body);
        if let Some(([mqtt, http], before)) = counters.zip(before) {
            let counted = (house.counted(mqtt).await, house.counted(http).await);
            assert_eq!(counted, (before.0 + 2, before.1 + 1), "{what}");
        }
        assert_eq!(house.steps().await, kept, "{what}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_twice_or_out_of_order_is_kept_once_over_each_protocol() {
    let house = House::open().await;
    let device = house.device().await;
    let message = |number: u32| {
        let steps = 1_000 + 10 * number;
        format!(r#"{{"profile": "p1", "seq": {number}, "steps": {steps}}}"#).into_bytes()
    };
    // The later ones first; each again over every other protocol, and in another order.
    let mut by_3 = Mqtt::login(house.mqtt(), &device, 4, "three").await;
    let mut by_5 = Mqtt::login(house.mqtt(), &device, 5, "five").await;
    for number in [3, 1, 2] {
        assert_eq!(by_3.publish(&message(number)).await, Told::Acknowledged(None));
    }
    for number in [2, 3, 1, 1] {
        assert_eq!(by_5.publish(&message(number)).await, Told::Acknowledged(None));
        let reply = Http::publish(house.http(), &device, &message(number)).await;
        assert_eq!((reply.status, reply.body.contains("again")), (200, true), "{}", reply.body);
    }
    assert_eq!(house.steps().await, [1_010, 1_020, 1_030]);
    house.close().await;
}
