//! What a loss of power leaves, and how the records open after it.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::*;
use crate::store::StoreError;
use crate::testing::{bucket, place};

/// Copies what is in the files of a store at work: what a loss of power finds, all writes done.
fn copied(from: &Path) -> TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                copy(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy(from, &folder.path().join("records"));
    folder
}

fn journal(folder: &TempDir) -> PathBuf {
    let records = fs::read_dir(folder.path().join("records")).unwrap();
    records
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "jnl"))
        .unwrap()
}

/// Where the bytes stand.
fn position(path: &Path, wanted: &[u8]) -> usize {
    let bytes = fs::read(path).unwrap();
    bytes.windows(wanted.len()).position(|window| window == wanted).unwrap()
}

fn hole(path: &Path, at: usize, len: usize) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&vec![0; len], at as u64).unwrap();
}

fn open(folder: &TempDir) -> Result<Records, StoreError> {
    Records::open(&folder.path().join("records"), 0)
}

/// Three batches, the last with a large value.
fn three_batches() -> (Kept, TempDir) {
    let kept = Kept::records();
    let store = kept.store();
    put(&*store, bucket(1), place(1, 1, NOW, 1), b"the first");
    put(&*store, bucket(1), place(1, 1, NOW, 2), b"the second");
    put(&*store, bucket(1), place(1, 1, NOW, 3), &[7; 20_000]);
    let Kept::Records(folder, _) = &kept else { unreachable!() };
    let copy = copied(&folder.path().join("records"));
    (kept, copy)
}

#[test]
fn a_copy_of_the_files_at_work_opens_with_all_that_was_committed() {
    let (_kept, copy) = three_batches();
    assert_eq!(found(&open(&copy).unwrap(), &all_of(1)).len(), 3);
}

/// A hole in a value keeps the form of the batch whole, and fjall takes it for damage.
#[test]
fn a_torn_last_batch_is_cut_off_and_the_others_are_there() {
    let (_kept, copy) = three_batches();
    let journal = journal(&copy);
    hole(&journal, position(&journal, &[7; 4_096]) + 4_096, 4_096);
    let records = open(&copy).unwrap();
    assert_eq!(found(&records, &all_of(1)).len(), 2);
    // And it goes on from there.
    put(&records, bucket(1), place(1, 1, NOW, 4), b"the next");
    drop(records);
    assert_eq!(found(&open(&copy).unwrap(), &all_of(1)).len(), 3);
}

#[test]
fn a_last_batch_cut_short_anywhere_is_cut_off() {
    let (_kept, copy) = three_batches();
    let from = position(&journal(&copy), &[7; 4_096]);
    for short in [from - 60, from - 34, from, from + 1, from + 10_000, from + 20_000, from + 20_010] {
        let copy = copied(&copy.path().join("records"));
        let journal = journal(&copy);
        hole(&journal, short, 30_000);
        assert_eq!(found(&open(&copy).unwrap(), &all_of(1)).len(), 2, "cut at {short}");
    }
}

#[test]
fn damage_before_whole_batches_is_refused_and_nothing_is_cut() {
    let (_kept, copy) = three_batches();
    let journal = journal(&copy);
    hole(&journal, position(&journal, b"the first"), 4);
    let before = fs::read(&journal).unwrap();
    assert!(matches!(open(&copy), Err(StoreError::Unreadable(_))));
    assert!(fs::read(&journal).unwrap() == before);
}

#[test]
fn a_beginning_that_was_cut_short_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    // What fjall leaves when it is interrupted while it begins, where we let it begin.
    let unfinished = folder.path().join("records.unfinished");
    fs::create_dir_all(unfinished.join("keyspaces")).unwrap();
    fs::write(unfinished.join("0.jnl"), [0; 100]).unwrap();
    put(&open(&folder).unwrap(), bucket(1), place(1, 1, NOW, 1), b"a");
    assert!(!unfinished.exists());
    assert_eq!(found(&open(&folder).unwrap(), &all_of(1)).len(), 1);
}

#[test]
fn a_folder_of_something_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().join("records");
    fs::create_dir(&records).unwrap();
    drop(open(&folder).unwrap());
    fs::remove_file(records.join("version")).unwrap();
    assert!(matches!(open(&folder), Err(StoreError::Unreadable(_))));
    assert!(records.join("0.jnl").exists());
    fs::write(records.join("version"), b"FJL\x02").unwrap();
    assert!(matches!(open(&folder), Err(StoreError::Unreadable(_))));
}

/// What is left when the power fails in the middle of a turn-over is done by the next.
#[test]
fn a_turn_over_that_was_interrupted_is_done_by_the_next() {
    let kept = Kept::records();
    let store = kept.store();
    put(&*store, bucket(1), place(1, 1, NOW, 1), b"a row that was removed");
    put(&*store, bucket(1), place(1, 1, NOW, 2), b"a row that stays");
    store.remove(&[(bucket(1), place(1, 1, NOW, 1))]).unwrap();
    let Kept::Records(folder, Some(records)) = &kept else { unreachable!() };
    // The filler is written, and then the power fails.
    let filler = records.database.keyspace(super::super::turn_over::FILLER, Default::default).unwrap();
    let mut batch = records.database.batch().durability(Some(fjall::PersistMode::SyncData));
    batch.insert(&filler, "filler", vec![0; 1 << 20]);
    batch.commit().unwrap();
    let copy = copied(&folder.path().join("records"));
    let records = open(&copy).unwrap();
    assert!(crate::testing::found_in(copy.path(), b"a row that was removed") > 0);
    records.turn_over(NOW).unwrap();
    assert_eq!(crate::testing::found_in(copy.path(), b"a row that was removed"), 0);
    assert_eq!(found(&records, &all_of(1)).len(), 1);
    drop(records);
    assert_eq!(found(&open(&copy).unwrap(), &all_of(1)).len(), 1);
}
