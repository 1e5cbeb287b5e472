//! The store that a gateway runs on: fjall, a log-structured merge tree, one keyspace per bucket.
//!
//! A bucket that is over is dropped as a whole, which costs a millisecond however many rows it has.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::{
    Batch, Bucket, Each, Identity, Place, REMEMBERED_SECONDS, Row, Store, StoreError, Stored, Wanted,
};

/// The bound on the memory of each keyspace that has not been written out, in bytes.
const MEMTABLE_MAX: u64 = 8 << 20;
/// fjall begins a new journal when more than 64 MB stand in the old one.
const JOURNAL_TURNS_AT: usize = 65 << 20;
const FILLER_LEN: usize = 1 << 20;
/// The keyspace that makes the journal turn.
const FILLER: &str = "filler";
/// The keyspaces that have lost rows since their last compaction.
const REMOVED_FROM: &str = "removed-from";
/// Bytes of blocks that fjall keeps in memory.
const CACHE: u64 = 64 << 20;
/// Identities of one week; a message is looked for in this week's and the last.
const SEEN: &str = "seen-";

/// Rows in fjall.
pub(crate) struct Records {
    folder: PathBuf,
    keep_free: u64,
    buckets: RwLock<BTreeMap<Bucket, Keyspace>>,
    seen: Mutex<BTreeMap<u64, Keyspace>>,
    removed_from: Keyspace,
    database: Database,
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        match error {
            fjall::Error::Locked => Self::InUse,
            fjall::Error::InvalidVersion(_) => Self::Unreadable("another version of fjall wrote them"),
            error => Self::Broken(Box::new(error)),
        }
    }
}

impl Records {
    /// Opens the records in this folder, or begins them. `keep_free` is how many bytes of the disk
    /// are never used for new rows, so that whoever erases or withdraws finds room.
    pub(crate) fn open(folder: &Path, keep_free: u64) -> Result<Self, StoreError> {
        let database = Database::builder(folder)
            .manual_journal_persist(true)
            .cache_size(CACHE)
            .worker_threads(2)
            .open()?;
        let mut records = Self {
            folder: folder.to_owned(),
            keep_free,
            buckets: RwLock::default(),
            seen: Mutex::default(),
            removed_from: database.keyspace(REMOVED_FROM, options)?,
            database,
        };
        for name in records.database.list_keyspace_names() {
            if let Ok(bucket) = name.parse() {
                let keyspace = records.database.keyspace(&name, options)?;
                records.buckets.get_mut().unwrap_or_else(PoisonError::into_inner).insert(bucket, keyspace);
            } else if let Some(week) = name.strip_prefix(SEEN).and_then(|week| week.parse().ok()) {
                let keyspace = records.database.keyspace(&name, options)?;
                records.seen.get_mut().unwrap_or_else(PoisonError::into_inner).insert(week, keyspace);
            } else if &*name == FILLER {
                // A crash during a turn-over left it.
                records.database.delete_keyspace(records.database.keyspace(&name, options)?)?;
            }
        }
        Ok(records)
    }

    fn bucket(&self, bucket: Bucket) -> Result<Keyspace, StoreError> {
        if let Some(keyspace) = self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(&bucket) {
            return Ok(keyspace.clone());
        }
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        let keyspace = self.database.keyspace(&bucket.to_string(), options)?;
        buckets.insert(bucket, keyspace.clone());
        Ok(keyspace)
    }

    fn all_buckets(&self) -> Vec<(Bucket, Keyspace)> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.iter().map(|(bucket, keyspace)| (*bucket, keyspace.clone())).collect()
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<u64, Keyspace>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self) -> Result<bool, StoreError> {
        let disk = rustix::fs::statvfs(&self.folder).map_err(|error| StoreError::Broken(Box::new(error)))?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize) > self.keep_free)
    }

    /// Writes so much that fjall begins a new journal, and everything that the old ones still
    /// guard, so that they are deleted: rows stand there too, also those of deleted keyspaces.
    fn turn_journal(&self) -> Result<(), StoreError> {
        let filler = self.database.keyspace(FILLER, options)?;
        for number in 0..JOURNAL_TURNS_AT / FILLER_LEN {
            let mut batch = self.database.batch();
            batch.insert(&filler, number.to_be_bytes(), vec![0; FILLER_LEN]);
            batch.commit()?;
        }
        let others = self.all_buckets().into_iter().map(|(_, keyspace)| keyspace);
        let mut keyspaces: Vec<Keyspace> = others.chain(self.seen().values().cloned()).collect();
        // The filler last: with its memtable the journal turns, and is then behind all the others.
        keyspaces.extend([self.removed_from.clone(), filler.clone()]);
        for _ in 0..2 {
            for keyspace in &keyspaces {
                keyspace.rotate_memtable_and_wait()?;
            }
            // The second time nothing is left that any journal but the newest guards.
            filler.insert("last", [])?;
        }
        self.database.persist(PersistMode::SyncAll)?;
        self.database.delete_keyspace(filler)?;
        Ok(())
    }
}

fn options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_MAX)
        .manual_journal_persist(true)
        // What is sealed does not get smaller.
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::None))
}

impl Store for Records {
    fn create_bucket(&self, bucket: Bucket) -> Result<(), StoreError> {
        self.bucket(bucket).map(|_| ())
    }

    fn buckets(&self) -> Vec<Bucket> {
        self.all_buckets().into_iter().map(|(bucket, _)| bucket).collect()
    }

    fn commit(&self, new: Batch, now: u64) -> Result<Vec<Stored>, StoreError> {
        if !self.has_room()? {
            return Err(StoreError::Full);
        }
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for row in &new.rows {
            batch.insert(&self.bucket(row.bucket)?, row.place.bytes(), row.sealed.as_slice());
        }
        if !new.identities.is_empty() {
            let week = now / REMEMBERED_SECONDS;
            let keyspace = match self.seen().entry(week) {
                Entry::Occupied(keyspace) => keyspace.get().clone(),
                Entry::Vacant(entry) => {
                    let keyspace = self.database.keyspace(&format!("{SEEN}{week}"), options)?;
                    entry.insert(keyspace).clone()
                }
            };
            for identity in &new.identities {
                batch.insert(&keyspace, identity.0, []);
            }
        }
        // Until here a crash leaves empty keyspaces; from here fjall's journal has all or nothing.
        batch.commit()?;
        Ok(new.rows.into_iter().map(|row| Stored { row }).collect())
    }

    fn knows(&self, identity: &Identity, now: u64) -> Result<bool, StoreError> {
        let week = now / REMEMBERED_SECONDS;
        for week in [Some(week), week.checked_sub(1)].into_iter().flatten() {
            let keyspace = self.seen().get(&week).cloned();
            if let Some(keyspace) = keyspace
                && keyspace.contains_key(identity.0)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn scan(&self, wanted: &Wanted, each: Each<'_>) -> Result<(), StoreError> {
        for (bucket, keyspace) in self.all_buckets() {
            for found in keyspace.range(wanted.range()) {
                let (key, sealed) = found.into_inner()?;
                let place = Place::from_bytes(&key).ok_or(StoreError::Unreadable("a row without a place"))?;
                let stored = Stored { row: Row { bucket, place, sealed: sealed.to_vec() } };
                if wanted.has(&place) && !each(stored) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn remove(&self, rows: &[(Bucket, Place)]) -> Result<(), StoreError> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for (bucket, place) in rows {
            batch.remove(&self.bucket(*bucket)?, place.bytes().as_slice());
            batch.insert(&self.removed_from, bucket.to_string().as_bytes(), []);
        }
        Ok(batch.commit()?)
    }

    fn drop_bucket(&self, bucket: Bucket) -> Result<(), StoreError> {
        let keyspace = self.buckets.write().unwrap_or_else(PoisonError::into_inner).remove(&bucket);
        Ok(keyspace.map_or(Ok(()), |keyspace| self.database.delete_keyspace(keyspace))?)
    }

    fn turn_over(&self, now: u64) -> Result<(), StoreError> {
        let week = now / REMEMBERED_SECONDS;
        let old: Vec<u64> = self.seen().keys().copied().filter(|at| at.saturating_add(1) < week).collect();
        for week in old {
            let keyspace = self.seen().remove(&week);
            keyspace.map_or(Ok(()), |keyspace| self.database.delete_keyspace(keyspace))?;
        }
        // Rows first leave the tables by compaction, then the journals. The marks go last, so that a
        // crash in between does it again.
        let marks = self.removed_from.iter().map(|mark| mark.key()).collect::<Result<Vec<_>, _>>()?;
        for mark in &marks {
            let bucket = str::from_utf8(mark).ok().and_then(|name| name.parse().ok());
            let keyspace = bucket.and_then(|bucket: Bucket| {
                self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(&bucket).cloned()
            });
            if let Some(keyspace) = keyspace {
                keyspace.rotate_memtable_and_wait()?;
                keyspace.major_compact()?;
            }
        }
        self.turn_journal()?;
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        marks.into_iter().for_each(|mark| batch.remove(&self.removed_from, mark));
        Ok(batch.commit()?)
    }
}
