//! The root key: whoever has it and the key file has every secret; without it nobody has any.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead;
use zeroize::Zeroizing;

use super::Unavailable;

/// How many bytes it has.
pub(super) const LEN: usize = 32;
/// The file is text, so that it can be printed and kept in a safe: this, then the bytes in hex.
const PREFIX: &str = "housecarl-root-key-1:";
/// The text has 86 bytes; whoever copied it may have added ends of lines.
const TEXT_MAX: usize = 128;

/// What wraps every secret of the key file.
pub struct RootKey(aead::LessSafeKey);

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey")
    }
}

/// Why there is no root key.
#[derive(Debug)]
pub enum RootKeyError {
    /// The file is there and cannot be read, or could not be written.
    Io(PathBuf, io::Error),
    /// The file is not one of a root key.
    NotARootKey(PathBuf),
    /// Others on this machine may read the file.
    Exposed(PathBuf),
    /// No random bytes.
    Unavailable,
}

impl fmt::Display for RootKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "the root key `{}`: {error}", path.display()),
            Self::NotARootKey(path) => {
                write!(f, "`{}` is not a root key: it has to begin with `{PREFIX}`", path.display())
            }
            Self::Exposed(path) => write!(
                f,
                "others on this machine may read the root key `{0}`, and with it everything; run `chmod 600 {0}`",
                path.display()
            ),
            Self::Unavailable => Unavailable.fmt(f),
        }
    }
}

impl std::error::Error for RootKeyError {}

impl RootKey {
    /// The key of these bytes, which have to be random.
    ///
    /// # Errors
    /// [`Unavailable`] where there is no cipher.
    pub fn new(bytes: &[u8; LEN]) -> Result<Self, Unavailable> {
        let key = aead::UnboundKey::new(&aead::AES_256_GCM, bytes).map_err(|_| Unavailable)?;
        Ok(Self(aead::LessSafeKey::new(key)))
    }

    /// The key in this file; where there is none, a new one is made and has reached the disk
    /// when this returns. Nobody else may be doing this at the same time.
    ///
    /// # Errors
    /// [`RootKeyError`].
    pub fn open_or_create(path: &Path) -> Result<Self, RootKeyError> {
        match fs::metadata(path) {
            // Empty is what a crash leaves before the key has reached the disk, and used it was after.
            Ok(metadata) if metadata.len() == 0 && !is_exposed(&metadata) => Self::create(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            _ => Self::open(path),
        }
    }

    /// The key in this file.
    ///
    /// # Errors
    /// [`RootKeyError`]; none is made where there is none.
    pub fn open(path: &Path) -> Result<Self, RootKeyError> {
        Self::new(&*read(path)?).map_err(|Unavailable| RootKeyError::Unavailable)
    }

    fn create(path: &Path) -> Result<Self, RootKeyError> {
        let mut bytes = Zeroizing::new([0; LEN]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| RootKeyError::Unavailable)?;
        let text = Zeroizing::new(format(&bytes));
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            super::file::sync_folder_of(path)
        };
        write().map_err(|error| RootKeyError::Io(path.to_owned(), error))?;
        Self::new(&bytes).map_err(|Unavailable| RootKeyError::Unavailable)
    }

    pub(super) const fn cipher(&self) -> &aead::LessSafeKey {
        &self.0
    }
}

fn is_exposed(metadata: &fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o077 != 0
}

/// The bytes of the key in a file that nobody but its owner may read.
pub(super) fn read(path: &Path) -> Result<Zeroizing<[u8; LEN]>, RootKeyError> {
    let io = |error| RootKeyError::Io(path.to_owned(), error);
    let file = File::open(path).map_err(io)?;
    if is_exposed(&file.metadata().map_err(io)?) {
        return Err(RootKeyError::Exposed(path.to_owned()));
    }
    let mut text = Zeroizing::new(Vec::with_capacity(TEXT_MAX));
    file.take(TEXT_MAX as u64).read_to_end(&mut text).map_err(io)?;
    parse(&text).ok_or_else(|| RootKeyError::NotARootKey(path.to_owned()))
}

pub(super) fn format(bytes: &[u8; LEN]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(TEXT_MAX);
    text.push_str(PREFIX);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    text
}

pub(super) fn parse(text: &[u8]) -> Option<Zeroizing<[u8; LEN]>> {
    let digits = text.trim_ascii_end().strip_prefix(PREFIX.as_bytes())?;
    let mut bytes = Zeroizing::new([0; LEN]);
    if digits.len() != 2 * LEN || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}
