//! No traces: what was removed stands in no byte of any file, in plain, hex or base64.

use std::path::Path;

use super::*;
use crate::keys::{KeyName, Keys};
use crate::people::DeviceId;
use crate::seal::{self, Belongs, Sequence};
use crate::store::Stored;
use crate::testing::{Files, bucket, found_in, keys, place, subject};

const VALUE: &[u8] = b"a value that was marked, of somebody";

/// Two of the first person, one that ends soon, and one of somebody else.
struct Home {
    folder: TempDir,
    keys: Arc<Keys>,
    _key_folder: TempDir,
    records: Records,
    /// What was sealed, by subject.
    sealed: Vec<(Bucket, Place, Vec<u8>)>,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(&folder.path().join("records"), 0).unwrap();
        let (key_folder, keys) = keys();
        let sequence = Sequence::new().unwrap();
        for (of, days) in [(1, 30), (1, 366), (1, 30), (2, 1), (3, 30)] {
            let belongs =
                Belongs { device: DeviceId([9; 16]), stream: StreamNumber(of.into()), received: NOW };
            let sealed = seal::tests::sealed(subject(of), belongs, days, VALUE, &keys, &sequence);
            keys.sync().unwrap();
            records.commit(rows(sealed.into_rows()), NOW).unwrap();
        }
        let sealed = (1..4).flat_map(|of| found(&records, &all_of(of))).collect();
        Self { folder, keys, _key_folder: key_folder, records, sealed }
    }

    /// How many of these rows still stand in the files: their ciphertext, any of their places.
    fn left(&self, of: impl Fn(&Bucket, &Place) -> bool) -> usize {
        let files = Files::of(self.folder.path());
        let rows = self.sealed.iter().filter(|(bucket, place, _)| of(bucket, place));
        rows.map(|(_, place, sealed)| files.find(sealed) + files.find(&place.bytes())).sum()
    }

    fn opens(&self, of: &Place) -> bool {
        let (bucket, place, sealed) = self.sealed.iter().find(|(_, place, _)| place == of).unwrap();
        let stored = Stored { row: row(*bucket, *place, sealed) };
        seal::open(&stored, &self.keys).unwrap().is_some()
    }

    fn erase(&self, of: u8) {
        self.keys.destroy_all_of(subject(of)).unwrap();
        let gone: Vec<_> = found(&self.records, &all_of(of)).into_iter().map(|(b, p, _)| (b, p)).collect();
        self.records.remove(&gone).unwrap();
    }

    fn expire(&self, over: Bucket) {
        self.keys.destroy(|name| matches!(name, KeyName::Bucket(bucket) if bucket == over)).unwrap();
        self.records.drop_bucket(over).unwrap();
    }
}

#[test]
fn a_value_stands_nowhere_even_before_it_is_erased() {
    let home = Home::new();
    assert!(home.left(|_, _| true) > 0, "or the search finds nothing");
    assert_eq!(found_in(home.folder.path(), VALUE), 0);
}

#[test]
fn an_erased_person_is_unreadable_at_once_and_in_no_file_after_a_turn_over() {
    let home = Home::new();
    let first = |_: &Bucket, place: &Place| place.subject == subject(1);
    home.erase(1);
    for (_, place, _) in &home.sealed {
        assert_eq!(home.opens(place), place.subject != subject(1), "by the copies that we made");
    }
    assert!(home.left(first) > 0, "without a turn-over the ciphertext is still there");
    home.records.turn_over(NOW).unwrap();
    assert_eq!(home.left(first), 0);
    assert!(home.left(|bucket, place| !first(bucket, place)) > 0, "those of others are");
    assert_eq!(found(&home.records, &all_of(3)).len(), 1);
}

#[test]
fn an_expired_bucket_is_unreadable_at_once_and_in_no_file_after_a_turn_over() {
    let home = Home::new();
    let over = bucket(1);
    home.expire(over);
    for (bucket, place, _) in &home.sealed {
        assert_eq!(home.opens(place), *bucket != over);
    }
    assert!(
        home.left(|bucket, _| *bucket == over) > 0,
        "fjall keeps rows of a deleted keyspace in its journal"
    );
    home.records.turn_over(NOW).unwrap();
    assert_eq!(home.left(|bucket, _| *bucket == over), 0);
    assert_eq!(found(&home.records, &all_of(1)).len(), 3);
}

#[test]
fn rows_that_were_written_out_before_leave_the_tables_too() {
    let home = Home::new();
    let first = |_: &Bucket, place: &Place| place.subject == subject(1);
    // Into tables, also the marks of what is removed after it.
    home.records.turn_over(NOW).unwrap();
    assert!(home.left(first) > 0);
    home.erase(1);
    home.expire(bucket(1));
    for keyspace in home.records.read().all() {
        keyspace.rotate_memtable_and_wait().unwrap();
    }
    assert!(home.left(first) > 0);
    home.records.turn_over(NOW).unwrap();
    assert_eq!(home.left(|bucket_of, place| first(bucket_of, place) || *bucket_of == bucket(1)), 0);
    assert_eq!(found(&home.records, &all_of(3)).len(), 1);
}

#[test]
fn a_start_in_between_changes_nothing() {
    let Home { folder, keys, _key_folder, records, sealed } = Home::new();
    let home = Home { folder, keys, _key_folder, records, sealed };
    home.erase(1);
    home.expire(bucket(1));
    let Home { folder, keys, _key_folder, records, sealed } = home;
    drop(records);
    let records = Records::open(&folder.path().join("records"), 0).unwrap();
    let home = Home { folder, keys, _key_folder, records, sealed };
    home.records.turn_over(NOW).unwrap();
    assert_eq!(home.left(|bucket_of, place| place.subject == subject(1) || *bucket_of == bucket(1)), 0);
}

/// A reader makes fjall keep what it may still read. One that was under way for an hour, because
/// whoever was sent the rows was slow, kept what was removed in the files beyond the turn-over.
#[test]
fn a_scan_under_way_keeps_nothing_in_the_files() {
    let home = Home::new();
    let mut met = 0;
    let turn = &mut |_: Stored| {
        met += 1;
        home.erase(3);
        home.records.turn_over(NOW).unwrap();
        assert_eq!(home.left(|_, place| place.subject == subject(3)), 0);
        false
    };
    home.records.scan(&all_of(1), turn).unwrap();
    assert_eq!(met, 1);
}

#[test]
fn rows_committed_and_removed_during_a_turn_over_are_right_after_the_next() {
    let home = Home::new();
    home.erase(1);
    std::thread::scope(|scope| {
        scope.spawn(|| home.records.turn_over(NOW).unwrap());
        for number in 0..40 {
            // New buckets too: they come into the journal that is being turned.
            put(&home.records, bucket(1 + number), place(4, 1, NOW, number), &[0xA5; 300]);
            home.records.remove(&[(bucket(1 + number), place(4, 1, NOW, number))]).unwrap();
        }
    });
    assert_eq!(home.left(|_, place| place.subject == subject(1)), 0);
    home.records.turn_over(NOW).unwrap();
    assert_eq!(found_in(home.folder.path(), &[0xA5; 300]), 0);
    assert!(found(&home.records, &all_of(4)).is_empty());
}

#[test]
fn old_identities_leave_the_files() {
    let home = Home::new();
    let known = Identity(*b"identity of past");
    let batch = Batch { rows: Vec::new(), identities: vec![known] };
    home.records.commit(batch, NOW).unwrap();
    home.records.turn_over(NOW).unwrap();
    assert!(found_in(home.folder.path(), &known.0) > 0);
    home.records.turn_over(NOW + 2 * crate::store::REMEMBERED_SECONDS + 1).unwrap();
    assert_eq!(found_in(home.folder.path(), &known.0), 0);
}

/// The folder does not grow by what is turned over.
#[test]
fn a_turn_over_leaves_one_journal_and_no_folder_behind() {
    let home = Home::new();
    let count = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
    let folder = home.folder.path().join("records");
    home.expire(bucket(1));
    home.records.turn_over(NOW).unwrap();
    let (files, keyspaces) = (count(&folder), count(&folder.join("keyspaces")));
    for _ in 0..2 {
        home.records.turn_over(NOW).unwrap();
        assert_eq!((count(&folder), count(&folder.join("keyspaces"))), (files, keyspaces));
        assert_eq!(home.records.database.journal_count(), 1);
    }
}
