//! TLS, with two certificates made for these tests: their keys are no secrets.

use std::sync::Arc;

use housecarl_server::ingest::{Refusal, Tls, TlsError, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version,
};

use crate::house::{House, limits, login};
use crate::notation::bytes;

const FIRST: (&[u8], &[u8]) =
    (include_bytes!("../tls/first.cert.pem"), include_bytes!("../tls/first.key.pem"));
const SECOND: (&[u8], &[u8]) =
    (include_bytes!("../tls/second.cert.pem"), include_bytes!("../tls/second.key.pem"));

pub(crate) fn first() -> Tls {
    Tls::new(FIRST.0, FIRST.1).unwrap()
}

/// A client that trusts the first certificate.
pub(crate) fn client() -> ClientConnection {
    let config = client_config(FIRST.0, &[&version::TLS13]);
    ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap()
}

fn client_config(trusted: &[u8], versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

async fn connect(
    house: &House,
    trusted: &[u8],
    versions: &[&'static SupportedProtocolVersion],
) -> std::io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect(house.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(client_config(trusted, versions)).connect(name, socket).await
}

async fn speak(stream: &mut TlsStream<TcpStream>, sent: &str, expected: &str) {
    stream.write_all(&bytes(sent)).await.unwrap();
    let mut answer = vec![0; bytes(expected).len()];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, bytes(expected));
}

#[tokio::test]
async fn tls_1_2_and_1_3() {
    let house = House::with(limits(), Transport::Tls(first())).await;
    for (version, expected) in
        [(&version::TLS12, ProtocolVersion::TLSv1_2), (&version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        let mut stream = connect(&house, FIRST.0, &[version]).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        speak(&mut stream, &login(4, "c", "kettle"), "20 02 00 00").await;
        speak(&mut stream, "32( ['a/kept'] 0001 'x' )", "40 02 0001").await;
        // A message larger than any record or buffer on the way.
        let large = "x".repeat(300_000);
        speak(&mut stream, &format!("32( ['a/kept'] 0002 '{large}' )"), "40 02 0002").await;
        stream.write_all(&bytes("E0 00")).await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "it ends as TLS ends");
    }
    house.close().await;
}

#[tokio::test]
async fn a_certificate_is_renewed_while_connections_are_open() {
    let tls = first();
    let house = House::with(limits(), Transport::Tls(tls.clone())).await;
    let mut before = connect(&house, FIRST.0, &[&version::TLS13]).await.unwrap();
    speak(&mut before, &login(4, "c", "kettle"), "20 02 00 00").await;
    tls.renew(SECOND.0, SECOND.1).unwrap();
    assert!(connect(&house, FIRST.0, &[&version::TLS13]).await.is_err());
    let mut after = connect(&house, SECOND.0, &[&version::TLS13]).await.unwrap();
    speak(&mut after, &login(4, "d", "kettle"), "20 02 00 00").await;
    speak(&mut before, "C0 00", "D0 00").await;
    // What cannot be used changes nothing.
    assert_eq!(tls.renew(FIRST.0, SECOND.1).unwrap_err(), TlsError::Pair);
    assert_eq!(tls.renew(b"", FIRST.1).unwrap_err(), TlsError::Certificates);
    assert_eq!(tls.renew(FIRST.0, b"no key").unwrap_err(), TlsError::Key);
    assert!(connect(&house, SECOND.0, &[&version::TLS12]).await.is_ok());
    house.close().await;
}

#[tokio::test]
async fn who_speaks_no_tls_is_put_out() {
    let house = House::with(limits(), Transport::Tls(first())).await;
    let mut raw = house.raw().await;
    raw.send(&login(4, "c", "kettle")).await;
    // An alert, and the end.
    let mut answer = Vec::new();
    let _ = raw.0.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(&[0x20]));
    house.until("it is counted", |house| house.counters.refused(Refusal::Tls) == 1).await;

    let mut silent = house.raw().await;
    house.until("it is let in", |house| house.counters.open() == 1).await;
    tokio::time::pause();
    silent.expect_end().await;
    tokio::time::resume();
    assert_eq!(house.counters.refused(Refusal::Late), 1);
    house.close().await;
}
