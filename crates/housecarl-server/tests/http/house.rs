//! A deployment of the watch with one home, and a listener before it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use housecarl_journey::apply::{Applied, Putting};
use housecarl_journey::audit::By;
use housecarl_journey::journey::{Journey, Settings, Stored};
use housecarl_journey::people::credentials::Role;
use housecarl_journey::people::{About, Act, DeviceId, HomeId, PersonId, Put, Said};
use housecarl_journey::product::ProductNumber;
use housecarl_manifest::Ordinals;
use housecarl_manifest::scalar::Date;
use housecarl_policy::AgeBand;
use housecarl_server::api::{Http, Limits};
use housecarl_server::boot::Source;
use housecarl_server::ingest::{Door, Quotas, Transport};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Reply, exchange, request};

/// 1 January 2027.
pub(crate) const START: u64 = 1_798_761_600;

pub(crate) const WATCH: &str = include_str!("../../../../products/watch/privacy.toml");
pub(crate) const LOCK: &str = include_str!("../../../../products/watch/privacy.lock");

/// The manifest as a gateway puts it in force.
fn watch(applied: &[Applied]) -> Vec<Putting> {
    let first = Source::first(WATCH, &Ordinals::read(LOCK).unwrap());
    let source = applied.first().map_or(first, |applied| Source::from_bytes(&applied.source).unwrap());
    let loaded = source.load("watch", Date::parse("2027-01-01").unwrap()).unwrap();
    assert_eq!(loaded.report.shut(), BTreeSet::new());
    vec![Putting { product: loaded.product, source: Some(source.to_bytes()) }]
}

pub(crate) struct House {
    pub(crate) runtime: Runtime,
    pub(crate) journey: Arc<Journey>,
    pub(crate) now: Arc<AtomicU64>,
    pub(crate) address: SocketAddr,
    pub(crate) operator: String,
    pub(crate) home: HomeId,
    pub(crate) http: Http,
    pub(crate) quotas: Arc<Quotas>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    _folder: TempDir,
}

/// Patient where a test would otherwise depend on how fast the machine is.
pub(crate) fn limits() -> Limits {
    Limits { head_time: Duration::from_secs(20), ..Limits::default() }
}

/// What a test may want otherwise.
pub(crate) struct Setting {
    pub(crate) limits: Limits,
    pub(crate) stored: Stored,
    pub(crate) keep_free: u64,
    pub(crate) quotas: Quotas,
}

impl Default for Setting {
    fn default() -> Self {
        Self { limits: limits(), stored: Stored::InMemory, keep_free: 0, quotas: Quotas::default() }
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(limits())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self::of(Setting { limits, ..Setting::default() })
    }

    pub(crate) fn of(setting: Setting) -> Self {
        let Setting { limits, stored, keep_free, quotas } = setting;
        let folder = tempfile::tempdir().unwrap();
        let now = Arc::new(AtomicU64::new(START));
        let clock = |now: &Arc<AtomicU64>| {
            let now = Arc::clone(now);
            move || now.load(Ordering::SeqCst)
        };
        let settings = Settings { stored, keep_free, ..Settings::in_folder(folder.path()) };
        let broken = |error: &dyn std::error::Error| panic!("the store broke: {error}");
        let journey =
            Journey::open_with(&settings, |applied| Ok(watch(&applied)), clock(&now), broken).unwrap();
        let journey = Arc::new(journey);
        let operator = journey.first_operator(START).unwrap().unwrap().reveal().to_owned();
        let home = journey.add_home(By::Housecarl, START).unwrap();
        let runtime = Runtime::new().unwrap();
        let here = "127.0.0.1:0".parse().unwrap();
        let door = runtime.block_on(Door::bind(here, Transport::Plain { beyond_loopback: false })).unwrap();
        let address = door.address().unwrap();
        let quotas = Arc::new(quotas);
        let http = Http::new(Arc::clone(&journey), clock(&now), limits, Arc::clone(&quotas), None);
        let (stop, stopped) = oneshot::channel();
        let listener = http.clone();
        let served = runtime.spawn(async move {
            listener.serve(door, async { drop(stopped.await) }).await;
        });
        Self { runtime, journey, now, address, operator, home, http, quotas, stop, served, _folder: folder }
    }

    /// Stops it, and sees that nothing was answered that the interface does not know.
    pub(crate) fn close(self) {
        let metrics = self.get("/metrics", "").body;
        let unknown = metrics.lines().find(|line| line.contains("\"other\"") && !line.ends_with(" 0"));
        assert_eq!(unknown, None, "an answer that `interface` does not list");
        assert!(metrics.contains("housecarl_http_connections_panicked_total 0\n"));
        drop(self.stop);
        self.runtime.block_on(self.served).unwrap();
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub(crate) fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let bytes = exchange(self.address, &request(method, path, headers, body));
        Reply::of(&bytes).unwrap_or_else(|| panic!("{method} {path}: no answer"))
    }

    pub(crate) fn get(&self, path: &str, authorization: &str) -> Reply {
        self.with_credential("GET", path, authorization, "")
    }

    pub(crate) fn post(&self, path: &str, authorization: &str, body: &str) -> Reply {
        self.with_credential("POST", path, authorization, body)
    }

    pub(crate) fn with_credential(&self, method: &str, path: &str, authorization: &str, body: &str) -> Reply {
        let mut headers = vec![("content-type", "application/json")];
        if !authorization.is_empty() {
            headers.push(("authorization", authorization));
        }
        self.call(method, path, &headers, body.as_bytes())
    }

    /// What an operator does, which has to work.
    pub(crate) fn operate(&self, path: &str, body: &str) -> Reply {
        let reply = self.post(path, &self.operator(), body);
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply
    }

    pub(crate) fn operator(&self) -> String {
        format!("Bearer {}", self.operator)
    }

    pub(crate) fn consumer(&self, purposes: &[&str]) -> String {
        let purposes = purposes.iter().map(|purpose| (*purpose).to_owned()).collect();
        let role = Role::Consumer { product: "watch".to_owned(), purposes };
        format!("Bearer {}", self.journey.add_operator(&role, By::Housecarl, START).unwrap().1.reveal())
    }

    pub(crate) fn product(&self) -> ProductNumber {
        self.journey.product_named("watch").unwrap().0
    }

    /// A device with its credential.
    pub(crate) fn device(&self, home: HomeId, holder: Option<PersonId>) -> (DeviceId, String) {
        let device = self.journey.add_device(home, self.product(), holder, By::Housecarl, START).unwrap();
        let secret = self.journey.renew_device_secret(device, By::Housecarl, START).unwrap();
        (device, format!("Bearer {}.{}", hex(&device.0), secret.reveal()))
    }

    /// A wearer who agreed to what the watch is for, and to nothing else.
    pub(crate) fn wearer(&self) -> Wearer {
        let person = self.journey.add_person(self.home, AgeBand::Adult, By::Housecarl, START).unwrap();
        let (device, credential) = self.device(self.home, Some(person));
        self.journey.add_mark(person, "p1", By::Housecarl, START).unwrap();
        let says = |about, said: Said| {
            self.block_on(self.journey.choose(about, self.product(), &said, By::Housecarl, START)).unwrap();
        };
        for feature in ["activity", "coaching", "routes", "sleep"] {
            says(About::Device(device), Said::Feature(feature.to_owned(), true));
        }
        for about in [About::Device(device), About::Person(person)] {
            says(about, Said::Told(self.every_purpose(), act()));
        }
        says(About::Device(device), Said::Agreed(self.put("usage-statistics"), act()));
        says(About::Person(person), Said::Agreed(self.put("activity"), act()));
        Wearer { person, device, credential }
    }

    pub(crate) fn put(&self, purpose: &str) -> Put {
        let version = self.journey.product_named("watch").unwrap().1.version();
        Put { purpose: purpose.to_owned(), fingerprint: version.fingerprints(purpose)[0].clone() }
    }

    pub(crate) fn every_purpose(&self) -> Vec<Put> {
        let version = self.journey.product_named("watch").unwrap().1.version();
        let purposes = version.table.purposes();
        let name = |id| version.table.text(version.table.purpose(id).unwrap().name);
        purposes.iter().map(|id| self.put(name(id))).collect()
    }

    /// What a purpose may see about somebody, as `item value`, in order.
    pub(crate) fn sees(&self, purpose: &str, person: PersonId) -> Vec<String> {
        let path = format!("/v1/data/{purpose}?person={}", hex(&person.0));
        let reply = self.get(&path, &self.consumer(&[purpose]));
        assert!(reply.status == 200 && reply.is_whole, "{reply:?}");
        let mut lines: Vec<String> = reply.body.lines().map(item_and_value).collect();
        lines.sort();
        lines
    }

    pub(crate) fn home_path(&self) -> String {
        format!("/v1/homes/{}", hex(&self.home.0))
    }
}

pub(crate) fn item_and_value(line: &str) -> String {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    format!("{} {}", line["item"].as_str().unwrap(), line["value"])
}

pub(crate) struct Wearer {
    pub(crate) person: PersonId,
    pub(crate) device: DeviceId,
    pub(crate) credential: String,
}

fn act() -> Act {
    Act {
        request: "set-up".to_owned(),
        shown: [7; 32],
        surface: "phone-app".to_owned(),
        method: "tap".to_owned(),
        language: "en".to_owned(),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A message of the watch; `number` makes it itself.
pub(crate) fn vitals(number: u32, heart_rate: u32) -> String {
    format!(r#"{{"profile": "p1", "seq": {number}, "hr": {heart_rate}, "steps": 4217, "battery": 83}}"#)
}
