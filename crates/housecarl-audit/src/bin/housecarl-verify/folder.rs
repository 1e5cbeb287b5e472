//! A log in a folder of the file system.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use housecarl_audit::{Tiles, receipt, tile};

/// The longest file that is read, in bytes; none of a log or a receipt is longer.
const BYTES_MAX: u64 = 1 + receipt::RECEIPT_BYTES_MAX as u64;
const _: () = assert!(BYTES_MAX > tile::FILE_BYTES_MAX as u64);

/// The folder that holds `checkpoint` and `tile/`.
pub(crate) struct Folder<'f>(pub(crate) &'f Path);

impl Tiles for Folder<'_> {
    type Error = String;

    fn read(&self, path: tile::Path) -> Result<Option<Vec<u8>>, String> {
        read(&self.0.join(path.to_string()))
    }
}

/// The file, or its beginning where it is longer than any that could hold; `None` where it is not
/// there.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    let cannot = |error: &io::Error| format!("cannot read {}: {error}", path.display());
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| cannot(&error))?,
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    Ok(Some(bytes))
}
