//! Where a data directory lies, and how the gateway on it comes to its end.

use std::fs;
use std::path::{Path, PathBuf};

use housecarl_faults::{Counts, Disk, Faults, Kind, Mount};
use tempfile::TempDir;

/// Where a data directory lies.
#[derive(Debug)]
pub(crate) struct Ground {
    at: TempDir,
    disk: Option<(Disk, Option<Mount>)>,
    /// Whether its disk ignores syncs.
    ignores_syncs: bool,
}

impl Ground {
    /// Whether disks can be mounted here; where they cannot, that is said aloud.
    pub(crate) fn has_fuse() -> bool {
        let here = Path::new("/dev/fuse").exists();
        if !here {
            eprintln!("NOT RUN: there is no /dev/fuse to mount the disk with");
        }
        here
    }

    /// A folder of this machine, whose power is not ours to cut: what is on it is killed.
    pub(crate) fn folder() -> Self {
        let at = tempfile::tempdir().unwrap();
        fs::create_dir(at.path().join("disk")).unwrap();
        Self { at, disk: None, ignores_syncs: false }
    }

    /// A disk of our own, whose faults are decided by this seed.
    pub(crate) fn disk(seed: u64) -> Self {
        let mut ground = Self::folder();
        ground.disk = Some((Disk::new(seed), None));
        ground
    }

    /// The same, but for this: every sync is answered and none is done. To the gateway it is as if it did not sync.
    pub(crate) fn disk_that_ignores_syncs(seed: u64) -> Self {
        Self { ignores_syncs: true, ..Self::disk(seed) }
    }

    /// What stands beside the disk.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.at.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.beside("disk").join("data")
    }

    pub(crate) fn is_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// The power is there.
    pub(crate) fn up(&mut self) {
        let at = self.beside("disk");
        if let Some((disk, mount)) = &mut self.disk {
            *mount = Some(disk.mount(&at).unwrap());
        }
    }

    /// The power goes, if it has not gone already.
    pub(crate) fn cut(&self) {
        if let Some((disk, _)) = &self.disk {
            disk.cut();
        }
    }

    /// Nothing uses the disk any more.
    pub(crate) fn down(&mut self) {
        self.cut();
        if let Some((_, mount)) = &mut self.disk {
            *mount = None;
        }
    }

    /// The power goes in the midst of the `n`th change of the disk from now.
    pub(crate) fn cut_at(&self, n: u64) {
        if let Some((disk, _)) = &self.disk {
            disk.cut_at(Kind::Any, n);
        }
    }

    pub(crate) fn has_power(&self) -> bool {
        self.disk.as_ref().is_none_or(|(disk, _)| disk.powered())
    }

    pub(crate) fn faults(&self, faults: Faults) {
        if let Some((disk, _)) = &self.disk {
            disk.faults(Faults { ignore_syncs: self.ignores_syncs, ..faults });
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.disk.as_ref().map(|(disk, _)| disk.counts()).unwrap_or_default()
    }

    /// Somebody else takes all the room that is left, or gives it back.
    pub(crate) fn fill(&self, full: bool) {
        if let Some((disk, _)) = &self.disk {
            let full_after_bytes = full.then(|| disk.used_bytes());
            self.faults(Faults { full_after_bytes, ..Faults::default() });
        }
    }
}
