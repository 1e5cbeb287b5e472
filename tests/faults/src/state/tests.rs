//! The laws of the disk, over random histories: what a cut may take, and what it may not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;

use super::{Asked, ROOT, State};
use crate::content::SECTOR;
use crate::dice::Dice;
use crate::faults::{Faults, Kind};
use fuser::Errno;

const SEEDS: u64 = 300;

/// The disk as it is found when the power comes back under a seed.
fn after_a_cut(state: &State, seed: u64) -> State {
    let mut state = state.clone();
    state.reseed(seed);
    state.cut();
    state.restore();
    state
}

/// Everything there is, by its path.
fn tree(state: &State) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut tree = BTreeMap::new();
    let mut left = vec![(ROOT, String::new())];
    while let Some((directory, path)) = left.pop() {
        for (name, found) in state.list(directory) {
            let path = format!("{path}/{}", name.to_str().unwrap());
            if found.directory {
                left.push((found.number, path.clone()));
            }
            let bytes = (!found.directory).then(|| state.read(found.number, 0, u64::MAX).unwrap());
            tree.insert(path, bytes);
        }
    }
    tree
}

fn names(state: &State) -> BTreeSet<String> {
    tree(state).into_keys().collect()
}

/// Directories and files, by their numbers.
fn numbers(state: &State) -> (Vec<u64>, Vec<u64>) {
    let (mut directories, mut files) = (vec![ROOT], Vec::new());
    let mut at = 0;
    while at < directories.len() {
        for (_, found) in state.list(directories[at]) {
            if found.directory { &mut directories } else { &mut files }.push(found.number);
        }
        at += 1;
    }
    (directories, files)
}

fn one_of<T: Copy>(of: &[T], dice: &mut Dice) -> Option<T> {
    of.get(dice.below(of.len())).copied()
}

/// One random change of a name; most fail, as they may.
fn change_a_name(state: &mut State, dice: &mut Dice) -> Asked<()> {
    let (directories, files) = numbers(state);
    let name = |dice: &mut Dice| OsString::from(format!("n{}", dice.below(6)));
    let (from, to) = (one_of(&directories, dice).unwrap(), one_of(&directories, dice).unwrap());
    let (old, new) = (name(dice), name(dice));
    match dice.below(8) {
        0..3 => state.create(from, &old, 0o644).map(drop),
        3 if directories.len() < 4 => state.create_directory(from, &old, 0o755).map(drop),
        4 => state.link(one_of(&files, dice).ok_or(Errno::ENOENT)?, to, &new).map(drop),
        5 => state.remove(from, &old, dice.percent(50)),
        // The kernel keeps programs from moving a directory below itself.
        _ if state.lookup(from, &old)?.directory => Err(Errno::EINVAL),
        _ => state.rename((from, &old), (to, &new), true),
    }
}

fn change_a_file(state: &mut State, dice: &mut Dice) -> Asked<()> {
    let file = one_of(&numbers(state).1, dice).ok_or(Errno::ENOENT)?;
    let offset = dice.below(5000) as u64;
    match dice.below(8) {
        0 => state.set_len(file, offset),
        1 => state.allocate(file, offset, 1 + dice.below(3000) as u64, dice.percent(50)),
        _ => {
            let byte = 1 + dice.below(255) as u8;
            state.write(file, offset, &vec![byte; dice.below(3000)])
        }
    }
}

fn history(seed: u64, length: usize) -> State {
    let mut state = State::new(seed);
    let mut dice = Dice::of(seed);
    for _ in 0..length {
        let (directories, files) = numbers(&state);
        let _refused = match dice.below(10) {
            0..3 => change_a_name(&mut state, &mut dice),
            3 => one_of(&files, &mut dice).map_or(Ok(()), |file| state.sync(file)),
            4 => one_of(&directories, &mut dice).map_or(Ok(()), |at| state.sync_directory(at)),
            _ => change_a_file(&mut state, &mut dice),
        };
    }
    state
}

#[test]
fn what_was_synced_is_found_whatever_happened_before() {
    for seed in 0..SEEDS {
        let mut state = history(seed, 120);
        let (directories, files) = numbers(&state);
        for file in files {
            state.sync(file).unwrap();
        }
        for directory in directories {
            state.sync_directory(directory).unwrap();
        }
        assert_eq!(tree(&after_a_cut(&state, seed)), tree(&state), "seed {seed}");
    }
}

#[test]
fn a_second_cut_takes_nothing_more() {
    for seed in 0..SEEDS {
        let once = after_a_cut(&history(seed, 120), seed);
        assert_eq!(tree(&after_a_cut(&once, seed + 1)), tree(&once), "seed {seed}");
    }
}

#[test]
fn names_are_those_of_one_moment_since_their_sync() {
    for seed in 0..SEEDS {
        let mut state = State::new(seed);
        let mut dice = Dice::of(seed);
        let mut moments = vec![names(&state)];
        for at in 0..60 {
            let _refused = change_a_name(&mut state, &mut dice);
            moments.push(names(&state));
            if at == 30 {
                for directory in numbers(&state).0 {
                    state.sync_directory(directory).unwrap();
                }
                moments.drain(..moments.len() - 1);
            }
        }
        let found = names(&after_a_cut(&state, seed));
        assert!(moments.contains(&found), "seed {seed}: {found:?}");
    }
}

#[test]
fn names_are_lost_from_the_last_on() {
    let mut state = State::new(0);
    for name in ["a", "b", "c"] {
        state.create(ROOT, name.as_ref(), 0o644).unwrap();
    }
    let found: BTreeSet<String> =
        (0..SEEDS).map(|seed| names(&after_a_cut(&state, seed)).into_iter().collect()).collect();
    assert_eq!(found, ["", "/a", "/a/b", "/a/b/c"].map(str::to_owned).into());
}

#[test]
fn each_sector_is_one_that_was_written_since_its_sync() {
    let mut older_beside_newer = 0;
    for seed in 0..SEEDS {
        let mut dice = Dice::of(seed);
        let mut state = State::new(seed);
        let file = state.create(ROOT, "f".as_ref(), 0o644).unwrap().number;
        state.sync_directory(ROOT).unwrap();
        // Per sector, the bytes that may be found.
        let mut may = vec![BTreeSet::from([0]); 8];
        state.set_len(file, 8 * SECTOR).unwrap();
        for round in 1..=40 {
            let first = dice.below(8);
            let count = 1 + dice.below(8 - first);
            let data = vec![round; count * SECTOR as usize];
            state.write(file, first as u64 * SECTOR, &data).unwrap();
            may[first..first + count].iter_mut().for_each(|may| may.extend([round]));
            if dice.percent(10) {
                state.sync(file).unwrap();
                let now = state.read(file, 0, u64::MAX).unwrap();
                for (may, sector) in may.iter_mut().zip(now.chunks(SECTOR as usize)) {
                    *may = BTreeSet::from([sector[0]]);
                }
            }
        }
        let found = after_a_cut(&state, seed).read(file, 0, u64::MAX).unwrap();
        let mut seen = Vec::new();
        for (sector, may) in found.chunks(SECTOR as usize).zip(&may) {
            assert!(sector.iter().all(|byte| *byte == sector[0]), "seed {seed}: a sector is torn");
            assert!(may.contains(&sector[0]), "seed {seed}: {} is none of {may:?}", sector[0]);
            seen.push((may.last() != Some(&sector[0]), may.len() > 1));
        }
        older_beside_newer += u64::from(seen.contains(&(true, true)) && seen.contains(&(false, true)));
    }
    assert!(older_beside_newer > SEEDS / 10, "only {older_beside_newer} histories were mixed");
}

#[test]
fn unsynced_writes_are_kept_in_every_combination() {
    let mut state = State::new(0);
    let file = state.create(ROOT, "f".as_ref(), 0o644).unwrap().number;
    state.write(file, 0, &[b'-'; 3 * SECTOR as usize]).unwrap();
    state.sync(file).unwrap();
    state.sync_directory(ROOT).unwrap();
    for at in 0..3 {
        state.write(file, at * SECTOR, &[b'x'; SECTOR as usize]).unwrap();
    }
    let found = |seed| after_a_cut(&state, seed).read(file, 0, u64::MAX).unwrap();
    let all: BTreeSet<Vec<u8>> = (0..SEEDS)
        .map(|seed| found(seed).chunks(SECTOR as usize).map(|sector| sector[0]).collect())
        .collect();
    assert_eq!(all.len(), 8, "{all:?}");
}

#[test]
fn growth_ends_anywhere_and_shows_no_byte_that_was_not_there() {
    let mut state = State::new(0);
    let file = state.create(ROOT, "f".as_ref(), 0o644).unwrap().number;
    state.sync_directory(ROOT).unwrap();
    for at in 0..4 {
        state.write(file, at * 700, &[b'x'; 700]).unwrap();
    }
    let (mut lengths, mut holes) = (BTreeSet::new(), 0);
    for seed in 0..SEEDS {
        let mut found = after_a_cut(&state, seed);
        let len = found.attributes(file).unwrap().len;
        lengths.insert(len);
        holes += u64::from(found.read(file, 0, len).unwrap().contains(&0));
        // What lay past the end of the last sector must not come to light when the file grows.
        found.set_len(file, 8000).unwrap();
        let grown = found.read(file, 0, u64::MAX).unwrap();
        assert!(grown[usize::try_from(len).unwrap()..].iter().all(|byte| *byte == 0), "seed {seed}");
    }
    assert!(lengths.is_superset(&BTreeSet::from([0, 700, 1400, 2100, 2800])), "{lengths:?}");
    assert!(lengths.iter().any(|len| *len > 0 && len % SECTOR == 0), "none inside a write: {lengths:?}");
    assert!(holes > 0, "no length was noted before its bytes");
}

#[test]
fn bytes_in_place_need_no_length() {
    let mut state = State::new(0);
    let file = state.create(ROOT, "f".as_ref(), 0o644).unwrap().number;
    state.write(file, 0, &[b'o'; 512]).unwrap();
    state.sync(file).unwrap();
    state.sync_directory(ROOT).unwrap();
    state.set_len(file, 2048).unwrap();
    state.write(file, 0, &[b'n'; 512]).unwrap();
    let found = |seed| after_a_cut(&state, seed).read(file, 0, u64::MAX).unwrap();
    let fates: BTreeSet<(usize, u8)> = (0..SEEDS).map(|seed| (found(seed).len(), found(seed)[0])).collect();
    assert_eq!(fates, [(512, b'o'), (512, b'n'), (2048, b'o'), (2048, b'n')].into());
}

#[test]
fn after_a_lost_truncation_nothing_newer_is_found() {
    let mut state = State::new(0);
    let file = state.create(ROOT, "f".as_ref(), 0o644).unwrap().number;
    state.write(file, 0, &[b'o'; 2048]).unwrap();
    state.sync(file).unwrap();
    state.sync_directory(ROOT).unwrap();
    state.set_len(file, 0).unwrap();
    state.write(file, 0, &[b'n'; 2048]).unwrap();
    for seed in 0..SEEDS {
        let found = after_a_cut(&state, seed).read(file, 0, u64::MAX).unwrap();
        assert!(!(found.contains(&b'o') && found.contains(&b'n')), "seed {seed}: old and new are mixed");
    }
}

#[test]
fn a_failed_sync_is_not_made_good_by_the_next() {
    let mut state = State::new(0);
    let file = state.create(ROOT, "f".as_ref(), 0o644).unwrap().number;
    state.sync_directory(ROOT).unwrap();
    state.write(file, 0, &[b'x'; 2048]).unwrap();
    let mut lost = 0;
    for seed in 0..SEEDS {
        let mut state = state.clone();
        state.reseed(seed);
        state.faults = Faults { fail_sync_after: Some(0), ..Faults::default() };
        assert_eq!(state.sync(file), Err(Errno::EIO));
        assert_eq!(state.read(file, 0, u64::MAX).unwrap(), [b'x'; 2048], "programs still read it");
        assert_eq!(state.sync(file), Ok(()));
        lost += u64::from(after_a_cut(&state, seed).read(file, 0, u64::MAX).unwrap() != [b'x'; 2048]);
        // To write again is to sync again.
        state.write(file, 0, &[b'y'; 2048]).unwrap();
        assert_eq!(state.sync(file), Ok(()));
        assert_eq!(after_a_cut(&state, seed).read(file, 0, u64::MAX).unwrap(), [b'y'; 2048]);
    }
    assert!((SEEDS / 10..SEEDS).contains(&lost), "{lost} of {SEEDS} were lost");
}

#[test]
fn a_full_disk_refuses_what_needs_room_and_no_more() {
    let mut state = State::new(0);
    state.faults.full_after_bytes = Some(4 * SECTOR);
    let full = state.create(ROOT, "full".as_ref(), 0o644).unwrap().number;
    let reserve = state.create(ROOT, "reserve".as_ref(), 0o644).unwrap().number;
    state.allocate(reserve, 0, 2 * SECTOR, false).unwrap();
    state.write(full, 0, &[b'x'; 1024]).unwrap();
    assert_eq!(state.room(), (0, 4));
    assert_eq!(state.write(full, 1024, b"x"), Err(Errno::ENOSPC));
    assert_eq!(state.allocate(full, 1024, 1, true), Err(Errno::ENOSPC));
    state.write(reserve, 0, &[b'r'; 1024]).unwrap();
    state.write(full, 0, b"in place").unwrap();
    // An open file keeps its room until it is closed.
    state.open(full).unwrap();
    state.remove(ROOT, "full".as_ref(), false).unwrap();
    assert_eq!(state.write(reserve, 1024, b"x"), Err(Errno::ENOSPC));
    state.close(full).unwrap();
    state.write(reserve, 1024, b"x").unwrap();
    state.set_len(reserve, 0).unwrap();
    assert_eq!(state.room(), (4, 4));
}

type Step = fn(&mut State, u64) -> Asked<()>;

#[test]
fn the_power_goes_in_the_midst_of_the_one_that_was_named() {
    for (kind, expected) in [(Kind::Write, 3), (Kind::Sync, 4), (Kind::Name, 5), (Kind::Any, 2)] {
        let mut state = State::new(0);
        let session = state.begin_session();
        state.cut_at(kind, 2);
        let file = state.create(ROOT, "f".as_ref(), 0o644).unwrap().number;
        let steps: [Step; 4] = [
            |state, file| state.write(file, 0, b"x"),
            |state, file| state.write(file, 1, b"x"),
            |state, file| state.sync(file).and_then(|()| state.sync(file)),
            |state, _| state.create(ROOT, "g".as_ref(), 0o644).map(drop),
        ];
        let done = steps.iter().take_while(|step| step(&mut state, file).is_ok()).count();
        assert_eq!(done + 2, expected, "{kind:?}");
        assert!(!state.powered());
        assert_eq!(state.serves(session), Err(Errno::EIO));
        assert_eq!(state.counts.cuts, 1);
    }
}

#[test]
fn one_seed_is_one_fate() {
    let state = history(7, 200);
    assert_eq!(tree(&after_a_cut(&state, 1)), tree(&after_a_cut(&state, 1)));
    let fates: BTreeSet<_> = (0..20).map(|seed| tree(&after_a_cut(&state, seed))).collect();
    assert!(fates.len() > 5, "only {} fates", fates.len());
    assert_eq!(state.find(Path::new("none")), Err(Errno::ENOENT));
}
