//! Re-seal: where some of what a stream holds about somebody is to be unreadable everywhere, what stays
//! is sealed again under a new key, and the old key is destroyed.
//!
//! The order of durable steps, and what a crash after each leaves:
//! 1. the new key: two keys, of which the next start finds the second, and goes on from here;
//! 2. what stays, in batches: each removes rows of the old key and adds theirs of the new one, all or
//!    nothing, so that every part is there once and opens;
//! 3. the old key is destroyed: what went is unreadable in every copy, and the new key does for both;
//! 4. the new key takes the old one's name.
//!
//! What comes in meanwhile is sealed under the new key, and what was decided before has been written or
//! dropped when this begins: so one look at the rows finds every one of the old key.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use crate::journey::{Journey, NotChanged};
use crate::people::SubjectId;
use crate::seal::{self, Opened, Part};
use crate::store::commit::Moment;
use crate::store::{Bucket, Place, Row, StoreError, StreamNumber, Wanted};

/// How many rows are replaced together.
const ROWS_AT_ONCE: usize = 1_000;

/// What is left of a part.
pub(crate) enum Left {
    /// All of it.
    Whole(Part),
    /// Less than there was.
    Less(Part),
    /// Nothing.
    Nothing,
}

/// Rows that go, and what comes in their place.
#[derive(Default)]
struct Replaced {
    gone: Vec<(Bucket, Place)>,
    new: Vec<Row>,
}

impl Journey {
    /// Begins it: what is sealed from now on is sealed under a new key, and what was decided before has
    /// been written or dropped.
    pub(crate) async fn renew(
        &self,
        subject: SubjectId,
        streams: &BTreeSet<StreamNumber>,
    ) -> Result<(), NotChanged> {
        streams.iter().for_each(|stream| self.keys.renew(subject, *stream));
        if let Some(home) = self.homes.of(subject) {
            home.epoch.end();
        }
        Ok(self.commits.barrier().await?)
    }

    /// Seals again what stays of these streams of a subject; how many parts are gone or have less in
    /// them. Once `moment` is past, everything stays. What cannot be opened is of no use to anybody, and goes.
    pub(crate) fn reseal(
        &self,
        subject: SubjectId,
        streams: &BTreeSet<StreamNumber>,
        moment: Option<&Moment>,
        mut stays: impl FnMut(&Row, Part) -> Left,
    ) -> Result<u64, NotChanged> {
        let mut changed = 0_u64;
        for stream in streams {
            let wanted = Wanted { stream: Some(*stream), ..Wanted::all_of(subject) };
            let mut judges = true;
            while !self.replace(&wanted, ROWS_AT_ONCE, moment.filter(|_| judges), |row, opened| {
                let left = match opened {
                    // It came in meanwhile, or was sealed again already.
                    Some(Opened { before: false, .. }) => return Ok(None),
                    Some(Opened { part, .. }) if judges => stays(row, part),
                    Some(Opened { part, .. }) => Left::Whole(part),
                    None => Left::Nothing,
                };
                let again = |part| {
                    seal::seal_again(&part, row.bucket, &row.place, &self.keys, self.sequence()).map(Some)
                };
                changed = changed.saturating_add(u64::from(!matches!(left, Left::Whole(_))));
                Ok(Some(match left {
                    Left::Whole(part) | Left::Less(part) => again(part)?,
                    Left::Nothing => None,
                }))
            })? {
                judges = false;
            }
        }
        Ok(changed)
    }

    /// Goes through the wanted rows, and has those for which `each` gives something replaced by it. A
    /// row whose bucket has no key any more is left to its end. `false` where somebody of the home said
    /// something after `moment`: what `each` judged by is the past then, and no more is replaced.
    pub(crate) fn replace(
        &self,
        wanted: &Wanted,
        at_once: usize,
        moment: Option<&Moment>,
        mut each: impl FnMut(&Row, Option<Opened>) -> Result<Option<Option<Row>>, NotChanged>,
    ) -> Result<bool, NotChanged> {
        let mut replaced = Replaced::default();
        let mut ended = Ok(true);
        let mut one = |row: &Row, opened| -> Result<bool, NotChanged> {
            if let Some(new) = each(row, opened)? {
                replaced.gone.push((row.bucket, row.place));
                replaced.new.extend(new);
                if replaced.gone.len() >= at_once {
                    return self.carry(wanted.subject, moment, std::mem::take(&mut replaced));
                }
            }
            Ok(true)
        };
        self.store.scan(wanted, &mut |stored| {
            let opened = match seal::open_any(&stored, &self.keys) {
                Ok(None) => return true,
                Ok(Some(opened)) => Some(opened),
                Err(_) => None,
            };
            ended = one(stored.row(), opened);
            matches!(ended, Ok(true))
        })?;
        if ended? { self.carry(wanted.subject, moment, replaced) } else { Ok(false) }
    }

    fn carry(
        &self,
        subject: SubjectId,
        moment: Option<&Moment>,
        replaced: Replaced,
    ) -> Result<bool, NotChanged> {
        if replaced.gone.is_empty() {
            return Ok(true);
        }
        // The key before what is sealed under it.
        self.keys.sync()?;
        let home = self.homes.of(subject);
        // Nobody here says anything between the last look at what was said and this.
        let _turn = home.as_ref().map(|home| home.turn.lock().unwrap_or_else(PoisonError::into_inner));
        if moment.is_some_and(|moment| !moment.is_present()) {
            return Ok(false);
        }
        let _moving = home.as_ref().map(|home| home.moves.begin());
        self.store.replace(&replaced.gone, replaced.new)?;
        Ok(true)
    }

    /// Goes on where a crash has interrupted a re-sealing: of what is there nothing goes any more.
    pub(crate) fn finish_resealing(&self) -> Result<(), NotChanged> {
        for (subject, stream) in self.keys.renewing() {
            let streams = BTreeSet::from([stream]);
            self.reseal(subject, &streams, None, |_, part| Left::Whole(part))?;
            self.keys.destroy_before(subject, &streams)?;
            self.keys.settle(subject, &streams)?;
        }
        Ok(())
    }

    /// Removes the wanted rows that `goes`; how many.
    pub(crate) fn remove(
        &self,
        wanted: &Wanted,
        mut goes: impl FnMut(&crate::store::Stored) -> bool,
    ) -> Result<u64, StoreError> {
        let mut removed = 0_u64;
        let mut rows = Vec::new();
        let mut failed = None;
        self.store.scan(wanted, &mut |stored| {
            if goes(&stored) {
                rows.push((stored.row().bucket, stored.row().place));
            }
            if rows.len() >= ROWS_AT_ONCE * 10 {
                removed = removed.saturating_add(rows.len() as u64);
                failed = self.store.remove(&std::mem::take(&mut rows)).err();
            }
            failed.is_none()
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        if !rows.is_empty() {
            self.store.remove(&rows)?;
        }
        Ok(removed.saturating_add(rows.len() as u64))
    }
}
