//! The files of the published log, one durable step a method.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use housecarl_audit::{Tiles, tile};

/// A folder, by steps that a test can stop between. Paths are relative, with `/`.
pub(super) trait Files: Send + Sync {
    /// A whole file; `None` where there is none.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;
    /// A file with these bytes, which have reached the disk; its name may not have.
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()>;
    /// A file takes the name of another, which is gone.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// The names in this folder reach the disk.
    fn sync_folder(&self, path: &str) -> io::Result<()>;
    /// A folder and everything in it goes, if it is there.
    fn remove_folder(&self, path: &str) -> io::Result<()>;
}

/// A folder of the file system.
pub(super) struct Folder(pub(super) PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.0.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.0.join(from), self.0.join(to))
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        File::open(self.0.join(path))?.sync_all()
    }

    fn remove_folder(&self, path: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.0.join(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

/// Files as the log's format asks for them.
pub(super) struct Published<'f>(pub(super) &'f dyn Files);

impl Tiles for Published<'_> {
    type Error = io::Error;

    fn read(&self, path: tile::Path) -> io::Result<Option<Vec<u8>>> {
        self.0.read(&path.to_string())
    }
}

/// The folders above a file, from the nearest to the log's own.
pub(super) fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| match path.rsplit_once('/') {
        Some((folder, _)) => Some(folder),
        None => (!path.is_empty()).then_some(""),
    })
    .skip(1)
}
