//! The slots of the key file: fixed in size and place, so that a secret can be overwritten where it
//! is, and small enough that none stands across two sectors of a disk and can be torn.

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};

use super::root::RootKey;
use super::{KeyName, KeysError, SECRET_LEN, Secret, Unavailable};
use crate::people::SubjectId;
use crate::store::{Bucket, StreamNumber};

/// Bytes of a slot. A sector of 512 bytes has four.
pub(super) const SLOT_LEN: usize = 128;
/// What a destroyed or never used slot holds.
pub(super) const FREE: [u8; SLOT_LEN] = [0; SLOT_LEN];

/// The first bytes of the file: what it is, and its version in two digits.
pub(super) const MAGIC: &[u8; 8] = b"HCKEYS01";
const KIND: &[u8] = b"HCKEYS";

const VERSION: u8 = 1;
const TAG_LEN: usize = 16;
const CHECK_LEN: usize = 16;

/// Where the fields of a slot begin. The rest is zero.
mod at {
    pub(super) const NUMBER: usize = 2;
    pub(super) const ID: usize = 4;
    pub(super) const NONCE: usize = 20;
    pub(super) const WRAPPED: usize = 32;
    pub(super) const END: usize = WRAPPED + super::SECRET_LEN + super::TAG_LEN;
}

/// What a slot turned out to hold.
pub(super) enum Slot {
    Free,
    Live(KeyName, Secret),
    /// Another version of the format: this program must not touch it.
    Unknown(u8),
    /// Neither free nor readable under the root key.
    Damaged,
}

/// The bytes of a secret's slot.
pub(super) fn write(name: KeyName, secret: &Secret, root: &RootKey) -> Result<[u8; SLOT_LEN], Unavailable> {
    write_with(name, secret, root, super::nonce()?)
}

/// The same under a nonce that is given, and must not be given twice.
pub(super) fn write_with(
    name: KeyName,
    secret: &Secret,
    root: &RootKey,
    nonce: [u8; NONCE_LEN],
) -> Result<[u8; SLOT_LEN], Unavailable> {
    let head = head(name);
    let mut wrapped = *secret.0;
    let tag = root
        .cipher()
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(head), &mut wrapped)
        .map_err(|_| Unavailable)?;
    Ok(filled([&head, &nonce, &wrapped, tag.as_ref()]))
}

/// These fields one after the other, then zeros.
fn filled<const FIELDS: usize>(fields: [&[u8]; FIELDS]) -> [u8; SLOT_LEN] {
    let mut bytes = FREE;
    bytes.iter_mut().zip(fields.into_iter().flatten()).for_each(|(to, byte)| *to = *byte);
    bytes
}

/// Reads a slot.
pub(super) fn read(slot: &[u8; SLOT_LEN], root: &RootKey) -> Slot {
    if *slot == FREE {
        return Slot::Free;
    }
    read_live(slot, root).unwrap_or(Slot::Damaged)
}

fn read_live(slot: &[u8; SLOT_LEN], root: &RootKey) -> Option<Slot> {
    let head: [u8; at::NONCE] = *slot.first_chunk()?;
    let [_, version, ..] = head;
    if version != VERSION {
        return Some(Slot::Unknown(version));
    }
    if slot.get(at::END..)?.iter().any(|byte| *byte != 0) {
        return None;
    }
    let name = name(&head)?;
    let nonce: [u8; NONCE_LEN] = slot.get(at::NONCE..at::WRAPPED)?.try_into().ok()?;
    let mut wrapped = zeroize::Zeroizing::new(slot.get(at::WRAPPED..at::END)?.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let secret = root.cipher().open_in_place(nonce, Aad::from(head), &mut wrapped).ok()?;
    let secret: [u8; SECRET_LEN] = (&*secret).try_into().ok()?;
    Some(Slot::Live(name, Secret(zeroize::Zeroizing::new(secret))))
}

/// The part of a slot that says what it holds: kind, version, number, id.
fn head(name: KeyName) -> [u8; at::NONCE] {
    let (kind, number, id) = match name {
        KeyName::Stream(SubjectId(id), StreamNumber(number)) => (1, number, id),
        KeyName::Subject(SubjectId(id)) => (2, 0, id),
        KeyName::Bucket(bucket) => {
            let mut id = [0; 16];
            if let Some(start) = id.first_chunk_mut() {
                *start = bucket.index().to_le_bytes();
            }
            (3, bucket.class().into(), id)
        }
        KeyName::Log => (4, 0, [0; 16]),
        KeyName::Renewed(SubjectId(id), StreamNumber(number)) => (5, number, id),
    };
    let mut head = [0; at::NONCE];
    let bytes = [kind, VERSION].into_iter().chain(number.to_le_bytes()).chain(id);
    for (to, byte) in head.iter_mut().zip(bytes) {
        *to = byte;
    }
    head
}

fn name(head: &[u8; at::NONCE]) -> Option<KeyName> {
    let number = u16::from_le_bytes(head.get(at::NUMBER..at::ID)?.try_into().ok()?);
    let id: [u8; 16] = head.get(at::ID..)?.try_into().ok()?;
    match head.first()? {
        1 => Some(KeyName::Stream(SubjectId(id), StreamNumber(number))),
        2 => Some(KeyName::Subject(SubjectId(id))),
        3 => {
            let index = u32::from_le_bytes(*id.first_chunk()?);
            Some(KeyName::Bucket(Bucket::from_parts(number.try_into().ok()?, index)?))
        }
        4 => Some(KeyName::Log),
        5 => Some(KeyName::Renewed(SubjectId(id), StreamNumber(number))),
        _ => None,
    }
}

/// The header: the magic, and sixteen zeros wrapped by the root key, so that another root key is
/// noticed before it is used.
pub(super) fn header(root: &RootKey) -> Result<[u8; SLOT_LEN], Unavailable> {
    header_with(root, super::nonce()?)
}

/// The same under a nonce that is given, and must not be given twice.
pub(super) fn header_with(root: &RootKey, nonce: [u8; NONCE_LEN]) -> Result<[u8; SLOT_LEN], Unavailable> {
    let mut check = [0; CHECK_LEN];
    let tag = root
        .cipher()
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(MAGIC), &mut check)
        .map_err(|_| Unavailable)?;
    Ok(filled([MAGIC, &nonce, &check, tag.as_ref()]))
}

/// Whether this is such a header, of this root key.
pub(super) fn check_header(header: &[u8; SLOT_LEN], root: &RootKey) -> Result<(), KeysError> {
    let rest = header.strip_prefix(MAGIC).ok_or_else(|| not_ours(header))?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or(KeysError::NotAKeyFile)?;
    let (check, rest) = rest.split_first_chunk::<{ CHECK_LEN + TAG_LEN }>().ok_or(KeysError::NotAKeyFile)?;
    if rest.iter().any(|byte| *byte != 0) {
        return Err(KeysError::NotAKeyFile);
    }
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened = root.cipher().open_in_place(nonce, Aad::from(MAGIC), &mut check.to_vec()).is_ok();
    if opened { Ok(()) } else { Err(KeysError::OtherRootKey) }
}

/// A key file of another version, or something else.
fn not_ours(header: &[u8; SLOT_LEN]) -> KeysError {
    let version =
        header.strip_prefix(KIND).and_then(|rest| str::from_utf8(rest.get(..2)?).ok()?.parse().ok());
    version.map_or(KeysError::NotAKeyFile, KeysError::UnknownVersion)
}
