//! From the outbox into the log. The order of steps, and what a crash after each leaves:
//!
//! 1. the files of the longer log are written, and synced with their folders: no checkpoint speaks
//!    of them, and the next run writes the same bytes, or leaves a partial file that nobody asks for;
//! 2. the checkpoint is signed, and written into the register if the one that it continues is still
//!    the last there: from here on nothing else can be signed for this size, and the next start
//!    publishes it;
//! 3. it is written beside the published one and synced: likewise;
//! 4. it takes the place of the published one, and the folder is synced: done;
//! 5. partial files that have become full ones are removed: what is left of them disturbs nobody.
//!
//! Whatever fails, the next call begins where a start begins: with the register's last checkpoint,
//! and the tree as the files have it, or where those are lost, as the outbox has it.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use housecarl_audit::checkpoint::Untrusted;
use housecarl_audit::{Checkpoint, SignerKey, Tree, VerifierKey, tile};

use super::AuditError;
use super::files::{Files, Folder, Published, folders_above};
use super::sums::Sums;
use crate::keys::{KeyName, Keys};
use crate::people::register::Register;

/// How many entries one checkpoint takes in at most. A multiple of 256, so that a log that is
/// rebuilt in such steps leaves no partial files on the way.
const ENTRIES_AT_ONCE: u32 = 1 << 14;

const CHECKPOINT: &str = "checkpoint";
const UNFINISHED: &str = "checkpoint.new";

/// What an integration did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Integrated {
    /// How many entries were added.
    pub added: u64,
    /// How many entries the published log has now.
    pub size: u64,
}

/// The log: its key, its folder, and its right edge in memory.
pub(crate) struct Log {
    key: SignerKey,
    folder: PathBuf,
    files: Box<dyn Files>,
    /// `None` until it is needed, and after a failure.
    open: Mutex<Option<Open>>,
    pub(super) sums: Sums,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

/// The log as it is published.
struct Open {
    tree: Tree,
    note: Option<String>,
}

impl Log {
    /// The log in this folder. A name that is not given is drawn at the first start.
    pub(crate) fn new(
        folder: PathBuf,
        name: Option<&str>,
        register: &Register,
        keys: &Keys,
    ) -> Result<Self, AuditError> {
        let mut random = [0; 8];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| crate::keys::Unavailable)?;
        let drawn = format!("housecarl/{:016x}", u64::from_be_bytes(random));
        let secret = keys.secret_or_new(KeyName::Log)?;
        let bad_name = |_| AuditError::Name(name.unwrap_or_default().to_owned());
        // A name is tried before it is kept for good.
        SignerKey::new(name.unwrap_or(&drawn), secret.seed()).map_err(bad_name)?;
        // The key before what is signed with it; a crash in between leaves a key that signed nothing.
        keys.sync()?;
        let kept = register.log_name(name.unwrap_or(&drawn))?;
        if let Some(other) = name.filter(|name| *name != kept) {
            return Err(AuditError::Name(other.to_owned()));
        }
        let key = SignerKey::new(&kept, secret.seed()).map_err(bad_name)?;
        Ok(Self::with(key, Box::new(Folder(folder.clone())), folder))
    }

    fn with(key: SignerKey, files: Box<dyn Files>, folder: PathBuf) -> Self {
        Self { key, folder, files, open: Mutex::default(), sums: Sums::default() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    pub(super) fn tiles(&self) -> Published<'_> {
        Published(&*self.files)
    }

    /// How many entries the published log has, and its checkpoint.
    pub(super) fn published(&self, register: &Register) -> Result<Option<(u64, String)>, AuditError> {
        self.at_work(register, |open| Ok(open.note.clone().map(|note| (open.tree.size(), note))))
    }

    /// Takes in what is in the outbox.
    pub(super) fn integrate(&self, register: &Register) -> Result<Integrated, AuditError> {
        self.at_work(register, |open| {
            let leaves = register.leaves(open.tree.size(), ENTRIES_AT_ONCE)?;
            if leaves.is_empty() && open.note.is_some() {
                return Ok(Integrated { added: 0, size: open.tree.size() });
            }
            let before = open.tree.size();
            let mut files = open.tree.append(&leaves);
            // What the published log has already is not touched: a write that is cut short would tear it.
            files.retain(|file| {
                tile::Path::of(file.path.slot(), file.path.index(), before) != Some(file.path)
            });
            self.write(&files)?;
            let note = Checkpoint::of(&open.tree)
                .sign(&self.key)
                .map_err(|error| AuditError::Untrusted(Untrusted::Note(error)))?;
            if !register.continue_log(open.note.as_deref(), &note)? {
                return Err(AuditError::Forked);
            }
            self.publish(&note)?;
            open.note = Some(note);
            for full in files.iter().filter(|file| !file.path.is_partial()) {
                let partial = format!("{}.p", full.path);
                self.files.remove_folder(&partial).map_err(at(&partial))?;
            }
            Ok(Integrated { added: leaves.len() as u64, size: open.tree.size() })
        })
    }

    /// One at a time, with the log as it was left; what fails leaves it to be opened again.
    fn at_work<T>(
        &self,
        register: &Register,
        work: impl FnOnce(&mut Open) -> Result<T, AuditError>,
    ) -> Result<T, AuditError> {
        let mut at_work = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = match at_work.take() {
            Some(open) => open,
            None => self.reopen(register)?,
        };
        let done = work(&mut open)?;
        *at_work = Some(open);
        Ok(done)
    }

    /// The log at the last checkpoint that was signed, which is published when this returns.
    fn reopen(&self, register: &Register) -> Result<Open, AuditError> {
        let published = self.files.read(CHECKPOINT).map_err(at(CHECKPOINT))?;
        let Some(note) = register.checkpoint()? else {
            // Somebody has put an empty register beside a log.
            return if published.is_some() {
                Err(AuditError::Ahead)
            } else {
                Ok(Open { tree: Tree::new(), note: None })
            };
        };
        let checkpoint = Checkpoint::open(note.as_bytes(), self.verifier()).map_err(AuditError::Untrusted)?;
        // What is not signed by the key says nothing, and is written again.
        let other = published.as_ref().and_then(|note| Checkpoint::open(note, self.verifier()).ok());
        if let Some(other) = other
            && (other.size() > checkpoint.size()
                || (other.size() == checkpoint.size() && other.root() != checkpoint.root()))
        {
            return Err(AuditError::Ahead);
        }
        let tree = match Tree::open(&checkpoint, &self.tiles()) {
            Ok(tree) => tree,
            Err(_) => self.rebuild(&checkpoint, register)?,
        };
        if published.as_deref() != Some(note.as_bytes()) {
            self.publish(&note)?;
        }
        Ok(Open { tree, note: Some(note) })
    }

    /// The files of a log that lost some, from the outbox: not one is written before all of it is
    /// what was signed.
    fn rebuild(&self, checkpoint: &Checkpoint, register: &Register) -> Result<Tree, AuditError> {
        let again = |write: bool| {
            let mut tree = Tree::new();
            while tree.size() < checkpoint.size() {
                let left = checkpoint.size() - tree.size();
                let leaves = register
                    .leaves(tree.size(), u32::try_from(left).unwrap_or(u32::MAX).min(ENTRIES_AT_ONCE))?;
                if leaves.is_empty() {
                    return Err(AuditError::Ahead);
                }
                let files = tree.append(&leaves);
                if write {
                    self.write(&files)?;
                }
            }
            Ok(tree)
        };
        if again(false)?.root() != checkpoint.root() {
            return Err(AuditError::Forked);
        }
        again(true)
    }

    fn write(&self, files: &[tile::File]) -> Result<(), AuditError> {
        let paths: Vec<String> = files.iter().map(|file| file.path.to_string()).collect();
        for (path, file) in paths.iter().zip(files) {
            self.files.write(path, &file.bytes).map_err(at(path))?;
        }
        let folders: BTreeSet<&str> = paths.iter().flat_map(|path| folders_above(path)).collect();
        // The inner ones first.
        for folder in folders.into_iter().rev() {
            self.files.sync_folder(folder).map_err(at(folder))?;
        }
        Ok(())
    }

    fn publish(&self, note: &str) -> Result<(), AuditError> {
        self.files.write(UNFINISHED, note.as_bytes()).map_err(at(UNFINISHED))?;
        self.files.rename(UNFINISHED, CHECKPOINT).map_err(at(CHECKPOINT))?;
        self.files.sync_folder("").map_err(at(CHECKPOINT))
    }
}

fn at(path: &str) -> impl FnOnce(io::Error) -> AuditError + use<> {
    let path = path.to_owned();
    move |error| AuditError::File(path, error)
}

#[cfg(test)]
mod tests;
