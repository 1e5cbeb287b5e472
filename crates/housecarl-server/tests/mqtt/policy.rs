//! What a device is told that it is wanted to send.

use bytes::Bytes;

use crate::house::House;

const TOPIC: &str = "['housecarl/v1/kettle/policy']";

fn set(house: &House, policy: &'static str) {
    house.gateway.policy.send_replace(Bytes::from_static(policy.as_bytes()));
}

#[tokio::test]
async fn the_policy_comes_on_subscription_and_on_change() {
    for (version, properties) in [(4, ""), (5, "00")] {
        let house = House::open().await;
        let mut raw = house.login(version, "c").await;
        raw.send(&format!("82( 0001 {properties} {TOPIC} 01 )")).await;
        raw.expect(&format!("90( 0001 {properties} 01 )")).await;
        // As it stands: retained.
        raw.expect(&format!("33( {TOPIC} 0001 {properties} '{{}}' )")).await;
        raw.send("40 02 0001").await;
        raw.is_alive().await.unwrap();
        // As it changes: not retained, with an identifier of its own, for the first time.
        set(&house, "one");
        raw.expect(&format!("32( {TOPIC} 0002 {properties} 'one' )")).await;
        raw.send("40 02 0002").await;
        raw.is_alive().await.unwrap();

        // A new connection has no subscription until it asks again, and then the policy is there.
        let mut again = house.login(version, "c").await;
        set(&house, "two");
        again.is_alive().await.unwrap();
        again.send(&format!("82( 0001 {properties} {TOPIC} 00 )")).await;
        again.expect(&format!("90( 0001 {properties} 00 )")).await;
        again.expect(&format!("31( {TOPIC} {properties} 'two' )")).await;
        set(&house, "three");
        again.expect(&format!("30( {TOPIC} {properties} 'three' )")).await;
        house.close().await;
    }
}

#[tokio::test]
async fn the_policy_waits_for_its_acknowledgement() {
    for (version, properties) in [(4, ""), (5, "00")] {
        let house = House::open().await;
        let mut raw = house.login(version, "c").await;
        raw.send(&format!("82( 0001 {properties} {TOPIC} 01 )")).await;
        raw.expect(&format!("90( 0001 {properties} 01 )")).await;
        raw.expect(&format!("33( {TOPIC} 0001 {properties} '{{}}' )")).await;
        set(&house, "one");
        set(&house, "two");
        // Neither is sent yet, and everything else is answered.
        raw.is_alive().await.unwrap();
        raw.send(&format!("32( ['a/kept'] 0001 {properties} 'x' )")).await;
        raw.expect("40 02 0001").await;
        raw.send("40 02 00FF").await;
        raw.is_alive().await.unwrap();
        // An answer that says no is an answer. Then comes the last of them, which says everything.
        raw.send(if version == 5 { "40 03 0001 80" } else { "40 02 0001" }).await;
        raw.expect(&format!("32( {TOPIC} 0002 {properties} 'two' )")).await;
        raw.is_alive().await.unwrap();
        house.close().await;
    }
}

#[tokio::test]
async fn an_empty_policy_is_told_as_a_change_only() {
    for (version, properties) in [(4, ""), (5, "00")] {
        let house = House::open().await;
        set(&house, "");
        let mut raw = house.login(version, "c").await;
        raw.send(&format!("82( 0001 {properties} {TOPIC} 00 )")).await;
        raw.expect(&format!("90( 0001 {properties} 00 )")).await;
        raw.is_alive().await.unwrap();
        set(&house, "one");
        raw.expect(&format!("30( {TOPIC} {properties} 'one' )")).await;
        set(&house, "");
        raw.expect(&format!("30( {TOPIC} {properties} )")).await;
        raw.is_alive().await.unwrap();
        house.close().await;
    }
}

#[tokio::test]
async fn after_unsubscribing_nothing_comes() {
    for (version, properties, existed) in [(4, "", ""), (5, "00", "00")] {
        let house = House::open().await;
        let mut raw = house.login(version, "c").await;
        raw.send(&format!("82( 0001 {properties} {TOPIC} 01 )")).await;
        raw.expect(&format!("90( 0001 {properties} 01 )")).await;
        raw.expect(&format!("33( {TOPIC} 0001 {properties} '{{}}' )")).await;
        // Another case of letters is another topic.
        raw.send(&format!("A2( 0002 {properties} ['housecarl/v1/Kettle/policy'] )")).await;
        raw.expect(&format!("B0( 0002 {properties} {} )", if version == 5 { "11" } else { "" })).await;
        raw.send(&format!("A2( 0003 {properties} {TOPIC} )")).await;
        raw.expect(&format!("B0( 0003 {properties} {existed} )")).await;
        set(&house, "one");
        // What was begun is finished, and nothing follows it.
        raw.send("40 02 0001").await;
        raw.is_alive().await.unwrap();
        house.close().await;
    }
}

#[tokio::test]
async fn a_change_keeps_its_retain_flag_where_that_is_wanted() {
    let house = House::open().await;
    let mut raw = house.login(5, "c").await;
    raw.send(&format!("82( 0001 00 {TOPIC} 28 )")).await;
    raw.expect("90 04 0001 00 00").await;
    set(&house, "one");
    raw.expect(&format!("31( {TOPIC} 00 'one' )")).await;
    house.close().await;
}

#[tokio::test]
async fn a_policy_too_large_for_the_device_is_left_out() {
    let house = House::open().await;
    let mut raw = house.raw().await;
    raw.send("10( ['MQTT'] 05 C2 003C { 27 00000028 } ['c'] ['kettle'] ['right'] )").await;
    raw.expect("ACCEPTED").await;
    raw.send(&format!("82( 0001 00 {TOPIC} 01 )")).await;
    raw.expect("90 04 0001 00 01").await;
    raw.expect(&format!("33( {TOPIC} 0001 00 '{{}}' )")).await;
    raw.send("40 02 0001").await;
    // 41 bytes where 40 are taken, then 40. What was left out is not waited for.
    set(&house, "12345678");
    raw.is_alive().await.unwrap();
    set(&house, "1234567");
    raw.expect(&format!("32( {TOPIC} 0003 00 '1234567' )")).await;
    house.close().await;
}

#[tokio::test]
async fn a_session_is_taken_up_again() {
    let connects = [
        ("10( ['MQTT'] 04 C0 003C ['c'] ['kettle'] ['right'] )", "", "20 02 01 00"),
        (
            "10( ['MQTT'] 05 C0 003C { 11 0000003C } ['c'] ['kettle'] ['right'] )",
            "00",
            "20( 01 00 { 21 0040 24 01 27 00102000 28 00 29 00 2A 00 } )",
        ),
    ];
    for (connect, properties, taken_up) in connects {
        let house = House::open().await;
        let mut raw = house.raw().await;
        raw.send(connect).await;
        assert_eq!(raw.skip_packet().await[2], 0, "there is none the first time");
        raw.send(&format!("82( 0001 {properties} {TOPIC} 01 )")).await;
        raw.expect(&format!("90( 0001 {properties} 01 )")).await;
        raw.expect(&format!("33( {TOPIC} 0001 {properties} '{{}}' )")).await;
        drop(raw);
        house.until("it is away", |house| house.counters.open() == 0).await;
        set(&house, "meanwhile");
        // It is subscribed as it was, and told the policy as it stands.
        let mut raw = house.raw().await;
        raw.send(connect).await;
        raw.expect(taken_up).await;
        raw.expect(&format!("32( {TOPIC} 0001 {properties} 'meanwhile' )")).await;
        // Another connection takes it up as well.
        let mut raw = house.raw().await;
        raw.send(connect).await;
        raw.expect(taken_up).await;
        raw.expect(&format!("32( {TOPIC} 0001 {properties} 'meanwhile' )")).await;
        raw.send(&format!("40 02 0001 A2( 0002 {properties} {TOPIC} )")).await;
        raw.skip_packet().await;
        // Without its subscription it is still one.
        let mut raw = house.raw().await;
        raw.send(connect).await;
        raw.expect(taken_up).await;
        raw.is_alive().await.unwrap();
        if properties == "00" {
            // A goodbye may end it.
            raw.send("E0( 00 { 11 00000000 } )").await;
            raw.expect_end().await;
            house.until("it has left", |house| house.counters.open() == 0).await;
            let mut raw = house.raw().await;
            raw.send(connect).await;
            assert_eq!(raw.skip_packet().await[2], 0);
        }
        house.close().await;
    }
}
