//! The reference: what a store does, without a disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::records::Records;
use super::{
    Batch, Bucket, Each, Identity, Place, REMEMBERED_SECONDS, Row, Store, StoreError, Stored, Wanted,
};
use crate::people::SubjectId;

/// Rows in memory.
#[derive(Default)]
pub(crate) struct Memory {
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    buckets: BTreeSet<Bucket>,
    rows: BTreeMap<(Bucket, Place), Vec<u8>>,
    identities: BTreeMap<Identity, u64>,
}

impl Memory {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn create_bucket(&self, bucket: Bucket) -> Result<(), StoreError> {
        self.held().buckets.insert(bucket);
        Ok(())
    }

    fn buckets(&self) -> Vec<Bucket> {
        self.held().buckets.iter().copied().collect()
    }

    fn commit(&self, batch: Batch, now: u64) -> Result<Vec<Stored>, StoreError> {
        let mut held = self.held();
        for row in &batch.rows {
            held.buckets.insert(row.bucket);
            held.rows.insert((row.bucket, row.place), row.sealed.clone());
        }
        for identity in batch.identities {
            // Also where the clock was set back in between.
            let at = held.identities.entry(identity).or_default();
            *at = now.max(*at);
        }
        Ok(batch.rows.into_iter().map(|row| Stored { row }).collect())
    }

    fn knows(&self, identity: &Identity, now: u64) -> Result<bool, StoreError> {
        let since = now.saturating_sub(REMEMBERED_SECONDS);
        Ok(self.held().identities.get(identity).is_some_and(|at| *at >= since))
    }

    fn scan(&self, wanted: &Wanted, each: Each<'_>) -> Result<(), StoreError> {
        let found: Vec<Row> = {
            let held = self.held();
            let wanted = held
                .rows
                .iter()
                .filter(|((bucket, place), _)| wanted.has_bucket(*bucket) && wanted.has(place));
            wanted
                .map(|((bucket, place), sealed)| Row {
                    bucket: *bucket,
                    place: *place,
                    sealed: sealed.clone(),
                })
                .collect()
        };
        for row in found {
            if !each(Stored { row }) {
                break;
            }
        }
        Ok(())
    }

    fn subjects(&self, bucket: Bucket) -> Result<BTreeSet<SubjectId>, StoreError> {
        let held = self.held();
        Ok(held.rows.keys().filter(|(of, _)| *of == bucket).map(|(_, place)| place.subject).collect())
    }

    fn replace(&self, gone: &[(Bucket, Place)], new: Vec<Row>) -> Result<(), StoreError> {
        let mut held = self.held();
        for row in gone {
            held.rows.remove(row);
        }
        for Row { bucket, place, sealed } in new {
            held.buckets.insert(bucket);
            held.rows.insert((bucket, place), sealed);
        }
        Ok(())
    }

    fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        let (copy, held) = (Records::open(folder, 0)?, self.held());
        let rows = held.rows.iter();
        let rows = rows.map(|((bucket, place), sealed)| Row {
            bucket: *bucket,
            place: *place,
            sealed: sealed.clone(),
        });
        copy.commit(Batch { rows: rows.collect(), identities: Vec::new() }, 0)?;
        for (identity, at) in &held.identities {
            copy.commit(Batch { rows: Vec::new(), identities: vec![*identity] }, *at)?;
        }
        Ok(())
    }

    fn drop_bucket(&self, bucket: Bucket) -> Result<(), StoreError> {
        let mut held = self.held();
        held.buckets.remove(&bucket);
        held.rows.retain(|(of, _), _| *of != bucket);
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn turn_over(&self, now: u64) -> Result<(), StoreError> {
        let since = now.saturating_sub(2 * REMEMBERED_SECONDS);
        self.held().identities.retain(|_, at| *at >= since);
        Ok(())
    }
}
