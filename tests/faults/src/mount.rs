//! The way to the kernel: each request of a mounted disk is asked of its state, and the answer sent back.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData,
    ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow,
    WriteFlags,
};
use nix::mount::{MntFlags, umount2};

use crate::content::SECTOR;
use crate::disk::Disk;
use crate::state::{Asked, Attributes, State};

/// So that a slow sync keeps nobody else waiting.
const THREADS: usize = 3;

/// The kernel remembers no name and no attribute: after a cut it has to ask, and hears `EIO`.
const REMEMBERED: Duration = Duration::ZERO;

/// `FALLOC_FL_KEEP_SIZE` of Linux.
const KEEP_SIZE: i32 = 1;

/// A mounted disk; dropping it unmounts. That is no sync and no cut: the disk stays as it is.
#[derive(Debug)]
pub struct Mount {
    disk: Disk,
    at: PathBuf,
    session: Option<BackgroundSession>,
}

impl Mount {
    pub(crate) fn new(disk: Disk, at: &Path) -> io::Result<Self> {
        let mut config = Config::default();
        config.mount_options =
            vec![MountOption::FSName("faults".to_owned()), MountOption::NoDev, MountOption::NoSuid];
        config.n_threads = Some(THREADS);
        let number = disk.state().begin_session();
        let listings = Mutex::default();
        let kernel = Kernel { disk: disk.clone(), session: number, listings, next: AtomicU64::new(1) };
        let session = fuser::spawn_mount(kernel, at, &config)?;
        Ok(Self { disk, at: at.to_owned(), session: Some(session) })
    }

    /// Cuts the power; see [`Disk::cut`].
    pub fn cut(&self) {
        self.disk.cut();
    }

    /// Where the disk is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.at
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let unmounted = self.session.take().map(BackgroundSession::umount_and_join);
        if let Some(Err(_)) = unmounted {
            // A program in its last breath still holds a file: the mount goes when it does.
            let _gone_already = umount2(&self.at, MntFlags::MNT_DETACH);
        }
    }
}

#[derive(Debug)]
struct Kernel {
    disk: Disk,
    session: u64,
    /// What open directories list: as of their opening, so that whoever removes while listing misses nothing.
    listings: Mutex<BTreeMap<u64, Vec<(OsString, Attributes)>>>,
    next: AtomicU64,
}

impl Kernel {
    fn ask<T>(&self, question: impl FnOnce(&mut State) -> Asked<T>) -> Asked<T> {
        let mut state = self.disk.state();
        state.serves(self.session)?;
        question(&mut state)
    }

    #[expect(clippy::disallowed_methods, reason = "the delay is the fault that was asked for")]
    fn sync(&self, question: impl FnOnce(&mut State) -> Asked<()>) -> Asked<()> {
        let delay = self.disk.state().faults.slow_sync;
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        self.ask(question)
    }

    fn listings<T>(&self, act: impl FnOnce(&mut BTreeMap<u64, Vec<(OsString, Attributes)>>) -> T) -> T {
        act(&mut self.listings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn kind(attributes: &Attributes) -> FileType {
    if attributes.directory { FileType::Directory } else { FileType::RegularFile }
}

fn attributes(of: &Attributes) -> FileAttr {
    let time = SystemTime::UNIX_EPOCH;
    FileAttr {
        ino: INodeNo(of.number),
        size: of.len,
        blocks: of.allocated,
        atime: time,
        mtime: time,
        ctime: time,
        crtime: time,
        kind: kind(of),
        perm: of.mode,
        nlink: of.links,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

fn mode(bits: u32) -> u16 {
    (bits & 0o7777) as u16
}

fn entry(answer: Asked<Attributes>, reply: ReplyEntry) {
    match answer {
        Ok(found) => reply.entry(&REMEMBERED, &attributes(&found), Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn empty(answer: Asked<()>, reply: ReplyEmpty) {
    match answer {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Kernel {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        entry(self.ask(|state| state.lookup(parent.0, name)), reply);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.ask(|state| state.attributes(ino.0)) {
            Ok(found) => reply.attr(&REMEMBERED, &attributes(&found)),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        bits: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let answer = self.ask(|state| {
            if let Some(bits) = bits {
                state.set_mode(ino.0, mode(bits))?;
            }
            if let Some(len) = size {
                state.set_len(ino.0, len)?;
            }
            state.attributes(ino.0)
        });
        match answer {
            Ok(found) => reply.attr(&REMEMBERED, &attributes(&found)),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, bits: u32, _umask: u32, reply: ReplyEntry) {
        entry(self.ask(|state| state.create_directory(parent.0, name, mode(bits))), reply);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.ask(|state| state.remove(parent.0, name, false)), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(self.ask(|state| state.remove(parent.0, name, true)), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let replace = !flags.contains(RenameFlags::RENAME_NOREPLACE);
        if !(flags - RenameFlags::RENAME_NOREPLACE).is_empty() {
            return reply.error(Errno::EINVAL);
        }
        empty(self.ask(|state| state.rename((parent.0, name), (newparent.0, newname), replace)), reply);
    }

    fn link(&self, _: &Request, ino: INodeNo, newparent: INodeNo, newname: &OsStr, reply: ReplyEntry) {
        entry(self.ask(|state| state.link(ino.0, newparent.0, newname)), reply);
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        bits: u32,
        _umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let answer = self.ask(|state| {
            let made = state.create(parent.0, name, mode(bits))?;
            state.open(made.number)?;
            Ok(made)
        });
        match answer {
            Ok(made) => {
                let attributes = attributes(&made);
                reply.created(&REMEMBERED, &attributes, Generation(0), FileHandle(0), FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.ask(|state| state.open(ino.0)) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::empty()),
            Err(error) => reply.error(error),
        }
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        empty(self.ask(|state| state.close(ino.0)), reply);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.ask(|state| state.read(ino.0, offset, u64::from(size))) {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.ask(|state| state.write(ino.0, offset, data)) {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn fallocate(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        if mode & !KEEP_SIZE != 0 {
            return reply.error(Errno::EOPNOTSUPP);
        }
        empty(self.ask(|state| state.allocate(ino.0, offset, length, mode & KEEP_SIZE == 0)), reply);
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _datasync: bool, reply: ReplyEmpty) {
        empty(self.sync(|state| state.sync(ino.0)), reply);
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _datasync: bool, reply: ReplyEmpty) {
        empty(self.sync(|state| state.sync_directory(ino.0)), reply);
    }

    fn opendir(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.ask(|state| Ok(state.list(ino.0))) {
            Ok(listing) => {
                let handle = self.next.fetch_add(1, Ordering::Relaxed);
                self.listings(|listings| listings.insert(handle, listing));
                reply.opened(FileHandle(handle), FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        }
    }

    fn readdir(&self, _: &Request, ino: INodeNo, fh: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        if let Err(error) = self.ask(|_| Ok(())) {
            return reply.error(error);
        }
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        self.listings(|listings| {
            let entries = listings.get(&fh.0).into_iter().flatten();
            let entries = entries.map(|(name, of)| (of.number, kind(of), name.as_os_str()));
            // The kernel works out what is above by itself.
            let dots = [".", ".."].map(|dot| (ino.0, FileType::Directory, OsStr::new(dot)));
            for (at, (number, kind, name)) in dots.into_iter().chain(entries).enumerate().skip(offset) {
                if reply.add(INodeNo(number), at as u64 + 1, kind, name) {
                    break;
                }
            }
        });
        reply.ok();
    }

    fn releasedir(&self, _: &Request, _: INodeNo, fh: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        self.listings(|listings| listings.remove(&fh.0));
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        match self.ask(|state| Ok(state.room())) {
            Ok((free, all)) => {
                reply.statfs(all, free, free, u64::MAX, u64::MAX, SECTOR as u32, 255, SECTOR as u32);
            }
            Err(error) => reply.error(error),
        }
    }
}
