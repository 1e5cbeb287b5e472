//! The disk as tests hold it.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::content::SECTOR;
use crate::faults::{Counts, Faults, Kind};
use crate::mount::Mount;
use crate::state::State;

/// A disk in memory, empty at first. Clones are the same disk; [`Disk::fork`] makes another.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// An empty disk whose faults are decided by this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State::new(seed))))
    }

    /// Another disk that has come to the same point, what is unsynced included, and from here on has its own history
    /// and the faults of this seed: so one history is cut in many ways.
    #[must_use]
    pub fn fork(&self, seed: u64) -> Self {
        let mut state = self.state().clone();
        state.reseed(seed);
        Self(Arc::new(Mutex::new(state)))
    }

    /// Brings the power back, if it was cut, and mounts the disk on a directory. A mount before this one is dead.
    ///
    /// # Errors
    ///
    /// Where there is no FUSE, the user may not mount, or `at` is not a directory.
    pub fn mount(&self, at: &Path) -> io::Result<Mount> {
        Mount::new(self.clone(), at)
    }

    /// Cuts the power: whatever is asked of the mount from now on fails with `EIO`. Chance decides what reached the
    /// disk once it is mounted again.
    pub fn cut(&self) {
        self.state().cut();
    }

    /// Cuts the power in the midst of the `n`th operation of a kind from now; the first is 1. The operation fails
    /// with `EIO`, and may have reached the disk like everything else that is unsynced.
    pub fn cut_at(&self, kind: Kind, n: u64) {
        self.state().cut_at(kind, n);
    }

    /// Whether the power is there.
    #[must_use]
    pub fn powered(&self) -> bool {
        self.state().powered()
    }

    /// How the disk misbehaves from now on, beside losing power.
    pub fn faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// What the disk was asked to do and what it did instead.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// How many bytes the files occupy, in whole sectors.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.state().used() * SECTOR
    }

    /// The bytes of a file by its path on the disk, as a program would read them, without a mount. Brings the power
    /// back, if it was cut. `None` where there is no such file.
    #[must_use]
    pub fn read(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let mut state = self.state();
        state.restore();
        state.find(path.as_ref()).ok()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has failed its test already.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
