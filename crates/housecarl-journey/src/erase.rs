//! Erase: the key is gone, and what it opened with it.
//!
//! The order of durable steps, and what a crash after each leaves:
//! 1. the promise, in the register, with its entry in the audit log: the next start goes on from here;
//! 2. the keys are overwritten: from now on nobody can read it, here or in any copy of the records;
//! 3. the entries that say so: a crash before leaves them to the next start;
//! 4. the rows are removed: ciphertext that nothing opens, until the next turn-over of the files;
//! 5. the promise is kept, with the last entry. A crash before leaves it to the next start, whose
//!    entry counts the rows that were left.

use housecarl_audit::Act;
use housecarl_audit::entry::{Erasure, Id, KeyOf, Whom};

use crate::audit::{self, AuditError, By, EntryNumber, Outgoing};
use crate::journey::{Journey, NotChanged, OpenError};
use crate::keys::KeysError;
use crate::people::register::ErasureRow;
use crate::people::{PersonId, SubjectId};
use crate::seal;
use crate::store::{StoreError, Wanted};

/// How many rows are removed together.
const ROWS_AT_ONCE: usize = 10_000;

/// What was erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Erased {
    /// How many keys.
    pub keys: usize,
    /// How many parts.
    pub parts: u64,
    /// The entry of the audit log that says that it was asked for.
    pub asked: EntryNumber,
    /// The entry that says that it is done.
    pub done: EntryNumber,
}

impl Journey {
    /// Erases everything that was received about a person until now. What was received before and
    /// is sent again is not taken. When this returns, it is unreadable and its rows are removed.
    ///
    /// # Errors
    /// [`NotChanged`]. Once it is written down it is finished, by this or by the next start.
    pub async fn erase_person(&self, person: PersonId, by: By, now: u64) -> Result<Erased, NotChanged> {
        let home = self.homes.home_of(person).ok_or(NotChanged::Unknown("person"))?;
        let (subject, case) = (SubjectId::from(person), audit::random_id()?);
        let asked = self.step(subject, case, Erasure::Asked, now, 0, by, now)?;
        let (erasure, asked) = self.register.add_erasure(subject, now, case.0, now, &asked)?;
        self.homes.set_horizon(person.into(), erasure.before);
        // What is under way is decided again, and sealed under a new key.
        home.epoch.end();
        drop(home.reading.write());
        self.commits.barrier().await?;
        let (keys, parts, done) = self.carry_out(&erasure, now)?;
        Ok(Erased { keys, parts, asked, done })
    }

    /// Goes on where a crash has interrupted an erasure.
    pub(crate) fn finish_erasures(&self, now: u64) -> Result<(), OpenError> {
        for erasure in self.register.unfinished_erasures()? {
            self.carry_out(&erasure, now)?;
        }
        Ok(())
    }

    /// Everything after the promise; done again, it does what is left.
    fn carry_out(&self, erasure: &ErasureRow, now: u64) -> Result<(usize, u64, EntryNumber), NotChanged> {
        let (subject, case) = (erasure.subject, Id(erasure.case));
        let entry = |step, parts| self.step(subject, case, step, erasure.before, parts, By::Housecarl, now);
        let keys = self.destroy_keys(erasure)?;
        if !erasure.unreadable {
            let act = Act::KeyDestroyed { key: Id(subject.0), of: KeyOf::Person };
            let destroyed = self.entry(Some(subject), By::Housecarl, now, &[], |_| act)?;
            let unreadable = entry(Erasure::Unreadable, 0)?;
            self.register.erasure_is_unreadable(erasure, now, &destroyed, &unreadable)?;
        }
        let parts = self.remove_rows(erasure)?;
        let done = self.register.finish_erasure(erasure, now, &entry(Erasure::Removed, parts)?)?;
        Ok((keys, parts, done))
    }

    /// The entry of a step of an erasure.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the entry")]
    fn step(
        &self,
        subject: SubjectId,
        case: Id,
        step: Erasure,
        before: u64,
        parts: u64,
        by: By,
        now: u64,
    ) -> Result<Outgoing, AuditError> {
        let (whom, horizon) = (Whom::Person(Id(subject.0)), audit::moment(before)?);
        let act = Act::Erase { case, whom, step, horizon, parts };
        self.entry(Some(subject), by, now, &[], |_| act)
    }

    fn destroy_keys(&self, erasure: &ErasureRow) -> Result<usize, KeysError> {
        self.keys.destroy_streams_of(erasure.subject)
    }

    fn remove_rows(&self, erasure: &ErasureRow) -> Result<u64, StoreError> {
        let received = 0..erasure.before.saturating_add(1);
        let wanted = Wanted { subject: erasure.subject, stream: None, received };
        let mut removed = 0_u64;
        loop {
            let mut rows = Vec::new();
            self.store.scan(&wanted, &mut |stored| {
                let row = stored.row();
                // What came in the same second but after the key was destroyed opens, and stays.
                if row.place.received < erasure.before
                    || !matches!(seal::open(&stored, &self.keys), Ok(Some(_)))
                {
                    rows.push((row.bucket, row.place));
                }
                rows.len() < ROWS_AT_ONCE
            })?;
            if rows.is_empty() {
                return Ok(removed);
            }
            removed = removed.saturating_add(rows.len() as u64);
            self.store.remove(&rows)?;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use housecarl_policy::AgeBand;

    use super::*;
    use crate::journey::Settings;

    const NOW: u64 = 1_798_761_600;

    fn open(folder: &std::path::Path) -> Journey {
        Journey::open(&Settings::in_folder(folder), Vec::new(), || NOW, |_| ()).unwrap()
    }

    /// How far each erasure entry of the log says that it has come, and where a key was destroyed.
    fn steps(journey: &Journey) -> Vec<Option<Erasure>> {
        let size = journey.integrate(NOW).unwrap().size;
        let acts = (0..size).map(|number| {
            let receipt = journey.receipt(EntryNumber(number)).unwrap();
            housecarl_audit::Receipt::parse(receipt.as_bytes()).unwrap().opening.entry().act.clone()
        });
        let step = |act| match act {
            Act::Erase { step, .. } => Some(Some(step)),
            Act::KeyDestroyed { .. } => Some(None),
            _ => None,
        };
        acts.filter_map(step).collect()
    }

    #[test]
    fn an_erasure_that_a_crash_cut_short_tells_each_step_once() {
        let all = [Some(Erasure::Asked), None, Some(Erasure::Unreadable), Some(Erasure::Removed)];
        for told in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let mut journey = open(folder.path());
            let home = journey.add_home(By::Housecarl, NOW).unwrap();
            let person = journey.add_person(home, AgeBand::Adult, By::Housecarl, NOW).unwrap();
            let (subject, case) = (SubjectId::from(person), audit::random_id().unwrap());
            let entry = |step| journey.step(subject, case, step, NOW, 0, By::Housecarl, NOW).unwrap();
            let asked = entry(Erasure::Asked);
            let (erasure, _) = journey.register.add_erasure(subject, NOW, case.0, NOW, &asked).unwrap();
            if told {
                let act = Act::KeyDestroyed { key: Id(subject.0), of: KeyOf::Person };
                let destroyed = journey.entry(None, By::Housecarl, NOW, &[], |_| act).unwrap();
                let unreadable = entry(Erasure::Unreadable);
                journey.register.erasure_is_unreadable(&erasure, NOW, &destroyed, &unreadable).unwrap();
            }
            for _ in 0..2 {
                drop(journey);
                journey = open(folder.path());
                assert_eq!(steps(&journey), all);
            }
        }
    }
}
