//! Erase: the key is gone, and what it opened with it.
//!
//! The order of durable steps, and what a crash after each leaves:
//! 1. the promise, in the register: the next start goes on from here;
//! 2. the keys are overwritten: from now on nobody can read it, here or in any copy of the records;
//! 3. the rows are removed: ciphertext that nothing opens, until the next turn-over of the files;
//! 4. the promise is kept.

use crate::journey::{Journey, NotChanged, OpenError};
use crate::keys::KeysError;
use crate::people::PersonId;
use crate::people::register::ErasureRow;
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
}

impl Journey {
    /// Erases everything that was received about a person until now. What was received before and
    /// is sent again is not taken. When this returns, it is unreadable and its rows are removed.
    ///
    /// # Errors
    /// [`NotChanged`]. Once it is written down it is finished, by this or by the next start.
    pub async fn erase_person(&self, person: PersonId, now: u64) -> Result<Erased, NotChanged> {
        let home = self.homes.home_of(person).ok_or(NotChanged::Unknown("person"))?;
        let erasure = self.register.add_erasure(person.into(), now, now)?;
        self.homes.set_horizon(person.into(), erasure.before);
        // What is under way is decided again, and sealed under a new key.
        home.epoch.end();
        drop(home.reading.write());
        self.commits.barrier().await?;
        let keys = self.destroy_keys(&erasure)?;
        let parts = self.remove_rows(&erasure)?;
        self.register.finish_erasure(&erasure, now)?;
        Ok(Erased { keys, parts })
    }

    /// Goes on where a crash has interrupted an erasure.
    pub(crate) fn finish_erasures(&self, now: u64) -> Result<(), OpenError> {
        for erasure in self.register.unfinished_erasures()? {
            self.destroy_keys(&erasure)?;
            self.remove_rows(&erasure)?;
            self.register.finish_erasure(&erasure, now)?;
        }
        Ok(())
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
