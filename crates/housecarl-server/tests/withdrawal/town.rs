//! Eight homes, each with one person and a watch, and the whole gateway before them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use futures_util::future::join_all;
use housecarl_journey::audit::By;
use housecarl_journey::journey::{Journey, Message};
use housecarl_journey::people::credentials::Role;
use housecarl_journey::people::{About, Act, PersonId, Put, Said};
use housecarl_journey::product::ProductNumber;
use housecarl_manifest::Ordinals;
use housecarl_manifest::scalar::Date;
use housecarl_policy::AgeBand;
use housecarl_server::boot::{Served, Serving, Settings, load};
use housecarl_server::hex;
use housecarl_server::house::Clock;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::device::Device;
use crate::export::Export;

/// 1 January 2027.
const START: u64 = 1_798_761_600;
const HOUR: u64 = 3_600;
const DEVICES: usize = 8;
/// How much lies there to be read of each person. It was received in the first hour.
const EXPORTED: u32 = 1_000;

const WATCH: &str = include_str!("../../../../products/watch/privacy.toml");

/// Somebody with a watch.
#[derive(Debug)]
pub(crate) struct House {
    person: PersonId,
    pub(crate) device: Device,
}

#[derive(Debug)]
pub(crate) struct Town {
    journey: Option<Arc<Journey>>,
    web: Option<housecarl_server::api::Http>,
    http: std::net::SocketAddr,
    now: Arc<AtomicU64>,
    product: ProductNumber,
    activity: Put,
    consumer: String,
    pub(crate) houses: Vec<House>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Served>,
    _folder: TempDir,
}

/// On as many threads as a gateway has.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(test);
}

impl Town {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = "keep_free_mib = 0\ndevice.messages_per_second_max = 1000000\ndevice.kib_per_second_max = 1000000\n\
                    mqtt.address = \"127.0.0.1:0\"\nhttp.address = \"127.0.0.1:0\"\n";
        let settings = Settings { data: folder.path().to_owned(), ..Settings::read(text).unwrap() };
        let today = Date::from_unix_day(u32::try_from(START / (24 * HOUR)).unwrap());
        let watch = load("watch", WATCH, &Ordinals::default(), today).unwrap().product;
        let now = Arc::new(AtomicU64::new(START));
        let hands = Arc::clone(&now);
        let clock: Clock = Arc::new(move || hands.load(SeqCst));
        let serving = Serving::begin(&settings, vec![watch], clock).await.unwrap();
        let (mqtt, http) = (serving.mqtt_address().unwrap(), serving.http_address().unwrap());
        let (journey, web) = (Arc::clone(serving.journey()), serving.web().clone());
        let product = journey.product_named("watch").unwrap().0;
        let version = journey.product_named("watch").unwrap().1.version();
        let put = |purpose: &str| Put {
            purpose: purpose.to_owned(),
            fingerprint: version.fingerprints(purpose)[0].clone(),
        };
        let table = &version.table;
        let every: Vec<Put> =
            table.purposes().iter().map(|id| put(table.text(table.purpose(id).unwrap().name))).collect();
        let role = Role::Consumer { product: "watch".to_owned(), purposes: vec!["activity".to_owned()] };
        let consumer = journey.add_operator(&role, By::Housecarl, START).unwrap().1.reveal().to_owned();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(serving.serve(async { drop(stopped.await) }, std::future::pending::<()>));
        let mut houses = Vec::new();
        for _ in 0..DEVICES {
            let home = journey.add_home(By::Housecarl, START).unwrap();
            let person = journey.add_person(home, AgeBand::Adult, By::Housecarl, START).unwrap();
            journey.add_mark(person, "p1", By::Housecarl, START).unwrap();
            let id = journey.add_device(home, product, Some(person), By::Housecarl, START).unwrap();
            let secret = journey.renew_device_secret(id, By::Housecarl, START).unwrap().reveal().to_owned();
            let says = async |about, said| {
                journey.choose(about, product, &said, By::Housecarl, START).await.unwrap();
            };
            says(About::Device(id), Said::Feature("activity".to_owned(), true)).await;
            for about in [About::Device(id), About::Person(person)] {
                says(about, Said::Told(every.clone(), act())).await;
            }
            says(About::Person(person), Said::Agreed(put("activity"), act())).await;
            let stream = version.stream("vitals").unwrap();
            let payloads: Vec<String> =
                (0..EXPORTED).map(|seq| format!(r#"{{"profile":"p1","seq":"x{seq}","hr":{seq}}}"#)).collect();
            let admit = |payload: &'_ String| {
                let journey = Arc::clone(&journey);
                let payload = payload.clone();
                async move {
                    let message = Message { payload: payload.as_bytes(), idempotency_key: None };
                    journey.admit(id, stream, message, START).await.unwrap();
                }
            };
            join_all(payloads.iter().map(admit)).await;
            houses.push(House { person, device: Device::connect(mqtt, &hex::print(&id.0), &secret).await });
        }
        now.store(START + 2 * HOUR, SeqCst);
        houses.iter().for_each(|house| house.device.begin());
        let activity = put("activity");
        let (journey, web) = (Some(journey), Some(web));
        Self { journey, web, http, now, product, activity, consumer, houses, stop, serving, _folder: folder }
    }

    pub(crate) async fn close(mut self) {
        for house in &self.houses {
            house.device.end();
        }
        (self.journey, self.web) = (None, None);
        drop(self.stop);
        assert_eq!(self.serving.await.unwrap(), Served::Stopped);
    }

    pub(crate) fn journey(&self) -> &Arc<Journey> {
        self.journey.as_ref().unwrap()
    }

    /// A moment passes.
    pub(crate) fn tick(&self) {
        self.now.fetch_add(1, SeqCst);
    }

    pub(crate) fn now(&self) -> u64 {
        self.now.load(SeqCst)
    }

    /// Messages that were answered, of all devices.
    pub(crate) fn answered(&self) -> u64 {
        self.houses.iter().map(|house| house.device.answered()).sum()
    }

    /// Values that connections of readers have taken.
    pub(crate) fn handed_on(&self) -> u64 {
        self.web.as_ref().unwrap().counts().handed_on()
    }

    /// Parts about somebody that were received from a moment on and lie in the store, readable or not.
    pub(crate) fn held(&self, house: &House, since: u64) -> u64 {
        self.journey().held_since(house.person.into(), since).unwrap()
    }

    pub(crate) async fn agree(&self, house: &House) {
        self.say(house, Said::Agreed(self.activity.clone(), act())).await;
        house.device.forget_policy();
    }

    /// Takes the yes back, as the address of choices does it.
    pub(crate) async fn withdraw(&self, house: &House) {
        self.say(house, Said::Refused("activity".to_owned())).await;
    }

    async fn say(&self, house: &House, said: Said) {
        let (journey, person) = (Arc::clone(self.journey()), house.person);
        let (product, now) = (self.product, self.now());
        let say = move || {
            let choose = journey.choose(About::Person(person), product, &said, By::Person(person), now);
            tokio::runtime::Handle::current().block_on(choose).unwrap();
        };
        spawn_blocking(say).await.unwrap();
    }

    /// Somebody begins to read all that lies there of the first hour.
    pub(crate) async fn export(&self, house: &House) -> Export {
        let person = hex::print(&house.person.0);
        let path = format!(
            "/v1/data/activity?person={person}&stream=vitals&from=2027-01-01T00:00:00Z&to=2027-01-01T01:00:00Z"
        );
        Export::begin(self.http, &path, &self.consumer).await
    }
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
