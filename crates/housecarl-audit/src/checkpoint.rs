//! What the log signs: how long it is, and the hash of all of it. C2SP tlog-checkpoint.

use std::fmt;

use crate::hash::Hash;
use crate::note::{NoteError, SignerKey, VerifierKey};
use crate::tile::SIZE_MAX;

/// The state of a log at one moment, which its key has signed or will sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// Of a tree.
    #[must_use]
    pub fn of(tree: &crate::Tree) -> Self {
        Self { size: tree.size(), root: tree.root() }
    }

    /// How many entries the log had.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hash of all of them.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// The signed note to publish as `checkpoint`. The name of the key is the log's origin.
    ///
    /// Before it is published, the files it speaks of have to be, and it has to be on disk: a log
    /// that signs two states of which neither is the beginning of the other convicts itself.
    ///
    /// # Errors
    /// [`NoteError`], which no key that [`SignerKey::new`] made gives.
    pub fn sign(&self, key: &SignerKey) -> Result<String, NoteError> {
        key.sign(&format!("{}\n{}\n{}\n", key.verifier().name(), self.size, self.root))
    }

    /// Verifies and reads a signed note.
    ///
    /// # Errors
    /// [`Untrusted`].
    pub fn open(note: &[u8], key: &VerifierKey) -> Result<Self, Untrusted> {
        let text = key.open(note).map_err(Untrusted::Note)?;
        let (origin, checkpoint) = parse(text).ok_or(Untrusted::Form)?;
        if origin != key.name() {
            return Err(Untrusted::Origin);
        }
        Ok(checkpoint)
    }
}

/// Exactly three lines. The specification lets others follow; this log writes none.
fn parse(text: &str) -> Option<(&str, Checkpoint)> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    if origin.is_empty() || lines.next().is_some() {
        return None;
    }
    let size = number(size).filter(|size| *size <= SIZE_MAX)?;
    Some((origin, Checkpoint { size, root: Hash::parse(root)? }))
}

/// A number as the specifications write it: digits, and no zero in front.
pub(crate) fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Why a checkpoint is not to be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untrusted {
    /// The note around it does not hold.
    Note(NoteError),
    /// It is signed, and is no checkpoint of this kind of log.
    Form,
    /// It is signed by the key, and speaks of another log than the key's name says.
    Origin,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(error) => error.fmt(f),
            Self::Form => f.write_str("it is signed, but is not an origin, a size and a root hash"),
            Self::Origin => f.write_str("it is signed, but speaks of another log than the name of the key"),
        }
    }
}

impl std::error::Error for Untrusted {}
