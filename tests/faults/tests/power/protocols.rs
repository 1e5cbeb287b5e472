//! Ways to write to a disk, known to be safe or known to be not: each is cut at every operation it does, and each of
//! those cuts falls out in a hundred ways.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use housecarl_faults::{Disk, Faults, Kind};
use nix::fcntl::{FallocateFlags, fallocate};

use crate::program::{self, Place, say};

const FATES: u64 = 100;
const OPERATIONS_MAX: u64 = 200;

struct Protocol {
    name: &'static str,
    run: fn(&Path) -> io::Result<()>,
    /// Whether the disk keeps what was acknowledged, `acked` being the last number that was.
    kept: fn(&Disk, acked: u64) -> bool,
    safe: bool,
    faults: Faults,
}

const NO_FAULTS: Faults = Faults {
    fail_sync_after: None,
    full_after_bytes: None,
    slow_sync: std::time::Duration::ZERO,
    ignore_syncs: false,
};

/// The sync of the file, behind that of the folder, fails.
const FAILING: Faults = Faults { fail_sync_after: Some(1), ..NO_FAULTS };

const fn safe(
    name: &'static str,
    run: fn(&Path) -> io::Result<()>,
    kept: fn(&Disk, u64) -> bool,
) -> Protocol {
    Protocol { name, run, kept, safe: true, faults: NO_FAULTS }
}

const fn unsafe_(
    name: &'static str,
    run: fn(&Path) -> io::Result<()>,
    kept: fn(&Disk, u64) -> bool,
) -> Protocol {
    Protocol { safe: false, ..safe(name, run, kept) }
}

const PROTOCOLS: &[Protocol] = &[
    safe("write, sync file, sync folder", |at| create(at, true, true), created),
    unsafe_("write, sync file", |at| create(at, true, false), created),
    unsafe_("write, sync folder", |at| create(at, false, true), created),
    safe("replace by rename", |at| replace(at, true), replaced),
    unsafe_("replace by rename, unsynced", |at| replace(at, false), replaced),
    safe("log", |at| log(at, true), logged),
    unsafe_("log, unsynced", |at| log(at, false), logged),
    safe("overwrite preallocated", |at| overwrite(at, true), overwritten),
    unsafe_("overwrite preallocated, unsynced", |at| overwrite(at, false), overwritten),
    safe("move between folders", move_it, moved),
    safe("append by a second name", link_it, linked),
    Protocol { faults: FAILING, ..safe("write again after a failed sync", |at| insist(at, true), insisted) },
    Protocol {
        faults: FAILING,
        ..unsafe_("sync again after a failed sync", |at| insist(at, false), insisted)
    },
];

pub(crate) fn program(name: &str, at: &Path) -> Option<io::Result<()>> {
    let protocol = PROTOCOLS.iter().find(|protocol| protocol.name == name)?;
    Some((protocol.run)(at))
}

#[test]
fn the_safe_ways_lose_nothing_and_the_others_do() {
    let Some(place) = Place::new() else { return };
    for protocol in PROTOCOLS {
        let (mut fates, mut broken) = (0, 0);
        for n in 1..=OPERATIONS_MAX {
            let disk = Disk::new(n);
            disk.faults(protocol.faults);
            disk.cut_at(Kind::Any, n);
            let run = program::run(protocol.name, &place.mount(&disk));
            let ended = disk.powered();
            assert_eq!(run.well, ended, "`{}` did not end as its disk did at {n}", protocol.name);
            disk.cut();
            let acked = run.numbers("acked").last().copied().unwrap_or(0);
            for seed in 0..FATES {
                fates += 1;
                let kept = (protocol.kept)(&disk.fork(seed), acked);
                assert!(kept || !protocol.safe, "`{}` lost, operation {n}, seed {seed}", protocol.name);
                broken += u32::from(!kept);
            }
            if ended {
                break;
            }
            assert!(n < OPERATIONS_MAX, "`{}` has no end", protocol.name);
        }
        eprintln!("{:>5} of {fates:>5} fates broken: {}", broken, protocol.name);
        assert_eq!(broken == 0, protocol.safe, "`{}`", protocol.name);
    }
}

fn sync_folder(at: &Path) -> io::Result<()> {
    File::open(at)?.sync_all()
}

fn bytes(number: u64, len: usize) -> Vec<u8> {
    (0..len).map(|at| (number as usize * 31 + at * 7 + at / 512) as u8 | 1).collect()
}

fn write_new(path: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    if sync { file.sync_all() } else { Ok(()) }
}

fn create(at: &Path, file: bool, folder: bool) -> io::Result<()> {
    write_new(&at.join("a"), &bytes(1, 3000), file)?;
    if folder {
        sync_folder(at)?;
    }
    say("acked 1");
    Ok(())
}

fn created(disk: &Disk, acked: u64) -> bool {
    acked == 0 || disk.read("a") == Some(bytes(1, 3000))
}

fn replace(at: &Path, sync: bool) -> io::Result<()> {
    write_new(&at.join("settings"), &bytes(1, 2000), true)?;
    sync_folder(at)?;
    say("acked 1");
    for number in 2..=3 {
        write_new(&at.join("new"), &bytes(number, 2500), sync)?;
        fs::rename(at.join("new"), at.join("settings"))?;
        sync_folder(at)?;
        say(&format!("acked {number}"));
    }
    Ok(())
}

fn replaced(disk: &Disk, acked: u64) -> bool {
    let found = disk.read("settings");
    let is = |number| found == Some(bytes(number, if number == 1 { 2000 } else { 2500 }));
    acked == 0 || is(acked) || is(acked + 1)
}

/// Records of 700 bytes, so that they lie across sectors: their number, bytes, and a sum.
fn record(number: u64) -> Vec<u8> {
    let mut record = number.to_le_bytes().to_vec();
    record.extend(bytes(number, 684));
    let sum = record.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    record.extend(sum.to_le_bytes());
    record
}

const RECORDS: u64 = 6;

fn log(at: &Path, sync: bool) -> io::Result<()> {
    let mut log = OpenOptions::new().append(true).create(true).open(at.join("log"))?;
    sync_folder(at)?;
    for number in 1..=RECORDS {
        log.write_all(&record(number))?;
        if sync {
            log.sync_data()?;
        }
        say(&format!("acked {number}"));
    }
    Ok(())
}

fn whole_records(disk: &Disk) -> Vec<bool> {
    let log = disk.read("log").unwrap_or_default();
    (1..=RECORDS).zip(log.chunks(700)).map(|(number, found)| found == record(number)).collect()
}

fn logged(disk: &Disk, acked: u64) -> bool {
    let prefix = whole_records(disk).iter().take_while(|whole| **whole).count();
    prefix as u64 >= acked
}

#[test]
fn what_is_unsynced_of_a_log_is_torn_and_reordered() {
    let Some(place) = Place::new() else { return };
    let disk = Disk::new(0);
    assert!(program::run("log, unsynced", &place.mount(&disk)).well);
    disk.cut();
    let (mut short, mut torn, mut reordered) = (0, 0, 0);
    for seed in 0..FATES {
        let fate = disk.fork(seed);
        let whole = whole_records(&fate);
        short += u32::from(whole.len() < RECORDS as usize);
        torn += u32::from(fate.counts().writes_torn > 0);
        reordered += u32::from(whole.windows(2).any(|two| two == [false, true]));
    }
    eprintln!(
        "of {FATES} fates of a log: {short} short, {torn} torn, {reordered} with a record behind a hole"
    );
    assert!(short > 0 && torn > 0 && reordered > 0);
}

fn overwrite(at: &Path, sync: bool) -> io::Result<()> {
    let file = File::create(at.join("slots"))?;
    fallocate(&file, FallocateFlags::empty(), 0, 4 * 512)?;
    file.sync_all()?;
    sync_folder(at)?;
    for slot in 1..=4 {
        file.write_all_at(&bytes(slot, 512), (slot - 1) * 512)?;
        if sync {
            file.sync_data()?;
        }
        say(&format!("acked {slot}"));
    }
    Ok(())
}

fn overwritten(disk: &Disk, acked: u64) -> bool {
    let slots = disk.read("slots").unwrap_or_default();
    let all = (1..=4).zip(slots.chunks(512));
    let good = |(slot, found): (u64, &[u8])| {
        found == bytes(slot, 512) || (slot > acked && found.iter().all(|byte| *byte == 0))
    };
    acked == 0 || (slots.len() == 2048 && all.into_iter().all(good))
}

fn move_it(at: &Path) -> io::Result<()> {
    fs::create_dir(at.join("from"))?;
    fs::create_dir(at.join("to"))?;
    write_new(&at.join("from/a"), &bytes(1, 600), true)?;
    sync_folder(&at.join("from"))?;
    say("acked 1");
    fs::rename(at.join("from/a"), at.join("to/a"))?;
    sync_folder(&at.join("to"))?;
    say("acked 2");
    fs::remove_dir(at.join("from"))?;
    sync_folder(at)?;
    say("acked 3");
    Ok(())
}

fn moved(disk: &Disk, acked: u64) -> bool {
    let (from, to) = (disk.read("from/a"), disk.read("to/a"));
    let there = Some(bytes(1, 600));
    match acked {
        0 => true,
        1 => (from == there) != (to == there),
        _ => from.is_none() && to == there,
    }
}

fn link_it(at: &Path) -> io::Result<()> {
    write_new(&at.join("a"), &bytes(1, 600), true)?;
    fs::hard_link(at.join("a"), at.join("b"))?;
    sync_folder(at)?;
    say("acked 1");
    fs::remove_file(at.join("a"))?;
    sync_folder(at)?;
    let mut file = OpenOptions::new().append(true).open(at.join("b"))?;
    file.write_all(&bytes(2, 600))?;
    file.sync_all()?;
    say("acked 2");
    Ok(())
}

fn linked(disk: &Disk, acked: u64) -> bool {
    let found = disk.read("b").unwrap_or_default();
    match acked {
        0 => true,
        1 => found.starts_with(&bytes(1, 600)),
        _ => found == [bytes(1, 600), bytes(2, 600)].concat() && disk.read("a").is_none(),
    }
}

fn insist(at: &Path, again: bool) -> io::Result<()> {
    let file = File::create(at.join("a"))?;
    sync_folder(at)?;
    file.write_all_at(&bytes(1, 3000), 0)?;
    let Err(first) = file.sync_all() else { return Err(io::Error::other("the sync did not fail")) };
    if again {
        file.write_all_at(&bytes(1, 3000), 0)?;
    }
    // Where the power is gone, the second fails as well.
    file.sync_all().map_err(|_| first)?;
    say("acked 1");
    Ok(())
}

fn insisted(disk: &Disk, acked: u64) -> bool {
    created(disk, acked)
}
