//! The HTTP listener: devices that send by HTTP, consumers that read for a purpose, and operators.
//!
//! `endpoints` is the whole of it in one table: an address, who may call it, what it may answer,
//! and the function behind it, which takes the caller it is for and cannot be called with another.
//! `docs/http.md` describes it to those who call it.

mod endpoints;
mod limits;
mod caller;
mod asked;
mod backups;
mod answer;
mod messages;
mod cbor;
mod data;
mod homes;
mod erase;
mod choices;
mod products;
mod devices;
mod operators;
mod health;
mod counts;
mod unread;

use std::convert::Infallible;
use std::fmt;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use housecarl_journey::journey::Journey;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use self::answer::Problem;
use self::unread::Unread;
use crate::ingest::{self, Door, Quotas, Transport};

pub use self::counts::Counts;
pub use self::endpoints::interface;
pub use self::limits::Limits;

/// How long accepting rests after the system refused a connection, which it does while it is out of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Headers of one request.
const HEADERS_MAX: usize = 64;

/// The listener. Clones share what they know, so that several doors count as one.
#[derive(Clone)]
pub struct Http(Arc<House>);

/// What all connections share.
struct House {
    journey: Arc<Journey>,
    clock: Box<dyn Fn() -> u64 + Send + Sync>,
    limits: Limits,
    counts: Counts,
    /// What the listeners for devices count, to be shown beside.
    devices: Option<Arc<ingest::Counters>>,
    quotas: Arc<Quotas>,
    places: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    /// Held while another version of a product is put in force.
    applying: Mutex<()>,
}

impl House {
    /// In seconds since 1970.
    fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Asks the journey where it may wait: for the disk, and for those who read. Whoever read and
    /// whoever withdraws would otherwise wait for each other's thread.
    async fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Journey) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let journey = Arc::clone(&self.journey);
        spawn_blocking(move || what(&journey)).await.map_err(|_| Problem::fault())
    }
}

impl Http {
    /// A listener to this journey. `clock` gives seconds since 1970; no device sends more than its
    /// quota; `/metrics` shows what `devices` counts too.
    pub fn new(
        journey: Arc<Journey>,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
        limits: Limits,
        quotas: Arc<Quotas>,
        devices: Option<Arc<ingest::Counters>>,
    ) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self(Arc::new(House {
            journey,
            clock: Box::new(clock),
            counts: Counts::default(),
            devices,
            quotas,
            places: semaphore(limits.connections_max),
            reads: semaphore(limits.reads_max),
            applying: Mutex::default(),
            limits,
        }))
    }

    /// What it has counted.
    pub fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// Serves who comes to this door until `stop`, then takes leave of everybody: requests that are
    /// under way are answered, and no more are taken.
    pub async fn serve(&self, door: Door, stop: impl Future<Output = ()>) {
        let Door { listener, transport } = door;
        let (closing, is_closing) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = connections.join_next() => self.count_end(&ended),
                accepted = listener.accept() => match accepted {
                    Ok((socket, peer)) => match Arc::clone(&self.0.places).try_acquire_owned() {
                        Ok(place) => {
                            self.0.counts.opened();
                            let house = Arc::clone(&self.0);
                            let (transport, is_closing) = (transport.clone(), is_closing.clone());
                            connections.spawn(receive(house, socket, peer, transport, is_closing, place));
                        }
                        Err(_) => self.0.counts.refused(),
                    },
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
            }
        }
        drop(listener);
        closing.send_replace(true);
        let everybody_left = async {
            while let Some(ended) = connections.join_next().await {
                self.count_end(&ended);
            }
        };
        // Who has not left by then is put out, when the set is dropped.
        let _ = timeout(self.0.limits.leave_time, everybody_left).await;
    }

    /// A connection that unwound took itself down and nobody else.
    fn count_end(&self, ended: &Result<(), JoinError>) {
        self.0.counts.closed();
        if ended.as_ref().is_err_and(JoinError::is_panic) {
            self.0.counts.panicked();
        }
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

/// One connection from its first byte to its last.
async fn receive(
    house: Arc<House>,
    socket: TcpStream,
    peer: SocketAddr,
    transport: Transport,
    is_closing: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    // Answers are small and awaited. Where that is refused they are slower, and no less right.
    let _ = socket.set_nodelay(true);
    match transport {
        Transport::Plain { .. } => converse(house, socket, peer, is_closing).await,
        Transport::Tls(tls) => {
            let shake = TlsAcceptor::from(tls.config()).accept(socket);
            match timeout(house.limits.head_time, shake).await {
                Ok(Ok(socket)) => converse(house, socket, peer, is_closing).await,
                Ok(Err(_)) | Err(_) => house.counts.tls_failed(),
            }
        }
    }
}

async fn converse(
    house: Arc<House>,
    socket: impl AsyncRead + AsyncWrite + Unpin + Send,
    peer: SocketAddr,
    is_closing: watch::Receiver<bool>,
) {
    let Limits { head_time, head_bytes_max, unread_time, .. } = house.limits;
    let answer = service_fn(move |request| {
        let house = Arc::clone(&house);
        async move { Ok::<_, Infallible>(endpoints::answer(house, peer, request).await) }
    });
    let mut http = http1::Builder::new();
    // Bytes are queued and not copied: whoever hands on a value learns when the socket has it.
    http.writev(true).timer(TokioTimer::new()).header_read_timeout(head_time);
    http.max_buf_size(head_bytes_max).max_headers(HEADERS_MAX);
    let connection = http.serve_connection(TokioIo::new(Unread::new(socket, unread_time)), answer);
    let mut connection = pin!(connection);
    // How it ended is the other side's to know: it has had its answer or has not.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = closed(is_closing) => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Waits until the house closes.
async fn closed(mut is_closing: watch::Receiver<bool>) {
    if is_closing.wait_for(|closing| *closing).await.is_err() {
        pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it cannot go on")]

    use housecarl_journey::journey::{Settings, Stored};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// The status that somebody at this address gets.
    async fn metrics(http: &Http, peer: &str, authorization: &str) -> String {
        let (ours, mut theirs) = duplex(1 << 16);
        let (_open, is_closing) = watch::channel(false);
        let request =
            format!("GET /metrics HTTP/1.1\r\nhost: here\r\nconnection: close\r\n{authorization}\r\n");
        let ask = async {
            theirs.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            theirs.read_to_string(&mut answer).await.unwrap();
            answer.split(' ').nth(1).unwrap().to_owned()
        };
        let peer = SocketAddr::new(peer.parse().unwrap(), 40_000);
        tokio::join!(converse(Arc::clone(&http.0), ours, peer, is_closing), ask).1
    }

    #[tokio::test]
    async fn counts_are_for_this_machine_and_for_operators() {
        let folder = tempfile::tempdir().unwrap();
        let settings =
            Settings { stored: Stored::InMemory, keep_free: 0, ..Settings::in_folder(folder.path()) };
        let journey = Journey::open(&settings, Vec::new(), || 1, |error| panic!("{error}")).unwrap();
        let token = journey.first_operator(0).unwrap().unwrap();
        let http = Http::new(Arc::new(journey), || 1, Limits::default(), Arc::default(), None);
        let operator = format!("authorization: Bearer {}\r\n", token.reveal());
        for (peer, authorization, status) in [
            ("127.0.0.1", "", "200"),
            ("::1", "", "200"),
            ("::ffff:127.0.0.1", "", "200"),
            ("192.0.2.1", "", "401"),
            ("::ffff:192.0.2.1", "", "401"),
            ("192.0.2.1", &operator, "200"),
        ] {
            assert_eq!(metrics(&http, peer, authorization).await, status, "{peer}");
        }
    }
}
