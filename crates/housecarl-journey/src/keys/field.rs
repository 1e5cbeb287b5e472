//! Personal fields beside the records: each sealed under its person's own key.

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use super::{KeyName, Keys, KeysError, Unavailable};
use crate::people::SubjectId;

/// The first byte of a sealed field.
const VERSION: u8 = 1;

/// Seals a field under the key of whoever it is about. It opens for the same `place` only: which
/// table and row it stands in. A key that this makes is not on the disk yet.
pub(crate) fn seal(keys: &Keys, who: SubjectId, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, KeysError> {
    let key = keys.secret_or_new(KeyName::Subject(who))?.field_key()?;
    let mut nonce = [0; NONCE_LEN];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Unavailable)?;
    let mut sealed = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
        .map_err(|_| Unavailable)?;
    Ok([&[VERSION], nonce.as_slice(), &sealed].concat())
}

/// What was sealed; `None` where the key is gone or this is not such a field.
pub(crate) fn open(keys: &Keys, who: SubjectId, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = keys.secret(KeyName::Subject(who))?.field_key().ok()?;
    let (version, sealed) = sealed.split_first()?;
    if *version != VERSION {
        return None;
    }
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let len = key.open_in_place(nonce, Aad::from(place), &mut plain).ok()?.len();
    plain.truncate(len);
    Some(plain)
}
