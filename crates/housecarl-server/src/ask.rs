//! How a command asks a running gateway: one request over HTTP, and what came of it in words.
//!
//! A token goes to this machine, or by TLS to whom a certificate vouches for, and nowhere else.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
pub use hyper::Method;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, version};

/// How long an answer may take: as long as another version of a product takes to be put in force.
const TIME: Duration = Duration::from_secs(120);
/// Bytes of an answer.
const ANSWER_MAX: usize = 4 << 20;

/// A gateway, somewhere.
#[derive(Clone)]
pub struct Remote {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    token: Option<String>,
}

/// Why there is no answer, or not the one that was wanted.
#[derive(Debug)]
pub enum NotDone {
    /// The address is none.
    Address(String),
    /// The address would send a token in the clear to another machine.
    Plain(String),
    /// No certificate can be read that could vouch for the gateway.
    Trust,
    /// A token has no line breaks and nothing that is not ASCII.
    Token,
    /// Nobody answers there, or not to the end.
    Connection(String, io::Error),
    /// The gateway says no, and why.
    Refused {
        /// The code for programs.
        code: String,
        /// What is the case.
        what: String,
        /// What to do.
        help: String,
    },
    /// Whatever answers, it is no gateway.
    NotAGateway(StatusCode),
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => {
                write!(f, "`{address}` is no address of a gateway\n  write one such as `https://gateway.example:8443`")
            }
            Self::Plain(host) => write!(
                f,
                "without TLS anybody between here and `{host}` could read the token\n  write `https://`, or ask on the \
                 machine itself at `http://127.0.0.1`"
            ),
            Self::Trust => f.write_str(
                "there is no certificate to trust\n  name a file in PEM that vouches for the gateway: its own, or its \
                 authority's",
            ),
            Self::Token => f.write_str("the token is none: it is one line of hexadecimal digits"),
            Self::Connection(to, error) => {
                write!(f, "no answer from `{to}`: {error}\n  see whether `housecarl serve` runs there")
            }
            Self::Refused { what, help, .. } => write!(f, "{what}\n  {help}"),
            Self::NotAGateway(status) => write!(f, "what answers there is no gateway (status {status})"),
        }
    }
}

impl std::error::Error for NotDone {}

impl Remote {
    /// The gateway at an address such as `http://127.0.0.1:8080`. `trusted` are certificates in PEM
    /// that may vouch for it, where it is asked by TLS.
    ///
    /// # Errors
    /// [`NotDone`]: the address is none, or would show a token to others.
    pub fn at(address: &str, trusted: impl FnOnce() -> io::Result<Vec<u8>>) -> Result<Self, NotDone> {
        let none = || NotDone::Address(address.to_owned());
        let uri: Uri = address.parse().map_err(|_| none())?;
        let host = uri.host().ok_or_else(none)?.to_owned();
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(none());
        }
        let (tls, port) = match uri.scheme_str() {
            Some("http") if is_this_machine(&host) => (None, 80),
            Some("http") => return Err(NotDone::Plain(host)),
            Some("https") => (Some(config(&trusted().map_err(|_| NotDone::Trust)?)?), 443),
            _ => return Err(none()),
        };
        Ok(Self { host, port: uri.port_u16().unwrap_or(port), tls, token: None })
    }

    /// The same, asked by whose token this is.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// Asks, and returns what is answered.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Json, NotDone> {
        let mut request =
            Request::new(Full::new(body.map_or_else(Bytes::new, |body| body.to_string().into())));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|_| NotDone::Address(path.to_owned()))?;
        let headers = request.headers_mut();
        let host = HeaderValue::from_str(&self.host).map_err(|_| NotDone::Address(self.host.clone()))?;
        headers.insert(HOST, host);
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = &self.token {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| NotDone::Token)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let failed = |error| NotDone::Connection(format!("{}:{}", self.host, self.port), error);
        let answered = timeout(TIME, self.exchange(request)).await;
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        let (status, answer) = answered.unwrap_or_else(|_| Err(late())).map_err(failed)?;
        let answer: Json = serde_json::from_slice(&answer).map_err(|_| NotDone::NotAGateway(status))?;
        if status.is_success() {
            return Ok(answer);
        }
        let said = |member: &str| {
            let said = answer.get("error").and_then(|error| error.get(member)?.as_str());
            said.map(str::to_owned).ok_or(NotDone::NotAGateway(status))
        };
        Err(NotDone::Refused { code: said("code")?, what: said("what")?, help: said("help")? })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> io::Result<(StatusCode, Bytes)> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let socket = TcpStream::connect((host, self.port)).await?;
        match &self.tls {
            None => converse(socket, request).await,
            Some(config) => {
                let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
                let socket = TlsConnector::from(Arc::clone(config)).connect(name, socket).await?;
                converse(socket, request).await
            }
        }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

async fn converse(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send,
    request: Request<Full<Bytes>>,
) -> io::Result<(StatusCode, Bytes)> {
    let (mut asking, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(io::Error::other)?;
    let asked = async {
        let answer = asking.send_request(request).await.map_err(io::Error::other)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
        Ok((status, body.map_err(io::Error::other)?.to_bytes()))
    };
    // The connection is what moves the bytes; how it ends when the answer is there is no matter.
    tokio::pin!(asked);
    tokio::select! {
        biased;
        answer = &mut asked => answer,
        _ = connection => asked.await,
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

fn config(trusted: &[u8]) -> Result<Arc<ClientConfig>, NotDone> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(trusted) {
        // What is none, or of a kind that is not used here, vouches for nobody.
        let _ = certificate.map(|certificate| roots.add(certificate));
    }
    if roots.is_empty() {
        return Err(NotDone::Trust);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .map_err(|_| NotDone::Trust)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_travels_in_the_clear() {
        let at = |address: &str| match Remote::at(address, || Ok(Vec::new())) {
            Ok(_) => "asked",
            Err(NotDone::Plain(_)) => "plain",
            Err(NotDone::Trust) => "nobody vouches",
            Err(_) => "no address",
        };
        for (address, expected) in [
            ("http://127.0.0.1:8080", "asked"),
            ("http://127.9.9.9:8080/", "asked"),
            ("http://localhost", "asked"),
            ("http://[::1]:8080", "asked"),
            ("http://[::ffff:127.0.0.1]:8080", "asked"),
            ("http://gateway.example:8080", "plain"),
            ("http://localhost.example", "plain"),
            ("http://192.0.2.1", "plain"),
            ("http://[2001:db8::1]", "plain"),
            ("https://gateway.example", "nobody vouches"),
            ("ftp://127.0.0.1", "no address"),
            ("127.0.0.1:8080", "no address"),
            ("http://127.0.0.1/v1", "no address"),
            ("", "no address"),
        ] {
            assert_eq!(at(address), expected, "{address}");
        }
    }
}
