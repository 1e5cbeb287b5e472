//! One script, every store: whatever is done in whatever order, what is seen is the same.

use std::collections::BTreeMap;

use super::*;
use crate::store::REMEMBERED_SECONDS;
use crate::testing::{DAY, Dice, bucket, place};

const BUCKETS: [u64; 5] = [0, 1, 30, 366, 2_192];
const IDENTITIES: u8 = 12;

/// When each identity was last committed, as far as the stores have to agree on it.
#[derive(Default)]
struct Known(BTreeMap<u8, u64>);

impl Known {
    /// `None` where both answers are right.
    fn is(&self, number: u8, now: u64) -> Option<bool> {
        let at = *self.0.get(&number)?;
        match now.saturating_sub(at) {
            ..=REMEMBERED_SECONDS => Some(true),
            age if age > 2 * REMEMBERED_SECONDS => Some(false),
            _ => None,
        }
    }
}

fn some_place(dice: &mut Dice) -> Place {
    let (subject, stream) = (*dice.pick(&[1, 2, 3]), *dice.pick(&[0, 1, u16::MAX]));
    place(subject, stream, NOW + dice.below(6), dice.below(3))
}

/// Rows of one message or more: each has a sequence of its own, and many differ in nothing else.
fn some_rows(dice: &mut Dice, given: &mut u64) -> Vec<Row> {
    let (count, mut place, mut bucket_of) = (dice.below(7), some_place(dice), bucket(*dice.pick(&BUCKETS)));
    let row = |_| {
        if dice.below(3) == 0 {
            (place, bucket_of) = (some_place(dice), bucket(*dice.pick(&BUCKETS)));
        }
        *given += 1;
        // Those who seal side by side do not commit in the order of their sequences.
        let sequence = *given ^ 3;
        let len = if dice.below(30) == 0 { 40_000 } else { dice.below(60) };
        Row { bucket: bucket_of, place: Place { sequence, ..place }, sealed: dice.bytes(len) }
    };
    (0..count).map(row).collect()
}

fn some_wanted(dice: &mut Dice) -> Wanted {
    let from = NOW + dice.below(6);
    Wanted {
        subject: subject(*dice.pick(&[1, 2, 3, 4])),
        bucket: Some(bucket(*dice.pick(&BUCKETS))).filter(|_| dice.below(3) == 0),
        stream: *dice.pick(&[None, Some(StreamNumber(0)), Some(StreamNumber(u16::MAX))]),
        received: *dice.pick(&[0, from])..*dice.pick(&[from, from + 2, u64::MAX]),
    }
}

/// Does one random thing to both.
fn step(
    dice: &mut Dice,
    now: &mut u64,
    given: &mut u64,
    known: &mut Known,
    both: &mut [Kept; 2],
    turn: bool,
) -> &'static str {
    let stores = both.each_ref().map(Kept::store);
    match dice.below(if turn { 104 } else { 100 }) {
        0..35 => {
            let new = Batch {
                rows: some_rows(dice, given),
                identities: (0..dice.below(3))
                    .map(|_| identity(dice.below(IDENTITIES.into()) as u8))
                    .collect(),
            };
            for Identity([number, ..]) in &new.identities {
                let at = known.0.entry(*number).or_default();
                *at = (*at).max(*now);
            }
            for store in &stores {
                store.commit(new.clone(), *now).unwrap();
            }
            "commit"
        }
        35..45 => {
            let bucket = bucket(*dice.pick(&BUCKETS));
            stores.iter().for_each(|store| store.create_bucket(bucket).unwrap());
            "create_bucket"
        }
        45..65 => {
            let mut gone: Vec<_> =
                (0..dice.below(4)).map(|_| (bucket(*dice.pick(&BUCKETS)), some_place(dice))).collect();
            let there = found(&*stores[0], &some_wanted(dice));
            gone.extend(
                there.into_iter().filter(|_| dice.below(3) == 0).map(|(bucket, place, _)| (bucket, place)),
            );
            if dice.below(2) == 0 {
                let new = some_rows(dice, given);
                stores.iter().for_each(|store| store.replace(&gone, new.clone()).unwrap());
                return "replace";
            }
            stores.iter().for_each(|store| store.remove(&gone).unwrap());
            "remove"
        }
        65..73 => {
            let bucket = bucket(*dice.pick(&BUCKETS));
            stores.iter().for_each(|store| store.drop_bucket(bucket).unwrap());
            "drop_bucket"
        }
        73..90 => {
            *now = match dice.below(8) {
                0 => now.saturating_sub(dice.below(9 * DAY)),
                1 => *now + 8 * DAY,
                _ => *now + dice.below(DAY),
            };
            "time passes"
        }
        90..100 => {
            drop(stores);
            both.iter_mut().for_each(Kept::reopen);
            "reopen"
        }
        _ => {
            // A store may now have forgotten what is older than a week, and has what is older than two.
            known.0.retain(|_, at| now.saturating_sub(*at) <= REMEMBERED_SECONDS);
            stores.iter().for_each(|store| store.turn_over(*now).unwrap());
            "turn_over"
        }
    }
}

fn run(seed: u64, steps: usize, turn: bool) {
    let mut dice = Dice(seed);
    let (mut now, mut given, mut known) = (NOW, 0, Known::default());
    let mut both = [Kept::memory(), Kept::records()];
    let mut script = Vec::new();
    for _ in 0..steps {
        script.push(step(&mut dice, &mut now, &mut given, &mut known, &mut both, turn));
        let stores = both.each_ref().map(Kept::store);
        let told = || format!("seed {seed}: {script:?}");
        assert_eq!(stores[0].buckets(), stores[1].buckets(), "{}", told());
        for wanted in (1..4).map(all_of).chain([some_wanted(&mut dice), some_wanted(&mut dice)]) {
            assert!(found(&*stores[0], &wanted) == found(&*stores[1], &wanted), "{}", told());
        }
        for bucket in BUCKETS.map(bucket) {
            let subjects = stores.each_ref().map(|store| store.subjects(bucket).unwrap());
            assert!(subjects[0] == subjects[1], "{}", told());
        }
        for number in 0..IDENTITIES {
            let answers = stores.each_ref().map(|store| store.knows(&identity(number), now).unwrap());
            if let Some(expected) = known.is(number, now) {
                assert_eq!(answers, [expected; 2], "identity {number}, {}", told());
            }
        }
    }
}

#[test]
fn one_script_every_store() {
    (0..5).for_each(|seed| run(seed, 100, false));
}

#[test]
fn one_script_every_store_with_turn_overs() {
    (100..102).for_each(|seed| run(seed, 80, true));
}
