//! What a connection costs that does nothing.

use std::io::{Read, Write};

use housecarl_server::ingest::Transport;

use crate::house::{House, limits, login, say};
use crate::notation::bytes;
use crate::tls;

const CONNECTIONS: usize = 2_000;

/// The most that one may cost, in bytes of memory of this process, the client's end included.
const BYTES_MAX: usize = 16 << 10;

/// Alone in its process: `cargo test -p housecarl-server --test mqtt idle_plain -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "measures the memory of the process, and so has to be alone in it"]
async fn idle_plain() {
    costs_little("plain", Transport::Plain { beyond_loopback: false }).await;
}

/// As [`idle_plain`], in another process.
#[tokio::test]
#[ignore = "measures the memory of the process, and so has to be alone in it"]
async fn idle_tls() {
    costs_little("TLS", Transport::Tls(tls::first())).await;
}

async fn costs_little(name: &str, transport: Transport) {
    let cost = cost(transport).await;
    say(&format!("{cost} bytes for each of {CONNECTIONS} idle connections ({name})"));
    assert!(cost <= BYTES_MAX, "{cost}");
}

async fn cost(transport: Transport) -> usize {
    let is_tls = matches!(transport, Transport::Tls(_));
    let house = House::with(limits(), transport).await;
    let address = house.address;
    // A few first, so that what is made once is not counted.
    let mut clients = connect(address, 0..10, is_tls).await;
    let before = resident_bytes();
    clients.extend(connect(address, 10..10 + CONNECTIONS, is_tls).await);
    house.until("all are known", |house| house.counters.authenticated() == 10 + CONNECTIONS as u64).await;
    let after = resident_bytes();
    drop(clients);
    house.close().await;
    (after - before) / CONNECTIONS
}

/// Clients without a runtime: of them only the system holds anything, and under TLS what `rustls` needs is
/// let go of when the handshake is over.
async fn connect(
    address: std::net::SocketAddr,
    numbers: std::ops::Range<usize>,
    is_tls: bool,
) -> Vec<std::net::TcpStream> {
    tokio::task::spawn_blocking(move || {
        let mut clients = Vec::new();
        for number in numbers {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let hello = bytes(&login(4, "c", &format!("device-{number}")));
            let mut answer = [0; 4];
            if is_tls {
                let mut session = tls::client();
                let mut over_tls = tokio_rustls::rustls::Stream::new(&mut session, &mut stream);
                over_tls.write_all(&hello).unwrap();
                over_tls.read_exact(&mut answer).unwrap();
            } else {
                stream.write_all(&hello).unwrap();
                stream.read_exact(&mut answer).unwrap();
            }
            assert_eq!(answer, [0x20, 0x02, 0x00, 0x00]);
            clients.push(stream);
        }
        clients
    })
    .await
    .unwrap()
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}
