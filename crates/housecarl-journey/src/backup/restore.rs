//! Restore: an empty data directory gets what was copied, less what may not come back.
//!
//! Everything is put together in a folder of its own inside of the data directory, and moved out of it
//! when it is complete. While that folder is there nobody opens the data directory: a restore that was
//! cut short, wherever, is begun again. In order:
//! 1. the keys, if their copy may still be used;
//! 2. the register, with whatever was erased since it was copied marked to be erased, without tokens of
//!    operators and claim codes, since some may have been revoked; and the published log, taken up again
//!    or left ([`super::published`]);
//! 3. the records, without rows that these keys do not open;
//! 4. it is opened as at every start, which finishes all erasures, and the keys of what is over go;
//! 5. that it was restored is said for everybody who had said anything: what they agreed to no longer
//!    counts, because they may have taken it back since ([`Said::Restored`]);
//! 6. it is moved to its place.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use housecarl_audit::Act;
use housecarl_audit::entry::Id;
use rusqlite::{Connection, OpenFlags, params};

use super::{Backup, ERASURES, RECORDS, REGISTER, clear, destroy, published, sync_all};
use crate::audit::{self, AuditError, By};
use crate::journey::{Journey, NotChanged, OpenError, Settings};
use crate::keys::{self, KeyName, Keys, KeysError, RootKey, RootKeyError, copy};
use crate::people::register::ChoiceRow;
use crate::people::{About, DeviceId, PersonId, RegisterError, Said};
use crate::product::ProductNumber;
use crate::seal;
use crate::store::StoreError;
use crate::store::records::Records;

/// The folder in which a data directory is put together. Where it is, a restore was cut short.
pub(crate) const RESTORING: &str = "restoring";

/// From what to restore.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The copied records and register.
    pub records: PathBuf,
    /// The copied keys.
    pub keys: PathBuf,
    /// The list of what was erased: the newest there is. Another register has one too.
    pub erasures: Erasures,
    /// The published log as it was last, where it is at hand.
    pub log: Option<PathBuf>,
}

/// Where it is known from what was erased.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Erasures {
    /// From the list that lies beside the copies of the keys.
    Beside,
    /// From this list.
    In(PathBuf),
    /// From the copied register alone, because there is no list any more: what was erased after the
    /// copy comes back.
    Unknown,
}

/// What was restored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// When the copy of the keys was made: seconds since 1970.
    pub keys_of: u64,
    /// Until when it is known what was erased; `None` where there was no list.
    pub erasures_until: Option<u64>,
    /// How many parts came back.
    pub parts: u64,
    /// How many parts are not there any more, because nothing opens them.
    pub unreadable: u64,
    /// How many people and devices have to say again what they agree to.
    pub asked_again: u64,
    /// How many entries of the published log came back; `None` where a new log was begun.
    pub log_entries: Option<u64>,
}

/// Why nothing was restored. The data directory is as empty as it was, or is known to be unfinished.
#[derive(Debug)]
pub enum NotRestored {
    /// There is something in the data directory.
    NotEmpty(PathBuf),
    /// A file or folder.
    File(PathBuf, io::Error),
    /// The root key.
    RootKey(RootKeyError),
    /// The copy of the keys is not one, or of another root key.
    Keys(PathBuf, KeysError),
    /// The copy of the keys may not be used any more, since this moment (seconds since 1970).
    TooOld(PathBuf, u64),
    /// There is no list of erasures.
    NoList(PathBuf),
    /// The published log, and why it cannot be taken up.
    Log(PathBuf, String),
    /// The copied register, or the list.
    Register(RegisterError),
    /// Opening what was put together.
    Open(OpenError),
    /// Writing to it.
    NotChanged(NotChanged),
}

impl fmt::Display for NotRestored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEmpty(path) => write!(
                f,
                "there is a data directory in `{}`, and nothing is restored over it; name an empty one, or move it away",
                path.display()
            ),
            Self::File(path, error) => write!(f, "`{}`: {error}", path.display()),
            Self::RootKey(error) => write!(f, "{error}; `housecarl key import` puts it back"),
            Self::Keys(path, error) => write!(f, "the copy of the keys `{}`: {error}", path.display()),
            Self::TooOld(path, until) => write!(
                f,
                "the copy of the keys `{}` may not be used since {}: with it would come back what was erased; use a \
                 newer one, and destroy this one",
                path.display(),
                super::stamp(*until)
            ),
            Self::NoList(path) => write!(
                f,
                "there is no list of erasures `{}`, so that what was erased since the copy was made would come back; \
                 name the newest list, or another register, with `--erasures`; where there is none left, \
                 `--erasures unknown` goes on without",
                path.display()
            ),
            Self::Log(path, why) => write!(
                f,
                "the published log `{}` cannot be taken up: {why}; without `--log` a new log is begun",
                path.display()
            ),
            Self::Register(error) => error.fmt(f),
            Self::Open(error) => error.fmt(f),
            Self::NotChanged(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotRestored {}

macro_rules! from {
    ($($variant:ident: $($error:ty),+;)+) => {$($(
        impl From<$error> for NotRestored {
            fn from(error: $error) -> Self {
                Self::$variant(error.into())
            }
        }
    )+)+};
}
from!(
    Register: RegisterError, rusqlite::Error;
    Open: OpenError;
    NotChanged: NotChanged, KeysError, StoreError, AuditError, keys::Unavailable;
    RootKey: RootKeyError;
);

fn at(path: &Path) -> impl FnOnce(io::Error) -> NotRestored + use<> {
    let path = path.to_owned();
    move |error| NotRestored::File(path, error)
}

/// Restores into the data directory of the settings. `clock` gives seconds since 1970.
///
/// # Errors
/// [`NotRestored`].
pub fn restore(
    settings: &Settings,
    sources: &Sources,
    clock: impl Fn() -> u64 + Send + 'static,
) -> Result<Restored, NotRestored> {
    let now = clock();
    let root = RootKey::open(&settings.root_key)?;
    let bytes = fs::read(&sources.keys).map_err(at(&sources.keys))?;
    let read = copy::read(&bytes, &root).map_err(|error| NotRestored::Keys(sources.keys.clone(), error))?;
    if read.until <= now {
        return Err(NotRestored::TooOld(sources.keys.clone(), read.until));
    }
    let list = list(sources)?;
    let folder = begin(settings)?;
    // Nothing is copied or listed from a data directory that is not complete.
    let inside = Settings { folder: folder.clone(), backup: Backup::default(), ..settings.clone() };

    write_keys(&inside.keys(), read.file).map_err(at(&inside.keys()))?;
    let keys =
        Keys::open(&inside.keys(), root).map_err(|error| NotRestored::Keys(sources.keys.clone(), error))?;
    keys.destroy(|name| matches!(name, KeyName::Bucket(bucket) if bucket.ends_at() <= now))?;
    let (erasures_until, log_entries, left) =
        prepare_register(&folder.join(REGISTER), sources, list.as_deref(), read.made, &keys)?;
    let (parts, unreadable) = prepare_records(&folder.join(RECORDS), sources, &keys)?;
    drop(keys);

    let broken = |_: &dyn std::error::Error| {};
    let journey = Journey::open(&inside, Vec::new(), clock, broken)?;
    // A start goes on without room for it; a restore does not.
    if !journey.register.erasures(true)?.is_empty() {
        return Err(NotChanged::Store(StoreError::Full).into());
    }
    let asked_again = journey.say_restored(left.as_deref(), now)?;
    journey.close_log(now)?;
    drop(journey);
    finish(settings, &folder)?;
    Ok(Restored { keys_of: read.made, erasures_until, parts, unreadable, asked_again, log_entries })
}

/// The list of erasures, if there is to be one.
fn list(sources: &Sources) -> Result<Option<PathBuf>, NotRestored> {
    let path = match &sources.erasures {
        Erasures::Unknown => return Ok(None),
        Erasures::In(path) => path.clone(),
        Erasures::Beside => sources.keys.with_file_name(ERASURES),
    };
    if path.is_file() { Ok(Some(path)) } else { Err(NotRestored::NoList(path)) }
}

/// The folder to put everything together in, new and empty.
fn begin(settings: &Settings) -> Result<PathBuf, NotRestored> {
    let (data, folder) = (&settings.folder, settings.folder.join(RESTORING));
    fs::create_dir_all(data).map_err(at(data))?;
    let cut_short = folder.exists();
    for entry in fs::read_dir(data).map_err(at(data))? {
        let path = entry.map_err(at(data))?.path();
        if path == settings.root_key || path == folder {
            continue;
        }
        // Nobody else could write here while it was unfinished: it is what was being moved.
        if !cut_short {
            return Err(NotRestored::NotEmpty(data.clone()));
        }
        discard(&path).map_err(at(&path))?;
    }
    if cut_short {
        let keys = folder.join("keys");
        discard(&keys).map_err(at(&keys))?;
        clear(&folder).map_err(at(&folder))?;
    }
    fs::create_dir(&folder).map_err(at(&folder))?;
    sync_all(data).map_err(at(data))?;
    Ok(folder)
}

/// Whatever is at a path goes, and if it is keys, their bytes with it.
fn discard(path: &Path) -> io::Result<()> {
    if path.is_file() && path.file_name().is_some_and(|name| name == "keys") {
        destroy(path)
    } else {
        clear(path)
    }
}

fn write_keys(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

type Prepared = (Option<u64>, Option<u64>, Option<String>);

/// The register, as it may be opened: until when it is known what was erased, how many entries of the
/// log came back, and where it did not, the checkpoint at which it was left.
fn prepare_register(
    path: &Path,
    sources: &Sources,
    list: Option<&Path>,
    keys_of: u64,
    keys: &Keys,
) -> Result<Prepared, NotRestored> {
    let copied = sources.records.join(REGISTER);
    fs::copy(&copied, path).map_err(at(&copied))?;
    // With all columns that this program knows, so that a list has none that are missing here.
    drop(crate::people::register::Register::open(path)?);
    let register = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut until = None;
    if let Some(list) = list {
        register.execute("ATTACH DATABASE ?1 AS list", [list.to_string_lossy()])?;
        until = Some(listed_until(&register)?);
        add_erasures(&register)?;
        register.execute_batch("DETACH DATABASE list")?;
    }
    register.execute_batch("BEGIN")?;
    // What was erased after the keys were copied has its keys again, and is erased again.
    register.execute(
        "UPDATE erasure SET unreadable_at = NULL, done_at = NULL WHERE unreadable_at IS NULL OR unreadable_at >= ?1",
        [i64::try_from(keys_of).unwrap_or(i64::MAX)],
    )?;
    register.execute_batch("DELETE FROM operator; DELETE FROM claim;")?;
    let (entries, left) = match &sources.log {
        Some(folder) => (Some(published::take_up(&register, keys, folder)?), None),
        None => (None, published::leave(&register, keys)?),
    };
    register.execute_batch("COMMIT")?;
    Ok((until, entries, left))
}

/// Until when the list is complete. Another register says when its clock was last looked at.
fn listed_until(register: &Connection) -> Result<u64, rusqlite::Error> {
    let has_made = "SELECT EXISTS (SELECT 1 FROM list.sqlite_schema WHERE name = 'made')";
    let query = if register.query_one(has_made, [], |row| row.get(0))? {
        "SELECT at FROM list.made"
    } else {
        "SELECT seen FROM list.clock"
    };
    register.query_one(query, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

/// Adds the erasures of the list that the register does not know, whatever columns they have.
fn add_erasures(register: &Connection) -> Result<(), rusqlite::Error> {
    let mut query =
        register.prepare("SELECT name FROM pragma_table_info('erasure', 'list') WHERE name <> 'number'")?;
    let columns: Vec<String> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let columns = columns.join(", ");
    register.execute(
        &format!(
            "INSERT INTO main.erasure ({columns}) SELECT {columns} FROM list.erasure
             WHERE erasure_case NOT IN (SELECT erasure_case FROM main.erasure) ORDER BY number"
        ),
        [],
    )?;
    Ok(())
}

/// The records, without what nothing opens: how many parts are left, and how many went.
fn prepare_records(folder: &Path, sources: &Sources, keys: &Keys) -> Result<(u64, u64), NotRestored> {
    let copied = sources.records.join(RECORDS);
    copy_folder(&copied, folder).map_err(at(&copied))?;
    let records = Records::open(folder, 0)?;
    let mut parts = 0_u64;
    let unreadable = records.retain(|stored| {
        let opens = matches!(seal::open(stored, keys), Ok(Some(_)));
        parts = parts.saturating_add(u64::from(opens));
        opens
    })?;
    Ok((parts, unreadable))
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() { copy_folder(&path, &to.join(name))? } else { _ = fs::copy(&path, to.join(name))? }
    }
    Ok(())
}

/// Moves everything to its place. The folder goes last: until then the restore is unfinished.
fn finish(settings: &Settings, folder: &Path) -> Result<(), NotRestored> {
    let data = &settings.folder;
    sync_all(folder).map_err(at(folder))?;
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if let Some(name) = path.file_name() {
            fs::rename(&path, data.join(name)).map_err(at(&path))?;
        }
    }
    // The names in their new place before the old one says that all is done.
    fs::File::open(data).and_then(|data| data.sync_all()).map_err(at(data))?;
    fs::remove_dir(folder).map_err(at(folder))?;
    fs::File::open(data).and_then(|data| data.sync_all()).map_err(at(data))
}

impl Journey {
    /// Says of everybody who had said anything that this was restored: of how many, and of what.
    fn say_restored(&self, left: Option<&str>, now: u64) -> Result<u64, NotRestored> {
        let plain = minicbor::to_vec(Said::Restored).map_err(|_| keys::Unavailable)?;
        let mut rows = Vec::new();
        for (about, product) in self.register.who_said()? {
            let Some((keeper, _)) = self.keeper(about) else { continue };
            let said =
                keys::field::seal(&self.keys, keeper, &crate::journey::said_at(about, product), &plain)?;
            rows.push(ChoiceRow { at: now, product, about, said });
        }
        self.keys.sync()?;
        let action = audit::name("restored")?;
        let entry = self.entry(None, By::Housecarl, now, left.unwrap_or_default().as_bytes(), |record| {
            Act::OperatorAction { action, target: Id([0; 16]), record }
        })?;
        self.register.say(&rows, &entry)?;
        Ok(rows.len() as u64)
    }
}

impl crate::people::register::Register {
    /// Whoever said anything, and about which product.
    fn who_said(&self) -> Result<Vec<(About, ProductNumber)>, RegisterError> {
        self.all("SELECT DISTINCT person, device, product FROM choice ORDER BY product", |row| {
            let about = match row.get::<_, Option<PersonId>>(0)? {
                Some(person) => About::Person(person),
                None => About::Device(row.get::<_, DeviceId>(1)?),
            };
            Ok((about, ProductNumber(row.get(2)?)))
        })
    }

    /// Writes down several things that were said, under one entry of the log.
    fn say(&self, rows: &[ChoiceRow], entry: &audit::Outgoing) -> Result<(), RegisterError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let number = i64::try_from(audit::add(&transaction, entry)?.0).unwrap_or(i64::MAX);
        for row in rows {
            let (person, device) = match row.about {
                About::Person(person) => (Some(person), None),
                About::Device(device) => (None, Some(device)),
            };
            transaction.execute(
                "INSERT INTO choice (at, product, person, device, said, entry) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    i64::try_from(row.at).unwrap_or(i64::MAX),
                    row.product.0,
                    person,
                    device,
                    row.said,
                    number
                ],
            )?;
        }
        Ok(transaction.commit()?)
    }
}
