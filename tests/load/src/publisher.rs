//! Devices that publish at QoS 1: everything is encoded beforehand, and so many messages are always
//! under way on each connection.

use std::net::SocketAddr;

use housecarl_measure::clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::gateway::{Credential, mark};
use crate::house::Sends;

/// How many messages of one connection are under way at once.
pub(crate) const WINDOW: usize = 50;

/// What one connection publishes in one turn: packets of one length, one after the other.
struct Packets {
    bytes: Vec<u8>,
    length: usize,
}

/// Devices that are connected to one server.
pub(crate) struct Publisher {
    runtime: tokio::runtime::Runtime,
    connections: Vec<Connection>,
    sends: Sends,
    /// The number of the next message.
    next: u64,
}

struct Connection {
    stream: TcpStream,
    topic: String,
    mark: String,
}

/// What a turn took, in nanoseconds.
pub(crate) struct Took {
    pub(crate) wall: u64,
    /// Of these devices.
    pub(crate) cpu: u64,
}

impl Publisher {
    /// Connects every device, by MQTT 3.1.1.
    pub(crate) fn connect(address: SocketAddr, devices: &[Credential], sends: Sends) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connections = runtime.block_on(async {
            let mut connections = Vec::new();
            for (number, device) in devices.iter().enumerate() {
                let name = &device.name;
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                stream.write_all(&hello(name, device)).await.unwrap();
                let mut answer = [0; 4];
                stream.read_exact(&mut answer).await.unwrap();
                assert_eq!(answer, [0x20, 0x02, 0x00, 0x00], "a device was not let in");
                let topic = format!("housecarl/v1/{name}/{}", sends.stream());
                connections.push(Connection { stream, topic, mark: mark(number) });
            }
            connections
        });
        Self { runtime, connections, sends, next: 1_000_000_000 }
    }

    /// Publishes so many new messages, all connections together, and returns when all are acknowledged.
    pub(crate) fn publish(&mut self, messages: usize, captured: u64) -> Took {
        let each = messages / self.connections.len();
        let mut packets = Vec::new();
        for connection in &self.connections {
            packets.push(connection.packets(self.sends, self.next, each, captured));
            self.next += each as u64;
        }
        let mut took = Took { wall: 0, cpu: 0 };
        let begun = clock::cpu();
        let connections = std::mem::take(&mut self.connections);
        took.wall = clock::wall(|| {
            self.connections = self.runtime.block_on(async {
                let publishing = connections.into_iter().zip(packets).map(|(connection, packets)| {
                    tokio::spawn(async move { connection.publish(&packets, each).await })
                });
                let publishing: Vec<_> = publishing.collect();
                let mut connections = Vec::new();
                for done in publishing {
                    connections.push(done.await.unwrap());
                }
                connections
            });
        });
        took.cpu = clock::cpu() - begun;
        took
    }
}

impl Connection {
    fn packets(&self, sends: Sends, from: u64, count: usize, captured: u64) -> Packets {
        let mut bytes = Vec::new();
        let mut length = 0;
        for number in 0..count {
            let before = bytes.len();
            let payload = sends.payload(from + number as u64, captured, &self.mark);
            publish(&mut bytes, &self.topic, identifier(number), payload.as_bytes());
            length = bytes.len() - before;
        }
        assert_eq!(length * count, bytes.len(), "not all messages are of one length");
        Packets { bytes, length }
    }

    async fn publish(mut self, packets: &Packets, count: usize) -> Self {
        let part = |from: usize, to: usize| &packets.bytes[from * packets.length..to * packets.length];
        let (mut sent, mut acknowledged) = (WINDOW.min(count), 0);
        self.stream.write_all(part(0, sent)).await.unwrap();
        let (mut answers, mut filled) = ([0; 4 * 1024], 0);
        while acknowledged < count {
            let read = self.stream.read(&mut answers[filled..]).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            filled += read;
            let whole = filled / 4 * 4;
            for puback in answers[..whole].as_chunks::<4>().0 {
                let [high, low] = identifier(acknowledged).to_be_bytes();
                assert_eq!(*puback, [0x40, 0x02, high, low], "not the answer to the next message");
                acknowledged += 1;
            }
            answers.copy_within(whole..filled, 0);
            filled -= whole;
            let next = (acknowledged + WINDOW).min(count);
            if next > sent {
                self.stream.write_all(part(sent, next)).await.unwrap();
                sent = next;
            }
        }
        self
    }
}

/// Packet identifiers are used again when they were acknowledged long ago.
fn identifier(number: usize) -> u16 {
    u16::try_from(number % 60_000 + 1).unwrap()
}

/// The first packet of a client of a device.
pub(crate) fn hello(client: &str, device: &Credential) -> Vec<u8> {
    const USER_NAME_PASSWORD_CLEAN: u8 = 0xC2;
    let mut body = b"\0\x04MQTT\x04".to_vec();
    body.push(USER_NAME_PASSWORD_CLEAN);
    body.extend(600_u16.to_be_bytes());
    for field in [client, &device.name, &device.secret] {
        text(&mut body, field);
    }
    let mut packet = Vec::new();
    frame(&mut packet, 0x10, &[&body]);
    packet
}

fn publish(packet: &mut Vec<u8>, topic: &str, id: u16, payload: &[u8]) {
    const QOS_1: u8 = 0x32;
    let mut head = Vec::new();
    text(&mut head, topic);
    head.extend(id.to_be_bytes());
    frame(packet, QOS_1, &[&head, payload]);
}

fn text(to: &mut Vec<u8>, text: &str) {
    to.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    to.extend(text.as_bytes());
}

fn frame(to: &mut Vec<u8>, first: u8, parts: &[&[u8]]) {
    to.push(first);
    let mut length = parts.iter().map(|part| part.len()).sum::<usize>();
    loop {
        let more = if length > 127 { 0x80 } else { 0 };
        to.push(u8::try_from(length % 128).unwrap() | more);
        length /= 128;
        if length == 0 {
            break;
        }
    }
    parts.iter().for_each(|part| to.extend(*part));
}
