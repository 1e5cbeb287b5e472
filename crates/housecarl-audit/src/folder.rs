//! A log or a receipt in the file system, verified and put into words. The only module that reads
//! files: the programs that verify are this and their arguments.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::tile::Lost;
use crate::verify::Fault;
use crate::{Receipt, Tiles, VerifierKey, receipt, tile, verify, words};

/// The longest file that is read, in bytes; none of a log or a receipt is longer.
const BYTES_MAX: u64 = 1 + receipt::RECEIPT_BYTES_MAX as u64;
const _: () = assert!(BYTES_MAX > tile::FILE_BYTES_MAX as u64);

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// For whoever asked.
    pub words: String,
    /// Whether it holds.
    pub holds: bool,
}

/// Verifies a copy of a published log: the folder with `checkpoint` and `tile`. `since` is an earlier
/// checkpoint of the same log, or a receipt, which holds one.
///
/// # Errors
/// Why it could not be checked: what cannot be read speaks neither for nor against the log.
pub fn log(folder: &Path, key: &VerifierKey, since: Option<&Path>) -> Result<Verdict, String> {
    let checkpoint = named(&folder.join("checkpoint"))?;
    let since = since.map(named).transpose()?.map(checkpoint_of);
    match verify::log(&Folder(folder), &checkpoint, key, since.as_deref()) {
        Ok(verdict) => Ok(Verdict { words: words::log(&verdict, key), holds: true }),
        Err(Fault::Lost(lost @ Lost::Unreadable(..))) => Err(lost.to_string()),
        Err(fault) => Ok(Verdict { words: words::log_fault(&fault, key), holds: false }),
    }
}

/// Verifies a receipt.
///
/// # Errors
/// Why it could not be checked.
pub fn receipt(file: &Path, key: &VerifierKey) -> Result<Verdict, String> {
    let bytes = named(file)?;
    let receipt = Receipt::parse(&bytes);
    Ok(match receipt.and_then(|receipt| Ok(words::receipt(&receipt.verify(key)?, key))) {
        Ok(words) => Verdict { words, holds: true },
        Err(invalid) => Verdict { words: words::receipt_fault(&invalid, key), holds: false },
    })
}

/// The folder that holds `checkpoint` and `tile/`.
struct Folder<'f>(&'f Path);

impl Tiles for Folder<'_> {
    type Error = String;

    fn read(&self, path: tile::Path) -> Result<Option<Vec<u8>>, String> {
        read(&self.0.join(path.to_string()))
    }
}

/// The checkpoint itself, or the one in a receipt: whoever has a receipt has kept a checkpoint.
fn checkpoint_of(bytes: Vec<u8>) -> Vec<u8> {
    Receipt::parse(&bytes).map_or(bytes, |receipt| receipt.checkpoint.into_bytes())
}

/// A file without which there is nothing to verify.
fn named(file: &Path) -> Result<Vec<u8>, String> {
    read(file)?.ok_or_else(|| format!("there is no {}", file.display()))
}

/// The file, or its beginning where it is longer than any that could hold; `None` where it is not
/// there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let cannot = |error: &io::Error| format!("cannot read {}: {error}", path.display());
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| cannot(&error))?,
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    Ok(Some(bytes))
}
