//! Somebody has everything erased while the device writes, and sends again what it got no answer to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::devices::{Http, Mqtt, Told, hex};
use crate::gateway::{Device, House, START};

/// Each message says when it was captured, and by how many steps it is.
fn message(number: u64) -> Vec<u8> {
    let (ts, steps) = (START + number, 10 * number);
    format!(r#"{{"profile": "p1", "seq": {number}, "ts": {ts}, "steps": {steps}}}"#).into_bytes()
}

/// Sends the message of each second, and all of the last few over again, until it is told to stop.
async fn write(
    address: std::net::SocketAddr,
    device: Device,
    clock: Arc<AtomicU64>,
    number: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) {
    let mut connection = Mqtt::login(address, &device, 5, "writer").await;
    while !stop.load(Ordering::SeqCst) {
        let present = number.fetch_add(1, Ordering::SeqCst) + 1;
        clock.fetch_max(START + present, Ordering::SeqCst);
        for again in present.saturating_sub(5)..=present {
            let told = connection.publish(&message(again)).await;
            assert!(matches!(told, Told::Acknowledged(None | Some(0x10))), "{told:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_erased_while_the_device_writes_and_resends_stays_erased() {
    let house = House::open().await;
    let device = house.device().await;
    let (number, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let writer = tokio::spawn(write(
        house.mqtt(),
        device.clone(),
        Arc::clone(&house.clock),
        Arc::clone(&number),
        Arc::clone(&stop),
    ));
    let written = async |until: u64| {
        while number.load(Ordering::SeqCst) < until {
            assert!(!writer.is_finished(), "the device has stopped");
            tokio::task::yield_now().await;
        }
    };
    let path = format!("/v1/homes/{}/persons/{}/data?all=true", hex(&house.home.0), hex(&house.person.0));
    let mut erased = 0;
    for round in 1..=10 {
        written(round * 20).await;
        let before = house.now();
        let reply = Http::call(house.http(), "DELETE", &path, &house.operator, "", b"").await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let parts: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
        erased += parts["parts"].as_u64().unwrap();
        let seen = house.steps().await;
        let too_old = seen.iter().filter(|steps| START + **steps / 10 < before).count();
        assert_eq!(too_old, 0, "round {round}: captured before it was erased, and there again");
    }
    // Something was erased, and something came after.
    assert!(erased > 50, "{erased} parts were erased");
    let last = number.load(Ordering::SeqCst);
    written(last + 3).await;
    stop.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    assert!(!house.steps().await.is_empty(), "what came after is kept");
    // The device looks into its own memory and sends all of it once more.
    let horizon = house.now();
    let reply = Http::call(house.http(), "DELETE", &path, &house.operator, "", b"").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let mut connection = Mqtt::login(house.mqtt(), &device, 4, "again").await;
    for number in 1..horizon - START {
        assert_eq!(connection.publish(&message(number)).await, Told::Acknowledged(None));
    }
    assert!(house.steps().await.is_empty());
    house.close().await;
}
