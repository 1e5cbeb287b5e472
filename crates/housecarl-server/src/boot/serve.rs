//! A gateway at work: listeners, the journey behind them, and the jobs beside it.

use std::fmt;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use housecarl_journey::journey::{Journey, OpenError};
use housecarl_journey::product::Product;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use super::{At, HTTP_PORT, MQTT_PORT, Settings};
use crate::api::{self, Http};
use crate::house::{Clock, House};
use crate::ingest::mqtt::{Limits, Mqtt};
use crate::ingest::{BindError, Counters, Door, Quotas, Tls, TlsError, Transport};

/// How often the audit log takes in what was done and is signed anew, busy or not.
const INTEGRATE_EVERY: Duration = Duration::from_secs(1);
/// How often buckets that are over are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(300);
/// How often the files are rid of what was removed from the records.
const TURN_OVER_EVERY: Duration = Duration::from_secs(86_400);

/// Why nobody is served.
#[derive(Debug)]
pub enum NotServed {
    /// The data directory.
    Open(OpenError),
    /// An address.
    Bind(BindError),
    /// A certificate or key cannot be read.
    File(PathBuf, std::io::Error),
    /// A certificate or key is not one.
    Tls(TlsError),
}

impl fmt::Display for NotServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Bind(error) => error.fmt(f),
            Self::File(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::Tls(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotServed {}

/// How it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Served {
    /// Everybody was taken leave of.
    Stopped,
    /// The disk has failed: start again to find out what is there.
    DiskFailed,
}

/// A gateway that has its data directory open and its addresses bound.
pub struct Serving {
    journey: Arc<Journey>,
    clock: Clock,
    counters: Arc<Counters>,
    quotas: Arc<Quotas>,
    mqtt: Door,
    http: Door,
    tls: Vec<(Tls, PathBuf, PathBuf)>,
    broken: watch::Receiver<bool>,
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Serving")
    }
}

impl Serving {
    /// Opens and binds everything; nobody is answered yet.
    ///
    /// # Errors
    /// [`NotServed`]; nothing is left open.
    pub async fn begin(settings: &Settings, products: Vec<Product>, clock: Clock) -> Result<Self, NotServed> {
        let (told, broken) = watch::channel(false);
        let opened = settings.opened();
        let now = Arc::clone(&clock);
        let open = spawn_blocking(move || {
            Journey::open(
                &opened,
                products,
                move || now(),
                move |_| {
                    told.send_replace(true);
                },
            )
        });
        let journey = match open.await {
            Ok(journey) => journey.map_err(NotServed::Open)?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        let mut tls = Vec::new();
        let mqtt = bind(&settings.mqtt, MQTT_PORT, &mut tls).await?;
        let http = bind(&settings.http, HTTP_PORT, &mut tls).await?;
        let quotas = Arc::new(Quotas::new(settings.device.rates()));
        Ok(Self {
            journey: Arc::new(journey),
            clock,
            counters: Arc::default(),
            quotas,
            mqtt,
            http,
            tls,
            broken,
        })
    }

    /// The journey behind the listeners.
    #[must_use]
    pub const fn journey(&self) -> &Arc<Journey> {
        &self.journey
    }

    /// What the listeners count.
    #[must_use]
    pub const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Where devices publish.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn mqtt_address(&self) -> std::io::Result<SocketAddr> {
        self.mqtt.address()
    }

    /// Where devices, operators and consumers ask.
    ///
    /// # Errors
    /// Where the system does not tell.
    pub fn http_address(&self) -> std::io::Result<SocketAddr> {
        self.http.address()
    }

    /// Reads certificates and keys again, for connections from now on.
    ///
    /// # Errors
    /// [`NotServed`]; the old ones stay.
    pub fn renew_tls(tls: &[(Tls, PathBuf, PathBuf)]) -> Result<(), NotServed> {
        for (tls, certificate, key) in tls {
            tls.renew(&read(certificate)?, &read(key)?).map_err(NotServed::Tls)?;
        }
        Ok(())
    }

    /// Answers everybody until `stop`, and then takes leave: what was taken is on the disk and
    /// acknowledged before this returns. `renew` resolves whenever certificates are to be read again.
    pub async fn serve<R: Future<Output = ()>>(
        self,
        stop: impl Future<Output = ()>,
        mut renew: impl FnMut() -> R,
    ) -> Served {
        let Self { journey, clock, counters, quotas, mqtt, http, tls, mut broken } = self;
        let (stopping, stopped) = watch::channel(false);
        let until_stopped = |mut stopped: watch::Receiver<bool>| async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        let mut work = JoinSet::new();
        let house = Arc::new(House::new(Arc::clone(&journey), Arc::clone(&clock), Arc::clone(&quotas)));
        let now = Arc::clone(&clock);
        let web = Http::new(
            Arc::clone(&journey),
            move || now(),
            api::Limits::default(),
            quotas,
            Some(Arc::clone(&counters)),
        );
        let stop_http = until_stopped(stopped.clone());
        work.spawn(async move { web.serve(http, stop_http).await });
        let listener = Mqtt::new(house, Limits::default(), counters);
        let stop_mqtt = until_stopped(stopped.clone());
        work.spawn(async move { listener.serve(mqtt, stop_mqtt).await });
        work.spawn(jobs(Arc::clone(&journey), clock, until_stopped(stopped)));
        let mut stop = std::pin::pin!(stop);
        let served = loop {
            tokio::select! {
                () = &mut stop => break Served::Stopped,
                _ = broken.wait_for(|broken| *broken) => break Served::DiskFailed,
                () = renew() => {
                    // What is wrong with new ones is no reason to close; the old ones stay.
                    let _ = Self::renew_tls(&tls);
                }
            }
        };
        stopping.send_replace(true);
        while work.join_next().await.is_some() {}
        // The last one to hold the journey ends it, and that waits for the disk.
        let _ = spawn_blocking(move || drop(journey)).await;
        served
    }
}

/// What is done beside the messages, each at its time, on a thread that may wait for the disk.
async fn jobs(journey: Arc<Journey>, clock: Clock, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut integrate = interval(INTEGRATE_EVERY);
    let (mut expire, mut turn_over) = (interval(EXPIRE_EVERY), interval(TURN_OVER_EVERY));
    for timer in [&mut integrate, &mut expire, &mut turn_over] {
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    // The first tick is at once: not for what costs much.
    turn_over.reset();
    loop {
        let (journey, now) = (Arc::clone(&journey), clock());
        let _ = tokio::select! {
            () = &mut stop => break,
            _ = integrate.tick() => spawn_blocking(move || drop(journey.integrate(now))).await,
            _ = expire.tick() => spawn_blocking(move || drop(journey.expire(now))).await,
            _ = turn_over.tick() => spawn_blocking(move || drop(journey.turn_over(now))).await,
        };
    }
    // With the sums of the hour that is not over.
    let now = clock();
    let _ = spawn_blocking(move || drop(journey.close_log(now))).await;
}

async fn bind(at: &At, port: u16, renewed: &mut Vec<(Tls, PathBuf, PathBuf)>) -> Result<Door, NotServed> {
    let transport = match (&at.certificate, &at.key) {
        (Some(certificate), Some(key)) => {
            let tls = Tls::new(&read(certificate)?, &read(key)?).map_err(NotServed::Tls)?;
            renewed.push((tls.clone(), certificate.clone(), key.clone()));
            Transport::Tls(tls)
        }
        _ => Transport::Plain { beyond_loopback: at.plain_beyond_loopback },
    };
    let address = at.address.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    Door::bind(address, transport).await.map_err(NotServed::Bind)
}

fn read(path: &Path) -> Result<Vec<u8>, NotServed> {
    std::fs::read(path).map_err(|error| NotServed::File(path.to_owned(), error))
}
