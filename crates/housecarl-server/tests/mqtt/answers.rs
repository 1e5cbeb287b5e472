//! What a device is told about its messages, and when.

use std::time::Duration;

use bytes::Bytes;
use housecarl_server::ingest::mqtt::Limits;
use housecarl_server::ingest::{Admission, Refusal, Transport};
use tokio::time::{Instant, timeout};

use crate::house::{House, PATIENCE, limits, login};
use crate::notation::bytes;

const VERSIONS: [(u8, &str); 2] = [(4, ""), (5, "00")];

#[tokio::test]
async fn text_is_kept_byte_for_byte() {
    for (version, properties) in VERSIONS {
        let house = House::open().await;
        let mut raw = house.login(version, "c").await;
        raw.send(&format!("32( ['a/' EFBBBF 'ä/kept'] 0001 {properties} FF00FE )")).await;
        raw.expect("40 02 0001").await;
        // Gone without a goodbye, and without a will nothing more is admitted.
        drop(raw);
        house.until("it is gone", |house| house.counters.open() == 0).await;
        let [call] = &house.calls()[..] else { panic!("one message, not {:?}", house.calls()) };
        assert_eq!(call.topic, "a/\u{FEFF}ä/kept");
        assert_eq!(call.payload, Bytes::from_static(&[0xFF, 0x00, 0xFE]));
        assert!(call.is_answered && call.device == "kettle");
        house.close().await;
    }
}

#[tokio::test]
async fn an_acknowledgement_waits_for_the_outcome() {
    for (version, properties) in VERSIONS {
        let house = House::open().await;
        let mut raw = house.login(version, "c").await;
        raw.send(&format!("32( ['a/slow'] 0001 {properties} 'x' )")).await;
        house.wait_for_slow(1).await;
        // Other packets are answered meanwhile, and it is not.
        raw.is_alive().await.unwrap();
        house.release(1);
        raw.expect("40 02 0001").await;
        house.close().await;
    }
}

#[tokio::test]
async fn acknowledgements_keep_the_order_of_arrival() {
    for (version, properties) in VERSIONS {
        let house = House::open().await;
        let mut raw = house.login(version, "c").await;
        raw.send(&format!("32( ['a/slow'] 0009 {properties} '1' )")).await;
        for id in ["0003", "0007", "0001"] {
            raw.send(&format!("32( ['a/kept'] {id} {properties} '{id}' )")).await;
        }
        house.wait_for_slow(1).await;
        house.until("the others are kept", |house| house.kept().len() == 3).await;
        // All but the first are durable, and none of them is said to be.
        raw.is_alive().await.unwrap();
        house.release(1);
        raw.expect("40 02 0009 40 02 0003 40 02 0007 40 02 0001").await;
        house.close().await;
    }
}

#[tokio::test]
async fn a_window_full_of_messages_is_not_read_past() {
    for (version, properties) in VERSIONS {
        let house = House::with(Limits { in_flight_max: 3, ..limits() }, plain()).await;
        let mut raw = house.login(version, "c").await;
        for id in 1..=5 {
            raw.send(&format!("32( ['a/slow'] 000{id} {properties} '{id}' )")).await;
        }
        house.wait_for_slow(3).await;
        tokio::task::yield_now().await;
        assert_eq!(house.calls().len(), 3);
        house.release(1);
        raw.expect("40 02 0001").await;
        house.wait_for_slow(4).await;
        assert_eq!(house.calls().len(), 4);
        house.release(4);
        raw.expect("40 02 0002 40 02 0003 40 02 0004 40 02 0005").await;
        house.close().await;
    }
}

#[tokio::test]
async fn bytes_that_wait_are_bounded_too() {
    let house = House::with(Limits { in_flight_bytes_max: 1000, ..limits() }, plain()).await;
    let mut raw = house.login(4, "c").await;
    let large = "x".repeat(600);
    for id in 1..=4 {
        raw.send(&format!("32( ['a/slow'] 000{id} '{id}{large}' )")).await;
    }
    house.wait_for_slow(2).await;
    tokio::task::yield_now().await;
    assert_eq!(house.calls().len(), 2, "the second goes over the bound, the third waits");
    house.release(4);
    raw.expect("40 02 0001 40 02 0002 40 02 0003 40 02 0004").await;
    house.close().await;
}

#[tokio::test]
async fn an_identifier_may_be_used_again_once_answered() {
    for (version, properties) in VERSIONS {
        let house = House::open().await;
        let mut raw = house.login(version, "c").await;
        raw.send(&format!("32( ['a/kept'] 0001 {properties} 'one' )")).await;
        raw.expect("40 02 0001").await;
        // The flag of a second delivery says nothing: it is another message.
        raw.send(&format!("3A( ['a/kept'] 0001 {properties} 'two' )")).await;
        raw.expect("40 02 0001").await;
        assert_eq!(house.kept().len(), 2);
        house.close().await;
    }
}

#[tokio::test]
async fn each_outcome_is_counted_and_said() {
    let said = [
        ("kept", Admission::Kept, "40 02 0001", "40 02 0001"),
        ("nothing", Admission::NothingKept, "40 02 0001", "40 03 0001 10"),
        ("unknown", Admission::Undeclared, "40 02 0001", "40 03 0001 10"),
        ("others", Admission::NotThisDevices, "40 02 0001", "40 03 0001 87"),
        ("wrong", Admission::NotAsDeclared, "40 02 0001", "40 03 0001 99"),
        ("quota", Admission::OverQuota, "", "E0 01 97"),
        ("down", Admission::Unavailable, "", "E0 01 89"),
    ];
    let house = House::open().await;
    for (topic, outcome, in_3, in_5) in said {
        for ((version, properties), answer) in VERSIONS.into_iter().zip([in_3, in_5]) {
            let before = house.counters.messages(outcome);
            let mut raw = house.login(version, "c").await;
            raw.send(&format!("32( ['a/{topic}'] 0001 {properties} 'x' )")).await;
            raw.expect(answer).await;
            if outcome.is_put_off() {
                raw.expect_end().await;
            } else {
                raw.is_alive().await.unwrap();
            }
            assert_eq!(house.counters.messages(outcome), before + 1, "{topic}");
        }
    }
    house.close().await;
}

#[tokio::test]
async fn qos_0_is_taken_unanswered_even_by_who_leaves_at_once() {
    for (version, properties) in VERSIONS {
        let house = House::open().await;
        let mut raw = house.raw().await;
        let connect = login(version, "c", "kettle");
        raw.send(&format!("{connect} 30( ['a/slow'] {properties} 'x' ) E0 00")).await;
        house.wait_for_slow(1).await;
        house.release(1);
        house.until("it is kept", |house| house.kept().len() == 1).await;
        assert!(!house.kept()[0].is_answered);
        raw.skip_packet().await;
        raw.expect_end().await;

        // What is put off at QoS 0 is lost, and nothing ends for it.
        let mut raw = house.login(version, "c").await;
        raw.send(&format!("30( ['a/quota'] {properties} 'x' )")).await;
        raw.is_alive().await.unwrap();
        house.close().await;
    }
}

#[tokio::test]
async fn after_a_message_that_was_put_off_nothing_is_answered() {
    for ((version, properties), last) in VERSIONS.into_iter().zip(["", "E0 01 89"]) {
        let house = House::open().await;
        let publish = |topic: &str, id| format!("32( ['a/{topic}'] 000{id} {properties} '{id}' )");
        let mut raw = house.login(version, "c").await;
        raw.send(&publish("kept", 1)).await;
        raw.send(&publish("once-down", 2)).await;
        raw.send(&publish("kept", 3)).await;
        raw.expect(&format!("40 02 0001 {last}")).await;
        raw.expect_end().await;

        // It comes back and sends again from the first that was not answered.
        let mut raw = house.login(version, "c").await;
        raw.send(&publish("once-down", 2)).await;
        raw.send(&publish("kept", 3)).await;
        raw.expect("40 02 0002 40 02 0003").await;
        let mut kept: Vec<_> = house.kept().into_iter().map(|one| one.payload).collect();
        kept.sort();
        assert_eq!(kept, ["1", "2", "3"], "each is there once");
        house.close().await;
    }
}

#[tokio::test]
async fn a_message_is_named_by_its_property_else_by_correlation() {
    let house = House::open().await;
    let mut raw = house.login(5, "c").await;
    raw.send("32( ['a/kept'] 0001 { 03 ['application/json'] 09 ['c'] 26 ['Idempotency-Key'] ['k'] } '1' )")
        .await;
    raw.send("32( ['a/kept'] 0002 { 09 ['c'] 26 ['other'] ['o'] } '2' )").await;
    raw.send("32( ['a/kept'] 0003 {} '3' )").await;
    raw.expect("40 02 0001 40 02 0002 40 02 0003").await;
    let calls = house.calls();
    let named: Vec<_> = calls.iter().map(|call| (call.key.as_deref(), call.kind.as_deref())).collect();
    let expected: [(Option<&[u8]>, _); 3] =
        [(Some(b"k"), Some("application/json")), (Some(b"c"), None), (None, None)];
    assert_eq!(named, expected);
    house.close().await;
}

#[tokio::test]
async fn a_will_is_admitted_when_the_device_is_gone() {
    for (version, properties, will_properties) in [(4, "", ""), (5, "{}", "{ 26 ['idempotency-key'] ['k'] }")]
    {
        let house = House::open().await;
        let connect = format!(
            "10( ['MQTT'] 0{version} E6 003C {properties} ['c'] {will_properties} ['a/will'] ['gone'] ['kettle'] ['right'] )"
        );
        let mut raw = house.raw().await;
        raw.send(&connect).await;
        raw.skip_packet().await;
        assert!(house.calls().is_empty());
        drop(raw);
        house.until("the will has come", |house| house.calls().len() == 1).await;
        let will = &house.calls()[0];
        assert_eq!((&*will.topic, &*will.payload, will.is_answered), ("a/will", &b"gone"[..], false));
        assert_eq!(will.key.is_some(), version == 5);

        if version == 5 {
            // A goodbye that asks for the will is none.
            let mut raw = house.raw().await;
            raw.send(&format!("{connect} E0 01 04")).await;
            house.until("the will has come again", |house| house.calls().len() == 2).await;
        }
        house.close().await;
    }
}

#[tokio::test]
async fn a_will_is_forgotten_on_goodbye() {
    for (version, properties) in [(4, ""), (5, "{}")] {
        let house = House::open().await;
        let mut raw = house.raw().await;
        raw.send(&format!(
            "10( ['MQTT'] 0{version} C6 003C {properties} ['c'] {properties} ['a/will'] ['gone'] ['kettle'] ['right'] )"
        ))
        .await;
        raw.skip_packet().await;
        raw.send("E0 00").await;
        raw.expect_end().await;
        house.until("it has left", |house| house.counters.open() == 0).await;
        assert!(house.calls().is_empty());
        house.close().await;
    }
}

#[tokio::test]
async fn the_same_client_takes_over() {
    for ((version, _), goodbye) in VERSIONS.into_iter().zip(["", "E0 01 8E"]) {
        let house = House::open().await;
        let mut first = house.login(version, "c").await;
        let mut other_name = house.login(version, "d").await;
        let mut other_device = house.raw().await;
        other_device.send(&login(version, "c", "lamp")).await;
        other_device.skip_packet().await;
        let mut second = house.login(version, "c").await;
        first.expect(goodbye).await;
        first.expect_end().await;
        for stays in [&mut second, &mut other_name, &mut other_device] {
            stays.is_alive().await.unwrap();
        }
        house.close().await;
    }
}

#[tokio::test]
async fn a_nameless_client_is_given_a_name() {
    let house = House::open().await;
    let connect = "10( ['MQTT'] 05 C2 003C {} [] ['kettle'] ['right'] )";
    let (mut first, mut second) = (house.raw().await, house.raw().await);
    first.send(connect).await;
    second.send(connect).await;
    let (one, two) = (first.skip_packet().await, second.skip_packet().await);
    let name = bytes("12 [ 'housecarl-0' ]");
    assert!(one.windows(name.len()).any(|part| part == name), "the first is told its name");
    assert_ne!(one, two, "the second has another");
    first.is_alive().await.unwrap();
    second.is_alive().await.unwrap();
    house.close().await;
}

#[tokio::test]
async fn a_device_has_so_many_connections() {
    let house = House::with(Limits { connections_per_device_max: 2, ..limits() }, plain()).await;
    for ((version, properties), refusal) in VERSIONS.into_iter().zip(["20 02 00 03", "20 03 00 97 00"]) {
        let mut held = vec![house.login(version, "a").await, house.login(version, "b").await];
        let mut third = house.raw().await;
        third.send(&login(version, "c", "kettle")).await;
        third.expect(refusal).await;
        third.expect_end().await;
        assert!(house.counters.refused(Refusal::DeviceFull) > 0, "{properties}");
        for stays in &mut held {
            stays.is_alive().await.unwrap();
        }
    }
    house.close().await;
}

#[tokio::test]
async fn a_revoked_credential_ends_its_connection() {
    for ((version, properties), goodbye) in VERSIONS.into_iter().zip(["", "E0 01 98"]) {
        let house = House::open().await;
        let mut raw = house.raw().await;
        raw.send(&login(version, "c", "revoked")).await;
        raw.skip_packet().await;
        raw.send(&format!("32( ['a/slow'] 0001 {properties} 'x' )")).await;
        house.wait_for_slow(1).await;
        house.gateway.revoked.send_replace(true);
        raw.expect(goodbye).await;
        raw.expect_end().await;
        house.release(1);
        let mut again = house.raw().await;
        again.send(&login(version, "c", "revoked")).await;
        again.expect(if version == 5 { "20 03 00 87 00" } else { "20 02 00 05" }).await;
        again.expect_end().await;
        assert!(house.kept().is_empty(), "what was not answered yet is not taken any more");
        house.close().await;
    }
}

#[tokio::test]
async fn a_house_that_closes_answers_what_it_took() {
    for ((version, properties), goodbye) in VERSIONS.into_iter().zip(["", "E0 01 8B"]) {
        let house = House::open().await;
        let mut raw = house.login(version, "c").await;
        raw.send(&format!("32( ['a/slow'] 0001 {properties} 'x' )")).await;
        house.wait_for_slow(1).await;
        house.release(1);
        house.close().await;
        raw.expect(&format!("40 02 0001 {goodbye}")).await;
        raw.expect_end().await;
    }
}

/// The clock is wound on here, never waited for.
#[tokio::test]
async fn a_silent_device_is_taken_to_be_gone() {
    for ((version, properties), goodbye) in [(4, ""), (5, "00")].into_iter().zip(["", "E0 01 8D"]) {
        let house = House::open().await;
        let mut raw = house.raw().await;
        raw.send(&format!("10( ['MQTT'] 0{version} C2 000A {properties} ['c'] ['kettle'] ['right'] )")).await;
        raw.skip_packet().await;
        tokio::time::pause();
        let begun = Instant::now();
        raw.expect(goodbye).await;
        raw.expect_end().await;
        let silent = begun.elapsed();
        assert!((15..16).contains(&silent.as_secs()), "one and a half times ten seconds, not {silent:?}");
        tokio::time::resume();
        house.close().await;
    }
}

#[tokio::test]
async fn while_it_is_us_who_do_not_read_silence_says_nothing() {
    let house = House::with(Limits { in_flight_max: 1, ..limits() }, plain()).await;
    let mut raw = house.raw().await;
    raw.send("10( ['MQTT'] 04 C2 000A ['c'] ['kettle'] ['right'] ) 32( ['a/slow'] 0001 'x' )").await;
    raw.skip_packet().await;
    house.wait_for_slow(1).await;
    tokio::time::pause();
    let mut byte = [0];
    let still_there =
        timeout(Duration::from_secs(1000), tokio::io::AsyncReadExt::read(&mut raw.0, &mut byte)).await;
    assert!(still_there.is_err(), "a slow store is no reason to hang up");
    tokio::time::resume();
    house.release(1);
    raw.expect("40 02 0001").await;
    house.close().await;
}

#[tokio::test]
async fn several_doors_count_as_one() {
    // One listener for TLS and one for this machine share devices, limits and takeovers.
    let house = House::open().await;
    let second_door = house.open_door().await;
    let mut first = house.login(5, "c").await;
    let mut second = crate::house::Raw(tokio::net::TcpStream::connect(second_door).await.unwrap());
    second.send(&login(5, "c", "kettle")).await;
    timeout(PATIENCE, second.skip_packet()).await.unwrap();
    first.expect("E0 01 8E").await;
    first.expect_end().await;
    house.close().await;
}

fn plain() -> Transport {
    Transport::Plain { beyond_loopback: false }
}
