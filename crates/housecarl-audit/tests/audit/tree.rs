//! The tree and its proofs against the definitions of RFC 6962, written down as they stand there.

use std::collections::BTreeMap;

use housecarl_audit::proof::{Unprovable, consistency, inclusion, verify_consistency, verify_inclusion};
use housecarl_audit::tile::{Lost, Slot};
use housecarl_audit::tree::Reopen;
use housecarl_audit::{Checkpoint, Hash, Path, Tree};

use crate::log::{Store, grown, leaf, leaves};

/// Sizes up to here: more than two full tiles.
const SIZES: u64 = 600;

/// The reference: leaves, and the hashes of ranges of them that were asked for before.
#[derive(Default)]
struct Reference(BTreeMap<(u64, u64), Hash>);

impl Reference {
    /// `MTH(D[from:to])`, section 2.1.
    fn mth(&mut self, from: u64, to: u64) -> Hash {
        if let Some(hash) = self.0.get(&(from, to)) {
            return *hash;
        }
        let hash = match to - from {
            0 => Hash::of(&[]),
            1 => Hash::of(&[&[0], &leaf(from).to_bytes()]),
            n => {
                let k = largest_power_of_two_below(n);
                let (left, right) = (self.mth(from, from + k), self.mth(from + k, to));
                Hash::of(&[&[1], left.as_bytes(), right.as_bytes()])
            }
        };
        self.0.insert((from, to), hash);
        hash
    }

    /// `PATH(m, D[from:to])`, section 2.1.1.
    fn path(&mut self, m: u64, from: u64, to: u64) -> Vec<Hash> {
        let n = to - from;
        if n == 1 {
            return Vec::new();
        }
        let k = largest_power_of_two_below(n);
        if m < k {
            let mut path = self.path(m, from, from + k);
            path.push(self.mth(from + k, to));
            path
        } else {
            let mut path = self.path(m - k, from + k, to);
            path.push(self.mth(from, from + k));
            path
        }
    }

    /// `SUBPROOF(m, D[from:to], b)`, section 2.1.2.
    fn subproof(&mut self, m: u64, from: u64, to: u64, known: bool) -> Vec<Hash> {
        let n = to - from;
        if m == n {
            return if known { Vec::new() } else { vec![self.mth(from, to)] };
        }
        let k = largest_power_of_two_below(n);
        if m <= k {
            let mut proof = self.subproof(m, from, from + k, known);
            proof.push(self.mth(from + k, to));
            proof
        } else {
            let mut proof = self.subproof(m - k, from + k, to, false);
            proof.push(self.mth(from, from + k));
            proof
        }
    }
}

fn largest_power_of_two_below(n: u64) -> u64 {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

#[test]
fn roots_are_those_of_the_definition() {
    let mut reference = Reference::default();
    let mut tree = Tree::new();
    for size in 0..=SIZES {
        assert_eq!(tree.root(), reference.mth(0, size), "size {size}");
        assert_eq!(tree.size(), size);
        let _ = tree.append(&[leaf(size)]);
    }
}

/// Every proof of the small trees and of those around full tiles, and of the others one in 11,
/// another one for each size. `cargo test -p housecarl-audit -- --ignored` looks at all of them.
fn some_of(size: u64) -> impl Iterator<Item = u64> {
    let all = size <= 130 || (255..=258).contains(&size) || (511..=514).contains(&size);
    let (from, step) = if all { (0, 1) } else { (size % 11, 11) };
    (from..size).step_by(step)
}

#[test]
fn inclusion_proofs_are_those_of_the_definition_and_verify() {
    inclusion_proofs(some_of);
}

#[test]
#[ignore = "takes half a minute"]
fn every_inclusion_proof_is_that_of_the_definition_and_verifies() {
    inclusion_proofs(|size| 0..size);
}

fn inclusion_proofs<I: Iterator<Item = u64>>(indexes: impl Fn(u64) -> I) {
    let mut reference = Reference::default();
    for size in 1..=SIZES {
        let (store, tree) = grown(size);
        let root = tree.root();
        for index in indexes(size) {
            let proof = inclusion(&store, index, size).unwrap();
            assert_eq!(proof, reference.path(index, 0, size), "{index} of {size}");
            let hash = leaf(index).hash();
            verify_inclusion(hash, index, size, &proof, root).unwrap();
            // Neighbours, a size more or less, another leaf or root: nothing else is shown.
            let others = [
                verify_inclusion(hash, index ^ 1, size, &proof, root),
                verify_inclusion(leaf(size).hash(), index, size, &proof, root),
                verify_inclusion(hash, index, size, &proof, hash_of_nothing()),
                verify_inclusion(hash, size, size, &proof, root),
                verify_inclusion(hash, index, size * 4, &proof, root),
                verify_inclusion(
                    hash,
                    index,
                    size,
                    proof.split_last().map_or(&[root], |(_, less)| less),
                    root,
                ),
                verify_inclusion(hash, index, size, &[proof.as_slice(), &[root]].concat(), root),
            ];
            assert!(others.iter().all(Result::is_err), "{index} of {size}: {others:?}");
        }
    }
}

#[test]
fn consistency_proofs_are_those_of_the_definition_and_verify() {
    consistency_proofs(some_of);
}

#[test]
#[ignore = "takes half a minute"]
fn every_consistency_proof_is_that_of_the_definition_and_verifies() {
    consistency_proofs(|size| 0..size);
}

fn consistency_proofs<I: Iterator<Item = u64>>(indexes: impl Fn(u64) -> I) {
    let mut reference = Reference::default();
    for size in 1..=SIZES {
        let (store, tree) = grown(size);
        let new = (size, tree.root());
        for earlier in indexes(size).map(|index| index + 1) {
            let proof = consistency(&store, earlier, size).unwrap();
            assert_eq!(proof, reference.subproof(earlier, 0, size, true), "{earlier} in {size}");
            let old = (earlier, reference.mth(0, earlier));
            verify_consistency(old, new, &proof).unwrap();
            let others = [
                verify_consistency((earlier, hash_of_nothing()), new, &proof),
                verify_consistency(old, (size, hash_of_nothing()), &proof),
                verify_consistency(old, (size * 4, new.1), &proof),
                verify_consistency(old, new, &[proof.as_slice(), &[new.1]].concat()),
            ];
            assert!(others.iter().all(Result::is_err), "{earlier} in {size}: {others:?}");
        }
        verify_consistency((0, hash_of_nothing()), new, &[]).unwrap();
        assert!(verify_consistency((0, new.1), new, &[]).is_err());
        assert!(verify_consistency((size + 1, new.1), new, &[]).is_err());
    }
}

fn hash_of_nothing() -> Hash {
    Hash::tree(&[])
}

/// Batches of every length in a row, and one leaf at a time.
#[test]
fn however_leaves_are_split_into_batches_the_files_are_the_same() {
    let (whole, grown_at_once) = grown(SIZES);
    for first in [1, 2, 100, 255, 256, 257, 511, 512, 513, 599] {
        for then in [1, 7, 256, SIZES] {
            let (mut store, mut tree) = (Store::default(), Tree::new());
            while tree.size() < SIZES {
                let batch = if tree.size() == 0 { first } else { then };
                let to = (tree.size() + batch).min(SIZES);
                store.write(&tree.append(&leaves(tree.size()..to)));
                // The state on disk is the state: what is read back is what was there.
                let checkpoint = Checkpoint::of(&tree);
                assert_eq!(Tree::open(&checkpoint, &store), Ok(tree.clone()));
            }
            assert_eq!(tree, grown_at_once);
            for (path, bytes) in &whole.0 {
                assert_eq!(store.0.get(path), Some(bytes), "{path}");
            }
        }
    }
}

/// After a crash at any write of a batch, the same leaves in other batches lead to the same files:
/// `Store::write` refuses a file that changed.
#[test]
fn a_batch_that_a_crash_cut_off_is_done_again_with_the_same_bytes() {
    for (from, to) in [(0, 3), (250, 260), (255, 256), (256, 257), (300, 600)] {
        let (before, tree) = grown(from);
        let checkpoint = Checkpoint::of(&tree);
        let files = tree.clone().append(&leaves(from..to));
        for written in 0..=files.len() {
            let mut store = before.clone();
            store.write(&files[..written]);
            let mut again = Tree::open(&checkpoint, &store).unwrap();
            let middle = from + (to - from) / 2;
            store.write(&again.append(&leaves(from..middle)));
            store.write(&again.append(&leaves(middle..to)));
            let (whole, expected) = grown(to);
            assert_eq!(again, expected);
            assert!(whole.0.iter().all(|(path, bytes)| store.0.get(path) == Some(bytes)));
        }
    }
}

#[test]
fn nothing_new_makes_no_files() {
    for size in [0, 1, 256, 300] {
        let (_, mut tree) = grown(size);
        assert_eq!(tree.append(&[]), []);
    }
}

#[test]
fn a_tree_is_read_back_only_from_the_files_that_its_checkpoint_signs() {
    let (store, tree) = grown(300);
    let checkpoint = Checkpoint::of(&tree);
    let needed = ["tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1"];
    for path in needed {
        let mut less = store.clone();
        less.0.remove(path);
        let lost = Tree::open(&checkpoint, &less);
        assert!(matches!(lost, Err(Reopen::Lost(Lost::Missing(missing))) if missing.to_string() == path));
        let mut changed = store.clone();
        *changed.0.get_mut(path).unwrap().last_mut().unwrap() ^= 1;
        assert_eq!(Tree::open(&checkpoint, &changed), Err(Reopen::Other), "{path}");
    }
}

#[test]
fn a_partial_file_may_give_way_to_the_full_one() {
    let (mut store, tree) = grown(300);
    let checkpoint = Checkpoint::of(&tree);
    store.write(&tree.clone().append(&leaves(300..600)));
    store.0.retain(|path, _| path != "tile/0/001.p/44" && path != "tile/entries/001.p/44");
    assert_eq!(Tree::open(&checkpoint, &store), Ok(tree));
    let proof = inclusion(&store, 299, 300).unwrap();
    verify_inclusion(leaf(299).hash(), 299, 300, &proof, checkpoint.root()).unwrap();
}

#[test]
fn what_lies_beyond_the_log_has_no_proof() {
    let (store, _) = grown(5);
    assert_eq!(inclusion(&store, 5, 5), Err(Unprovable::Beyond { asked: 5, size: 5 }));
    assert_eq!(inclusion(&store, 0, 0), Err(Unprovable::Beyond { asked: 0, size: 0 }));
    assert_eq!(consistency(&store, 6, 5), Err(Unprovable::Beyond { asked: 6, size: 5 }));
    let path = Path::of(Slot::Hashes(0), 0, 6).unwrap();
    assert_eq!(inclusion(&store, 0, 6), Err(Unprovable::Lost(Lost::Missing(path))));
}
