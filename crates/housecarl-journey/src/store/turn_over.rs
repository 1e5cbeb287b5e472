//! Turning the files over: what was removed leaves them.
//!
//! fjall removes a row by a mark beside it, and a keyspace by forgetting its name. The bytes stay:
//! in tables until these are compacted, in the folder of the keyspace until nobody uses it, in the
//! journal until that is full and everything in it stands in tables. So each is driven to its end
//! here, and then it is looked: the files that held the bytes have to be gone.
//!
//! Nothing has to be remembered for it. A table knows how many marks it has, a folder without a
//! keyspace is there to be seen, and every journal is taken as one that may hold what was removed.
//! After a crash in the middle the next call does what is left.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fjall::{AbstractTree as _, Keyspace, PersistMode, Slice};

use super::records::{JOURNAL_TURNS_AT, KEYSPACES, Keyspaces, Records, options, sync_folder};
use super::{REMEMBERED_SECONDS, Store as _, StoreError};

/// Whoever commits in between waits for one of these, in bytes.
const FILLER_LEN: u32 = 8 << 20;
/// The keyspace that fills the journal.
pub(super) const FILLER: &str = "filler";
/// The keyspace that always has something to flush: with each flush fjall looks for what may go.
const TURN: &str = "turn";
/// Where fjall has the tables of a keyspace.
const TABLES: &str = "tables";
/// fjall's own keyspace, with the names of all.
const NAMES: &str = "0";
/// How often it is looked at most, at first every millisecond and in the end every second: about
/// ten minutes, for flushes and compactions that were under way.
const LOOKS_MAX: u32 = 600;

/// See [`Store::turn_over`](super::Store::turn_over).
pub(super) fn turn_over(records: &Records, now: u64) -> Result<(), StoreError> {
    // Both exist before it is looked which folders belong to no keyspace.
    let turn = records.keyspace(TURN)?;
    let filler = records.database.keyspace(FILLER, || options().max_memtable_size(u64::MAX))?;
    let mut leaving = {
        // Nobody reads a page while this is held, and whoever reads one later has begun after what
        // was removed, so that no open reader makes fjall keep it.
        let mut keyspaces = records.write();
        forget(records, &mut keyspaces, now)?;
        room(records, &keyspaces)?;
        old_files(&records.folder, keyspaces.all().chain([&turn, &filler]))?
    };
    fill_journal(records, &filler)?;
    // What only the journal has of the filler is needed by nobody.
    records.database.delete_keyspace(filler)?;
    // Here the journal turns; all that it holds is in the memory of a keyspace that exists now.
    touch(records, &turn, now)?;
    let live: Vec<Keyspace> = records.read().all().cloned().collect();
    for keyspace in &live {
        keyspace.rotate_memtable()?;
    }
    for keyspace in live {
        written(records, &keyspace)?;
        // Counted in tables, so only now: before, marks may have been in memory.
        if keyspace.tree.tombstone_count() > 0 {
            leaving.extend(entries(&keyspace.path().join(TABLES))?);
            keyspace.major_compact()?;
        }
    }
    let folders: BTreeSet<PathBuf> =
        leaving.iter().filter_map(|path| path.parent()).map(Path::to_owned).collect();
    await_gone(records, &turn, leaving, now)?;
    // Or a loss of power could bring them back.
    folders.iter().filter(|folder| folder.exists()).try_for_each(|folder| sync_folder(folder))
}

/// Drops the identities of weeks that nobody looks into any more.
fn forget(records: &Records, keyspaces: &mut Keyspaces, now: u64) -> Result<(), StoreError> {
    let week = now / REMEMBERED_SECONDS;
    let old: Vec<u64> = keyspaces.seen.range(..week.saturating_sub(1)).map(|(week, _)| *week).collect();
    for week in old {
        if let Some(keyspace) = keyspaces.seen.get(&week).cloned() {
            records.database.delete_keyspace(keyspace)?;
            keyspaces.seen.remove(&week);
        }
    }
    Ok(())
}

/// All journals, and the folders of keyspaces that are no more.
fn old_files<'k>(
    folder: &Path,
    live: impl Iterator<Item = &'k Keyspace>,
) -> Result<BTreeSet<PathBuf>, StoreError> {
    let mut files = entries(folder)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "jnl"));
    let keyspaces = folder.join(KEYSPACES);
    let kept: BTreeSet<_> = live.filter_map(|keyspace| keyspace.path().file_name()).collect();
    let mut folders = entries(&keyspaces)?;
    folders.retain(|path| path.file_name().is_some_and(|name| name != NAMES && !kept.contains(name)));
    files.extend(folders);
    Ok(files)
}

fn entries(folder: &Path) -> Result<BTreeSet<PathBuf>, StoreError> {
    Ok(fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?)
}

/// A disk that ran full under fjall would end the process, so it is asked before.
fn room(records: &Records, keyspaces: &Keyspaces) -> Result<(), StoreError> {
    let largest = keyspaces.all().map(|keyspace| keyspace.disk_space()).max().unwrap_or_default();
    let needed = (2 * JOURNAL_TURNS_AT).saturating_add(largest);
    if records.free()? < needed { Err(StoreError::Full) } else { Ok(()) }
}

fn fill_journal(records: &Records, filler: &Keyspace) -> Result<(), StoreError> {
    // In memory all rows are handles of the same bytes.
    let zeros = Slice::from(vec![0; FILLER_LEN as usize]);
    for number in 0..=JOURNAL_TURNS_AT / u64::from(FILLER_LEN) {
        // Each is synced, so that never more than one batch can be torn; see [`super::torn`].
        let mut batch = records.database.batch().durability(Some(PersistMode::SyncData));
        batch.insert(filler, number.to_be_bytes(), zeros.clone());
        batch.commit()?;
    }
    Ok(())
}

/// Gives fjall something to flush, so that it turns the journal and lets go of old files.
fn touch(records: &Records, turn: &Keyspace, now: u64) -> Result<(), StoreError> {
    let mut batch = records.database.batch().durability(Some(PersistMode::SyncData));
    batch.insert(turn, "at", now.to_be_bytes());
    batch.commit()?;
    turn.rotate_memtable()?;
    written(records, turn)
}

/// Waits until what a keyspace is to write out stands in tables.
fn written(records: &Records, keyspace: &Keyspace) -> Result<(), StoreError> {
    while keyspace.tree.sealed_memtable_count() > 0 {
        pause(records, Duration::from_millis(1))?;
    }
    Ok(())
}

/// Waits until none of these files is there.
fn await_gone(
    records: &Records,
    turn: &Keyspace,
    mut leaving: BTreeSet<PathBuf>,
    now: u64,
) -> Result<(), StoreError> {
    for look in 0..LOOKS_MAX {
        touch(records, turn, now)?;
        leaving.retain(|path| path.exists());
        if leaving.is_empty() {
            return Ok(());
        }
        pause(records, Duration::from_millis(1 << look.min(10)))?;
    }
    Err(StoreError::Broken("what was removed does not leave the files of the records".into()))
}

/// Waits for fjall's threads, which tell nobody when they are done, and do not go on once one failed.
#[expect(clippy::disallowed_methods, reason = "fjall has nothing that could be waited for")]
pub(super) fn pause(records: &Records, time: Duration) -> Result<(), StoreError> {
    std::thread::sleep(time);
    records.check()
}
