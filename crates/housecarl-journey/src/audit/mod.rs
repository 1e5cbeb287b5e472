//! The log of what is done with people's data: every change and every read leaves its entry here.
//!
//! ```text
//! a change --same transaction--> outbox --integrate--> files of the log --> signed checkpoint
//! ```
//!
//! An entry is in the outbox of the register before anybody is told of what it speaks of, and its
//! number there is its index in the log for good; so none can be lost and none can be in it twice.
//! `docs/audit-log.md` gives the format, which is `housecarl-audit`'s.

mod outbox;
mod integrate;
mod files;
mod sums;

use std::fmt;
use std::io;
use std::path::Path;

use housecarl_audit::checkpoint::Untrusted;
use housecarl_audit::entry::{Id, Malformed, Who};
use housecarl_audit::{Receipt, Salt, proof};

pub use integrate::Integrated;
pub(crate) use integrate::Log;
pub(crate) use outbox::{Chosen, NOTHING, Outgoing, add, moment, name, random_id, sha256};
pub(crate) use sums::{Reasons, refusals};

use crate::journey::Journey;
use crate::keys::{self, KeysError};
use crate::people::{DeviceId, OperatorId, PersonId, RegisterError};

/// Who does something, as the log says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Housecarl, of itself.
    Housecarl,
    /// A person of the home.
    Person(PersonId),
    /// Somebody who runs the gateway.
    Operator(OperatorId),
    /// Somebody who reads.
    Consumer(OperatorId),
    /// A device.
    Device(DeviceId),
}

impl From<By> for Who {
    fn from(by: By) -> Self {
        match by {
            By::Housecarl => Self::Housecarl,
            By::Person(PersonId(id)) => Self::Person(Id(id)),
            By::Operator(OperatorId(id)) => Self::Operator(Id(id)),
            By::Consumer(OperatorId(id)) => Self::Consumer(Id(id)),
            By::Device(DeviceId(id)) => Self::Device(Id(id)),
        }
    }
}

/// Which entry of the log something is: from 0, in the order in which things were done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct EntryNumber(pub u64);

/// Why the log does not do what it was asked.
#[derive(Debug)]
pub enum AuditError {
    /// The register failed.
    Register(RegisterError),
    /// The keys failed.
    Keys(KeysError),
    /// A file of the log, by its path there.
    File(String, io::Error),
    /// It cannot be said in an entry: the name of something, or a moment after the year 9999.
    NotSayable(&'static str),
    /// The name of the log is not one word without a plus sign, or not the one that it began with.
    Name(String),
    /// The checkpoint in the register is not one that this key signed.
    Untrusted(Untrusted),
    /// The published log has entries that the register has not.
    Ahead,
    /// The entries of the register are not those that were signed.
    Forked,
    /// An entry of the register does not read.
    Malformed(Malformed),
    /// There is no such entry.
    NoSuchEntry,
    /// The entry is not in a checkpoint yet; it is in the next.
    Pending,
    /// The key of whoever the entry is about is destroyed, and nobody can open it any more.
    Destroyed,
    /// What opens the entry was lost with the register; the entry came back from the published log.
    Lost,
    /// A file that a receipt needs is missing or damaged.
    Unprovable(String),
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::File(path, error) => write!(f, "`{path}` of the audit log: {error}"),
            Self::NotSayable(what) => write!(f, "the audit log has no form for this {what}"),
            Self::Name(name) => write!(
                f,
                "the audit log cannot be called `{name}`: its name is one word without a plus sign, and stays \
                 what it was at the first start"
            ),
            Self::Untrusted(error) => {
                write!(f, "the last checkpoint in the register is not of the key of the log: {error}")
            }
            Self::Ahead => f.write_str(
                "the published audit log has entries that the register has not: an older register was put \
                 back; nothing is signed, or the log would contradict itself; `housecarl restore --log` takes the \
                 published one up",
            ),
            Self::Forked => f.write_str(
                "the entries in the register are not those that were signed: it was changed or put back; \
                 nothing is signed, or the log would contradict itself",
            ),
            Self::Malformed(error) => write!(f, "an entry of the audit log does not read: {error}"),
            Self::NoSuchEntry => f.write_str("there is no such entry in the audit log"),
            Self::Pending => f.write_str("the entry is in the next checkpoint; ask again in a moment"),
            Self::Destroyed => {
                f.write_str("the key of whom the entry is about is destroyed, and nobody can open it any more")
            }
            Self::Lost => f.write_str(
                "what opens the entry was lost with an earlier register; whoever was given its receipt has it still",
            ),
            Self::Unprovable(why) => write!(f, "the audit log has lost a file: {why}"),
        }
    }
}

impl std::error::Error for AuditError {}

impl From<RegisterError> for AuditError {
    fn from(error: RegisterError) -> Self {
        Self::Register(error)
    }
}

impl From<KeysError> for AuditError {
    fn from(error: KeysError) -> Self {
        Self::Keys(error)
    }
}

impl From<keys::Unavailable> for AuditError {
    fn from(error: keys::Unavailable) -> Self {
        Self::Keys(error.into())
    }
}

impl From<Malformed> for AuditError {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

impl Journey {
    /// Puts what is in the outbox into the log, and publishes a signed checkpoint of it. `now` is in
    /// seconds since 1970. To be called at fixed intervals of at most a second, also when nothing
    /// was done, so that the times of checkpoints tell nothing.
    ///
    /// # Errors
    /// [`AuditError`]; nothing is lost, and the next call goes on from what has reached the disk.
    pub fn integrate(&self, now: u64) -> Result<Integrated, AuditError> {
        self.flush_sums(now, Some(sums::hour_of(now)))?;
        self.alarm.mind_log(self.log.integrate(&self.register))
    }

    /// The same at a clean end, with the sums of the hour that is not over. Without it, they are lost.
    ///
    /// # Errors
    /// As [`Journey::integrate`].
    pub fn close_log(&self, now: u64) -> Result<Integrated, AuditError> {
        self.flush_sums(now, None)?;
        self.log.integrate(&self.register)
    }

    /// The checkpoint that is published now, a signed note; `None` before the first.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn checkpoint(&self) -> Result<Option<String>, AuditError> {
        Ok(self.log.published(&self.register)?.map(|(_, note)| note))
    }

    /// The folder with the published log: everything in it may be handed to anybody.
    #[must_use]
    pub fn log_folder(&self) -> &Path {
        self.log.folder()
    }

    /// What others verify the log with: `name+id+base64`.
    #[must_use]
    pub fn verifier_key(&self) -> String {
        self.log.verifier().to_string()
    }

    /// The receipt of an entry: what the person whom it is about may keep. It tells what the entry
    /// says, so it is for nobody else.
    ///
    /// # Errors
    /// [`AuditError`]; [`AuditError::Pending`] until the next [`Journey::integrate`].
    pub fn receipt(&self, entry: EntryNumber) -> Result<String, AuditError> {
        let (opening, _) = self.open_entry(entry)?;
        let (size, checkpoint) = self
            .log
            .published(&self.register)?
            .filter(|(size, _)| entry.0 < *size)
            .ok_or(AuditError::Pending)?;
        let proof = proof::inclusion(&self.log.tiles(), entry.0, size)
            .map_err(|error| AuditError::Unprovable(error.to_string()))?;
        Ok(Receipt { opening, index: entry.0, proof, checkpoint }.to_string())
    }

    /// The salt of the commitment to a record in an entry: with it and the record, anybody can check
    /// that it is the one.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn record_salt(&self, entry: EntryNumber) -> Result<Salt, AuditError> {
        Ok(self.open_entry(entry)?.1)
    }
}
