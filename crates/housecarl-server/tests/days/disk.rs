//! The disk has no room, the gateway ends, and both come back.

use crate::devices::{Http, Mqtt, Told};
use crate::gateway::House;

fn message(number: u32) -> Vec<u8> {
    let steps = 1_000 + 10 * number;
    format!(r#"{{"profile": "p1", "seq": {number}, "steps": {steps}}}"#).into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_full_disk_puts_off_is_kept_once_when_there_is_room() {
    let house = House::open().await;
    let device = house.device().await;
    // No disk has so much to keep free.
    let house = house.again(u64::MAX).await;
    for (number, version, told) in [(1, 4, Told::Ended(None)), (2, 5, Told::Ended(Some(0x89)))] {
        let mut connection = Mqtt::login(house.mqtt(), &device, version, "c").await;
        assert_eq!(connection.publish(&message(number)).await, told, "MQTT {version}");
    }
    let reply = Http::publish(house.http(), &device, &message(3)).await;
    assert_eq!(reply.status, 503, "{}", reply.body);
    // What needs no room is answered.
    let nothing = br#"{"profile": "p9", "seq": 9, "steps": 7}"#;
    let mut connection = Mqtt::login(house.mqtt(), &device, 5, "c").await;
    assert_eq!(connection.publish(nothing).await, Told::Acknowledged(Some(0x10)));
    assert_eq!(Http::publish(house.http(), &device, nothing).await.status, 202);
    assert_eq!(house.counted("housecarl_mqtt_messages_total{outcome=\"unavailable\"}").await, 2);
    assert_eq!(house.counted("housecarl_http_messages_total{outcome=\"not-now\"}").await, 1);
    assert!(house.steps().await.is_empty());

    // There is room again, and the devices send again, some of them twice.
    let house = house.again(0).await;
    let mut connection = Mqtt::login(house.mqtt(), &device, 4, "c").await;
    for number in [1, 2, 3, 1, 2, 3] {
        assert_eq!(connection.publish(&message(number)).await, Told::Acknowledged(None));
    }
    assert_eq!(house.steps().await, [1_010, 1_020, 1_030]);

    // The gateway is gone and back: what was acknowledged is there, and comes again for nothing.
    let house = house.again(0).await;
    let mut connection = Mqtt::login(house.mqtt(), &device, 5, "c").await;
    for number in [3, 4] {
        assert_eq!(connection.publish(&message(number)).await, Told::Acknowledged(None));
    }
    assert_eq!(house.steps().await, [1_010, 1_020, 1_030, 1_040]);
    house.close().await;
}
