//! Group commit: one thread writes what many connections have sealed, and then tells each.
//!
//! What has come while one group was written is the next group, of up to a thousand messages: at
//! rest a message waits for nobody, and the busier it is the more share one sync.
//!
//! The order of durable steps, and what a crash after each leaves:
//! 1. keys that were made for the group: keys that nothing is sealed under;
//! 2. the rows and the identities, all or none: messages that are stored, whose devices were not
//!    told and send them again; they are recognised, and stored once;
//! 3. the devices are told.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{Batch, Identity, Store, StoreError};
use crate::keys::{Keys, KeysError};
use crate::seal::Sealed;

/// How many messages one group has at most.
const GROUP_MAX: usize = 1_000;
/// How many messages wait at most; whoever comes then waits to be let in.
const QUEUE_MAX: usize = 4_000;
/// How many bytes of sealed parts wait and are written at most, likewise.
const QUEUE_BYTES_MAX: u32 = 64 << 20;

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is on the disk.
    Stored,
    /// It was on the disk already.
    Again,
    /// Somebody changed their mind after it was decided: decide again.
    Stale,
}

/// Why nobody knows what became of a message: it must not be acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failed {
    /// The disk is full.
    Full,
    /// The disk failed, or this is the end: start again to find out.
    Stopped,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => {
                f.write_str("the disk is full; what is sent is not acknowledged until there is room")
            }
            Self::Stopped => f.write_str("the store has stopped; what is sent is not acknowledged"),
        }
    }
}

impl std::error::Error for Failed {}

/// How often the choices of a home have changed, and so whether a decision is still the present one.
#[derive(Clone, Default, Debug)]
pub struct Epoch(Arc<AtomicU64>);

impl Epoch {
    /// The present, to be asked about later.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment { epoch: self.clone(), at: self.0.load(Ordering::SeqCst) }
    }

    /// What was decided before is no longer the present.
    pub fn end(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// The state of choices under which something was decided.
#[derive(Clone, Debug)]
pub struct Moment {
    epoch: Epoch,
    at: u64,
}

impl Moment {
    /// Whether nothing has changed since.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.epoch.0.load(Ordering::SeqCst) == self.at
    }
}

enum Work {
    Message { sealed: Sealed, identity: Identity, decided: Moment, waiting: Waiting },
    Barrier(oneshot::Sender<()>),
}

/// Whoever wants to know what became of a message, with the room that it takes until they are told.
struct Waiting {
    done: oneshot::Sender<Result<Outcome, Failed>>,
    _room: OwnedSemaphorePermit,
}

impl Waiting {
    fn tell(self, outcome: Result<Outcome, Failed>) {
        // Who has gone away learns it when the same message is sent again.
        let _ = self.done.send(outcome);
    }
}

/// The thread that writes.
pub(crate) struct Commits {
    queue: Option<mpsc::Sender<Work>>,
    room: Arc<Semaphore>,
    overtaken: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Commits {
    /// Starts it. `now` is the clock, in seconds since 1970; `broken` is called once, when the disk
    /// has failed and the process has to end.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        keys: Arc<Keys>,
        now: impl Fn() -> u64 + Send + 'static,
        broken: impl FnOnce(&dyn std::error::Error) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (queue, work) = mpsc::channel(QUEUE_MAX);
        let overtaken = Arc::new(AtomicU64::new(0));
        let writer = Writer { store, keys, overtaken: Arc::clone(&overtaken) };
        let thread = thread::Builder::new().name("commit".to_owned()).spawn(move || {
            // The engine below us has assertions of its own, and nobody would hear of one that fails.
            match catch_unwind(AssertUnwindSafe(|| writer.run(work, now))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => broken(error.as_ref()),
                Err(_) => broken(&Failed::Stopped),
            }
        })?;
        let room = Arc::new(Semaphore::new(QUEUE_BYTES_MAX as usize));
        Ok(Self { queue: Some(queue), room, overtaken, thread: Some(thread) })
    }

    /// Hands a message over and waits until it is known what became of it.
    pub(crate) async fn commit(
        &self,
        sealed: Sealed,
        identity: Identity,
        decided: Moment,
    ) -> Result<Outcome, Failed> {
        let bytes = u32::try_from(sealed.bytes()).unwrap_or(u32::MAX).min(QUEUE_BYTES_MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.map_err(|_| Failed::Stopped)?;
        let (done, outcome) = oneshot::channel();
        let waiting = Waiting { done, _room: room };
        self.send(Work::Message { sealed, identity, decided, waiting }).await?;
        outcome.await.map_err(|_| Failed::Stopped)?
    }

    /// When this returns, every group that was begun before has been written or has failed.
    pub(crate) async fn barrier(&self) -> Result<(), Failed> {
        let (done, passed) = oneshot::channel();
        self.send(Work::Barrier(done)).await?;
        passed.await.map_err(|_| Failed::Stopped)
    }

    /// How many groups were being written while the past of some of their messages ended.
    pub(crate) fn overtaken(&self) -> u64 {
        self.overtaken.load(Ordering::SeqCst)
    }

    /// How many wait in the queue, and how many bytes more have room.
    #[cfg(test)]
    pub(super) fn queued(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }

    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.room.available_permits()
    }

    #[cfg(test)]
    pub(super) const fn room_max(&self) -> usize {
        QUEUE_BYTES_MAX as usize
    }

    async fn send(&self, work: Work) -> Result<(), Failed> {
        let queue = self.queue.as_ref().ok_or(Failed::Stopped)?;
        queue.send(work).await.map_err(|_| Failed::Stopped)
    }
}

impl Drop for Commits {
    /// Writes what has been handed over, and ends.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Writer {
    store: Arc<dyn Store>,
    keys: Arc<Keys>,
    /// See [`Commits::overtaken`].
    overtaken: Arc<AtomicU64>,
}

impl Writer {
    fn run(
        &self,
        mut work: mpsc::Receiver<Work>,
        now: impl Fn() -> u64,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while work.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
            self.write(group.drain(..), now())?;
        }
        Ok(())
    }

    fn write(&self, group: impl Iterator<Item = Work>, now: u64) -> Result<(), Box<dyn std::error::Error>> {
        let mut batch = Batch::default();
        let mut stored: Vec<Waiting> = Vec::new();
        let mut again: Vec<Waiting> = Vec::new();
        let mut moments: Vec<Moment> = Vec::new();
        let mut barriers = Vec::new();
        let mut in_group = BTreeSet::new();
        for work in group {
            match work {
                Work::Barrier(done) => barriers.push(done),
                Work::Message { decided, waiting, .. } if !decided.is_present() => {
                    waiting.tell(Ok(Outcome::Stale));
                }
                // Who sent the same within one group has to wait for it too.
                Work::Message { identity, waiting, .. } if in_group.contains(&identity) => {
                    again.push(waiting)
                }
                Work::Message { identity, waiting, .. } if self.store.knows(&identity, now)? => {
                    waiting.tell(Ok(Outcome::Again));
                }
                Work::Message { sealed, identity, waiting, decided } => {
                    moments.push(decided);
                    in_group.insert(identity);
                    batch.rows.extend(sealed.into_rows());
                    stored.push(waiting);
                }
            }
        }
        // In their order, in which a store finds the place of each near that of the last.
        batch.identities.extend(in_group);
        let outcome = self.reach_the_disk(batch, now)?;
        if !moments.iter().all(Moment::is_present) {
            self.overtaken.fetch_add(1, Ordering::SeqCst);
        }
        stored.into_iter().for_each(|waiting| waiting.tell(outcome));
        again.into_iter().for_each(|waiting| waiting.tell(outcome.and(Ok(Outcome::Again))));
        for done in barriers {
            let _ = done.send(());
        }
        Ok(())
    }

    fn reach_the_disk(
        &self,
        batch: Batch,
        now: u64,
    ) -> Result<Result<Outcome, Failed>, Box<dyn std::error::Error>> {
        if batch.identities.is_empty() {
            return Ok(Ok(Outcome::Stored));
        }
        match self.keys.sync() {
            Ok(()) => {}
            Err(KeysError::Full) => return Ok(Err(Failed::Full)),
            Err(error) => return Err(Box::new(error)),
        }
        match self.store.commit(batch, now) {
            Ok(_) => Ok(Ok(Outcome::Stored)),
            Err(StoreError::Full) => Ok(Err(Failed::Full)),
            Err(error) => Err(Box::new(error)),
        }
    }
}
