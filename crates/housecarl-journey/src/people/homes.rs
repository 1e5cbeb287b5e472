//! The homes at work: who lives there, which devices, and what is settled for each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use aws_lc_rs::hmac;
use housecarl_audit::entry::{Id, Whom};
use housecarl_policy::{AgeBand, DeviceStanding, ItemId, Standing, StreamId};
use tokio::sync::watch;

use super::birthdays::Age;
use super::credentials::Hash;
use super::horizons::Horizons;
use super::register::{DeviceRow, HomeRow, PersonRow};
use super::{DeviceId, HomeId, PersonId, SubjectId};
use crate::decide::{Home, Past, Whose};
use crate::journey::Journey;
use crate::product::{InForce, ProductNumber, Version};
use crate::store::Identity;
use crate::store::commit::{Epoch, Moment};
use crate::wanted::Wanted;

/// Everybody's home and everything in it.
#[derive(Default)]
pub(crate) struct Homes {
    homes: RwLock<BTreeMap<HomeId, Arc<HomeAtWork>>>,
    devices: RwLock<BTreeMap<DeviceId, Arc<DeviceAtWork>>>,
    people: RwLock<BTreeMap<PersonId, HomeId>>,
    /// Households and bystanders.
    shared: RwLock<BTreeMap<SubjectId, HomeId>>,
    pub(crate) horizons: Horizons,
    /// Whose band changes, or has changed: everybody else has the one that they came with.
    ages: RwLock<BTreeMap<PersonId, Age>>,
    /// Who has something of which product restricted.
    restricted: RwLock<BTreeSet<(PersonId, ProductNumber)>>,
    /// Whether a restriction may have been lifted that something is held for.
    pub(crate) lifted: AtomicBool,
}

impl fmt::Debug for Homes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Homes")
    }
}

/// A home at work.
pub(crate) struct HomeAtWork {
    pub(crate) row: HomeRow,
    /// It ends whenever anybody here changes their mind.
    pub(crate) epoch: Epoch,
    /// Held while one change of what was said here is written down and put in force.
    pub(crate) turn: Mutex<()>,
    /// Held by whoever hands on a part of somebody here; whoever withdraws waits for it.
    pub(crate) reading: RwLock<()>,
    /// Whether rows of somebody here were moved while somebody read.
    pub(crate) moves: Moves,
    mac: hmac::Key,
    members: RwLock<Members>,
}

/// Counts moves of rows, whose beginning and end each count as one: odd while one is under way.
#[derive(Default)]
pub(crate) struct Moves(AtomicU64);

impl Moves {
    /// Begins a move, which ends when this is dropped.
    pub(crate) fn begin(&self) -> Moving<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Moving(self)
    }

    /// How many there were; `None` while one is under way.
    pub(crate) fn so_far(&self) -> Option<u64> {
        Some(self.0.load(Ordering::SeqCst)).filter(|moves| moves.is_multiple_of(2))
    }
}

/// A move that is under way.
pub(crate) struct Moving<'m>(&'m Moves);

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Default)]
struct Members {
    people: Vec<PersonId>,
    devices: Vec<DeviceId>,
    marks: BTreeMap<[u8; 16], PersonId>,
}

impl HomeAtWork {
    /// The people here.
    pub(crate) fn people(&self) -> Vec<PersonId> {
        self.members.read().unwrap_or_else(PoisonError::into_inner).people.clone()
    }

    /// The devices here.
    pub(crate) fn devices(&self) -> Vec<DeviceId> {
        self.members.read().unwrap_or_else(PoisonError::into_inner).devices.clone()
    }

    /// The code of a mark by which messages name somebody of this home.
    pub(crate) fn mark(&self, mark: &str) -> [u8; 16] {
        self.code(&[b"mark", mark.as_bytes()])
    }

    /// What a message of this home is recognised by.
    pub(crate) fn identity(&self, device: DeviceId, stream: u16, of: &[u8]) -> Identity {
        Identity(self.code(&[b"identity", &device.0, &stream.to_le_bytes(), of]))
    }

    fn code(&self, fields: &[&[u8]]) -> [u8; 16] {
        let len = fields.iter().map(|field| 8 + field.len()).sum();
        let mut bytes = Vec::with_capacity(len);
        for field in fields {
            bytes.extend((field.len() as u64).to_le_bytes());
            bytes.extend_from_slice(field);
        }
        hmac::sign(&self.mac, &bytes).as_ref().first_chunk().copied().unwrap_or_default()
    }
}

/// A device at work.
pub(crate) struct DeviceAtWork {
    pub(crate) row: DeviceRow,
    pub(crate) home: Arc<HomeAtWork>,
    secret: watch::Sender<Option<Hash>>,
    wanted: watch::Sender<Wanted>,
}

impl DeviceAtWork {
    /// What is kept of its secret, now and when it changes.
    pub(crate) fn secret(&self) -> watch::Receiver<Option<Hash>> {
        self.secret.subscribe()
    }

    pub(crate) fn set_secret(&self, secret: Option<Hash>) {
        self.secret.send_replace(secret);
    }

    /// What it is wanted to send, now and when it changes.
    pub(crate) fn wanted(&self) -> watch::Receiver<Wanted> {
        self.wanted.subscribe()
    }

    pub(crate) fn want(&self, wanted: Wanted) {
        self.wanted.send_if_modified(|present| {
            let changed = *present != wanted;
            *present = wanted;
            changed
        });
    }
}

impl Homes {
    /// Takes a home in. `mac` is the key of what its messages are recognised by.
    pub(crate) fn add_home(&self, row: HomeRow, mac: hmac::Key) {
        let home = HomeAtWork {
            row,
            epoch: Epoch::default(),
            turn: Mutex::default(),
            reading: RwLock::default(),
            moves: Moves::default(),
            mac,
            members: RwLock::default(),
        };
        self.homes.write().unwrap_or_else(PoisonError::into_inner).insert(row.id, Arc::new(home));
        let mut shared = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        shared.extend([(row.household, row.id), (row.bystanders, row.id)]);
    }

    pub(crate) fn add_person(&self, row: &PersonRow) {
        let Some(home) = self.home(row.home) else { return };
        home.members.write().unwrap_or_else(PoisonError::into_inner).people.push(row.id);
        self.people.write().unwrap_or_else(PoisonError::into_inner).insert(row.id, row.home);
        self.set_age(row.id, row.age);
        // What is decided about a household depends on who lives there.
        home.epoch.end();
    }

    /// Forgets a person: nobody is recognised as them from now on.
    pub(crate) fn remove_person(&self, person: PersonId) {
        let Some(home) = self.home_of(person) else { return };
        let mut members = home.members.write().unwrap_or_else(PoisonError::into_inner);
        members.people.retain(|id| *id != person);
        members.marks.retain(|_, id| *id != person);
        drop(members);
        self.people.write().unwrap_or_else(PoisonError::into_inner).remove(&person);
        self.ages.write().unwrap_or_else(PoisonError::into_inner).remove(&person);
        self.restricted.write().unwrap_or_else(PoisonError::into_inner).retain(|(id, _)| *id != person);
        self.lifted.store(true, Ordering::SeqCst);
        home.epoch.end();
    }

    /// What is known of those whose band changes.
    pub(crate) fn ages(&self) -> Vec<(PersonId, Age)> {
        let ages = self.ages.read().unwrap_or_else(PoisonError::into_inner);
        ages.iter().map(|(person, age)| (*person, *age)).collect()
    }

    pub(crate) fn set_age(&self, person: PersonId, age: Age) {
        if age != Age::of(age.band) {
            self.ages.write().unwrap_or_else(PoisonError::into_inner).insert(person, age);
        }
    }

    /// The band of somebody at an earlier moment, who is in this one now; `None` where that cannot be known.
    fn band_at(&self, person: PersonId, now: AgeBand, moment: u64) -> Option<AgeBand> {
        let ages = self.ages.read().unwrap_or_else(PoisonError::into_inner);
        ages.get(&person).map_or(Some(now), |age| age.band_at(moment))
    }

    pub(crate) fn add_device(&self, row: DeviceRow, secret: Option<Hash>) {
        let Some(home) = self.home(row.home) else { return };
        let device =
            DeviceAtWork { row, home, secret: watch::Sender::new(secret), wanted: watch::Sender::default() };
        device.home.members.write().unwrap_or_else(PoisonError::into_inner).devices.push(row.id);
        self.devices.write().unwrap_or_else(PoisonError::into_inner).insert(row.id, Arc::new(device));
    }

    pub(crate) fn add_mark(&self, home: HomeId, mac: [u8; 16], person: PersonId) {
        let Some(home) = self.home(home) else { return };
        home.members.write().unwrap_or_else(PoisonError::into_inner).marks.insert(mac, person);
    }

    /// Goes through every home.
    pub(crate) fn each(&self, each: impl FnMut(&HomeAtWork)) {
        let homes: Vec<_> =
            self.homes.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        homes.iter().map(Arc::as_ref).for_each(each);
    }

    /// Everybody who lives somewhere.
    pub(crate) fn people(&self) -> Vec<PersonId> {
        self.people.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    pub(crate) fn home(&self, id: HomeId) -> Option<Arc<HomeAtWork>> {
        self.homes.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub(crate) fn home_of(&self, person: PersonId) -> Option<Arc<HomeAtWork>> {
        let home = *self.people.read().unwrap_or_else(PoisonError::into_inner).get(&person)?;
        self.home(home)
    }

    /// The home of a subject: of the person, the household or the bystanders.
    pub(crate) fn of(&self, subject: SubjectId) -> Option<Arc<HomeAtWork>> {
        self.home_of(PersonId(subject.0)).or_else(|| {
            let home = *self.shared.read().unwrap_or_else(PoisonError::into_inner).get(&subject)?;
            self.home(home)
        })
    }

    pub(crate) fn device(&self, id: DeviceId) -> Option<Arc<DeviceAtWork>> {
        self.devices.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Notes whether somebody has anything of a product restricted.
    pub(crate) fn set_restricted(&self, person: PersonId, product: ProductNumber, restricted: bool) {
        let mut all = self.restricted.write().unwrap_or_else(PoisonError::into_inner);
        if restricted {
            all.insert((person, product));
        } else if all.remove(&(person, product)) {
            self.lifted.store(true, Ordering::SeqCst);
        }
    }

    /// About whom something may be restricted: people who asked for it, and their households.
    pub(crate) fn restricted(&self) -> BTreeSet<SubjectId> {
        let all: BTreeSet<PersonId> = {
            let all = self.restricted.read().unwrap_or_else(PoisonError::into_inner);
            all.iter().map(|(person, _)| *person).collect()
        };
        let homes = all.into_iter().filter_map(|person| Some((person, self.home_of(person)?)));
        homes.flat_map(|(person, home)| [person.into(), home.row.household]).collect()
    }

    /// Whom a subject is, as the log says it.
    pub(crate) fn whom(&self, subject: SubjectId) -> Option<Whom> {
        let home = self.of(subject)?.row;
        Some(if subject == home.household {
            Whom::Household(Id(home.id.0))
        } else if subject == home.bystanders {
            Whom::Bystanders
        } else {
            Whom::Person(Id(subject.0))
        })
    }
}

/// A home as one device's message finds it: read once, so that everything in one message is decided
/// by the same choices, and with the moment at which it was read.
pub(crate) struct View<'j> {
    journey: &'j Journey,
    product: ProductNumber,
    device_id: DeviceId,
    pub(crate) moment: Moment,
    /// What is decided by: the version that was in force at that moment, or the next one.
    pub(crate) version: Arc<Version>,
    home: Arc<HomeAtWork>,
    device: DeviceStanding,
    holder: Option<PersonId>,
    ids: Vec<PersonId>,
    standings: Vec<Standing>,
}

impl<'j> View<'j> {
    pub(crate) fn of(device: &DeviceAtWork, product: &InForce, journey: &'j Journey) -> Self {
        // First the moment: what changes while the rest is read makes it the past.
        let moment = device.home.epoch.now();
        let state = product.state();
        let members = device.home.members.read().unwrap_or_else(PoisonError::into_inner);
        let (mut ids, mut known) =
            (Vec::with_capacity(members.people.len()), Vec::with_capacity(members.people.len()));
        for id in &members.people {
            if let Some(standing) = state.standings.get(*id) {
                ids.push(*id);
                known.push(standing);
            }
        }
        drop(members);
        let home = Arc::clone(&device.home);
        Self {
            journey,
            product: device.row.product,
            device_id: device.row.id,
            moment,
            version: Arc::clone(&state.version),
            home,
            device: state.device(device.row.id),
            holder: device.row.holder,
            ids,
            standings: known,
        }
    }

    /// Those whom messages of this device can be about: who has a mark, and the holder.
    pub(crate) fn nameable(&self) -> Vec<Standing> {
        let members = self.home.members.read().unwrap_or_else(PoisonError::into_inner);
        let nameable =
            |id: &PersonId| Some(*id) == self.holder || members.marks.values().any(|named| named == id);
        let known = self.ids.iter().zip(&self.standings).filter(|(id, _)| nameable(id));
        known.map(|(_, standing)| *standing).collect()
    }

    /// Under whose key a value goes.
    pub(crate) fn subject(&self, whose: Whose) -> Option<SubjectId> {
        match whose {
            Whose::Person(at) => self.ids.get(at).copied().map(SubjectId::from),
            Whose::Household => Some(self.home.row.household),
            Whose::Bystander => Some(self.home.row.bystanders),
        }
    }

    /// Whose a subject is, seen from here.
    pub(crate) fn whose(&self, subject: SubjectId) -> Option<Whose> {
        if subject == self.home.row.household {
            return Some(Whose::Household);
        }
        if subject == self.home.row.bystanders {
            return Some(Whose::Bystander);
        }
        self.ids.iter().position(|id| SubjectId::from(*id) == subject).map(Whose::Person)
    }
}

impl Home for View<'_> {
    fn device(&self) -> &DeviceStanding {
        &self.device
    }

    fn people(&self) -> &[Standing] {
        &self.standings
    }

    fn at(&self, moment: u64) -> Option<Past> {
        let unchanged = |changed_at: u32| u64::from(changed_at) <= moment;
        let by = (self.product, &*self.version);
        let device = if unchanged(self.device.changed_at) {
            self.device
        } else {
            self.journey.device_standing_at(self.device_id, by, moment)?
        };
        let person = |(id, now): (&PersonId, &Standing)| {
            let band = self.journey.homes.band_at(*id, now.band, moment)?;
            if unchanged(now.changed_at) {
                return Some(Standing { band, ..*now });
            }
            self.journey.standing_at(*id, band, by, moment)
        };
        let people = self.ids.iter().zip(&self.standings).map(person).collect::<Option<_>>()?;
        Some(Past { device, people })
    }

    fn is_erased(&self, whose: Whose, stream: StreamId, item: ItemId, captured: u64) -> bool {
        let Some(subject) = self.subject(whose) else { return false };
        // A stream that the manifest has no longer cannot bring anything.
        let Some(stream) = self.version.stream_number(stream) else { return false };
        self.journey.homes.horizons.is_erased(subject, stream, (self.product, item), captured)
    }

    fn is_unchanged_since(&self, moment: u64) -> bool {
        let unchanged = |changed_at: u32| u64::from(changed_at) <= moment;
        // Who has had a birthday since was younger then.
        let same = |(id, now): (&PersonId, &Standing)| {
            unchanged(now.changed_at) && self.journey.homes.band_at(*id, now.band, moment) == Some(now.band)
        };
        unchanged(self.device.changed_at)
            && self.ids.iter().zip(&self.standings).all(same)
            && self.journey.homes.horizons.are_before(moment)
    }

    fn person(&self, mark: Option<&str>) -> Option<usize> {
        let named = |mark: &str| {
            let members = self.home.members.read().unwrap_or_else(PoisonError::into_inner);
            members.marks.get(&self.home.mark(mark)).copied()
        };
        // A mark that nobody here has is somebody else's, not the holder's.
        let person = match mark {
            Some(mark) => named(mark),
            None => self.holder,
        }?;
        self.ids.iter().position(|id| *id == person)
    }
}
