//! Whatever is changed, cut off or taken away, verification fails.

use std::convert::Infallible;

use housecarl_audit::checkpoint::Untrusted;
use housecarl_audit::note::NoteError;
use housecarl_audit::receipt::Invalid;
use housecarl_audit::tile::Lost;
use housecarl_audit::verify::{self, Fault};
use housecarl_audit::{Checkpoint, Opening, Receipt, Salt, SignerKey, Tree, VerifierKey};

use crate::log::{Store, choice, grown, key, leaves, with_receipt};

fn vkey() -> VerifierKey {
    key().verifier().clone()
}

fn signed(size: u64) -> (Store, String) {
    let (store, tree) = grown(size);
    (store, Checkpoint::of(&tree).sign(&key()).unwrap())
}

fn log(store: &Store, checkpoint: &str, since: Option<&str>) -> Result<verify::Verdict, Fault<Infallible>> {
    verify::log(store, checkpoint.as_bytes(), &vkey(), since.map(str::as_bytes))
}

#[test]
fn a_whole_log_holds_at_every_size() {
    for size in (0..=20).chain([255, 256, 257, 300, 511, 512, 513]) {
        let (store, checkpoint) = signed(size);
        let verdict = log(&store, &checkpoint, None).unwrap();
        assert_eq!(verdict.checkpoint.size(), size);
        let files = u64::try_from(store.0.len()).unwrap();
        assert_eq!(verdict.bundles + verdict.tiles, files, "a file of {size} was not looked at");
        for earlier in [0, 1, size / 2, size.saturating_sub(1), size] {
            let (_, since) = signed(earlier.min(size));
            assert!(log(&store, &checkpoint, Some(&since)).is_ok(), "{earlier} in {size}");
        }
    }
}

/// Level 2 begins at 65,536 leaves.
#[test]
fn a_log_of_three_levels_holds() {
    let (mut store, checkpoint) = signed(66_000);
    assert_eq!(log(&store, &checkpoint, None).unwrap().tiles, 258 + 2 + 1);
    store.0.get_mut("tile/1/000").unwrap()[32 * 200] ^= 1;
    let fault = log(&store, &checkpoint, None).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "`tile/1/000` does not have the hash of `tile/0/200`: one of them was changed"
    );
}

/// A log with a full tile, a partial tile, a full and a partial bundle and a second level.
#[test]
fn no_byte_of_any_file_can_be_changed() {
    let (mut store, checkpoint) = signed(259);
    assert_eq!(store.0.len(), 5);
    let paths: Vec<String> = store.0.keys().cloned().collect();
    for path in paths {
        for at in 0..store.0[&path].len() {
            let bit = 1 << (at % 8);
            store.0.get_mut(&path).unwrap()[at] ^= bit;
            assert!(log(&store, &checkpoint, None).is_err(), "byte {at} of {path}");
            store.0.get_mut(&path).unwrap()[at] ^= bit;
        }
    }
    assert!(log(&store, &checkpoint, None).is_ok());
}

#[test]
fn no_bit_of_a_small_log_can_be_changed() {
    let (mut store, checkpoint) = signed(3);
    let paths: Vec<String> = store.0.keys().cloned().collect();
    for path in paths {
        for at in 0..store.0[&path].len() {
            for by in (0..8).map(|bit| 1 << bit) {
                store.0.get_mut(&path).unwrap()[at] ^= by;
                assert!(log(&store, &checkpoint, None).is_err(), "byte {at} of {path}");
                store.0.get_mut(&path).unwrap()[at] ^= by;
            }
        }
    }
}

#[test]
fn no_byte_of_a_checkpoint_or_a_receipt_can_be_changed() {
    let (store, checkpoint, receipt) = with_receipt(4, 7);
    assert!(log(&store, &checkpoint, Some(&checkpoint)).is_ok());
    let every_change = |text: &str, holds: &dyn Fn(&[u8]) -> bool| {
        let mut bytes = text.as_bytes().to_vec();
        assert!(holds(&bytes));
        for at in 0..bytes.len() {
            assert!(!holds(&bytes[..at]), "cut at {at}");
            // Every bit, and what a careless reader takes for something else.
            let byte = bytes[at];
            let others = (0..8).map(|bit| byte ^ 1 << bit).chain(*b"\n\r\t \0=+-/09Aa");
            for other in others.filter(|other| *other != byte) {
                bytes[at] = other;
                assert!(!holds(&bytes), "byte {at} as {other}");
            }
            bytes[at] = byte;
        }
        for more in ["\n", " ", "x", "\0"] {
            assert!(!holds(format!("{text}{more}").as_bytes()), "{more:?} at the end");
            assert!(!holds(format!("{more}{text}").as_bytes()), "{more:?} in front");
        }
    };
    let key = vkey();
    every_change(&checkpoint, &|bytes| Checkpoint::open(bytes, &key).is_ok());
    every_change(&receipt.to_string(), &|bytes| {
        Receipt::parse(bytes).is_ok_and(|receipt| receipt.verify(&key).is_ok())
    });
}

#[test]
fn nothing_can_be_cut_off_added_or_taken_away() {
    let (store, checkpoint) = signed(259);
    for path in store.0.keys() {
        let mut changed = store.clone();
        let bytes = changed.0.remove(path).unwrap();
        let missing = log(&changed, &checkpoint, None);
        assert!(
            matches!(missing, Err(Fault::Lost(Lost::Missing(lost))) if lost.to_string() == *path),
            "{path}: {missing:?}"
        );
        for length in (0..bytes.len()).step_by(7) {
            changed.0.insert(path.clone(), bytes[..length].to_vec());
            let cut = log(&changed, &checkpoint, None);
            assert!(matches!(cut, Err(Fault::Lost(Lost::Length(..)))), "{path}: {cut:?}");
        }
        changed.0.insert(path.clone(), [bytes.as_slice(), &[0]].concat());
        assert!(log(&changed, &checkpoint, None).is_err(), "{path} with a byte more");
    }
}

#[test]
fn each_fault_is_named() {
    let (store, checkpoint) = signed(300);
    let fault = |change: &dyn Fn(&mut Store)| {
        let mut changed = store.clone();
        change(&mut changed);
        log(&changed, &checkpoint, None).unwrap_err().to_string()
    };
    let byte =
        |path: &'static str, at: usize| move |store: &mut Store| store.0.get_mut(path).unwrap()[at] ^= 4;
    assert_eq!(
        fault(&byte("tile/entries/000", 35 * 17 + 20)),
        "`tile/0/000` does not have the hash of entry 17: one of them was changed"
    );
    assert_eq!(
        fault(&byte("tile/0/001.p/44", 33)),
        "`tile/0/001.p/44` does not have the hash of entry 257: one of them was changed"
    );
    assert_eq!(
        fault(&byte("tile/1/000.p/1", 0)),
        "`tile/1/000.p/1` does not have the hash of `tile/0/000`: one of them was changed"
    );
    assert_eq!(
        fault(&byte("tile/entries/001.p/44", 35 + 2)),
        "entry 257 is not an entry of this log: version 5 is not known here; a newer `housecarl-verify` may know it"
    );
    assert_eq!(
        fault(&byte("tile/entries/001.p/44", 35 + 1)),
        "entry 257 is not an entry of this log: it is not as long as every leaf is"
    );
    assert_eq!(fault(&|store| drop(store.0.remove("tile/entries/000"))), "`tile/entries/000` is missing");
    assert_eq!(
        fault(&|store| store.0.get_mut("tile/0/000").unwrap().truncate(100)),
        "`tile/0/000` has 100 bytes and should have 8192"
    );
}

/// Somebody who has the key of the log and rewrites it all: only an earlier checkpoint shows it.
#[test]
fn a_rewritten_past_is_seen_by_whoever_kept_a_checkpoint() {
    let (_, earlier) = signed(200);
    let mut other = leaves(0..300);
    other[100] = Opening::seal(choice(), Salt::from_random([6; 32])).leaf();
    let (mut store, mut tree) = (Store::default(), Tree::new());
    store.write(&tree.append(&other));
    let rewritten = Checkpoint::of(&tree).sign(&key()).unwrap();
    assert!(log(&store, &rewritten, None).is_ok());
    assert_eq!(log(&store, &rewritten, Some(&earlier)), Err(Fault::Rewritten { then: 200 }));
    let (_, before_the_change) = signed(100);
    assert!(log(&store, &rewritten, Some(&before_the_change)).is_ok());
    let (store, shorter) = signed(150);
    assert_eq!(log(&store, &shorter, Some(&earlier)), Err(Fault::Shorter { then: 200, now: 150 }));
}

/// The tiles and the entries agree with each other and not with what was signed.
#[test]
fn another_log_under_the_checkpoint_is_seen() {
    let (_, checkpoint) = signed(300);
    let mut other = leaves(0..300);
    other.swap(1, 2);
    let (mut store, mut tree) = (Store::default(), Tree::new());
    store.write(&tree.append(&other));
    assert_eq!(log(&store, &checkpoint, None), Err(Fault::Root));
}

#[test]
fn a_signed_text_that_is_no_checkpoint_of_this_log_is_refused() {
    let key = key();
    let root = grown(1).1.root();
    let check = |text: String, expected| {
        let note = key.sign(&text).unwrap();
        assert_eq!(Checkpoint::open(note.as_bytes(), key.verifier()).err(), Some(expected), "{text:?}");
    };
    let origin = key.verifier().name();
    check(format!("example.com/other\n1\n{root}\n"), Untrusted::Origin);
    check(format!("\n1\n{root}\n"), Untrusted::Form);
    check(format!("{origin}\n1\n"), Untrusted::Form);
    check(format!("{origin}\n01\n{root}\n"), Untrusted::Form);
    check(format!("{origin}\n+1\n{root}\n"), Untrusted::Form);
    check(format!("{origin}\n-1\n{root}\n"), Untrusted::Form);
    check(format!("{origin}\n9223372036854775808\n{root}\n"), Untrusted::Form);
    check(format!("{origin}\n1\n{root}\nmore\n"), Untrusted::Form);
    check(format!("{origin}\n1\n{}\n", root.to_string().replace('=', "")), Untrusted::Form);
    let stranger = SignerKey::new(origin, &[8; 32]).unwrap();
    let note = stranger.sign(&format!("{origin}\n1\n{root}\n")).unwrap();
    assert_eq!(
        Checkpoint::open(note.as_bytes(), key.verifier()),
        Err(Untrusted::Note(NoteError::NotByThisKey))
    );
}

#[test]
fn receipts_hold_at_every_place_and_say_why_they_do_not() {
    let key = vkey();
    for size in [1, 2, 3, 256, 257, 300] {
        for index in [0, size / 2, size - 1] {
            let (_, _, receipt) = with_receipt(index, size);
            let read = Receipt::parse(receipt.to_string().as_bytes()).unwrap();
            assert!(read == receipt);
            let proven = read.verify(&key).unwrap();
            assert!(*proven.entry == choice());
            assert_eq!((proven.index, proven.size), (index, size));
        }
    }
    let (_, _, receipt) = with_receipt(4, 7);
    let text = receipt.to_string();
    let check = |text: &str, expected| assert_eq!(Receipt::parse(text.as_bytes()).err(), Some(expected));
    check("", Invalid::NoCheckpoint);
    check(&text.replacen("@v1", "@v2", 1), Invalid::Line(1));
    check(&text.replacen("extra ", "", 1), Invalid::Line(2));
    check(&text.replacen("index 4", "index 04", 1), Invalid::Line(3));
    check(&text.replacen("index 4\n", "index 4\nx\n", 1), Invalid::Line(4));
    check(
        &text.replacen("index 4\n", &format!("index 4\n{}", format!("{}\n", receipt.proof[0]).repeat(64)), 1),
        Invalid::Line(68),
    );
    check(&format!("{text}{}", " ".repeat(1 << 17)), Invalid::TooLong);
    let mut other = receipt.clone();
    other.index = 5;
    assert_eq!(other.verify(&key).err(), Some(Invalid::NotInLog));
    let mut other = receipt;
    other.checkpoint = signed(7).1;
    assert_eq!(other.verify(&key).err(), Some(Invalid::NotInLog));
}
