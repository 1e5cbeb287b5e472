//! Seal: each part is encrypted and bound to its place, its purposes and its end date.
//!
//! A part is what one message says about one subject for the same purposes until the same date.
//! `docs/formats.md` has it byte by byte.

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{self, Aad, NONCE_LEN, Nonce};
use housecarl_policy::PurposeSet;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::decide::Whose;
use crate::keys::{self, Keys, KeysError, PartKey, Unavailable};
use crate::minimise::{Kept, Minimised};
use crate::people::{DeviceId, SubjectId};
use crate::store::{Bucket, Place, Row, Stored, StreamNumber};

/// The first byte of a sealed part.
const VERSION: u8 = 1;

/// Most sealed parts are not longer than so many bytes.
const SEALED_USUAL: usize = 256;

/// A message in sealed parts. Nothing of it can be read without the keys.
pub struct Sealed {
    rows: Vec<Row>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

impl Sealed {
    /// How many parts it has. Where nothing was permitted it has none.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.rows.len()
    }

    #[cfg(test)]
    pub(crate) const fn of(rows: Vec<Row>) -> Self {
        Self { rows }
    }

    /// A payload as it came, not sealed at all.
    #[cfg(housecarl_bare)]
    pub(crate) fn bare(payload: &[u8], belongs: Belongs, subject: SubjectId, sequence: &Sequence) -> Self {
        const KEEP: u32 = 90 * 86_400;
        let bucket = Bucket::of(belongs.received.saturating_add(KEEP.into()), KEEP);
        let Belongs { stream, received, .. } = belongs;
        let place = Place { subject, stream, received, sequence: sequence.next() };
        Self { rows: vec![Row { bucket, place, sealed: payload.to_vec() }] }
    }

    /// How many bytes its parts have.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.iter().map(|row| row.sealed.len()).sum()
    }

    pub(crate) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// What tells rows of the same subject, stream and second apart: counted from a random number, so
/// that nothing has to be remembered from one start to the next.
#[derive(Debug)]
pub struct Sequence(AtomicU64);

impl Sequence {
    /// A sequence that no earlier one has crossed.
    ///
    /// # Errors
    /// [`Unavailable`] where the system gives no random bytes.
    pub fn new() -> Result<Self, Unavailable> {
        let mut start = [0; 8];
        aws_lc_rs::rand::fill(&mut start).map_err(|_| Unavailable)?;
        Ok(Self(AtomicU64::new(u64::from_le_bytes(start))))
    }

    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Where a message belongs.
#[derive(Clone, Copy, Debug)]
pub struct Belongs {
    /// The device that sent it.
    pub device: DeviceId,
    /// The stream it came by.
    pub stream: StreamNumber,
    /// When it was received: seconds since 1970. Retention runs from here.
    pub received: u64,
}

/// What a part says.
#[derive(Encode, Decode)]
pub(crate) struct Part {
    #[n(0)]
    #[cbor(with = "purposes")]
    pub(crate) purposes: PurposeSet,
    /// Seconds since 1970.
    #[n(1)]
    pub(crate) ends: u64,
    /// The device that said it.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) device: [u8; 16],
    #[n(3)]
    pub(crate) values: Vec<Said>,
}

/// One value of a part.
#[derive(Encode, Decode, Clone, PartialEq)]
pub(crate) struct Said {
    /// The record of the message that it stood in.
    #[n(0)]
    pub(crate) record: u32,
    #[n(1)]
    pub(crate) item: u16,
    /// Whether a model guessed it.
    #[n(2)]
    pub(crate) guess: bool,
    /// How certain the guess is, if the device said.
    #[n(3)]
    pub(crate) certainty: Option<Kept>,
    #[n(4)]
    pub(crate) value: Kept,
}

mod purposes {
    use housecarl_policy::PurposeSet;
    use minicbor::decode::Error as NotDecoded;
    use minicbor::encode::{Error as NotEncoded, Write};
    use minicbor::{Decoder, Encoder};

    pub(super) fn encode<C, W: Write>(
        set: &PurposeSet,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), NotEncoded<W::Error>> {
        e.bytes(&set.bits().to_le_bytes())?.ok()
    }

    pub(super) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<PurposeSet, NotDecoded> {
        let bytes = d.bytes()?.try_into().map_err(|_| NotDecoded::message("16 bytes of purposes"))?;
        Ok(PurposeSet::from_bits(u128::from_le_bytes(bytes)))
    }
}

/// Seals a message. `subject` gives the id that stands for whoever a value is about; where there is
/// none, what is about them is dropped. Keys that this makes are not on the disk yet.
///
/// # Errors
/// [`KeysError`] where there are no keys for it; nothing of it has gone anywhere.
pub fn seal(
    minimised: Minimised,
    belongs: Belongs,
    subject: impl Fn(Whose) -> Option<SubjectId>,
    keys: &Keys,
    sequence: &Sequence,
) -> Result<Sealed, KeysError> {
    let said = minimised.into_said().filter_map(|(whose, decision, said)| {
        Some((subject(whose)?, decision.permitted, decision.keep_seconds, said))
    });
    seal_said(said, belongs, keys, sequence)
}

/// Seals values that are each of a subject, for purposes, kept for so many seconds.
fn seal_said(
    said: impl Iterator<Item = (SubjectId, PurposeSet, u32, Said)>,
    belongs: Belongs,
    keys: &Keys,
    sequence: &Sequence,
) -> Result<Sealed, KeysError> {
    let mut parts: BTreeMap<(SubjectId, u128, u32), Vec<Said>> = BTreeMap::new();
    for (subject, purposes, keep, said) in said {
        parts.entry((subject, purposes.bits(), keep)).or_default().push(said);
    }
    let row = |((subject, purposes, keep), values): (_, Vec<Said>)| {
        let ends = belongs.received.saturating_add(u64::from(keep));
        let bucket = Bucket::of(ends, keep);
        let sequence = sequence.next();
        let place = Place { subject, stream: belongs.stream, received: belongs.received, sequence };
        let purposes = PurposeSet::from_bits(purposes);
        let part = Part { purposes, ends, device: belongs.device.0, values };
        let sealed = seal_part(&part, bucket, &place, keys)?;
        Ok(Row { bucket, place, sealed })
    };
    Ok(Sealed { rows: parts.into_iter().map(row).collect::<Result<_, KeysError>>()? })
}

fn seal_part(part: &Part, bucket: Bucket, place: &Place, keys: &Keys) -> Result<Vec<u8>, KeysError> {
    let key = keys.part_key_or_new(place.subject, place.stream, bucket)?;
    Ok(seal_with(part, bucket, place, &key, keys::nonce()?)?)
}

/// Seals a part under a nonce that is given, and must not be given twice under one key.
fn seal_with(
    part: &Part,
    bucket: Bucket,
    place: &Place,
    key: &aead::LessSafeKey,
    nonce: [u8; NONCE_LEN],
) -> Result<Vec<u8>, Unavailable> {
    // Encrypted where it was encoded, so that nothing has to be copied or overwritten.
    let mut sealed = Vec::with_capacity(SEALED_USUAL);
    sealed.push(VERSION);
    sealed.extend(nonce);
    minicbor::encode(part, &mut sealed).map_err(|_| Unavailable)?;
    let plain = sealed.get_mut(1 + NONCE_LEN..).ok_or(Unavailable)?;
    let bound = Aad::from(bound_to(bucket, place));
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.seal_in_place_separate_tag(nonce, bound, plain).map_err(|_| Unavailable)?;
    sealed.extend(tag.as_ref());
    Ok(sealed)
}

/// What is in a stored part; `None` where a key is gone, so that nobody can know any more.
///
/// # Errors
/// [`NotAPart`] where the bytes were not sealed at this place by this version.
pub(crate) fn open(stored: &Stored, keys: &Keys) -> Result<Option<Part>, NotAPart> {
    Ok(open_any(stored, keys)?.map(|opened| opened.part))
}

/// What is in a stored part, and whether its key is the one that is about to be destroyed.
pub(crate) struct Opened {
    pub(crate) part: Part,
    pub(crate) before: bool,
}

/// The same as [`open`], and under which key.
pub(crate) fn open_any(stored: &Stored, keys: &Keys) -> Result<Option<Opened>, NotAPart> {
    let Row { bucket, place, .. } = stored.row();
    let key = keys.part_key(place.subject, place.stream, *bucket);
    let before = keys.part_key_before(place.subject, place.stream, *bucket);
    let open = |key: &PartKey, before| open_with(stored, key).map(|part| Some(Opened { part, before }));
    match (key, before) {
        (None, None) => Ok(None),
        (Some(key), None) => open(&key, false),
        (None, Some(before)) => open(&before, true),
        // While a key is renewed nothing but the tag tells which one it is.
        (Some(key), Some(before)) => open(&key, false).or_else(|_| open(&before, true)),
    }
}

fn open_with(stored: &Stored, key: &PartKey) -> Result<Part, NotAPart> {
    let Row { bucket, place, sealed } = stored.row();
    let (version, sealed) = sealed.split_first().ok_or(NotAPart::Damaged)?;
    if *version != VERSION {
        return Err(NotAPart::UnknownVersion(*version));
    }
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(NotAPart::Damaged)?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    let bound = Aad::from(bound_to(*bucket, place));
    let plain = key
        .open_in_place(Nonce::assume_unique_for_key(*nonce), bound, &mut plain)
        .map_err(|_| NotAPart::Damaged)?;
    minicbor::decode(plain).map_err(|_| NotAPart::Damaged)
}

/// Seals what stays of a part that was stored, in this bucket, and as a row of its own. Keys that this
/// makes are not on the disk yet.
pub(crate) fn seal_again(
    part: &Part,
    bucket: Bucket,
    was: &Place,
    keys: &Keys,
    sequence: &Sequence,
) -> Result<Row, KeysError> {
    let place = Place { sequence: sequence.next(), ..*was };
    Ok(Row { bucket, place, sealed: seal_part(part, bucket, &place, keys)? })
}

/// Why stored bytes are not a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotAPart {
    /// Sealed by a version that this program does not know.
    UnknownVersion(u8),
    /// Changed, cut short, or moved from another place.
    Damaged,
}

impl fmt::Display for NotAPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVersion(version) => {
                write!(f, "a stored part has version {version}, which this program does not know")
            }
            Self::Damaged => f.write_str("a stored part is damaged or was moved from another place"),
        }
    }
}

impl std::error::Error for NotAPart {}

/// What a part is bound to beside its key: it opens nowhere else.
fn bound_to(bucket: Bucket, place: &Place) -> [u8; 6 + Place::LEN] {
    let mut bytes = [0; 6 + Place::LEN];
    let (head, last) = bytes.split_at_mut(6);
    head.copy_from_slice(&bound_head(bucket));
    last.copy_from_slice(&place.bytes());
    bytes
}

fn bound_head(bucket: Bucket) -> [u8; 6] {
    let [a, b, c, d] = bucket.index().to_le_bytes();
    [VERSION, bucket.class(), a, b, c, d]
}
