//! Held: what is restricted is kept past its date, unread (UK GDPR Article 18).
//!
//! A part ends with its bucket, whose key is destroyed. What is restricted then is first sealed again in
//! a bucket that never ends of itself, and goes from there when nobody has it restricted any more.
//!
//! The order of durable steps when buckets end, and what a crash after each leaves:
//! 1. what is restricted moves, in batches: each takes rows out of their bucket and puts theirs into the
//!    other one, all or nothing. Every part is there once and opens, and the next run moves the rest;
//! 2. the buckets' keys are destroyed, as [`crate::expire`] has it.
//!
//! Whoever restricts something waits until a run that has begun is over: what a run has not moved was
//! not restricted when its key was destroyed.
//!
//! When a restriction is lifted, what is past its date is destroyed as an erasure does it
//! ([`crate::reseal`]): its bucket's key is needed for what others have there. A crash in the middle
//! leaves what had not gone yet to the next run, which finds it there and not restricted.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use housecarl_audit::Act;
use housecarl_audit::entry::{Id, KeyOf};

use crate::audit::By;
use crate::journey::{Journey, NotChanged};
use crate::kept::Judge;
use crate::people::SubjectId;
use crate::reseal::Left;
use crate::seal::{self, Opened};
use crate::store::{Bucket, Wanted};

/// How many rows are moved together.
const ROWS_AT_ONCE: usize = 1_000;

impl Journey {
    /// Moves what is restricted out of buckets that are over; how many parts.
    pub(crate) fn hold(&self, over: &[Bucket]) -> Result<u64, NotChanged> {
        let mut held = 0_u64;
        if over.is_empty() {
            return Ok(held);
        }
        for subject in self.homes.restricted() {
            let mut judge = Judge::new(self, subject);
            for bucket in over {
                let wanted = Wanted { bucket: Some(*bucket), ..Wanted::all_of(subject) };
                self.replace(&wanted, ROWS_AT_ONCE, None, |row, opened| {
                    let Some(Opened { part, .. }) = opened else { return Ok(None) };
                    if !judge.is_restricted(&part) {
                        return Ok(None);
                    }
                    held = held.saturating_add(1);
                    let again =
                        seal::seal_again(&part, Bucket::HELD, &row.place, &self.keys, self.sequence())?;
                    Ok(Some(Some(again)))
                })?;
            }
        }
        Ok(held)
    }

    /// Destroys what is past its date and nobody has restricted any more; how many parts.
    pub(crate) async fn let_go(&self, now: u64) -> Result<u64, NotChanged> {
        let mut gone = 0_u64;
        // Before it is looked: what is lifted while this runs is for the next run.
        if !self.homes.lifted.swap(false, Ordering::SeqCst) {
            return Ok(gone);
        }
        for subject in self.store.subjects(Bucket::HELD)? {
            gone = gone.saturating_add(self.let_go_of(subject, now).await.inspect_err(|_| {
                self.homes.lifted.store(true, Ordering::SeqCst);
            })?);
        }
        Ok(gone)
    }

    async fn let_go_of(&self, subject: SubjectId, now: u64) -> Result<u64, NotChanged> {
        let wanted = Wanted { bucket: Some(Bucket::HELD), ..Wanted::all_of(subject) };
        let mut streams = BTreeSet::new();
        let mut judge = Judge::new(self, subject);
        self.store.scan(&wanted, &mut |stored| {
            if let Ok(Some(part)) = seal::open(&stored, &self.keys)
                && !judge.is_restricted(&part)
            {
                streams.insert(stored.row().place.stream);
            }
            true
        })?;
        if streams.is_empty() {
            return Ok(0);
        }
        self.renew(subject, &streams).await?;
        let moment = self.homes.of(subject).map(|home| home.epoch.now());
        let mut judge = Judge::new(self, subject);
        let mut leaves = |row: &crate::store::Row, part| {
            if row.bucket == Bucket::HELD && !judge.is_restricted(&part) {
                return Left::Nothing;
            }
            Left::Whole(part)
        };
        let gone = self.reseal(subject, &streams, moment.as_ref(), &mut leaves)?;
        if self.keys.destroy_before(subject, &streams)? > 0 {
            let act = Act::KeyDestroyed { key: Id(subject.0), of: KeyOf::Stream };
            // Somebody who was forgotten has no key of their own any more, and gets none for this.
            let keeper = self.homes.of(subject).map(|_| subject);
            let entry = self.entry(keeper, By::Housecarl, now, &[], |_| act)?;
            self.register.log(&entry).map_err(crate::audit::AuditError::from)?;
        }
        self.keys.settle(subject, &streams)?;
        Ok(gone)
    }
}
