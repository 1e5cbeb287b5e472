//! The key file: one header, then slots.
//!
//! A slot is written before anything is sealed under its secret, and has reached the disk before
//! anything sealed under it does ([`Keys::sync`]). It is destroyed by zeros in its place, and the
//! zeros have reached the disk before anybody is told ([`Keys::destroy`]). The file never shrinks
//! and grows by whole blocks of real zeros, so overwriting a slot needs no room on a full disk.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::aead;

use super::root::RootKey;
use super::slot::{self, FREE, SLOT_LEN, Slot};
use super::{KeyName, Secret, Unavailable};
use crate::people::SubjectId;
use crate::store::{Bucket, StreamNumber};

/// The first bytes of the file. The last digit is the version.
const MAGIC: &[u8; 8] = b"HCKEYS01";
/// How many slots the file grows by.
const SLOTS_A_BLOCK: u32 = 512;
const BLOCK_LEN: usize = SLOTS_A_BLOCK as usize * SLOT_LEN;

/// Why the key file cannot be used.
#[derive(Debug)]
pub enum KeysError {
    /// The disk has no room for another block of slots. Destroying needs none.
    Full,
    /// The disk failed. What was promised may not be there: stop, and start again.
    Disk(io::Error),
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
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Disk(error),
        }
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
    /// Slots without a secret, the last of which is used next.
    free: Vec<u32>,
    /// How many slots the file has.
    slots: u32,
    /// Whether a slot was written that may not have reached the disk.
    unsynced: bool,
}

impl Keys {
    /// Opens the key file, or makes one.
    ///
    /// # Errors
    /// [`KeysError`]; the file is then as it was.
    pub fn open(path: &Path, root: RootKey) -> Result<Self, KeysError> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let header_there = file.metadata()?.len() >= SLOT_LEN as u64;
        if !header_there {
            // A crash before the sync leaves a file without a header, and the next start comes here again.
            file.write_all_at(&slot::header(MAGIC, &root)?, 0)?;
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
        let mut held = self.held();
        if let Some((_, secret)) = held.secrets.get(&name) {
            return Ok(secret.clone());
        }
        if held.free.is_empty() {
            self.grow(&mut held)?;
        }
        let secret = Secret::random()?;
        let bytes = slot::write(name, &secret, &self.root)?;
        let Some(at) = held.free.pop() else { return Err(KeysError::Full) };
        if let Err(error) = self.file.write_all_at(&bytes, place(at)) {
            held.free.push(at);
            return Err(error.into());
        }
        held.unsynced = true;
        held.secrets.insert(name, (at, secret.clone()));
        Ok(secret)
    }

    /// The key of this subject's parts of this stream that end in this bucket, if it can be had.
    pub(crate) fn part_key(
        &self,
        subject: SubjectId,
        stream: StreamNumber,
        bucket: Bucket,
    ) -> Option<PartKey> {
        let person = self.secret(KeyName::Stream(subject, stream))?;
        person.part_key(&self.secret(KeyName::Bucket(bucket))?).ok().map(Arc::new)
    }

    /// The same, with secrets newly made where there are none; see [`Keys::secret_or_new`].
    pub(crate) fn part_key_or_new(
        &self,
        subject: SubjectId,
        stream: StreamNumber,
        bucket: Bucket,
    ) -> Result<PartKey, KeysError> {
        let person = self.secret_or_new(KeyName::Stream(subject, stream))?;
        Ok(Arc::new(person.part_key(&self.secret_or_new(KeyName::Bucket(bucket))?)?))
    }

    /// When this returns, every secret made before has reached the disk.
    pub(crate) fn sync(&self) -> Result<(), KeysError> {
        let mut held = self.held();
        if held.unsynced {
            self.file.sync_data()?;
            held.unsynced = false;
        }
        Ok(())
    }

    /// Destroys every secret that `goes`. When this returns, zeros stand on the disk where they
    /// stood, and they are gone from memory. A crash in between leaves some of them; whoever asked
    /// has written down before that they go, and asks again.
    pub(crate) fn destroy(&self, goes: impl Fn(KeyName) -> bool) -> Result<usize, KeysError> {
        let mut held = self.held();
        let names: Vec<(KeyName, u32)> = held
            .secrets
            .iter()
            .filter(|(name, _)| goes(**name))
            .map(|(name, (at, _))| (*name, *at))
            .collect();
        for (name, at) in &names {
            // Out of memory first: what fails on the disk must not go on being used.
            held.secrets.remove(name);
            self.file.write_all_at(&FREE, place(*at))?;
        }
        if !names.is_empty() {
            self.file.sync_data()?;
            held.unsynced = false;
        }
        // Only now may a slot be used again.
        held.free.extend(names.iter().map(|(_, at)| *at));
        Ok(names.len())
    }

    /// The names of all secrets.
    pub(crate) fn names(&self) -> Vec<KeyName> {
        self.held().secrets.keys().copied().collect()
    }

    /// A block of real zeros, synced: a slot in it can be overwritten whatever the disk has left.
    fn grow(&self, held: &mut Held) -> Result<(), KeysError> {
        self.file.write_all_at(&[0; BLOCK_LEN], place(held.slots))?;
        self.file.sync_all()?;
        let from = held.slots;
        held.slots = from.saturating_add(SLOTS_A_BLOCK);
        held.free.extend((from..held.slots).rev());
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a slot begins: the header takes the place of one.
fn place(slot: u32) -> u64 {
    (u64::from(slot) + 1).saturating_mul(SLOT_LEN as u64)
}

fn read(file: &File, root: &RootKey) -> Result<Held, KeysError> {
    let mut header = FREE;
    file.read_exact_at(&mut header, 0)?;
    slot::check_header(&header, MAGIC, root)?;
    let len = file.metadata()?.len();
    // A block that a crash cut short is written whole again when it is needed.
    let blocks = (len / SLOT_LEN as u64).saturating_sub(1) / u64::from(SLOTS_A_BLOCK);
    let blocks = u32::try_from(blocks).map_err(|_| KeysError::NotAKeyFile)?;
    let mut held = Held { slots: blocks.saturating_mul(SLOTS_A_BLOCK), ..Held::default() };
    let mut damaged = 0_u32;
    let mut block = vec![0; BLOCK_LEN];
    for number in 0..blocks {
        let first = number.saturating_mul(SLOTS_A_BLOCK);
        file.read_exact_at(&mut block, place(first))?;
        for (at, bytes) in (first..).zip(block.as_chunks::<SLOT_LEN>().0) {
            match slot::read(bytes, root) {
                Slot::Free => held.free.push(at),
                Slot::Live(name, secret) => {
                    held.secrets.insert(name, (at, secret));
                }
                Slot::Unknown(version) => return Err(KeysError::UnknownVersion(version)),
                Slot::Damaged => damaged = damaged.saturating_add(1),
            }
        }
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
