//! Blocks: rows of one commit that differ in their sequence alone lie together as one value.
//!
//! What a store does for a value costs it several times what sealing a row costs us, and a message
//! has often several parts, a device that was away many messages. A block lies at the place of its
//! first row. Blocks of the same subject, stream and second lie beside each other, and their rows
//! may interleave.

use std::collections::BTreeMap;

use super::{Bucket, Place, Row, StoreError, StreamNumber};
use crate::people::SubjectId;

/// The first byte of a block.
const VERSION: u8 = 1;
/// A block that has so many bytes takes no more rows.
const FULL_AT: usize = 32 << 10;

/// Where a block may lie: everything of a place but the sequence.
pub(super) type Head = (Bucket, SubjectId, StreamNumber, u64);

pub(super) fn head_of(bucket: Bucket, place: &Place) -> Head {
    (bucket, place.subject, place.stream, place.received)
}

/// A block that is being put together.
pub(super) struct Block {
    pub(super) bucket: Bucket,
    pub(super) first: Place,
    pub(super) bytes: Vec<u8>,
}

impl Block {
    fn begin(row: &Row) -> Self {
        Self { bucket: row.bucket, first: row.place, bytes: vec![VERSION] }
    }

    /// Adds a row; `false` where it is too long for any block to say how long it is.
    fn add(&mut self, row: &Row) -> bool {
        let Ok(len) = u32::try_from(row.sealed.len()) else { return false };
        self.first.sequence = self.first.sequence.min(row.place.sequence);
        self.bytes.extend(row.place.sequence.to_be_bytes());
        self.bytes.extend(len.to_le_bytes());
        self.bytes.extend_from_slice(&row.sealed);
        true
    }
}

/// Puts rows together.
pub(super) fn of(rows: &[Row]) -> Result<Vec<Block>, StoreError> {
    let (mut blocks, mut open) = (Vec::new(), BTreeMap::<Head, Block>::new());
    for row in rows {
        let block = open.entry(head_of(row.bucket, &row.place)).or_insert_with(|| Block::begin(row));
        if block.bytes.len() >= FULL_AT {
            blocks.push(std::mem::replace(block, Block::begin(row)));
        }
        if !block.add(row) {
            return Err(StoreError::Unreadable("a row is longer than a block can hold"));
        }
    }
    blocks.extend(open.into_values());
    Ok(blocks)
}

/// Hands on the sequence and the sealed bytes of each row of a block.
pub(super) fn rows(mut block: &[u8], mut each: impl FnMut(u64, &[u8])) -> Result<(), StoreError> {
    let damaged = || StoreError::Unreadable("a block of rows is damaged");
    let version = block.split_off_first().ok_or_else(damaged)?;
    if *version != VERSION {
        return Err(StoreError::Unreadable("a block of rows has a version that this program does not know"));
    }
    while !block.is_empty() {
        let (sequence, rest) = block.split_first_chunk().ok_or_else(damaged)?;
        let (len, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| damaged())?;
        let (sealed, rest) = rest.split_at_checked(len).ok_or_else(damaged)?;
        each(u64::from_be_bytes(*sequence), sealed);
        block = rest;
    }
    Ok(())
}

/// What is left of a block without some of its rows: `None` where it had none of them, and no bytes
/// where it had no others.
pub(super) fn without(block: &[u8], gone: impl Fn(u64) -> bool) -> Result<Option<Vec<u8>>, StoreError> {
    let (mut left, mut lost) = (vec![VERSION], false);
    rows(block, |sequence, sealed| {
        if gone(sequence) {
            lost = true;
            return;
        }
        left.extend(sequence.to_be_bytes());
        left.extend(u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_le_bytes());
        left.extend_from_slice(sealed);
    })?;
    if left.len() == 1 {
        left.clear();
    }
    Ok(lost.then_some(left))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;
    use crate::testing::{NOW, bucket, place, vector};

    fn row(sequence: u64, sealed: &[u8]) -> Row {
        Row { bucket: bucket(30), place: place(1, 2, NOW, sequence), sealed: sealed.to_vec() }
    }

    fn found(block: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut found = Vec::new();
        rows(block, |sequence, sealed| found.push((sequence, sealed.to_vec()))).unwrap();
        found
    }

    #[test]
    fn a_block_is_as_documented() {
        let (first, second) = (0x0102_0304_0506_0708, 0x0102_0304_0506_0707);
        let block = of(&[row(first, &[0xAA; 2]), row(second, &[0xBB])]).unwrap().pop().unwrap();
        assert_eq!((block.first.sequence, &block.bytes), (second, &vector("block")));
        assert_eq!(found(&block.bytes), [(first, vec![0xAA; 2]), (second, vec![0xBB])]);
    }

    #[test]
    fn what_differs_in_more_than_the_sequence_lies_apart_and_a_full_block_takes_no_more() {
        let long = vec![7; FULL_AT];
        let other = Row { place: place(1, 2, NOW + 1, 3), ..row(3, &[]) };
        let blocks = of(&[row(1, &long), row(2, &[1]), other, row(4, &[2])]).unwrap();
        let mut lie: Vec<_> =
            blocks.iter().map(|block| (block.first.sequence, found(&block.bytes).len())).collect();
        lie.sort_unstable();
        assert_eq!(lie, [(1, 1), (2, 2), (3, 1)]);
    }

    #[test]
    fn some_rows_of_a_block_go() {
        let block = of(&[row(1, &[1]), row(2, &[2]), row(3, &[3])]).unwrap().pop().unwrap().bytes;
        let left = without(&block, |sequence| sequence == 2).unwrap().unwrap();
        assert_eq!(found(&left), [(1, vec![1]), (3, vec![3])]);
        assert_eq!(without(&block, |sequence| sequence == 4).unwrap(), None);
        assert_eq!(without(&block, |_| true).unwrap(), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_block_is_refused() {
        let block = of(&[row(1, &[1, 2, 3])]).unwrap().pop().unwrap().bytes;
        for cut in 2..block.len() {
            assert!(rows(block.get(..cut).unwrap(), |_, _| ()).is_err(), "{cut}");
        }
        assert!(rows(&[], |_, _| ()).is_err());
        assert!(rows(&[2], |_, _| ()).is_err());
    }
}
