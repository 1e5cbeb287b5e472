//! Group commit: each message gets one answer, and the answer is true.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::task::Poll;
use std::thread;

use super::*;
use crate::people::SubjectId;
use crate::seal::Sealed;
use crate::store::commit::{Commits, Epoch, Failed, Outcome};
use crate::store::{Each, StoreError, Stored};
use crate::testing::{bucket, keys, place, wait};

/// A store that waits and fails when it is told to.
#[derive(Default)]
struct Double {
    memory: Memory,
    state: Mutex<State>,
    changed: Condvar,
    syncs: AtomicUsize,
}

#[derive(Default)]
struct State {
    closed: bool,
    waiting: usize,
    fails: Option<fn() -> StoreError>,
    panics: bool,
}

impl Double {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn close(&self) {
        self.set(|state| state.closed = true);
    }

    fn open(&self) {
        self.set(|state| state.closed = false);
    }

    /// Until somebody stands before the closed disk.
    fn await_somebody(&self) {
        drop(self.changed.wait_while(self.state.lock().unwrap(), |state| state.waiting == 0).unwrap());
    }
}

impl Store for Double {
    fn create_bucket(&self, bucket: Bucket) -> Result<(), StoreError> {
        self.memory.create_bucket(bucket)
    }
    fn buckets(&self) -> Vec<Bucket> {
        self.memory.buckets()
    }
    fn commit(&self, batch: Batch, now: u64) -> Result<Vec<Stored>, StoreError> {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, |state| state.closed).unwrap();
        state.waiting -= 1;
        let (fails, panics) = (state.fails, state.panics);
        drop(state);
        assert!(!panics, "an assertion of the engine");
        self.syncs.fetch_add(1, Ordering::SeqCst);
        fails.map_or_else(|| self.memory.commit(batch, now), |error| Err(error()))
    }
    fn knows(&self, identity: &Identity, now: u64) -> Result<bool, StoreError> {
        self.memory.knows(identity, now)
    }
    fn scan(&self, wanted: &Wanted, each: Each<'_>) -> Result<(), StoreError> {
        self.memory.scan(wanted, each)
    }
    fn subjects(&self, bucket: Bucket) -> Result<BTreeSet<SubjectId>, StoreError> {
        self.memory.subjects(bucket)
    }

    fn replace(&self, gone: &[(Bucket, Place)], new: Vec<Row>) -> Result<(), StoreError> {
        self.memory.replace(gone, new)
    }
    fn copy_to(&self, folder: &std::path::Path) -> Result<(), StoreError> {
        self.memory.copy_to(folder)
    }
    fn drop_bucket(&self, bucket: Bucket) -> Result<(), StoreError> {
        self.memory.drop_bucket(bucket)
    }
    fn check(&self) -> Result<(), StoreError> {
        self.memory.check()
    }
    fn turn_over(&self, now: u64) -> Result<(), StoreError> {
        self.memory.turn_over(now)
    }
}

fn broken() -> StoreError {
    StoreError::Broken(Box::new(io::Error::other("a sync failed")))
}

/// A thread that commits to a double.
struct Bench {
    double: Arc<Double>,
    commits: Arc<Commits>,
    epoch: Epoch,
    broken: Arc<AtomicUsize>,
    _keys: TempDir,
}

impl Bench {
    fn new() -> Self {
        let (double, broken) = (Arc::new(Double::default()), Arc::new(AtomicUsize::new(0)));
        let (folder, keys) = keys();
        let count = Arc::clone(&broken);
        let told = move |_: &dyn std::error::Error| {
            count.fetch_add(1, Ordering::SeqCst);
        };
        let store = Arc::clone(&double) as Arc<dyn Store>;
        let commits = Arc::new(Commits::start(store, keys, || NOW, told).unwrap());
        Self { double, commits, epoch: Epoch::default(), broken, _keys: folder }
    }

    /// Sends a message as a connection does.
    fn send(&self, number: u8) -> thread::JoinHandle<Result<Outcome, Failed>> {
        let (commits, decided) = (Arc::clone(&self.commits), self.epoch.now());
        thread::spawn(move || wait(commits.commit(message(number.into()), identity(number), decided)))
    }

    /// Sends a message as a connection does that breaks before it is told.
    fn hand_over(&self, number: u8) {
        let commit = self.commits.commit(message(number.into()), identity(number), self.epoch.now());
        wait(async {
            let mut commit = pin!(commit);
            poll_fn(|context| {
                // Once, which hands it over; where it is told at once, that is as well.
                let _ = commit.as_mut().poll(context);
                Poll::Ready(())
            })
            .await;
        });
    }

    /// Sends one that stands before the closed disk, so that what follows is in the next group.
    fn occupy(&self) -> thread::JoinHandle<Result<Outcome, Failed>> {
        self.double.close();
        let first = self.send(255);
        self.double.await_somebody();
        first
    }

    /// Until so many are in the queue.
    fn await_queued(&self, number: usize) {
        while self.commits.queued() < number {
            thread::yield_now();
        }
    }

    fn rows(&self) -> usize {
        found(&*self.double, &all_of(1)).len()
    }
}

fn message(number: u64) -> Sealed {
    Sealed::of(vec![row(bucket(1), place(1, 1, NOW, number), b"sealed")])
}

#[test]
fn a_message_is_stored_once_and_known_again() {
    let bench = Bench::new();
    assert_eq!(bench.send(1).join().unwrap(), Ok(Outcome::Stored));
    assert_eq!(bench.send(1).join().unwrap(), Ok(Outcome::Again));
    assert_eq!(bench.send(2).join().unwrap(), Ok(Outcome::Stored));
    assert_eq!(bench.rows(), 2);
}

#[test]
fn the_same_twice_in_one_group_is_stored_once_and_both_are_told() {
    let bench = Bench::new();
    let first = bench.occupy();
    let same: Vec<_> = (0..5).map(|_| bench.send(1)).collect();
    bench.await_queued(5);
    bench.double.open();
    assert_eq!(first.join().unwrap(), Ok(Outcome::Stored));
    let mut told: Vec<_> = same.into_iter().map(|sent| sent.join().unwrap().unwrap()).collect();
    told.sort_by_key(|outcome| *outcome == Outcome::Again);
    assert_eq!(told, [Outcome::Stored, Outcome::Again, Outcome::Again, Outcome::Again, Outcome::Again]);
    assert_eq!(bench.rows(), 2);
    assert_eq!(bench.double.syncs.load(Ordering::SeqCst), 2, "they were one group");
}

#[test]
fn who_sent_the_same_in_a_group_that_fails_is_not_told_that_it_is_stored() {
    let bench = Bench::new();
    let first = bench.occupy();
    let same = [bench.send(1), bench.send(1)];
    bench.await_queued(2);
    bench.double.set(|state| {
        state.closed = false;
        state.fails = Some(|| StoreError::Full);
    });
    assert_eq!(first.join().unwrap(), Err(Failed::Full));
    for sent in same {
        assert_eq!(sent.join().unwrap(), Err(Failed::Full));
    }
}

#[test]
fn what_was_decided_before_a_change_is_not_written() {
    let bench = Bench::new();
    let first = bench.occupy();
    let (stale, again) = (bench.send(1), bench.send(1));
    bench.await_queued(2);
    bench.epoch.end();
    let fresh = bench.send(2);
    bench.await_queued(3);
    bench.double.open();
    // Its group had begun: whoever changes their mind waits for it at the barrier.
    assert_eq!(first.join().unwrap(), Ok(Outcome::Stored));
    assert_eq!(stale.join().unwrap(), Ok(Outcome::Stale));
    assert_eq!(again.join().unwrap(), Ok(Outcome::Stale));
    assert_eq!(fresh.join().unwrap(), Ok(Outcome::Stored));
    let left: Vec<_> = found(&*bench.double, &all_of(1)).iter().map(|(_, place, _)| place.sequence).collect();
    assert_eq!(left, [2, 255]);
    // It was not remembered either, and is stored when it was decided again.
    assert_eq!(bench.send(1).join().unwrap(), Ok(Outcome::Stored));
}

#[test]
fn a_barrier_is_passed_only_after_the_group_in_progress() {
    let bench = Bench::new();
    let first = bench.occupy();
    let passed = Arc::new(AtomicUsize::new(0));
    let barrier = {
        let (commits, passed) = (Arc::clone(&bench.commits), Arc::clone(&passed));
        thread::spawn(move || {
            let answer = wait(commits.barrier());
            passed.fetch_add(1, Ordering::SeqCst);
            answer
        })
    };
    bench.await_queued(1);
    assert_eq!(passed.load(Ordering::SeqCst), 0);
    assert_eq!(bench.rows(), 0);
    bench.double.open();
    assert_eq!(barrier.join().unwrap(), Ok(()));
    assert_eq!(bench.rows(), 1, "the group that was in progress is written");
    assert_eq!(first.join().unwrap(), Ok(Outcome::Stored));
    // With nothing under way it is passed at once.
    assert_eq!(wait(bench.commits.barrier()), Ok(()));
}

#[test]
fn after_a_failed_sync_nobody_is_told_that_anything_is_stored() {
    let bench = Bench::new();
    assert_eq!(bench.send(1).join().unwrap(), Ok(Outcome::Stored));
    let first = bench.occupy();
    let second = bench.send(3);
    bench.await_queued(1);
    bench.double.set(|state| {
        state.closed = false;
        state.fails = Some(broken);
    });
    assert_eq!(first.join().unwrap(), Err(Failed::Stopped));
    assert_eq!(second.join().unwrap(), Err(Failed::Stopped));
    // Also when the disk seems to be well again.
    bench.double.set(|state| state.fails = None);
    assert_eq!(bench.send(4).join().unwrap(), Err(Failed::Stopped));
    assert_eq!(bench.send(1).join().unwrap(), Err(Failed::Stopped));
    assert_eq!(wait(bench.commits.barrier()), Err(Failed::Stopped));
    assert_eq!(bench.rows(), 1);
    let Bench { commits, broken, .. } = bench;
    drop(commits);
    assert_eq!(broken.load(Ordering::SeqCst), 1);
}

#[test]
fn an_engine_that_panics_is_a_store_that_is_broken() {
    let bench = Bench::new();
    bench.double.set(|state| state.panics = true);
    assert_eq!(bench.send(1).join().unwrap(), Err(Failed::Stopped));
    assert_eq!(bench.send(2).join().unwrap(), Err(Failed::Stopped));
    let Bench { commits, broken, .. } = bench;
    drop(commits);
    assert_eq!(broken.load(Ordering::SeqCst), 1);
}

#[test]
fn a_full_disk_is_told_and_passes() {
    let bench = Bench::new();
    assert_eq!(bench.send(1).join().unwrap(), Ok(Outcome::Stored));
    let first = bench.occupy();
    let (new, known) = (bench.send(2), bench.send(1));
    bench.await_queued(2);
    bench.double.set(|state| {
        state.closed = false;
        state.fails = Some(|| StoreError::Full);
    });
    assert_eq!(first.join().unwrap(), Err(Failed::Full));
    assert_eq!(new.join().unwrap(), Err(Failed::Full));
    // What is there already is acknowledged, so that it is not sent for ever.
    assert_eq!(known.join().unwrap(), Ok(Outcome::Again));
    assert_eq!(wait(bench.commits.barrier()), Ok(()));
    bench.double.set(|state| state.fails = None);
    assert_eq!(bench.send(2).join().unwrap(), Ok(Outcome::Stored));
    assert_eq!(bench.broken.load(Ordering::SeqCst), 0);
    assert_eq!(bench.rows(), 2);
}

#[test]
fn what_was_handed_over_is_written_before_the_end() {
    let bench = Bench::new();
    let first = bench.occupy();
    (0..20).for_each(|number| bench.hand_over(number));
    let Bench { double, commits, broken, .. } = bench;
    let ended = thread::spawn(move || drop(commits));
    double.open();
    assert_eq!(first.join().unwrap(), Ok(Outcome::Stored));
    ended.join().unwrap();
    assert_eq!(found(&*double, &all_of(1)).len(), 21);
    assert_eq!(broken.load(Ordering::SeqCst), 0);
}

/// A message whose connection has gone is written all the same, and its memory comes back.
#[test]
fn who_goes_away_keeps_nobody_waiting() {
    let bench = Bench::new();
    (0..10).for_each(|number| bench.hand_over(number));
    assert_eq!(wait(bench.commits.barrier()), Ok(()));
    assert_eq!(bench.rows(), 10);
    assert_eq!(bench.commits.room(), bench.commits.room_max());
}

/// Large parts wait outside until there is room for them, and are written in the end.
#[test]
fn the_queue_is_bounded_in_bytes() {
    let bench = Bench::new();
    let first = bench.occupy();
    let large: Vec<_> = (0..5)
        .map(|number| {
            let (commits, decided) = (Arc::clone(&bench.commits), bench.epoch.now());
            let sealed = Sealed::of(vec![row(bucket(1), place(1, 1, NOW, number), &vec![7; 24 << 20])]);
            thread::spawn(move || wait(commits.commit(sealed, identity(number as u8), decided)))
        })
        .collect();
    bench.await_queued(2);
    assert!(bench.commits.room() < 24 << 20, "two fill it");
    bench.double.open();
    for sent in large.into_iter().chain([first]) {
        assert_eq!(sent.join().unwrap(), Ok(Outcome::Stored));
    }
}

#[test]
fn eight_threads_get_one_answer_for_each_message() {
    const EACH: u64 = 500;
    for mut kept in [Kept::memory(), Kept::records()] {
        let (_folder, keys) = keys();
        let commits = Arc::new(Commits::start(kept.store(), keys, || NOW, |_| {}).unwrap());
        let epoch = Epoch::default();
        let threads: Vec<_> = (0..8_u64)
            .map(|thread| {
                let (commits, epoch) = (Arc::clone(&commits), epoch.clone());
                thread::spawn(move || {
                    wait(async {
                        let mut told = BTreeMap::new();
                        for number in 0..EACH {
                            // Every second message is one that another thread sends too.
                            let of = if number % 2 == 0 { 100 } else { thread };
                            let id = of * 1_000_000 + number;
                            let identity = Identity((u128::from(id)).to_le_bytes());
                            let decided = epoch.now();
                            let outcome = commits.commit(message(id), identity, decided).await.unwrap();
                            told.insert(id, outcome);
                        }
                        told
                    })
                })
            })
            .collect();
        let told: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(told.len() as u64, 8 * EACH);
        let mut stored = BTreeMap::<u64, usize>::new();
        for (id, outcome) in told {
            *stored.entry(id).or_default() += usize::from(outcome == Outcome::Stored);
        }
        assert!(stored.values().all(|times| *times == 1), "each message is stored once");
        assert_eq!(stored.len() as u64, EACH / 2 + 8 * EACH / 2);
        drop(commits);
        kept.reopen();
        assert_eq!(found(&*kept.store(), &all_of(1)).len(), stored.len());
    }
}
