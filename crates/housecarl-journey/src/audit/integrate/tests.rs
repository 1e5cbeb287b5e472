//! A folder that fails at every step in turn, and registers and logs that somebody has meddled with.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use housecarl_audit::entry::{Digest, Id, Moment, Name, Who};
use housecarl_audit::{Act, Entry, Hash, Opening, Salt, verify};
use tempfile::TempDir;

use super::super::outbox::{self, Outgoing};
use super::*;

/// A folder that fails after so many steps; a file that it was writing then is torn.
struct Stops {
    folder: Folder,
    left: AtomicUsize,
}

impl Stops {
    fn step(&self) -> io::Result<()> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(|_| ()).map_err(|_| io::Error::other("stopped"))
    }
}

impl Files for Stops {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.folder.read(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let (half, _) = bytes.split_at(bytes.len() / 2);
        self.step().inspect_err(|_| self.folder.write(path, half).unwrap())?;
        self.folder.write(path, bytes)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.step()?;
        self.folder.rename(from, to)
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        self.step()?;
        self.folder.sync_folder(path)
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        self.step()?;
        self.folder.remove_folder(path)
    }
}

/// A register and a published log, as they lie on the disk.
struct Disk(TempDir);

impl Disk {
    fn new() -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        disk.register().log_name("example.com/home").unwrap();
        disk
    }

    fn register(&self) -> Register {
        let register = Register::open(&self.0.path().join("register.sqlite")).unwrap();
        // That SQLite keeps what it has committed is not what is tested here.
        register.connection().pragma_update(None, "synchronous", "OFF").unwrap();
        register
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("log")
    }

    /// The log after a start; it stops after so many steps.
    fn log(&self, steps: usize) -> Log {
        let key = SignerKey::new("example.com/home", &[7; 32]).unwrap();
        let files = Stops { folder: Folder(self.folder()), left: AtomicUsize::new(steps) };
        Log::with(key, Box::new(files), self.folder())
    }

    /// More entries, each another one.
    fn add(&self, entries: u64) {
        let register = self.register();
        let mut connection = register.connection();
        let transaction = connection.transaction().unwrap();
        let count = transaction.query_one("SELECT count(*) FROM outbox", [], |row| row.get::<_, i64>(0));
        let first = count.unwrap().unsigned_abs();
        for from in first..first + entries {
            let entry = Entry {
                at: Moment::from_millis(from).unwrap(),
                by: Who::Housecarl,
                act: Act::OperatorAction {
                    action: Name::new("home-added").unwrap(),
                    target: Id([3; 16]),
                    record: Digest([0; 32]),
                },
            };
            let opening = Opening::seal(entry, Salt::from_random([5; 32]));
            let row = Outgoing { leaf: opening.leaf().to_bytes(), keeper: None, opening: opening.to_bytes() };
            assert_eq!(outbox::add(&transaction, &row).unwrap().0, from, "numbers have no gaps");
        }
        transaction.commit().unwrap();
    }

    fn published(&self) -> Option<String> {
        fs::read_to_string(self.folder().join(CHECKPOINT)).ok()
    }

    /// Whoever has the folder finds a log of this many entries, which are those of the register in
    /// their order, and the beginning of which was signed before. That the published one is what the
    /// register signed last is not asked.
    fn holds(&self, since: Option<&str>) -> u64 {
        let log = self.log(0);
        let note = self.published().unwrap();
        let verdict =
            verify::log(&log.tiles(), note.as_bytes(), log.verifier(), since.map(str::as_bytes)).unwrap();
        let size = verdict.checkpoint.size();
        let mut tree = Tree::new();
        let _ = tree.append(&self.register().leaves(0, u32::try_from(size).unwrap()).unwrap());
        assert_eq!((tree.size(), tree.root()), (size, verdict.checkpoint.root()));
        size
    }
}

#[test]
fn a_stop_after_any_step_loses_no_entry_and_takes_none_in_twice() {
    let disk = Disk::new();
    let mut total = 0;
    for steps in 0.. {
        let mut stopped = 0;
        // Within a bundle, up to about its end, and always over one.
        for entries in [1, 3, 252, 300] {
            let since = disk.published();
            disk.add(entries);
            let before = total;
            total += entries;
            stopped += usize::from(disk.log(steps).integrate(&disk.register()).is_err());
            // Whatever lies there now is a whole log, of before or of after.
            let stop = disk.published();
            if stop.is_some() {
                assert!([before, total].contains(&disk.holds(since.as_deref())));
            }
            let again = disk.log(usize::MAX).integrate(&disk.register()).unwrap();
            assert_eq!((again.size, disk.holds(stop.as_deref())), (total, total));
        }
        if stopped == 0 {
            assert!(steps >= 15, "there are more steps than {steps}");
            break;
        }
    }
}

#[test]
fn what_fails_in_one_call_is_done_by_the_next_of_the_same_process() {
    for steps in 0..8 {
        let disk = Disk::new();
        disk.add(3);
        let register = disk.register();
        let key = SignerKey::new("example.com/home", &[7; 32]).unwrap();
        let files = Stops { folder: Folder(disk.folder()), left: AtomicUsize::new(steps) };
        let mut log = Log::with(key, Box::new(files), disk.folder());
        assert!(matches!(log.integrate(&register), Err(AuditError::File(..))), "{steps}");
        log.files = Box::new(Folder(disk.folder()));
        assert_eq!(log.integrate(&register).unwrap().size, 3);
        drop(register);
        assert_eq!(disk.holds(None), 3);
    }
}

#[test]
fn nothing_to_take_in_publishes_an_empty_log_once() {
    let disk = Disk::new();
    let log = disk.log(usize::MAX);
    let nothing = Integrated { added: 0, size: 0 };
    assert_eq!(log.integrate(&disk.register()).unwrap(), nothing);
    let first = disk.published();
    assert_eq!(disk.holds(None), 0);
    fs::remove_file(disk.folder().join(CHECKPOINT)).unwrap();
    assert_eq!(log.integrate(&disk.register()).unwrap(), nothing);
    assert_eq!(disk.published(), None, "written although nothing has changed");
    assert_eq!(disk.log(usize::MAX).integrate(&disk.register()).unwrap(), nothing);
    assert_eq!(disk.published(), first);
}

#[test]
fn lost_and_damaged_files_come_back_as_they_were() {
    for lost in [CHECKPOINT, "tile/entries/002.p/88", "tile/0/002.p/88", "tile/1/000.p/2", "tile"] {
        let disk = Disk::new();
        disk.add(600);
        disk.log(usize::MAX).integrate(&disk.register()).unwrap();
        let (path, note) = (disk.folder().join(lost), disk.published());
        let before = fs::read(&path).ok();
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap()
        } else {
            fs::write(&path, "x").unwrap()
        }
        disk.log(usize::MAX).integrate(&disk.register()).unwrap();
        assert_eq!(fs::read(&path).ok(), before, "{lost}");
        assert_eq!(disk.published(), note);
        assert_eq!(disk.holds(note.as_deref()), 600);
    }
}

#[test]
fn a_register_that_was_put_back_signs_nothing() {
    let disk = Disk::new();
    disk.add(2);
    disk.log(usize::MAX).integrate(&disk.register()).unwrap();
    fs::copy(disk.0.path().join("register.sqlite"), disk.0.path().join("backup")).unwrap();
    disk.add(2);
    disk.log(usize::MAX).integrate(&disk.register()).unwrap();
    let note = disk.published();
    fs::rename(disk.0.path().join("backup"), disk.0.path().join("register.sqlite")).unwrap();
    let other = |error| matches!(error, Err(AuditError::Ahead));
    assert!(other(disk.log(usize::MAX).integrate(&disk.register())));
    // Nor once it has as many entries again, which are others.
    disk.add(9);
    assert!(other(disk.log(usize::MAX).integrate(&disk.register())));
    fs::remove_file(disk.0.path().join("register.sqlite")).unwrap();
    disk.register().log_name("example.com/home").unwrap();
    assert!(other(disk.log(usize::MAX).integrate(&disk.register())), "an empty one");
    assert_eq!(disk.published(), note);
}

#[test]
fn a_checkpoint_that_continues_another_one_is_not_signed() {
    let disk = Disk::new();
    disk.add(1);
    let (log, register) = (disk.log(usize::MAX), disk.register());
    log.integrate(&register).unwrap();
    let mut other = Tree::new();
    let leaf = housecarl_audit::Leaf::from_bytes(&[1; 33]).unwrap();
    let _ = other.append(&[leaf]);
    let other = Checkpoint::of(&other).sign(&log.key).unwrap();
    let ours = register.checkpoint().unwrap();
    assert!(register.continue_log(ours.as_deref(), &other).unwrap());
    drop(register);
    disk.add(1);
    let register = disk.register();
    assert!(matches!(log.integrate(&register), Err(AuditError::Forked)));
    assert_eq!(register.checkpoint().unwrap().unwrap(), other, "the register was changed");
    assert_eq!(disk.published(), ours);
    // Nor at the next start.
    assert!(matches!(disk.log(usize::MAX).integrate(&register), Err(AuditError::Ahead)));
}

#[test]
fn an_entry_that_was_changed_in_the_register_is_not_signed_again() {
    let disk = Disk::new();
    disk.add(3);
    disk.log(usize::MAX).integrate(&disk.register()).unwrap();
    let leaf = [[1].as_slice(), Hash::of(&[b"another"]).as_bytes()].concat();
    disk.register().connection().execute("UPDATE outbox SET leaf = ?1 WHERE number = 1", [leaf]).unwrap();
    fs::remove_dir_all(disk.folder()).unwrap();
    assert!(matches!(disk.log(usize::MAX).integrate(&disk.register()), Err(AuditError::Forked)));
    assert!(!disk.folder().join("tile").exists(), "written before it was compared");
}
