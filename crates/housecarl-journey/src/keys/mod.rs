//! Keys: the only way to what is stored, and so the way to erase it.
//!
//! What a part says can be read with two secrets: that of its person and stream, and that of its
//! expiry bucket. Both lie in a file of their own, wrapped by the root key and never in the files
//! of the records. A secret is destroyed by writing over its slot; from then on nothing that was
//! sealed under it can be read, here or in any copy of the records.
//!
//! `docs/formats.md` has the file byte by byte.

mod root;
mod paper;
mod handover;
pub(crate) mod copy;
mod slot;
mod file;
pub(crate) mod field;
mod derived;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::fmt;

use aws_lc_rs::{aead, hkdf, hmac};
use zeroize::Zeroizing;

pub(crate) use file::PartKey;
pub use file::{Keys, KeysError};
pub use handover::{Imported, NotImported};
pub use paper::NotOnPaper;
pub use root::{RootKey, RootKeyError};

use crate::people::SubjectId;
use crate::store::Bucket;
use crate::store::StreamNumber;

/// How many bytes every secret has.
pub(crate) const SECRET_LEN: usize = 32;

/// What a secret is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeyName {
    /// What a subject's parts of one stream are sealed under.
    Stream(SubjectId, StreamNumber),
    /// The same, for a time, beside the one that is about to be destroyed: what is sealed now, and what
    /// is sealed again because it stays.
    Renewed(SubjectId, StreamNumber),
    /// What a subject's identifiers are replaced under, and personal fields beside the records.
    Subject(SubjectId),
    /// What every part that ends in this bucket is sealed under as well.
    Bucket(Bucket),
    /// What the audit log is signed with.
    Log,
}

impl KeyName {
    /// Whether it is one of this subject's.
    #[cfg(test)]
    pub(crate) fn is_of(self, who: SubjectId) -> bool {
        match self {
            Self::Stream(subject, _) | Self::Renewed(subject, _) | Self::Subject(subject) => subject == who,
            Self::Bucket(_) | Self::Log => false,
        }
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyName")
    }
}

/// A random secret. It is overwritten in memory when it goes; where it was moved from, it may stay.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<[u8; SECRET_LEN]>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Says which of the keys that one secret could give this is.
const PART: &[u8] = b"housecarl part 1";
const CODES: &[u8] = b"housecarl codes 1";
const FIELDS: &[u8] = b"housecarl fields 1";

impl Secret {
    fn random() -> Result<Self, Unavailable> {
        let mut bytes = Zeroizing::new([0; SECRET_LEN]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| Unavailable)?;
        Ok(Self(bytes))
    }

    #[cfg(test)]
    pub(crate) fn of(bytes: [u8; SECRET_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The secret itself, for a signature, which takes no derived key.
    pub(crate) fn expose(&self) -> &[u8; SECRET_LEN] {
        &self.0
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> [u8; SECRET_LEN] {
        *self.0
    }

    /// The key of the parts of this person and stream that end in the bucket of `bucket`.
    /// HKDF-SHA256: salt the bucket's secret, input the person's, so that it takes both.
    pub(crate) fn part_key(&self, bucket: &Self) -> Result<aead::LessSafeKey, Unavailable> {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, bucket.0.as_slice());
        let key = salt.extract(self.0.as_slice());
        let key = key.expand(&[PART], &aead::AES_256_GCM).map_err(|_| Unavailable)?;
        Ok(aead::LessSafeKey::new(aead::UnboundKey::from(key)))
    }

    /// The key under which this subject's identifiers are replaced by codes.
    pub(crate) fn code_key(&self) -> Result<hmac::Key, Unavailable> {
        let key = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(self.0.as_slice());
        let key = key.expand(&[CODES], hmac::HMAC_SHA256).map_err(|_| Unavailable)?;
        Ok(hmac::Key::from(key))
    }

    /// The key of this subject's fields beside the records.
    fn field_key(&self) -> Result<aead::LessSafeKey, Unavailable> {
        let key = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(self.0.as_slice());
        let key = key.expand(&[FIELDS], &aead::AES_256_GCM).map_err(|_| Unavailable)?;
        Ok(aead::LessSafeKey::new(aead::UnboundKey::from(key)))
    }
}

/// How many nonces are drawn at once: to ask for random bytes costs as much as to seal, however few
/// they are.
const NONCES: usize = 64;

thread_local! {
    static DRAWN: RefCell<Vec<[u8; aead::NONCE_LEN]>> = const { RefCell::new(Vec::new()) };
}

/// Twelve random bytes: of the keys here none seals so much that two would meet (NIST SP 800-38D
/// allows 2^32 under one key).
pub(crate) fn nonce() -> Result<[u8; aead::NONCE_LEN], Unavailable> {
    DRAWN.with_borrow_mut(|drawn| {
        if drawn.is_empty() {
            let mut bytes = [0; NONCES * aead::NONCE_LEN];
            aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Unavailable)?;
            drawn.extend_from_slice(bytes.as_chunks().0);
        }
        // Each is taken out, and so never given twice.
        drawn.pop().ok_or(Unavailable)
    })
}

/// The operating system or the library of ciphers has failed: there is no key, and nothing is sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unavailable;

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system gave no random bytes or no cipher")
    }
}

impl std::error::Error for Unavailable {}
