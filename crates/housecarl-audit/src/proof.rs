//! Proofs: that a leaf is in a tree, and that one tree is the beginning of another.
//!
//! They are computed from tiles that nobody has checked, as RFC 6962 defines them, and verified by
//! the algorithms of RFC 9162: a wrong tile gives a proof that does not verify.

use std::fmt;

use crate::hash::Hash;
use crate::tile::{self, Lost, Path, Slot, Tiles};

/// The most hashes a proof can have.
pub const HASHES_MAX: usize = 64;

/// Why there is no proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unprovable<E> {
    /// There is no such leaf or no such earlier tree in a tree of this size.
    Beyond {
        /// The leaf's index, or the earlier size.
        asked: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A tile is of no use.
    Lost(Lost<E>),
}

impl<E> From<Lost<E>> for Unprovable<E> {
    fn from(lost: Lost<E>) -> Self {
        Self::Lost(lost)
    }
}

impl<E: fmt::Display> fmt::Display for Unprovable<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beyond { asked, size } => write!(f, "{asked} lies beyond a log of {size} entries"),
            Self::Lost(lost) => lost.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Unprovable<E> {}

/// The hashes that lead from leaf `index` to the root of a tree of `size` leaves.
///
/// # Errors
/// [`Unprovable`].
pub fn inclusion<T: Tiles>(tiles: &T, index: u64, size: u64) -> Result<Vec<Hash>, Unprovable<T::Error>> {
    if index >= size {
        return Err(Unprovable::Beyond { asked: index, size });
    }
    let tree = Subtrees { tiles, size };
    let (mut from, mut to) = (0, size);
    let mut proof = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(tree.hash(middle, to)?);
            to = middle;
        } else {
            proof.push(tree.hash(from, middle)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that show that the first `old` leaves of a tree of `size` leaves were the whole tree
/// once. Empty where `old` is 0 or `size`.
///
/// # Errors
/// [`Unprovable`].
pub fn consistency<T: Tiles>(tiles: &T, old: u64, size: u64) -> Result<Vec<Hash>, Unprovable<T::Error>> {
    if old > size {
        return Err(Unprovable::Beyond { asked: old, size });
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let tree = Subtrees { tiles, size };
    let (mut from, mut to) = (0, size);
    let mut proof = Vec::new();
    while old < to {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(tree.hash(middle, to)?);
            to = middle;
        } else {
            proof.push(tree.hash(from, middle)?);
            from = middle;
        }
    }
    // The verifier has the old root, so it needs no hash for an old tree that is one subtree.
    if from > 0 {
        proof.push(tree.hash(from, to)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Where a tree of `leaves` (two or more) falls into two: the largest power of two below.
const fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

struct Subtrees<'t, T> {
    tiles: &'t T,
    size: u64,
}

impl<T: Tiles> Subtrees<'_, T> {
    /// The hash over the leaves `from..to`, which are a subtree of the tree.
    fn hash(&self, from: u64, to: u64) -> Result<Hash, Lost<T::Error>> {
        let leaves = to - from;
        if !leaves.is_power_of_two() {
            let middle = from + split(leaves);
            return Ok(Hash::node(self.hash(from, middle)?, self.hash(middle, to)?));
        }
        // A whole subtree: up to 128 neighbouring hashes of one tile.
        let height = leaves.ilog2();
        let level = height / 8;
        let (first, number) = (from >> (8 * level), 1_usize << (height % 8));
        // A level has at most 64 bits of height below it.
        let slot = Slot::Hashes(u8::try_from(level).unwrap_or(u8::MAX));
        let index = first / u64::from(tile::WIDTH);
        let Some(path) = Path::of(slot, index, self.size) else {
            return Ok(Hash::tree(&[]));
        };
        let bytes = tile::fetch(self.tiles, path)?;
        let skip = usize::try_from(first % u64::from(tile::WIDTH)).unwrap_or(usize::MAX);
        Ok(Hash::tree(&tile::hashes(&bytes).skip(skip).take(number).collect::<Vec<_>>()))
    }
}

/// A proof that does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the proof does not lead to the root")
    }
}

impl std::error::Error for Refused {}

/// Whether `proof` shows that `leaf` is at `index` of the tree of `size` leaves with this root.
/// RFC 9162, section 2.1.3.2.
///
/// # Errors
/// [`Refused`].
pub fn verify_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: Hash,
) -> Result<(), Refused> {
    if index >= size {
        return Err(Refused);
    }
    let (mut at, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(Refused);
        }
        if at % 2 == 1 || at == last {
            hash = Hash::node(*sibling, hash);
            while at.is_multiple_of(2) && at != 0 {
                at /= 2;
                last /= 2;
            }
        } else {
            hash = Hash::node(hash, *sibling);
        }
        at /= 2;
        last /= 2;
    }
    if last == 0 && hash == root { Ok(()) } else { Err(Refused) }
}

/// Whether `proof` shows that the tree `old` (size and root) is the beginning of the tree `new`.
/// RFC 9162, section 2.1.4.2.
///
/// # Errors
/// [`Refused`].
pub fn verify_consistency(old: (u64, Hash), new: (u64, Hash), proof: &[Hash]) -> Result<(), Refused> {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size > new_size {
        return Err(Refused);
    }
    if old_size == 0 || old_size == new_size {
        let expected = if old_size == 0 { Hash::tree(&[]) } else { new_root };
        return if proof.is_empty() && old_root == expected { Ok(()) } else { Err(Refused) };
    }
    // An old tree that is one subtree starts the proof itself.
    let (first, proof) =
        if old_size.is_power_of_two() { (&old_root, proof) } else { proof.split_first().ok_or(Refused)? };
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at % 2 == 1 {
        at /= 2;
        last /= 2;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in proof {
        if last == 0 {
            return Err(Refused);
        }
        if at % 2 == 1 || at == last {
            old_hash = Hash::node(*sibling, old_hash);
            new_hash = Hash::node(*sibling, new_hash);
            while at.is_multiple_of(2) && at != 0 {
                at /= 2;
                last /= 2;
            }
        } else {
            new_hash = Hash::node(new_hash, *sibling);
        }
        at /= 2;
        last /= 2;
    }
    if last == 0 && old_hash == old_root && new_hash == new_root { Ok(()) } else { Err(Refused) }
}
