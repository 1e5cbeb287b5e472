//! The gateway, with a home and a wearer of the watch in it, and a clock that a test moves.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use housecarl_journey::audit::By;
use housecarl_journey::journey::Journey;
use housecarl_journey::people::credentials::Role;
use housecarl_journey::people::{About, Act, HomeId, PersonId, Put, Said};
use housecarl_journey::product::ProductNumber;
use housecarl_manifest::Ordinals;
use housecarl_manifest::scalar::Date;
use housecarl_policy::AgeBand;
use housecarl_server::boot::{At, PerDevice, Served, Serving, Settings, load};
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::devices::{Http, hex};

/// 1 January 2027.
pub(crate) const START: u64 = 1_798_761_600;
const WATCH: &str = include_str!("../../../../products/watch/privacy.toml");

pub(crate) struct House {
    running: Running,
    folder: TempDir,
    pub(crate) clock: Arc<AtomicU64>,
    pub(crate) home: HomeId,
    pub(crate) person: PersonId,
    pub(crate) operator: String,
    consumer: String,
}

/// One process of it, as it were.
struct Running {
    journey: Arc<Journey>,
    mqtt: SocketAddr,
    http: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Served>,
}

impl Running {
    async fn begin(folder: &Path, clock: &Arc<AtomicU64>, keep_free_mib: u64) -> Self {
        let anywhere = || At { address: Some("127.0.0.1:0".parse().unwrap()), ..At::default() };
        let settings = Settings {
            data: folder.to_owned(),
            keep_free_mib,
            // Quotas have tests of their own.
            device: PerDevice { messages_per_second_max: u32::MAX, kib_per_second_max: u32::MAX },
            mqtt: anywhere(),
            http: anywhere(),
            ..Settings::default()
        };
        let today = Date { year: 2027, month: 1, day: 1 };
        let ordinals = Ordinals::default().extended(&housecarl_manifest::read(WATCH).manifest);
        let product = load("watch", WATCH, &ordinals, today).unwrap().product;
        let shown = Arc::clone(clock);
        let now = Arc::new(move || shown.load(Ordering::SeqCst));
        let serving = Serving::begin(&settings, vec![product], now).await.unwrap();
        let journey = Arc::clone(serving.journey());
        let (mqtt, http) = (serving.mqtt_address().unwrap(), serving.http_address().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async { drop(stopped.await) };
        let served = tokio::spawn(serving.serve(stopped, std::future::pending));
        Self { journey, mqtt, http, stop, served }
    }

    async fn end(self) {
        let metrics = Http::call(self.http, "GET", "/metrics", "", "", b"").await.body;
        for never in
            ["housecarl_http_connections_panicked_total 0\n", "housecarl_mqtt_connections_panicked_total 0\n"]
        {
            assert!(metrics.contains(never), "{never} is not in {metrics}");
        }
        drop(self.journey);
        drop(self.stop);
        assert_eq!(self.served.await.unwrap(), Served::Stopped);
    }
}

/// A device and what it comes in with.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) secret: String,
}

impl House {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicU64::new(START));
        let running = Running::begin(folder.path(), &clock, 0).await;
        let journey = &running.journey;
        let home = journey.add_home(By::Housecarl, START).unwrap();
        let person = journey.add_person(home, AgeBand::Adult, By::Housecarl, START).unwrap();
        journey.add_mark(person, "p1", By::Housecarl, START).unwrap();
        let operator = journey.first_operator(START).unwrap().unwrap().reveal().to_owned();
        let role = Role::Consumer { product: "watch".to_owned(), purposes: vec!["activity".to_owned()] };
        let consumer = journey.add_operator(&role, By::Housecarl, START).unwrap().1.reveal().to_owned();
        let house = Self { running, folder, clock, home, person, operator, consumer };
        house.says(About::Person(person), Said::Told(house.every_purpose(), act())).await;
        house.says(About::Person(person), Said::Agreed(house.put("activity"), act())).await;
        house
    }

    /// Ends the gateway and begins another on the same folder, which leaves so much of the disk free.
    pub(crate) async fn again(self, keep_free_mib: u64) -> Self {
        let Self { running, folder, clock, home, person, operator, consumer } = self;
        running.end().await;
        let running = Running::begin(folder.path(), &clock, keep_free_mib).await;
        Self { running, folder, clock, home, person, operator, consumer }
    }

    pub(crate) async fn close(self) {
        self.running.end().await;
    }

    pub(crate) const fn journey(&self) -> &Arc<Journey> {
        &self.running.journey
    }

    pub(crate) const fn mqtt(&self) -> SocketAddr {
        self.running.mqtt
    }

    pub(crate) const fn http(&self) -> SocketAddr {
        self.running.http
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub(crate) fn product(&self) -> ProductNumber {
        self.journey().product_named("watch").unwrap().0
    }

    pub(crate) async fn says(&self, about: About, said: Said) {
        self.journey().choose(about, self.product(), &said, By::Housecarl, self.now()).await.unwrap();
    }

    /// A watch of the wearer, with its features on.
    pub(crate) async fn device(&self) -> Device {
        let id = self
            .journey()
            .add_device(self.home, self.product(), Some(self.person), By::Housecarl, self.now())
            .unwrap();
        let secret = self.journey().renew_device_secret(id, By::Housecarl, self.now()).unwrap();
        self.says(About::Device(id), Said::Feature("activity".to_owned(), true)).await;
        Device { name: hex(&id.0), secret: secret.reveal().to_owned() }
    }

    pub(crate) fn put(&self, purpose: &str) -> Put {
        let version = self.journey().product_named("watch").unwrap().1.version();
        Put { purpose: purpose.to_owned(), fingerprint: version.fingerprints(purpose)[0].clone() }
    }

    fn every_purpose(&self) -> Vec<Put> {
        let version = self.journey().product_named("watch").unwrap().1.version();
        let table = &version.table;
        table.purposes().iter().map(|id| self.put(table.text(table.purpose(id).unwrap().name))).collect()
    }

    /// The steps that the wearer's activity shows, as a consumer reads them.
    pub(crate) async fn steps(&self) -> Vec<u64> {
        let path = format!("/v1/data/activity?person={}", hex(&self.person.0));
        let reply = Http::call(self.http(), "GET", &path, &self.consumer, "", b"").await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let lines = reply.body.lines().filter(|line| line.starts_with('{'));
        let lines = lines.map(|line| serde_json::from_str::<Json>(line).unwrap());
        let steps = lines.filter(|line| line["item"] == "steps").map(|line| line["value"].as_u64().unwrap());
        let mut steps: Vec<u64> = steps.collect();
        steps.sort_unstable();
        steps
    }

    /// What a series of the metrics stands at.
    pub(crate) async fn counted(&self, series: &str) -> u64 {
        let metrics = Http::call(self.http(), "GET", "/metrics", "", "", b"").await.body;
        let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no series {series}")).parse().unwrap()
    }
}

/// How something was said, where it does not matter.
pub(crate) fn act() -> Act {
    let some = |text: &str| text.to_owned();
    Act {
        request: some("activity"),
        shown: [7; 32],
        surface: some("phone-app"),
        method: some("tap"),
        language: some("en"),
    }
}
