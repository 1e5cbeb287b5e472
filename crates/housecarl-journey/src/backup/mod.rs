//! Backup and restore, of records and of keys apart from each other.
//!
//! A copy of the records may be kept for long: what is erased or over cannot be read in it any more,
//! because its keys are gone. That holds only if copies of the keys do not outlive their use. So each
//! of them says until when it may be used, is refused after that, and is destroyed by the gateway; and
//! beside them lies the list of what was erased, kept current, which a restore goes through before
//! anybody is let in.

mod make;
mod published;
mod restore;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

pub use make::Copied;
pub(crate) use restore::RESTORING;
pub use restore::{Erasures, NotRestored, Restored, Sources, restore};

/// Where backups go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backup {
    /// The folder for copies of the records; `None` makes none.
    pub records: Option<PathBuf>,
    /// The folder for copies of the keys: on another disk, and never in the same backup as the records.
    pub keys: Option<PathBuf>,
    /// For how many days a copy of the keys may be used. For so long may somebody who was erased be
    /// readable by whoever has such a copy, a copy of the records, and the root key.
    pub keys_days: u32,
}

impl Default for Backup {
    fn default() -> Self {
        Self { records: None, keys: None, keys_days: 14 }
    }
}

/// What is in a copy of the records.
const RECORDS: &str = "records";
const REGISTER: &str = "register.sqlite";
/// The list of erasures, in the folder of the copies of the keys.
const ERASURES: &str = "erasures.sqlite";

/// A moment as it stands in a name.
fn stamp(now: u64) -> String {
    let moment = i64::try_from(now).ok().and_then(|now| jiff::Timestamp::from_second(now).ok());
    moment.unwrap_or_default().strftime("%Y-%m-%dT%H%M%SZ").to_string()
}

/// Whatever is at a path goes.
fn clear(path: &Path) -> io::Result<()> {
    let cleared = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match cleared {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        cleared => cleared,
    }
}

/// Everything below a folder, and its names, reaches the disk.
fn sync_all(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            sync_all(&entry?.path())?;
        }
    }
    File::open(path)?.sync_all()
}

/// Writes zeros over a file and removes it: it has held keys.
fn destroy(path: &Path) -> io::Result<()> {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    let zeros = [0; 4_096];
    while left > 0 {
        let some =
            zeros.get(..usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len())).unwrap_or(&zeros);
        file.write_all(some)?;
        left = left.saturating_sub(some.len() as u64);
    }
    file.sync_all()?;
    fs::remove_file(path)
}
