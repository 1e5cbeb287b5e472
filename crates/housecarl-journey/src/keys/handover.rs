//! The root key out of the gateway and into it again: onto paper, into a safe, onto another machine.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::paper::{self, NotOnPaper};
use super::root::{self, LEN, RootKey, RootKeyError};
use super::{KeysError, file};

/// Why a root key was not taken. Nothing was changed.
#[derive(Debug)]
pub enum NotImported {
    /// The text is neither the file of a root key nor what `housecarl key export` prints.
    NotAKey(NotOnPaper),
    /// It is a root key, and this key file was written with another.
    OtherKeyFile(PathBuf),
    /// There is another root key in this place.
    AnotherIsThere(PathBuf),
    /// The key file is there and cannot be used.
    Keys(PathBuf, KeysError),
    /// The file of the root key.
    RootKey(RootKeyError),
}

impl fmt::Display for NotImported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKey(why) => why.fmt(f),
            Self::OtherKeyFile(path) => write!(
                f,
                "this is a root key, but not the one that `{}` was written with; nothing was changed; look for the \
                 copy that was exported from this gateway, since its first start or since its root key was last made",
                path.display()
            ),
            Self::AnotherIsThere(path) => write!(
                f,
                "there is another root key in `{0}`, which was left as it is; whatever was written with it can be \
                 read with it alone; move it away if it is the wrong one, and import again",
                path.display()
            ),
            Self::Keys(path, error) => write!(f, "`{}`: {error}", path.display()),
            Self::RootKey(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotImported {}

/// What became of a root key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Imported {
    /// It is in its place, and on the disk.
    Written,
    /// It was there already.
    WasThere,
}

impl RootKey {
    /// The root key in this file, as lines for paper.
    ///
    /// # Errors
    /// [`RootKeyError`]; none is made where there is none.
    pub fn export(path: &Path) -> Result<Zeroizing<String>, RootKeyError> {
        Ok(paper::write(&*root::read(path)?))
    }

    /// Puts a root key in its place: `text` is what [`RootKey::export`] gave, or a copy of the file
    /// itself. Where there is a key file at `keys`, it has to be the one of that file.
    ///
    /// # Errors
    /// [`NotImported`].
    pub fn import(text: &[u8], path: &Path, keys: &Path) -> Result<Imported, NotImported> {
        let key = match root::parse(text) {
            Some(key) => key,
            None => paper::read(str::from_utf8(text).unwrap_or_default()).map_err(NotImported::NotAKey)?,
        };
        let root = Self::new(&key).map_err(|_| NotImported::RootKey(RootKeyError::Unavailable))?;
        match file::is_of(keys, &root) {
            Ok(()) => {}
            Err(KeysError::OtherRootKey) => return Err(NotImported::OtherKeyFile(keys.to_owned())),
            Err(error) => return Err(NotImported::Keys(keys.to_owned(), error)),
        }
        match fs::metadata(path) {
            // Empty is what a crash leaves of one that was never used.
            Ok(metadata) if metadata.len() > 0 => {
                let same = *root::read(path).map_err(NotImported::RootKey)? == *key;
                return if same {
                    Ok(Imported::WasThere)
                } else {
                    Err(NotImported::AnotherIsThere(path.to_owned()))
                };
            }
            _ => {}
        }
        write_whole(path, &key)
            .map_err(|error| NotImported::RootKey(RootKeyError::Io(path.to_owned(), error)))?;
        Ok(Imported::Written)
    }
}

/// All of it or nothing, and on the disk.
fn write_whole(path: &Path, key: &[u8; LEN]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = path.with_extension("unfinished");
    let write = |mut file: File| {
        file.write_all(Zeroizing::new(root::format(key)).as_bytes())?;
        file.sync_all()
    };
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(write)?;
    fs::rename(&unfinished, path)?;
    file::sync_folder_of(path)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::keys::Keys;

    /// A gateway's folder with a root key and a key file.
    fn gateway() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (root, keys) = (folder.path().join("root.key"), folder.path().join("keys"));
        drop(Keys::open(&keys, RootKey::open_or_create(&root).unwrap()).unwrap());
        (folder, root, keys)
    }

    #[test]
    fn a_key_that_was_lost_is_put_back_from_paper_or_from_a_copy() {
        let (folder, path, keys) = gateway();
        let (paper, copy) = (RootKey::export(&path).unwrap(), fs::read(&path).unwrap());
        for text in [paper.as_bytes(), &copy] {
            fs::remove_file(&path).unwrap();
            assert_eq!(RootKey::import(text, &path, &keys).unwrap(), Imported::Written);
            assert_eq!(fs::read(&path).unwrap(), copy);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(Keys::open(&keys, RootKey::open_or_create(&path).unwrap()).is_ok());
            assert_eq!(RootKey::import(text, &path, &keys).unwrap(), Imported::WasThere);
        }
        // What a crash left of an earlier try is no hindrance, nor a folder that is not there yet.
        fs::write(&path, b"").unwrap();
        fs::write(path.with_extension("unfinished"), b"housecarl-root-k").unwrap();
        assert_eq!(RootKey::import(&copy, &path, &keys).unwrap(), Imported::Written);
        let elsewhere = folder.path().join("new/root.key");
        let imported = RootKey::import(&copy, &elsewhere, &folder.path().join("new/keys"));
        assert_eq!(imported.unwrap(), Imported::Written);
    }

    #[test]
    fn a_wrong_key_is_refused_and_changes_nothing() {
        let (_folder, path, keys) = gateway();
        let (_other_folder, other, _) = gateway();
        let (wrong, right) = (RootKey::export(&other).unwrap(), fs::read(&path).unwrap());
        let refused = |text: &[u8]| RootKey::import(text, &path, &keys).unwrap_err();
        assert!(matches!(refused(wrong.as_bytes()), NotImported::OtherKeyFile(_)));
        assert!(matches!(refused(b"hello"), NotImported::NotAKey(NotOnPaper::NoTitle)));
        assert_eq!(fs::read(&path).unwrap(), right);
        // The wrong one was put in its place: it is not written over, since something may need it.
        fs::copy(&other, &path).unwrap();
        assert!(matches!(refused(&right), NotImported::AnotherIsThere(_)));
        fs::remove_file(&path).unwrap();
        assert!(matches!(refused(wrong.as_bytes()), NotImported::OtherKeyFile(_)));
        assert!(!path.exists());
        fs::write(&keys, b"something else that is longer than a header of a key file is ".repeat(9)).unwrap();
        assert!(matches!(refused(&right), NotImported::Keys(_, KeysError::NotAKeyFile)));
    }

    #[test]
    fn there_is_nothing_to_export_where_there_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        assert!(matches!(RootKey::export(&path), Err(RootKeyError::Io(..))));
        assert!(!path.exists());
    }
}
