//! What a program may expect of the mounted disk as of any other: locks, shared memory, listings, a full disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use housecarl_faults::{Disk, Faults};
use nix::fcntl::{FallocateFlags, fallocate};

use crate::program::{self, Place, say};

pub(crate) fn program(name: &str, at: &Path) -> Option<io::Result<()>> {
    Some(match name {
        "full disk" => full_disk(at),
        "folders" => folders(at),
        "hold a lock" => hold_a_lock(at),
        "wait for a lock" => is_locked(at),
        "slow syncs" => slow_syncs(at),
        "go on" => go_on(at),
        _ => return None,
    })
}

fn ends_well(name: &str, faults: Faults) -> Option<Disk> {
    let place = Place::new()?;
    let disk = Disk::new(0);
    disk.faults(faults);
    let run = program::run(name, &place.mount(&disk));
    assert!(run.well, "`{name}` said {:?}", run.said);
    Some(disk)
}

#[test]
fn a_full_disk_is_full_until_something_goes() {
    let faults = Faults { full_after_bytes: Some(64 << 10), ..Faults::default() };
    let Some(disk) = ends_well("full disk", faults) else { return };
    assert!(disk.counts().writes_refused > 0);
    disk.cut();
    assert_eq!(disk.read("reserve"), Some(vec![b'r'; 8 << 10]));
}

fn full_disk(at: &Path) -> io::Result<()> {
    let reserve = File::create(at.join("reserve"))?;
    fallocate(&reserve, FallocateFlags::empty(), 0, 8 << 10)?;
    reserve.sync_all()?;
    File::open(at)?.sync_all()?;
    let mut filler = File::create(at.join("filler"))?;
    let error = loop {
        if let Err(error) = filler.write_all(&[b'f'; 4096]) {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(filler.metadata()?.len(), 56 << 10);
    // What has its room already can be written and synced.
    reserve.write_all_at(&[b'r'; 8 << 10], 0)?;
    reserve.sync_all()?;
    assert_eq!(fs::write(at.join("other"), "x").unwrap_err().kind(), ErrorKind::StorageFull);
    drop(filler);
    fs::remove_file(at.join("filler"))?;
    fs::write(at.join("other"), "x")
}

#[test]
fn folders_are_listed_and_modes_kept() {
    let Some(disk) = ends_well("folders", Faults::default()) else { return };
    assert!(disk.counts().names > 1000);
}

fn folders(at: &Path) -> io::Result<()> {
    let folder = at.join("folder");
    fs::create_dir(&folder)?;
    for number in 0..500 {
        fs::write(folder.join(format!("a name that is long enough to need many pages {number}")), "x")?;
    }
    assert_eq!(fs::read_dir(&folder)?.count(), 500);
    // Removes while it lists.
    fs::remove_dir_all(&folder)?;
    assert!(!folder.exists());

    let path = at.join("secret");
    fs::write(&path, "x")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    assert_eq!(fs::metadata(&path)?.mode() & 0o777, 0o600);
    fs::hard_link(&path, at.join("other"))?;
    assert_eq!(fs::metadata(&path)?.nlink(), 2);
    assert_eq!(File::create_new(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::remove_dir(&path).unwrap_err().kind(), ErrorKind::NotADirectory);
    fs::create_dir(at.join("full"))?;
    fs::write(at.join("full/a"), "x")?;
    assert_eq!(fs::remove_dir(at.join("full")).unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);

    // An open file outlives its name.
    let mut open = OpenOptions::new().read(true).append(true).open(at.join("full/a"))?;
    fs::remove_file(at.join("full/a"))?;
    open.write_all(b"y")?;
    let mut bytes = [0; 2];
    open.read_exact_at(&mut bytes, 0)?;
    assert_eq!(&bytes, b"xy");
    open.set_len(1)?;
    assert_eq!(open.metadata()?.len(), 1);
    Ok(())
}

#[test]
fn a_lock_of_one_program_stops_another_and_goes_with_the_power() {
    let Some(place) = Place::new() else { return };
    let disk = Disk::new(0);
    let mount = place.mount(&disk);
    assert!(program::run("hold a lock", &mount).well);
    drop(mount);
    disk.cut();
    let mount = place.mount(&disk);
    assert!(program::run("hold a lock", &mount).well);
}

fn hold_a_lock(at: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(at.join("lock"))?;
    file.try_lock()?;
    // The other program is one more process.
    let mut other = program::start("wait for a lock", at);
    assert!(!other.wait()?.success());
    file.unlock()?;
    assert!(program::start("wait for a lock", at).wait()?.success());
    Ok(())
}

fn is_locked(at: &Path) -> io::Result<()> {
    File::open(at.join("lock"))?.try_lock().map_err(io::Error::from)
}

#[test]
fn syncs_can_be_slow() {
    let slow = Duration::from_millis(20);
    let Some(disk) = ends_well("slow syncs", Faults { slow_sync: slow, ..Faults::default() }) else { return };
    assert_eq!(disk.counts().syncs, 3);
}

#[expect(clippy::disallowed_methods, reason = "that it is slow is what is tested")]
fn slow_syncs(at: &Path) -> io::Result<()> {
    let begun = std::time::Instant::now();
    let file = File::create(at.join("a"))?;
    (0..3).try_for_each(|_| file.sync_all())?;
    assert!(begun.elapsed() >= Duration::from_millis(60));
    Ok(())
}

#[test]
fn after_a_cut_nothing_more_is_heard_or_done() {
    let Some(place) = Place::new() else { return };
    let disk = Disk::new(0);
    let mount = place.mount(&disk);
    // It says one thing before the cut, and each of what it does behind it has to fail.
    let run = program::run_and("go on", &mount, |_, child| {
        mount.cut();
        program::tell(child, "go on");
    });
    assert!(run.well, "{:?}", run.said);
    drop(mount);
    let counts = disk.counts();
    assert_eq!((counts.cuts, counts.writes), (1, 1));
}

fn go_on(at: &Path) -> io::Result<()> {
    let file = File::create(at.join("a"))?;
    file.write_all_at(b"before", 0)?;
    say("ready");
    program::listen();
    let gone = |done: io::Result<()>| done.unwrap_err().raw_os_error() == Some(nix::libc::EIO);
    assert!(gone(file.write_all_at(b"after", 0)));
    assert!(gone(file.sync_all()));
    assert!(gone(file.set_len(0)));
    assert!(gone(File::open(at.join("a")).map(drop)));
    assert!(gone(File::create(at.join("b")).map(drop)));
    assert!(gone(fs::rename(at.join("a"), at.join("b"))));
    assert!(gone(fs::metadata(at.join("a")).map(drop)));
    assert!(gone(fs::read_dir(at).map(drop)));
    Ok(())
}
