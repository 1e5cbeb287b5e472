//! What can be asked of a disk, and what it did.

use std::time::Duration;

/// How a disk misbehaves beside losing power. By default it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// So many syncs of files and directories succeed, then one fails with `EIO`, then all succeed again.
    pub fail_sync_after: Option<u64>,
    /// How many bytes the files may occupy, in whole sectors, before a write that needs more fails with `ENOSPC`.
    /// Names need no room. What is unlinked and closed frees its room at once.
    pub full_after_bytes: Option<u64>,
    /// How long each sync takes.
    pub slow_sync: Duration,
    /// Syncs are answered and not done. What stands on the disk is then what it would be if nobody had asked for one.
    pub ignore_syncs: bool,
}

/// What a disk is asked to do, as far as it changes something that a cut can take back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A write, a truncation or a preallocation of a file.
    Write,
    /// A sync of a file or of a directory.
    Sync,
    /// A create, a link, a rename or a removal.
    Name,
    /// Each of these.
    Any,
}

/// What a disk was asked to do and what it did instead, since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Writes, truncations and preallocations.
    pub writes: u64,
    /// Syncs of files and directories, those that failed too.
    pub syncs: u64,
    /// Creates, links, renames and removals.
    pub names: u64,
    /// How often the power was cut.
    pub cuts: u64,
    /// Syncs that were made to fail.
    pub syncs_failed: u64,
    /// Writes that found the disk full.
    pub writes_refused: u64,
    /// Unsynced writes of which nothing reached the disk.
    pub writes_lost: u64,
    /// Unsynced writes of which some sectors reached the disk.
    pub writes_torn: u64,
    /// Unsynced writes that reached the disk, wholly or in part, although an earlier one of the same file did not.
    pub writes_reordered: u64,
    /// Bytes, in whole sectors, of what was lost or torn off.
    pub bytes_lost: u64,
    /// Truncations and preallocations that did not reach the disk.
    pub lengths_lost: u64,
    /// Changes of names that did not reach the disk.
    pub names_lost: u64,
}
