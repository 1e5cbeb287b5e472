//! What tests share: dice, keys in a folder that goes, and the vectors of `docs/formats.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use crate::keys::{Keys, RootKey};
use crate::people::SubjectId;
use crate::store::{Bucket, Place, StreamNumber};

/// Monday, 21 December 2026, in seconds since 1970.
pub(crate) const NOW: u64 = 1_797_811_200;
pub(crate) const DAY: u64 = 86_400;

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap();
        of.get(at).unwrap()
    }

    pub(crate) fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.roll().to_le_bytes()[0]).collect()
    }
}

pub(crate) fn subject(number: u8) -> SubjectId {
    SubjectId([number; 16])
}

pub(crate) fn place(of: u8, stream: u16, received: u64, sequence: u64) -> Place {
    Place { subject: subject(of), stream: StreamNumber(stream), received, sequence }
}

/// The bucket of what is kept for so many days from `NOW`.
pub(crate) fn bucket(days: u64) -> Bucket {
    Bucket::of(NOW + days * DAY, u32::try_from(days * DAY).unwrap())
}

pub(crate) fn root(byte: u8) -> RootKey {
    RootKey::new(&[byte; 32]).unwrap()
}

/// Keys in a folder of their own.
pub(crate) fn keys() -> (TempDir, Arc<Keys>) {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::open(&folder.path().join("keys"), root(1)).unwrap();
    (folder, Arc::new(keys))
}

/// What stands in the files below a folder at one moment.
pub(crate) struct Files(Vec<Vec<u8>>);

impl Files {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files.extend(Self::of(&path).0);
            } else {
                let mut bytes = match std::fs::read(&path) {
                    // The engine was just removing it.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                    read => read.unwrap(),
                };
                // Journals end in megabytes of zeros, and no value does.
                bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
                files.push(bytes);
            }
        }
        Self(files)
    }

    /// In how many places the bytes stand: as they are, in hex, in base64.
    pub(crate) fn find(&self, wanted: &[u8]) -> usize {
        let base64 = [0, 1, 2].map(|before| base64(wanted, before));
        let forms = [wanted.to_vec(), hex(wanted).into_bytes()].into_iter().chain(base64);
        forms.flat_map(|form| self.0.iter().map(move |bytes| occurrences(bytes, &form))).sum()
    }
}

/// In how many places the bytes stand in the files below a folder: as they are, in hex, in base64.
pub(crate) fn found_in(folder: &Path, wanted: &[u8]) -> usize {
    Files::of(folder).find(wanted)
}

fn occurrences(mut bytes: &[u8], wanted: &[u8]) -> usize {
    let (&first, mut found) = (wanted.first().unwrap(), 0);
    while let Some(at) = bytes.iter().position(|byte| *byte == first) {
        let (_, from) = bytes.split_at(at);
        found += usize::from(from.starts_with(wanted));
        bytes = from.split_first().unwrap().1;
    }
    found
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// What is sure to stand in any base64 of a text that has the bytes after `before` others (mod 3).
fn base64(bytes: &[u8], before: usize) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes = bytes.split_at((3 - before) % 3).1;
    let digits = |three: &[u8; 3]| {
        let bits = three.iter().fold(0_usize, |bits, byte| (bits << 8) | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| *DIGITS.get((bits >> shift) & 63).unwrap())
    };
    bytes.as_chunks().0.iter().flat_map(digits).collect()
}

/// The bytes of a vector in `docs/formats.md`: the lines under "```hex NAME".
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let text = include_str!("../../../docs/formats.md");
    let (_, from) =
        text.split_once(&format!("```hex {name}\n")).unwrap_or_else(|| panic!("no vector {name}"));
    let (digits, _) = from.split_once("```").unwrap();
    // What stands after `#` says what the bytes are.
    let digits: String = digits.lines().map(|line| line.split('#').next().unwrap()).collect();
    let digits: Vec<u8> = digits.bytes().filter(|digit| !digit.is_ascii_whitespace()).collect();
    digits
        .as_chunks::<2>()
        .0
        .iter()
        .map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

/// Waits for a future.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn the_search_finds_each_form() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = b"a value that was marked";
    assert_eq!(found_in(folder.path(), wanted), 0);
    // base64 of "a value that was marked", of the same after one byte and after two.
    let forms: [&[u8]; 5] = [
        b"xa value that was marked",
        b"612076616c7565207468617420776173206d61726b6564",
        b"YSB2YWx1ZSB0aGF0IHdhcyBtYXJrZWQ=",
        b"eGEgdmFsdWUgdGhhdCB3YXMgbWFya2Vk",
        b"eHhhIHZhbHVlIHRoYXQgd2FzIG1hcmtlZA==",
    ];
    std::fs::create_dir(folder.path().join("in")).unwrap();
    for (number, form) in forms.iter().enumerate() {
        std::fs::write(folder.path().join("in").join(number.to_string()), form).unwrap();
        assert_eq!(found_in(folder.path(), wanted), number + 1);
    }
}
