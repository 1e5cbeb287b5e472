//! The whole journey: what a gateway opens, and hands every message to.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use housecarl_policy::table::TableError;
use housecarl_policy::{AgeBand, DeviceStanding, Standing, StreamId};
use tokio::sync::watch;

use crate::alarm::Alarm;
use crate::apply::{Applied, Putting};
use crate::audit::{self, AuditError, By, Chosen, EntryNumber, Log, Reasons};
use crate::backup::{Backup, RESTORING};
use crate::decide::Whose;
use crate::fence::Fence;
use crate::keys::{self, KeyName, Keys, KeysError, RootKey, RootKeyError};
use crate::minimise::{Minimised, PseudonymKey};
use crate::people::birthdays::Age;
use crate::people::erasures::ErasureRow;
use crate::people::homes::{DeviceAtWork, HomeAtWork, Homes, View};
use crate::people::register::{ChoiceRow, DeviceRow, HomeRow, PersonRow, Register};
use crate::people::{About, DeviceId, HomeId, NotSayable, PersonId, RegisterError, Said, SubjectId};
use crate::product::{InForce, Product, ProductNumber, State, Version};
use crate::reserve::Reserve;
use crate::seal::{Belongs, Sealed, Sequence};
use crate::store::commit::{Commits, Failed, Moment, Outcome};
use crate::store::memory::Memory;
use crate::store::records::Records;
use crate::store::{self, Identity, Store, StoreError, StreamNumber};
use crate::wanted::Wanted;
use crate::{Home as _, Unreadable, decide, minimise, receive, seal};

/// Where the records are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stored {
    /// In the data directory.
    OnDisk,
    /// In memory, for tests: the reference. Keys and choices are on the disk all the same.
    InMemory,
}

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data directory.
    pub folder: PathBuf,
    /// The root key: best on another disk than the data directory, and never in its backup.
    pub root_key: PathBuf,
    /// So many bytes of the disk are left free by what comes in, for those who withdraw and erase.
    pub keep_free: u64,
    /// Where the records are kept.
    pub stored: Stored,
    /// Where backups go.
    pub backup: Backup,
    /// What the audit log is called: one word without a plus sign, such as `example.com/home`, and
    /// for good. `None` is what it was called before, or a random name.
    pub log_name: Option<String>,
}

impl Settings {
    /// Everything in one folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            root_key: folder.join("root.key"),
            keep_free: 128 << 20,
            stored: Stored::OnDisk,
            backup: Backup::default(),
            log_name: None,
        }
    }

    /// The key file.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.folder.join("keys")
    }
}

/// Why the journey cannot begin.
#[derive(Debug)]
pub enum OpenError {
    /// A restore into this data directory was cut short.
    Restoring(PathBuf),
    /// The data directory cannot be made.
    Folder(PathBuf, io::Error),
    /// The root key.
    RootKey(RootKeyError),
    /// The key file.
    Keys(KeysError),
    /// The records.
    Store(StoreError),
    /// People, devices and choices.
    Register(RegisterError),
    /// A product's table.
    Table(TableError),
    /// The audit log.
    Audit(AuditError),
    /// What the products are in force by cannot be put in force again.
    Products(Box<dyn std::error::Error + Send + Sync>),
    /// An erasure that was promised could not be finished.
    Erasure(NotChanged),
    /// No thread could be started.
    Thread(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restoring(path) => write!(
                f,
                "a restore into the data directory `{}` was cut short; run `housecarl restore` again",
                path.display()
            ),
            Self::Folder(path, error) => write!(f, "the data directory `{}`: {error}", path.display()),
            Self::RootKey(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Register(error) => error.fmt(f),
            Self::Table(error) => error.fmt(f),
            Self::Audit(error) => error.fmt(f),
            Self::Products(error) => error.fmt(f),
            Self::Erasure(error) => error.fmt(f),
            Self::Thread(error) => write!(f, "no thread could be started: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

macro_rules! from {
    ($($variant:ident($error:ty)),+) => {$(
        impl From<$error> for OpenError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )+};
}
from!(
    RootKey(RootKeyError),
    Keys(KeysError),
    Store(StoreError),
    Register(RegisterError),
    Table(TableError),
    Audit(AuditError),
    Erasure(NotChanged)
);

impl From<keys::Unavailable> for OpenError {
    fn from(error: keys::Unavailable) -> Self {
        Self::Keys(error.into())
    }
}

/// A message, as a listener hands it over.
#[derive(Clone, Copy)]
pub struct Message<'m> {
    /// What the device sent.
    pub payload: &'m [u8],
    /// What the device calls it, so that it is stored once however often it is sent.
    pub idempotency_key: Option<&'m [u8]>,
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message")
    }
}

/// What became of a message. It is on the disk where anything of it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admitted {
    /// This many parts are kept.
    Kept(usize),
    /// It was kept before: it came again.
    Again,
    /// Nothing of it may be kept.
    Nothing,
}

/// Why a message was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAdmitted {
    /// It will never be: it is not what the manifest says.
    Unreadable(Unreadable),
    /// Nobody knows this device.
    NoSuchDevice,
    /// The manifest in force has no such stream.
    NoSuchStream,
    /// Not now: it must not be acknowledged, so that the device sends it again.
    Later(Failed),
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => error.fmt(f),
            Self::NoSuchDevice => f.write_str("the device is not enrolled"),
            Self::NoSuchStream => f.write_str("the manifest has no such stream"),
            Self::Later(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotAdmitted {}

/// Why something was not changed.
#[derive(Debug)]
pub enum NotChanged {
    /// There is no such home, person or device.
    Unknown(&'static str),
    /// It was not said what is to be erased, or nothing can be it.
    Unselected,
    /// Nobody has a band that changes then.
    NoSuchAge,
    /// It cannot be said about the product as it is now.
    NotSayable(NotSayable),
    /// The register failed.
    Register(RegisterError),
    /// The keys failed.
    Keys(KeysError),
    /// The records failed.
    Store(StoreError),
    /// It is written down, and the store stopped before it could be seen to be in force.
    Stopped(Failed),
    /// It could not be written into the audit log, and so was not done.
    Audit(AuditError),
    /// The policy table of another version does not read.
    Table(TableError),
    /// A copy could not be written here.
    Copy(PathBuf, io::Error),
}

impl fmt::Display for NotChanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(what) => write!(f, "there is no such {what}"),
            Self::Unselected => f.write_str("the time that is to be erased has no moment in it"),
            Self::NoSuchAge => f.write_str(
                "only a child's band changes, and the next one begins within six years: see the month again",
            ),
            Self::NotSayable(error) => error.fmt(f),
            Self::Register(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Stopped(error) => error.fmt(f),
            Self::Audit(error) => error.fmt(f),
            Self::Table(error) => error.fmt(f),
            Self::Copy(path, error) => write!(f, "cannot write the copy `{}`: {error}", path.display()),
        }
    }
}

impl std::error::Error for NotChanged {}

macro_rules! not_changed {
    ($($variant:ident($error:ty)),+) => {$(
        impl From<$error> for NotChanged {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )+};
}
not_changed!(
    NotSayable(NotSayable),
    Register(RegisterError),
    Keys(KeysError),
    Store(StoreError),
    Stopped(Failed),
    Audit(AuditError),
    Table(TableError)
);

impl From<keys::Unavailable> for NotChanged {
    fn from(error: keys::Unavailable) -> Self {
        Self::Keys(error.into())
    }
}

/// What watches: it is shown each message once it is decided, and never a value.
pub type Watch = dyn Fn(DeviceId, &Version, StreamId, &Minimised) + Send + Sync;

/// The journey of every message of one deployment.
pub struct Journey {
    pub(crate) keys: Arc<Keys>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) register: Register,
    pub(crate) homes: Homes,
    pub(crate) commits: Commits,
    pub(crate) log: Log,
    pub(crate) alarm: Arc<Alarm>,
    pub(crate) reserve: Reserve,
    pub(crate) fence: Fence,
    products: Vec<(ProductNumber, InForce)>,
    /// Held by whoever moves rows or removes some of them: one at a time.
    pub(crate) moving: tokio::sync::Mutex<()>,
    /// Held to read by whoever changes what was said, and to write while another version of a product
    /// is put in force. Before the turn of a home.
    pub(crate) applying: RwLock<()>,
    /// Held while buckets that are over are destroyed, and by whoever restricts something.
    pub(crate) expiring: Mutex<()>,
    pub(crate) backup: Backup,
    /// Held by whoever writes the list of erasures.
    pub(crate) listing: Mutex<()>,
    sequence: Sequence,
    watch: OnceLock<Box<Watch>>,
}

impl fmt::Debug for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journey")
    }
}

impl Journey {
    /// Opens the data directory, or begins one, and finishes what a crash has left unfinished.
    /// `clock` gives seconds since 1970. `broken` is called once, when the disk has failed: the
    /// process has to end, and finds out at its next start what is there.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        settings: &Settings,
        products: Vec<Product>,
        clock: impl Fn() -> u64 + Send + 'static,
        broken: impl FnOnce(&dyn std::error::Error) + Send + 'static,
    ) -> Result<Self, OpenError> {
        let products = products.into_iter().map(|product| Putting { product, source: None }).collect();
        Self::open_with(settings, |_| Ok(products), clock, broken)
    }

    /// The same, where `products` is given what each product was last put in force from, so that the
    /// version that somebody applied is the one that is in force again.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::Products`] is what `products` returned.
    pub fn open_with(
        settings: &Settings,
        products: impl FnOnce(Vec<Applied>) -> Result<Vec<Putting>, Box<dyn std::error::Error + Send + Sync>>,
        clock: impl Fn() -> u64 + Send + 'static,
        broken: impl FnOnce(&dyn std::error::Error) + Send + 'static,
    ) -> Result<Self, OpenError> {
        let folder = &settings.folder;
        std::fs::create_dir_all(folder).map_err(|error| OpenError::Folder(folder.clone(), error))?;
        let alarm = Arc::new(Alarm::new(broken));
        if folder.join(RESTORING).exists() {
            return Err(OpenError::Restoring(folder.clone()));
        }
        // The register first: it is what refuses a second gateway.
        let register = Register::open(&folder.join("register.sqlite"))?.watched(&alarm);
        let reserve = Reserve::open(folder).map_err(|error| OpenError::Folder(folder.clone(), error))?;
        let root = RootKey::open_or_create(&settings.root_key)?;
        let keys = Arc::new(Keys::open(&settings.keys(), root)?);
        let store: Arc<dyn Store> = match settings.stored {
            Stored::OnDisk => Arc::new(Records::open(&folder.join("records"), settings.keep_free)?),
            Stored::InMemory => Arc::new(Memory::default()),
        };
        let now = clock();
        let rings = Arc::clone(&alarm);
        let failed = move |error: &dyn std::error::Error| rings.ring(error);
        let commits = Commits::start(Arc::clone(&store), Arc::clone(&keys), clock, failed)
            .map_err(OpenError::Thread)?;
        let log = Log::new(folder.join("log"), settings.log_name.as_deref(), &register, &keys)?;
        let mut in_force = Vec::new();
        let mut sources = Vec::new();
        for Putting { product, source } in products(register.sources()?).map_err(OpenError::Products)? {
            let number = register.product(&product.name)?;
            sources.push((number, source));
            let version =
                Version::new(product, |name| register.stream(number, name).map_err(OpenError::from))?;
            in_force.push((number, InForce::new(version)));
        }
        let journey = Self {
            keys,
            store,
            register,
            homes: Homes::default(),
            commits,
            log,
            alarm,
            reserve,
            fence: Fence::default(),
            products: in_force,
            moving: tokio::sync::Mutex::default(),
            applying: RwLock::default(),
            expiring: Mutex::default(),
            backup: settings.backup.clone(),
            listing: Mutex::default(),
            sequence: Sequence::new()?,
            watch: OnceLock::new(),
        };
        journey.load()?;
        // A restriction may have been lifted, and what was held for it not be gone yet.
        journey.homes.lifted.store(true, Ordering::SeqCst);
        for (number, source) in sources {
            journey.log_version(number, source.as_deref(), now)?;
        }
        match journey.finish_erasures(now) {
            // There is room for everything but new keys and rows; it goes on when there is again.
            Err(NotChanged::Keys(KeysError::Full) | NotChanged::Store(StoreError::Full)) => {}
            other => other?,
        }
        journey.homes.each(|home| journey.want(home, now));
        Ok(journey)
    }

    /// Reads who lives where, and sums the log of choices.
    fn load(&self) -> Result<(), OpenError> {
        for home in self.register.homes()? {
            self.homes.add_home(home, self.mac_of(home.household)?);
        }
        for person in self.register.people()? {
            self.take_in(&person);
        }
        for (device, secret) in self.register.devices()? {
            self.homes.add_device(device, secret);
        }
        for (home, mac, person) in self.register.marks()? {
            self.homes.add_mark(home, mac, person);
        }
        for ErasureRow { subject, what, before, forgets, .. } in self.register.erasures(false)? {
            self.homes.horizons.set(subject, &what, before);
            if forgets {
                // What was under way when they were forgotten may have made a key anew, for nothing.
                self.keys.destroy_all_of(subject)?;
            }
        }
        // SQLite is asked while its answers are used, and nothing that adds asks it.
        self.register.choices(|choice| self.add(&choice))?;
        Ok(())
    }

    /// What a person had said until a moment, as a version counts it.
    pub(crate) fn standing_at(
        &self,
        person: PersonId,
        band: AgeBand,
        (product, version): (ProductNumber, &Version),
        moment: u64,
    ) -> Option<Standing> {
        let choices = self.register.choices_about(About::Person(person), product, moment).ok()?;
        let mut standing = Standing::unasked(band);
        for choice in choices {
            self.open_said(&choice)?.add_to(&mut standing, version);
        }
        Some(standing)
    }

    /// What had been settled for a device until a moment, likewise.
    pub(crate) fn device_standing_at(
        &self,
        device: DeviceId,
        (product, version): (ProductNumber, &Version),
        moment: u64,
    ) -> Option<DeviceStanding> {
        let choices = self.register.choices_about(About::Device(device), product, moment).ok()?;
        let mut standing = DeviceStanding::default();
        for choice in choices {
            self.open_said(&choice)?.add_to_device(&mut standing, version);
        }
        Some(standing)
    }

    fn mac_of(&self, household: SubjectId) -> Result<aws_lc_rs::hmac::Key, KeysError> {
        Ok(self.keys.secret_or_new(KeyName::Subject(household))?.code_key()?)
    }

    fn take_in(&self, person: &PersonRow) {
        for (_, product) in &self.products {
            product.state().standings.set(person.id, Standing::unasked(person.age.band));
        }
        self.homes.add_person(person);
    }

    /// Adds an entry of the log to what it changes.
    pub(crate) fn add(&self, choice: &ChoiceRow) {
        let Some(product) = self.product(choice.product) else { return };
        let state = product.state();
        self.add_to(&state, choice);
        if let About::Person(person) = choice.about {
            self.note_restricted(&state, choice.product, person);
        }
    }

    /// Notes whether somebody has anything of a product restricted, in the state that is in force.
    pub(crate) fn note_restricted(&self, state: &State, product: ProductNumber, person: PersonId) {
        let restricted = state.standings.get(person).is_some_and(|standing| !standing.restricted.is_empty());
        self.homes.set_restricted(person, product, restricted);
    }

    /// Adds an entry of the log to what it changes in this state of its product.
    pub(crate) fn add_to(&self, state: &State, choice: &ChoiceRow) {
        // Sealed under a key that is gone: nobody knows any more what was said.
        let Some(said) = self.open_said(choice) else { return };
        let at = u32::try_from(choice.at).unwrap_or(u32::MAX);
        // The latest of all, also where the clock was set back in between: whoever asks what somebody had
        // said until an earlier moment is to look into the log.
        match choice.about {
            About::Person(person) => {
                let Some(mut standing) = state.standings.get(person) else { return };
                said.add_to(&mut standing, &state.version);
                standing.changed_at = at.max(standing.changed_at);
                state.standings.set(person, standing);
            }
            About::Device(device) => {
                let mut standing = state.device(device);
                said.add_to_device(&mut standing, &state.version);
                standing.changed_at = at.max(standing.changed_at);
                state.settle(device, standing);
            }
        }
    }

    /// Under whose key it stands what was said about somebody or something.
    pub(crate) fn keeper(&self, about: About) -> Option<(SubjectId, Arc<HomeAtWork>)> {
        match about {
            About::Person(person) => Some((person.into(), self.homes.home_of(person)?)),
            About::Device(device) => {
                let home = Arc::clone(&self.homes.device(device)?.home);
                Some((home.row.household, home))
            }
        }
    }

    fn open_said(&self, choice: &ChoiceRow) -> Option<Said> {
        let (keeper, _) = self.keeper(choice.about)?;
        let place = said_at(choice.about, choice.product);
        let plain = keys::field::open(&self.keys, keeper, &place, &choice.said)?;
        minicbor::decode(&plain).ok()
    }

    pub(crate) const fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    pub(crate) fn product(&self, number: ProductNumber) -> Option<&InForce> {
        self.products.iter().find(|(known, _)| *known == number).map(|(_, product)| product)
    }

    /// The version of its product that a device's messages are decided by.
    #[must_use]
    pub fn version_of(&self, device: DeviceId) -> Option<Arc<Version>> {
        Some(self.product(self.homes.device(device)?.row.product)?.version())
    }

    /// The products at work.
    pub fn products(&self) -> impl Iterator<Item = (ProductNumber, &InForce)> {
        self.products.iter().map(|(number, product)| (*number, product))
    }

    /// The product of this name.
    #[must_use]
    pub fn product_named(&self, name: &str) -> Option<(ProductNumber, &InForce)> {
        self.products().find(|(_, product)| product.version().name() == name)
    }

    /// Shows every message to somebody once it is decided. The first who asks is the only one.
    pub fn watch(&self, watch: Box<Watch>) {
        let _ = self.watch.set(watch);
    }

    /// A new home, without anybody in it.
    ///
    /// # Errors
    /// [`NotChanged`]; there is then no new home.
    pub fn add_home(&self, by: By, now: u64) -> Result<HomeId, NotChanged> {
        let row = HomeRow {
            id: HomeId::random()?,
            household: SubjectId::random()?,
            bystanders: SubjectId::random()?,
        };
        let mac = self.mac_of(row.household)?;
        // The key before what needs it; a crash in between leaves a key of nobody.
        self.keys.sync()?;
        self.register.add_home(&row, &self.action("home-added", row.id.0, by, now)?)?;
        self.homes.add_home(row, mac);
        Ok(row.id)
    }

    /// Somebody who lives in a home, or is at home there, and has been asked nothing yet.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn add_person(&self, home: HomeId, band: AgeBand, by: By, now: u64) -> Result<PersonId, NotChanged> {
        self.add_aged(home, Age::of(band), by, now)
    }

    pub(crate) fn add_aged(&self, home: HomeId, age: Age, by: By, now: u64) -> Result<PersonId, NotChanged> {
        let home = self.homes.home(home).ok_or(NotChanged::Unknown("home"))?;
        let row = PersonRow { id: PersonId::random()?, home: home.row.id, age };
        let _still = self.applying.read().unwrap_or_else(PoisonError::into_inner);
        self.register.add_person(&row, &self.action("person-added", row.id.0, by, now)?)?;
        self.take_in(&row);
        self.want_again(&home, now);
        Ok(row.id)
    }

    /// A device of a home. Where its messages do not say whom they are about, it is its holder.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn add_device(
        &self,
        home: HomeId,
        product: ProductNumber,
        holder: Option<PersonId>,
        by: By,
        now: u64,
    ) -> Result<DeviceId, NotChanged> {
        let home = self.homes.home(home).ok_or(NotChanged::Unknown("home"))?;
        self.product(product).ok_or(NotChanged::Unknown("product"))?;
        let row = DeviceRow { id: DeviceId::random()?, home: home.row.id, product, holder };
        self.register.add_device(&row, &self.action("device-added", row.id.0, by, now)?)?;
        self.homes.add_device(row, None);
        self.want_again(&home, now);
        Ok(row.id)
    }

    /// How messages of a home name a person: an account, a wearer, an enrolled speaker.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn add_mark(&self, person: PersonId, mark: &str, by: By, now: u64) -> Result<(), NotChanged> {
        let home = self.homes.home_of(person).ok_or(NotChanged::Unknown("person"))?;
        let mac = home.mark(mark);
        let entry = self.action("mark-added", person.0, by, now)?;
        self.register.add_mark(home.row.id, mac, person, &entry)?;
        self.homes.add_mark(home.row.id, mac, person);
        home.epoch.end();
        self.want_again(&home, now);
        Ok(())
    }

    /// Writes down what somebody said, and returns when it is in force: on the disk, what every
    /// decision from now on is made by, and everything begun before it written or dropped. The number
    /// is that of its entry in the audit log, for a receipt.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub async fn choose(
        &self,
        about: About,
        product: ProductNumber,
        said: &Said,
        by: By,
        now: u64,
    ) -> Result<EntryNumber, NotChanged> {
        let unknown =
            NotChanged::Unknown(if matches!(about, About::Person(_)) { "person" } else { "device" });
        let (keeper, home) = self.keeper(about).ok_or(unknown)?;
        let in_force = self.product(product).ok_or(NotChanged::Unknown("product"))?;
        said.check(&in_force.version(), matches!(about, About::Device(_)))?;
        self.make_room()?;
        let plain = minicbor::to_vec(said).map_err(|_| keys::Unavailable)?;
        let sealed = keys::field::seal(&self.keys, keeper, &said_at(about, product), &plain)?;
        let choice = ChoiceRow { at: now, product, about, said: sealed };
        // 1. The key: a crash leaves a key that nothing is sealed under.
        self.keys.sync()?;
        let looks = if said.takes_back() { concerned(about, &home) } else { Vec::new() };
        let entry = {
            let _still = self.applying.read().unwrap_or_else(PoisonError::into_inner);
            // Another version may have come in force since: what was put has to be what it is now.
            let version = in_force.version();
            said.check(&version, matches!(about, About::Device(_)))?;
            // What ends at this moment has gone already, or is kept.
            let _expiring = matches!(said, Said::Restricted(_, true))
                .then(|| self.expiring.lock().unwrap_or_else(PoisonError::into_inner));
            // One change of a home at a time, so that the order of the log is the order of the standings.
            let _turn = home.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let agreed_before = self.has_agreed(about, in_force, said);
            let chosen = Chosen {
                about,
                home: home.row.id,
                keeper,
                version: &version,
                said,
                agreed_before,
                record: &plain,
            };
            let entry = self.choice_entry(&chosen, by, now)?;
            // 2. The log of choices, and with it the entry of the audit log: from here on it was said,
            // also after a crash, and the next start sums it.
            let entry = self.register.add_choice(&choice, &looks, &entry)?;
            // 3. Memory: whoever decides from now on decides by it, and finds the past ended.
            self.add(&choice);
            if matches!(said, Said::Restricted(_, false)) {
                self.homes.lifted.store(true, Ordering::SeqCst);
            }
            self.end_past(&home);
            self.want(&home, now);
            entry
        };
        // 4. What is being read is handed on, and the next part is decided by the new standing; what was
        // decided before is on the disk already, or finds its moment past.
        self.wait_for_past(&home).await?;
        Ok(entry)
    }

    /// Whether a yes is taken back.
    fn has_agreed(&self, about: About, product: &InForce, said: &Said) -> bool {
        let Said::Refused(purpose) = said else { return false };
        let agreed = match about {
            About::Person(person) => product.state().standings.get(person).map(|standing| standing.agreed),
            About::Device(device) => Some(product.state().device(device).agreed),
        };
        let purpose = product.version().purpose(purpose);
        purpose.zip(agreed).is_some_and(|(purpose, agreed)| agreed.contains(purpose))
    }

    /// What a device is wanted to send, now and whenever that changes.
    #[must_use]
    pub fn wanted(&self, device: DeviceId) -> Option<watch::Receiver<Wanted>> {
        Some(self.homes.device(device)?.wanted())
    }

    /// Works out again what each device of a home is wanted to send. Whoever asks holds the home's turn.
    pub(crate) fn want(&self, home: &HomeAtWork, now: u64) {
        for device in home.devices().into_iter().filter_map(|id| self.homes.device(id)) {
            let Some(product) = self.product(device.row.product) else { continue };
            let view = View::of(&device, product, self);
            device.want(Wanted::of(&view.version, view.device(), &view.nameable(), view.people(), now));
        }
    }

    /// The same where somebody or something has come into a home, and nobody holds its turn.
    pub(crate) fn want_again(&self, home: &HomeAtWork, now: u64) {
        let _turn = home.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.want(home, now);
    }

    /// How many parts lie here about a subject, readable or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn held(&self, subject: SubjectId) -> Result<u64, StoreError> {
        let mut parts = 0_u64;
        self.store.scan_places(&store::Wanted::all_of(subject), &mut |_, _| {
            parts = parts.saturating_add(1);
            true
        })?;
        Ok(parts)
    }

    /// What a person has said about a product, as it counts now.
    #[must_use]
    pub fn standing(&self, person: PersonId, product: ProductNumber) -> Option<Standing> {
        self.product(product)?.state().standings.get(person)
    }

    /// How many buckets there are, over or not.
    #[must_use]
    pub fn buckets(&self) -> usize {
        self.store.buckets().len()
    }

    /// Whether there is a key to anything that was received about a subject. Whoever destroys them holds
    /// the keys until that has reached the disk, so that `false` means that it has.
    #[must_use]
    pub fn is_readable(&self, subject: SubjectId) -> bool {
        !self.keys.streams_of(subject).is_empty()
    }

    /// What is settled for a device.
    #[must_use]
    pub fn device_standing(&self, device: DeviceId) -> Option<DeviceStanding> {
        let device = self.homes.device(device)?;
        Some(self.product(device.row.product)?.state().device(device.row.id))
    }

    /// Takes a message of a device that came by a stream of the version in force: see
    /// [`Journey::admit_by`].
    ///
    /// # Errors
    /// [`NotAdmitted`].
    pub async fn admit(
        &self,
        device: DeviceId,
        stream: StreamId,
        message: Message<'_>,
        now: u64,
    ) -> Result<Admitted, NotAdmitted> {
        let version = self.version_of(device).ok_or(NotAdmitted::NoSuchDevice)?;
        let number = version.stream_number(stream).ok_or(NotAdmitted::NoSuchStream)?;
        self.admit_by(device, number, message, now).await
    }

    /// Takes a message of a device: decides, minimises, seals, and returns when what is kept of it
    /// has reached the disk. All of it is decided by one version, whichever is in force then, and so
    /// the stream is told by its number, which it has in every version. `now` is in seconds since
    /// 1970.
    ///
    /// # Errors
    /// [`NotAdmitted`].
    pub async fn admit_by(
        &self,
        device: DeviceId,
        number: StreamNumber,
        message: Message<'_>,
        now: u64,
    ) -> Result<Admitted, NotAdmitted> {
        let device = self.homes.device(device).ok_or(NotAdmitted::NoSuchDevice)?;
        let product = self.product(device.row.product).ok_or(NotAdmitted::NoSuchDevice)?;
        // What comes in must not live on the reserve, nor be promised by a disk that has failed.
        if self.alarm.has_rung() {
            return Err(NotAdmitted::Later(Failed::Stopped));
        }
        if !self.reserve.is_whole() {
            return Err(NotAdmitted::Later(Failed::Full));
        }
        loop {
            // Whoever changes their mind while this is under way has it decided again.
            #[cfg(not(housecarl_bare))]
            let prepared = self.prepare(&device, product, number, message, now)?;
            #[cfg(housecarl_bare)]
            let prepared = self.pass_on(&device, product, number, message, now)?;
            let Prepared { sealed, identity, refused, moment } = prepared;
            let parts = sealed.parts();
            if parts == 0 {
                self.count_refusals(number, refused, now);
                return Ok(Admitted::Nothing);
            }
            match self.commits.commit(sealed, identity, moment).await {
                Ok(Outcome::Stored) => {
                    self.count_refusals(number, refused, now);
                    return Ok(Admitted::Kept(parts));
                }
                Ok(Outcome::Again) => return Ok(Admitted::Again),
                Ok(Outcome::Stale) => {}
                Err(error) => return Err(NotAdmitted::Later(error)),
            }
        }
    }

    /// All stages before the store.
    #[cfg_attr(housecarl_bare, expect(dead_code, reason = "what it costs is measured against going without"))]
    fn prepare(
        &self,
        device: &DeviceAtWork,
        product: &InForce,
        number: StreamNumber,
        message: Message<'_>,
        now: u64,
    ) -> Result<Prepared, NotAdmitted> {
        let view = View::of(device, product, self);
        let version = &*view.version;
        let stream = version.stream_of(number).ok_or(NotAdmitted::NoSuchStream)?;
        let (minimised, identity) = self.decide(version, stream, message, &view, now)?;
        if let Some(watch) = self.watch.get() {
            watch(device.row.id, version, stream, &minimised);
        }
        let belongs = Belongs { device: device.row.id, stream: number, received: now };
        let identity = device.home.identity(device.row.id, number.0, &identity);
        let refused = audit::refusals(&minimised);
        let subject = |whose| view.subject(whose);
        let sealed = seal::seal(minimised, belongs, subject, &self.keys, &self.sequence);
        let sealed = sealed.map_err(|error| match error {
            KeysError::Full => NotAdmitted::Later(Failed::Full),
            _ => NotAdmitted::Later(Failed::Stopped),
        })?;
        Ok(Prepared { sealed, identity, refused, moment: view.moment })
    }

    /// The first three stages, and what the message is recognised by.
    fn decide(
        &self,
        version: &Version,
        stream: StreamId,
        message: Message<'_>,
        view: &View<'_>,
        now: u64,
    ) -> Result<(Minimised, Vec<u8>), NotAdmitted> {
        let received = receive(message.payload).map_err(NotAdmitted::Unreadable)?;
        let mut permitted =
            decide(received, &version.table, stream, view, now).map_err(NotAdmitted::Unreadable)?;
        let declared = std::mem::take(&mut permitted.identity);
        let identity = match message.idempotency_key {
            Some(key) => [b"k", key].concat(),
            None if !declared.is_empty() => [b"d", declared.as_slice()].concat(),
            None => [b"p", message.payload].concat(),
        };
        let code_key = |whose: Whose| {
            let subject = view.subject(whose)?;
            let secret = self.keys.secret_or_new(KeyName::Subject(subject)).ok()?;
            secret.code_key().ok().map(PseudonymKey::of)
        };
        Ok((minimise(permitted, &version.table, code_key), identity))
    }
}

/// Whose parts something said can concern that takes something back.
fn concerned(about: About, home: &HomeAtWork) -> Vec<SubjectId> {
    match about {
        About::Person(person) => vec![person.into(), home.row.household],
        About::Device(_) => {
            let people = home.people().into_iter().map(SubjectId::from);
            people.chain([home.row.household, home.row.bystanders]).collect()
        }
    }
}

/// A message that is ready for the store.
pub(crate) struct Prepared {
    pub(crate) sealed: Sealed,
    /// What it is recognised by.
    pub(crate) identity: Identity,
    /// What was refused of it, and why.
    pub(crate) refused: Reasons,
    /// When it was decided.
    pub(crate) moment: Moment,
}

/// Where an entry of the log of choices is sealed to.
pub(crate) fn said_at(about: About, product: ProductNumber) -> Vec<u8> {
    let (kind, id) = match about {
        About::Person(id) => (b"p", id.0),
        About::Device(id) => (b"d", id.0),
    };
    [b"choice 1".as_slice(), kind, &id, &product.0.to_le_bytes()].concat()
}
