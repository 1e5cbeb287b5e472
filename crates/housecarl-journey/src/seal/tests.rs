//! A part opens at its place, with its keys, as it was sealed, or not at all.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use housecarl_policy::Decimal;

use super::*;
use crate::keys::{KeyName, Secret};
use crate::people::DeviceId;
use crate::testing::{DAY, Dice, NOW, bucket, keys, place, subject, vector};

fn purposes(bits: u128) -> PurposeSet {
    PurposeSet::from_bits(bits)
}

fn said(item: u16, value: Kept) -> Said {
    Said { record: 0, item, guess: false, certainty: None, value }
}

fn belongs(stream: u16) -> Belongs {
    Belongs { device: DeviceId([9; 16]), stream: StreamNumber(stream), received: NOW }
}

/// A message of one text about one subject, kept for so many days.
pub(crate) fn sealed(
    of: SubjectId,
    belongs: Belongs,
    days: u64,
    text: &[u8],
    keys: &Keys,
    sequence: &Sequence,
) -> Sealed {
    let value = Kept::Text(String::from_utf8(text.to_vec()).unwrap());
    let keep = u32::try_from(days * DAY).unwrap();
    seal_said([(of, purposes(1), keep, said(1, value))].into_iter(), belongs, keys, sequence).unwrap()
}

fn one(keys: &Keys) -> Row {
    let sequence = Sequence::new().unwrap();
    let mut rows = sealed(subject(1), belongs(1), 30, b"a value", keys, &sequence).into_rows();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

fn opened(row: &Row, keys: &Keys) -> Result<Option<Part>, NotAPart> {
    open(&Stored::of(row.clone()), keys)
}

#[test]
fn what_was_sealed_is_what_opens() {
    let (_folder, keys) = keys();
    let sequence = Sequence::new().unwrap();
    let values = vec![
        said(0, Kept::Null),
        said(1, Kept::Bool(true)),
        said(2, Kept::Number(Decimal::new(-1_234, -2).unwrap())),
        said(3, Kept::Number(Decimal::whole(i64::MIN))),
        said(4, Kept::Text("a text of some length, and ünïcödé".repeat(40))),
        said(5, Kept::Code([7; 16])),
        Said {
            record: u32::MAX,
            item: u16::MAX,
            guess: true,
            certainty: Some(Kept::Number(Decimal::new(9, -1).unwrap())),
            value: Kept::Counted,
        },
    ];
    let both = values.iter().cloned().map(|said| (subject(1), purposes(u128::MAX), 86_400, said));
    let rows = seal_said(both, belongs(3), &keys, &sequence).unwrap().into_rows();
    assert_eq!(rows.len(), 1);
    let part = opened(&rows[0], &keys).unwrap().unwrap();
    assert!(part.values == values);
    assert_eq!((part.purposes, part.ends, part.device), (purposes(u128::MAX), NOW + 86_400, [9; 16]));
    assert_eq!(rows[0].bucket, Bucket::of(NOW + 86_400, 86_400));
}

#[test]
fn a_part_is_one_subject_the_same_purposes_and_the_same_end() {
    let (_folder, keys) = keys();
    let sequence = Sequence::new().unwrap();
    let of =
        |subject_of, bits, keep, item| (subject(subject_of), purposes(bits), keep, said(item, Kept::Null));
    let values = [
        of(1, 1, 100, 0),
        of(1, 2, 100, 1),
        of(1, 1, 200, 2),
        of(2, 1, 100, 3),
        of(1, 1, 100, 4),
        of(1, 2, 100, 5),
        of(1, 3, 100, 6),
    ];
    let rows = seal_said(values.into_iter(), belongs(1), &keys, &sequence).unwrap().into_rows();
    let mut items: Vec<Vec<u16>> = rows
        .iter()
        .map(|row| opened(row, &keys).unwrap().unwrap().values.iter().map(|said| said.item).collect())
        .collect();
    items.sort();
    assert_eq!(items, [vec![0, 4], vec![1, 5], vec![2], vec![3], vec![6]]);
    let places: std::collections::BTreeSet<_> = rows.iter().map(|row| row.place.bytes()).collect();
    assert_eq!(places.len(), rows.len(), "each has a place of its own");
}

#[test]
fn nothing_permitted_is_no_part_and_makes_no_key() {
    let (_folder, keys) = keys();
    let nothing = seal_said(std::iter::empty(), belongs(1), &keys, &Sequence::new().unwrap()).unwrap();
    assert_eq!(nothing.parts(), 0);
    assert!(keys.names().is_empty());
}

#[test]
fn no_byte_can_be_changed_added_or_taken() {
    let (_folder, keys) = keys();
    let row = one(&keys);
    for at in 0..row.sealed.len() {
        for bit in [1, 0x80] {
            let mut changed = row.clone();
            changed.sealed[at] ^= bit;
            let expected =
                if at == 0 { NotAPart::UnknownVersion(changed.sealed[0]) } else { NotAPart::Damaged };
            assert_eq!(opened(&changed, &keys).err(), Some(expected), "byte {at}");
        }
        let mut cut = row.clone();
        cut.sealed.truncate(at);
        assert_eq!(opened(&cut, &keys).err(), Some(NotAPart::Damaged), "cut to {at}");
    }
    let mut longer = row.clone();
    longer.sealed.push(0);
    assert_eq!(opened(&longer, &keys).err(), Some(NotAPart::Damaged));
    assert!(opened(&row, &keys).unwrap().is_some());
}

#[test]
fn a_part_opens_at_no_other_place() {
    let (_folder, keys) = keys();
    let row = one(&keys);
    let Place { subject: of, stream, received, sequence } = row.place;
    let other_subject = SubjectId([2; 16]);
    let moved = [
        (row.bucket, Place { subject: other_subject, ..row.place }),
        (row.bucket, Place { stream: StreamNumber(stream.0 + 1), ..row.place }),
        (row.bucket, Place { received: received + 1, ..row.place }),
        (row.bucket, Place { sequence: sequence ^ 1, ..row.place }),
        (row.bucket.next(), row.place),
        (bucket(366), row.place),
    ];
    for (bucket, place) in moved {
        // The keys are there: it is the place that is wrong, and not the key alone.
        keys.part_key_or_new(place.subject, place.stream, bucket).unwrap();
        let moved = Row { bucket, place, sealed: row.sealed.clone() };
        assert_eq!(opened(&moved, &keys).err(), Some(NotAPart::Damaged));
    }
    assert_eq!(of, subject(1));
}

/// The place is bound by itself and not through the key that is derived for it.
#[test]
fn under_the_same_key_the_place_still_counts() {
    let key = Secret::of([1; 32]).part_key(&Secret::of([2; 32])).unwrap();
    let part = Part { purposes: purposes(1), ends: NOW, device: [9; 16], values: Vec::new() };
    let at = place(1, 1, NOW, 1);
    let sealed = seal_with(&part, bucket(1), &at, &key, [7; NONCE_LEN]).unwrap();
    let opens = |bucket, place: &Place| {
        let (_, rest) = sealed.split_at(1 + NONCE_LEN);
        let bound = Aad::from(bound_to(bucket, place));
        key.open_in_place(Nonce::assume_unique_for_key([7; NONCE_LEN]), bound, &mut rest.to_vec()).is_ok()
    };
    assert!(opens(bucket(1), &at));
    let bytes = at.bytes();
    for byte in 0..Place::LEN {
        let mut moved = bytes;
        moved[byte] ^= 1;
        assert!(!opens(bucket(1), &Place::from_bytes(&moved).unwrap()), "byte {byte} of the place");
    }
    assert!(!opens(bucket(1).next(), &at));
    assert!(!opens(Bucket::from_parts(bucket(1).class() + 1, bucket(1).index()).unwrap(), &at));
}

#[test]
fn either_key_ends_reading() {
    for goes in [KeyName::Stream(subject(1), StreamNumber(1)), KeyName::Bucket(bucket(30))] {
        let (folder, keys) = keys();
        let row = one(&keys);
        assert!(opened(&row, &keys).unwrap().is_some());
        keys.sync().unwrap();
        keys.destroy(|name| name == goes).unwrap();
        assert!(opened(&row, &keys).unwrap().is_none());
        // A new key of the same name is another: it opens nothing of before.
        one(&keys);
        assert_eq!(opened(&row, &keys).err(), Some(NotAPart::Damaged));
        drop((keys, folder));
    }
}

#[test]
fn another_stream_of_the_person_and_another_person_read_on() {
    let (_folder, keys) = keys();
    let sequence = Sequence::new().unwrap();
    let seal = |of, stream| {
        sealed(subject(of), belongs(stream), 30, b"a value", &keys, &sequence).into_rows().remove(0)
    };
    let (gone, same_person, same_stream) = (seal(1, 1), seal(1, 2), seal(2, 1));
    keys.destroy(|name| name == KeyName::Stream(subject(1), StreamNumber(1))).unwrap();
    assert!(opened(&gone, &keys).unwrap().is_none());
    assert!(opened(&same_person, &keys).unwrap().is_some());
    assert!(opened(&same_stream, &keys).unwrap().is_some());
}

#[test]
fn the_same_twice_is_never_the_same_bytes() {
    let (_folder, keys) = keys();
    let (first, second) = (one(&keys), one(&keys));
    assert_ne!(first.sealed, second.sealed);
    assert_ne!(first.sealed[1..13], second.sealed[1..13], "no nonce comes twice");
}

#[test]
fn random_bytes_are_no_part() {
    let (_folder, keys) = keys();
    let row = one(&keys);
    let mut dice = Dice(5);
    for len in 0..200 {
        let mut sealed = dice.bytes(len);
        if let Some(first) = sealed.first_mut() {
            *first = VERSION;
        }
        let random = Row { sealed, ..row.clone() };
        assert_eq!(opened(&random, &keys).err(), Some(NotAPart::Damaged));
    }
}

#[test]
fn nothing_of_a_part_is_printed() {
    let (_folder, keys) = keys();
    let sequence = Sequence::new().unwrap();
    let message = sealed(subject(1), belongs(1), 30, b"a value", &keys, &sequence);
    let stored = Stored::of(one(&keys));
    assert_eq!(format!("{message:?} {stored:?}"), "Sealed Stored");
}

#[test]
fn the_vectors_of_the_document_are_what_is_sealed() {
    let key = Secret::of([0x11; 32]).part_key(&Secret::of([0x22; 32])).unwrap();
    let bucket = Bucket::from_parts(3, 66_051).unwrap();
    let place = Place {
        subject: subject(0xAB),
        stream: StreamNumber(258),
        received: 1_797_811_200,
        sequence: 0x0102_0304_0506_0708,
    };
    let temperature = Said {
        record: 0,
        item: 7,
        guess: true,
        certainty: Some(Kept::Number(Decimal::new(9, -1).unwrap())),
        value: Kept::Number(Decimal::new(215, -1).unwrap()),
    };
    let name = said(300, Kept::Text("hall".to_owned()));
    let part = Part {
        purposes: purposes(5),
        ends: 1_800_403_200,
        device: [0xCD; 16],
        values: vec![temperature, name],
    };
    assert_eq!(place.bytes().as_slice(), vector("place"));
    assert_eq!(bound_to(bucket, &place).as_slice(), vector("bound-to"));
    assert_eq!(minicbor::to_vec(&part).unwrap(), vector("part"));
    let sealed = seal_with(&part, bucket, &place, &key, *b"nonce-of-12b").unwrap();
    assert_eq!(sealed, vector("sealed-part"));
    assert_eq!(bucket.to_string(), "b3-66051");
}
