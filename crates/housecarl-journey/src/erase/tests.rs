//! Erasures that a crash cut short, after each of their steps.

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
    steps_of(journey, 0..size)
}

fn steps_of(journey: &Journey, entries: impl Iterator<Item = u64>) -> Vec<Option<Erasure>> {
    let acts = entries.map(|number| {
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

/// A promise as it is before it has a number.
fn row(subject: SubjectId, what: &Selector, streams: Option<BTreeSet<StreamNumber>>) -> ErasureRow {
    ErasureRow {
        number: 0,
        subject,
        what: what.clone(),
        before: NOW,
        streams,
        case: audit::random_id().unwrap().0,
        unreadable: false,
        forgets: false,
    }
}

#[test]
fn an_erasure_that_a_crash_cut_short_tells_each_step_once() {
    let all = [Some(Erasure::Asked), None, Some(Erasure::Unreadable), Some(Erasure::Removed)];
    for told in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let mut journey = open(folder.path());
        let home = journey.add_home(By::Housecarl, NOW).unwrap();
        let person = journey.add_person(home, AgeBand::Adult, By::Housecarl, NOW).unwrap();
        let subject = SubjectId::from(person);
        let erasure = row(subject, &Selector::ALL, Some(BTreeSet::from([STREAM])));
        let entry = |erasure: &ErasureRow, step| journey.step(erasure, step, 0, By::Housecarl, NOW).unwrap();
        let asked = entry(&erasure, Erasure::Asked);
        let (erasure, _) = journey.register.add_erasure(erasure, NOW, None, &asked).unwrap();
        if told {
            let act = Act::KeyDestroyed { key: Id(subject.0), of: KeyOf::Person };
            let destroyed = journey.entry(None, By::Housecarl, NOW, &[], |_| act).unwrap();
            let unreadable = entry(&erasure, Erasure::Unreadable);
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
        let subject = SubjectId::from(person);
        (1..=10_i64).for_each(|number| put(&journey, subject, NOW - number.unsigned_abs(), number));
        let entry = |erasure: &ErasureRow, step| journey.step(erasure, step, 0, By::Housecarl, NOW).unwrap();
        let streams = BTreeSet::from([STREAM]);
        let erasure = row(subject, &what, Some(streams.clone()));
        let asked = entry(&erasure, Erasure::Asked);
        let (erasure, _) = journey.register.add_erasure(erasure, NOW, None, &asked).unwrap();
        let leaves = |row: &Row, part| what.leaves(NOW, row, part, None);
        if cut >= Cut::SomeSealedAgain {
            journey.keys.renew(subject, STREAM);
            // What comes in meanwhile stays.
            put(&journey, subject, NOW - 5, 100);
            let mut rows = 0;
            let some = journey.replace(&Wanted::all_of(subject), 1, None, |row, opened| {
                rows += 1;
                if rows > 5 {
                    return Err(NotChanged::Unselected);
                }
                let Some(seal::Opened { part, before: true }) = opened else { return Ok(None) };
                let again =
                    |part| seal::seal_again(&part, row.bucket, &row.place, &journey.keys, journey.sequence());
                Ok(Some(match leaves(row, part) {
                    Left::Whole(part) | Left::Less(part) => Some(again(part)?),
                    Left::Nothing => None,
                }))
            });
            assert!(some.is_err());
        }
        if cut >= Cut::SealedAgain {
            journey.reseal(subject, &streams, None, leaves).unwrap();
        }
        if cut >= Cut::Destroyed {
            assert_eq!(journey.keys.destroy_before(subject, &streams).unwrap(), 1);
        }
        if cut >= Cut::Told {
            let act = Act::KeyDestroyed { key: Id(subject.0), of: KeyOf::Stream };
            let destroyed = journey.entry(None, By::Housecarl, NOW, &[], |_| act).unwrap();
            let unreadable = entry(&erasure, Erasure::Unreadable);
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
        let erasure = ErasureRow { before: until, ..row(subject, &what, None) };
        let asked = journey.step(&erasure, Erasure::Asked, 0, By::Housecarl, NOW).unwrap();
        journey.register.add_erasure(erasure, NOW, None, &asked).unwrap();
    }
    // As an older copy of records and keys has it.
    (0..=10).for_each(|number| put(&journey, subject, NOW - 2 + number, number.cast_signed()));
    assert_eq!(journey.erase_again().unwrap(), 7);
    assert_eq!(numbers(&journey, subject), [3, 4, 5, 6].map(Some));
    assert_eq!(journey.erase_again().unwrap(), 0);
}

#[test]
fn a_forgetting_that_was_cut_short_is_finished_and_told_once() {
    let all = [Some(Erasure::Asked), None, Some(Erasure::Unreadable), Some(Erasure::Removed)];
    for destroyed in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let mut journey = open(folder.path());
        let home = journey.add_home(By::Housecarl, NOW).unwrap();
        let person = journey.add_person(home, AgeBand::Adult, By::Housecarl, NOW).unwrap();
        journey.add_mark(person, "p1", By::Person(person), NOW).unwrap();
        let subject = SubjectId::from(person);
        (1..=10_i64).for_each(|number| put(&journey, subject, NOW - number.unsigned_abs(), number));
        let kept = journey.entry(Some(subject), By::Housecarl, NOW, &[], |_| Act::KeyDestroyed {
            key: Id([7; 16]),
            of: KeyOf::Bucket,
        });
        let kept = journey.register.log(&kept.unwrap()).unwrap();
        let erasure = ErasureRow { forgets: true, ..row(subject, &Selector::ALL, None) };
        let asked = journey.step(&erasure, Erasure::Asked, 0, By::Housecarl, NOW).unwrap();
        journey.register.add_erasure(erasure, NOW, None, &asked).unwrap();
        if destroyed {
            assert_eq!(journey.keys.destroy_all_of(subject).unwrap(), 2);
        }
        for _ in 0..2 {
            drop(journey);
            journey = open(folder.path());
            assert!(journey.home_of_person(person).is_none() && numbers(&journey, subject).is_empty());
            assert!(!journey.keys.names().iter().any(|name| name.is_of(subject)));
            let size = journey.integrate(NOW).unwrap().size;
            assert!(matches!(journey.receipt(kept), Err(AuditError::Destroyed)));
            let told = (0..size).filter(|number| *number != kept.0);
            assert_eq!(steps_of(&journey, told), all);
            let connection = journey.register.connection();
            for of in ["person WHERE id", "mark WHERE person", "choice WHERE person", "look WHERE subject"] {
                let query = format!("SELECT count(*) FROM {of} = ?1");
                let left: i64 = connection.query_row(&query, [subject], |row| row.get(0)).unwrap();
                assert_eq!(left, 0, "{of}");
            }
        }
    }
}
