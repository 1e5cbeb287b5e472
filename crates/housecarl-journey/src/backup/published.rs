//! The published log, taken up again by a register that is older than it.
//!
//! A log is continued or left, and never signed a second way. Where the published log is at hand, its
//! leaves come back into the outbox, behind those that are there, and it goes on where it ended; what
//! opens the entries that came since is lost, but to those who were given their receipts. Where it
//! is not at hand, nobody can know how far it had come: a new one is begun, under a new key and name,
//! whose entries begin with those that are known and name the last checkpoint that is.

use std::fs;
use std::io;
use std::path::Path;

use housecarl_audit::{SignerKey, Tiles, tile, verify};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::restore::NotRestored;
use crate::keys::{KeyName, Keys};

/// A folder with a published log.
struct Folder<'f>(&'f Path);

impl Tiles for Folder<'_> {
    type Error = io::Error;

    fn read(&self, path: tile::Path) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(path.to_string())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }
}

/// Takes up the log in this folder: how many entries came back whose openings are lost.
pub(super) fn take_up(register: &Connection, keys: &Keys, folder: &Path) -> Result<u64, NotRestored> {
    let refused = |why: String| NotRestored::Log(folder.to_owned(), why);
    let (name, known): (String, Option<String>) = register
        .query_one("SELECT name, checkpoint FROM log", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or_else(|| refused("the register has never had a log".to_owned()))?;
    let secret = keys
        .secret(KeyName::Log)
        .ok_or_else(|| refused("its key is not in the copy of the keys".to_owned()))?;
    let key = SignerKey::new(&name, secret.expose()).map_err(|error| refused(error.to_string()))?;
    let path = folder.join("checkpoint");
    let note = fs::read(&path).map_err(|error| NotRestored::File(path, error))?;
    let verdict = verify::log(&Folder(folder), &note, key.verifier(), known.as_deref().map(str::as_bytes))
        .map_err(|fault| refused(fault.to_string()))?;
    let note = String::from_utf8(note).map_err(|error| refused(error.to_string()))?;

    let held: u64 =
        register.query_one("SELECT count(*) FROM outbox", [], |row| row.get::<_, i64>(0))?.unsigned_abs();
    let size = verdict.checkpoint.size();
    if held > size {
        return Err(refused(format!("it has {size} entries, and the register {held}: it is not the newest")));
    }
    let (mut index, mut added) = (0_i64, 0);
    for bundle in 0.. {
        let Some(path) = tile::Path::of(tile::Slot::Entries, bundle, size) else { break };
        let bytes = Folder(folder).read(path).ok().flatten().unwrap_or_default();
        for leaf in tile::entries(&bytes) {
            let bytes = leaf.ok_or_else(|| refused(format!("entry {index} does not read")))?;
            let row =
                "INSERT OR IGNORE INTO outbox (number, leaf, keeper, opening) VALUES (?1, ?2, NULL, x'')";
            added += register.execute(row, params![index, bytes])? as u64;
            let same = register.query_one(
                "SELECT leaf = ?2 FROM outbox WHERE number = ?1",
                params![index, bytes],
                |row| row.get::<_, bool>(0),
            )?;
            if !same {
                return Err(refused(format!("its entry {index} is not the one of the register")));
            }
            index = index.saturating_add(1);
        }
    }
    register.execute("UPDATE log SET checkpoint = ?1", [note])?;
    Ok(added)
}

/// Leaves the log as it is, so that the next start begins another: the last checkpoint that is known.
pub(super) fn leave(register: &Connection, keys: &Keys) -> Result<Option<String>, NotRestored> {
    let note = register.query_one("SELECT checkpoint FROM log", [], |row| row.get(0)).optional()?;
    keys.destroy(|name| name == KeyName::Log)?;
    register.execute("DELETE FROM log", [])?;
    Ok(note.flatten())
}
