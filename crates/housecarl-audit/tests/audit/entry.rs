//! The encoding of entries: one way only, and nothing else reads.

use std::collections::BTreeMap;

use housecarl_audit::entry::{
    Answer, Digest, Erasure, Id, KeyOf, Malformed, Means, Moment, Name, REASONS_MAX, Refusals, Who, Whom,
};
use housecarl_audit::{Act, Entry, Leaf, Opening, Salt};

use crate::log::{choice, name};

/// One of every kind, with every form of who and whom among them.
pub(crate) fn one_of_each() -> Vec<Entry> {
    let (id, digest) = (Id([1; 16]), Digest([2; 32]));
    let (product, purpose) = (name("watch"), name("activity"));
    let moment = |millis| Moment::from_millis(millis).unwrap();
    let several = Whom::Several { people: 3, list: digest };
    let reasons = BTreeMap::from([(name("not-declared"), 7), (name("refused"), 1)]);
    let acts = [
        (
            Who::Person(id),
            Act::Choice {
                home: id,
                whom: Whom::Person(id),
                product: product.clone(),
                answer: Answer::Precision,
                about: name("place"),
                step: 2,
                meaning: Digest([0; 32]),
                record: digest,
            },
        ),
        (
            Who::Housecarl,
            Act::Notice {
                home: id,
                whom: Whom::Bystanders,
                product: product.clone(),
                means: Means::MadeAvailable,
                record: digest,
            },
        ),
        (
            Who::Consumer(id),
            Act::Read {
                request: id,
                whom: several,
                product: product.clone(),
                purpose: purpose.clone(),
                parts: 10_000,
            },
        ),
        (
            Who::Housecarl,
            Act::Share {
                request: id,
                whom: several,
                product: product.clone(),
                purpose,
                recipient: name("coach"),
                parts: 1,
            },
        ),
        (
            Who::Operator(id),
            Act::Erase {
                case: id,
                whom: Whom::Household(id),
                step: Erasure::Unreadable,
                horizon: moment(5),
                parts: u64::MAX,
            },
        ),
        (Who::Housecarl, Act::KeyDestroyed { key: id, of: KeyOf::Person }),
        (Who::Housecarl, Act::Expiry { before: moment(0), buckets: 1, parts: 0 }),
        (
            Who::Operator(id),
            Act::OperatorAction { action: name("device-revoked"), target: id, record: digest },
        ),
        (
            Who::Device(id),
            Act::Refused {
                product: product.clone(),
                stream: name("vitals"),
                hour: moment(3_600_000),
                reasons: Refusals::new(reasons).unwrap(),
            },
        ),
        (Who::Operator(id), Act::ProductApplied { product, from: Digest([0; 32]), to: digest }),
    ];
    acts.into_iter().map(|(by, act)| Entry { at: moment(1_795_000_000_123), by, act }).collect()
}

#[test]
fn every_kind_is_read_as_it_was_written() {
    let entries = one_of_each();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry.act.name()).collect();
    let known: Vec<&str> = Act::KINDS.iter().map(|(_, name, _)| *name).collect();
    assert_eq!(kinds, known, "a kind has no example here");
    for entry in entries {
        let bytes = entry.to_bytes();
        assert_eq!(Entry::from_bytes(&bytes), Ok(entry.clone()));
        let opening = Opening::seal(entry, Salt::from_random([3; 32]));
        assert_eq!(Opening::from_bytes(&opening.to_bytes()), Ok(opening));
    }
}

/// Every byte with every other value: either it is refused, or it reads as something else that is
/// written in exactly these bytes.
#[test]
fn there_is_one_encoding_of_each_entry() {
    for entry in one_of_each() {
        let bytes = entry.to_bytes();
        for at in 0..bytes.len() {
            assert!(Entry::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
            for value in 0..=255 {
                let mut changed = bytes.clone();
                changed[at] = value;
                if let Ok(read) = Entry::from_bytes(&changed) {
                    assert_eq!(read.to_bytes(), changed, "byte {at} as {value}");
                }
            }
        }
        assert_eq!(Entry::from_bytes(&[bytes.as_slice(), &[0]].concat()), Err(Malformed::Long));
    }
}

#[test]
fn leaves_tell_nothing_and_are_of_one_length() {
    let salted = |entry: Entry, salt| Opening::seal(entry, Salt::from_random([salt; 32])).leaf();
    let mut seen = Vec::new();
    for entry in one_of_each() {
        let bytes = salted(entry.clone(), 1).to_bytes();
        assert_eq!(bytes.len(), Leaf::LEN);
        assert_eq!(bytes[0], 1);
        assert_eq!(Leaf::from_bytes(&bytes), Ok(salted(entry.clone(), 1)));
        // The same entry twice is two leaves that have nothing in common.
        seen.push(bytes);
        seen.push(salted(entry, 2).to_bytes());
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

#[test]
fn unknown_versions_and_kinds_are_refused() {
    let opening = Opening::seal(choice(), Salt::from_random([5; 32]));
    for version in (0..=255).filter(|version| *version != 1) {
        let mut leaf = opening.leaf().to_bytes();
        leaf[0] = version;
        assert_eq!(Leaf::from_bytes(&leaf), Err(Malformed::Version(version)));
        let mut bytes = opening.to_bytes();
        bytes[0] = version;
        assert_eq!(Opening::from_bytes(&bytes), Err(Malformed::Version(version)));
    }
    for kind in (0..=255).filter(|kind| !(1..=10).contains(kind)) {
        let mut bytes = choice().to_bytes();
        bytes[0] = kind;
        assert_eq!(Entry::from_bytes(&bytes), Err(Malformed::Kind(kind)));
    }
    assert_eq!(Leaf::from_bytes(&[]), Err(Malformed::Short));
    assert_eq!(Leaf::from_bytes(&[1; 32]), Err(Malformed::LeafLength));
    assert_eq!(Leaf::from_bytes(&[1; 34]), Err(Malformed::LeafLength));
    assert_eq!(Opening::from_bytes(&[]), Err(Malformed::Short));
    assert_eq!(Opening::from_bytes(&[1; 32]), Err(Malformed::Short));
}

/// Another salt or another entry makes another leaf: an opening fits one leaf.
#[test]
fn a_leaf_is_bound_to_its_salt_and_its_entry() {
    let bytes = Opening::seal(choice(), Salt::from_random([5; 32])).to_bytes();
    let leaf = Opening::from_bytes(&bytes).unwrap().leaf();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(Opening::from_bytes(&changed).map_or(true, |opening| opening.leaf() != leaf));
        }
    }
}

#[test]
fn names_have_no_room_for_what_people_write() {
    for good in ["a", "heart-rate", "7", "x1-2-y", &"a".repeat(64)] {
        assert_eq!(Name::new(good).map(|name| name.as_str().to_owned()), Some(good.to_owned()));
    }
    let long = "a".repeat(65);
    for bad in ["", "-", "a-", "-a", "a--b", "Ada", "a b", "a@b", "a.b", "a_b", "ä", "a\n", &long] {
        assert_eq!(Name::new(bad), None, "{bad:?}");
    }
}

#[test]
fn reasons_are_counted_and_few() {
    let reasons = |number: usize, count| (0..number).map(|at| (name(&format!("r{at}")), count)).collect();
    assert!(Refusals::new(reasons(0, 1)).is_none());
    assert!(Refusals::new(reasons(1, 0)).is_none());
    assert!(Refusals::new(reasons(REASONS_MAX, 1)).is_some());
    assert!(Refusals::new(reasons(REASONS_MAX + 1, 1)).is_none());
}

/// Read as one, a reason that stands there twice would be lost.
#[test]
fn reasons_are_sorted_and_each_stands_once() {
    let mut entry = choice();
    let reasons = BTreeMap::from([(name("a"), 1), (name("c"), 1)]);
    entry.act = Act::Refused {
        product: name("watch"),
        stream: name("vitals"),
        hour: entry.at,
        reasons: Refusals::new(reasons).unwrap(),
    };
    let bytes = entry.to_bytes();
    let last = bytes.len() - 9;
    assert_eq!(bytes[last], b'c');
    for (letter, holds) in [(b'a', false), (b'b', true), (b'0', false)] {
        let mut changed = bytes.clone();
        changed[last] = letter;
        let read = Entry::from_bytes(&changed);
        assert_eq!(read.err(), (!holds).then_some(Malformed::Reasons), "{letter}");
    }
}

#[test]
fn moments_are_printed_as_calendars_have_them() {
    // Seconds from `date --utc --date=@…`.
    let dates = [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_799_999, "2000-02-29T23:59:59.999Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_795_000_000_123, "2026-11-18T11:06:40.123Z"),
        (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ];
    for (millis, expected) in dates {
        let mut entry = choice();
        entry.at = Moment::from_millis(millis).unwrap();
        assert!(entry.rows().contains(&("at", expected.to_owned())), "{millis}: {:?}", entry.rows());
    }
    assert!(Moment::from_millis(253_402_300_800_000).is_none());
}

#[test]
fn nothing_of_an_entry_is_in_its_debug_output() {
    let opening = Opening::seal(choice(), Salt::from_random([5; 32]));
    assert_eq!(format!("{:?} {opening:?}", opening.entry()), "Entry(choice) Opening");
    assert_eq!(format!("{:?} {:?}", Salt::from_random([5; 32]), choice().by), "Salt Person(Id)");
    assert_eq!(format!("{:?}", choice().at), "Moment");
}
