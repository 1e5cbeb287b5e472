//! What a loss of power leaves at the end of the journal.
//!
//! The last batch may have reached the disk in part, with holes. fjall drops it where it cannot
//! follow its form; where a hole lies inside of a large value and the form stands, it takes it for
//! damage and does not open. But nobody was told that this batch is stored, so it is cut off.
//!
//! Damage is something else and must not be cut off: every batch is synced before the next is
//! written, so where a whole batch comes after a broken one, the broken one had been whole.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::StoreError;

/// Cuts a torn batch off the newest journal. `false` where there is none, or it is damage.
pub(super) fn mend(folder: &Path) -> Result<bool, StoreError> {
    let Some(path) = newest(folder)? else { return Ok(false) };
    let journal = fs::read(&path)?;
    let mut rest = journal.as_slice();
    while let Some((_, after)) = batch(rest) {
        rest = after;
    }
    let torn = !rest.is_empty() && !(1..rest.len()).any(|at| rest.get(at..).and_then(batch).is_some());
    if torn {
        let file = OpenOptions::new().write(true).open(&path)?;
        file.set_len((journal.len() - rest.len()) as u64)?;
        file.sync_all()?;
    }
    Ok(torn)
}

fn newest(folder: &Path) -> Result<Option<PathBuf>, StoreError> {
    let mut newest = None;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number =
            path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok());
        newest = newest.max(number.map(|number| (number, path)));
    }
    Ok(newest.map(|(_, path)| path))
}

/// The forms of entries in a journal of fjall 3: the first byte of each.
const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const TRAILER: &[u8] = b"FJL\x03";

/// Splits a whole batch off the front: start, items, end with the checksum of the items.
fn batch(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&[START])?;
    let (count, rest) = rest.split_first_chunk()?;
    let (_seqno, items) = rest.split_first_chunk::<8>()?;
    let mut rest = items;
    for _ in 0..u32::from_le_bytes(*count) {
        rest = item(rest)?;
    }
    let items = items.get(..items.len() - rest.len())?;
    let (checksum, rest) = rest.strip_prefix(&[END])?.split_first_chunk()?;
    let rest = rest.strip_prefix(TRAILER)?;
    let whole = xxhash_rust::xxh3::xxh3_64(items) == u64::from_le_bytes(*checksum);
    whole.then_some((items, rest))
}

/// What follows after an item.
fn item(bytes: &[u8]) -> Option<&[u8]> {
    match bytes.split_first()? {
        (&ITEM, rest) => {
            let (_type_and_compression, rest) = rest.split_first_chunk::<2>()?;
            let (_keyspace, rest) = rest.split_first_chunk::<8>()?;
            let (key, rest) = rest.split_first_chunk()?;
            let (_value, rest) = rest.split_first_chunk::<4>()?;
            let (stored_value, rest) = rest.split_first_chunk()?;
            let len = usize::from(u16::from_le_bytes(*key));
            rest.get(len.checked_add(u32::from_le_bytes(*stored_value).try_into().ok()?)?..)
        }
        (&CLEAR, rest) => rest.get(8..),
        _ => None,
    }
}
