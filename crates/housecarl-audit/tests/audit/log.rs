//! A log in memory, and the leaves and entries that the tests put into it.

use std::collections::BTreeMap;
use std::convert::Infallible;

use housecarl_audit::entry::{Answer, Digest, Id, Moment, Name, Who, Whom};
use housecarl_audit::{
    Act, Checkpoint, Entry, File, Hash, Leaf, Opening, Path, Receipt, Salt, SignerKey, Tiles, Tree, proof,
};

/// Files by their paths.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Store(pub(crate) BTreeMap<String, Vec<u8>>);

impl Tiles for Store {
    type Error = Infallible;

    fn read(&self, path: Path) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.0.get(&path.to_string()).cloned())
    }
}

impl Store {
    /// Writes files; one that is there already must have the same bytes.
    pub(crate) fn write(&mut self, files: &[File]) {
        for file in files {
            let path = file.path.to_string();
            let before = self.0.insert(path.clone(), file.bytes.clone());
            assert!(before.is_none_or(|bytes| bytes == file.bytes), "{path} changed");
        }
    }
}

/// The leaf at an index: version 1, and for its commitment the SHA-256 of the index.
pub(crate) fn leaf(index: u64) -> Leaf {
    let commitment = Hash::of(&[&index.to_be_bytes()]);
    Leaf::from_bytes(&[&[1], commitment.as_bytes().as_slice()].concat()).unwrap()
}

pub(crate) fn leaves(range: std::ops::Range<u64>) -> Vec<Leaf> {
    range.map(leaf).collect()
}

/// The published files of a log of `size` leaves, and its tree.
pub(crate) fn grown(size: u64) -> (Store, Tree) {
    let (mut store, mut tree) = (Store::default(), Tree::new());
    store.write(&tree.append(&leaves(0..size)));
    (store, tree)
}

pub(crate) fn key() -> SignerKey {
    SignerKey::new("example.com/home", &[7; 32]).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A choice that a person of the documentation made.
pub(crate) fn choice() -> Entry {
    let ada = Id([0xad; 16]);
    Entry {
        at: Moment::from_millis(1_795_000_000_123).unwrap(),
        by: Who::Person(ada),
        act: Act::Choice {
            home: Id([0x40; 16]),
            whom: Whom::Person(ada),
            product: name("watch"),
            answer: Answer::Withdrew,
            about: name("coaching"),
            step: 0,
            meaning: Digest([0x0f; 32]),
            record: Digest(Salt::from_random([9; 32]).commit(b"the request as it was shown")),
        },
    }
}

/// A signed log of `size` leaves, of which `index` is the choice, with the receipt for it.
pub(crate) fn with_receipt(index: u64, size: u64) -> (Store, String, Receipt) {
    let opening = Opening::seal(choice(), Salt::from_random([5; 32]));
    let mut all = leaves(0..size);
    all[usize::try_from(index).unwrap()] = opening.leaf();
    let (mut store, mut tree) = (Store::default(), Tree::new());
    store.write(&tree.append(&all));
    let checkpoint = Checkpoint::of(&tree).sign(&key()).unwrap();
    let proof = proof::inclusion(&store, index, size).unwrap();
    let receipt = Receipt { opening, index, proof, checkpoint: checkpoint.clone() };
    (store, checkpoint, receipt)
}
