//! Erase: the key is gone, and what it opened with it.
//!
//! Everything about somebody, or what was received in a span of time, by one stream, or of one kind.
//! Where only some of it goes, what stays is sealed again first (`reseal.rs`).
//!
//! The order of durable steps, and what a crash after each leaves:
//! 1. the promise, in the register, with its entry in the audit log and the streams that it is about:
//!    the next start goes on from here. What comes later and was captured before is not taken any more;
//! 2. what stays of these streams is sealed again under new keys, if anything does;
//! 3. the old keys are overwritten: from now on nobody can read it, here or in any copy of the records;
//! 4. the entries that say so: a crash before leaves them to the next start;
//! 5. the new keys take the old ones' names;
//! 6. the rows are removed, where that was not done with the second step: ciphertext that nothing opens,
//!    until the next turn-over of the files;
//! 7. the promise is kept, with the last entry. A crash before leaves it to the next start, whose
//!    entry counts the rows that were left.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::PoisonError;

use housecarl_audit::Act;
use housecarl_audit::entry::{Erasure, Id, KeyOf, Whom};
use housecarl_policy::ItemId;

use crate::audit::{self, AuditError, By, EntryNumber, Outgoing};
use crate::journey::{Journey, NotChanged};
use crate::kept::Judge;
use crate::people::erasures::ErasureRow;
use crate::people::{DeviceId, PersonId, SubjectId};
use crate::product::ProductNumber;
use crate::reseal::Left;
use crate::seal::{self, Part};
use crate::store::{Row, StreamNumber, Wanted};

/// What of somebody's data is to be erased: what all of this is true of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    /// Received in this time: seconds since 1970. Of what comes later: captured in it.
    pub received: Range<u64>,
    /// By this stream; `None` is every one.
    pub stream: Option<StreamNumber>,
    /// Of this item of a product; `None` is every one.
    pub item: Option<(ProductNumber, ItemId)>,
}

impl Selector {
    /// Everything.
    pub const ALL: Self = Self { received: 0..u64::MAX, stream: None, item: None };

    pub(crate) fn has_stream(&self, stream: StreamNumber) -> bool {
        self.stream.is_none_or(|named| named == stream)
    }

    pub(crate) fn has_item(&self, item: (ProductNumber, ItemId)) -> bool {
        self.item.is_none_or(|named| named == item)
    }

    /// What is left of a part that was received until a moment, of a device of this product.
    fn leaves(&self, until: u64, row: &Row, mut part: Part, product: Option<ProductNumber>) -> Left {
        let (received, all) = (row.place.received, part.values.len());
        if received > until || !self.received.contains(&received) || !self.has_stream(row.place.stream) {
            return Left::Whole(part);
        }
        if let Some((named, item)) = self.item {
            part.values.retain(|said| product != Some(named) || said.item != item.0);
        } else {
            part.values.clear();
        }
        match part.values.len() {
            0 => Left::Nothing,
            left if left == all => Left::Whole(part),
            _ => Left::Less(part),
        }
    }
}

/// What was erased.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Erased {
    /// How many keys.
    pub keys: usize,
    /// How many parts are gone, or have less in them.
    pub parts: u64,
    /// The entry of the audit log that says that it was asked for.
    pub asked: EntryNumber,
    /// The entry that says that it is done.
    pub done: EntryNumber,
}

impl Journey {
    /// Erases everything that was received about a person until now; see [`Journey::erase`].
    ///
    /// # Errors
    /// As [`Journey::erase`].
    pub async fn erase_person(&self, person: PersonId, by: By, now: u64) -> Result<Erased, NotChanged> {
        self.erase(person.into(), &Selector::ALL, by, now).await
    }

    /// Erases what a selector names of what was received about somebody until now: a person, the
    /// household of a home, or its bystanders. What was captured before and comes later is not taken.
    /// When this returns, it is unreadable and its rows are removed.
    ///
    /// # Errors
    /// [`NotChanged`]. Once it is written down it is finished, by this or by the next start.
    pub async fn erase(
        &self,
        subject: SubjectId,
        what: &Selector,
        by: By,
        now: u64,
    ) -> Result<Erased, NotChanged> {
        let home = self.homes.of(subject).ok_or(NotChanged::Unknown("person or home"))?;
        self.make_room()?;
        let _alone = self.moving.lock().await;
        let streams = self.streams_with(subject, what)?;
        let erasure = ErasureRow {
            number: 0,
            subject,
            what: what.clone(),
            before: now,
            streams: Some(streams.clone()),
            case: audit::random_id()?.0,
            unreadable: false,
            forgets: false,
        };
        let asked = self.step(&erasure, Erasure::Asked, 0, by, now)?;
        let (erasure, asked) = self.register.add_erasure(erasure, now, None, &asked)?;
        self.homes.horizons.set(subject, what, now);
        // What is under way is decided again, and sealed under a new key.
        self.renew(subject, &streams).await?;
        drop(home.reading.write().unwrap_or_else(PoisonError::into_inner));
        let (keys, parts, done) = self.carry_out(&erasure, now)?;
        Ok(Erased { keys, parts, asked, done })
    }

    /// Forgets a person as a whole: what is held about them, what they said, how messages name them, their
    /// keys. Their devices are nobody's, and what is sent about them is about somebody unknown. What stays
    /// is what the audit log needs: their random id, and commitments that nobody can open any more.
    ///
    /// # Errors
    /// As [`Journey::erase`].
    pub async fn forget(&self, person: PersonId, by: By, now: u64) -> Result<Erased, NotChanged> {
        let home = self.homes.home_of(person).ok_or(NotChanged::Unknown("person"))?;
        let _alone = self.moving.lock().await;
        let erasure = ErasureRow {
            number: 0,
            subject: person.into(),
            what: Selector::ALL,
            before: now,
            streams: None,
            case: audit::random_id()?.0,
            unreadable: false,
            forgets: true,
        };
        let asked = self.step(&erasure, Erasure::Asked, 0, by, now)?;
        let action = self.action("person-forgotten", person.0, by, now)?;
        let (erasure, asked) = self.register.add_erasure(erasure, now, Some(&action), &asked)?;
        // Nobody says anything as them meanwhile, and nothing is decided about them any more.
        let still = self.applying.read().unwrap_or_else(PoisonError::into_inner);
        let turn = home.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.depart(person);
        self.want(&home, now);
        drop((turn, still));
        drop(home.reading.write().unwrap_or_else(PoisonError::into_inner));
        self.commits.barrier().await?;
        let (keys, parts, done) = self.carry_out(&erasure, now)?;
        Ok(Erased { keys, parts, asked, done })
    }

    /// Nobody is this person any more, as far as memory goes.
    fn depart(&self, person: PersonId) {
        self.homes.remove_person(person);
        self.products().for_each(|(_, product)| product.state().standings.remove(person));
    }

    /// How many parts would go, or have less in them, if this were erased now.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn would_erase(&self, subject: SubjectId, what: &Selector) -> Result<u64, NotChanged> {
        self.homes.of(subject).ok_or(NotChanged::Unknown("person or home"))?;
        let mut parts = 0_u64;
        self.each_selected(subject, what, u64::MAX, |_| parts = parts.saturating_add(1))?;
        Ok(parts)
    }

    /// Goes on where a crash has interrupted an erasure.
    pub(crate) fn finish_erasures(&self, now: u64) -> Result<(), NotChanged> {
        for erasure in self.register.erasures(true)? {
            self.carry_out(&erasure, now)?;
        }
        self.finish_resealing()
    }

    /// Erases again whatever was ever erased, after records or keys were put back that are older.
    /// Nobody else may be at work yet. How many parts went.
    ///
    /// # Errors
    /// [`NotChanged`]; to be called again then, before anything is read.
    pub fn erase_again(&self) -> Result<u64, NotChanged> {
        let mut parts = 0_u64;
        for ErasureRow { subject, what, before, forgets, .. } in self.register.erasures(false)? {
            if forgets {
                self.keys.destroy_all_of(subject)?;
                parts = parts.saturating_add(self.remove(&Wanted::all_of(subject), |_| true)?);
                continue;
            }
            let mut streams = BTreeSet::new();
            self.each_selected(subject, &what, before, |row| _ = streams.insert(row.place.stream))?;
            streams.iter().for_each(|stream| self.keys.renew(subject, *stream));
            parts = parts.saturating_add(self.reseal(
                subject,
                &streams,
                None,
                self.leaves(subject, &what, before),
            )?);
            self.keys.destroy_before(subject, &streams)?;
            self.keys.settle(subject, &streams)?;
        }
        Ok(parts)
    }

    /// Everything after the promise; done again, it does what is left.
    fn carry_out(&self, erasure: &ErasureRow, now: u64) -> Result<(usize, u64, EntryNumber), NotChanged> {
        let ErasureRow { subject, ref what, forgets, .. } = *erasure;
        let entry = |step, parts| self.step(erasure, step, parts, By::Housecarl, now);
        if forgets {
            self.depart(PersonId(subject.0));
        }
        let streams = erasure.streams.clone().unwrap_or_else(|| self.keys.streams_of(subject));
        let (mut keys, mut parts) = (0, 0);
        if !erasure.unreadable {
            streams.iter().for_each(|stream| self.keys.renew(subject, *stream));
            if *what != Selector::ALL || self.restricted_by_others(subject) {
                parts = self.reseal(subject, &streams, None, self.leaves(subject, what, u64::MAX))?;
            }
            keys = if forgets {
                self.keys.destroy_all_of(subject)?
            } else {
                self.keys.destroy_before(subject, &streams)?
            };
            let of = if *what == Selector::ALL { KeyOf::Person } else { KeyOf::Stream };
            let act = Act::KeyDestroyed { key: Id(subject.0), of };
            let destroyed = self.entry(keeper(erasure), By::Housecarl, now, &[], |_| act)?;
            let destroyed = Some(destroyed).filter(|_| forgets || !streams.is_empty());
            let unreadable = entry(Erasure::Unreadable, 0)?;
            self.register.erasure_is_unreadable(erasure, now, destroyed.as_ref(), &unreadable)?;
        }
        self.keys.settle(subject, &streams)?;
        if *what == Selector::ALL {
            // What came in since then, or has been sealed again, opens and stays.
            let removed = self.remove(&Wanted::all_of(subject), |stored| {
                !matches!(seal::open(stored, &self.keys), Ok(Some(_)))
            })?;
            parts = parts.saturating_add(removed);
        }
        let done = self.register.finish_erasure(erasure, now, &entry(Erasure::Removed, parts)?)?;
        // It is erased, whether or not the list of it could be written; the list says how old it is.
        let _ = self.list_erasures(now);
        Ok((keys, parts, done))
    }

    /// The streams that hold something of what is selected.
    fn streams_with(
        &self,
        subject: SubjectId,
        what: &Selector,
    ) -> Result<BTreeSet<StreamNumber>, NotChanged> {
        if what.received.is_empty() {
            return Err(NotChanged::Unselected);
        }
        if *what == Selector::ALL {
            return Ok(self.keys.streams_of(subject));
        }
        let mut streams = BTreeSet::new();
        // Whatever the clock showed then: what is there was there before.
        self.each_selected(subject, what, u64::MAX, |row| _ = streams.insert(row.place.stream))?;
        Ok(streams)
    }

    /// Whether somebody else than who asks may have something of it restricted: then that stays. What is
    /// one's own and one has restricted oneself goes when one asks for it.
    fn restricted_by_others(&self, subject: SubjectId) -> bool {
        let household = self.homes.of(subject).is_some_and(|home| home.row.household == subject);
        household && self.homes.restricted().contains(&subject)
    }

    /// What is left of a part, when what a selector names until a moment goes.
    fn leaves<'j>(
        &'j self,
        subject: SubjectId,
        what: &'j Selector,
        until: u64,
    ) -> impl FnMut(&Row, Part) -> Left + use<'j> {
        let mut judge = self.restricted_by_others(subject).then(|| Judge::new(self, subject));
        move |row, part| {
            if judge.as_mut().is_some_and(|judge| judge.is_restricted(&part)) {
                return Left::Whole(part);
            }
            let product = self.product_of(DeviceId(part.device));
            what.leaves(until, row, part, product)
        }
    }

    /// Goes through the rows that hold something of what is selected.
    fn each_selected(
        &self,
        subject: SubjectId,
        what: &Selector,
        until: u64,
        mut each: impl FnMut(&Row),
    ) -> Result<(), NotChanged> {
        if what.received.is_empty() {
            return Err(NotChanged::Unselected);
        }
        let (mut leaves, by_others) = (self.leaves(subject, what, until), self.restricted_by_others(subject));
        let wanted =
            Wanted { stream: what.stream, received: what.received.clone(), ..Wanted::all_of(subject) };
        Ok(self.store.scan(&wanted, &mut |stored| {
            let row = stored.row();
            // What is in a part is looked at only where something turns on it.
            let goes = |part| !matches!(leaves(row, part), Left::Whole(_));
            let selected = row.place.received <= until
                && ((what.item.is_none() && !by_others)
                    || seal::open(&stored, &self.keys).ok().flatten().is_some_and(goes));
            if selected {
                each(row);
            }
            true
        })?)
    }

    /// The entry of a step of an erasure.
    fn step(
        &self,
        erasure: &ErasureRow,
        step: Erasure,
        parts: u64,
        by: By,
        now: u64,
    ) -> Result<Outgoing, AuditError> {
        let id = Id(erasure.subject.0);
        let whom = self.homes.whom(erasure.subject).unwrap_or(Whom::Person(id));
        let horizon = audit::moment(erasure.before)?;
        let act = Act::Erase { case: Id(erasure.case), whom, step, horizon, parts };
        self.entry(keeper(erasure), by, now, &[], |_| act)
    }
}

/// Under whose key the entries of an erasure are sealed: of who is forgotten no key is left, and nothing
/// else than a random id stands there.
fn keeper(erasure: &ErasureRow) -> Option<SubjectId> {
    (!erasure.forgets).then_some(erasure.subject)
}
