//! An opener of its own, written from `docs/formats.md` and sharing no code with the gateway: given copies of the
//! records, the root key and the key file, it says what can be read in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use ciborium::Value;
use fjall::{Database, KeyspaceCreateOptions};
use hkdf::Hkdf;
use sha2::Sha256;

const SLOT: usize = 128;

/// What is sealed under a secret: of whom and of which stream, or of which bucket.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Of {
    Stream([u8; 16], u16),
    Subject([u8; 16]),
    Bucket(u16, u32),
    Log,
    Renewed([u8; 16], u16),
}

/// A secret, and the bytes that stand for it in the key file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) plain: Vec<u8>,
    pub(crate) wrapped: Vec<u8>,
}

/// Everything that a key file has.
#[derive(Clone)]
pub(crate) struct Keys(pub(crate) BTreeMap<Of, Secret>);

fn open(key: &[u8], nonce: &[u8], bound: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let nonce = Nonce::try_from(nonce).unwrap();
    Aes256Gcm::new_from_slice(key).unwrap().decrypt(&nonce, Payload { msg: sealed, aad: bound }).ok()
}

impl Keys {
    /// Reads the key file with the root key; both have to be as the page says, to the last byte.
    pub(crate) fn read(root_key: &Path, key_file: &Path) -> Self {
        let text = fs::read_to_string(root_key).unwrap();
        let digits = text.strip_prefix("housecarl-root-key-1:").unwrap().strip_suffix('\n').unwrap();
        assert_eq!(digits.len(), 64);
        let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        let root: Vec<u8> = (0..64).step_by(2).map(digit).collect();

        let bytes = fs::read(key_file).unwrap();
        assert_eq!(bytes.len() % SLOT, 0);
        let (header, slots) = bytes.split_at(SLOT);
        assert_eq!(&header[..8], b"HCKEYS01");
        assert_eq!(open(&root, &header[8..20], &header[..8], &header[20..52]).unwrap(), [0; 16]);
        let live = slots.chunks(SLOT).filter(|slot| slot.iter().any(|byte| *byte != 0));
        Self(live.map(|slot| Self::slot(&root, slot)).collect())
    }

    fn slot(root: &[u8], slot: &[u8]) -> (Of, Secret) {
        let (number, id) = (u16::from_le_bytes([slot[2], slot[3]]), slot[4..20].try_into().unwrap());
        assert_eq!(slot[1], 1, "version");
        let of = match slot[0] {
            1 => Of::Stream(id, number),
            2 => Of::Subject(id),
            3 => Of::Bucket(number, u32::from_le_bytes(slot[4..8].try_into().unwrap())),
            4 => Of::Log,
            5 => Of::Renewed(id, number),
            other => panic!("a slot of kind {other}, which the page has not"),
        };
        let plain = open(root, &slot[20..32], &slot[..20], &slot[32..80]).unwrap();
        (of, Secret { plain, wrapped: slot[32..80].to_vec() })
    }

    /// The secrets that others have not.
    pub(crate) fn without(&self, others: &Self) -> Vec<Secret> {
        let kept: BTreeSet<&[u8]> = others.0.values().map(|secret| secret.plain.as_slice()).collect();
        self.0.values().filter(|secret| !kept.contains(secret.plain.as_slice())).cloned().collect()
    }

    /// Those of buckets that have ended at a moment, in seconds since 1970.
    pub(crate) fn over(&self, now: u64) -> Vec<Secret> {
        let ends = |class: u16, index: u32| (u64::from(index) + 1) * 3_600 * 3_u64.pow(class.into());
        let over = |of: &Of| matches!(of, Of::Bucket(class, index) if ends(*class, *index) <= now);
        self.0.iter().filter(|(of, _)| over(of)).map(|(_, secret)| secret.clone()).collect()
    }
}

/// One value that could be read: of whom, and what it says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Said {
    pub(crate) of: [u8; 16],
    pub(crate) item: u64,
    pub(crate) value: String,
}

/// What lies in a folder of records: each sealed part where it stands.
pub(crate) struct Records(Vec<(u8, u32, Vec<u8>, Vec<u8>)>);

impl Records {
    /// Reads a copy, for opening writes to it.
    pub(crate) fn read(copy: &Path) -> Self {
        let database = Database::builder(copy).open().unwrap();
        let mut rows = Vec::new();
        for name in database.list_keyspace_names() {
            let Some((class, index)) = name.strip_prefix('b').and_then(|rest| rest.split_once('-')) else {
                continue;
            };
            let keyspace = database.keyspace(&name, KeyspaceCreateOptions::default).unwrap();
            for row in keyspace.iter() {
                let (first, block) = row.into_inner().unwrap();
                if *first != [0] {
                    let (class, index) = (class.parse().unwrap(), index.parse().unwrap());
                    rows.extend(
                        block_of(&first, &block).map(|(place, sealed)| (class, index, place, sealed)),
                    );
                }
            }
        }
        Self(rows)
    }

    /// How many parts lie there, readable or not.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Everything that can be read with these keys.
    pub(crate) fn opened(&self, keys: &Keys) -> BTreeSet<Said> {
        self.0
            .iter()
            .filter_map(|(class, index, place, sealed)| part(keys, *class, *index, place, sealed))
            .flatten()
            .collect()
    }
}

/// The parts of a block, each with its place.
fn block_of<'b>(first: &'b [u8], block: &'b [u8]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> + 'b {
    assert_eq!((first.len(), block[0]), (34, 1), "a place, and version 1");
    let mut left = &block[1..];
    std::iter::from_fn(move || {
        let (number, rest) = left.split_first_chunk::<8>()?;
        let (len, rest) = rest.split_first_chunk().unwrap();
        let (sealed, rest) = rest.split_at(u32::from_le_bytes(*len) as usize);
        left = rest;
        Some(([&first[..26], number].concat(), sealed.to_vec()))
    })
}

/// The values of a part; `None` where it does not open, with whatever secret of its subject and stream.
fn part(keys: &Keys, class: u8, index: u32, place: &[u8], sealed: &[u8]) -> Option<Vec<Said>> {
    let (subject, stream) = (place[..16].try_into().unwrap(), u16::from_be_bytes([place[16], place[17]]));
    assert_eq!((place.len(), sealed[0]), (34, 1), "a place, and version 1");
    let bucket = keys.0.get(&Of::Bucket(class.into(), index))?;
    let bound = [&[1, class], index.to_le_bytes().as_slice(), place].concat();
    let tried = [Of::Stream(subject, stream), Of::Renewed(subject, stream)];
    let plain = tried.iter().filter_map(|of| keys.0.get(of)).find_map(|person| {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(Some(&bucket.plain), &person.plain)
            .expand(b"housecarl part 1", &mut key)
            .unwrap();
        open(&key, &sealed[1..13], &bound, &sealed[13..])
    })?;
    let part: Value = ciborium::from_reader(plain.as_slice()).unwrap();
    let fields = part.as_array().unwrap();
    assert_eq!((fields.len(), fields[0].as_bytes().unwrap().len()), (4, 16), "purposes");
    let values = fields[3].as_array().unwrap().iter().map(|said| {
        let said = said.as_array().unwrap();
        let item = said[1].as_integer().unwrap().try_into().unwrap();
        Said { of: subject, item, value: value(&said[4]) }
    });
    Some(values.collect())
}

fn value(value: &Value) -> String {
    let parts = value.as_array().unwrap();
    let kind: u64 = parts[0].as_integer().unwrap().try_into().unwrap();
    let held = parts[1].as_array().unwrap();
    match kind {
        0 => "nothing".to_owned(),
        1 => held[0].as_bool().unwrap().to_string(),
        2 => {
            let (tag, parts) = held[0].as_tag().unwrap();
            assert_eq!(tag, 4, "a decimal fraction");
            let part = |at: usize| i128::from(parts.as_array().unwrap()[at].as_integer().unwrap());
            format!("{}e{}", part(1), part(0))
        }
        3 => held[0].as_text().unwrap().to_owned(),
        4 => "a code".to_owned(),
        5 => "there was one".to_owned(),
        other => panic!("a value of kind {other}, which the page has not"),
    }
}

#[test]
fn the_opener_reads_the_vectors_of_the_page() {
    let page = include_str!("../../../../docs/formats.md");
    let vector = |name: &str| -> Vec<u8> {
        let (_, from) = page.split_once(&format!("```hex {name}\n")).unwrap();
        let digits = from.split_once("```").unwrap().0.lines().map(|line| line.split('#').next().unwrap());
        let digits: String = digits.flat_map(str::split_whitespace).collect();
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let (root, file) = (folder.path().join("root.key"), folder.path().join("keys"));
    fs::write(&root, vector("root-key")).unwrap();
    let slots = ["key-file-header", "key-slot-stream", "key-slot-subject", "key-slot-bucket"];
    fs::write(&file, slots.map(vector).concat()).unwrap();
    let mut keys = Keys::read(&root, &file);
    let (stream, bucket) = (Of::Stream([0xAB; 16], 258), Of::Bucket(3, 66_051));
    assert!(keys.0.keys().copied().eq([stream, Of::Subject([0xAB; 16]), bucket]));
    assert!(keys.0.values().all(|secret| secret.plain == [0x11; 32]));
    // The sealed part is under a bucket's secret of 32 bytes `22`.
    keys.0.get_mut(&bucket).unwrap().plain = vec![0x22; 32];
    let opened = part(&keys, 3, 66_051, &vector("place"), &vector("sealed-part")).unwrap();
    let said = |item, value: &str| Said { of: [0xAB; 16], item, value: value.to_owned() };
    assert_eq!(opened, [said(7, "215e-1"), said(300, "hall")]);
    let first = [&vector("place")[..33], &[7]].concat();
    let parts: Vec<_> = block_of(&first, &vector("block")).collect();
    assert_eq!(parts, [(vector("place"), vec![0xAA; 2]), (first.clone(), vec![0xBB])]);
    keys.0.remove(&stream);
    assert!(part(&keys, 3, 66_051, &vector("place"), &vector("sealed-part")).is_none());
}
