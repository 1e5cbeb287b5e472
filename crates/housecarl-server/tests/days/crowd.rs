//! Many at once.

use crate::devices::{Mqtt, Told};
use crate::gateway::House;

/// As many as one device may have.
const EACH: usize = 16;
const DEVICES: usize = 125;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_connections_are_served_and_each_keeps_its_message() {
    let house = House::open().await;
    let mut connections = Vec::new();
    for _ in 0..DEVICES {
        let device = house.device().await;
        for client in 0..EACH {
            let version = if client % 2 == 0 { 4 } else { 5 };
            connections.push(Mqtt::login(house.mqtt(), &device, version, &format!("c{client}")).await);
        }
    }
    assert_eq!(connections.len(), 2_000);
    assert_eq!(house.counted("housecarl_mqtt_connections_authenticated_total").await, 2_000);
    // All of them at once, and all still there.
    let mut sending = tokio::task::JoinSet::new();
    for (number, mut connection) in connections.into_iter().enumerate() {
        sending.spawn(async move {
            let message = format!(r#"{{"profile": "p1", "seq": {number}, "steps": {}}}"#, 10 * number);
            (connection.publish(message.as_bytes()).await, connection)
        });
    }
    let sent = sending.join_all().await;
    assert!(sent.iter().all(|(told, _)| *told == Told::Acknowledged(None)));
    let expected: Vec<u64> = (0..2_000).map(|number| 10 * number).collect();
    assert_eq!(house.steps().await, expected);
    drop(sent);
    house.close().await;
}
