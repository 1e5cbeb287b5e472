//! What is published of an entry, and what opens it again.

use std::fmt;

use crate::entry::{Entry, Malformed};
use crate::hash::Hash;

/// The version of leaves, openings and entry bodies. All three change together.
pub const VERSION: u8 = 1;

const LEAF: &[u8] = b"housecarl audit leaf v1\n";
const RECORD: &[u8] = b"housecarl audit record v1\n";

/// 32 random bytes that keep a commitment from being guessed.
///
/// One salt hides one thing: used twice, two equal entries would have equal leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; Salt::LEN]);

impl Salt {
    /// How many bytes it has.
    pub const LEN: usize = 32;

    /// From bytes of a cryptographic random generator.
    #[must_use]
    pub const fn from_random(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The commitment to a record that is kept elsewhere, for the `Digest` fields of an entry: a
    /// request as it was shown, a list of people. Whoever has salt and record can check it.
    #[must_use]
    pub fn commit(&self, record: &[u8]) -> [u8; 32] {
        *Hash::of(&[RECORD, &self.0, record]).as_bytes()
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

/// What the log publishes of an entry: a version and a commitment, always [`Leaf::LEN`] bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leaf {
    commitment: Hash,
}

impl Leaf {
    /// How many bytes every leaf has.
    pub const LEN: usize = 1 + Hash::LEN;

    /// As published.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [VERSION; Self::LEN];
        let [_, commitment @ ..] = &mut bytes;
        *commitment = *self.commitment.as_bytes();
        bytes
    }

    /// Reads what was published.
    ///
    /// # Errors
    /// [`Malformed`] where the length or the version is another.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (version, commitment) = bytes.split_first().ok_or(Malformed::Short)?;
        if *version != VERSION {
            return Err(Malformed::Version(*version));
        }
        let commitment = <[u8; Hash::LEN]>::try_from(commitment).map_err(|_| Malformed::LeafLength)?;
        Ok(Self { commitment: Hash::from_bytes(commitment) })
    }

    /// Its hash in the tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::leaf(&self.to_bytes())
    }
}

/// An entry with its salt: kept privately, and all that is needed to show what a leaf stands for.
///
/// Destroying it leaves a leaf that says nothing about anybody any more.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening {
    salt: Salt,
    entry: Entry,
}

impl Opening {
    /// Joins an entry to a fresh salt. Keep the result before publishing the leaf: done again with
    /// another salt, the same entry would stand in the log twice.
    #[must_use]
    pub const fn seal(entry: Entry, salt: Salt) -> Self {
        Self { salt, entry }
    }

    /// What it opens to.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// What is published of it.
    #[must_use]
    pub fn leaf(&self) -> Leaf {
        Leaf { commitment: Hash::of(&[LEAF, &self.salt.0, &self.entry.to_bytes()]) }
    }

    /// To be kept: version, salt, entry.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[VERSION], self.salt.0.as_slice(), &self.entry.to_bytes()].concat()
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// [`Malformed`], which says nothing of the content.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (version, rest) = bytes.split_first().ok_or(Malformed::Short)?;
        if *version != VERSION {
            return Err(Malformed::Version(*version));
        }
        let (salt, body) = rest.split_first_chunk().ok_or(Malformed::Short)?;
        Ok(Self { salt: Salt(*salt), entry: Entry::from_bytes(body)? })
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening")
    }
}
