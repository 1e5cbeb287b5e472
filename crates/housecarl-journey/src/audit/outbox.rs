//! The outbox: what is to be in the log, written in the transaction of what it speaks of.
//!
//! A row has its leaf in the clear, as it will be published, and what opens it sealed under the key
//! of whoever it is about: that somebody refused a purpose is theirs, and once their key is
//! destroyed nobody can tell what the leaf stood for. What is about nobody is kept as it is.

use housecarl_audit::entry::{Answer, Digest, Id, Means, Moment, Name, Whom};
use housecarl_audit::{Act, Entry, Hash, Leaf, Opening, Salt};
use housecarl_policy::Basis;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{AuditError, By, EntryNumber};
use crate::journey::Journey;
use crate::keys::{Unavailable, field};
use crate::people::register::Register;
use crate::people::{About, HomeId, PersonId, RegisterError, Said, SubjectId};
use crate::product::Version;

/// An entry on its way into the log.
pub(crate) struct Outgoing {
    pub(super) leaf: [u8; Leaf::LEN],
    pub(super) keeper: Option<SubjectId>,
    /// The salt of the record's commitment and the opening; sealed where there is a keeper.
    pub(super) opening: Vec<u8>,
}

fn random<const N: usize>() -> Result<[u8; N], Unavailable> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Unavailable)?;
    Ok(bytes)
}

/// An id for what has none but in the log: a request, a case.
pub(crate) fn random_id() -> Result<Id, Unavailable> {
    random().map(Id)
}

/// Of a policy table, which is about nobody.
pub(crate) fn sha256(table: &[u8]) -> [u8; 32] {
    *Hash::of(&[table]).as_bytes()
}

/// Where there is no fingerprint and no record.
pub(crate) const NOTHING: Digest = Digest([0; 32]);

/// A moment in seconds since 1970, as the log has it.
pub(crate) fn moment(seconds: u64) -> Result<Moment, AuditError> {
    let millis = seconds.checked_mul(1_000).and_then(Moment::from_millis);
    millis.ok_or(AuditError::NotSayable("moment"))
}

/// A name, as the log has it.
pub(crate) fn name(name: &str) -> Result<Name, AuditError> {
    Name::new(name).ok_or(AuditError::NotSayable("name"))
}

/// To what an opening is sealed.
fn place(leaf: &[u8; Leaf::LEN]) -> Vec<u8> {
    [b"audit 1".as_slice(), leaf].concat()
}

impl Journey {
    /// An entry with salts of its own. `act` is given the commitment to `record`, or zeros where that
    /// is empty. Whoever it is about is its keeper, whose key has reached the disk when this returns.
    pub(crate) fn entry(
        &self,
        keeper: Option<SubjectId>,
        by: By,
        now: u64,
        record: &[u8],
        act: impl FnOnce(Digest) -> Act,
    ) -> Result<Outgoing, AuditError> {
        let record_salt: [u8; Salt::LEN] = random()?;
        let record =
            if record.is_empty() { NOTHING } else { Digest(Salt::from_random(record_salt).commit(record)) };
        let entry = Entry { at: moment(now)?, by: by.into(), act: act(record) };
        let opening = Opening::seal(entry, Salt::from_random(random()?));
        let leaf = opening.leaf().to_bytes();
        let plain = [record_salt.as_slice(), &opening.to_bytes()].concat();
        let opening = match keeper {
            Some(keeper) => {
                let sealed = field::seal(&self.keys, keeper, &place(&leaf), &plain)?;
                self.keys.sync()?;
                sealed
            }
            None => plain,
        };
        Ok(Outgoing { leaf, keeper, opening })
    }

    /// An entry of something that was done by hand.
    pub(crate) fn action(
        &self,
        action: &'static str,
        target: [u8; 16],
        by: By,
        now: u64,
    ) -> Result<Outgoing, AuditError> {
        let action = name(action)?;
        self.entry(None, by, now, &[], |record| Act::OperatorAction { action, target: Id(target), record })
    }

    /// The entry of what somebody said.
    pub(crate) fn choice_entry(&self, choice: &Chosen<'_>, by: By, now: u64) -> Result<Outgoing, AuditError> {
        let act = choice.act()?;
        self.entry(Some(choice.keeper), by, now, choice.record, act)
    }

    /// What an entry says, and the salt of its record.
    pub(super) fn open_entry(&self, entry: EntryNumber) -> Result<(Opening, Salt), AuditError> {
        let Outgoing { leaf, keeper, opening } =
            self.register.outgoing(entry)?.ok_or(AuditError::NoSuchEntry)?;
        let plain = match keeper {
            Some(keeper) => {
                let plain = field::open(&self.keys, keeper, &place(&leaf), &opening);
                plain.ok_or(AuditError::Destroyed)?.to_vec()
            }
            // Taken up from the published log, which has the leaf and no more.
            None if opening.is_empty() => return Err(AuditError::Lost),
            None => opening,
        };
        let (salt, opening) = plain.split_first_chunk().ok_or(housecarl_audit::entry::Malformed::Short)?;
        Ok((Opening::from_bytes(opening)?, Salt::from_random(*salt)))
    }
}

/// Something that somebody says, with everything its entry needs.
pub(crate) struct Chosen<'c> {
    pub(crate) about: About,
    pub(crate) home: HomeId,
    pub(crate) keeper: SubjectId,
    pub(crate) version: &'c Version,
    pub(crate) said: &'c Said,
    /// Whether what is refused was agreed to before.
    pub(crate) agreed_before: bool,
    /// As it is kept in the log of choices.
    pub(crate) record: &'c [u8],
}

impl Chosen<'_> {
    fn act(&self) -> Result<impl FnOnce(Digest) -> Act + use<>, AuditError> {
        let (home, product) = (Id(self.home.0), name(self.version.name())?);
        let (whom, means) = match self.about {
            About::Person(PersonId(id)) => (Whom::Person(Id(id)), Means::Delivered),
            // What is settled for a device is settled for those who use it.
            About::Device(_) => (Whom::Household(home), Means::MadeAvailable),
        };
        let said = match self.said {
            // The second is nothing that anybody says, and has one entry for all.
            Said::Told(..) | Said::Restored => None,
            Said::Agreed(put, _) => {
                Some((Answer::Agreed, put.purpose.as_str(), 0, fingerprint_of(&put.fingerprint)))
            }
            Said::Authorised(put, _) => {
                Some((Answer::Authorised, put.purpose.as_str(), 0, fingerprint_of(&put.fingerprint)))
            }
            Said::Refused(purpose) => Some((self.no_to(purpose), purpose.as_str(), 0, self.meaning(purpose))),
            Said::Restricted(purpose, true) => {
                Some((Answer::Restricted, purpose.as_str(), 0, self.meaning(purpose)))
            }
            Said::Restricted(purpose, false) => {
                Some((Answer::Lifted, purpose.as_str(), 0, self.meaning(purpose)))
            }
            Said::Precision(item, _) => {
                let step = self.said.step(self.version).ok_or(AuditError::NotSayable("step"))?;
                Some((Answer::Precision, item.as_str(), step, NOTHING))
            }
            Said::NoMarketing(true) => Some((Answer::Objected, MARKETING, 0, NOTHING)),
            Said::NoMarketing(false) => Some((Answer::Lifted, MARKETING, 0, NOTHING)),
            Said::Lapsed => Some((Answer::Lapsed, CONSENTS, 0, NOTHING)),
            Said::Feature(feature, true) => Some((Answer::SwitchedOn, feature.as_str(), 0, NOTHING)),
            Said::Feature(feature, false) => Some((Answer::SwitchedOff, feature.as_str(), 0, NOTHING)),
        };
        let said = match said {
            Some((answer, about, step, meaning)) => Some((answer, name(about)?, step, meaning)),
            None => None,
        };
        Ok(move |record| match said {
            Some((answer, about, step, meaning)) => {
                Act::Choice { home, whom, product, answer, about, step, meaning, record }
            }
            None => Act::Notice { home, whom, product, means, record },
        })
    }

    /// A no takes a yes back, objects to what needs none, or is a refusal.
    fn no_to(&self, purpose: &str) -> Answer {
        let table = &self.version.table;
        let basis = self.version.purpose(purpose).and_then(|id| table.purpose(id)).map(|found| found.basis);
        match basis {
            _ if self.agreed_before => Answer::Withdrew,
            Some(Basis::LegitimateInterests) => Answer::Objected,
            _ => Answer::Refused,
        }
    }

    fn meaning(&self, purpose: &str) -> Digest {
        self.version.fingerprints(purpose).first().map_or(NOTHING, |text| fingerprint_of(text))
    }
}

/// What an objection to all direct marketing is about; lifted, where it is taken back.
const MARKETING: &str = "direct-marketing";
/// What lapses at 13 is every consent.
const CONSENTS: &str = "consents";

/// A fingerprint, which is written in hex.
fn fingerprint_of(text: &str) -> Digest {
    let mut bytes = [0; 32];
    let digits = text.as_bytes().chunks_exact(2);
    for (byte, digits) in bytes.iter_mut().zip(digits) {
        let Some(read) = str::from_utf8(digits).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok()) else {
            return NOTHING;
        };
        *byte = read;
    }
    Digest(bytes)
}

/// How the tables of the log are written and read. Numbers of entries are without gaps: they are
/// their indices in the log.
impl Register {
    /// Makes a change together with its entry: both are on the disk when this returns, or neither.
    /// Where `write` finds nothing to change, nothing is written at all.
    pub(crate) fn change<T>(
        &self,
        entry: &Outgoing,
        write: impl FnOnce(&Transaction<'_>) -> Result<Option<T>, RegisterError>,
    ) -> Result<Option<(T, EntryNumber)>, RegisterError> {
        let mut connection = self.connection();
        let change = || {
            let transaction = connection.transaction()?;
            let Some(changed) = write(&transaction)? else { return Ok(None) };
            let number = add(&transaction, entry)?;
            transaction.commit()?;
            Ok(Some((changed, number)))
        };
        self.alarm.mind_register(change())
    }

    /// The same where there is always something to change, and nothing to be told of it.
    pub(crate) fn changed(
        &self,
        entry: &Outgoing,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<usize>,
    ) -> Result<EntryNumber, RegisterError> {
        let changed = self.change(entry, |transaction| Ok(Some(write(transaction)?)))?;
        changed.map(|(_, number)| number).ok_or(RegisterError::Broken(rusqlite::Error::QueryReturnedNoRows))
    }

    /// Writes an entry down of what is not in the register.
    pub(crate) fn log(&self, entry: &Outgoing) -> Result<EntryNumber, RegisterError> {
        self.alarm.mind_register(add(&self.connection(), entry).map_err(RegisterError::from))
    }

    pub(super) fn outgoing(&self, entry: EntryNumber) -> Result<Option<Outgoing>, RegisterError> {
        let Ok(number) = i64::try_from(entry.0) else { return Ok(None) };
        let row = |row: &rusqlite::Row<'_>| {
            Ok(Outgoing { leaf: row.get(0)?, keeper: row.get(1)?, opening: row.get(2)? })
        };
        let query = "SELECT leaf, keeper, opening FROM outbox WHERE number = ?1";
        Ok(self.connection().query_one(query, [number], row).optional()?)
    }

    /// The leaves of the entries from this number on, at most so many.
    pub(super) fn leaves(&self, from: u64, at_most: u32) -> Result<Vec<Leaf>, AuditError> {
        let connection = self.connection();
        let query = "SELECT leaf FROM outbox WHERE number >= ?1 ORDER BY number LIMIT ?2";
        let mut query = connection.prepare(query).map_err(RegisterError::from)?;
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let rows = query
            .query_map(params![from, at_most], |row| row.get::<_, Vec<u8>>(0))
            .map_err(RegisterError::from)?;
        rows.map(|leaf| Ok(Leaf::from_bytes(&leaf.map_err(RegisterError::from)?)?)).collect()
    }

    /// The name that the log has, or gets now.
    pub(super) fn log_name(&self, new: &str) -> Result<String, RegisterError> {
        let connection = self.connection();
        connection.execute("INSERT OR IGNORE INTO log (only, name) VALUES (1, ?1)", [new])?;
        Ok(connection.query_one("SELECT name FROM log", [], |row| row.get(0))?)
    }

    /// The last checkpoint that was signed.
    pub(super) fn checkpoint(&self) -> Result<Option<String>, RegisterError> {
        let connection = self.connection();
        let note = connection.query_one("SELECT checkpoint FROM log", [], |row| row.get(0)).optional()?;
        Ok(note.flatten())
    }

    /// Signs on: the new checkpoint takes the place of the one that it continues, and of no other.
    pub(super) fn continue_log(&self, last: Option<&str>, new: &str) -> Result<bool, RegisterError> {
        let connection = self.connection();
        Ok(connection.execute("UPDATE log SET checkpoint = ?2 WHERE checkpoint IS ?1", [last, Some(new)])?
            == 1)
    }
}

/// Adds an entry to the outbox: inside a transaction, or as one of its own.
pub(crate) fn add(connection: &Connection, entry: &Outgoing) -> rusqlite::Result<EntryNumber> {
    let number: i64 = connection.query_one(
        "INSERT INTO outbox (number, leaf, keeper, opening)
         VALUES ((SELECT coalesce(max(number) + 1, 0) FROM outbox), ?1, ?2, ?3) RETURNING number",
        params![entry.leaf, entry.keeper, entry.opening],
        |row| row.get(0),
    )?;
    Ok(EntryNumber(number.unsigned_abs()))
}
