//! Clean up: what is kept for nothing but what was taken back goes, within a day.
//!
//! It cannot be read from the moment on at which it was taken back; here it leaves the records, and with
//! the next turn-over the files. No key is destroyed: whoever holds both an older copy of the records and
//! the keys could still open it there until its bucket ends, and somebody who wants that ended asks for
//! erasure.
//!
//! Only a no makes something go. What is closed for another reason (a feature is off, a new wording was
//! not told yet, the purpose is shut) may open again, and goes at its date.
//!
//! The order of durable steps, and what a crash after each leaves:
//! 1. whose parts are to be looked through, in the transaction of what was said: the next start goes on;
//! 2. the entry of the audit log, with how many parts go: the next run does not tell of them again;
//! 3. the rows go, in batches: the next run finds those that are left;
//! 4. it is looked through no more, or once more when the next purpose's own period is over.

use std::collections::BTreeSet;

use housecarl_audit::Act;
use housecarl_audit::entry::Erasure;
use housecarl_policy::ItemId;

use crate::audit::{self, By};
use crate::journey::{Journey, NotChanged};
use crate::kept::{Comes, Judge};
use crate::people::erasures::Look;
use crate::people::{DeviceId, SubjectId};
use crate::reseal::Left;
use crate::seal::{self, Part};
use crate::store::commit::Moment;
use crate::store::{Row, Wanted};

/// How many rows are removed together.
const ROWS_AT_ONCE: usize = 1_000;

/// What a step of the clean-up did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CleanedUp {
    /// How many parts are gone, or have less in them.
    pub parts: u64,
    /// Whether there is more to do now.
    pub more: bool,
}

/// What is there about somebody who took something back.
#[derive(Default)]
struct There {
    /// Of which items something stays, by device.
    staying: BTreeSet<(DeviceId, ItemId)>,
    /// When it is to be looked again.
    again: Option<u64>,
}

impl Journey {
    /// Removes what is kept for nothing any more, of one person or home, and what was restricted, is so no
    /// more, and is past its date. To be called every few minutes, and again at once where there is more.
    ///
    /// # Errors
    /// [`NotChanged`]; what is not removed yet is removed by the next run.
    pub async fn clean_up(&self, now: u64) -> Result<CleanedUp, NotChanged> {
        let _alone = self.moving.lock().await;
        // What had no room before.
        self.finish_erasures(now)?;
        let held = self.let_go(now).await?;
        let Some(look) = self.register.next_look(now)? else {
            return Ok(CleanedUp { parts: held, more: false });
        };
        let parts = self.look_through(&look, now)?.unwrap_or(0);
        Ok(CleanedUp { parts: held.saturating_add(parts), more: self.register.next_look(now)?.is_some() })
    }

    /// `None` where somebody said something meanwhile: it is looked through again.
    fn look_through(&self, look: &Look, now: u64) -> Result<Option<u64>, NotChanged> {
        let subject = look.subject;
        let Some(home) = self.homes.of(subject) else {
            // Nobody of this id is known: whatever there was went with them.
            self.register.end_look(look, None)?;
            return Ok(Some(0));
        };
        let moment = home.epoch.now();
        let believed = self.clock_is_steady(now)?;
        let there = self.what_is_there(subject, now, believed)?;
        let mut parts = 0_u64;
        self.go_through(subject, &there, now, believed, None, |left, _| {
            parts = parts.saturating_add(u64::from(!matches!(left, Left::Whole(_))));
            Ok(None)
        })?;
        if parts > 0 {
            if !look.told {
                let whom = self.homes.whom(subject).ok_or(NotChanged::Unknown("person or home"))?;
                let (case, horizon) = (audit::random_id()?, audit::moment(now)?);
                let act = Act::Erase { case, whom, step: Erasure::Removed, horizon, parts };
                let entry = self.entry(Some(subject), By::Housecarl, now, &[], |_| act)?;
                self.register.tell_look(look, &entry)?;
            }
            let again = |row: &Row, part: &Part| {
                seal::seal_again(part, row.bucket, &row.place, &self.keys, self.sequence())
            };
            let done = self.go_through(subject, &there, now, believed, Some(&moment), |left, row| {
                Ok(match left {
                    Left::Whole(_) => None,
                    Left::Less(part) => Some(Some(again(row, &part)?)),
                    Left::Nothing => Some(None),
                })
            })?;
            if !done {
                return Ok(None);
            }
        }
        self.register.end_look(look, there.again)?;
        Ok(Some(parts))
    }

    fn what_is_there(&self, subject: SubjectId, now: u64, believed: bool) -> Result<There, NotChanged> {
        let (mut judge, mut there) = (Judge::new(self, subject), There::default());
        self.store.scan(&Wanted::all_of(subject), &mut |stored| {
            let Ok(Some(part)) = seal::open(&stored, &self.keys) else { return true };
            match judge.comes(&part, stored.row().place.received, now, believed) {
                Comes::Goes => return true,
                Comes::Stays(Some(again)) => {
                    there.again = Some(there.again.map_or(again, |before| before.min(again)));
                }
                Comes::Stays(None) | Comes::Untouched => {}
            }
            let items = part.values.iter().map(|said| (DeviceId(part.device), ItemId(said.item)));
            there.staying.extend(items);
            true
        })?;
        Ok(there)
    }

    /// Hands on what is left of each part, and has the row replaced by what `each` gives.
    fn go_through(
        &self,
        subject: SubjectId,
        there: &There,
        now: u64,
        believed: bool,
        moment: Option<&Moment>,
        mut each: impl FnMut(Left, &Row) -> Result<Option<Option<Row>>, NotChanged>,
    ) -> Result<bool, NotChanged> {
        let mut judge = Judge::new(self, subject);
        self.replace(&Wanted::all_of(subject), ROWS_AT_ONCE, moment, |row, opened| {
            let Some(seal::Opened { part, .. }) = opened else { return Ok(None) };
            let left = match judge.comes(&part, row.place.received, now, believed) {
                Comes::Goes => Left::Nothing,
                Comes::Stays(_) | Comes::Untouched => judge.without_descendants(part, &there.staying, now),
            };
            each(left, row)
        })
    }
}
