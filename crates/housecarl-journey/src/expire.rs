//! Expire: past its end date nothing can be read, in backups neither.
//!
//! A read refuses a part from its end date on. When its bucket is over, the bucket's key is
//! overwritten, and with it go all copies; then the bucket is dropped.
//!
//! The order of durable steps, and what a crash after each leaves:
//! 0. what is restricted moves to a bucket that is not over (`held.rs`);
//! 1. the buckets' keys are overwritten: buckets that nothing opens, which the next run finds;
//! 2. the entry of the audit log, with the buckets' names: the next run does not tell of them again;
//! 3. the buckets are dropped: their names stay until another run has something to tell.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use housecarl_audit::Act;
use housecarl_policy::table::NO_DAY;

use crate::audit::{self, By, EntryNumber};
use crate::journey::{Journey, NotChanged};
use crate::keys::KeyName;
use crate::product::Version;
use crate::store::Bucket;

/// In seconds.
const DAY: u64 = 86_400;

/// A clock that differs by more than this from when it was last looked at has jumped, or the
/// gateway was off for long. In seconds.
const JUMP_MAX: u64 = 2 * DAY;
/// For so long a clock has to move on without a jump before anything is destroyed on its word: a
/// wrong one is set right or noticed by then. In seconds.
const STEADY_MIN: u64 = DAY;

/// For how long ahead buckets are made, in seconds.
const AHEAD: u64 = 3_600;

/// What an expiry run did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Expired {
    /// How many buckets are over and gone.
    pub buckets: usize,
    /// The entry of the audit log that tells of it; `None` where there was nothing new to tell.
    pub entry: Option<EntryNumber>,
    /// How many parts are kept past their date, because they are restricted.
    pub held: u64,
    /// Whether the clock has jumped lately, so that nothing was destroyed.
    pub clock_jumped: bool,
}

impl Journey {
    /// Destroys every bucket that is over, and makes those that will be needed until the next run,
    /// so that no message waits for one. To be called every few minutes.
    ///
    /// # Errors
    /// [`NotChanged`]; what is not destroyed yet is destroyed by the next run.
    pub fn expire(&self, now: u64) -> Result<Expired, NotChanged> {
        self.make_ahead(now)?;
        let steady = self.steady(now)?;
        let (seen, _) = self.register.clock()?;
        self.register.set_clock(now, steady)?;
        // What a purpose alone was wanted for is not wanted any more when the purpose is over.
        if self.purposes_over(seen) != self.purposes_over(now) {
            self.homes.each(|home| self.want_again(home, now));
        }
        if steady < STEADY_MIN {
            return Ok(Expired { clock_jumped: true, ..Expired::default() });
        }
        self.birthdays(now)?;
        // While rows are moved for another reason, what is over waits for the next run.
        let Ok(_alone) = self.moving.try_lock() else { return Ok(Expired::default()) };
        let _expiring = self.expiring.lock().unwrap_or_else(PoisonError::into_inner);
        let over: Vec<_> =
            self.store.buckets().into_iter().filter(|bucket| bucket.ends_at() <= now).collect();
        let held = self.hold(&over)?;
        self.keys.destroy(|name| matches!(name, KeyName::Bucket(bucket) if bucket.ends_at() <= now))?;
        let entry = self.log_expiry(&over, now)?;
        for bucket in &over {
            self.store.drop_bucket(*bucket)?;
        }
        Ok(Expired { buckets: over.len(), entry, held, clock_jumped: false })
    }

    /// For how long the clock has moved on without a jump, in seconds.
    fn steady(&self, now: u64) -> Result<u64, NotChanged> {
        let (seen, steady) = self.register.clock()?;
        let passed = now.checked_sub(seen).filter(|passed| *passed <= JUMP_MAX);
        Ok(match passed {
            Some(passed) => steady.saturating_add(passed),
            // The first look of all: there is nothing yet that could be destroyed too early.
            None if seen == 0 => STEADY_MIN,
            None => 0,
        })
    }

    /// Whether anything may be destroyed on the clock's word.
    pub(crate) fn clock_is_steady(&self, now: u64) -> Result<bool, NotChanged> {
        Ok(self.steady(now)? >= STEADY_MIN)
    }

    /// How many purposes of all products are over at a moment, whoever they are for.
    fn purposes_over(&self, at: u64) -> usize {
        let over = |version: &Version| {
            let purposes = version.table.purposes();
            let ends =
                purposes.iter().filter_map(|id| version.table.purpose(id)).map(|purpose| purpose.ends_on_day);
            ends.filter(|day| *day != NO_DAY && u64::from(*day).saturating_mul(DAY) <= at).count()
        };
        self.products().map(|(_, product)| over(&product.version())).sum()
    }

    fn log_expiry(&self, over: &[Bucket], now: u64) -> Result<Option<EntryNumber>, NotChanged> {
        let told = self.register.expired()?;
        let new = over.iter().filter(|bucket| !told.contains(bucket)).count() as u64;
        if new == 0 {
            return Ok(None);
        }
        // A bucket goes as a whole: its parts are not counted.
        let act = Act::Expiry { before: audit::moment(now)?, buckets: new, parts: 0 };
        let entry = self.entry(None, By::Housecarl, now, &[], |_| act)?;
        Ok(Some(self.register.expire(over, &entry)?))
    }

    /// Removes from the files what was removed from the records: to be called once a day, and the
    /// bound on how long ciphertext without a key can still be found there.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn turn_over(&self, now: u64) -> Result<(), NotChanged> {
        Ok(self.store.turn_over(now)?)
    }

    fn make_ahead(&self, now: u64) -> Result<(), NotChanged> {
        let mut needed = BTreeSet::new();
        for (_, product) in self.products() {
            let table = product.version().table;
            let purposes = table.purposes().iter().filter_map(|id| table.purpose(id));
            for keep in purposes.flat_map(|purpose| [purpose.keep_seconds, purpose.keep_bystander_seconds]) {
                let end = now.saturating_add(u64::from(keep));
                needed.extend([end, end.saturating_add(AHEAD)].map(|end| Bucket::of(end, keep)));
            }
        }
        for bucket in needed {
            self.keys.secret_or_new(KeyName::Bucket(bucket))?;
            self.keys.sync()?;
            self.store.create_bucket(bucket)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;
    use crate::journey::Settings;

    #[test]
    fn a_run_that_was_cut_short_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let now = 1_798_761_600;
        let open =
            || Journey::open(&Settings::in_folder(folder.path()), Vec::new(), move || now, |_| ()).unwrap();
        let over = [Bucket::of(now - 90_000, 86_400), Bucket::of(now - 9_000, 3_600)];
        let journey = open();
        over.iter().for_each(|bucket| journey.store.create_bucket(*bucket).unwrap());
        // The entry was written, and the buckets were not dropped.
        assert_eq!(journey.log_expiry(&over, now).unwrap(), Some(EntryNumber(0)));
        drop(journey);
        let journey = open();
        let again = journey.expire(now).unwrap();
        assert_eq!((again.buckets, again.entry), (2, None));
        assert!(journey.store.buckets().is_empty());
        // What is over since is told, and only that.
        journey.store.create_bucket(over[0].next()).unwrap();
        let next = journey.expire(now).unwrap();
        assert_eq!((next.buckets, next.entry), (1, Some(EntryNumber(1))));
    }
}
