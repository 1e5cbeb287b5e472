//! A house of which every answer is known beforehand, and a client that sends what bytes one likes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use housecarl_server::ingest::mqtt::{Limits, Mqtt};
use housecarl_server::ingest::{Admission, Counters, Credential, Denied, Door, Gateway, Message, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::notation::{bytes, show};

/// A wait that only a fault makes as long as this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What became of the messages, as a store would know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admitted {
    pub(crate) device: String,
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) key: Option<Bytes>,
    pub(crate) kind: Option<String>,
    pub(crate) is_answered: bool,
}

/// The gateway: the last level of a topic says what becomes of the message.
///
/// `nothing`, `others`, `wrong`, `unknown`, `quota`, `down`: those outcomes. `once-quota`, `once-down`: that
/// outcome the first time each payload comes, and kept the next. `slow`: kept when [`House::release`] lets
/// it. `panic`: a panic. Anything else: kept.
#[derive(Debug)]
pub(crate) struct TestGateway {
    /// Every message that was kept, once for each identity.
    kept: Mutex<BTreeMap<(String, Bytes), Admitted>>,
    /// Every call, in order.
    calls: Mutex<Vec<Admitted>>,
    put_off: Mutex<BTreeSet<Bytes>>,
    pub(crate) slow: Semaphore,
    pub(crate) waiting: watch::Sender<usize>,
    pub(crate) policy: watch::Sender<Bytes>,
    pub(crate) revoked: watch::Sender<bool>,
    pub(crate) authenticated_slowly: watch::Sender<bool>,
}

#[derive(Debug)]
pub(crate) struct TestDevice(String);

impl Gateway for TestGateway {
    type Device = TestDevice;

    async fn authenticate(&self, who: Credential<'_>) -> Result<TestDevice, Denied> {
        if *self.authenticated_slowly.borrow() {
            std::future::pending::<()>().await;
        }
        match (who.user_name, who.password) {
            (Some(name), Some(b"right")) if *self.revoked.borrow() && name == "revoked" => {
                Err(Denied::Revoked)
            }
            (Some(name), Some(b"right")) => Ok(TestDevice(name.to_owned())),
            (None, Some(b"token")) => Ok(TestDevice("token".to_owned())),
            (_, Some(b"revoked")) => Err(Denied::Revoked),
            (_, Some(b"down")) => Err(Denied::Unavailable),
            _ => Err(Denied::Unknown),
        }
    }

    fn name<'d>(&self, device: &'d TestDevice) -> &'d str {
        &device.0
    }

    async fn admit(&self, device: &TestDevice, topic: &str, message: Message) -> Admission {
        let admitted = Admitted {
            device: device.0.clone(),
            topic: topic.to_owned(),
            payload: message.payload.clone(),
            key: message.idempotency_key.clone(),
            kind: message.content_type.clone(),
            is_answered: message.is_answered,
        };
        self.calls.lock().unwrap().push(admitted.clone());
        let put_off_once = |outcome| {
            if self.put_off.lock().unwrap().insert(message.payload.clone()) {
                outcome
            } else {
                Admission::Kept
            }
        };
        let outcome = match topic.rsplit('/').next().unwrap() {
            "nothing" => Admission::NothingKept,
            "others" => Admission::NotThisDevices,
            "wrong" => Admission::NotAsDeclared,
            "unknown" => Admission::Undeclared,
            "quota" => Admission::OverQuota,
            "down" => Admission::Unavailable,
            "once-quota" => put_off_once(Admission::OverQuota),
            "once-down" => put_off_once(Admission::Unavailable),
            "slow" => {
                self.waiting.send_modify(|number| *number += 1);
                self.slow.acquire().await.unwrap().forget();
                Admission::Kept
            }
            "panic" => panic!("a fault of ours, which the test wants"),
            _ => Admission::Kept,
        };
        if outcome == Admission::Kept {
            let identity = message.idempotency_key.unwrap_or(message.payload);
            self.kept.lock().unwrap().insert((device.0.clone(), identity), admitted);
        }
        outcome
    }

    fn policy(&self, _: &TestDevice) -> watch::Receiver<Bytes> {
        self.policy.subscribe()
    }

    async fn revoked(&self, _: &TestDevice) {
        self.revoked.subscribe().wait_for(|revoked| *revoked).await.unwrap();
    }
}

/// A listener at a free port of this machine.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) gateway: Arc<TestGateway>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) address: SocketAddr,
    mqtt: Mqtt<TestGateway>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// The limits of tests: as served, but nobody waits for nothing.
pub(crate) fn limits() -> Limits {
    Limits {
        put_off_time: Duration::from_millis(20),
        parting_time: Duration::from_millis(50),
        callers_per_address_max: 10_000,
        ..Limits::default()
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(limits(), Transport::Plain { beyond_loopback: false }).await
    }

    pub(crate) async fn with(limits: Limits, transport: Transport) -> Self {
        let gateway = Arc::new(TestGateway {
            kept: Mutex::default(),
            calls: Mutex::default(),
            put_off: Mutex::default(),
            slow: Semaphore::new(0),
            waiting: watch::Sender::new(0),
            policy: watch::Sender::new(Bytes::from_static(b"{}")),
            revoked: watch::Sender::new(false),
            authenticated_slowly: watch::Sender::new(false),
        });
        let counters = Arc::new(Counters::default());
        let mqtt = Mqtt::new(Arc::clone(&gateway), limits, Arc::clone(&counters));
        let stop = watch::Sender::new(false);
        let (address, serving) = serve(&mqtt, transport, &stop).await;
        Self { gateway, counters, address, mqtt, stop, serving }
    }

    /// Opens another door, without TLS.
    pub(crate) async fn open_door(&self) -> SocketAddr {
        serve(&self.mqtt, Transport::Plain { beyond_loopback: false }, &self.stop).await.0
    }

    /// Takes leave of everybody, and returns when all have gone.
    pub(crate) async fn close(self) {
        self.stop.send_replace(true);
        timeout(PATIENCE, self.serving).await.expect("the house closes").unwrap();
    }

    /// The messages that were kept.
    pub(crate) fn kept(&self) -> Vec<Admitted> {
        self.gateway.kept.lock().unwrap().values().cloned().collect()
    }

    /// Every message the gateway was asked about, in order.
    pub(crate) fn calls(&self) -> Vec<Admitted> {
        self.gateway.calls.lock().unwrap().clone()
    }

    /// Lets so many slow messages be kept.
    pub(crate) fn release(&self, number: usize) {
        self.gateway.slow.add_permits(number);
    }

    /// Waits until so many slow messages have come.
    pub(crate) async fn wait_for_slow(&self, number: usize) {
        let mut waiting = self.gateway.waiting.subscribe();
        timeout(PATIENCE, waiting.wait_for(|now| *now >= number)).await.expect("they come").unwrap();
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let waited = async {
            while !is_so(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if timeout(PATIENCE, waited).await.is_err() {
            panic!("waited for nothing: {what}");
        }
    }

    pub(crate) async fn raw(&self) -> Raw {
        Raw(TcpStream::connect(self.address).await.unwrap())
    }

    /// A client that is let in as `kettle`, in version 4 (which is 3.1.1) or 5.
    pub(crate) async fn login(&self, version: u8, client_id: &str) -> Raw {
        let mut raw = self.raw().await;
        raw.send(&login(version, client_id, "kettle")).await;
        raw.skip_packet().await;
        raw
    }
}

async fn serve(
    mqtt: &Mqtt<TestGateway>,
    transport: Transport,
    stop: &watch::Sender<bool>,
) -> (SocketAddr, JoinHandle<()>) {
    let door = Door::bind("127.0.0.1:0".parse().unwrap(), transport).await.unwrap();
    let address = door.address().unwrap();
    let (mqtt, mut stop) = (mqtt.clone(), stop.subscribe());
    let serving = tokio::spawn(async move {
        let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
        mqtt.serve(door, stopped).await;
    });
    (address, serving)
}

/// A CONNECT in the notation of [`bytes`].
pub(crate) fn login(version: u8, client_id: &str, device: &str) -> String {
    let properties = if version == 5 { "00" } else { "" };
    format!("10( ['MQTT'] 0{version} C2 003C {properties} ['{client_id}'] ['{device}'] ['right'] )")
}

/// A client that knows no protocol.
#[derive(Debug)]
pub(crate) struct Raw(pub TcpStream);

impl Raw {
    pub(crate) async fn send(&mut self, notation: &str) {
        self.send_bytes(&bytes(notation)).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.0.write_all(bytes)).await.expect("it is read").unwrap();
    }

    /// The next bytes, fewer where the connection ends before.
    pub(crate) async fn read(&mut self, number: usize) -> Vec<u8> {
        let mut read = Vec::new();
        let part = (&mut self.0).take(number as u64).read_to_end(&mut read).await;
        // A reset is an end too.
        let _ = part;
        read
    }

    /// Whether these bytes come next.
    pub(crate) async fn hears(&mut self, expected: &[u8]) -> Result<(), String> {
        let read = timeout(PATIENCE, self.read(expected.len())).await.map_err(|_| "no answer")?;
        if read == expected {
            return Ok(());
        }
        Err(format!("came {}\nnot  {}", show(&read), show(expected)))
    }

    /// Whether the connection ends, and nothing comes before.
    pub(crate) async fn ends(&mut self) -> Result<(), String> {
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.map_err(|_| "it does not end")?;
        if rest.is_empty() { Ok(()) } else { Err(format!("then came {}", show(&rest))) }
    }

    pub(crate) async fn expect(&mut self, notation: &str) {
        self.hears(&bytes(notation)).await.unwrap();
    }

    pub(crate) async fn expect_end(&mut self) {
        self.ends().await.unwrap();
    }

    /// Reads one whole packet and gives it back.
    pub(crate) async fn skip_packet(&mut self) -> Vec<u8> {
        let packet = async {
            let mut packet = self.read(2).await;
            let mut at = 1;
            while packet[at] & 0x80 != 0 {
                packet.extend(self.read(1).await);
                at += 1;
            }
            let length: usize =
                packet[1..].iter().enumerate().map(|(at, byte)| usize::from(byte & 0x7F) << (7 * at)).sum();
            packet.extend(self.read(length).await);
            packet
        };
        timeout(PATIENCE, packet).await.expect("a packet")
    }

    /// Whether the other side is still there, and has nothing else to say.
    pub(crate) async fn is_alive(&mut self) -> Result<(), String> {
        self.send("C0 00").await;
        self.hears(&[0xD0, 0x00]).await
    }
}

/// Says something aloud: not with `println!`, which the harness would swallow.
pub(crate) fn say(what: &str) {
    let mut aloud = std::io::stderr();
    std::io::Write::write_all(&mut aloud, format!("{what}\n").as_bytes()).unwrap();
}
