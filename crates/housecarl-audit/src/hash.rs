//! SHA-256 as a Merkle tree of RFC 6962 uses it.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

/// A SHA-256 hash: of a leaf, of a part of a tree, or of a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Hash::LEN]);

impl Hash {
    /// How many bytes it has.
    pub const LEN: usize = 32;

    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Of byte strings, one after the other.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        for part in parts {
            sha.update(part);
        }
        Self(sha.finalize().into())
    }

    /// Of what one leaf holds. The byte in front keeps a leaf from ever passing for a node.
    #[must_use]
    pub fn leaf(data: &[u8]) -> Self {
        Self::of(&[&[0], data])
    }

    /// Of two neighbours.
    #[must_use]
    pub fn node(left: Self, right: Self) -> Self {
        Self::of(&[&[1], &left.0, &right.0])
    }

    /// Of the tree over these: leaves, or whole subtrees of one size of which the last may be
    /// smaller. RFC 6962, section 2.1.
    #[must_use]
    pub fn tree(hashes: &[Self]) -> Self {
        match hashes {
            [] => Self::of(&[]),
            [one] => *one,
            more => {
                // The smaller half of the next power of two: at least one, less than all.
                let (left, right) = more.split_at(more.len().next_power_of_two() / 2);
                Self::node(Self::tree(left), Self::tree(right))
            }
        }
    }

    /// From base64, as checkpoints and proofs write it; `None` where it is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        BASE64_STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

/// In base64.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
