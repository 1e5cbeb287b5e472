//! The tree as its writer holds it: the right edge, and nothing of what lies to the left.
//!
//! The edge is what the partial files of the published log hold, so there is no second copy of it
//! to keep in step: after a restart it is read back from there ([`Tree::open`]). What follows from
//! the same leaves is the same bytes, however they were split into batches, so files may be
//! written again after a crash. The order that survives one: the openings durable, each with its
//! index; the files; the checkpoint. After a restart the tree is opened at the last checkpoint, and the
//! openings from its size on are appended again: none is lost, and none is in the log twice.

use std::fmt;

use crate::checkpoint::Checkpoint;
use crate::entry::Malformed;
use crate::hash::Hash;
use crate::leaf::Leaf;
use crate::tile::{self, File, Lost, Path, Slot, Tiles, WIDTH};

/// A Merkle tree that grows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    size: u64,
    /// The bytes of the entry bundle that is not full yet.
    bundle: Vec<u8>,
    /// The hashes of the tile of each level that is not full yet; fewer than 256 each.
    edge: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree without a leaf.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, bundle: Vec::new(), edge: Vec::new() }
    }

    /// The tree as it was when `checkpoint` was made, read back from its partial files.
    ///
    /// # Errors
    /// [`Reopen`] where a file is missing or is not what the checkpoint speaks of.
    pub fn open<T: Tiles>(checkpoint: &Checkpoint, tiles: &T) -> Result<Self, Reopen<T::Error>> {
        let size = checkpoint.size();
        let last = |slot, held: u64| {
            // The run in which the log ends; there is none where it ends between two runs.
            Path::of(slot, held / u64::from(WIDTH), size)
        };
        let mut tree = Self { size, ..Self::new() };
        if let Some(path) = last(Slot::Entries, size) {
            tree.bundle = tile::fetch(tiles, path)?;
        }
        let mut held = size;
        for level in 0.. {
            if held == 0 {
                break;
            }
            let mut edge = Vec::new();
            if let Some(path) = last(Slot::Hashes(level), held) {
                edge.extend(tile::hashes(&tile::fetch(tiles, path)?));
            }
            tree.edge.push(edge);
            held /= u64::from(WIDTH);
        }
        // The bundle is what the next full one begins with: it has to be what the tree speaks of.
        let mut leaves = Vec::new();
        for entry in tile::entries(&tree.bundle) {
            leaves.push(Leaf::from_bytes(entry.ok_or(Malformed::Short)?)?.hash());
        }
        if tree.root() != checkpoint.root() || tree.edge.first().is_some_and(|edge| *edge != leaves) {
            return Err(Reopen::Other);
        }
        Ok(tree)
    }

    /// How many leaves it has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hash of all of it.
    #[must_use]
    pub fn root(&self) -> Hash {
        // Upwards, each level with what is left over from those below as its last and smaller part.
        let mut below: Option<Hash> = None;
        for edge in &self.edge {
            let mut level = edge.clone();
            level.extend(below);
            below = (!level.is_empty()).then(|| Hash::tree(&level));
        }
        below.unwrap_or_else(|| Hash::tree(&[]))
    }

    /// Adds leaves. The files that a log of the new size has and one of the old size has not: the
    /// full ones, then the partial ones.
    #[must_use]
    pub fn append(&mut self, leaves: &[Leaf]) -> Vec<File> {
        let mut files = Vec::new();
        for leaf in leaves {
            self.push(leaf, &mut files);
        }
        if !leaves.is_empty() {
            files.extend(self.partial());
        }
        files
    }

    /// Adds a leaf, and to `files` those that became full.
    pub(crate) fn push(&mut self, leaf: &Leaf, files: &mut Vec<File>) {
        let bytes = leaf.to_bytes();
        // 33 bytes: the length fits.
        self.bundle.extend_from_slice(&(Leaf::LEN as u16).to_be_bytes());
        self.bundle.extend_from_slice(&bytes);
        self.size += 1;
        if self.size.is_multiple_of(u64::from(WIDTH))
            && let Some(path) = Path::of(Slot::Entries, self.size / u64::from(WIDTH) - 1, self.size)
        {
            files.push(File { path, bytes: std::mem::take(&mut self.bundle) });
        }
        let mut hash = Hash::leaf(&bytes);
        let mut held = self.size;
        for level in 0.. {
            if self.edge.len() == usize::from(level) {
                self.edge.push(Vec::new());
            }
            let Some(edge) = self.edge.get_mut(usize::from(level)) else { break };
            edge.push(hash);
            if edge.len() < usize::from(WIDTH) {
                break;
            }
            held /= u64::from(WIDTH);
            if let Some(path) = Path::of(Slot::Hashes(level), held - 1, self.size) {
                files.push(File { path, bytes: concat(edge) });
            }
            hash = Hash::tree(edge);
            edge.clear();
        }
    }

    /// The partial files of a log of this size.
    pub(crate) fn partial(&self) -> Vec<File> {
        let bundle = (Slot::Entries, self.size, self.bundle.clone());
        let tiles = (0..).zip(&self.edge).map(|(level, edge)| {
            (Slot::Hashes(level), self.size.checked_shr(8 * u32::from(level)).unwrap_or(0), concat(edge))
        });
        let partial = std::iter::once(bundle).chain(tiles).filter_map(|(slot, held, bytes)| {
            let path = Path::of(slot, held / u64::from(WIDTH), self.size)?;
            Some(File { path, bytes })
        });
        partial.collect()
    }
}

fn concat(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(Hash::as_bytes).copied().collect()
}

/// Why a tree could not be read back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reopen<E> {
    /// A file is of no use.
    Lost(Lost<E>),
    /// The last entry bundle has something else in it than entries.
    Malformed(Malformed),
    /// The files are not those that the checkpoint speaks of.
    Other,
}

impl<E> From<Lost<E>> for Reopen<E> {
    fn from(lost: Lost<E>) -> Self {
        Self::Lost(lost)
    }
}

impl<E> From<Malformed> for Reopen<E> {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl<E: fmt::Display> fmt::Display for Reopen<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(lost) => lost.fmt(f),
            Self::Malformed(why) => write!(f, "the last entry bundle does not read: {why}"),
            Self::Other => f.write_str("the last files of the log are not those that its checkpoint signs"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Reopen<E> {}
