//! What each method of a store promises, sentence by sentence.

use crate::store::records::JOURNALS_WAIT_AT;
use std::ops::Range;
use std::thread;
use std::time::Duration;

use super::*;
use crate::store::{REMEMBERED_SECONDS, StoreError};
use crate::testing::{DAY, Dice, bucket, place};

#[test]
fn a_created_bucket_can_be_written_to_and_is_there() {
    every(|kept| {
        let store = kept.store();
        store.create_bucket(bucket(30)).unwrap();
        assert_eq!(store.buckets(), [bucket(30)]);
        put(&*store, bucket(30), place(1, 1, NOW, 1), b"sealed");
        assert_eq!(found(&*store, &all_of(1)).len(), 1);
    });
}

#[test]
fn creating_a_bucket_again_changes_nothing() {
    every(|kept| {
        let store = kept.store();
        put(&*store, bucket(30), place(1, 1, NOW, 1), b"sealed");
        store.create_bucket(bucket(30)).unwrap();
        assert_eq!(store.buckets(), [bucket(30)]);
        assert_eq!(found(&*store, &all_of(1)).len(), 1);
    });
}

#[test]
fn missing_buckets_are_made_by_a_commit() {
    every(|kept| {
        let store = kept.store();
        put(&*store, bucket(1), place(1, 1, NOW, 1), b"a");
        let both = [row(bucket(1), place(1, 1, NOW, 2), b"b"), row(bucket(366), place(1, 1, NOW, 3), b"c")];
        store.commit(rows(both), NOW).unwrap();
        assert_eq!(store.buckets(), [bucket(1), bucket(366)]);
        assert_eq!(found(&*store, &all_of(1)).len(), 3);
    });
}

#[test]
fn a_commit_gives_back_what_it_stored_and_it_is_found() {
    every(|kept| {
        let store = kept.store();
        let new = [row(bucket(1), place(1, 1, NOW, 2), b"b"), row(bucket(1), place(1, 1, NOW, 1), b"a")];
        let stored = store.commit(rows(new), NOW).unwrap();
        assert_eq!(
            stored.iter().map(|stored| stored.row().sealed.as_slice()).collect::<Vec<_>>(),
            [b"b", b"a"]
        );
        let expected = [
            (bucket(1), place(1, 1, NOW, 1), b"a".to_vec()),
            (bucket(1), place(1, 1, NOW, 2), b"b".to_vec()),
        ];
        assert!(found(&*store, &all_of(1)) == expected);
    });
}

#[test]
fn what_was_committed_is_there_after_a_start() {
    every(|kept| {
        let store = kept.store();
        let batch =
            Batch { rows: vec![row(bucket(9), place(1, 1, NOW, 1), b"a")], identities: vec![identity(1)] };
        store.commit(batch, NOW).unwrap();
        store.create_bucket(bucket(90)).unwrap();
        drop(store);
        kept.reopen();
        let store = kept.store();
        assert_eq!(store.buckets(), [bucket(9), bucket(90)]);
        assert!(found(&*store, &all_of(1)) == [(bucket(9), place(1, 1, NOW, 1), b"a".to_vec())]);
        assert!(store.knows(&identity(1), NOW).unwrap());
    });
}

#[test]
fn an_empty_batch_is_nothing() {
    every(|kept| {
        let store = kept.store();
        assert!(store.commit(Batch::default(), NOW).unwrap().is_empty());
        assert!(store.buckets().is_empty());
    });
}

#[test]
fn a_message_is_known_for_a_week_and_not_for_more_than_two() {
    every(|kept| {
        let store = kept.store();
        let batch = |number| Batch { rows: Vec::new(), identities: vec![identity(number)] };
        assert!(!store.knows(&identity(1), NOW).unwrap());
        // Whenever in a week it came.
        for (number, hours) in (0..=7 * 24).step_by(24).enumerate() {
            let (number, at) = (u8::try_from(number).unwrap(), NOW + hours * 3_600);
            store.commit(batch(number), at).unwrap();
            for later in [0, 1, DAY, REMEMBERED_SECONDS - 1, REMEMBERED_SECONDS] {
                assert!(store.knows(&identity(number), at + later).unwrap(), "{later} s after {hours} h");
            }
            store.turn_over(at).unwrap();
            assert!(store.knows(&identity(number), at + REMEMBERED_SECONDS).unwrap(), "after a turn-over");
        }
        let last = NOW + 7 * DAY;
        store.turn_over(last + 2 * REMEMBERED_SECONDS + 1).unwrap();
        for number in 0..8 {
            assert!(!store.knows(&identity(number), last + 2 * REMEMBERED_SECONDS + 1).unwrap());
            assert!(!store.knows(&identity(number), NOW).unwrap(), "it is gone, whatever the clock says");
        }
    });
}

#[test]
fn a_clock_that_is_set_back_makes_no_message_new() {
    every(|kept| {
        let store = kept.store();
        let batch = Batch { rows: Vec::new(), identities: vec![identity(1)] };
        store.commit(batch, NOW).unwrap();
        for back in [1, DAY, 8 * DAY, 400 * DAY, NOW] {
            assert!(store.knows(&identity(1), NOW - back).unwrap(), "{back} s back");
        }
    });
}

#[test]
fn a_scan_hands_on_each_wanted_row_by_bucket_and_in_the_order_of_places() {
    every(|kept| {
        let store = kept.store();
        let mut dice = Dice(7);
        let mut all: Found = Vec::new();
        for number in 0..400 {
            let bucket = bucket(*dice.pick(&[1, 30, 31, 366]));
            let subject = *dice.pick(&[0, 1, 254, 255]);
            let place = place(subject, *dice.pick(&[0, 1, 9, u16::MAX]), *dice.pick(&[0, 5, 6, NOW]), number);
            all.push((bucket, place, number.to_le_bytes().to_vec()));
        }
        for some in all.chunks(40) {
            let some = some.iter().map(|(bucket, place, sealed)| row(*bucket, *place, sealed));
            store.commit(rows(some), NOW).unwrap();
        }
        all.sort_by_key(|(bucket, place, _)| (*bucket, *place));
        for subject in [0, 1, 2, 254, 255] {
            for of in [None, Some(0), Some(1), Some(9), Some(10), Some(u16::MAX)] {
                let backwards = Range { start: 9, end: 3 };
                for received in [0..u64::MAX, 0..0, 0..5, 0..6, 5..6, 5..NOW, 6..NOW + 1, 7..8, backwards] {
                    let wanted = Wanted { received, stream: of.map(StreamNumber), ..all_of(subject) };
                    let expected: Found =
                        all.iter().filter(|(_, place, _)| wanted.has(place)).cloned().collect();
                    let names = (subject, of, wanted.received.clone());
                    assert!(found(&*store, &wanted) == expected, "{names:?}");
                }
            }
        }
    });
}

#[test]
fn a_scan_goes_on_over_more_rows_than_one_page_and_ends_when_told() {
    every(|kept| {
        let store = kept.store();
        for stream in 0..3 {
            let new = (0..1_500).map(|number| row(bucket(1), place(1, stream, NOW, number), b"sealed"));
            store.commit(rows(new), NOW).unwrap();
        }
        // Large ones end a page by their bytes.
        let large = (0..5).map(|number| row(bucket(1), place(2, 1, NOW, number), &vec![7; 700 << 10]));
        store.commit(rows(large), NOW).unwrap();
        assert_eq!(found(&*store, &all_of(1)).len(), 4_500);
        assert_eq!(found(&*store, &stream(&all_of(1), 1)).len(), 1_500);
        assert_eq!(found(&*store, &all_of(2)).len(), 5);
        for end in [1, 999, 1_000, 1_001, 1_002, 3_003] {
            let mut met = 0;
            let mut count = |_| {
                met += 1;
                met < end
            };
            store.scan(&all_of(1), &mut count).unwrap();
            assert_eq!(met, end);
        }
    });
}

#[test]
fn whoever_is_handed_a_row_may_use_the_store() {
    every(|kept| {
        let store = kept.store();
        let new = (0..2_500).map(|number| row(bucket(1), place(1, 1, NOW, number), b"sealed"));
        store.commit(rows(new), NOW).unwrap();
        let mut met = 0;
        store
            .scan(&all_of(1), &mut |stored| {
                met += 1;
                if met % 250 == 0 {
                    store.remove(&[(stored.row().bucket, stored.row().place)]).unwrap();
                    store.create_bucket(bucket(met / 50)).unwrap();
                }
                met < 2_500
            })
            .unwrap();
        assert_eq!(met, 2_500);
        assert_eq!(found(&*store, &all_of(1)).len(), 2_490);
    });
}

#[test]
fn removed_rows_are_not_found_again_and_others_are() {
    every(|kept| {
        let store = kept.store();
        for number in 0..4 {
            put(&*store, bucket(1), place(1, 1, NOW, number), b"a");
            put(&*store, bucket(366), place(1, 1, NOW, number), b"b");
        }
        let gone = [(bucket(1), place(1, 1, NOW, 2)), (bucket(366), place(1, 1, NOW, 0))];
        store.remove(&gone).unwrap();
        // What is not there is removed without a word, and makes no bucket.
        store.remove(&[(bucket(1), place(9, 9, 9, 9)), (bucket(9), place(1, 1, NOW, 1))]).unwrap();
        let check = |store: &dyn Store| {
            let left: Vec<_> =
                found(store, &all_of(1)).into_iter().map(|(bucket, place, _)| (bucket, place)).collect();
            assert_eq!(left.len(), 6);
            assert!(gone.iter().all(|row| !left.contains(row)));
            assert_eq!(store.buckets(), [bucket(1), bucket(366)]);
        };
        check(&*store);
        store.turn_over(NOW).unwrap();
        check(&*store);
        drop(store);
        kept.reopen();
        check(&*kept.store());
        // The same place can be used again.
        put(&*kept.store(), bucket(1), gone[0].1, b"again");
        assert_eq!(found(&*kept.store(), &all_of(1)).len(), 7);
    });
}

#[test]
fn a_dropped_bucket_is_gone_with_its_rows_and_can_be_made_again() {
    every(|kept| {
        let store = kept.store();
        put(&*store, bucket(1), place(1, 1, NOW, 1), b"a");
        put(&*store, bucket(366), place(1, 1, NOW, 1), b"b");
        store.drop_bucket(bucket(1)).unwrap();
        store.drop_bucket(bucket(31)).unwrap();
        let check = |store: &dyn Store| {
            assert_eq!(store.buckets(), [bucket(366)]);
            assert!(found(store, &all_of(1)) == [(bucket(366), place(1, 1, NOW, 1), b"b".to_vec())]);
        };
        check(&*store);
        drop(store);
        kept.reopen();
        let store = kept.store();
        check(&*store);
        store.turn_over(NOW).unwrap();
        check(&*store);
        // A bucket of the same name begins empty, also after another start.
        put(&*store, bucket(1), place(1, 1, NOW, 2), b"c");
        drop(store);
        kept.reopen();
        let store = kept.store();
        assert_eq!(store.buckets(), [bucket(1), bucket(366)]);
        assert_eq!(found(&*store, &all_of(1)).len(), 2);
    });
}

/// fjall takes rows into a keyspace that is deleted and says nothing. Whoever asked for the bucket
/// between the two steps of dropping it got such a one, and what was committed to it was gone
/// after the next start.
#[test]
fn what_is_committed_while_a_bucket_is_dropped_is_gone_with_it_or_stays() {
    let mut kept = Kept::records();
    let Kept::Records(_, Some(records)) = &kept else { return };
    for round in 0..5 {
        records.create_bucket(bucket(1)).unwrap();
        let dropped = {
            let records = Arc::clone(records);
            thread::spawn(move || records.drop_bucket(bucket(1)).unwrap())
        };
        let mut number = 0;
        while !dropped.is_finished() {
            put(&**records, bucket(1), place(1, 1, NOW + round, number), b"during");
            number += 1;
        }
        dropped.join().unwrap();
        put(&**records, bucket(1), place(1, 2, NOW + round, 0), b"after");
        assert_eq!(found(&**records, &stream(&all_of(1), 2)).len(), 1);
        let names = records.database.list_keyspace_names();
        assert!(
            names.iter().any(|name| **name == bucket(1).to_string()),
            "a bucket that fjall does not know"
        );
    }
    let before = found(&*kept.store(), &all_of(1));
    kept.reopen();
    assert!(found(&*kept.store(), &all_of(1)) == before, "what was found before a start is found after it");
}

#[test]
fn nothing_is_written_where_the_reserve_would_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let records = Records::open(&folder.path().join("records"), 0).unwrap();
    put(&records, bucket(1), place(1, 1, NOW, 1), b"a");
    drop(records);
    let records = Records::open(&folder.path().join("records"), u64::MAX / 2).unwrap();
    let full = records.commit(rows([row(bucket(366), place(1, 1, NOW, 2), b"b")]), NOW);
    assert!(matches!(full, Err(StoreError::Full)));
    assert!(matches!(records.create_bucket(bucket(366)), Err(StoreError::Full)));
    assert_eq!(records.buckets(), [bucket(1)], "nothing of it is there");
    assert_eq!(found(&records, &all_of(1)).len(), 1);
    // Erasing needs no room of its own.
    records.remove(&[(bucket(1), place(1, 1, NOW, 1))]).unwrap();
    assert!(found(&records, &all_of(1)).is_empty());
    records.turn_over(NOW).unwrap();
    records.drop_bucket(bucket(1)).unwrap();
}

/// No keyspace comes to its own bound, and yet the journals do not grow for ever.
#[test]
fn journals_are_bounded_where_many_buckets_share_them() {
    let kept = Kept::records();
    let Kept::Records(_, Some(records)) = &kept else { return };
    for number in 0..250 {
        let bucket = Bucket::from_parts(3, number % 50).unwrap();
        put(&**records, bucket, place(1, 1, NOW, number.into()), &vec![7; 1 << 20]);
    }
    let bytes = || records.database.journal_disk_space().unwrap();
    let mut looks = 0;
    while bytes() >= JOURNALS_WAIT_AT {
        looks += 1;
        assert!(looks < 1_000, "{} bytes of journals", bytes());
        // The last flushes may be under way.
        thread::park_timeout(Duration::from_millis(20));
        records.check().unwrap();
    }
    assert_eq!(found(&**records, &all_of(1)).len(), 250);
}

#[test]
fn a_second_gateway_is_refused() {
    let kept = Kept::records();
    let Kept::Records(folder, _) = &kept else { return };
    let second = Records::open(&folder.path().join("records"), 0);
    assert!(matches!(second, Err(StoreError::InUse)));
}
