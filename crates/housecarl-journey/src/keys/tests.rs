//! The key file: what it refuses, what it forgets, and what it never does.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::file::BLOCK_LEN;
use super::slot::{self, SLOT_LEN, Slot};
use super::*;
use crate::testing::{DAY, Dice, Files, NOW, bucket, found_in, root, subject, vector};

/// A key file in a folder that goes.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With some keys in it, synced.
    fn filled(keys: u16) -> Self {
        let bench = Self::new();
        let opened = bench.open().unwrap();
        (0..keys).for_each(|number| drop(opened.secret_or_new(stream(1, number)).unwrap()));
        opened.sync().unwrap();
        bench
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    fn open(&self) -> Result<Keys, KeysError> {
        Keys::open(&self.path(), root(1))
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    fn cut(&self, len: usize) {
        OpenOptions::new().write(true).open(self.path()).unwrap().set_len(len as u64).unwrap();
    }

    fn flip(&self, at: usize) {
        let byte = self.bytes()[at];
        let file = OpenOptions::new().write(true).open(self.path()).unwrap();
        file.write_all_at(&[byte ^ 1], at as u64).unwrap();
    }

    fn write(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
    }
}

fn stream(of: u8, number: u16) -> KeyName {
    KeyName::Stream(subject(of), StreamNumber(number))
}

/// An error in words that a table can have.
fn told(result: Result<Keys, KeysError>) -> String {
    match result {
        Ok(keys) => format!("{} keys", keys.names().len()),
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn a_bad_file_is_refused_with_its_reason_and_left_as_it_is() {
    const LAST: usize = SLOT_LEN * 3;
    let flipped = |at: usize| move |bench: &Bench| bench.flip(at);
    type Change = Box<dyn Fn(&Bench)>;
    let cases: Vec<(&str, Change, &str)> = vec![
        ("as it was", Box::new(|_| {}), "3 keys"),
        ("header cut short after other bytes", Box::new(|b| b.write(b"[tls]\ncert = 1\n")), "NotAKeyFile"),
        ("another file", Box::new(|b| b.write(&[b'x'; 4_096])), "NotAKeyFile"),
        ("random bytes", Box::new(|b| b.write(&Dice(3).bytes(9_000))), "NotAKeyFile"),
        ("zeros", Box::new(|b| b.write(&[0; 4_096])), "NotAKeyFile"),
        ("cut in a block, some keys lost", Box::new(|b| b.cut(LAST)), "Damaged(2)"),
        ("cut in a slot", Box::new(|b| b.cut(LAST + 20)), "Damaged(3)"),
        ("magic", Box::new(flipped(0)), "NotAKeyFile"),
        ("version of the file, 00", Box::new(flipped(7)), "UnknownVersion(0)"),
        ("version of the file, 11", Box::new(flipped(6)), "UnknownVersion(11)"),
        ("nonce of the header", Box::new(flipped(8)), "OtherRootKey"),
        ("check of the header", Box::new(flipped(20)), "OtherRootKey"),
        ("tag of the header", Box::new(flipped(36)), "OtherRootKey"),
        ("rest of the header", Box::new(flipped(52)), "NotAKeyFile"),
        ("end of the header", Box::new(flipped(127)), "NotAKeyFile"),
        ("kind of a slot", Box::new(flipped(LAST)), "Damaged(1)"),
        ("version of a slot", Box::new(flipped(LAST + 1)), "UnknownVersion(0)"),
        ("number of a slot", Box::new(flipped(LAST + 2)), "Damaged(1)"),
        ("id of a slot", Box::new(flipped(LAST + 4)), "Damaged(1)"),
        ("nonce of a slot", Box::new(flipped(LAST + 20)), "Damaged(1)"),
        ("secret of a slot", Box::new(flipped(LAST + 32)), "Damaged(1)"),
        ("tag of a slot", Box::new(flipped(LAST + 79)), "Damaged(1)"),
        ("rest of a slot", Box::new(flipped(LAST + 80)), "Damaged(1)"),
        ("end of a slot", Box::new(flipped(LAST + 127)), "Damaged(1)"),
        ("a free slot", Box::new(flipped(SLOT_LEN * 9)), "UnknownVersion(0)"),
        (
            "one name in two slots",
            Box::new(|b| {
                let mut bytes = b.bytes();
                bytes.copy_within(LAST..LAST + SLOT_LEN, LAST + SLOT_LEN);
                b.write(&bytes);
            }),
            "Damaged(1)",
        ),
        // A crash while it was made: no secret was in it yet.
        ("empty", Box::new(|b| b.cut(0)), "0 keys"),
        ("header cut short", Box::new(|b| b.cut(100)), "0 keys"),
        ("header of zeros", Box::new(|b| b.write(&[0; SLOT_LEN])), "0 keys"),
        // A crash while it grew: the new block is zeros as far as it is there.
        ("grown in part", Box::new(|b| b.cut(SLOT_LEN + BLOCK_LEN + 5_000)), "3 keys"),
        // Nobody can know what has stood in a block that is gone as a whole; the copy of a backup
        // that ends so is one in 512 of those that end with a slot.
        ("cut between blocks", Box::new(|b| b.cut(SLOT_LEN)), "0 keys"),
    ];
    for (name, change, expected) in cases {
        let bench = Bench::filled(3);
        change(&bench);
        let before = bench.bytes();
        assert_eq!(told(bench.open()), expected, "{name}");
        if !expected.ends_with("keys") {
            assert!(bench.bytes() == before, "{name}: the file was changed");
        }
    }
}

#[test]
fn another_root_key_is_noticed_before_anything_is_read() {
    let bench = Bench::filled(3);
    assert_eq!(told(Keys::open(&bench.path(), root(2))), "OtherRootKey");
    assert_eq!(told(bench.open()), "3 keys");
}

#[test]
fn a_second_gateway_is_refused() {
    let bench = Bench::filled(3);
    let first = bench.open().unwrap();
    assert_eq!(told(bench.open()), "InUse");
    drop(first);
    assert_eq!(told(bench.open()), "3 keys");
}

#[test]
fn only_the_owner_may_read_the_file() {
    let bench = Bench::filled(1);
    assert_eq!(fs::metadata(bench.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn errors_and_secrets_say_nothing_of_what_they_hold() {
    let bench = Bench::filled(1);
    let keys = bench.open().unwrap();
    let secret = keys.secret(stream(1, 0)).unwrap();
    let said = format!("{keys:?} {secret:?} {:?} {:?}", stream(1, 0), root(1));
    assert_eq!(said, "Keys Secret KeyName RootKey");
}

#[test]
fn a_secret_is_the_same_until_it_is_destroyed_and_then_another() {
    let bench = Bench::new();
    let keys = bench.open().unwrap();
    for name in [stream(1, 7), KeyName::Subject(subject(1)), KeyName::Bucket(bucket(30))] {
        assert!(keys.secret(name).is_none());
        let secret = keys.secret_or_new(name).unwrap().bytes();
        assert_eq!(keys.secret(name).unwrap().bytes(), secret);
        assert_eq!(keys.secret_or_new(name).unwrap().bytes(), secret);
        assert_eq!(keys.destroy(|of| of == name).unwrap(), 1);
        assert!(keys.secret(name).is_none());
        assert_ne!(keys.secret_or_new(name).unwrap().bytes(), secret);
    }
}

/// The wrapped bytes of the secrets of a file, by name.
fn wrapped(bench: &Bench, keys: &Keys) -> BTreeMap<KeyName, Vec<u8>> {
    let bytes = bench.bytes();
    let slot = |at: u32| SLOT_LEN * (at as usize + 1);
    keys.slots().into_iter().map(|(name, at)| (name, bytes[slot(at) + 32..slot(at) + 80].to_vec())).collect()
}

#[test]
fn a_destroyed_secret_stands_nowhere_in_the_folder() {
    let bench = Bench::filled(40);
    let keys = bench.open().unwrap();
    let secrets: BTreeMap<_, _> =
        keys.names().into_iter().map(|name| (name, keys.secret(name).unwrap().bytes())).collect();
    let wrapped = wrapped(&bench, &keys);
    let goes = |name: KeyName| matches!(name, KeyName::Stream(_, StreamNumber(number)) if number % 3 == 0);
    assert_eq!(keys.destroy(goes).unwrap(), 14);
    let files = Files::of(bench.folder.path());
    for (name, secret) in &secrets {
        assert_eq!(files.find(secret), 0, "a secret stands there wrapped only");
        assert_eq!(files.find(&wrapped[name]), usize::from(!goes(*name)));
    }
    drop(keys);
    let keys = bench.open().unwrap();
    for (name, secret) in &secrets {
        let left = keys.secret(*name).map(|secret| secret.bytes());
        assert_eq!(left, Some(*secret).filter(|_| !goes(*name)));
    }
}

#[test]
fn a_subject_s_secrets_are_destroyed_and_no_others() {
    let bench = Bench::new();
    let keys = bench.open().unwrap();
    let mut names = BTreeSet::from([KeyName::Bucket(bucket(1)), KeyName::Bucket(bucket(30))]);
    for of in [0, 1, 2, 255] {
        names.extend([0, 1, 500, u16::MAX].map(|number| stream(of, number)));
        names.insert(KeyName::Subject(subject(of)));
    }
    names.iter().for_each(|name| drop(keys.secret_or_new(*name).unwrap()));
    for of in [1, 255, 1, 9] {
        let expected = names.iter().filter(|name| name.is_of(subject(of))).count();
        assert_eq!(keys.destroy_all_of(subject(of)).unwrap(), expected);
        names.retain(|name| !name.is_of(subject(of)));
        assert!(keys.names().into_iter().collect::<BTreeSet<_>>() == names);
    }
    drop(keys);
    assert!(bench.open().unwrap().names().into_iter().collect::<BTreeSet<_>>() == names);
}

#[test]
fn the_file_grows_by_blocks_and_uses_slots_again() {
    let bench = Bench::filled(513);
    let two_blocks = SLOT_LEN + 2 * BLOCK_LEN;
    assert_eq!(bench.bytes().len(), two_blocks);
    let keys = bench.open().unwrap();
    for _ in 0..3 {
        assert_eq!(keys.destroy(|_| true).unwrap(), keys.slots().len().max(513));
        assert!(bench.bytes()[SLOT_LEN..].iter().all(|byte| *byte == 0));
        (0..513).for_each(|number| drop(keys.secret_or_new(stream(2, number)).unwrap()));
        assert_eq!(bench.bytes().len(), two_blocks);
    }
    (513..1_025).for_each(|number| drop(keys.secret_or_new(stream(2, number)).unwrap()));
    assert_eq!(bench.bytes().len(), two_blocks + BLOCK_LEN);
    drop(keys);
    assert_eq!(told(bench.open()), "1025 keys");
}

#[test]
fn a_block_that_was_cut_short_is_written_whole_when_it_is_needed() {
    let bench = Bench::filled(512);
    OpenOptions::new()
        .write(true)
        .open(bench.path())
        .unwrap()
        .set_len((SLOT_LEN + BLOCK_LEN + 777) as u64)
        .unwrap();
    let keys = bench.open().unwrap();
    keys.secret_or_new(stream(9, 9)).unwrap();
    keys.sync().unwrap();
    assert_eq!(bench.bytes().len(), SLOT_LEN + 2 * BLOCK_LEN);
    drop(keys);
    assert_eq!(told(bench.open()), "513 keys");
}

#[test]
fn a_renewed_secret_takes_the_place_of_the_one_before_whenever_it_is_cut_short() {
    let (of, number, streams) = (subject(1), StreamNumber(7), BTreeSet::from([StreamNumber(7)]));
    for cut in 0..4 {
        let bench = Bench::new();
        let mut keys = bench.open().unwrap();
        let before = keys.secret_or_new(stream(1, 7)).unwrap().bytes();
        keys.part_key_or_new(of, number, bucket(1)).unwrap();
        keys.renew(of, number);
        assert!(keys.part_key(of, number, bucket(1)).is_none(), "made when it is needed");
        keys.part_key_or_new(of, number, bucket(1)).unwrap();
        let after = keys.secret(KeyName::Renewed(of, number)).unwrap().bytes();
        assert!(before != after && keys.part_key_before(of, number, bucket(1)).is_some());
        keys.sync().unwrap();
        // A name has one slot: it cannot be settled while the other one stands there.
        keys.settle(of, &streams).unwrap();
        assert_eq!(keys.names().len(), 3);
        keys.renew(of, number);
        if cut >= 1 {
            assert_eq!(keys.destroy_before(of, &streams).unwrap(), 1);
        }
        if cut >= 2 {
            keys.settle(of, &streams).unwrap();
        }
        if cut != 3 {
            drop(keys);
            keys = bench.open().unwrap();
        }
        assert_eq!(keys.streams_of(of), streams);
        assert_eq!(keys.part_key_before(of, number, bucket(1)).is_some(), cut == 0);
        keys.destroy_before(of, &streams).unwrap();
        keys.settle(of, &streams).unwrap();
        let held = if cut >= 2 { None } else { Some(after) };
        let there = keys.secret(stream(1, 7)).map(|secret| secret.bytes());
        assert_eq!(there, held, "cut after step {cut}");
    }
}

/// Like a map: whatever is asked for and destroyed, with starts in between.
#[test]
fn keys_are_like_a_map_and_no_two_share_a_slot() {
    for seed in 0..6 {
        let (mut dice, bench) = (Dice(seed), Bench::new());
        let mut keys = bench.open().unwrap();
        let mut model = BTreeMap::<KeyName, [u8; SECRET_LEN]>::new();
        for _ in 0..400 {
            let name = match dice.below(3) {
                0 => stream(dice.below(9) as u8, dice.below(90) as u16),
                1 => KeyName::Subject(subject(dice.below(9) as u8)),
                _ => KeyName::Bucket(bucket(dice.below(400))),
            };
            match dice.below(40) {
                0..30 => {
                    let secret = keys.secret_or_new(name).unwrap().bytes();
                    assert_eq!(secret, *model.entry(name).or_insert(secret), "seed {seed}");
                }
                30..36 => {
                    let gone = keys.destroy(|of| of == name).unwrap();
                    assert_eq!(gone, usize::from(model.remove(&name).is_some()), "seed {seed}");
                }
                36 => {
                    let of = subject(dice.below(9) as u8);
                    keys.destroy_all_of(of).unwrap();
                    model.retain(|name, _| !name.is_of(of));
                }
                37 => keys.sync().unwrap(),
                _ => {
                    drop(keys);
                    keys = bench.open().unwrap();
                }
            }
            let slots = keys.slots();
            let distinct: BTreeSet<u32> = slots.values().copied().collect();
            assert_eq!(distinct.len(), slots.len(), "seed {seed}: two share a slot");
            assert!(slots.keys().eq(model.keys()), "seed {seed}");
        }
        let all = keys.names().into_iter().map(|name| (name, keys.secret(name).unwrap().bytes()));
        assert!(all.eq(model), "seed {seed}");
    }
}

#[test]
fn what_could_not_be_destroyed_is_gone_from_memory_and_tried_again() {
    let bench = Bench::filled(3);
    let mut keys = bench.open().unwrap();
    let wrapped = wrapped(&bench, &keys);
    let disk = keys.set_disk(File::open(bench.path()).unwrap());
    assert!(matches!(keys.destroy(|name| name == stream(1, 0)), Err(KeysError::Disk(_))));
    assert!(keys.secret(stream(1, 0)).is_none());
    assert_eq!(found_in(bench.folder.path(), &wrapped[&stream(1, 0)]), 1, "the disk has it still");
    // Whoever asks again must not hear that there was nothing to do.
    assert!(matches!(keys.destroy(|name| name == stream(1, 0)), Err(KeysError::Disk(_))));
    drop(keys.set_disk(disk));
    assert_eq!(keys.destroy(|_| false).unwrap(), 0);
    assert_eq!(found_in(bench.folder.path(), &wrapped[&stream(1, 0)]), 0);
    // Nothing new is made where the disk has failed once.
    assert!(matches!(keys.secret_or_new(stream(5, 5)), Err(KeysError::Disk(_))));
    assert!(keys.secret_or_new(stream(1, 1)).is_ok(), "what is there already may be used");
}

/// A disk may say yes to the second sync and have lost what the first one failed to write.
#[test]
fn a_sync_that_failed_is_not_believed_the_next_time() {
    let bench = Bench::filled(1);
    let mut keys = bench.open().unwrap();
    keys.secret_or_new(stream(2, 2)).unwrap();
    // A pipe cannot be synced.
    let (reader, _writer) = std::io::pipe().unwrap();
    let disk = keys.set_disk(File::from(std::os::fd::OwnedFd::from(reader)));
    assert!(matches!(keys.sync(), Err(KeysError::Disk(_))));
    drop(keys.set_disk(disk));
    assert!(matches!(keys.sync(), Err(KeysError::Disk(_))));
    assert!(matches!(keys.part_key_or_new(subject(7), StreamNumber(1), bucket(1)), Err(KeysError::Disk(_))));
}

#[test]
fn a_full_disk_keeps_new_keys_out_and_destroys_old_ones() {
    let bench = Bench::filled(512);
    let mut keys = bench.open().unwrap();
    let disk = keys.set_disk(OpenOptions::new().read(true).write(true).open("/dev/full").unwrap());
    assert!(matches!(keys.secret_or_new(stream(2, 0)), Err(KeysError::Full)));
    assert!(keys.secret_or_new(stream(1, 0)).is_ok());
    drop(keys.set_disk(disk));
    // A destroyed secret makes room for a new one without any on the disk; then there is room again.
    assert_eq!(keys.destroy(|name| name == stream(1, 0)).unwrap(), 1);
    keys.secret_or_new(stream(2, 0)).unwrap();
    assert_eq!(bench.bytes().len(), SLOT_LEN + BLOCK_LEN);
    keys.secret_or_new(stream(2, 1)).unwrap();
    keys.sync().unwrap();
    assert_eq!(bench.bytes().len(), SLOT_LEN + 2 * BLOCK_LEN);
}

#[test]
fn derived_keys_are_kept_and_bounded_and_go_with_any_secret() {
    let bench = Bench::new();
    let keys = bench.open().unwrap();
    let of = |number| (subject(1), StreamNumber(number), bucket(30));
    let key = |number| {
        let (subject, stream, bucket) = of(number);
        keys.part_key(subject, stream, bucket)
    };
    assert!(key(1).is_none());
    assert_eq!(keys.derived(), 0);
    let made = keys.part_key_or_new(subject(1), StreamNumber(1), bucket(30)).unwrap();
    assert!(Arc::ptr_eq(&made, &key(1).unwrap()));
    for number in 0..6_000 {
        keys.part_key_or_new(subject(1), StreamNumber(number), bucket(30)).unwrap();
        assert!(Arc::ptr_eq(&key(number).unwrap(), &key(number).unwrap()));
        // What is used stays, however many others come.
        assert!(Arc::ptr_eq(&made, &key(1).unwrap()));
    }
    assert!(keys.derived() <= 4_096);
    keys.destroy(|name| name == stream(1, 5)).unwrap();
    assert_eq!(keys.derived(), 0);
    assert!(key(5).is_none() && key(1).is_some());
    keys.destroy(|name| matches!(name, KeyName::Bucket(_))).unwrap();
    assert!((0..6_000).all(|number| key(number).is_none()));
}

#[test]
fn each_name_reads_back_from_its_slot() {
    let mut dice = Dice(1);
    let mut names = vec![stream(0, 0), stream(255, u16::MAX), KeyName::Subject(subject(0))];
    names.extend((0..200).map(|_| {
        let keep = u32::try_from(dice.below(1 << 32)).unwrap();
        KeyName::Bucket(Bucket::of(NOW + dice.below(9_000 * DAY), keep))
    }));
    for name in names {
        let secret = Secret::of([dice.roll() as u8; SECRET_LEN]);
        let written = slot::write(name, &secret, &root(1)).unwrap();
        let Slot::Live(read, opened) = slot::read(&written, &root(1)) else { panic!("not live") };
        assert!(read == name && opened.bytes() == secret.bytes());
        assert!(matches!(slot::read(&written, &root(2)), Slot::Damaged));
    }
}

#[test]
fn the_vectors_of_the_document_are_what_is_written() {
    let nonce = *b"nonce-of-12b";
    assert_eq!(slot::header_with(&root(1), nonce).unwrap().as_slice(), vector("key-file-header"));
    let stream = KeyName::Stream(subject(0xAB), StreamNumber(258));
    let bucket = KeyName::Bucket(Bucket::from_parts(3, 66_051).unwrap());
    let names = [
        ("key-slot-stream", stream),
        ("key-slot-subject", KeyName::Subject(subject(0xAB))),
        ("key-slot-bucket", bucket),
        ("key-slot-renewed", KeyName::Renewed(subject(0xAB), StreamNumber(258))),
    ];
    for (vector_name, name) in names {
        let secret = Secret::of([0x11; SECRET_LEN]);
        assert_eq!(slot::write_with(name, &secret, &root(1), nonce).unwrap().as_slice(), vector(vector_name));
    }
    assert_eq!(super::root::format(&[1; 32]).as_bytes(), vector("root-key"));
}

mod root_key {
    use super::*;

    fn path() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        (folder, path)
    }

    #[test]
    fn it_is_made_once_for_its_owner_only_and_stays_the_same() {
        let (folder, path) = path();
        let keys = folder.path().join("keys");
        drop(Keys::open(&keys, RootKey::open_or_create(&path).unwrap()).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read(&path).unwrap();
        assert_eq!(text.len(), 86);
        drop(Keys::open(&keys, RootKey::open_or_create(&path).unwrap()).unwrap());
        assert_eq!(fs::read(&path).unwrap(), text);
    }

    #[test]
    fn its_text_reads_back() {
        for bytes in [[0; 32], [255; 32], std::array::from_fn(|at| at as u8)] {
            let text = super::super::root::format(&bytes);
            assert_eq!(*super::super::root::parse(text.as_bytes()).unwrap(), bytes);
            assert_eq!(*super::super::root::parse(text.trim_end().as_bytes()).unwrap(), bytes);
        }
    }

    #[test]
    fn a_wrong_text_is_refused_and_not_shown() {
        let digits = "0f".repeat(32);
        let good = format!("housecarl-root-key-1:{digits}\n");
        let bad: Vec<Vec<u8>> = vec![
            b"\n".to_vec(),
            digits.clone().into_bytes(),
            good.replace("key-1", "key-2").into_bytes(),
            good.replace("0f0f\n", "0f0\n").into_bytes(),
            good.replace("0f\n", "0f00\n").into_bytes(),
            good.replace("0f\n", "0g\n").into_bytes(),
            good.replace("0f\n", "+f\n").into_bytes(),
            [good.as_bytes(), b"x"].concat(),
            [b"\xEF\xBB\xBF", good.as_bytes()].concat(),
            vec![0xFF; 86],
            vec![b' '; 100_000],
        ];
        for text in bad {
            let (_folder, path) = path();
            fs::write(&path, &text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = RootKey::open_or_create(&path).unwrap_err();
            assert!(matches!(error, RootKeyError::NotARootKey(_)), "{error}");
            assert!(!error.to_string().contains("0f0f"));
            assert_eq!(fs::read(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let (_folder, path) = path();
        drop(RootKey::open_or_create(&path).unwrap());
        for mode in [0o640, 0o604, 0o620, 0o644, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = RootKey::open_or_create(&path).unwrap_err();
            assert!(matches!(error, RootKeyError::Exposed(_)), "{mode:o}");
        }
        for mode in [0o600, 0o400] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(RootKey::open_or_create(&path).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn an_empty_file_is_one_whose_making_was_cut_short() {
        let (_folder, path) = path();
        fs::write(&path, b"").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        drop(RootKey::open_or_create(&path).unwrap());
        assert_eq!(fs::read(&path).unwrap().len(), 86);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let (folder, _) = path();
        let error = RootKey::open_or_create(&folder.path().join("none").join("root.key")).unwrap_err();
        assert!(matches!(error, RootKeyError::Io(..)));
    }
}
