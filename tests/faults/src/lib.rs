//! A disk that loses power, fails and fills on purpose.
//!
//! What a program writes is seen at once by every program, but only what was synced is certain to be there after
//! the power was cut. A [`Disk`] keeps both states apart in memory, is mounted through FUSE, so that any program
//! can be run on it unchanged, and decides by dice from a seed what of the unsynced reached it.
//!
//! # What a cut leaves
//!
//! The model follows ext4, and where ext4 is kinder than POSIX asks it is not followed.
//!
//! - **Bytes.** Each unsynced write of a file is kept, lost or torn at 512-byte sectors, in any order. What the file
//!   system notes of it (length, truncation, preallocation) is kept up to some point in that file's own history:
//!   beyond it only what overwrites bytes in place can have reached the disk. Where the length was noted and the
//!   bytes were lost, zeros are read.
//! - **Names.** Creates, links, renames and removals are one journal for the whole disk, kept in order up to some
//!   point. A sync of a directory writes the journal up to its last change of that directory. A sync of a file
//!   writes no name, not even the file's own.
//! - **A sync that fails** leaves each page of the file written or lost, and marked clean, as Linux does: programs
//!   go on reading the new bytes, and a later sync that succeeds does not write them.
//! - The kernel writes back old changes by itself, so a history that is long enough loses its end only.
//!
//! Modes of files are kept at once; times, owners, symbolic links and extended attributes are not modelled. Locks
//! and shared memory mappings are the kernel's own, so that they work between all programs on the mount; what is
//! written through a mapping comes to the disk when the kernel writes the page back, at a sync of the file at the
//! latest. The kernel does not pass on `sync` and `syncfs`. After a cut whatever asks the disk gets `EIO`; pages that
//! the kernel has cached can still be read, so end the program.
//!
//! In reading order: [`Disk`] is what tests hold, [`Faults`] and [`Counts`] what is asked of it and what it did;
//! `state` is the whole disk, `names` and `file` its two kinds of memory, `content` a file's bytes, `mount` the way
//! to the kernel.

mod disk;
mod faults;
mod state;
mod names;
mod file;
mod content;
mod dice;
mod mount;

pub use disk::Disk;
pub use faults::{Counts, Faults, Kind};
pub use mount::Mount;
