//! A gateway at work: listeners, the journey behind them, and the jobs beside it.

use std::fmt;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use housecarl_check::diagnostic::Level;
use housecarl_journey::apply::{Applied, Putting};
use housecarl_journey::journey::{Journey, NotChanged, OpenError};
use housecarl_journey::product::Product;
use housecarl_manifest::scalar::Date;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use super::{At, HTTP_PORT, MQTT_PORT, Settings, Source};
use crate::api::{self, Http};
use crate::house::{Clock, House};
use crate::ingest::mqtt::{Limits, Mqtt};
use crate::ingest::{BindError, Counters, Door, Quotas, Tls, TlsError, Transport};

/// How often the audit log takes in what was done and is signed anew, busy or not.
const INTEGRATE_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked for what was taken back and is kept for nothing else.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(60);

/// Why nobody is served.
#[derive(Debug)]
pub enum NotServed {
    /// The data directory.
    Open(OpenError),
    /// An address.
    Bind(BindError),
    /// A certificate or key cannot be read.
    File(PathBuf, std::io::Error),
    /// A certificate or its key is not one.
    Tls(PathBuf, PathBuf, TlsError),
}

impl fmt::Display for NotServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error) => error.fmt(f),
            Self::Bind(error) => error.fmt(f),
            Self::File(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::Tls(certificate, key, error) => {
                write!(f, "{} and {}: {error}", certificate.display(), key.display())
            }
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

/// What happens while a gateway serves, for whoever runs it. Nothing of it is about anybody.
#[derive(Debug)]
pub enum Told {
    /// Certificates and keys were read again, at so many doors.
    Renewed(usize),
    /// They were not: the old ones stay.
    NotRenewed(NotServed),
    /// A job cannot be done; it is tried again and again, and told when something else is wrong.
    JobFailed(&'static str, String),
    /// It can be done again.
    JobDone(&'static str),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Renewed(0) => f.write_str("there is no TLS, and so no certificate to read again"),
            Self::Renewed(doors) => write!(f, "certificates were read again, at {doors} of the addresses"),
            Self::NotRenewed(error) => {
                write!(f, "certificates were not read again, and the old ones stay: {error}")
            }
            Self::JobFailed(job, error) => write!(f, "{job} does not work: {error}"),
            Self::JobDone(job) => write!(f, "{job} works again"),
        }
    }
}

type Tell = Arc<dyn Fn(Told) + Send + Sync>;

/// A product that is to be at work.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name, for good: people's choices are kept by it.
    pub name: String,
    /// Where its manifest lies, for messages.
    pub path: String,
    /// The version that is put in force where the data directory has none yet.
    pub source: Source,
}

/// How a product came into force at the start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Came {
    /// Where its manifest lies.
    pub path: String,
    /// Which version it is in this deployment.
    pub version: u64,
    /// Whether the file says something else than the version in force, which was applied since or before.
    pub differs: bool,
    /// How many findings of level `must` are open: the purposes that they are about are shut.
    pub must: usize,
}

/// A gateway that has its data directory open and its addresses bound.
pub struct Serving {
    journey: Arc<Journey>,
    clock: Clock,
    counters: Arc<Counters>,
    quotas: Arc<Quotas>,
    mqtt: Door,
    http: Door,
    web: Http,
    tls: Vec<(Tls, PathBuf, PathBuf)>,
    broken: watch::Receiver<bool>,
    came: Vec<Came>,
    tell: Tell,
    every: Every,
}

/// How often jobs are done.
#[derive(Clone, Copy)]
struct Every {
    expire: Duration,
    turn_over: Duration,
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
        let products = products.into_iter().map(|product| Putting { product, source: None }).collect();
        Self::open(settings, move |_| Ok((products, Vec::new())), clock).await
    }

    /// The same with what was applied last of each of these products, and with the file's own version
    /// where nothing was.
    ///
    /// # Errors
    /// [`NotServed`]; nothing is left open.
    pub async fn begin_with(settings: &Settings, named: Vec<Named>, clock: Clock) -> Result<Self, NotServed> {
        let today = Date::from_unix_day(u32::try_from(clock() / 86_400).unwrap_or(u32::MAX));
        Self::open(settings, move |applied| put_in_force(named, &applied, today), clock).await
    }

    async fn open(
        settings: &Settings,
        products: impl FnOnce(Vec<Applied>) -> Result<(Vec<Putting>, Vec<Came>), Failure> + Send + 'static,
        clock: Clock,
    ) -> Result<Self, NotServed> {
        let (told, broken) = watch::channel(false);
        let opened = settings.opened();
        let now = Arc::clone(&clock);
        let open = spawn_blocking(move || {
            let mut came = Vec::new();
            let products = |applied| {
                let (products, how) = products(applied)?;
                came = how;
                Ok(products)
            };
            let broken = move |_: &dyn std::error::Error| {
                told.send_replace(true);
            };
            Journey::open_with(&opened, products, move || now(), broken).map(|journey| (journey, came))
        });
        let (journey, came) = match open.await {
            Ok(journey) => journey.map_err(NotServed::Open)?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        let mut tls = Vec::new();
        let mqtt = bind(&settings.mqtt, MQTT_PORT, &mut tls).await?;
        let http = bind(&settings.http, HTTP_PORT, &mut tls).await?;
        let quotas = Arc::new(Quotas::new(settings.device.rates()));
        let seconds = |seconds: NonZeroU32| Duration::from_secs(u64::from(seconds.get()));
        let every = Every {
            expire: seconds(settings.expire_seconds),
            turn_over: seconds(settings.turn_over_seconds),
        };
        let (journey, counters) = (Arc::new(journey), Arc::new(Counters::default()));
        let now = Arc::clone(&clock);
        let web = Http::new(
            Arc::clone(&journey),
            move || now(),
            api::Limits::default(),
            Arc::clone(&quotas),
            Some(Arc::clone(&counters)),
        );
        Ok(Self {
            journey,
            clock,
            counters,
            quotas,
            mqtt,
            http,
            web,
            tls,
            broken,
            came,
            tell: Arc::new(|_| {}),
            every,
        })
    }

    /// How each product came into force.
    #[must_use]
    pub fn came(&self) -> &[Came] {
        &self.came
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

    /// The listener for HTTP, and what it counts.
    #[must_use]
    pub const fn web(&self) -> &Http {
        &self.web
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

    /// Tells this of what happens while it serves.
    #[must_use]
    pub fn telling(self, tell: impl Fn(Told) + Send + Sync + 'static) -> Self {
        Self { tell: Arc::new(tell), ..self }
    }

    /// Reads certificates and keys again, for connections from now on: all of them or none.
    fn renew_tls(tls: &[(Tls, PathBuf, PathBuf)]) -> Result<usize, NotServed> {
        let new = tls.iter().map(|(_, certificate, key)| secured(certificate, key));
        let new = new.collect::<Result<Vec<_>, _>>()?;
        for ((tls, ..), new) in tls.iter().zip(new) {
            tls.take(new);
        }
        Ok(tls.len())
    }

    /// Answers everybody until `stop`, and then takes leave: what was taken is on the disk and
    /// acknowledged before this returns. `renew` resolves whenever certificates are to be read again.
    pub async fn serve<R: Future<Output = ()>>(
        self,
        stop: impl Future<Output = ()>,
        mut renew: impl FnMut() -> R,
    ) -> Served {
        let Self { journey, clock, counters, quotas, mqtt, http, web, tls, mut broken, came: _, tell, every } =
            self;
        let (stopping, stopped) = watch::channel(false);
        let until_stopped = |mut stopped: watch::Receiver<bool>| async move {
            let _ = stopped.wait_for(|stopped| *stopped).await;
        };
        let mut work = JoinSet::new();
        let house = Arc::new(House::new(Arc::clone(&journey), Arc::clone(&clock), Arc::clone(&quotas)));
        let stop_http = until_stopped(stopped.clone());
        work.spawn(async move { web.serve(http, stop_http).await });
        let listener = Mqtt::new(house, Limits::default(), counters);
        let stop_mqtt = until_stopped(stopped.clone());
        work.spawn(async move { listener.serve(mqtt, stop_mqtt).await });
        work.spawn(jobs(
            Arc::clone(&journey),
            Arc::clone(&clock),
            every,
            Arc::clone(&tell),
            until_stopped(stopped.clone()),
        ));
        work.spawn(sign(Arc::clone(&journey), clock, Arc::clone(&tell), until_stopped(stopped)));
        let mut stop = std::pin::pin!(stop);
        let served = loop {
            tokio::select! {
                () = &mut stop => break Served::Stopped,
                _ = broken.wait_for(|broken| *broken) => break Served::DiskFailed,
                // What is wrong with new ones is no reason to close; the old ones stay.
                () = renew() => tell(match Self::renew_tls(&tls) {
                    Ok(doors) => Told::Renewed(doors),
                    Err(error) => Told::NotRenewed(error),
                }),
            }
        };
        stopping.send_replace(true);
        while work.join_next().await.is_some() {}
        // The last one to hold the journey ends it, and that waits for the disk.
        let _ = spawn_blocking(move || drop(journey)).await;
        served
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The version of each product that is to be in force.
fn put_in_force(
    named: Vec<Named>,
    applied: &[Applied],
    today: Date,
) -> Result<(Vec<Putting>, Vec<Came>), Failure> {
    let one = |Named { name, path, source }: Named| -> Result<(Putting, Came), Failure> {
        let kept = applied.iter().find(|applied| applied.product == name);
        let kept = kept.map(|applied| {
            let unread =
                format!("another program has put `{name}` in force, and this one does not know from what");
            Source::from_bytes(&applied.source).ok_or(unread)
        });
        let in_force = kept.transpose()?.unwrap_or_else(|| source.clone());
        let differs = in_force.manifest != source.manifest;
        let loaded = in_force
            .load(&name, today)
            .map_err(|error| format!("{path}: {error}\n  `housecarl check {path}` says what and where"))?;
        let came = Came { path, version: in_force.version, differs, must: loaded.report.count(Level::Must) };
        Ok((Putting { product: loaded.product, source: Some(in_force.to_bytes()) }, came))
    };
    named.into_iter().map(one).collect::<Result<Vec<_>, _>>().map(|all| all.into_iter().unzip())
}

/// Destroys what is past its date, copies of the keys among it, and tells those how far they are known
/// to be complete.
fn expire_all(journey: &Journey, now: u64) -> Result<(), NotChanged> {
    let expired = journey.expire(now)?;
    if !expired.clock_jumped {
        journey.destroy_old_copies(now)?;
    }
    journey.list_erasures(now)
}

/// Tells of a job when it fails, when it fails in another way, and when it works again.
struct Job {
    name: &'static str,
    failure: Option<String>,
}

impl Job {
    const fn new(name: &'static str) -> Self {
        Self { name, failure: None }
    }

    /// Does it where it may wait for the disk.
    async fn run<E: fmt::Display>(
        &mut self,
        tell: &Tell,
        what: impl FnOnce() -> Result<(), E> + Send + 'static,
    ) {
        let done = spawn_blocking(move || what().map_err(|error| error.to_string())).await;
        // What unwound has told of itself.
        let failure = done.unwrap_or_else(|_| Err("a fault of ours".to_owned())).err();
        if failure != self.failure {
            tell(failure.clone().map_or(Told::JobDone(self.name), |why| Told::JobFailed(self.name, why)));
            self.failure = failure;
        }
    }
}

/// What is done with the records beside the messages: each at its time and one after the other, on a
/// thread that may wait for the disk.
async fn jobs(journey: Arc<Journey>, clock: Clock, every: Every, tell: Tell, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let (mut expire, mut clean_up) = (interval(every.expire), interval(CLEAN_UP_EVERY));
    let mut turn_over = interval(every.turn_over);
    for timer in [&mut expire, &mut clean_up, &mut turn_over] {
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    let mut expiring = Job::new("destroying what is past its end date");
    let mut cleaning = Job::new("removing what was taken back");
    let there_is_more = Arc::new(AtomicBool::new(false));
    let mut turning = Job::new("clearing the files of what was removed");
    // The first tick is at once: not for what costs much.
    turn_over.reset();
    loop {
        let (journey, now) = (Arc::clone(&journey), clock());
        tokio::select! {
            () = &mut stop => break,
            _ = expire.tick() => expiring.run(&tell, move || expire_all(&journey, now)).await,
            _ = clean_up.tick() => {
                let (runtime, more) = (Handle::current(), Arc::clone(&there_is_more));
                let step = move || {
                    let done = runtime.block_on(journey.clean_up(now));
                    done.map(|done| more.store(done.more, Ordering::SeqCst))
                };
                cleaning.run(&tell, step).await;
                if there_is_more.swap(false, Ordering::SeqCst) {
                    clean_up.reset_immediately();
                }
            }
            _ = turn_over.tick() => turning.run(&tell, move || journey.turn_over(now).map(drop)).await,
        }
    }
}

/// Signs the log at its time, whatever else is being done.
async fn sign(journey: Arc<Journey>, clock: Clock, tell: Tell, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut integrate = interval(INTEGRATE_EVERY);
    integrate.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut signing = Job::new("signing the audit log");
    loop {
        let (journey, now) = (Arc::clone(&journey), clock());
        tokio::select! {
            () = &mut stop => break,
            _ = integrate.tick() => {
                let integrate = move || {
                    journey.look_after_the_disk();
                    journey.integrate(now).map(drop)
                };
                signing.run(&tell, integrate).await;
            }
        }
    }
    // With the sums of the hour that is not over.
    let now = clock();
    signing.run(&tell, move || journey.close_log(now).map(drop)).await;
}

/// Looks at the certificates and keys of the settings, and at nothing else.
///
/// # Errors
/// [`NotServed`].
pub fn look_at_certificates(settings: &Settings) -> Result<(), NotServed> {
    for at in [&settings.mqtt, &settings.http] {
        if let (Some(certificate), Some(key)) = (&at.certificate, &at.key) {
            secured(certificate, key)?;
        }
    }
    Ok(())
}

async fn bind(at: &At, port: u16, renewed: &mut Vec<(Tls, PathBuf, PathBuf)>) -> Result<Door, NotServed> {
    let transport = match (&at.certificate, &at.key) {
        (Some(certificate), Some(key)) => {
            let tls = secured(certificate, key)?;
            renewed.push((tls.clone(), certificate.clone(), key.clone()));
            Transport::Tls(tls)
        }
        _ => Transport::Plain { beyond_loopback: at.plain_beyond_loopback },
    };
    let address = at.address.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    Door::bind(address, transport).await.map_err(NotServed::Bind)
}

fn secured(certificate: &Path, key: &Path) -> Result<Tls, NotServed> {
    Tls::new(&read(certificate)?, &read(key)?)
        .map_err(|error| NotServed::Tls(certificate.to_owned(), key.to_owned(), error))
}

fn read(path: &Path) -> Result<Vec<u8>, NotServed> {
    std::fs::read(path).map_err(|error| NotServed::File(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn a_job_is_told_of_when_it_fails_in_another_way_and_when_it_works_again() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let here = Arc::clone(&told);
        let tell: Tell = Arc::new(move |what: Told| here.lock().unwrap().push(what.to_string()));
        let mut job = Job::new("signing");
        for outcome in [Ok(()), Err("full"), Err("full"), Err("broken"), Ok(()), Ok(())] {
            job.run(&tell, move || outcome).await;
        }
        assert_eq!(
            *told.lock().unwrap(),
            ["signing does not work: full", "signing does not work: broken", "signing works again"]
        );
    }
}
