//! The store that a gateway runs on: fjall, a log-structured merge tree, one keyspace per bucket.
//!
//! A bucket that is over is dropped as a whole, which costs a millisecond however many rows it has.
//!
//! What is written is one journal of fjall's for all keyspaces, then tables. A batch stands in the
//! journal as a whole or not at all; `torn` sees to it that the half of one that a
//! loss of power leaves there keeps nobody from starting again.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::ops::{Bound, Range};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use fjall::config::CompressionPolicy;
use fjall::{
    AbstractTree as _, CompressionType, Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch,
    PersistMode, Readable as _,
};

use super::blocks::{self, Block};
use super::turn_over::{self, FILLER};
use super::{
    Batch, Bucket, Each, Identity, Place, REMEMBERED_SECONDS, Row, Store, StoreError, Stored, Wanted, torn,
};
use crate::people::SubjectId;

/// The bound on the memory of each keyspace that has not been written out, in bytes.
const MEMTABLE_MAX: u64 = 8 << 20;
/// The bound on the journals that are full, in bytes: the least that fjall takes. It has everything
/// written out that keeps more of them. What stands in journals stands in memory as well, so that
/// this bounds the memory of all keyspaces together, and what a start has to read.
const JOURNALS_MAX: u64 = 64 << 20;
/// Where so many bytes stand in journals, whoever commits waits for the flushes that are under way,
/// at most for so many milliseconds: what keeps a journal for longer is not the load.
pub(super) const JOURNALS_WAIT_AT: u64 = 256 << 20;
const JOURNALS_WAIT_MAX: u32 = 10_000;
/// fjall begins a new journal with the first flush after so many bytes in the old one. Where many
/// keyspaces share it, none comes to its own bound for long, and somebody else has to ask for a flush.
pub(super) const JOURNAL_TURNS_AT: u64 = 64_000_000;
/// What a block of rows and an identity take in the journal beside the block, in bytes.
const BLOCK_LEN: u64 = 58;
const IDENTITY_LEN: u64 = 40;
/// Bytes of blocks that fjall keeps in memory.
const CACHE: u64 = 64 << 20;
/// fjall's own threads. One flushes only, and asks without rest while something is to be compacted that
/// no other takes: so there are others enough.
const WORKERS: usize = 4;
/// The folder in which fjall has one folder for each keyspace.
pub(super) const KEYSPACES: &str = "keyspaces";
/// What fjall writes last when it begins a database.
const MARKER: &str = "version";
/// Identities of one week; a message is looked for in this week's and the last.
const SEEN: &str = "seen-";
/// The key of a row in every bucket that has lost rows, before all places. fjall lets a journal go
/// when the tables of each keyspace have come to the number of its last change there. The mark of a
/// removed row is a change, and is gone with the row, so that the number would never be reached and
/// no journal would go any more. This row has the same number and stays.
const REMOVED: [u8; 1] = [0];
/// So many rows are read, or so many bytes, before those who wait for the lock have their turn.
const PAGE_ROWS: usize = 1_000;
const PAGE_BYTES: usize = 1 << 20;

/// Rows in fjall.
pub(crate) struct Records {
    pub(super) folder: PathBuf,
    keep_free: u64,
    /// Held to read by whoever reads or writes rows, and to write by whoever makes or drops a
    /// keyspace: fjall takes rows into a keyspace that is being dropped, and says nothing.
    keyspaces: RwLock<Keyspaces>,
    /// Held by whoever writes a block again without some of its rows.
    rewriting: Mutex<()>,
    /// Held by whoever needs the files as they are for long, or rids them of what was removed.
    files: Mutex<()>,
    /// How many bytes stand in the journal, about.
    journal: AtomicU64,
    pub(super) database: Database,
}

#[derive(Default)]
pub(super) struct Keyspaces {
    pub(super) buckets: BTreeMap<Bucket, Keyspace>,
    pub(super) seen: BTreeMap<u64, Keyspace>,
}

impl Keyspaces {
    pub(super) fn all(&self) -> impl Iterator<Item = &Keyspace> {
        self.buckets.values().chain(self.seen.values())
    }

    /// Begins to write out whatever takes the most memory; the journal turns with it, and then
    /// fjall writes out what else is needed for the old one to go.
    fn flush_largest(&self) -> Result<(), fjall::Error> {
        let largest = self.all().max_by_key(|keyspace| keyspace.tree.active_memtable().size());
        largest.map_or(Ok(false), Keyspace::rotate_memtable).map(|_| ())
    }
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        match error {
            fjall::Error::Locked => Self::InUse,
            fjall::Error::InvalidVersion(_) => Self::Unreadable("another version of fjall wrote them"),
            fjall::Error::JournalRecovery(_)
            | fjall::Error::InvalidTrailer
            | fjall::Error::InvalidTag(_)
            | fjall::Error::Unrecoverable => Self::Unreadable("they are damaged; restore them from a backup"),
            error => Self::Broken(Box::new(error)),
        }
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Broken(Box::new(error))
    }
}

impl Records {
    /// Opens the records in this folder, or begins them. `keep_free` is how many bytes of the disk
    /// are never used for new rows, so that whoever erases or withdraws finds room.
    pub(crate) fn open(folder: &Path, keep_free: u64) -> Result<Self, StoreError> {
        if !folder.join(MARKER).try_exists()? {
            begin(folder)?;
        }
        let database = match database(folder) {
            Err(fjall::Error::JournalRecovery(_)) if torn::mend(folder)? => database(folder)?,
            other => other?,
        };
        let mut keyspaces = Keyspaces::default();
        for name in database.list_keyspace_names() {
            if let Ok(bucket) = name.parse() {
                keyspaces.buckets.insert(bucket, database.keyspace(&name, options)?);
            } else if let Some(week) = name.strip_prefix(SEEN).and_then(|week| week.parse().ok()) {
                keyspaces.seen.insert(week, database.keyspace(&name, options)?);
            } else if &*name == FILLER {
                // A crash in the middle of a turn-over left it, and it is all in memory now.
                database.delete_keyspace(database.keyspace(&name, options)?)?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            keep_free,
            keyspaces: RwLock::new(keyspaces),
            rewriting: Mutex::default(),
            files: Mutex::default(),
            journal: AtomicU64::new(database.journal_disk_space()?),
            database,
        })
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Keyspaces> {
        self.keyspaces.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Keyspaces> {
        self.keyspaces.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same as [`Self::read`], where the keyspaces that a batch goes to are made first.
    fn ready_for(&self, batch: &Batch, week: u64) -> Result<RwLockReadGuard<'_, Keyspaces>, StoreError> {
        let keyspaces = self.read();
        let seen = batch.identities.is_empty() || keyspaces.seen.contains_key(&week);
        if seen && batch.rows.iter().all(|row| keyspaces.buckets.contains_key(&row.bucket)) {
            return Ok(keyspaces);
        }
        drop(keyspaces);
        let mut keyspaces = self.write();
        for row in &batch.rows {
            self.make_bucket(&mut keyspaces, row.bucket)?;
        }
        if let Entry::Vacant(entry) = keyspaces.seen.entry(week)
            && !batch.identities.is_empty()
        {
            entry.insert(self.keyspace(&format!("{SEEN}{week}"))?);
        }
        Ok(RwLockWriteGuard::downgrade(keyspaces))
    }

    fn make_bucket(&self, keyspaces: &mut Keyspaces, bucket: Bucket) -> Result<(), StoreError> {
        if let Entry::Vacant(entry) = keyspaces.buckets.entry(bucket) {
            entry.insert(self.keyspace(&bucket.to_string())?);
        }
        Ok(())
    }

    /// A keyspace, made where there is none, and durable before anything is written to it.
    pub(super) fn keyspace(&self, name: &str) -> Result<Keyspace, StoreError> {
        let keyspace = self.database.keyspace(name, options)?;
        // fjall syncs the new folder, but not its name: without the name, its rows in the journal
        // would be passed over after a loss of power.
        sync_folder(&self.folder.join(KEYSPACES))?;
        Ok(keyspace)
    }

    /// Waits while more stands in memory than it should.
    fn catch_breath(&self) -> Result<(), StoreError> {
        for _ in 0..JOURNALS_WAIT_MAX {
            if self.database.journal_disk_space()? < JOURNALS_WAIT_AT {
                break;
            }
            turn_over::pause(self, Duration::from_millis(1))?;
        }
        Ok(())
    }

    /// Counts bytes that were added to the journal, and has it turned in time.
    fn grown(&self, keyspaces: &Keyspaces, bytes: u64) -> Result<(), StoreError> {
        if self.journal.fetch_add(bytes, Ordering::Relaxed) >= JOURNAL_TURNS_AT {
            self.journal.store(0, Ordering::Relaxed);
            keyspaces.flush_largest()?;
        }
        Ok(())
    }

    /// The disk has room for so many bytes of rows.
    fn has_room_for(&self, bytes: u64) -> Result<(), StoreError> {
        if self.free()? < self.keep_free.saturating_add(bytes) {
            return Err(StoreError::Full);
        }
        Ok(())
    }

    /// Removes every row that is not to be kept: how many.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&Stored) -> bool) -> Result<u64, StoreError> {
        let mut removed = 0_u64;
        for (bucket, keyspace) in self.read().buckets.clone() {
            let mut gone = Vec::new();
            for found in keyspace.iter() {
                let (key, block) = found.into_inner()?;
                let Some(first) = Place::from_bytes(&key) else { continue };
                blocks::rows(&block, |sequence, sealed| {
                    let place = Place { sequence, ..first };
                    if !keep(&Stored { row: Row { bucket, place, sealed: sealed.to_vec() } }) {
                        gone.push((bucket, place));
                    }
                })?;
            }
            removed = removed.saturating_add(gone.len() as u64);
            for gone in gone.chunks(PAGE_ROWS) {
                self.replace(gone, Vec::new())?;
            }
        }
        Ok(removed)
    }

    /// How many bytes of the disk are free.
    pub(super) fn free(&self) -> Result<u64, StoreError> {
        let disk = rustix::fs::statvfs(&self.folder).map_err(io::Error::from)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Goes through the wanted rows of all buckets, with what `take` takes of what is sealed.
    fn pages<S>(
        &self,
        wanted: &Wanted,
        take: impl Fn(&[u8]) -> S,
        mut each: impl FnMut(Bucket, Place, S) -> bool,
    ) -> Result<(), StoreError> {
        if wanted.received.is_empty() {
            return Ok(());
        }
        for bucket in self.buckets().into_iter().filter(|bucket| wanted.has_bucket(*bucket)) {
            let mut last = None;
            loop {
                let (rows, next) = self.page(bucket, wanted, last.as_ref(), &take)?;
                if !rows.into_iter().all(|(place, sealed)| each(bucket, place, sealed)) {
                    return Ok(());
                }
                last = next;
                if last.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The wanted rows of a bucket after a place: so many as keep nobody waiting for long, and after
    /// which place there may be more.
    fn page<S>(
        &self,
        bucket: Bucket,
        wanted: &Wanted,
        after: Option<&Last>,
        take: impl Fn(&[u8]) -> S,
    ) -> Result<Page<S>, StoreError> {
        let keyspaces = self.read();
        let (mut page, mut bytes, mut second) = (Vec::new(), 0_usize, None);
        let Some(keyspace) = keyspaces.buckets.get(&bucket) else { return Ok((page, None)) };
        let Range { start, end } = wanted.range();
        let start = after.map_or(Bound::Included(start), |last| Bound::Excluded(*last));
        // From where on rows are of the present second: their blocks may interleave.
        let mut from = 0;
        for found in keyspace.range((start, Bound::Excluded(end))) {
            let (key, block) = found.into_inner()?;
            let first = Place::from_bytes(&key).ok_or(StoreError::Unreadable("a row has no place"))?;
            let of = blocks::head_of(bucket, &first);
            if second != Some(of) {
                in_order(&mut page, from);
                if let Some((_, subject, stream, received)) = second
                    && (page.len() >= PAGE_ROWS || bytes >= PAGE_BYTES)
                {
                    return Ok((page, Some(Place { subject, stream, received, sequence: u64::MAX }.bytes())));
                }
                (second, from) = (Some(of), page.len());
            }
            bytes = bytes.saturating_add(block.len());
            if wanted.has(&first) {
                blocks::rows(&block, |sequence, sealed| {
                    page.push((Place { sequence, ..first }, take(sealed)));
                })?;
            }
        }
        in_order(&mut page, from);
        Ok((page, None))
    }

    /// Takes rows out of the blocks that they are in; how many bytes are written again for it.
    fn take_out(
        &self,
        batch: &mut OwnedWriteBatch,
        keyspaces: &Keyspaces,
        gone: &[(Bucket, Place)],
    ) -> Result<u64, StoreError> {
        let mut by_head = BTreeMap::<_, BTreeSet<u64>>::new();
        for (bucket, place) in gone {
            by_head.entry(blocks::head_of(*bucket, place)).or_default().insert(place.sequence);
        }
        let (mut touched, mut bytes) = (BTreeSet::new(), 0_u64);
        for ((bucket, subject, stream, received), sequences) in by_head {
            let Some(keyspace) = keyspaces.buckets.get(&bucket) else { continue };
            let place = |sequence| Place { subject, stream, received, sequence }.bytes();
            // A block lies at the least of its sequences.
            let last = sequences.last().copied().unwrap_or_default();
            for found in keyspace.range(place(0)..=place(last)) {
                let (key, block) = found.into_inner()?;
                match blocks::without(&block, |sequence| sequences.contains(&sequence))? {
                    None => continue,
                    Some(left) if left.is_empty() => batch.remove(keyspace, key),
                    Some(left) => {
                        bytes = bytes.saturating_add(BLOCK_LEN).saturating_add(left.len() as u64);
                        batch.insert(keyspace, key, left);
                    }
                }
                if touched.insert(bucket) {
                    batch.insert(keyspace, REMOVED, []);
                }
            }
        }
        Ok(bytes)
    }
}

/// Rows of one second, in the order of their places.
fn in_order<S>(page: &mut [(Place, S)], from: usize) {
    if let Some(second) = page.get_mut(from..) {
        second.sort_unstable_by_key(|(place, _)| place.sequence);
    }
}

/// How many bytes a block takes in the journal.
fn journalled(block: &Block) -> u64 {
    BLOCK_LEN.saturating_add(block.bytes.len() as u64)
}

fn put_in(batch: &mut OwnedWriteBatch, keyspaces: &Keyspaces, blocks: Vec<Block>) {
    for block in blocks {
        if let Some(keyspace) = keyspaces.buckets.get(&block.bucket) {
            batch.insert(keyspace, block.first.bytes(), block.bytes);
        }
    }
}

/// The last place of a page.
type Last = [u8; Place::LEN];
/// Rows, and after which place there may be more.
type Page<S> = (Vec<(Place, S)>, Option<Last>);

fn database(folder: &Path) -> Result<Database, fjall::Error> {
    Database::builder(folder)
        .manual_journal_persist(true)
        .max_journaling_size(JOURNALS_MAX)
        .cache_size(CACHE)
        .worker_threads(WORKERS)
        .open()
}

pub(super) fn options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_MAX)
        .manual_journal_persist(true)
        // What is sealed does not get smaller.
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::None))
}

/// Begins a database beside the folder, which gets it in one step when it is complete: half of one
/// cannot be opened, and fjall would not begin it again.
fn begin(folder: &Path) -> Result<(), StoreError> {
    let not_ours = "the folder of the records holds something else, or its file `version` is lost";
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => return Err(StoreError::Unreadable(not_ours)),
        Ok(false) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let unfinished = folder.with_extension("unfinished");
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    drop(database(&unfinished)?);
    sync_folder(&unfinished)?;
    fs::rename(&unfinished, folder)?;
    match folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_folder(parent),
        None => sync_folder(Path::new(".")),
    }
}

/// Makes names that were made or removed in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    Ok(File::open(folder)?.sync_all()?)
}

impl Store for Records {
    fn create_bucket(&self, bucket: Bucket) -> Result<(), StoreError> {
        if self.read().buckets.contains_key(&bucket) {
            return Ok(());
        }
        self.has_room_for(0)?;
        self.make_bucket(&mut self.write(), bucket)
    }

    fn buckets(&self) -> Vec<Bucket> {
        self.read().buckets.keys().copied().collect()
    }

    fn commit(&self, new: Batch, now: u64) -> Result<Vec<Stored>, StoreError> {
        let blocks = blocks::of(&new.rows)?;
        let rows = blocks.iter().map(journalled).sum::<u64>();
        let bytes = rows.saturating_add(IDENTITY_LEN.saturating_mul(new.identities.len() as u64));
        self.has_room_for(bytes)?;
        self.catch_breath()?;
        let week = now / REMEMBERED_SECONDS;
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        let keyspaces = self.ready_for(&new, week)?;
        put_in(&mut batch, &keyspaces, blocks);
        if let Some(keyspace) = keyspaces.seen.get(&week) {
            for identity in &new.identities {
                batch.insert(keyspace, identity.0, []);
            }
        }
        // Until here a crash leaves empty keyspaces; from here fjall's journal has all or nothing.
        batch.commit()?;
        self.grown(&keyspaces, bytes)?;
        drop(keyspaces);
        Ok(new.rows.into_iter().map(|row| Stored { row }).collect())
    }

    fn knows(&self, identity: &Identity, now: u64) -> Result<bool, StoreError> {
        let week = now / REMEMBERED_SECONDS;
        // A clock that was set back must not make a message new: later weeks count as well.
        for keyspace in self.read().seen.range(week.saturating_sub(1)..).map(|(_, keyspace)| keyspace) {
            if keyspace.contains_key(identity.0)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn scan(&self, wanted: &Wanted, each: Each<'_>) -> Result<(), StoreError> {
        let each = |bucket, place, sealed| each(Stored { row: Row { bucket, place, sealed } });
        self.pages(wanted, <[u8]>::to_vec, each)
    }

    fn scan_places(
        &self,
        wanted: &Wanted,
        each: &mut dyn FnMut(Bucket, Place) -> bool,
    ) -> Result<(), StoreError> {
        self.pages(wanted, |_| (), |bucket, place, ()| each(bucket, place))
    }

    fn subjects(&self, bucket: Bucket) -> Result<BTreeSet<SubjectId>, StoreError> {
        let mut subjects = BTreeSet::new();
        let keyspaces = self.read();
        let Some(keyspace) = keyspaces.buckets.get(&bucket) else { return Ok(subjects) };
        // From one to the first row of the next, without looking at all of theirs.
        let mut from = Bound::Excluded(REMOVED.to_vec());
        while let Some(found) = keyspace.range((from, Bound::Unbounded)).next() {
            let (key, _) = found.into_inner()?;
            let place = Place::from_bytes(&key).ok_or(StoreError::Unreadable("a row has no place"))?;
            subjects.insert(place.subject);
            from = Bound::Excluded([place.subject.0.as_slice(), &[u8::MAX; Place::LEN - 16]].concat());
        }
        Ok(subjects)
    }

    fn replace(&self, gone: &[(Bucket, Place)], new: Vec<Row>) -> Result<(), StoreError> {
        let new = Batch { rows: new, identities: Vec::new() };
        if !new.rows.is_empty() {
            self.catch_breath()?;
        }
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        let keyspaces = self.ready_for(&new, 0)?;
        let _rewriting = self.rewriting.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.take_out(&mut batch, &keyspaces, gone)?;
        let blocks = blocks::of(&new.rows)?;
        let bytes = blocks.iter().map(journalled).fold(left, u64::saturating_add);
        put_in(&mut batch, &keyspaces, blocks);
        batch.commit()?;
        self.grown(&keyspaces, bytes)
    }

    fn drop_bucket(&self, bucket: Bucket) -> Result<(), StoreError> {
        let mut keyspaces = self.write();
        let Some(keyspace) = keyspaces.buckets.get(&bucket).cloned() else { return Ok(()) };
        self.database.delete_keyspace(keyspace.clone())?;
        keyspaces.buckets.remove(&bucket);
        // Its files go with the last handle, and nobody has to wait for that.
        drop(keyspaces);
        Ok(())
    }

    fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        let copy = Self::open(folder, 0)?;
        // What is removed meanwhile stays in the files until this has read it.
        let _alone = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let (snapshot, buckets, seen) = {
            let keyspaces = self.read();
            (self.database.snapshot(), keyspaces.buckets.clone(), keyspaces.seen.clone())
        };
        for (bucket, keyspace) in buckets {
            let (mut batch, mut bytes) = (Batch::default(), 0_usize);
            for found in snapshot.iter(&keyspace) {
                let (key, block) = found.into_inner()?;
                // A mark of what was removed has no place.
                let Some(first) = Place::from_bytes(&key) else { continue };
                bytes = bytes.saturating_add(block.len());
                blocks::rows(&block, |sequence, sealed| {
                    let place = Place { sequence, ..first };
                    batch.rows.push(Row { bucket, place, sealed: sealed.to_vec() });
                })?;
                if batch.rows.len() >= PAGE_ROWS || bytes >= PAGE_BYTES {
                    copy.commit(std::mem::take(&mut batch), 0)?;
                    bytes = 0;
                }
            }
            copy.commit(batch, 0)?;
        }
        for (week, keyspace) in seen {
            let mut identities = Vec::new();
            for found in snapshot.iter(&keyspace) {
                let identity = found.key()?.as_ref().try_into().map(Identity);
                identities.push(identity.map_err(|_| StoreError::Unreadable("an identity is none"))?);
            }
            for identities in identities.chunks(PAGE_ROWS) {
                let batch = Batch { rows: Vec::new(), identities: identities.to_vec() };
                copy.commit(batch, week.saturating_mul(REMEMBERED_SECONDS))?;
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        // It says whether any of fjall's threads has failed, and costs nothing else.
        Ok(self.database.persist(PersistMode::Buffer)?)
    }

    fn has_room(&self) -> Result<(), StoreError> {
        self.has_room_for(0)
    }

    fn turn_over(&self, now: u64) -> Result<(), StoreError> {
        let _alone = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        turn_over::turn_over(self, now)
    }
}
