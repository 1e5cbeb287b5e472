//! Erase: the key is gone, and what it opened with it.
//!
//! Everything about somebody, or what was received in a span of time, by one stream, or of one kind.
//! Where only some of it goes, what stays is sealed again first ([`crate::reseal`]).
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

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::PoisonError;

use housecarl_audit::Act;
use housecarl_audit::entry::{Erasure, Id, KeyOf, Whom};
use housecarl_policy::ItemId;

use crate::audit::{self, AuditError, By, EntryNumber, Outgoing};
use crate::journey::{Journey, NotChanged};
use crate::people::register::ErasureRow;
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
        let _alone = self.moving.lock().await;
        let streams = self.streams_with(subject, what, now)?;
        let case = audit::random_id()?;
        let asked = self.step(subject, case, Erasure::Asked, now, 0, by, now)?;
        let erasure = ErasureRow {
            number: 0,
            subject,
            what: what.clone(),
            before: now,
            streams: Some(streams.clone()),
            case: case.0,
            unreadable: false,
        };
        let (erasure, asked) = self.register.add_erasure(erasure, now, &asked)?;
        self.homes.horizons.set(subject, what, now);
        // What is under way is decided again, and sealed under a new key.
        self.renew(subject, &streams).await?;
        drop(home.reading.write().unwrap_or_else(PoisonError::into_inner));
        let (keys, parts, done) = self.carry_out(&erasure, now)?;
        Ok(Erased { keys, parts, asked, done })
    }

    /// How many parts would go, or have less in them, if this were erased now.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn would_erase(&self, subject: SubjectId, what: &Selector, now: u64) -> Result<u64, NotChanged> {
        self.homes.of(subject).ok_or(NotChanged::Unknown("person or home"))?;
        let mut parts = 0_u64;
        self.each_selected(subject, what, now, |_| parts = parts.saturating_add(1))?;
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
        for ErasureRow { subject, what, before, .. } in self.register.erasures(false)? {
            let mut streams = BTreeSet::new();
            self.each_selected(subject, &what, before, |row| _ = streams.insert(row.place.stream))?;
            streams.iter().for_each(|stream| self.keys.renew(subject, *stream));
            parts = parts.saturating_add(self.reseal(subject, &streams, |row, part| {
                let product = self.product_of(DeviceId(part.device));
                what.leaves(before, row, part, product)
            })?);
            self.keys.destroy_before(subject, &streams)?;
            self.keys.settle(subject, &streams)?;
        }
        Ok(parts)
    }

    /// Everything after the promise; done again, it does what is left.
    fn carry_out(&self, erasure: &ErasureRow, now: u64) -> Result<(usize, u64, EntryNumber), NotChanged> {
        let ErasureRow { subject, ref what, before, .. } = *erasure;
        let case = Id(erasure.case);
        let entry = |step, parts| self.step(subject, case, step, before, parts, By::Housecarl, now);
        let streams = erasure.streams.clone().unwrap_or_else(|| self.keys.streams_of(subject));
        let (mut keys, mut parts) = (0, 0);
        if !erasure.unreadable {
            streams.iter().for_each(|stream| self.keys.renew(subject, *stream));
            if *what != Selector::ALL {
                parts = self.reseal(subject, &streams, |row, part| {
                    let product = self.product_of(DeviceId(part.device));
                    what.leaves(before, row, part, product)
                })?;
            }
            keys = self.keys.destroy_before(subject, &streams)?;
            let of = if *what == Selector::ALL { KeyOf::Person } else { KeyOf::Stream };
            let act = Act::KeyDestroyed { key: Id(subject.0), of };
            let destroyed = self.entry(Some(subject), By::Housecarl, now, &[], |_| act)?;
            let destroyed = Some(destroyed).filter(|_| !streams.is_empty());
            let unreadable = entry(Erasure::Unreadable, 0)?;
            self.register.erasure_is_unreadable(erasure, now, destroyed.as_ref(), &unreadable)?;
        }
        self.keys.settle(subject, &streams)?;
        if *what == Selector::ALL {
            // What came in the same second but after the key was destroyed opens, and stays.
            parts = self.remove(&Wanted::all_of(subject), |stored| {
                stored.row().place.received < before || !matches!(seal::open(stored, &self.keys), Ok(Some(_)))
            })?;
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
        now: u64,
    ) -> Result<BTreeSet<StreamNumber>, NotChanged> {
        if what.received.is_empty() {
            return Err(NotChanged::Unselected);
        }
        if *what == Selector::ALL {
            return Ok(self.keys.streams_of(subject));
        }
        let mut streams = BTreeSet::new();
        self.each_selected(subject, what, now, |row| _ = streams.insert(row.place.stream))?;
        Ok(streams)
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
        let wanted = Wanted { stream: what.stream, received: what.received.clone(), subject };
        Ok(self.store.scan(&wanted, &mut |stored| {
            let row = stored.row();
            let selected = row.place.received <= until
                && (what.item.is_none()
                    || seal::open(&stored, &self.keys).ok().flatten().is_some_and(|part| {
                        let product = self.product_of(DeviceId(part.device));
                        !matches!(what.leaves(until, row, part, product), Left::Whole(_))
                    }));
            if selected {
                each(row);
            }
            true
        })?)
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
        // Nobody of this id is known after they were forgotten: the log has had it from before.
        let whom = self.homes.whom(subject).unwrap_or(Whom::Person(Id(subject.0)));
        let act = Act::Erase { case, whom, step, horizon: audit::moment(before)?, parts };
        self.entry(Some(subject), by, now, &[], |_| act)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use housecarl_policy::{AgeBand, Decimal, PurposeSet};

    use super::*;
    use crate::journey::Settings;
    use crate::minimise::Kept;
    use crate::seal::Said;
    use crate::store::{Batch, Bucket, Place};

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
            let erasure = ErasureRow {
                number: 0,
                subject,
                what: Selector::ALL,
                before: NOW,
                streams: Some(BTreeSet::from([StreamNumber(1)])),
                case: case.0,
                unreadable: false,
            };
            let (erasure, _) = journey.register.add_erasure(erasure, NOW, &asked).unwrap();
            if told {
                let act = Act::KeyDestroyed { key: Id(subject.0), of: KeyOf::Person };
                let destroyed = journey.entry(None, By::Housecarl, NOW, &[], |_| act).unwrap();
                let unreadable = entry(Erasure::Unreadable);
                journey.register.erasure_is_unreadable(&erasure, NOW, Some(&destroyed), &unreadable).unwrap();
            }
            for _ in 0..2 {
                drop(journey);
                journey = open(folder.path());
                assert_eq!(steps(&journey), all);
            }
        }
    }

    const KEPT: u32 = 90 * 86_400;
    const STREAM: StreamNumber = StreamNumber(1);

    /// A part that says one number.
    fn put(journey: &Journey, subject: SubjectId, received: u64, number: i64) {
        let value = Kept::Number(Decimal::whole(number));
        let said = Said { record: 0, item: 1, guess: false, certainty: None, value };
        let ends = received + u64::from(KEPT);
        let purposes = PurposeSet::from_bits(1);
        let part = Part { purposes, ends, device: [1; 16], values: vec![said] };
        let place = Place { subject, stream: STREAM, received, sequence: 0 };
        let bucket = Bucket::of(ends, KEPT);
        let row = seal::seal_again(&part, bucket, &place, &journey.keys, journey.sequence()).unwrap();
        journey.keys.sync().unwrap();
        journey.store.commit(Batch { rows: vec![row], identities: Vec::new() }, NOW).unwrap();
    }

    /// What all rows about a subject say, in order; a row that does not open says nothing.
    fn numbers(journey: &Journey, subject: SubjectId) -> Vec<Option<i64>> {
        let mut numbers = Vec::new();
        let each = &mut |stored| {
            let part = seal::open(&stored, &journey.keys).ok().flatten();
            numbers.push(part.and_then(|part| match part.values.first().map(|said| said.value.clone()) {
                Some(Kept::Number(number)) => Some(number.mantissa()),
                _ => None,
            }));
            true
        };
        journey.store.scan(&Wanted::all_of(subject), each).unwrap();
        numbers.sort();
        numbers
    }

    /// How far an erasure has come when the power fails.
    #[derive(Clone, Copy, PartialEq, PartialOrd)]
    enum Cut {
        Promised,
        SomeSealedAgain,
        SealedAgain,
        Destroyed,
        Told,
        Settled,
    }

    #[test]
    fn an_erasure_of_a_span_that_was_cut_short_is_finished_and_told_once() {
        let all = [Some(Erasure::Asked), None, Some(Erasure::Unreadable), Some(Erasure::Removed)];
        let what = Selector { received: NOW - 7..NOW - 3, ..Selector::ALL };
        for cut in
            [Cut::Promised, Cut::SomeSealedAgain, Cut::SealedAgain, Cut::Destroyed, Cut::Told, Cut::Settled]
        {
            let folder = tempfile::tempdir().unwrap();
            let mut journey = open(folder.path());
            let home = journey.add_home(By::Housecarl, NOW).unwrap();
            let person = journey.add_person(home, AgeBand::Adult, By::Housecarl, NOW).unwrap();
            let (subject, case) = (SubjectId::from(person), audit::random_id().unwrap());
            (1..=10_i64).for_each(|number| put(&journey, subject, NOW - number.unsigned_abs(), number));
            let entry = |step| journey.step(subject, case, step, NOW, 0, By::Housecarl, NOW).unwrap();
            let streams = BTreeSet::from([STREAM]);
            let erasure = ErasureRow {
                number: 0,
                subject,
                what: what.clone(),
                before: NOW,
                streams: Some(streams.clone()),
                case: case.0,
                unreadable: false,
            };
            let (erasure, _) = journey.register.add_erasure(erasure, NOW, &entry(Erasure::Asked)).unwrap();
            let leaves = |row: &Row, part| what.leaves(NOW, row, part, None);
            if cut >= Cut::SomeSealedAgain {
                journey.keys.renew(subject, STREAM);
                // What comes in meanwhile stays.
                put(&journey, subject, NOW - 5, 100);
                let mut rows = 0;
                let some = journey.replace(&Wanted::all_of(subject), 1, |row, opened| {
                    rows += 1;
                    if rows > 5 {
                        return Err(NotChanged::Unselected);
                    }
                    let Some(seal::Opened { part, before: true }) = opened else { return Ok(None) };
                    let again = |part| {
                        seal::seal_again(&part, row.bucket, &row.place, &journey.keys, journey.sequence())
                    };
                    Ok(Some(match leaves(row, part) {
                        Left::Whole(part) | Left::Less(part) => Some(again(part)?),
                        Left::Nothing => None,
                    }))
                });
                assert!(some.is_err());
            }
            if cut >= Cut::SealedAgain {
                journey.reseal(subject, &streams, leaves).unwrap();
            }
            if cut >= Cut::Destroyed {
                assert_eq!(journey.keys.destroy_before(subject, &streams).unwrap(), 1);
            }
            if cut >= Cut::Told {
                let act = Act::KeyDestroyed { key: Id(subject.0), of: KeyOf::Stream };
                let destroyed = journey.entry(None, By::Housecarl, NOW, &[], |_| act).unwrap();
                let unreadable = entry(Erasure::Unreadable);
                journey.register.erasure_is_unreadable(&erasure, NOW, Some(&destroyed), &unreadable).unwrap();
            }
            if cut >= Cut::Settled {
                journey.keys.settle(subject, &streams).unwrap();
                put(&journey, subject, NOW - 5, 101);
            }
            let mut stays: Vec<_> = [1, 2, 3, 8, 9, 10].map(Some).into();
            stays.extend((cut >= Cut::SomeSealedAgain).then_some(Some(100)));
            stays.extend((cut >= Cut::Settled).then_some(Some(101)));
            for _ in 0..2 {
                drop(journey);
                journey = open(folder.path());
                assert_eq!(numbers(&journey, subject), stays);
                assert_eq!(steps(&journey), all);
                assert!(journey.keys.renewing().is_empty());
                assert_eq!(journey.keys.streams_of(subject), streams);
            }
        }
    }

    #[test]
    fn what_is_put_back_from_before_is_erased_again_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let journey = open(folder.path());
        let home = journey.add_home(By::Housecarl, NOW).unwrap();
        let person = journey.add_person(home, AgeBand::Adult, By::Housecarl, NOW).unwrap();
        let subject = SubjectId::from(person);
        for what in [Selector::ALL, Selector { received: NOW + 5..NOW + 9, ..Selector::ALL }] {
            let until = if what == Selector::ALL { NOW } else { NOW + 20 };
            let case = audit::random_id().unwrap();
            let asked = journey.step(subject, case, Erasure::Asked, until, 0, By::Housecarl, NOW).unwrap();
            let erasure = ErasureRow {
                number: 0,
                subject,
                what,
                before: until,
                streams: None,
                case: case.0,
                unreadable: false,
            };
            journey.register.add_erasure(erasure, NOW, &asked).unwrap();
        }
        // As an older copy of records and keys has it.
        (0..=10).for_each(|number| put(&journey, subject, NOW - 2 + number, number.cast_signed()));
        assert_eq!(journey.erase_again().unwrap(), 7);
        assert_eq!(numbers(&journey, subject), [3, 4, 5, 6].map(Some));
        assert_eq!(journey.erase_again().unwrap(), 0);
    }
}
