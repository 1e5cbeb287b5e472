//! Where the parts of a log stand, and how they are asked for: C2SP tlog-tiles.

use std::fmt;

use crate::hash::Hash;
use crate::leaf::Leaf;

/// How many hashes a full tile has, and how many entries a full bundle.
pub const WIDTH: u16 = 256;
/// The most bytes of any file of a log: a full bundle.
pub const FILE_BYTES_MAX: usize = WIDTH as usize * Slot::Entries.bytes();
/// The most leaves a log may have: other readers count in signed numbers.
pub const SIZE_MAX: u64 = i64::MAX as u64;

/// What a file holds, and on which level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Slot {
    /// Entries, each behind its length.
    Entries,
    /// Hashes: of leaves at level 0, above that of whole tiles of the level below.
    Hashes(u8),
}

impl Slot {
    /// How many bytes one of its entries or hashes takes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Entries => size_of::<u16>() + Leaf::LEN,
            Self::Hashes(_) => Hash::LEN,
        }
    }
}

/// The place of a tile or of an entry bundle in a log. Prints as `tile/0/x001/234.p/5`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Path {
    slot: Slot,
    index: u64,
    width: u16,
}

impl Path {
    /// The file that holds the `index`-th run of 256 of a log of `size` leaves; partial where the
    /// log ends in it, `None` where it ends before.
    #[must_use]
    pub fn of(slot: Slot, index: u64, size: u64) -> Option<Self> {
        let held = match slot {
            Slot::Entries => size,
            Slot::Hashes(level) => size.checked_shr(8 * u32::from(level)).unwrap_or(0),
        };
        let left = held.checked_sub(index.checked_mul(u64::from(WIDTH))?)?;
        let width = u16::try_from(left).unwrap_or(WIDTH).min(WIDTH);
        (width > 0).then_some(Self { slot, index, width })
    }

    /// What it holds.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// Which run of 256 it is, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds: 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// How many bytes the file has.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.width as usize * self.slot.bytes()
    }

    /// Whether more can follow in it. A partial file may be deleted once the full one is there.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.width < WIDTH
    }

    /// The full file that it is the beginning of.
    #[must_use]
    pub const fn full(self) -> Self {
        Self { width: WIDTH, ..self }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slot {
            Slot::Entries => f.write_str("tile/entries/")?,
            Slot::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        // Groups of three digits, the last alone without an `x`.
        let digits = self.index.to_string();
        let groups = digits.len().div_ceil(3);
        let digits = format!("{:0>1$}", digits, groups * 3);
        for (at, digit) in digits.chars().enumerate() {
            if at % 3 == 0 {
                let last = at / 3 + 1 == groups;
                f.write_str(if last { "" } else { "x" })?;
            }
            write!(f, "{digit}")?;
            if at % 3 == 2 && at / 3 + 1 < groups {
                f.write_str("/")?;
            }
        }
        if self.is_partial() { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// A file of a log, to be written where its path says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Where.
    pub path: Path,
    /// What.
    pub bytes: Vec<u8>,
}

/// Reads the files of a log, from wherever they are.
pub trait Tiles {
    /// Why a file could not be read.
    type Error;

    /// The bytes of one file, or `None` where there is no such file. An implementer who reads from
    /// a stranger stops after [`FILE_BYTES_MAX`] bytes and one more.
    ///
    /// # Errors
    /// What kept the file from being read; that it is not there is none.
    fn read(&self, path: Path) -> Result<Option<Vec<u8>>, Self::Error>;
}

impl<T: Tiles> Tiles for &T {
    type Error = T::Error;
    fn read(&self, path: Path) -> Result<Option<Vec<u8>>, Self::Error> {
        (*self).read(path)
    }
}

/// Why a file of a log is of no use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost<E> {
    /// The caller's reader failed.
    Unreadable(Path, E),
    /// It is not there, nor the full file that may have taken its place.
    Missing(Path),
    /// It is longer or shorter than its path says; how long, in bytes.
    Length(Path, usize),
}

impl<E: fmt::Display> fmt::Display for Lost<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "`{path}` cannot be read: {error}"),
            Self::Missing(path) => write!(f, "`{path}` is missing"),
            Self::Length(path, found) => {
                write!(f, "`{path}` has {found} bytes and should have {}", path.bytes())
            }
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for Lost<E> {}

/// Reads a file of the right length. Where a partial one has given way to the full one, the
/// beginning of that is the same.
pub(crate) fn fetch<T: Tiles>(tiles: &T, path: Path) -> Result<Vec<u8>, Lost<T::Error>> {
    let read = |path| tiles.read(path).map_err(|error| Lost::Unreadable(path, error));
    let exactly = |path: Path, bytes: Vec<u8>| match bytes.len() {
        length if length == path.bytes() => Ok(bytes),
        length => Err(Lost::Length(path, length)),
    };
    if let Some(bytes) = read(path)? {
        return exactly(path, bytes);
    }
    if path.is_partial()
        && let Some(bytes) = read(path.full())?
    {
        let mut bytes = exactly(path.full(), bytes)?;
        bytes.truncate(path.bytes());
        return Ok(bytes);
    }
    Err(Lost::Missing(path))
}

/// The hashes in the bytes of a tile.
pub(crate) fn hashes(bytes: &[u8]) -> impl Iterator<Item = Hash> + '_ {
    bytes.as_chunks().0.iter().map(|hash| Hash::from_bytes(*hash))
}

/// The entries in the bytes of a bundle, each without its length; the last is `None` where the
/// lengths do not come out even.
pub fn entries(mut bytes: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut bytes);
        let Some((length, rest)) = rest.split_first_chunk() else { return Some(None) };
        let Some((entry, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))) else {
            return Some(None);
        };
        bytes = rest;
        Some(Some(entry))
    })
}
