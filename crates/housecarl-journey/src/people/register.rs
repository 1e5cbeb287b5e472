//! The register: products, homes, people, devices and the log of choices, in SQLite.
//!
//! Each change is one transaction that has reached the disk when the method returns, and its entry
//! for the audit log is in the same one: nothing is changed without its entry, and no entry speaks
//! of what was not.

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use housecarl_policy::AgeBand;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::birthdays::{Age, Month};
use super::credentials::{ClaimRow, Hash, Operator, Role};
use super::{DeviceId, HomeId, OperatorId, PersonId, SubjectId};
use crate::alarm::Alarm;
use crate::apply::Applied;
use crate::audit::{EntryNumber, Outgoing, add};
use crate::product::ProductNumber;
use crate::store::{Bucket, StreamNumber};

/// The steps by which the layout has come to be what this program reads and writes: only added to, and
/// none changed. SQLite's `user_version` says how many of them a register has been through.
const STEPS: [&str; 5] = [
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
];

/// Why the register cannot be used.
#[derive(Debug)]
pub enum RegisterError {
    /// Another gateway has it open.
    InUse,
    /// A layout that this program does not know.
    UnknownVersion(i64),
    /// The disk is full, and the reserve too.
    Full,
    /// The disk or SQLite failed. What was promised may not be there: stop, and start again.
    Broken(rusqlite::Error),
    /// There are as many products or streams as there are numbers.
    TooMany,
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("another gateway has the data directory open"),
            Self::UnknownVersion(version) => {
                write!(f, "the register has version {version}, which this program does not know")
            }
            Self::Full => f.write_str("the disk is full"),
            // SQLite's messages name tables and columns, never values.
            Self::Broken(error) => write!(f, "the register failed: {error}"),
            Self::TooMany => f.write_str("there are 65,536 products or streams, and no number is left"),
        }
    }
}

impl std::error::Error for RegisterError {}

impl From<rusqlite::Error> for RegisterError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Self::InUse,
            _ => Self::Broken(error),
        }
    }
}

pub(super) type Result<T> = std::result::Result<T, RegisterError>;

/// A person, as registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PersonRow {
    pub(crate) id: PersonId,
    pub(crate) home: HomeId,
    pub(crate) age: Age,
}

/// A home, as registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HomeRow {
    pub(crate) id: HomeId,
    pub(crate) household: SubjectId,
    pub(crate) bystanders: SubjectId,
}

/// A device, as registered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeviceRow {
    pub(crate) id: DeviceId,
    pub(crate) home: HomeId,
    pub(crate) product: ProductNumber,
    pub(crate) holder: Option<PersonId>,
}

/// Whom or what something was said about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum About {
    /// A person.
    Person(PersonId),
    /// A device, for those who use it.
    Device(DeviceId),
}

/// An entry of the log of choices; `said` is sealed.
#[derive(Clone, Debug)]
pub(crate) struct ChoiceRow {
    pub(crate) at: u64,
    pub(crate) product: ProductNumber,
    pub(crate) about: About,
    pub(crate) said: Vec<u8>,
}

macro_rules! ids_as_blobs {
    ($($name:ty),+) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let bytes = value.as_blob()?.try_into().map_err(|_| FromSqlError::InvalidType)?;
                Ok(Self(bytes))
            }
        }
    )+};
}
ids_as_blobs!(PersonId, HomeId, DeviceId, SubjectId, OperatorId);

/// The register.
pub(crate) struct Register {
    connection: Mutex<Connection>,
    pub(crate) alarm: Arc<Alarm>,
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Register")
    }
}

impl Register {
    /// Opens the register, or begins it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        // One process has it, so no memory needs to be shared; and a lock is taken at once, so that a
        // second gateway is refused before it does anything.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "secure_delete", true)?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let done = usize::try_from(version).ok().filter(|done| *done <= STEPS.len());
        let done = done.ok_or(RegisterError::UnknownVersion(version))?;
        for (number, step) in (1..).zip(STEPS).skip(done) {
            // All of it or nothing, so that a crash leaves what was there before.
            connection
                .execute_batch(&format!("BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;"))?;
        }
        Ok(Self { connection: Mutex::new(connection), alarm: Arc::default() })
    }

    /// The same, with somebody who hears when the disk fails.
    pub(crate) fn watched(self, alarm: &Arc<Alarm>) -> Self {
        Self { alarm: Arc::clone(alarm), ..self }
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a product, given now where it has none.
    pub(crate) fn product(&self, name: &str) -> Result<ProductNumber> {
        let connection = self.connection();
        connection.execute("INSERT OR IGNORE INTO product (name) VALUES (?1)", [name])?;
        let number: i64 =
            connection.query_one("SELECT number FROM product WHERE name = ?1", [name], |r| r.get(0))?;
        u16::try_from(number).map(ProductNumber).map_err(|_| RegisterError::TooMany)
    }

    /// The number of a product's stream, given now where it has none.
    pub(crate) fn stream(&self, product: ProductNumber, name: &str) -> Result<StreamNumber> {
        let connection = self.connection();
        let of = params![product.0, name];
        connection.execute("INSERT OR IGNORE INTO stream (product, name) VALUES (?1, ?2)", of)?;
        let number: i64 = connection.query_one(
            "SELECT number FROM stream WHERE product = ?1 AND name = ?2",
            of,
            |row| row.get(0),
        )?;
        u16::try_from(number).map(StreamNumber).map_err(|_| RegisterError::TooMany)
    }

    /// The names of a stream and of its product.
    pub(crate) fn stream_names(&self, stream: StreamNumber) -> Result<(String, String)> {
        let query = "SELECT product.name, stream.name FROM stream
                     JOIN product ON product.number = stream.product WHERE stream.number = ?1";
        Ok(self.connection().query_one(query, [stream.0], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// The SHA-256 of the policy table of a product that was in force last.
    pub(crate) fn applied(&self, product: ProductNumber) -> Result<Option<[u8; 32]>> {
        let query = "SELECT applied FROM product WHERE number = ?1";
        Ok(self.connection().query_one(query, [product.0], |row| row.get(0))?)
    }

    /// What each product was put in force from, where that is known.
    pub(crate) fn sources(&self) -> Result<Vec<Applied>> {
        self.all("SELECT name, source FROM product WHERE source IS NOT NULL", |row| {
            Ok(Applied { product: row.get(0)?, source: row.get(1)? })
        })
    }

    /// The same of one product.
    pub(crate) fn source(&self, product: ProductNumber) -> Result<Option<Vec<u8>>> {
        let query = "SELECT source FROM product WHERE number = ?1";
        Ok(self.connection().query_one(query, [product.0], |row| row.get(0))?)
    }

    /// Another table is in force, compiled from this; where nobody says from what, that stays as it is.
    pub(crate) fn apply(
        &self,
        product: ProductNumber,
        table: [u8; 32],
        source: Option<&[u8]>,
        entry: &Outgoing,
    ) -> Result<EntryNumber> {
        self.changed(entry, |transaction| {
            let values = params![table, source, product.0];
            let query = "UPDATE product SET applied = ?1, source = coalesce(?2, source) WHERE number = ?3";
            transaction.execute(query, values)
        })
    }

    pub(crate) fn add_home(&self, home: &HomeRow, entry: &Outgoing) -> Result<EntryNumber> {
        self.changed(entry, |transaction| {
            transaction.execute(
                "INSERT INTO home (id, household, bystanders) VALUES (?1, ?2, ?3)",
                params![home.id, home.household, home.bystanders],
            )
        })
    }

    pub(crate) fn add_person(&self, person: &PersonRow, entry: &Outgoing) -> Result<EntryNumber> {
        self.changed(entry, |transaction| {
            transaction.execute(
                "INSERT INTO person (id, home, band, changes) VALUES (?1, ?2, ?3, ?4)",
                params![
                    person.id,
                    person.home,
                    person.age.band.byte(),
                    person.age.changes.map(Month::number)
                ],
            )
        })
    }

    pub(crate) fn add_device(&self, device: &DeviceRow, entry: &Outgoing) -> Result<EntryNumber> {
        self.changed(entry, |transaction| {
            transaction.execute(
                "INSERT INTO device (id, home, product, holder) VALUES (?1, ?2, ?3, ?4)",
                params![device.id, device.home, device.product.0, device.holder],
            )
        })
    }

    pub(crate) fn add_mark(
        &self,
        home: HomeId,
        mac: [u8; 16],
        person: PersonId,
        entry: &Outgoing,
    ) -> Result<EntryNumber> {
        self.changed(entry, |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO mark (home, mac, person) VALUES (?1, ?2, ?3)",
                params![home, mac, person],
            )
        })
    }

    /// Writes down what was said, and whose parts are to be looked through because of it.
    pub(crate) fn add_choice(
        &self,
        choice: &ChoiceRow,
        looks: &[SubjectId],
        entry: &Outgoing,
    ) -> Result<EntryNumber> {
        let mut connection = self.connection();
        let mut write = || {
            let transaction = connection.transaction()?;
            let number = write_choice(&transaction, choice, entry)?;
            for subject in looks {
                let values = params![subject, seconds(choice.at)];
                transaction.execute("INSERT INTO look (subject, due) VALUES (?1, ?2)", values)?;
            }
            transaction.commit()?;
            Ok(number)
        };
        self.alarm.mind_register(write())
    }

    /// Gives a device this secret, or none.
    pub(crate) fn set_device_secret(
        &self,
        device: DeviceId,
        secret: Option<Hash>,
        entry: &Outgoing,
    ) -> Result<EntryNumber> {
        self.changed(entry, |transaction| {
            let values = params![secret.map(|hash| hash.0), device];
            transaction.execute("UPDATE device SET secret = ?1 WHERE id = ?2", values)
        })
    }

    pub(crate) fn add_claim(&self, code: Hash, claim: &ClaimRow, entry: &Outgoing) -> Result<EntryNumber> {
        self.changed(entry, |transaction| {
            transaction.execute(
                "INSERT INTO claim (code, home, product, holder, until) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![code.0, claim.home, claim.product.0, claim.holder, seconds(claim.until)],
            )
        })
    }

    /// Enrols a device by a claim code, which is used up with it. Nothing where the code is not
    /// right or too old.
    pub(crate) fn enrol(
        &self,
        code: Hash,
        device: DeviceId,
        secret: Hash,
        now: u64,
        entry: &Outgoing,
    ) -> Result<Option<DeviceRow>> {
        let enrolled = self.change(entry, |transaction| {
            let claim = transaction
                .query_one(
                    "DELETE FROM claim WHERE code = ?1 AND until > ?2 RETURNING home, product, holder",
                    params![code.0, seconds(now)],
                    |row| {
                        let product = ProductNumber(row.get(1)?);
                        Ok(DeviceRow { id: device, home: row.get(0)?, product, holder: row.get(2)? })
                    },
                )
                .optional()?;
            let Some(row) = claim else { return Ok(None) };
            transaction.execute(
                "INSERT INTO device (id, home, product, holder, secret) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![row.id, row.home, row.product.0, row.holder, secret.0],
            )?;
            // Codes that are too old go with it.
            transaction.execute("DELETE FROM claim WHERE until <= ?1", [seconds(now)])?;
            Ok(Some(row))
        })?;
        Ok(enrolled.map(|(row, _)| row))
    }

    pub(crate) fn has_operators(&self) -> Result<bool> {
        Ok(self.connection().query_one("SELECT EXISTS (SELECT 1 FROM operator)", [], |row| row.get(0))?)
    }

    pub(crate) fn add_operator(
        &self,
        id: OperatorId,
        role: &Role,
        token: Hash,
        entry: &Outgoing,
    ) -> Result<EntryNumber> {
        let (product, purposes) = match role {
            Role::Operator => (None, None),
            // Names of a manifest have no spaces.
            Role::Consumer { product, purposes } => (Some(product), Some(purposes.join(" "))),
        };
        self.changed(entry, |transaction| {
            transaction.execute(
                "INSERT INTO operator (id, product, purposes, token) VALUES (?1, ?2, ?3, ?4)",
                params![id, product, purposes, token.0],
            )
        })
    }

    /// Whether there was such a token.
    pub(crate) fn set_operator_token(&self, old: Hash, new: Option<Hash>, entry: &Outgoing) -> Result<bool> {
        let set = self.change(entry, |transaction| {
            let values = params![new.map(|hash| hash.0), old.0];
            let set = transaction.execute("UPDATE operator SET token = ?1 WHERE token = ?2", values)?;
            Ok((set > 0).then_some(()))
        })?;
        Ok(set.is_some())
    }

    pub(crate) fn operator(&self, token: Hash) -> Result<Option<Operator>> {
        let row = |row: &Row<'_>| {
            let role = match (row.get::<_, Option<String>>(1)?, row.get::<_, Option<String>>(2)?) {
                (Some(product), Some(purposes)) => {
                    Role::Consumer { product, purposes: purposes.split(' ').map(str::to_owned).collect() }
                }
                _ => Role::Operator,
            };
            Ok(Operator { id: row.get(0)?, role })
        };
        let query = "SELECT id, product, purposes FROM operator WHERE token = ?1";
        Ok(self.connection().query_one(query, [token.0], row).optional()?)
    }

    pub(crate) fn homes(&self) -> Result<Vec<HomeRow>> {
        self.all("SELECT id, household, bystanders FROM home", |row| {
            Ok(HomeRow { id: row.get(0)?, household: row.get(1)?, bystanders: row.get(2)? })
        })
    }

    pub(crate) fn people(&self) -> Result<Vec<PersonRow>> {
        self.all("SELECT id, home, band, changes, adult_since FROM person ORDER BY id", |row| {
            let band = AgeBand::from_byte(row.get(2)?).unwrap_or(AgeBand::Unknown);
            let month = |at| row.get::<_, Option<i64>>(at).map(|month| month.map(Month::from_number));
            let age = Age { band, changes: month(3)?, adult_since: month(4)? };
            Ok(PersonRow { id: row.get(0)?, home: row.get(1)?, age })
        })
    }

    /// Writes down that somebody is in another band, and what lapses with it.
    pub(crate) fn grow(&self, person: &PersonRow, lapsed: &[(ChoiceRow, Outgoing)]) -> Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let Age { band, changes, adult_since } = person.age;
        transaction.execute(
            "UPDATE person SET band = ?1, changes = ?2, adult_since = ?3 WHERE id = ?4",
            params![band.byte(), changes.map(Month::number), adult_since.map(Month::number), person.id],
        )?;
        for (choice, entry) in lapsed {
            write_choice(&transaction, choice, entry)?;
        }
        Ok(transaction.commit()?)
    }

    /// The devices, and what is kept of their secrets.
    pub(crate) fn devices(&self) -> Result<Vec<(DeviceRow, Option<Hash>)>> {
        self.all("SELECT id, home, product, holder, secret FROM device", |row| {
            let product = ProductNumber(row.get(2)?);
            let device = DeviceRow { id: row.get(0)?, home: row.get(1)?, product, holder: row.get(3)? };
            Ok((device, row.get::<_, Option<[u8; 32]>>(4)?.map(Hash)))
        })
    }

    pub(crate) fn marks(&self) -> Result<Vec<(HomeId, [u8; 16], PersonId)>> {
        self.all("SELECT home, mac, person FROM mark", |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
    }

    /// Hands on the whole log of choices, oldest first.
    pub(crate) fn choices(&self, mut each: impl FnMut(ChoiceRow)) -> Result<()> {
        let connection = self.connection();
        let mut query =
            connection.prepare("SELECT at, product, person, device, said FROM choice ORDER BY number")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(choice(row)?);
        }
        Ok(())
    }

    /// Entries of the log about one product that follow a number, oldest first and so many at most,
    /// and the number of the last of them.
    pub(crate) fn choices_after(
        &self,
        product: ProductNumber,
        after: i64,
        most: usize,
    ) -> Result<(Vec<ChoiceRow>, Option<i64>)> {
        let connection = self.connection();
        let mut query = connection.prepare(
            "SELECT at, product, person, device, said, number FROM choice
             WHERE product = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let rows = query
            .query_and_then(params![product.0, after, most], |row| Ok((choice(row)?, row.get::<_, i64>(5)?)));
        let rows = rows?.collect::<rusqlite::Result<Vec<_>>>()?;
        let last = rows.last().map(|(_, number)| *number);
        Ok((rows.into_iter().map(|(choice, _)| choice).collect(), last))
    }

    /// What was said about one person or device and one product until a moment, oldest first.
    pub(crate) fn choices_about(
        &self,
        about: About,
        product: ProductNumber,
        until: u64,
    ) -> Result<Vec<ChoiceRow>> {
        let connection = self.connection();
        let (column, id) = match about {
            About::Person(person) => ("person", SubjectId::from(person)),
            About::Device(DeviceId(id)) => ("device", SubjectId(id)),
        };
        let mut query = connection.prepare(&format!(
            "SELECT at, product, person, device, said FROM choice
             WHERE {column} = ?1 AND product = ?2 AND at <= ?3 ORDER BY number"
        ))?;
        let rows = query.query_and_then(params![id, product.0, seconds(until)], choice)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Which buckets' expiry the audit log tells of already.
    pub(crate) fn expired(&self) -> Result<Vec<Bucket>> {
        let names = self.all("SELECT bucket FROM expired", |row| row.get::<_, String>(0))?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Writes down which buckets are over, in the place of those that were.
    pub(crate) fn expire(&self, over: &[Bucket], entry: &Outgoing) -> Result<EntryNumber> {
        self.changed(entry, |transaction| {
            transaction.execute("DELETE FROM expired", [])?;
            let mut insert = transaction.prepare("INSERT INTO expired (bucket) VALUES (?1)")?;
            over.iter().try_fold(0, |_, bucket| insert.execute([bucket.to_string()]))
        })
    }

    /// The last time that was seen, and for how long the clock had moved on without a jump.
    pub(crate) fn clock(&self) -> Result<(u64, u64)> {
        let row =
            |row: &Row<'_>| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs()));
        Ok(self.connection().query_one("SELECT seen, steady FROM clock", [], row)?)
    }

    pub(crate) fn set_clock(&self, seen: u64, steady: u64) -> Result<()> {
        let values = params![seconds(seen), seconds(steady)];
        let set = self.connection().execute("UPDATE clock SET seen = ?1, steady = ?2", values);
        self.alarm.mind_register(set.map(|_| ()).map_err(RegisterError::from))
    }

    /// All of it as it is now, in a new file.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<()> {
        self.connection().execute("VACUUM INTO ?1", [path.to_string_lossy()])?;
        Ok(())
    }

    /// Every erasure, in a new file, and when it was written.
    pub(crate) fn list_erasures(&self, path: &Path, now: u64) -> Result<()> {
        let connection = self.connection();
        connection.execute("ATTACH DATABASE ?1 AS list", [path.to_string_lossy()])?;
        let listed = connection.execute_batch(&format!(
            "BEGIN; CREATE TABLE list.erasure AS SELECT * FROM main.erasure;
             CREATE TABLE list.made AS SELECT {} AS at; COMMIT;",
            seconds(now)
        ));
        let undone = if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") };
        let detached = connection.execute_batch("DETACH DATABASE list");
        Ok(listed.and(undone).and(detached)?)
    }

    pub(crate) fn all<T>(
        &self,
        query: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let connection = self.connection();
        let mut query = connection.prepare(query)?;
        let rows = query.query_map([], read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// An entry of the log of choices, with its entry in the audit log.
fn write_choice(
    transaction: &Transaction<'_>,
    choice: &ChoiceRow,
    entry: &Outgoing,
) -> rusqlite::Result<EntryNumber> {
    let (person, device) = match choice.about {
        About::Person(person) => (Some(person), None),
        About::Device(device) => (None, Some(device)),
    };
    let number = add(transaction, entry)?;
    transaction.execute(
        "INSERT INTO choice (at, product, person, device, said, entry) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            seconds(choice.at),
            choice.product.0,
            person,
            device,
            choice.said,
            i64::try_from(number.0).unwrap_or(i64::MAX)
        ],
    )?;
    Ok(number)
}

fn choice(row: &Row<'_>) -> rusqlite::Result<ChoiceRow> {
    let about = match row.get::<_, Option<PersonId>>(2)? {
        Some(person) => About::Person(person),
        None => About::Device(row.get(3)?),
    };
    let product = ProductNumber(row.get(1)?);
    Ok(ChoiceRow { at: row.get::<_, i64>(0)?.unsigned_abs(), product, about, said: row.get(4)? })
}

/// SQLite's integers are signed; no time that a clock shows is beyond them.
pub(super) fn seconds(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}
