//! What others published: the vectors of Certificate Transparency and the examples of C2SP.

use housecarl_audit::note::NoteError;
use housecarl_audit::proof::{consistency, inclusion, verify_consistency, verify_inclusion};
use housecarl_audit::tile::Slot;
use housecarl_audit::{Hash, Path, SignerKey, VerifierKey};

use crate::log::Store;

/// Leaves, roots and proofs that the implementations of Certificate Transparency test with, from
/// github.com/transparency-dev/merkle (`testonly/constants.go`, `proof/verify_test.go`).
const RFC6962: &str = include_str!("../vectors/rfc6962.txt");

fn lines(what: &str) -> impl Iterator<Item = Vec<&str>> {
    RFC6962.lines().filter_map(move |line| {
        let mut words = line.split(' ');
        (words.next() == Some(what)).then(|| words.collect())
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn hash(text: &str) -> Hash {
    Hash::from_bytes(unhex(text).try_into().unwrap())
}

fn leaves() -> Vec<Hash> {
    lines("leaf").map(|words| Hash::leaf(&unhex(words.first().unwrap_or(&"")))).collect()
}

/// The one tile of a tree of so many of these leaves.
fn tile(size: u64) -> Store {
    let bytes = leaves().iter().take(size.try_into().unwrap()).flat_map(Hash::as_bytes).copied().collect();
    Store([(Path::of(Slot::Hashes(0), 0, size).unwrap().to_string(), bytes)].into())
}

#[test]
fn roots_of_certificate_transparency() {
    let leaves = leaves();
    assert_eq!(leaves.len(), 8);
    let roots: Vec<Hash> = lines("root").map(|words| hash(words[0])).collect();
    assert_eq!(roots.len(), 9);
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(Hash::tree(&leaves[..size]), *root, "size {size}");
    }
}

#[test]
fn proofs_of_certificate_transparency() {
    let mut checked = 0;
    for words in lines("inclusion") {
        let (index, size): (u64, u64) = (words[0].parse().unwrap(), words[1].parse().unwrap());
        let proof: Vec<Hash> = words[2..].iter().map(|text| hash(text)).collect();
        assert_eq!(inclusion(&tile(size), index, size), Ok(proof.clone()));
        let all = leaves();
        let root = Hash::tree(&all[..usize::try_from(size).unwrap()]);
        verify_inclusion(all[usize::try_from(index).unwrap()], index, size, &proof, root).unwrap();
        checked += 1;
    }
    for words in lines("consistency") {
        let (old, size): (usize, usize) = (words[0].parse().unwrap(), words[1].parse().unwrap());
        let proof: Vec<Hash> = words[2..].iter().map(|text| hash(text)).collect();
        let (old_size, new_size) = (old as u64, size as u64);
        assert_eq!(consistency(&tile(new_size), old_size, new_size), Ok(proof.clone()));
        let (earlier, now) = (Hash::tree(&leaves()[..old]), Hash::tree(&leaves()[..size]));
        verify_consistency((old_size, earlier), (new_size, now), &proof).unwrap();
        checked += 1;
    }
    assert_eq!(checked, 10);
}

#[test]
fn paths_of_tlog_tiles() {
    let path = |slot, index, size| Path::of(slot, index, size).map(|path| path.to_string());
    let far = u64::MAX >> 1;
    let expect = |text: &str| Some(text.to_owned());
    assert_eq!(path(Slot::Hashes(0), 1_234_067, far), expect("tile/0/x001/x234/067"));
    assert_eq!(path(Slot::Entries, 1_234_067, far), expect("tile/entries/x001/x234/067"));
    assert_eq!(path(Slot::Hashes(2), 5, far), expect("tile/2/005"));
    assert_eq!(path(Slot::Hashes(1), 1_000, far), expect("tile/1/x001/000"));
    // The specification's own example of a tree of 70,000 leaves, and of one of 256.
    assert_eq!(path(Slot::Hashes(0), 272, 70_000), expect("tile/0/272"));
    assert_eq!(path(Slot::Hashes(0), 273, 70_000), expect("tile/0/273.p/112"));
    assert_eq!(path(Slot::Hashes(0), 274, 70_000), None);
    assert_eq!(path(Slot::Hashes(1), 0, 70_000), expect("tile/1/000"));
    assert_eq!(path(Slot::Hashes(1), 1, 70_000), expect("tile/1/001.p/17"));
    assert_eq!(path(Slot::Hashes(2), 0, 70_000), expect("tile/2/000.p/1"));
    assert_eq!(path(Slot::Hashes(3), 0, 70_000), None);
    assert_eq!(path(Slot::Hashes(0), 0, 256), expect("tile/0/000"));
    assert_eq!(path(Slot::Hashes(0), 1, 256), None);
    assert_eq!(path(Slot::Hashes(1), 0, 256), expect("tile/1/000.p/1"));
    assert_eq!(path(Slot::Hashes(255), u64::MAX, u64::MAX), None);
}

/// The example of c2sp.org/signed-note.
#[test]
fn the_note_of_signed_note() {
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let text = "This is an example message.\n";
    let note = format!(
        "{text}\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    );
    let parsed: VerifierKey = key.parse().unwrap();
    assert_eq!(parsed.to_string(), key);
    assert_eq!(parsed.open(note.as_bytes()), Ok(text));
}

/// The key and the note of the documentation of Go's `sumdb/note`.
#[test]
fn the_note_of_go() {
    let key: VerifierKey =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let signature =
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
    let note = format!("{text}\n— PeterNeumann {signature}\n");
    assert_eq!(key.open(note.as_bytes()), Ok(text));
}

#[test]
fn signatures_of_others_are_passed_over() {
    let ours = SignerKey::new("example.com/home", &[7; 32]).unwrap();
    let note = ours.sign("text\n").unwrap();
    let other = SignerKey::new("example.com/witness", &[8; 32]).unwrap().sign("text\n").unwrap();
    // The same name with another key, too.
    let namesake = SignerKey::new("example.com/home", &[9; 32]).unwrap().sign("text\n").unwrap();
    let line = |note: &str| note.lines().last().unwrap().to_owned();
    let joined = format!("text\n\n{}\n{}\n{}\n", line(&other), line(&namesake), line(&note));
    assert_eq!(ours.verifier().open(joined.as_bytes()), Ok("text\n"));
    let without = format!("text\n\n{}\n{}\n", line(&other), line(&namesake));
    assert_eq!(ours.verifier().open(without.as_bytes()), Err(NoteError::NotByThisKey));
    // A wrong signature of the known key spoils the note, whatever stands beside it.
    let wrong = line(&ours.sign("other\n").unwrap());
    let spoiled = format!("text\n\n{}\n{wrong}\n", line(&note));
    assert_eq!(ours.verifier().open(spoiled.as_bytes()), Err(NoteError::WrongSignature));
}

#[test]
fn what_is_no_note_and_no_key_is_refused() {
    let key = SignerKey::new("example.com/home", &[7; 32]).unwrap();
    let signature = key.sign("text\n").unwrap().lines().last().unwrap().to_owned();
    let check = |note: &str, expected| {
        assert_eq!(key.verifier().open(note.as_bytes()), Err(expected), "{note:?}");
    };
    check("", NoteError::NotText);
    check("text\n", NoteError::NoSignatures);
    check("text\n\n", NoteError::NoSignatures);
    check(&format!("text\n{signature}\n"), NoteError::NoSignatures);
    check(&format!("text\n\n{signature}"), NoteError::NotText);
    check(&format!("text\n\n{signature}\n\n"), NoteError::NoSignatures);
    check(&format!("text\r\n\n{signature}\n"), NoteError::NotText);
    check(&format!("text\n\n{signature} \n"), NoteError::NoSignatures);
    check(&format!("text\n\n-{}\n", &signature['—'.len_utf8()..]), NoteError::NoSignatures);
    check(&format!("{}\n\n{signature}\n", "x".repeat(1 << 16)), NoteError::TooLong);
    assert_eq!(key.verifier().open(&[0xff]), Err(NoteError::NotText));
    assert_eq!(key.sign("no line feed"), Err(NoteError::NotText));
    assert_eq!(key.sign("control\u{7}\n"), Err(NoteError::NotText));

    let text = key.verifier().to_string();
    let check = |text: &str, expected| assert_eq!(text.parse::<VerifierKey>(), Err(expected), "{text}");
    check("", NoteError::KeyForm);
    check("a+b", NoteError::KeyForm);
    check(&text[..text.len() - 1], NoteError::KeyForm);
    check(&text.replacen("home", "hope", 1), NoteError::KeyId);
    check(&text.replacen("example", "exa mple", 1), NoteError::KeyName);
    check(&text.to_uppercase(), NoteError::KeyKind);
    check("x+00000000+AQ==", NoteError::KeyKind);
    // Another kind of signature, and the point at infinity, under which anybody could sign.
    check(&format!("x+00000000+{}", "B".repeat(44)), NoteError::KeyKind);
    check("x+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NoteError::KeyKind);
    assert!(matches!(SignerKey::new("two words", &[7; 32]), Err(NoteError::KeyName)));
    assert_eq!(format!("{key:?}"), "SignerKey");
}
