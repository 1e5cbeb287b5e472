//! The key file: one header, then slots.
//!
//! The order of durable steps, and what a crash after each leaves:
//! - a new secret: 1. its slot is written: maybe a secret that nothing is sealed under; 2. the slot
//!   has reached the disk ([`Keys::sync`]), and only now may what is sealed under it;
//! - a destroyed secret: 1. it is gone from memory: it is there again after the crash, and whoever
//!   destroys has written that down before and asks again; 2. zeros stand in its place and have
//!   reached the disk ([`Keys::destroy`]), and only now may the slot be used again;
//! - a renewed secret: 1. a second one is made as a new one is, and takes what is sealed from then on:
//!   both are there after the crash, and what was to be sealed again is sealed again; 2. the first is
//!   destroyed as above: the second one is there alone, and does for both; 3. the second takes the
//!   first one's name, in one write to its slot.
//!
//! The file never shrinks and grows by whole blocks of real zeros, so that overwriting a slot needs
//! no room on a full disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::aead;

use super::derived::{Derived, Of};
use super::root::RootKey;
use super::slot::{self, FREE, MAGIC, SLOT_LEN, Slot};
use super::{KeyName, Secret, Unavailable};
use crate::people::SubjectId;
use crate::store::{Bucket, StreamNumber};

/// How many slots the file grows by.
pub(super) const SLOTS_A_BLOCK: u32 = 512;
pub(super) const BLOCK_LEN: usize = SLOTS_A_BLOCK as usize * SLOT_LEN;

/// Why the key file cannot be used.
#[derive(Debug)]
pub enum KeysError {
    /// The disk has no room for another block of slots. Destroying needs none.
    Full,
    /// The disk failed. What was promised may not be there: stop, and start again.
    Disk(io::Error),
    /// Another gateway has it open.
    InUse,
    /// Not a key file.
    NotAKeyFile,
    /// A key file of a layout that this program does not know.
    UnknownVersion(u8),
    /// The root key is not the one that this file was written with.
    OtherRootKey,
    /// So many slots are neither free nor readable. Nothing is overwritten: this is a case for the backup.
    Damaged(u32),
    /// No random bytes, or no cipher.
    Unavailable,
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the disk is full, and there is no room for new keys"),
            Self::Disk(error) => write!(f, "the disk failed under the key file: {error}"),
            Self::InUse => f.write_str("another gateway has the key file open"),
            Self::NotAKeyFile => f.write_str("this is not a key file"),
            Self::UnknownVersion(version) => {
                write!(f, "the key file has something of version {version}, which this program does not know")
            }
            Self::OtherRootKey => f.write_str(
                "the root key is not the one of this key file; put the right one back (`housecarl key import`)",
            ),
            Self::Damaged(slots) => write!(
                f,
                "{slots} keys of the key file are damaged; nothing was changed; restore the file from its backup"
            ),
            Self::Unavailable => Unavailable.fmt(f),
        }
    }
}

impl std::error::Error for KeysError {}

impl From<io::Error> for KeysError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<Unavailable> for KeysError {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

/// The key of parts.
pub(crate) type PartKey = Arc<aead::LessSafeKey>;

/// Every secret, in memory and in the key file.
pub struct Keys {
    root: RootKey,
    file: File,
    held: Mutex<Held>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

#[derive(Default)]
struct Held {
    secrets: BTreeMap<KeyName, (u32, Secret)>,
    derived: Derived,
    /// Whose secrets of which streams are being renewed: what is sealed now takes another one.
    renewing: BTreeSet<(SubjectId, StreamNumber)>,
    /// Slots without a secret, the last of which is used next.
    free: Vec<u32>,
    /// Slots whose secret is gone from memory, and that may hold it on the disk.
    doomed: Vec<u32>,
    /// How many slots the file has.
    slots: u32,
    /// Whether a slot was written that may not have reached the disk.
    unsynced: bool,
    /// Whether a write or a sync has failed: asked again, the disk may say yes and have lost it.
    failed: bool,
}

impl Held {
    /// The streams of which a subject has a secret.
    fn streams_of(&self, subject: SubjectId) -> BTreeSet<StreamNumber> {
        let every = |name: fn(SubjectId, StreamNumber) -> KeyName| {
            let names = name(subject, StreamNumber(0))..=name(subject, StreamNumber(u16::MAX));
            self.secrets.range(names).map(|(name, _)| *name)
        };
        let names = every(KeyName::Stream).chain(every(KeyName::Renewed));
        let number = |name| match name {
            KeyName::Stream(_, number) | KeyName::Renewed(_, number) => Some(number),
            KeyName::Subject(_) | KeyName::Bucket(_) | KeyName::Log => None,
        };
        names.filter_map(number).collect()
    }

    /// What is sealed now of this subject and stream is sealed under this.
    fn present(&self, subject: SubjectId, stream: StreamNumber) -> KeyName {
        if self.renewing.contains(&(subject, stream)) {
            KeyName::Renewed(subject, stream)
        } else {
            KeyName::Stream(subject, stream)
        }
    }

    fn derive(&mut self, of: Of) -> Option<PartKey> {
        if let Some(key) = self.derived.get(of) {
            return Some(key);
        }
        let (name, bucket) = of;
        let (_, person) = self.secrets.get(&name)?;
        let (_, bucket) = self.secrets.get(&KeyName::Bucket(bucket))?;
        let key = Arc::new(person.part_key(bucket).ok()?);
        self.derived.put(of, Arc::clone(&key));
        Some(key)
    }

    /// Notes that the disk failed.
    fn note(&mut self, result: io::Result<()>) -> Result<(), KeysError> {
        self.failed |= result.is_err();
        Ok(result?)
    }

    /// Nothing new is promised on a disk that has failed.
    fn check(&self) -> Result<(), KeysError> {
        if self.failed {
            return Err(io::Error::other("it failed before").into());
        }
        Ok(())
    }
}

impl Keys {
    /// Opens the key file, or makes one.
    ///
    /// # Errors
    /// [`KeysError`]; the file is then as it was.
    pub fn open(path: &Path, root: RootKey) -> Result<Self, KeysError> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(KeysError::InUse),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        if is_unfinished(&file)? {
            file.write_all_at(&slot::header(&root)?, 0)?;
            file.sync_all()?;
            sync_folder_of(path)?;
        }
        let held = read(&file, &root)?;
        Ok(Self { root, file, held: Mutex::new(held) })
    }

    /// The secret of this name, if there is one.
    pub(crate) fn secret(&self, name: KeyName) -> Option<Secret> {
        self.held().secrets.get(&name).map(|(_, secret)| secret.clone())
    }

    /// The secret of this name, newly made where there is none. Nothing sealed under it may reach
    /// the disk before [`Keys::sync`] has returned.
    pub(crate) fn secret_or_new(&self, name: KeyName) -> Result<Secret, KeysError> {
        self.in_held_or_new(&mut self.held(), name)
    }

    fn in_held_or_new(&self, held: &mut Held, name: KeyName) -> Result<Secret, KeysError> {
        if let Some((_, secret)) = held.secrets.get(&name) {
            return Ok(secret.clone());
        }
        held.check()?;
        if held.free.is_empty() {
            self.grow(held)?;
        }
        let secret = Secret::random()?;
        let bytes = slot::write(name, &secret, &self.root)?;
        let at = held.free.pop().ok_or(KeysError::Full)?;
        // Whatever of it is written is written over: the disk has failed and nothing is sealed under it.
        held.note(self.file.write_all_at(&bytes, place(at)))?;
        held.unsynced = true;
        held.secrets.insert(name, (at, secret.clone()));
        Ok(secret)
    }

    /// The key that this subject's parts of this stream that end in this bucket are sealed under now, if
    /// it can be had.
    pub(crate) fn part_key(
        &self,
        subject: SubjectId,
        stream: StreamNumber,
        bucket: Bucket,
    ) -> Option<PartKey> {
        let held = &mut *self.held();
        held.derive((held.present(subject, stream), bucket))
    }

    /// The key that such parts were sealed under before, where it is being renewed and still there.
    pub(crate) fn part_key_before(
        &self,
        subject: SubjectId,
        stream: StreamNumber,
        bucket: Bucket,
    ) -> Option<PartKey> {
        let held = &mut *self.held();
        let renewing = held.renewing.contains(&(subject, stream));
        renewing.then(|| held.derive((KeyName::Stream(subject, stream), bucket))).flatten()
    }

    /// The same as [`Keys::part_key`], with secrets newly made where there are none; see
    /// [`Keys::secret_or_new`].
    pub(crate) fn part_key_or_new(
        &self,
        subject: SubjectId,
        stream: StreamNumber,
        bucket: Bucket,
    ) -> Result<PartKey, KeysError> {
        let held = &mut *self.held();
        let of: Of = (held.present(subject, stream), bucket);
        if let Some(key) = held.derived.get(of) {
            return Ok(key);
        }
        self.in_held_or_new(held, of.0)?;
        self.in_held_or_new(held, KeyName::Bucket(bucket))?;
        held.derive(of).ok_or(KeysError::Unavailable)
    }

    /// The streams of which there are secrets of this subject.
    pub(crate) fn streams_of(&self, subject: SubjectId) -> BTreeSet<StreamNumber> {
        self.held().streams_of(subject)
    }

    /// From now on what this subject has in this stream is sealed under another secret, which is made
    /// when it is first needed. What was sealed before opens until [`Keys::destroy_before`].
    pub(crate) fn renew(&self, subject: SubjectId, stream: StreamNumber) {
        self.held().renewing.insert((subject, stream));
    }

    /// What is being renewed, also where a crash has cut that short.
    pub(crate) fn renewing(&self) -> BTreeSet<(SubjectId, StreamNumber)> {
        self.held().renewing.clone()
    }

    /// Destroys the secrets that a subject had for these streams before they were renewed. Promises
    /// what [`Keys::destroy`] does.
    pub(crate) fn destroy_before(
        &self,
        subject: SubjectId,
        streams: &BTreeSet<StreamNumber>,
    ) -> Result<usize, KeysError> {
        let held = &mut *self.held();
        let names = streams.iter().map(|stream| KeyName::Stream(subject, *stream));
        let names: Vec<KeyName> = names.filter(|name| held.secrets.contains_key(name)).collect();
        self.destroy_named(held, &names)
    }

    /// Ends a renewal, where what was before is destroyed: the new secrets have its name. A crash
    /// leaves them with the one name or the other.
    pub(crate) fn settle(
        &self,
        subject: SubjectId,
        streams: &BTreeSet<StreamNumber>,
    ) -> Result<(), KeysError> {
        let held = &mut *self.held();
        held.check()?;
        for stream in streams {
            let (from, to) = (KeyName::Renewed(subject, *stream), KeyName::Stream(subject, *stream));
            if let Some((at, secret)) = held.secrets.get(&from).cloned() {
                // A name has one slot.
                if held.secrets.contains_key(&to) {
                    continue;
                }
                held.note(self.file.write_all_at(&slot::write(to, &secret, &self.root)?, place(at)))?;
                held.unsynced = true;
                held.secrets.remove(&from);
                held.secrets.insert(to, (at, secret));
                held.derived.clear();
            }
            held.renewing.remove(&(subject, *stream));
        }
        Ok(())
    }

    /// Whether the disk has not failed under the file.
    pub(crate) fn check(&self) -> Result<(), KeysError> {
        self.held().check()
    }

    /// When this returns, every secret made before has reached the disk.
    pub(crate) fn sync(&self) -> Result<(), KeysError> {
        let held = &mut *self.held();
        held.check()?;
        if held.unsynced {
            held.note(self.file.sync_data())?;
            held.unsynced = false;
        }
        Ok(())
    }

    /// Destroys every secret that `goes`. When this returns, zeros stand on the disk where they
    /// stood, and they are gone from memory. After an error they are gone from memory, and the next
    /// call writes the zeros again. A crash in between leaves some of them; whoever asked has written
    /// down before that they go, and asks again.
    pub(crate) fn destroy(&self, goes: impl Fn(KeyName) -> bool) -> Result<usize, KeysError> {
        let held = &mut *self.held();
        let names: Vec<KeyName> = held.secrets.keys().copied().filter(|name| goes(*name)).collect();
        self.destroy_named(held, &names)
    }

    /// Destroys every secret of this subject, also its own, without looking at those of all others.
    pub(crate) fn destroy_all_of(&self, subject: SubjectId) -> Result<usize, KeysError> {
        let held = &mut *self.held();
        let streams = held.streams_of(subject).into_iter();
        let streams =
            streams.flat_map(|stream| [KeyName::Stream(subject, stream), KeyName::Renewed(subject, stream)]);
        let names: Vec<KeyName> = streams
            .chain([KeyName::Subject(subject)])
            .filter(|name| held.secrets.contains_key(name))
            .collect();
        self.destroy_named(held, &names)
    }

    fn destroy_named(&self, held: &mut Held, names: &[KeyName]) -> Result<usize, KeysError> {
        // All of them out of memory first: whatever the disk does, none is used again.
        for name in names {
            held.doomed.extend(held.secrets.remove(name).map(|(at, _)| at));
        }
        if held.doomed.is_empty() {
            return Ok(0);
        }
        held.derived.clear();
        for at in held.doomed.clone() {
            held.note(self.file.write_all_at(&FREE, place(at)))?;
        }
        held.note(self.file.sync_data())?;
        // A sync reaches all slots that were written before, if none of them was lost earlier.
        held.unsynced &= held.failed;
        held.free.append(&mut held.doomed);
        Ok(names.len())
    }

    /// The names of all secrets.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<KeyName> {
        self.held().secrets.keys().copied().collect()
    }

    /// A block of real zeros, synced: a slot in it can be overwritten whatever the disk has left.
    fn grow(&self, held: &mut Held) -> Result<(), KeysError> {
        let full = |error: &io::Error| {
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        };
        match self.file.write_all_at(&[0; BLOCK_LEN], place(held.slots)) {
            // What is there of it is zeros, and written again when there is room.
            Err(error) if full(&error) => return Err(KeysError::Full),
            result => held.note(result)?,
        }
        held.note(self.file.sync_all())?;
        let from = held.slots;
        held.slots = from.saturating_add(SLOTS_A_BLOCK);
        held.free.extend((from..held.slots).rev());
        Ok(())
    }

    pub(super) const fn root(&self) -> &RootKey {
        &self.root
    }

    /// Lets somebody read the file while nobody writes to it.
    pub(super) fn with_file<T>(&self, read: impl FnOnce(&File) -> io::Result<T>) -> Result<T, KeysError> {
        let held = &mut *self.held();
        held.check()?;
        held.note(self.file.sync_data())?;
        held.unsynced = false;
        Ok(read(&self.file)?)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn derived(&self) -> usize {
        self.held().derived.len()
    }

    /// Another disk from here on; gives the present one.
    #[cfg(test)]
    pub(super) fn set_disk(&mut self, disk: File) -> File {
        std::mem::replace(&mut self.file, disk)
    }

    /// The name and the slot of each secret.
    #[cfg(test)]
    pub(super) fn slots(&self) -> BTreeMap<KeyName, u32> {
        self.held().secrets.iter().map(|(name, (at, _))| (*name, *at)).collect()
    }
}

/// Where a slot begins: the header takes the place of one.
fn place(slot: u32) -> u64 {
    (u64::from(slot) + 1).saturating_mul(SLOT_LEN as u64)
}

/// Whether the file is new, or was left by a crash before its header had reached the disk. No
/// secret is written before that.
fn is_unfinished(file: &File) -> Result<bool, KeysError> {
    let len = file.metadata()?.len();
    if len > SLOT_LEN as u64 {
        return Ok(false);
    }
    let mut start = vec![0; usize::try_from(len).unwrap_or_default()];
    file.read_exact_at(&mut start, 0)?;
    let cut_short = start.len() < SLOT_LEN && MAGIC.iter().zip(&start).all(|(magic, byte)| magic == byte);
    Ok(cut_short || start.iter().all(|byte| *byte == 0))
}

/// Whether a root key is the one of a key file; one that is not there, or was left by a crash before
/// anything was in it, is anybody's.
pub(super) fn is_of(path: &Path, root: &RootKey) -> Result<(), KeysError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    if is_unfinished(&file)? {
        return Ok(());
    }
    let mut header = FREE;
    match file.read_exact_at(&mut header, 0) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(KeysError::NotAKeyFile),
        read => read?,
    }
    slot::check_header(&header, root)
}

fn read(file: &File, root: &RootKey) -> Result<Held, KeysError> {
    let len = file.metadata()?.len();
    if len < SLOT_LEN as u64 {
        return Err(KeysError::NotAKeyFile);
    }
    let mut header = FREE;
    file.read_exact_at(&mut header, 0)?;
    slot::check_header(&header, root)?;
    let mut held = Held::default();
    let mut damaged = 0_u32;
    let mut block = vec![0; BLOCK_LEN];
    while let Some(left) = len.checked_sub(place(held.slots)).filter(|left| *left > 0) {
        let whole = left >= BLOCK_LEN as u64;
        block.truncate(usize::try_from(left).unwrap_or(BLOCK_LEN).min(BLOCK_LEN));
        file.read_exact_at(&mut block, place(held.slots))?;
        if !whole {
            // A block that a crash cut short has no slots yet and is written again when it is needed.
            let lost = block.chunks(SLOT_LEN).filter(|slot| slot.iter().any(|byte| *byte != 0)).count();
            damaged = damaged.saturating_add(u32::try_from(lost).unwrap_or(u32::MAX));
            break;
        }
        for (at, bytes) in (held.slots..).zip(block.as_chunks::<SLOT_LEN>().0) {
            match slot::read(bytes, root) {
                Slot::Free => held.free.push(at),
                Slot::Live(name, secret) => {
                    if let KeyName::Renewed(subject, stream) = name {
                        held.renewing.insert((subject, stream));
                    }
                    // A name has one slot, or the other one would outlive its destruction.
                    let twice = held.secrets.insert(name, (at, secret)).is_some();
                    damaged = damaged.saturating_add(u32::from(twice));
                }
                Slot::Unknown(version) => return Err(KeysError::UnknownVersion(version)),
                Slot::Damaged => damaged = damaged.saturating_add(1),
            }
        }
        held.slots = held.slots.checked_add(SLOTS_A_BLOCK).ok_or(KeysError::NotAKeyFile)?;
    }
    if damaged > 0 {
        return Err(KeysError::Damaged(damaged));
    }
    // Low slots first, so that the used ones stay together.
    held.free.reverse();
    Ok(held)
}

/// Makes a new name in a folder durable.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}
