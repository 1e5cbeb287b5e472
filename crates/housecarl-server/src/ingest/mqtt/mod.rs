//! The MQTT listener: an endpoint that takes messages and routes none.
//!
//! A device publishes, and is told what became of it once that is durable, in the order it sent. It may
//! subscribe to one topic, its own policy. That subscription is all that a session consists of.

mod limits;
mod callers;
mod connected;
mod link;
mod login;
mod in_order;
mod conversation;
mod policy;
pub mod wire;

use std::future::{Future, pending};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::BytesMut;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use self::callers::{Caller, Callers};
use self::connected::Connected;
use self::link::Link;
use self::login::NotLetIn;
use self::wire::Writer;
use super::{Counters, Door, Gateway, Refusal, Transport};

pub use self::limits::Limits;

/// How long accepting rests after the system refused a connection, which it does while it is out of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// The listener. Clones share what they know, so that several doors count as one.
pub struct Mqtt<G: Gateway>(Arc<House<G>>);

/// What all connections share.
struct House<G: Gateway> {
    gateway: Arc<G>,
    limits: Limits,
    counters: Arc<Counters>,
    places: Arc<Semaphore>,
    callers: Callers,
    connected: Connected,
    clients_named: AtomicU64,
}

impl<G: Gateway> Mqtt<G> {
    /// A listener that asks this gateway.
    pub fn new(gateway: Arc<G>, limits: Limits, counters: Arc<Counters>) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections_max.min(Semaphore::MAX_PERMITS)));
        let callers = Callers::new(limits.callers_per_address_max);
        let connected = Connected::new(limits.connections_per_device_max, limits.sessions_max);
        let clients_named = AtomicU64::new(0);
        Self(Arc::new(House { gateway, limits, counters, places, callers, connected, clients_named }))
    }

    /// Serves who comes to this door until `stop`, then takes leave of everybody: what was taken is
    /// answered, and nothing new is taken.
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
                    Ok((socket, peer)) => {
                        if let Some(visitor) = self.let_in(peer) {
                            let house = Arc::clone(&self.0);
                            let (transport, is_closing) = (transport.clone(), is_closing.clone());
                            connections.spawn(receive(house, visitor, socket, transport, is_closing));
                        }
                    }
                    Err(_) => {
                        self.0.counters.count_accept_fault();
                        sleep(ACCEPT_PAUSE).await;
                    }
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

    /// Whether there is room for one more connection, and for one more that nobody knows yet.
    fn let_in(&self, peer: SocketAddr) -> Option<Visitor> {
        let House { places, callers, counters, .. } = &*self.0;
        let Some(caller) = callers.come(peer.ip()) else {
            counters.count_refused(Refusal::AddressFull);
            return None;
        };
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            counters.count_refused(Refusal::Full);
            return None;
        };
        counters.count_opened();
        Some(Visitor { peer, caller, _place: place })
    }

    /// A connection that unwound took itself down and nobody else.
    fn count_end(&self, ended: &Result<(), JoinError>) {
        self.0.counters.count_closed();
        if ended.as_ref().is_err_and(JoinError::is_panic) {
            self.0.counters.count_panic();
        }
    }
}

impl<G: Gateway> Clone for Mqtt<G> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<G: Gateway> std::fmt::Debug for Mqtt<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mqtt").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

impl<G: Gateway> House<G> {
    /// A client identifier for a client that has none, unlike any other that was given.
    fn name_client(&self) -> String {
        format!("housecarl-{}", self.clients_named.fetch_add(1, Relaxed))
    }
}

/// Somebody who was let in, and whom nobody knows yet.
struct Visitor {
    peer: SocketAddr,
    caller: Caller,
    _place: OwnedSemaphorePermit,
}

/// One connection from its first byte to its last.
async fn receive<G: Gateway>(
    house: Arc<House<G>>,
    visitor: Visitor,
    socket: TcpStream,
    transport: Transport,
    is_closing: watch::Receiver<bool>,
) {
    let deadline = Instant::now() + house.limits.login_time;
    // Acknowledgements are small and awaited. Where that is refused they are slower, and no less right.
    let _ = socket.set_nodelay(true);
    let hasty = Hasty { deadline, is_closing };
    let link = match transport {
        Transport::Plain { .. } => Link::new(socket),
        Transport::Tls(tls) => {
            // Boxed: a task is as large as the largest thing it ever does, and this it does once.
            let handshake = Box::pin(TlsAcceptor::from(tls.config()).accept(socket));
            match hasty.wait(handshake).await {
                Ok(Ok(socket)) => Link::new(socket),
                Ok(Err(_)) => return house.counters.count_refused(Refusal::Tls),
                Err(refusal) => return house.counters.count_refused(refusal),
            }
        }
    };
    know_then_serve(&house, visitor, link, hasty).await;
}

async fn know_then_serve<G: Gateway>(house: &Arc<House<G>>, visitor: Visitor, mut link: Link, hasty: Hasty) {
    let Visitor { peer, caller, _place } = visitor;
    let known = hasty.wait(login::login(house, &mut link, peer)).await;
    match known.unwrap_or_else(|refusal| Err(NotLetIn { refusal, answer: None })) {
        Ok(guest) => {
            drop(caller);
            house.counters.count_authenticated();
            conversation::converse(house, link, guest, hasty.is_closing).await;
        }
        Err(NotLetIn { refusal, answer }) => {
            house.counters.count_refused(refusal);
            let mut out = BytesMut::new();
            if let Some((version, reason)) = answer {
                let mut writer = Writer::new(version, None);
                // A refusal that cannot be written is one without words.
                let _ = writer.refuse(reason);
                out = writer.out;
            }
            link.part(out, house.limits.parting_time).await;
            // Only now: who is refused takes up as much as who is asked.
            drop(caller);
        }
    }
}

/// How long a stranger is borne with.
struct Hasty {
    deadline: Instant,
    is_closing: watch::Receiver<bool>,
}

impl Hasty {
    async fn wait<T>(&self, what: impl Future<Output = T>) -> Result<T, Refusal> {
        tokio::select! {
            done = timeout_at(self.deadline, what) => done.map_err(|_| Refusal::Late),
            () = closed(self.is_closing.clone()) => Err(Refusal::Unavailable),
        }
    }
}

/// Waits until the house closes.
async fn closed(mut is_closing: watch::Receiver<bool>) {
    if is_closing.wait_for(|closing| *closing).await.is_err() {
        pending::<()>().await;
    }
}
