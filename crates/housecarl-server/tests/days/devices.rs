//! What devices send, byte by byte, and what comes back.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::gateway::Device;

/// A wait that only a fault makes as long as this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a device is told over MQTT.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// An acknowledgement, with its reason where there is one.
    Acknowledged(Option<u8>),
    /// The connection ended, with a reason where there was one.
    Ended(Option<u8>),
}

/// A connection of a device that has been let in.
pub(crate) struct Mqtt {
    stream: TcpStream,
    version: u8,
    topic: String,
    number: u16,
}

impl Mqtt {
    /// Comes in. `version` is 4 for MQTT 3.1.1 and 5 for MQTT 5.
    pub(crate) async fn login(address: SocketAddr, device: &Device, version: u8, client: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut body = [text("MQTT"), vec![version, 0xC2, 0, 60]].concat();
        body.extend((version == 5).then_some(0));
        body.extend([text(client), text(&device.name), text(&device.secret)].concat());
        stream.write_all(&packet(0x10, &body)).await.unwrap();
        let mut device =
            Self { stream, version, topic: format!("housecarl/v1/{}/vitals", device.name), number: 0 };
        let (kind, answer) = device.packet().await.expect("an answer to who came in");
        assert_eq!((kind, answer[1]), (0x20, 0), "let in");
        device
    }

    /// Publishes at QoS 1, and waits for what becomes of it.
    pub(crate) async fn publish(&mut self, payload: &[u8]) -> Told {
        self.number += 1;
        let mut body = [text(&self.topic), self.number.to_be_bytes().to_vec()].concat();
        body.extend((self.version == 5).then_some(0));
        body.extend(payload);
        // Who is refused early is not read from to the end.
        let _ = self.stream.write_all(&packet(0x32, &body)).await;
        match self.packet().await {
            Some((0x40, answer)) => {
                assert_eq!(answer[..2], self.number.to_be_bytes());
                Told::Acknowledged(answer.get(2).copied())
            }
            Some((0xE0, answer)) => Told::Ended(answer.first().copied()),
            Some((kind, _)) => panic!("a packet of kind {kind:02x}"),
            None => Told::Ended(None),
        }
    }

    /// The next packet; `None` where the connection has ended.
    async fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let read = async {
            let kind = self.stream.read_u8().await.ok()?;
            let (mut length, mut shift) = (0, 0);
            loop {
                let byte = self.stream.read_u8().await.ok()?;
                length |= usize::from(byte & 0x7F) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.ok()?;
            Some((kind, body))
        };
        timeout(PATIENCE, read).await.expect("an answer in time")
    }
}

fn text(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let (mut bytes, mut length) = (vec![kind], body.len());
    loop {
        let more = if length > 127 { 0x80 } else { 0 };
        bytes.push(u8::try_from(length % 128).unwrap() | more);
        length /= 128;
        if length == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

/// What came back over HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// A client that asks once and closes.
pub(crate) struct Http;

impl Http {
    pub(crate) async fn call(
        address: SocketAddr,
        method: &str,
        path: &str,
        credential: &str,
        kind: &str,
        body: &[u8],
    ) -> Reply {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n");
        if !credential.is_empty() {
            head.push_str(&format!("authorization: Bearer {credential}\r\n"));
        }
        if method == "POST" {
            head.push_str(&format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let _ = stream.write_all(&[head.as_bytes(), body].concat()).await;
        let mut bytes = Vec::new();
        // Reset: what came before counts.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("an answer in time");
        let answer = String::from_utf8_lossy(&bytes);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Reply { status, body: body.to_owned() }
    }

    /// Sends a message of a device.
    pub(crate) async fn publish(address: SocketAddr, device: &Device, payload: &[u8]) -> Reply {
        let credential = format!("{}.{}", device.name, device.secret);
        Self::call(address, "POST", "/v1/ingest/vitals", &credential, "application/json", payload).await
    }
}
