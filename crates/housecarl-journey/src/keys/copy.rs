//! A copy of the key file, which says until when it may be used.
//!
//! What it says is bound to the root key, so that nobody makes a copy younger by accident.

use std::os::unix::fs::FileExt as _;

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};

use super::file::Keys;
use super::root::RootKey;
use super::slot::SLOT_LEN;
use super::{KeysError, Unavailable};

const MAGIC: &[u8; 8] = b"HCKCPY01";
const KIND: &[u8] = b"HCKCPY";
const TAG_LEN: usize = 16;

/// How many bytes stand before the key file.
pub(crate) const HEAD_LEN: usize = SLOT_LEN;

/// What is bound: the magic, when it was made, and until when it may be used.
const BOUND_LEN: usize = 24;

/// A copy that was read.
pub(crate) struct Copy<'c> {
    /// When it was made: seconds since 1970.
    pub(crate) made: u64,
    /// From when on it may not be used any more.
    pub(crate) until: u64,
    /// The key file as it was.
    pub(crate) file: &'c [u8],
}

fn head_with(
    root: &RootKey,
    made: u64,
    until: u64,
    nonce: [u8; NONCE_LEN],
) -> Result<[u8; HEAD_LEN], Unavailable> {
    let mut head = [0; HEAD_LEN];
    let bound = MAGIC.iter().copied().chain(made.to_le_bytes()).chain(until.to_le_bytes());
    let bound: Vec<u8> = bound.collect();
    let tag = root
        .cipher()
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&bound), &mut [])
        .map_err(|_| Unavailable)?;
    let bytes = bound.iter().chain(&nonce).chain(tag.as_ref());
    head.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
    Ok(head)
}

impl Keys {
    /// The key file as it is now, behind what says when it was copied and until when it may be used.
    pub(crate) fn copy(&self, made: u64, until: u64) -> Result<Vec<u8>, KeysError> {
        let head = head_with(self.root(), made, until, super::nonce()?)?;
        self.with_file(|file| {
            let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
            let mut bytes = head.to_vec();
            bytes.resize(HEAD_LEN.saturating_add(len), 0);
            file.read_exact_at(bytes.get_mut(HEAD_LEN..).unwrap_or_default(), 0)?;
            Ok(bytes)
        })
    }
}

/// Until when a copy may be used, as it says itself; `None` where it is not one.
pub(crate) fn until(head: &[u8]) -> Option<u64> {
    let (_, rest) = head.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
    Some(u64::from_le_bytes(*rest.first_chunk()?))
}

/// Reads a copy.
pub(crate) fn read<'c>(bytes: &'c [u8], root: &RootKey) -> Result<Copy<'c>, KeysError> {
    let (head, file) = bytes.split_first_chunk::<HEAD_LEN>().ok_or(KeysError::NotAKeyFile)?;
    if !head.starts_with(MAGIC) {
        let version =
            head.strip_prefix(KIND).and_then(|rest| str::from_utf8(rest.get(..2)?).ok()?.parse().ok());
        return Err(version.map_or(KeysError::NotAKeyFile, KeysError::UnknownVersion));
    }
    let (bound, rest) = head.split_first_chunk::<BOUND_LEN>().ok_or(KeysError::NotAKeyFile)?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(KeysError::NotAKeyFile)?;
    let (tag, rest) = rest.split_first_chunk::<TAG_LEN>().ok_or(KeysError::NotAKeyFile)?;
    if rest.iter().any(|byte| *byte != 0) {
        return Err(KeysError::NotAKeyFile);
    }
    let nonce = Nonce::assume_unique_for_key(*nonce);
    root.cipher()
        .open_in_place(nonce, Aad::from(bound), &mut tag.to_vec())
        .map_err(|_| KeysError::OtherRootKey)?;
    let number = |at: usize| {
        let bytes = bound.get(at..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    Ok(Copy { made: number(8), until: number(16), file })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

    use super::*;
    use crate::testing::{DAY, NOW, keys, root, vector};

    #[test]
    fn a_copy_is_the_file_and_says_until_when() {
        let (folder, keys) = keys();
        keys.secret_or_new(super::super::KeyName::Log).unwrap();
        let bytes = keys.copy(NOW, NOW + DAY).unwrap();
        let copy = read(&bytes, &root(1)).unwrap();
        assert_eq!((copy.made, copy.until, until(&bytes)), (NOW, NOW + DAY, Some(NOW + DAY)));
        assert!(copy.file == std::fs::read(folder.path().join("keys")).unwrap());
        let head = head_with(&root(1), NOW, NOW + DAY, *b"nonce-of-12b").unwrap();
        assert_eq!(head.as_slice(), vector("key-copy-head"));
    }

    #[test]
    fn nobody_makes_a_copy_younger() {
        let (_folder, keys) = keys();
        let bytes = keys.copy(NOW, NOW + DAY).unwrap();
        for at in 0..HEAD_LEN {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(read(&changed, &root(1)).is_err(), "byte {at}");
        }
        assert!(matches!(read(&bytes, &root(2)), Err(KeysError::OtherRootKey)));
        assert!(matches!(read(&bytes[..100], &root(1)), Err(KeysError::NotAKeyFile)));
    }
}
