//! Clients that somebody else wrote, as they are.
//!
//! Each connects, publishes at both levels, is told its policy, is refused with a wrong password, loses its
//! connection when its credential is revoked, and sends again what was put off, so that it is kept once.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use bytes::Bytes;
use futures_util::future::join_all;
use housecarl_server::ingest::Refusal;
use tokio::process::Command;
use tokio::time::timeout;

use crate::house::{House, PATIENCE, say};

/// What a client is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Publish,
    Policy,
    Wrong,
    Busy,
    Revoked,
}

const STEPS: [Step; 5] = [Step::Publish, Step::Policy, Step::Wrong, Step::Busy, Step::Revoked];

#[tokio::test]
async fn mosquitto_clients() {
    // It prints its version and calls that a failure.
    if Command::new("mosquitto_pub").arg("--version").output().await.is_err() {
        return not_run("mosquitto_pub and mosquitto_sub", "apt-get install mosquitto-clients");
    }
    let program = |step, port: u16, version| {
        let user = if step == Step::Revoked { "revoked" } else { "kettle" };
        let password = if step == Step::Wrong { "no" } else { "right" };
        let version = if version == 5 { "5" } else { "311" };
        let of = |program: &str, rest: &[&str]| {
            let mut command = Command::new(program);
            let port = port.to_string();
            command.args(["-h", "127.0.0.1", "-p", &port, "-V", version, "-i", "mosquitto"]);
            command.args(["-u", user, "-P", password, "-q", "1"]).args(rest);
            command
        };
        let busy = || of("mosquitto_pub", &["-t", "a/once-down", "-m", "mosquitto busy"]);
        match step {
            Step::Publish => vec![
                of("mosquitto_pub", &["-q", "0", "-t", "a/kept", "-m", "mosquitto 0"]),
                of("mosquitto_pub", &["-t", "a/kept", "-m", "mosquitto 1"]),
            ],
            Step::Policy => vec![of("mosquitto_sub", &["-C", "1", "-t", "housecarl/v1/kettle/policy"])],
            Step::Wrong => vec![of("mosquitto_pub", &["-t", "a/kept", "-m", "never"])],
            // It does not come back of itself: it says that it failed, and is started again.
            Step::Busy => vec![busy(), busy()],
            Step::Revoked => vec![of("mosquitto_sub", &["-t", "housecarl/v1/revoked/policy"])],
        }
    };
    all_steps("mosquitto", program).await;
}

#[tokio::test]
async fn paho() {
    let python = folder("target/clients/python");
    let with_paho = || {
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", &python);
        command
    };
    if !succeeds(with_paho().args(["-c", "import paho.mqtt"])).await {
        return not_run("paho-mqtt", "pip install --target target/clients/python paho-mqtt");
    }
    all_steps("paho", |step, port, version| vec![script(with_paho(), "paho_client.py", step, port, version)])
        .await;
}

#[tokio::test]
async fn mqttjs() {
    let modules = folder("target/clients/node_modules");
    let with_mqtt = || {
        let mut command = Command::new("node");
        command.env("NODE_PATH", &modules);
        command
    };
    if !succeeds(with_mqtt().args(["-e", "require('mqtt')"])).await {
        return not_run("MQTT.js", "npm install --prefix target/clients mqtt");
    }
    all_steps("mqttjs", |step, port, version| {
        vec![script(with_mqtt(), "mqttjs_client.js", step, port, version)]
    })
    .await;
}

#[tokio::test]
async fn rumqttc_3_1_1() {
    use rumqttc::{AsyncClient, ConnectReturnCode, ConnectionError, Event, MqttOptions, Packet, QoS};

    let options = |house: &House, user: &str, password: &str| {
        let mut options = MqttOptions::new("rumqttc", "127.0.0.1", house.address.port());
        options.set_credentials(user, password);
        // Without a session it forgets what was not answered.
        options.set_clean_session(false);
        options
    };
    let house = House::open().await;
    let (client, mut events) = AsyncClient::new(options(&house, "kettle", "right"), 10);
    client.publish("a/kept", QoS::AtMostOnce, false, "rumqttc 0").await.unwrap();
    client.publish("a/kept", QoS::AtLeastOnce, true, "rumqttc 1").await.unwrap();
    client.publish("a/once-down", QoS::AtLeastOnce, false, "rumqttc busy").await.unwrap();
    let told = async {
        let (mut acknowledged, mut policy) = (0, None);
        while acknowledged < 2 || policy.is_none() {
            match events.poll().await {
                Ok(Event::Incoming(Packet::PubAck(_))) => acknowledged += 1,
                Ok(Event::Incoming(Packet::Publish(publish))) => policy = Some(publish),
                // When a message is put off, the next poll connects again and sends what was not answered.
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    client.subscribe("housecarl/v1/kettle/policy", QoS::AtLeastOnce).await.unwrap();
                }
                Ok(_) | Err(_) => {}
            }
        }
        policy.unwrap()
    };
    assert_eq!(timeout(PATIENCE, told).await.unwrap().payload, "{}");
    each_is_kept_once(&house);

    let (_client, mut events) = AsyncClient::new(options(&house, "kettle", "no"), 10);
    let refused = timeout(PATIENCE, events.poll()).await.unwrap().unwrap_err();
    assert!(
        matches!(refused, ConnectionError::ConnectionRefused(ConnectReturnCode::BadUserNamePassword)),
        "{refused}"
    );

    let (_client, mut events) = AsyncClient::new(options(&house, "revoked", "right"), 10);
    assert!(matches!(events.poll().await, Ok(Event::Incoming(Packet::ConnAck(_)))));
    house.gateway.revoked.send_replace(true);
    assert!(timeout(PATIENCE, events.poll()).await.unwrap().is_err());
    house.close().await;
}

#[tokio::test]
async fn rumqttc_5() {
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, Packet};
    use rumqttc::v5::{AsyncClient, ConnectionError, Event, MqttOptions};

    let options = |house: &House, user: &str, password: &str| {
        let mut options = MqttOptions::new("rumqttc", "127.0.0.1", house.address.port());
        options.set_credentials(user, password);
        options.set_clean_start(false);
        options.set_session_expiry_interval(Some(60));
        options
    };
    let house = House::open().await;
    let (client, mut events) = AsyncClient::new(options(&house, "kettle", "right"), 10);
    client.publish("a/kept", QoS::AtMostOnce, false, "rumqttc 0").await.unwrap();
    client.publish("a/kept", QoS::AtLeastOnce, true, "rumqttc 1").await.unwrap();
    client.publish("a/once-down", QoS::AtLeastOnce, false, "rumqttc busy").await.unwrap();
    let told = async {
        let (mut acknowledged, mut policy) = (0, None);
        while acknowledged < 2 || policy.is_none() {
            match events.poll().await {
                Ok(Event::Incoming(Packet::PubAck(_))) => acknowledged += 1,
                Ok(Event::Incoming(Packet::Publish(publish))) => policy = Some(publish),
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    client.subscribe("housecarl/v1/kettle/policy", QoS::AtLeastOnce).await.unwrap();
                }
                Ok(_) | Err(_) => {}
            }
        }
        policy.unwrap()
    };
    assert_eq!(timeout(PATIENCE, told).await.unwrap().payload, "{}");
    each_is_kept_once(&house);

    let (_client, mut events) = AsyncClient::new(options(&house, "kettle", "no"), 10);
    let refused = timeout(PATIENCE, events.poll()).await.unwrap().unwrap_err();
    assert!(
        matches!(refused, ConnectionError::ConnectionRefused(ConnectReturnCode::BadUserNamePassword)),
        "{refused}"
    );

    let (_client, mut events) = AsyncClient::new(options(&house, "revoked", "right"), 10);
    assert!(matches!(events.poll().await, Ok(Event::Incoming(Packet::ConnAck(_)))));
    house.gateway.revoked.send_replace(true);
    let told = async {
        while !matches!(events.poll().await, Ok(Event::Incoming(Packet::Disconnect(_))) | Err(_)) {}
    };
    timeout(PATIENCE, told).await.unwrap();
    house.close().await;
}

fn each_is_kept_once(house: &House) {
    let mut kept: Vec<Bytes> = house.kept().into_iter().map(|one| one.payload).collect();
    kept.sort();
    assert_eq!(kept, ["rumqttc 0", "rumqttc 1", "rumqttc busy"]);
    assert!(house.calls().len() >= 4, "one was put off first");
}

/// Every step in both versions, side by side, each in a house of its own.
async fn all_steps(name: &str, programs: impl Fn(Step, u16, u8) -> Vec<Command>) {
    let programs = &programs;
    let of = |version| STEPS.into_iter().map(move |step| one_step(name, version, step, programs));
    join_all(of(4).chain(of(5))).await;
}

/// The last of the programs decides.
async fn one_step(name: &str, version: u8, step: Step, programs: impl Fn(Step, u16, u8) -> Vec<Command>) {
    let house = House::open().await;
    let mut words = String::new();
    let mut has_succeeded = false;
    for mut program in programs(step, house.address.port(), version) {
        program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = program.spawn().unwrap();
        if step == Step::Revoked {
            house.until("it is known", |house| house.counters.authenticated() == 1).await;
            house.gateway.revoked.send_replace(true);
        }
        let ended = timeout(PATIENCE, child.wait_with_output()).await;
        let ended = ended.unwrap_or_else(|_| panic!("{name} {version} {step:?} does not end")).unwrap();
        has_succeeded = ended.status.success();
        words = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
        words.push_str(&String::from_utf8_lossy(&ended.stderr));
    }
    let said = format!("{name} {version} {step:?}: {words}");
    match step {
        Step::Publish => {
            assert!(has_succeeded, "{said}");
            house.until("both are kept", |house| house.kept().len() == 2).await;
        }
        Step::Policy => assert!(has_succeeded && words == "{}", "{said}"),
        Step::Busy => {
            assert!(has_succeeded, "{said}");
            let kept: Vec<Bytes> = house.kept().into_iter().map(|one| one.payload).collect();
            assert_eq!(kept, [format!("{name} busy")], "kept once");
            assert!(house.calls().len() >= 2, "it was put off first");
        }
        Step::Wrong => {
            assert!(!has_succeeded || words == "refused", "{said}");
            assert!(house.counters.refused(Refusal::Credential) > 0, "{said}");
            assert!(house.kept().is_empty());
        }
        // Some come back and are refused, some do not.
        Step::Revoked => {
            assert_ne!(words, "connected", "{said}");
            house.until("it is gone", |house| house.counters.open() == 0).await;
            assert_eq!(house.counters.authenticated(), 1, "{said}");
        }
    }
    house.close().await;
}

fn script(mut command: Command, name: &str, step: Step, port: u16, version: u8) -> Command {
    command.arg(folder("crates/housecarl-server/tests/mqtt/clients").join(name));
    command.args([format!("{step:?}").to_lowercase(), port.to_string(), version.to_string()]);
    command
}

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

async fn succeeds(command: &mut Command) -> bool {
    command.output().await.is_ok_and(|ended| ended.status.success())
}

fn not_run(what: &str, how: &str) {
    say(&format!("NOT RUN: {what} is not here; `{how}` brings it"));
}
