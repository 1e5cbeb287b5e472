//! Making copies, while the gateway is at work.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{Backup, ERASURES, RECORDS, REGISTER, clear, destroy, stamp, sync_all};
use crate::audit::By;
use crate::journey::{Journey, NotChanged};
use crate::keys::copy;

/// How copies of the keys are called.
const KEYS: (&str, &str) = ("keys-", ".copy");

/// What was copied, where there is a folder for it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Copied {
    /// The folder with records and register.
    pub records: Option<PathBuf>,
    /// The file with the keys.
    pub keys: Option<PathBuf>,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> NotChanged + use<> {
    let path = path.to_owned();
    move |error| NotChanged::Copy(path, error)
}

impl Journey {
    /// Copies records and register into one folder, and the keys into another, each where the settings
    /// name one. Copies of keys that are past their date are destroyed.
    ///
    /// # Errors
    /// [`NotChanged`]; a copy that is not whole has no name that a restore takes.
    pub fn back_up(&self, by: By, now: u64) -> Result<Copied, NotChanged> {
        let Backup { records, keys, keys_days } = &self.backup;
        if records.is_none() && keys.is_none() {
            return Err(NotChanged::Unknown("folder for backups in the settings"));
        }
        // The keys last, so that those of every row that was copied are among them.
        let records = records.as_deref().map(|folder| self.copy_records(folder, by, now)).transpose()?;
        let keys = keys.as_deref().map(|folder| self.copy_keys(folder, *keys_days, by, now)).transpose()?;
        Ok(Copied { records, keys })
    }

    fn copy_records(&self, folder: &Path, by: By, now: u64) -> Result<PathBuf, NotChanged> {
        let (whole, unfinished) =
            (folder.join(format!("{RECORDS}-{}", stamp(now))), folder.join("records.unfinished"));
        clear(&unfinished).map_err(at(&unfinished))?;
        fs::create_dir_all(&unfinished).map_err(at(&unfinished))?;
        // The records before the register: it then knows whom everything is about.
        self.store.copy_to(&unfinished.join(RECORDS))?;
        self.register.copy_to(&unfinished.join(REGISTER))?;
        sync_all(&unfinished).map_err(at(&unfinished))?;
        fs::rename(&unfinished, &whole).map_err(at(&whole))?;
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
        self.register.log(&self.action("records-copied", [0; 16], by, now)?)?;
        Ok(whole)
    }

    fn copy_keys(&self, folder: &Path, days: u32, by: By, now: u64) -> Result<PathBuf, NotChanged> {
        fs::create_dir_all(folder).map_err(at(folder))?;
        destroy_old_keys(folder, now).map_err(at(folder))?;
        self.list_erasures(now)?;
        let (whole, unfinished) =
            (folder.join(format!("{}{}{}", KEYS.0, stamp(now), KEYS.1)), folder.join("keys.unfinished"));
        let bytes = self.keys.copy(now, now.saturating_add(u64::from(days).saturating_mul(86_400)))?;
        let write = |mut file: fs::File| file.write_all(&bytes).and_then(|()| file.sync_all());
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished);
        file.and_then(write).map_err(at(&unfinished))?;
        fs::rename(&unfinished, &whole).map_err(at(&whole))?;
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
        self.register.log(&self.action("keys-copied", [0; 16], by, now)?)?;
        Ok(whole)
    }

    /// Writes anew what has been erased, beside the copies of the keys: a restore has to know what was
    /// erased since the records were copied. Done after each erasure, and to be called now and then, so
    /// that the list tells until when it is complete.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn list_erasures(&self, now: u64) -> Result<(), NotChanged> {
        let Some(folder) = &self.backup.keys else { return Ok(()) };
        // One at a time: who is first has the older list.
        let _alone = self.listing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        fs::create_dir_all(folder).map_err(at(folder))?;
        let (whole, unfinished) = (folder.join(ERASURES), folder.join("erasures.unfinished"));
        clear(&unfinished).map_err(at(&unfinished))?;
        self.register.list_erasures(&unfinished, now)?;
        sync_all(&unfinished).map_err(at(&unfinished))?;
        fs::rename(&unfinished, &whole).map_err(at(&whole))?;
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
    }

    /// Destroys copies of the keys that may not be used any more. To be called now and then, and not
    /// while the clock is in doubt ([`Expired::clock_jumped`](crate::expire::Expired)).
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn destroy_old_copies(&self, now: u64) -> Result<usize, NotChanged> {
        let Some(folder) = self.backup.keys.as_deref().filter(|folder| folder.exists()) else { return Ok(0) };
        destroy_old_keys(folder, now).map_err(at(folder))
    }
}

fn destroy_old_keys(folder: &Path, now: u64) -> io::Result<usize> {
    let mut destroyed = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with(KEYS.0) || !name.ends_with(KEYS.1) {
            continue;
        }
        let mut head = Vec::new();
        fs::File::open(&path)?.take(copy::HEAD_LEN as u64).read_to_end(&mut head)?;
        if copy::until(&head).is_some_and(|until| until <= now) {
            destroy(&path)?;
            destroyed += 1;
        }
    }
    Ok(destroyed)
}
