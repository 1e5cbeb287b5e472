//! The whole disk: what a program asks of it, in the words of the kernel, with its faults. Pure: no mount, no clock.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use fuser::Errno;

use crate::content::SECTOR;
use crate::dice::Dice;
use crate::faults::{Counts, Faults, Kind};
use crate::file::File;
use crate::names::{Edit, Names};

/// The number of the directory that is mounted, as the kernel has it.
pub(crate) const ROOT: u64 = 1;

/// What a disk holds in bytes where nothing else is asked for: it lives in memory.
const CAPACITY: u64 = 4 << 30;

#[derive(Clone, Debug)]
pub(crate) struct State {
    nodes: BTreeMap<u64, Node>,
    names: Names,
    next: u64,
    dice: Dice,
    pub(crate) faults: Faults,
    pub(crate) counts: Counts,
    /// The power is cut when so many more of these have begun.
    cut_at: Option<(Kind, u64)>,
    powered: bool,
    /// Which mount is served; all before it are dead.
    session: u64,
}

/// What a name leads to.
#[derive(Clone, Debug)]
struct Node {
    body: Body,
    mode: u16,
    links: u32,
    opens: u32,
}

#[derive(Clone, Debug)]
enum Body {
    Directory,
    File(File),
}

/// What programs may know of a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) number: u64,
    pub(crate) directory: bool,
    pub(crate) mode: u16,
    pub(crate) links: u32,
    /// In bytes.
    pub(crate) len: u64,
    /// In sectors.
    pub(crate) allocated: u64,
}

pub(crate) type Asked<T> = Result<T, Errno>;

impl State {
    pub(crate) fn new(seed: u64) -> Self {
        let root = Node { body: Body::Directory, mode: 0o755, links: 1, opens: 0 };
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            names: Names::default(),
            next: ROOT + 1,
            dice: Dice::of(seed),
            faults: Faults::default(),
            counts: Counts::default(),
            cut_at: None,
            powered: true,
            session: 0,
        }
    }

    /// Other dice for what is still to be decided.
    pub(crate) fn reseed(&mut self, seed: u64) {
        self.dice = Dice::of(seed);
    }

    // Power.

    /// The power is gone. What that did to the disk is decided when it comes back.
    pub(crate) fn cut(&mut self) {
        self.counts.cuts += u64::from(self.powered);
        self.powered = false;
        self.cut_at = None;
    }

    /// Cuts the power in the midst of the `n`th of these from now; the first is 1.
    pub(crate) fn cut_at(&mut self, kind: Kind, n: u64) {
        self.cut_at = Some((kind, n));
    }

    pub(crate) fn powered(&self) -> bool {
        self.powered
    }

    /// The power is there again, if it was gone: chance decides what is found.
    pub(crate) fn restore(&mut self) {
        if self.powered {
            return;
        }
        self.powered = true;
        self.session += 1;
        self.names.cut(&mut self.dice, &mut self.counts);
        for node in self.nodes.values_mut() {
            if let Body::File(file) = &mut node.body {
                file.cut(&mut self.dice, &mut self.counts);
            }
        }
        self.recount();
    }

    /// A mount that is served from now on; those before it are not any more.
    pub(crate) fn begin_session(&mut self) -> u64 {
        self.restore();
        self.session += 1;
        self.recount();
        self.session
    }

    pub(crate) fn serves(&self, session: u64) -> Asked<()> {
        if self.powered && self.session == session { Ok(()) } else { Err(Errno::EIO) }
    }

    /// Nothing is open, and what no name leads to is gone.
    fn recount(&mut self) {
        for node in self.nodes.values_mut() {
            node.opens = 0;
            node.links = 0;
        }
        for number in std::iter::once(ROOT).chain(self.names.numbers()) {
            if let Some(node) = self.nodes.get_mut(&number) {
                node.links += 1;
            }
        }
        self.sweep();
    }

    /// Forgets what nobody can reach, now or after a cut.
    fn sweep(&mut self) {
        let reachable = self.names.reachable();
        self.nodes.retain(|number, node| *number == ROOT || node.opens > 0 || reachable.contains(number));
    }

    /// Something of this kind has begun. Where the power goes now, nobody hears how it ended.
    fn begun(&mut self, kind: Kind) -> Asked<()> {
        match kind {
            Kind::Write => self.counts.writes += 1,
            Kind::Sync => self.counts.syncs += 1,
            Kind::Name => self.counts.names += 1,
            Kind::Any => {}
        }
        if let Some((awaited, left)) = &mut self.cut_at
            && (*awaited == kind || *awaited == Kind::Any)
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.cut();
                return Err(Errno::EIO);
            }
        }
        Ok(())
    }

    // Names.

    pub(crate) fn lookup(&self, directory: u64, name: &OsStr) -> Asked<Attributes> {
        self.attributes(self.names.get(directory, name).ok_or(Errno::ENOENT)?)
    }

    pub(crate) fn attributes(&self, number: u64) -> Asked<Attributes> {
        let node = self.node(number)?;
        let (directory, len, allocated) = match &node.body {
            Body::Directory => (true, 0, 0),
            Body::File(file) => (false, file.now().len(), file.now().allocated()),
        };
        Ok(Attributes { number, directory, mode: node.mode, links: node.links, len, allocated })
    }

    /// The names in a directory, with what they lead to.
    pub(crate) fn list(&self, directory: u64) -> Vec<(OsString, Attributes)> {
        let names = self.names.within(directory);
        names.filter_map(|(name, number)| Some((name.to_owned(), self.attributes(number).ok()?))).collect()
    }

    pub(crate) fn create(&mut self, directory: u64, name: &OsStr, mode: u16) -> Asked<Attributes> {
        self.make(directory, name, mode, Body::File(File::default()))
    }

    pub(crate) fn create_directory(&mut self, directory: u64, name: &OsStr, mode: u16) -> Asked<Attributes> {
        self.make(directory, name, mode, Body::Directory)
    }

    fn make(&mut self, directory: u64, name: &OsStr, mode: u16, body: Body) -> Asked<Attributes> {
        self.is_free(directory, name)?;
        let number = self.next;
        self.next += 1;
        self.nodes.insert(number, Node { body, mode, links: 0, opens: 0 });
        self.rename_all(vec![((directory, name.to_owned()), Some(number))])?;
        self.attributes(number)
    }

    pub(crate) fn link(&mut self, number: u64, directory: u64, name: &OsStr) -> Asked<Attributes> {
        self.file(number)?;
        self.is_free(directory, name)?;
        self.rename_all(vec![((directory, name.to_owned()), Some(number))])?;
        self.attributes(number)
    }

    /// Removes a name of a file or, where `empty_directory` says so, an empty directory.
    pub(crate) fn remove(&mut self, directory: u64, name: &OsStr, empty_directory: bool) -> Asked<()> {
        let found = self.lookup(directory, name)?;
        self.can_go(&found, empty_directory)?;
        self.rename_all(vec![((directory, name.to_owned()), None)])?;
        self.sweep();
        Ok(())
    }

    /// Renames; what the new name led to has to be of the same kind, and goes.
    pub(crate) fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr), replace: bool) -> Asked<()> {
        let moved = self.lookup(from.0, from.1)?;
        if let Ok(there) = self.lookup(to.0, to.1) {
            if !replace {
                return Err(Errno::EEXIST);
            }
            if there.number == moved.number {
                return Ok(());
            }
            self.can_go(&there, moved.directory)?;
        }
        let gone = ((from.0, from.1.to_owned()), None);
        self.rename_all(vec![gone, ((to.0, to.1.to_owned()), Some(moved.number))])?;
        self.sweep();
        Ok(())
    }

    fn is_free(&self, directory: u64, name: &OsStr) -> Asked<()> {
        match self.names.get(directory, name) {
            Some(_) => Err(Errno::EEXIST),
            None if self.attributes(directory)?.directory => Ok(()),
            None => Err(Errno::ENOTDIR),
        }
    }

    fn can_go(&self, found: &Attributes, as_directory: bool) -> Asked<()> {
        match (found.directory, as_directory) {
            (true, false) => Err(Errno::EISDIR),
            (false, true) => Err(Errno::ENOTDIR),
            (true, true) if self.names.within(found.number).next().is_some() => Err(Errno::ENOTEMPTY),
            _ => Ok(()),
        }
    }

    fn rename_all(&mut self, edits: Vec<Edit>) -> Asked<()> {
        for ((directory, name), to) in &edits {
            let before = self.names.get(*directory, name);
            if let Some(node) = before.and_then(|number| self.nodes.get_mut(&number)) {
                node.links = node.links.saturating_sub(1);
            }
            if let Some(node) = to.and_then(|number| self.nodes.get_mut(&number)) {
                node.links += 1;
            }
        }
        self.names.change(edits);
        self.begun(Kind::Name)
    }

    // Files.

    pub(crate) fn open(&mut self, number: u64) -> Asked<()> {
        self.node_mut(number)?.opens += 1;
        Ok(())
    }

    pub(crate) fn close(&mut self, number: u64) -> Asked<()> {
        let node = self.node_mut(number)?;
        node.opens = node.opens.saturating_sub(1);
        Ok(())
    }

    pub(crate) fn set_mode(&mut self, number: u64, mode: u16) -> Asked<()> {
        self.node_mut(number)?.mode = mode;
        Ok(())
    }

    pub(crate) fn read(&self, number: u64, offset: u64, size: u64) -> Asked<Vec<u8>> {
        Ok(self.file(number)?.now().read(offset, size))
    }

    pub(crate) fn write(&mut self, number: u64, offset: u64, data: &[u8]) -> Asked<()> {
        self.take_room(number, offset, data.len() as u64)?;
        self.file_mut(number)?.write(offset, data);
        self.begun(Kind::Write)
    }

    pub(crate) fn set_len(&mut self, number: u64, len: u64) -> Asked<()> {
        self.file_mut(number)?.set_len(len);
        self.begun(Kind::Write)
    }

    /// Gives room to `bytes` from `offset`, and lengthens the file to hold them where `grow` says so.
    pub(crate) fn allocate(&mut self, number: u64, offset: u64, bytes: u64, grow: bool) -> Asked<()> {
        self.take_room(number, offset, bytes)?;
        self.file_mut(number)?.allocate(offset, bytes, if grow { offset + bytes } else { 0 });
        self.begun(Kind::Write)
    }

    fn take_room(&mut self, number: u64, offset: u64, bytes: u64) -> Asked<()> {
        offset.checked_add(bytes).ok_or(Errno::EFBIG)?;
        let needed = self.file(number)?.room_for(offset, bytes);
        if needed > 0 && needed > self.room().0 {
            self.counts.writes_refused += 1;
            return Err(Errno::ENOSPC);
        }
        Ok(())
    }

    /// The free and all sectors.
    pub(crate) fn room(&self) -> (u64, u64) {
        let all = self.faults.full_after_bytes.unwrap_or(CAPACITY) / SECTOR;
        (all.saturating_sub(self.used()), all)
    }

    /// How many sectors files take.
    pub(crate) fn used(&self) -> u64 {
        let used = self.nodes.values().filter(|node| node.links > 0 || node.opens > 0);
        used.map(|node| match &node.body {
            Body::Directory => 0,
            Body::File(file) => file.now().allocated(),
        })
        .sum()
    }

    pub(crate) fn sync(&mut self, number: u64) -> Asked<()> {
        self.begun(Kind::Sync)?;
        if self.faults.ignore_syncs {
            return Ok(());
        }
        let fails = self.sync_fails();
        let Some(Node { body: Body::File(file), .. }) = self.nodes.get_mut(&number) else {
            return Err(Errno::EINVAL);
        };
        if fails {
            file.resolve(&mut self.dice, &mut self.counts);
            return Err(Errno::EIO);
        }
        file.sync();
        Ok(())
    }

    pub(crate) fn sync_directory(&mut self, directory: u64) -> Asked<()> {
        self.begun(Kind::Sync)?;
        if self.faults.ignore_syncs {
            return Ok(());
        }
        if self.sync_fails() {
            return Err(Errno::EIO);
        }
        self.names.sync(directory);
        self.sweep();
        Ok(())
    }

    fn sync_fails(&mut self) -> bool {
        let left = self.faults.fail_sync_after;
        self.faults.fail_sync_after = left.and_then(|left| left.checked_sub(1));
        self.counts.syncs_failed += u64::from(left == Some(0));
        left == Some(0)
    }

    /// All bytes of a file, by its path below the root.
    pub(crate) fn find(&self, path: &Path) -> Asked<Vec<u8>> {
        let mut number = ROOT;
        for name in path {
            number = self.lookup(number, name)?.number;
        }
        self.read(number, 0, u64::MAX)
    }

    fn node(&self, number: u64) -> Asked<&Node> {
        self.nodes.get(&number).ok_or(Errno::ENOENT)
    }

    fn node_mut(&mut self, number: u64) -> Asked<&mut Node> {
        self.nodes.get_mut(&number).ok_or(Errno::ENOENT)
    }

    fn file(&self, number: u64) -> Asked<&File> {
        match &self.node(number)?.body {
            Body::File(file) => Ok(file),
            Body::Directory => Err(Errno::EISDIR),
        }
    }

    fn file_mut(&mut self, number: u64) -> Asked<&mut File> {
        match &mut self.node_mut(number)?.body {
            Body::File(file) => Ok(file),
            Body::Directory => Err(Errno::EISDIR),
        }
    }
}

#[cfg(test)]
mod tests;
