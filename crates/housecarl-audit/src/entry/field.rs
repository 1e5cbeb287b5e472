//! What the fields of an entry are made of, and how each is encoded. Numbers are big endian.

use std::collections::BTreeMap;
use std::fmt;

/// Why bytes are not a leaf, an opening or an entry. It says nothing of what they hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// A version that this program does not know.
    Version(u8),
    /// A kind of entry that this program does not know.
    Kind(u8),
    /// A leaf is not as long as every leaf is.
    LeafLength,
    /// The bytes end too early.
    Short,
    /// Bytes are left over.
    Long,
    /// A word is not small letters, digits and single hyphens, or is longer than 64.
    Name,
    /// A moment after the year 9999.
    Moment,
    /// A byte stands for none of the words there are.
    Word,
    /// Reasons are not sorted, repeated, zero, none or too many.
    Reasons,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version(version) => {
                return write!(
                    f,
                    "version {version} is not known here; a newer `housecarl-verify` may know it"
                );
            }
            Self::Kind(kind) => return write!(f, "there is no kind {kind} of entry in this version"),
            Self::LeafLength => "it is not as long as every leaf is",
            Self::Short => "it ends too early",
            Self::Long => "something follows after its end",
            Self::Name => "a name is not small letters, digits and single hyphens",
            Self::Moment => "a moment lies beyond the year 9999",
            Self::Word => "a byte stands for none of the words there are",
            Self::Reasons => "the reasons are not as they would be written",
        })
    }
}

impl std::error::Error for Malformed {}

/// A part of an entry.
pub(crate) trait Field: Sized {
    /// What the documentation calls it.
    const TYPE: &str;
    /// Adds its bytes.
    fn put(&self, bytes: &mut Vec<u8>);
    /// Takes it off the front.
    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed>;
    /// As a person reads it.
    fn words(&self) -> String;
}

pub(super) fn split<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (head, tail) = bytes.split_first_chunk().ok_or(Malformed::Short)?;
    *bytes = tail;
    Ok(*head)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

macro_rules! integers {
    ($($int:ty: $name:literal),+) => {$(
        impl Field for $int {
            const TYPE: &str = $name;
            fn put(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_be_bytes());
            }
            fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
                split(bytes).map(Self::from_be_bytes)
            }
            fn words(&self) -> String {
                self.to_string()
            }
        }
    )+};
}
integers!(u8: "u8", u32: "u32", u64: "u64");

macro_rules! byte_strings {
    ($($(#[$meta:meta])* $name:ident: $len:literal $type:literal),+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub [u8; $len]);

        impl Field for $name {
            const TYPE: &str = $type;
            fn put(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.0);
            }
            fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
                split(bytes).map(Self)
            }
            fn words(&self) -> String {
                hex(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}
byte_strings! {
    /// A random id of a person, a home, a request, a key: it means something only to the system
    /// that drew it.
    Id: 16 "id",
    /// A SHA-256: a fingerprint of what a maker wrote, or by [`crate::Salt::commit`] the commitment
    /// to what is kept elsewhere about people. Never the bare hash of something about a person:
    /// little of that is so rare that it could not be guessed.
    Digest: 32 "digest"
}

/// A moment: milliseconds since 1970, UTC, without leap seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    const MAX: u64 = 253_402_300_799_999;

    /// From milliseconds since 1970; `None` after the year 9999.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Option<Self> {
        if millis <= Self::MAX { Some(Self(millis)) } else { None }
    }

    /// As milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl Field for Moment {
    const TYPE: &str = "moment";
    fn put(&self, bytes: &mut Vec<u8>) {
        self.0.put(bytes);
    }
    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        u64::take(bytes).and_then(|millis| Self::from_millis(millis).ok_or(Malformed::Moment))
    }
    /// As RFC 3339 writes it.
    fn words(&self) -> String {
        let (days, millis) = (self.0 / 86_400_000, self.0 % 86_400_000);
        // Years that begin in March, in cycles of 400: a leap day is then the last of its year.
        let days = days + 719_468;
        let (cycle, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = cycle * 400 + year + later;
        let (seconds, millis) = (millis / 1_000, millis % 1_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Moment")
    }
}

/// A word of the manifest or of Housecarl: small letters, digits and single hyphens, at most 64.
/// There is no room in it for what people write about themselves.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Name(String);

impl Name {
    /// How long it may be, in bytes.
    pub const BYTES_MAX: usize = 64;

    /// From a text; `None` where it is not of the form above.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let word = |part: &str| !part.is_empty() && part.bytes().all(fits);
        (text.len() <= Self::BYTES_MAX && text.split('-').all(word)).then(|| Self(text.to_owned()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Field for Name {
    const TYPE: &str = "name";
    fn put(&self, bytes: &mut Vec<u8>) {
        // At most 64, as nothing else can be made.
        bytes.push(self.0.len() as u8);
        bytes.extend_from_slice(self.0.as_bytes());
    }
    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let length = usize::from(u8::take(bytes)?);
        let (name, rest) = bytes.split_at_checked(length).ok_or(Malformed::Short)?;
        *bytes = rest;
        str::from_utf8(name).ok().and_then(Self::new).ok_or(Malformed::Name)
    }
    fn words(&self) -> String {
        self.0.clone()
    }
}

/// How many reasons an entry has at most.
pub const REASONS_MAX: usize = 64;

/// Reasons, and how often each: at least one, at most [`REASONS_MAX`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusals(BTreeMap<Name, u64>);

impl Refusals {
    /// Counted reasons; `None` where there are none or too many, or one was counted zero times.
    #[must_use]
    pub fn new(reasons: BTreeMap<Name, u64>) -> Option<Self> {
        let number = 1..=REASONS_MAX;
        (number.contains(&reasons.len()) && !reasons.values().any(|count| *count == 0))
            .then_some(Self(reasons))
    }

    /// Each reason with its count, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, u64)> {
        self.0.iter().map(|(reason, count)| (reason, *count))
    }
}

impl Field for Refusals {
    const TYPE: &str = "reasons";
    fn put(&self, bytes: &mut Vec<u8>) {
        // At most 64, as nothing else can be made.
        bytes.push(self.0.len() as u8);
        for (reason, count) in &self.0 {
            reason.put(bytes);
            count.put(bytes);
        }
    }
    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let mut reasons = BTreeMap::new();
        for _ in 0..u8::take(bytes)? {
            let reason = Name::take(bytes)?;
            // Sorted and each once, or one content would have many encodings.
            if reasons.last_key_value().is_some_and(|(last, _)| *last >= reason) {
                return Err(Malformed::Reasons);
            }
            reasons.insert(reason, u64::take(bytes)?);
        }
        Self::new(reasons).ok_or(Malformed::Reasons)
    }
    fn words(&self) -> String {
        let each = self.iter().map(|(reason, count)| format!("{} {count}", reason.as_str()));
        each.collect::<Vec<_>>().join(", ")
    }
}
