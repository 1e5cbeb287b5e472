//! The reserve: room on the disk that is taken before anybody needs it, for those who withdraw and
//! erase. A bound on what we take in ourselves is not enough: others fill disks too.
//!
//! The order of steps, and what a crash after each leaves:
//! 1. whoever withdraws or erases finds little room: from now on nothing new is taken in, so that
//!    none of it goes there. A crash leaves a reserve that is whole;
//! 2. the file of the reserve is cut to nothing, and that has reached the disk: a reserve that the
//!    next start finds given up;
//! 3. what was asked is written, and finds room. Where others were quicker, it is refused and not
//!    half done; keys are overwritten where they stand and need none in any case;
//! 4. when there is room again for it and some more, the reserve is taken anew, and then messages are.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;

use crate::journey::{Journey, NotChanged};

/// In bytes: thousands of choices, or the removal of a hundred thousand rows.
pub(crate) const RESERVE_LEN: u64 = 16 << 20;
/// Less room than this is little, in bytes: more than one change takes, with its entry in the log.
const LITTLE: u64 = 4 << 20;
/// How much is written at once where room can only be taken so, in bytes: a part of the reserve.
const PIECE: usize = 1 << 16;
/// What the system counts room in, in bytes.
const BLOCK: u64 = 512;

/// See the module.
pub(crate) struct Reserve {
    folder: PathBuf,
    file: Mutex<File>,
    whole: AtomicBool,
}

impl fmt::Debug for Reserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reserve")
    }
}

impl Reserve {
    /// The reserve of this data directory, taken now if it was not, where there is room.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join("reserve"))?;
        let whole = is_taken(&file)?;
        let (folder, file, whole) = (folder.to_owned(), Mutex::new(file), AtomicBool::new(whole));
        let reserve = Self { folder, file, whole };
        match reserve.restore() {
            Err(error) if error.kind() != io::ErrorKind::StorageFull => Err(error),
            _ => Ok(reserve),
        }
    }

    /// Whether it is there. Where it is not, nothing new may be taken in.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole.load(Ordering::SeqCst)
    }

    /// Gives it up where there is little room beside it.
    pub(crate) fn make_room(&self) -> io::Result<()> {
        if !self.is_whole() || self.free()? >= LITTLE {
            return Ok(());
        }
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        self.whole.store(false, Ordering::SeqCst);
        file.set_len(0)?;
        file.sync_all()
    }

    /// Takes it again where there is room for it and more.
    pub(crate) fn restore(&self) -> io::Result<()> {
        if self.is_whole() || self.free()? < RESERVE_LEN + LITTLE {
            return Ok(());
        }
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match fallocate(&*file, FallocateFlags::empty(), 0, RESERVE_LEN) {
            // Bytes that are written take room everywhere.
            Err(Errno::OPNOTSUPP) => fill(&file)?,
            taken => taken?,
        }
        file.sync_all()?;
        self.whole.store(is_taken(&file)?, Ordering::SeqCst);
        Ok(())
    }

    fn free(&self) -> io::Result<u64> {
        let disk = statvfs(&self.folder)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

impl Journey {
    /// Sees to it that a change for which somebody may not have to wait finds room.
    pub(crate) fn make_room(&self) -> Result<(), NotChanged> {
        self.reserve.make_room().map_err(|error| NotChanged::Store(error.into()))
    }
}

fn is_taken(file: &File) -> io::Result<bool> {
    let about = file.metadata()?;
    Ok(about.len() >= RESERVE_LEN && about.blocks().saturating_mul(BLOCK) >= RESERVE_LEN)
}

fn fill(file: &File) -> io::Result<()> {
    let piece = vec![0; PIECE];
    (0..RESERVE_LEN).step_by(PIECE).try_for_each(|at| file.write_all_at(&piece, at))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn it_takes_room_gives_it_up_only_where_there_is_little_and_takes_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let blocks = || folder.path().join("reserve").metadata().unwrap().blocks() * BLOCK;
        let reserve = Reserve::open(folder.path()).unwrap();
        assert!(reserve.is_whole() && blocks() >= RESERVE_LEN);
        // There is room beside it: nobody needs it.
        reserve.make_room().unwrap();
        assert!(reserve.is_whole());
        // As where there is little: a crash may follow, and the next start takes it again.
        reserve.file.lock().unwrap().set_len(0).unwrap();
        assert_eq!(blocks(), 0);
        let reserve = Reserve::open(folder.path()).unwrap();
        assert!(reserve.is_whole() && blocks() >= RESERVE_LEN);
        // A file with holes is no room.
        reserve.file.lock().unwrap().set_len(0).unwrap();
        reserve.file.lock().unwrap().set_len(RESERVE_LEN).unwrap();
        assert!(!is_taken(&reserve.file.lock().unwrap()).unwrap());
        assert!(Reserve::open(folder.path()).unwrap().is_whole());
        assert!(blocks() >= RESERVE_LEN);
    }
}
