//! Verifiers that we did not write: `ct-merkle`, `signed_note`, and Go's `sumdb`.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use housecarl_audit::proof::{consistency, inclusion, verify_consistency, verify_inclusion};
use housecarl_audit::{Checkpoint, Hash};
use sha2::digest::Output;
use sha2::{Digest as _, Sha256};
use signed_note::{Note, StandardSigner, StandardVerifier, VerifierList};

use crate::log::{grown, key, leaf};

fn output(hash: &Hash) -> Output<Sha256> {
    (*hash.as_bytes()).into()
}

/// Their hashes of a proof, in our type.
fn hashes(bytes: &[u8]) -> Vec<Hash> {
    bytes.as_chunks().0.iter().map(|hash| Hash::from_bytes(*hash)).collect()
}

#[test]
fn ct_merkle_accepts_our_proofs_and_we_accept_its() {
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut roots = vec![Hash::tree(&[])];
    for size in 1..=520_u64 {
        theirs.push(leaf(size - 1).to_bytes().to_vec());
        let (store, tree) = grown(size);
        roots.push(tree.root());
        // Around the places where a tile becomes full.
        if !(size <= 70 || (250..260).contains(&size) || size > 510) {
            continue;
        }
        let root = RootHash::<Sha256>::new(output(&tree.root()), size);
        assert_eq!(theirs.root(), root, "size {size}");
        // Every leaf of the small trees, and a few of the larger ones.
        let step = usize::try_from(size / 40 + 1).unwrap();
        for index in (0..size).step_by(step) {
            let ours = inclusion(&store, index, size).unwrap();
            let digests: Vec<_> = ours.iter().map(output).collect();
            root.verify_inclusion(
                &leaf(index).to_bytes().to_vec(),
                index,
                &InclusionProof::from_digests(&digests),
            )
            .unwrap();
            let proof = theirs.prove_inclusion(usize::try_from(index).unwrap());
            verify_inclusion(leaf(index).hash(), index, size, &hashes(proof.as_bytes()), tree.root())
                .unwrap();
        }
        for old in (1..size).step_by(step) {
            let old_root = roots[usize::try_from(old).unwrap()];
            let ours = consistency(&store, old, size).unwrap();
            let digests: Vec<_> = ours.iter().map(output).collect();
            let old_of_theirs = RootHash::<Sha256>::new(output(&old_root), old);
            root.verify_consistency(&old_of_theirs, &ConsistencyProof::from_digests(&digests)).unwrap();
            let proof = theirs.prove_consistency(usize::try_from(size - old).unwrap());
            verify_consistency((old, old_root), (size, tree.root()), &hashes(proof.as_bytes())).unwrap();
        }
    }
}

#[test]
fn signed_note_accepts_our_checkpoint_and_we_accept_its() {
    let (_, tree) = grown(300);
    let key = key();
    let ours = Checkpoint::of(&tree).sign(&key).unwrap();
    let verifier = StandardVerifier::new(&key.verifier().to_string()).unwrap();
    let known = VerifierList::new(vec![Box::new(verifier)]);
    let note = Note::from_bytes(ours.as_bytes()).unwrap();
    let (verified, unverified) = note.verify(&known).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0));
    let changed = ours.replacen("300", "301", 1);
    assert!(Note::from_bytes(changed.as_bytes()).unwrap().verify(&known).is_err());

    let id = u32::from_be_bytes(key.verifier().id());
    let secret = "AQcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
    let signer = format!("PRIVATE+KEY+{}+{id:08x}+{secret}", key.verifier().name());
    let text = key.verifier().open(ours.as_bytes()).unwrap();
    let mut theirs = Note::new(text.as_bytes(), &[]).unwrap();
    theirs.add_sigs(&[&StandardSigner::new(&signer).unwrap()]).unwrap();
    assert_eq!(String::from_utf8(theirs.to_bytes()).unwrap(), ours);
}

/// What Go's checksum database makes of the same leaves; `vectors/go.go` made the file.
#[test]
fn go_makes_the_same_tiles_proofs_and_checkpoints() {
    let mut compared = 0;
    for line in include_str!("../vectors/go.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, size, expected] = words[..] else { panic!("{line}") };
        let size: u64 = size.parse().unwrap();
        let (store, tree) = grown(size);
        let step = usize::try_from(size / 600 + 1).unwrap();
        let bytes =
            |hashes: Vec<Hash>| -> Vec<u8> { hashes.iter().flat_map(Hash::as_bytes).copied().collect() };
        let ours = match what {
            "root" => tree.root().to_string(),
            "inclusion" => digest(
                (0..size).step_by(step).flat_map(|index| bytes(inclusion(&store, index, size).unwrap())),
            ),
            "consistency" => digest(
                (1..=size).step_by(step).flat_map(|old| bytes(consistency(&store, old, size).unwrap())),
            ),
            "tiles" => {
                let tiles = store.0.iter().filter(|(path, _)| !path.starts_with("tile/entries/"));
                let lines = tiles.map(|(path, tile)| format!("{path} {}\n", digest(tile.iter().copied())));
                digest(lines.collect::<String>().into_bytes())
            }
            "key" => key().verifier().to_string(),
            "note" => {
                use base64::Engine as _;
                let note = Checkpoint::of(&tree).sign(&key()).unwrap();
                base64::prelude::BASE64_STANDARD.encode(note)
            }
            _ => panic!("{line}"),
        };
        assert_eq!(ours, expected, "{what} of {size}");
        compared += 1;
    }
    assert_eq!(compared, 66);
}

fn digest(bytes: impl IntoIterator<Item = u8>) -> String {
    let bytes: Vec<u8> = bytes.into_iter().collect();
    Hash::from_bytes(Sha256::digest(bytes).into()).to_string()
}
