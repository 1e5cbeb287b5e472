//! A device that sends without a pause, several messages at once, in MQTT 5; and hears what it is told. It heeds no
//! policy: what it may not send it sends all the same.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::until;

/// How many messages are under way at once.
const WINDOW: usize = 32;
/// What a policy says where the heart rate is wanted.
const WANTED: &[u8] = b"\"heart-rate\"";

const CONNECT: u8 = 0x10;
const CONNACK: u8 = 0x20;
const PUBLISH: u8 = 0x30;
const AT_LEAST_ONCE: u8 = 0x02;
const PUBACK: u8 = 0x40;
const SUBSCRIBE: u8 = 0x82;

#[derive(Debug)]
pub(crate) struct Device {
    heard: Arc<Heard>,
    go: watch::Sender<bool>,
    tasks: Vec<AbortHandle>,
}

/// What became of the messages, which have the numbers from 1.
#[derive(Debug)]
struct Heard {
    sent: AtomicU64,
    answered: AtomicU64,
    /// The numbers of those that were kept last, ascending.
    kept: std::sync::Mutex<VecDeque<u64>>,
    room: Semaphore,
    /// Since when nothing is wanted of it; `None` where something is.
    unwanted: watch::Sender<Option<Instant>>,
}

impl Device {
    pub(crate) async fn connect(to: SocketAddr, id: &str, secret: &str) -> Self {
        let socket = TcpStream::connect(to).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (from, mut out) = socket.into_split();
        let mut from = BufReader::new(from);
        let head = [&text("MQTT"), &[5, 0xC2, 0, 60, 0][..]].concat();
        let connect = [head, text(id), text(id), text(secret)].concat();
        out.write_all(&packet(CONNECT, &connect)).await.unwrap();
        let (kind, answer) = read(&mut from).await.unwrap();
        assert!(kind == CONNACK && answer[1] == 0, "not let in: {answer:?}");
        let policy = text(&format!("housecarl/v1/{id}/policy"));
        out.write_all(&packet(SUBSCRIBE, &[&[0, 1, 0][..], &policy, &[1]].concat())).await.unwrap();
        let heard = Arc::new(Heard {
            sent: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            kept: std::sync::Mutex::default(),
            room: Semaphore::new(WINDOW),
            unwanted: watch::Sender::new(None),
        });
        let (go, mut gone) = watch::channel(false);
        let (answers, topic) = (watch::Sender::new(0_u16), format!("pulse/{id}/vitals"));
        let to_answer = answers.subscribe();
        let listening = tokio::spawn(listen(from, Arc::clone(&heard), answers));
        let heard_too = Arc::clone(&heard);
        let sending = tokio::spawn(async move {
            gone.wait_for(|gone| *gone).await.unwrap();
            send(out, &topic, &heard_too, to_answer).await;
        });
        Self { heard, go, tasks: vec![listening.abort_handle(), sending.abort_handle()] }
    }

    pub(crate) fn begin(&self) {
        self.go.send_replace(true);
    }

    pub(crate) fn end(&self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }

    /// The number of the last message that was begun to be sent.
    pub(crate) fn sent(&self) -> u64 {
        self.heard.sent.load(SeqCst)
    }

    pub(crate) fn answered(&self) -> u64 {
        self.heard.answered.load(SeqCst)
    }

    /// Returns when the message of this number was answered, and with it all before.
    pub(crate) async fn until_answered(&self, number: u64) {
        until("answers to messages", || self.answered() >= number).await;
    }

    /// How many of the messages from this number on were kept.
    pub(crate) fn kept_from(&self, number: u64) -> u64 {
        self.heard.kept.lock().unwrap().iter().filter(|kept| **kept >= number).count() as u64
    }

    /// What it was told before counts no more.
    pub(crate) fn forget_policy(&self) {
        self.heard.unwanted.send_replace(None);
    }

    /// Returns when it has been told that nothing is wanted of it: the moment at which it was.
    pub(crate) async fn told_that_nothing_is_wanted(&self) -> Instant {
        let mut unwanted = self.heard.unwanted.subscribe();
        let told = tokio::time::timeout(crate::PATIENCE, unwanted.wait_for(Option::is_some)).await;
        (*told.expect("it is told").unwrap()).unwrap()
    }
}

/// Takes what comes. Answers come in the order of the messages.
async fn listen(mut from: BufReader<OwnedReadHalf>, heard: Arc<Heard>, answers: watch::Sender<u16>) {
    /// More than can be under way after a withdrawal and looked at.
    const KEPT_MAX: usize = 4_096;
    while let Some((kind, body)) = read(&mut from).await {
        match kind & 0xF0 {
            PUBACK => {
                let number = heard.answered.load(SeqCst) + 1;
                // A short one says that it was kept.
                if body.get(2).is_none_or(|reason| *reason == 0) {
                    let mut kept = heard.kept.lock().unwrap();
                    kept.push_back(number);
                    if kept.len() > KEPT_MAX {
                        kept.pop_front();
                    }
                }
                heard.answered.store(number, SeqCst);
                heard.room.add_permits(1);
            }
            PUBLISH => {
                let is_wanted = body.windows(WANTED.len()).any(|window| window == WANTED);
                heard.unwanted.send_replace((!is_wanted).then(Instant::now));
                if kind & 0x06 == AT_LEAST_ONCE {
                    let topic = usize::from(u16::from_be_bytes([body[0], body[1]])) + 2;
                    answers.send_replace(u16::from_be_bytes([body[topic], body[topic + 1]]));
                }
            }
            _ => {}
        }
    }
}

async fn send(mut out: OwnedWriteHalf, topic: &str, heard: &Heard, mut to_answer: watch::Receiver<u16>) {
    let topic = text(topic);
    loop {
        if to_answer.has_changed().unwrap_or_default() {
            let id = *to_answer.borrow_and_update();
            out.write_all(&packet(PUBACK, &id.to_be_bytes())).await.unwrap();
        }
        // As many as there is room for at once, so that one write takes them all.
        let first = heard.room.acquire().await.unwrap();
        first.forget();
        let mut bytes = Vec::new();
        let mut more = true;
        while more {
            let number = heard.sent.fetch_add(1, SeqCst) + 1;
            let id = u16::try_from(number % 60_000).unwrap() + 1;
            let payload = format!(r#"{{"profile":"p1","seq":{number},"hr":71}}"#);
            let publish = [&topic, &id.to_be_bytes()[..], &[0], payload.as_bytes()].concat();
            bytes.extend(packet(PUBLISH | AT_LEAST_ONCE, &publish));
            more = heard.room.try_acquire().is_ok_and(|permit| {
                permit.forget();
                true
            });
        }
        if out.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

fn text(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    let mut length = body.len();
    loop {
        let digit = u8::try_from(length % 128).unwrap();
        length /= 128;
        packet.push(digit | if length > 0 { 128 } else { 0 });
        if length == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// The next packet: its first byte, and what stands behind its length. `None` at the end.
async fn read(from: &mut BufReader<OwnedReadHalf>) -> Option<(u8, Vec<u8>)> {
    let kind = from.read_u8().await.ok()?;
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let digit = from.read_u8().await.ok()?;
        length |= usize::from(digit & 127) << shift;
        shift += 7;
        if digit & 128 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await.ok()?;
    Some((kind, body))
}
