//! TLS under HTTP, with two certificates made for these tests: their keys are no secrets.

use std::net::SocketAddr;
use std::sync::Arc;

use housecarl_server::ingest::{Door, Tls, TlsError, Transport};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};

use crate::client::{Reply, exchange, request};
use crate::house::{House, vitals};

const FIRST: (&[u8], &[u8]) =
    (include_bytes!("../tls/first.cert.pem"), include_bytes!("../tls/first.key.pem"));
const SECOND: (&[u8], &[u8]) =
    (include_bytes!("../tls/second.cert.pem"), include_bytes!("../tls/second.key.pem"));

/// Another door of the same listener, behind TLS, for as long as the second is held.
pub(crate) fn door(house: &House, tls: &Tls) -> (SocketAddr, oneshot::Sender<()>) {
    let here = "127.0.0.1:0".parse().unwrap();
    let door = house.block_on(Door::bind(here, Transport::Tls(tls.clone()))).unwrap();
    let address = door.address().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let http = house.http.clone();
    house.runtime.spawn(async move { http.serve(door, async { drop(stopped.await) }).await });
    (address, stop)
}

pub(crate) fn first() -> Tls {
    Tls::new(FIRST.0, FIRST.1).unwrap()
}

async fn connect(
    address: SocketAddr,
    trusted: &[u8],
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(address).await?).await
}

/// Asks and leaves the connection open: the status of the answer.
async fn ask(stream: &mut TlsStream<TcpStream>, path: &str) -> u16 {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n").as_bytes()).await.unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 1024]);
    loop {
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "it ended in the middle of an answer");
        answer.extend_from_slice(&piece[..read]);
        if let Some(reply) = Reply::of(&answer).filter(|reply| reply.is_whole) {
            return reply.status;
        }
    }
}

#[test]
fn tls_1_2_and_1_3() {
    let house = House::new();
    let wearer = house.wearer();
    let (address, _open) = door(&house, &first());
    for (number, version, expected) in
        [(1, &version::TLS12, ProtocolVersion::TLSv1_2), (2, &version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        let headers = [("content-type", "application/json"), ("authorization", wearer.credential.as_str())];
        // Longer than any record or buffer on the way.
        let body = vitals(number, 71).replace('{', &format!("{{{}", " ".repeat(300_000)));
        let sent = request("POST", "/v1/ingest/vitals", &headers, body.as_bytes());
        let answer = house.block_on(async {
            let mut stream = connect(address, FIRST.0, version).await.unwrap();
            assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
            stream.write_all(&sent).await.unwrap();
            let mut answer = Vec::new();
            // It ends as TLS ends: an end without a goodbye would be an error here.
            stream.read_to_end(&mut answer).await.unwrap();
            answer
        });
        let reply = Reply::of(&answer).unwrap();
        assert_eq!((reply.status, reply.text("outcome").as_str()), (200, "kept"), "{expected:?}");
    }
    house.close();
}

#[test]
fn a_certificate_is_renewed_while_connections_are_open() {
    let house = House::new();
    let tls = first();
    let (address, _open) = door(&house, &tls);
    house.block_on(async {
        let mut before = connect(address, FIRST.0, &version::TLS13).await.unwrap();
        assert_eq!(ask(&mut before, "/healthz").await, 200);
        tls.renew(SECOND.0, SECOND.1).unwrap();
        assert!(connect(address, FIRST.0, &version::TLS13).await.is_err());
        let mut after = connect(address, SECOND.0, &version::TLS13).await.unwrap();
        assert_eq!(ask(&mut after, "/healthz").await, 200);
        assert_eq!(ask(&mut before, "/readyz").await, 200, "who is connected stays");
        // What cannot be used changes nothing.
        assert_eq!(tls.renew(FIRST.0, SECOND.1).unwrap_err(), TlsError::Pair);
        assert!(connect(address, SECOND.0, &version::TLS12).await.is_ok());
    });
    house.close();
}

#[test]
fn who_speaks_no_tls_is_put_out_and_counted() {
    let house = House::new();
    let (address, _open) = door(&house, &first());
    let answer = exchange(address, &request("GET", "/healthz", &[], b""));
    assert!(Reply::of(&answer).is_none(), "{}", String::from_utf8_lossy(&answer));
    // The end of the connection can be seen before it is counted.
    while !house.get("/metrics", "").body.contains("housecarl_http_tls_failed_total 1\n") {}
    house.close();
}
