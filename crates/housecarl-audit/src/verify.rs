//! Verifies a whole log: everything is computed anew from the entries, and compared.

use std::fmt;

use crate::checkpoint::{Checkpoint, Untrusted};
use crate::entry::Malformed;
use crate::hash::Hash;
use crate::leaf::Leaf;
use crate::note::VerifierKey;
use crate::tile::{self, File, Lost, Path, Slot, Tiles, WIDTH};
use crate::tree::Tree;

/// What was found to hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The state that is signed, and that the entries lead to.
    pub checkpoint: Checkpoint,
    /// The earlier state, where one was given: its entries stand unchanged at the beginning.
    pub since: Option<Checkpoint>,
    /// How many entry bundles were read.
    pub bundles: u64,
    /// How many tiles were compared.
    pub tiles: u64,
}

/// The first thing that does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault<E> {
    /// The checkpoint of the log.
    Checkpoint(Untrusted),
    /// The earlier checkpoint.
    Since(Untrusted),
    /// The log has become shorter.
    Shorter {
        /// How many entries it had.
        then: u64,
        /// How many it has now.
        now: u64,
    },
    /// A file is of no use.
    Lost(Lost<E>),
    /// An entry is not a leaf of this log.
    Entry {
        /// From 0.
        index: u64,
        /// What is wrong with it.
        why: Malformed,
    },
    /// A tile does not have the hash of an entry, or of a tile below it.
    Tile {
        /// The tile.
        path: Path,
        /// Which of its hashes is the first wrong one, from 0.
        at: u16,
    },
    /// The entries at the beginning are not those that the earlier checkpoint signed.
    Rewritten {
        /// How many entries the earlier checkpoint spoke of.
        then: u64,
    },
    /// The entries do not lead to the root hash that the checkpoint signs.
    Root,
}

impl<E> From<Lost<E>> for Fault<E> {
    fn from(lost: Lost<E>) -> Self {
        Self::Lost(lost)
    }
}

impl<E: fmt::Display> fmt::Display for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint(why) => write!(f, "the checkpoint does not hold: {why}"),
            Self::Since(why) => write!(f, "the earlier checkpoint does not hold: {why}"),
            Self::Shorter { then, now } => {
                write!(f, "the log had {then} entries and now has {now}: entries were taken away")
            }
            Self::Lost(lost) => lost.fmt(f),
            Self::Entry { index, why } => write!(f, "entry {index} is not an entry of this log: {why}"),
            Self::Tile { path, at } => {
                let place = path.index() * u64::from(WIDTH) + u64::from(*at);
                match path.slot() {
                    Slot::Hashes(level @ 1..) => {
                        let below = Path::of(Slot::Hashes(level - 1), place, u64::MAX);
                        write!(f, "`{path}` does not have the hash of `")?;
                        below.map_or(Ok(()), |below| below.fmt(f))?;
                        f.write_str("`: one of them was changed")
                    }
                    _ => {
                        write!(f, "`{path}` does not have the hash of entry {place}: one of them was changed")
                    }
                }
            }
            Self::Rewritten { then } => write!(
                f,
                "the first {then} entries are not those that the earlier checkpoint signed: the past was rewritten"
            ),
            Self::Root => f.write_str("the entries do not lead to the root hash that the checkpoint signs"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Fault<E> {}

/// Verifies the log that `checkpoint` signs, from its first entry, and that what `since` signed
/// stands unchanged at its beginning. Files of a later state are not looked at.
///
/// It holds one bundle in memory, however long the log is.
///
/// # Errors
/// [`Fault`]: the first thing that does not hold.
pub fn log<T: Tiles>(
    tiles: &T,
    checkpoint: &[u8],
    key: &VerifierKey,
    since: Option<&[u8]>,
) -> Result<Verdict, Fault<T::Error>> {
    let checkpoint = Checkpoint::open(checkpoint, key).map_err(Fault::Checkpoint)?;
    let since = since.map(|note| Checkpoint::open(note, key)).transpose().map_err(Fault::Since)?;
    if let Some(since) = &since
        && since.size() > checkpoint.size()
    {
        return Err(Fault::Shorter { then: since.size(), now: checkpoint.size() });
    }
    let mut verdict = Verdict { checkpoint, since, bundles: 0, tiles: 0 };
    let mut tree = Tree::new();
    verdict.compare_past(&tree)?;
    while let Some(path) = Path::of(Slot::Entries, verdict.bundles, verdict.checkpoint.size()) {
        let bundle = tile::fetch(tiles, path)?;
        for entry in tile::entries(&bundle) {
            let leaf = entry.ok_or(Malformed::Short).and_then(Leaf::from_bytes);
            let leaf = leaf.map_err(|why| Fault::Entry { index: tree.size(), why })?;
            let mut files = Vec::new();
            tree.push(&leaf, &mut files);
            verdict.compare(tiles, &files)?;
            verdict.compare_past(&tree)?;
        }
        verdict.bundles += 1;
    }
    verdict.compare(tiles, &tree.partial())?;
    if tree.root() != verdict.checkpoint.root() {
        return Err(Fault::Root);
    }
    Ok(verdict)
}

impl Verdict {
    /// Compares tiles with those that the entries lead to. The bundles are where these come from.
    fn compare<T: Tiles>(&mut self, tiles: &T, files: &[File]) -> Result<(), Fault<T::Error>> {
        for File { path, bytes } in files.iter().filter(|file| file.path.slot() != Slot::Entries) {
            let found = tile::fetch(tiles, *path)?;
            let same = |(found, expected): &(Hash, Hash)| found == expected;
            let at = tile::hashes(&found).zip(tile::hashes(bytes)).take_while(same).count();
            if found != *bytes {
                return Err(Fault::Tile { path: *path, at: u16::try_from(at).unwrap_or(WIDTH) });
            }
            self.tiles += 1;
        }
        Ok(())
    }

    /// Once the tree is as long as the earlier checkpoint says, it has to be what that signed.
    fn compare_past<E>(&self, tree: &Tree) -> Result<(), Fault<E>> {
        match &self.since {
            Some(since) if since.size() == tree.size() && since.root() != tree.root() => {
                Err(Fault::Rewritten { then: since.size() })
            }
            _ => Ok(()),
        }
    }
}
