//! A small world for tests: products, a home, people and their devices, and a clock that a test moves.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use housecarl_journey::apply::Putting;
use housecarl_journey::audit::{By, EntryNumber};
use housecarl_journey::backup::{Backup, Copied, Erasures, NotRestored, Restored, Sources, restore};
use housecarl_journey::journey::{Admitted, Journey, Message, NotAdmitted, Settings, Stored};
use housecarl_journey::people::{About, Act, DeviceId, HomeId, OperatorId, PersonId, Put, Said, SubjectId};
use housecarl_journey::product::{InForce, Product, ProductNumber};
use housecarl_journey::read::{Ask, Released};
use housecarl_manifest::fingerprint::Facets;
use housecarl_manifest::{Ordinals, compile, read};
use housecarl_policy::AgeBand;
use tempfile::TempDir;

/// 1 January 2027.
pub const START: u64 = 1_798_761_600;
/// Who reads, where it does not matter.
pub const READER: OperatorId = OperatorId([9; 16]);
/// In seconds.
pub const DAY: u64 = 86_400;

/// The watch, as it is shipped.
pub const WATCH: &str = include_str!("../../../products/watch/privacy.toml");

/// A manifest, compiled as a gateway does.
#[must_use]
pub fn product(name: &str, manifest: &str) -> Product {
    let reading = read(manifest);
    assert!(reading.problems.is_empty(), "{name}: {:?}", reading.problems.first());
    let ordinals = Ordinals::default().extended(&reading.manifest);
    let compiled = compile(&reading.manifest, manifest, &ordinals, &BTreeSet::new());
    let features = reading.manifest.feature.iter().filter_map(|feature| {
        let number = compiled.ordinals.feature(&feature.name.value)?;
        Some((feature.name.value.clone(), u8::try_from(number).ok()?))
    });
    let fingerprint = |purpose| vec![Facets::of(&reading.manifest, purpose).fingerprint().to_string()];
    let purposes = reading.manifest.purpose.iter();
    let inferred_from =
        reading.manifest.item.iter().filter(|item| !item.inferred_from.is_empty()).map(|item| {
            let from = item.inferred_from.iter().map(|from| from.value.0.clone());
            (item.name.value.clone(), from.collect())
        });
    Product {
        name: name.to_owned(),
        features: features.collect(),
        fingerprints: purposes.map(|purpose| (purpose.name.value.clone(), fingerprint(purpose))).collect(),
        inferred_from: inferred_from.collect(),
        table: compiled.table,
    }
}

/// A deployment with one home.
#[derive(Debug)]
pub struct World {
    /// Where it lies; it goes with the world.
    pub folder: Arc<TempDir>,
    /// Where its backups go.
    pub copies: Arc<TempDir>,
    stored: Stored,
    products: Vec<Product>,
    /// What its clock shows.
    pub now: Arc<AtomicU64>,
    /// The journey.
    pub journey: Journey,
    /// The home.
    pub home: HomeId,
}

impl World {
    /// A new world with these products.
    #[must_use]
    pub fn new(stored: Stored, products: &[(&str, &str)]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let products: Vec<Product> = products.iter().map(|(name, text)| product(name, text)).collect();
        let now = Arc::new(AtomicU64::new(START));
        let copies = Arc::new(tempfile::tempdir().unwrap());
        let journey = open(&folder, &copies, stored, &products, &now);
        let home = journey.add_home(By::Housecarl, START).unwrap();
        Self { folder, copies, stored, products, now, journey, home }
    }

    /// Ends the process and begins another on the same folder.
    #[must_use]
    pub fn restarted(self) -> Self {
        let Self { folder, copies, stored, products, now, journey, home } = self;
        drop(journey);
        let journey = open(&folder, &copies, stored, &products, &now);
        Self { folder, copies, stored, products, now, journey, home }
    }

    /// Copies of what is there.
    #[must_use]
    pub fn copied(&self) -> Copied {
        self.journey.back_up(By::Housecarl, self.time()).unwrap()
    }

    /// Ends the process, and restores into another data directory, which has the root key and nothing else.
    /// What the gateway was is left in the old folder.
    ///
    /// # Errors
    /// As [`restore`]; the folder of the try.
    pub fn restored(
        self,
        copied: &Copied,
        sources: impl FnOnce(&mut Sources),
    ) -> Result<(Self, Restored), (NotRestored, TempDir)> {
        let Self { folder: old, copies, products, now, journey, home, .. } = self;
        journey.integrate(now.load(Ordering::SeqCst)).unwrap();
        drop(journey);
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(old.path().join("root.key"), folder.path().join("root.key")).unwrap();
        let mut from = Sources {
            records: copied.records.clone().unwrap(),
            keys: copied.keys.clone().unwrap(),
            erasures: Erasures::Beside,
            log: Some(old.path().join("log")),
        };
        sources(&mut from);
        let clock = Arc::clone(&now);
        let restored = restore(&settings(&folder, &copies), &from, move || clock.load(Ordering::SeqCst));
        let restored = match restored {
            Ok(restored) => restored,
            Err(error) => return Err((error, folder)),
        };
        let folder = Arc::new(folder);
        let journey = open(&folder, &copies, Stored::OnDisk, &products, &now);
        Ok((Self { folder, copies, stored: Stored::OnDisk, products, now, journey, home }, restored))
    }

    /// Another version of a product that is there, put in force now, and at the next start too.
    pub async fn applies(&mut self, new: Product) -> EntryNumber {
        if let Some(product) = self.products.iter_mut().find(|product| product.name == new.name) {
            product.clone_from(&new);
        }
        let putting = Putting { product: new, source: None };
        self.journey.apply(putting, By::Housecarl, self.time()).await.unwrap()
    }

    /// What the clock shows.
    #[must_use]
    pub fn time(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    /// Lets time pass as it does where the jobs are done in time, and twice a day.
    pub fn live(&self, days: u64) {
        for _ in 0..2 * days {
            self.pass(DAY / 2);
            self.journey.expire(self.time()).unwrap();
        }
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    /// A product by name.
    #[must_use]
    pub fn product(&self, name: &str) -> (ProductNumber, &InForce) {
        self.journey.product_named(name).unwrap()
    }

    /// Somebody new in the home.
    #[must_use]
    pub fn person(&self, band: AgeBand) -> PersonId {
        self.journey.add_person(self.home, band, By::Housecarl, self.time()).unwrap()
    }

    /// A new device.
    #[must_use]
    pub fn device(&self, product: &str, holder: Option<PersonId>) -> DeviceId {
        let product = self.product(product).0;
        self.journey.add_device(self.home, product, holder, By::Housecarl, self.time()).unwrap()
    }

    /// Puts a purpose as it is now.
    #[must_use]
    pub fn put(&self, product: &str, purpose: &str) -> Put {
        let version = self.product(product).1.version();
        let fingerprint =
            version.fingerprints(purpose).first().unwrap_or_else(|| panic!("no {purpose}")).clone();
        Put { purpose: purpose.to_owned(), fingerprint }
    }

    /// Somebody says something.
    pub async fn says(&self, about: About, product: &str, said: Said) -> EntryNumber {
        let by = match about {
            About::Person(person) => By::Person(person),
            About::Device(_) => By::Housecarl,
        };
        self.journey.choose(about, self.product(product).0, &said, by, self.time()).await.unwrap()
    }

    /// Somebody was told of every purpose and agrees to these.
    pub async fn agrees(&self, about: About, product: &str, purposes: &[&str]) {
        let version = self.product(product).1.version();
        let table = &version.table;
        let names = table.purposes().iter().map(|id| table.text(table.purpose(id).unwrap().name));
        let every: Vec<Put> = names.map(|name| self.put(product, name)).collect();
        self.says(about, product, Said::Told(every, act())).await;
        for purpose in purposes {
            self.says(about, product, Said::Agreed(self.put(product, purpose), act())).await;
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// As [`Journey::admit`].
    pub async fn send(
        &self,
        device: DeviceId,
        product: &str,
        stream: &str,
        payload: &str,
    ) -> Result<Admitted, NotAdmitted> {
        let stream = self.product(product).1.version().stream(stream).unwrap();
        let message = Message { payload: payload.as_bytes(), idempotency_key: None };
        self.journey.admit(device, stream, message, self.time()).await
    }

    /// What a purpose may see about somebody now, as `item value`.
    #[must_use]
    pub fn sees(&self, product: &str, purpose: &str, subject: impl Into<SubjectId>) -> Vec<String> {
        self.sees_of(product, purpose, subject.into(), 0..u64::MAX)
    }

    /// The same for what was received in this time.
    #[must_use]
    pub fn sees_of(
        &self,
        product: &str,
        purpose: &str,
        subject: SubjectId,
        received: Range<u64>,
    ) -> Vec<String> {
        let (number, in_force) = self.product(product);
        let version = in_force.version();
        let ask = Ask {
            reader: READER,
            product: number,
            purpose: version.purpose(purpose).unwrap_or_else(|| panic!("no {purpose}")),
            subject,
            stream: None,
            received,
        };
        let mut seen = Vec::new();
        let each = |released: Released| {
            let item = version.table.item(released.item).unwrap();
            seen.push(format!("{} {}", version.table.text(item.name), released.value));
            true
        };
        self.journey.read(&ask, self.time(), each).unwrap();
        seen.sort();
        seen
    }
}

/// The settings of a data directory whose backups go to `copies`.
#[must_use]
pub fn settings(folder: &TempDir, copies: &TempDir) -> Settings {
    let folder_of = |name: &str| Some(copies.path().join(name));
    let backup = Backup { records: folder_of("of-records"), keys: folder_of("of-keys"), ..Backup::default() };
    Settings { keep_free: 0, backup, ..Settings::in_folder(folder.path()) }
}

fn open(
    folder: &TempDir,
    copies: &TempDir,
    stored: Stored,
    products: &[Product],
    now: &Arc<AtomicU64>,
) -> Journey {
    let settings = Settings { stored, ..settings(folder, copies) };
    let clock = Arc::clone(now);
    let broken = |error: &dyn std::error::Error| panic!("the store broke: {error}");
    Journey::open(&settings, products.to_vec(), move || clock.load(Ordering::SeqCst), broken).unwrap()
}

/// A watch whose wearer was told of everything and agreed to what it is for.
#[derive(Debug)]
pub struct Wearer {
    /// Where.
    pub world: World,
    /// Who.
    pub person: PersonId,
    /// The watch.
    pub device: DeviceId,
}

impl Wearer {
    /// An adult, alone in the home.
    pub async fn new(stored: Stored) -> Self {
        Self::with(stored, WATCH).await
    }

    /// The same with another manifest of the watch.
    pub async fn with(stored: Stored, manifest: &str) -> Self {
        let world = World::new(stored, &[("watch", manifest)]);
        let person = world.person(AgeBand::Adult);
        Self::of(world, person).await
    }

    /// Gives somebody a watch.
    pub async fn of(world: World, person: PersonId) -> Self {
        let device = world.device("watch", Some(person));
        world.journey.add_mark(person, "p1", By::Housecarl, world.time()).unwrap();
        for feature in ["activity", "coaching", "routes", "sleep"] {
            world.says(About::Device(device), "watch", Said::Feature(feature.to_owned(), true)).await;
        }
        world.agrees(About::Device(device), "watch", &["usage-statistics"]).await;
        world.agrees(About::Person(person), "watch", &["activity"]).await;
        Self { world, person, device }
    }

    /// Ends the process and begins another, where the records outlive it.
    pub fn restart(&mut self) {
        if matches!(self.world.stored, Stored::OnDisk) {
            let world = std::mem::replace(&mut self.world, World::new(Stored::InMemory, &[]));
            self.world = world.restarted();
        }
    }

    /// Sends a message.
    pub async fn send(&self, payload: &str) -> Admitted {
        self.world.send(self.device, "watch", "vitals", payload).await.unwrap()
    }

    /// What a purpose may see now.
    #[must_use]
    pub fn sees(&self, purpose: &str) -> Vec<String> {
        self.world.sees("watch", purpose, self.person)
    }

    /// Says something.
    pub async fn says(&self, said: Said) {
        self.world.says(About::Person(self.person), "watch", said).await;
    }

    /// How many parts lie here about them.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.world.journey.held(self.person.into()).unwrap()
    }
}

/// How something was said, where it does not matter.
#[must_use]
pub fn act() -> Act {
    Act {
        request: "set-up".to_owned(),
        shown: [7; 32],
        surface: "phone-app".to_owned(),
        method: "tap".to_owned(),
        language: "en".to_owned(),
    }
}

/// A message of the watch; `number` makes it itself.
#[must_use]
pub fn vitals(number: u32, heart_rate: u32) -> String {
    format!(
        r#"{{"profile": "p1", "seq": {number}, "hr": {heart_rate}, "steps": 4217, "battery": 83, "fall": false,
        "gps": {{"lat": 51.50735, "lon": -0.12776}}, "ambient": {{"lux": 310}}}}"#
    )
}

/// The same message with a time of capture.
#[must_use]
pub fn at(number: u32, captured: &str) -> String {
    vitals(number, number).replace(r#""seq""#, &format!(r#""ts": {captured}, "seq""#))
}
