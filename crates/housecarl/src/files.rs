//! Manifests from the disk, or from the example products in the binary.

use std::fs;
use std::path::Path;

use housecarl_manifest::ordinals::LOCK_FILE;
use housecarl_manifest::{MANIFEST_FILE, Ordinals};
use include_dir::{Dir, include_dir};

use crate::output::Result;

/// The example products.
pub(crate) static EXAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../products");

/// A manifest's text, with the path to print and the numbers that stand beside it.
#[derive(Debug)]
pub(crate) struct ManifestFile {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) ordinals: Ordinals,
}

impl ManifestFile {
    /// What the product is called for good: its folder's name, or the name of the example.
    pub(crate) fn product_name(&self, asked: &str) -> String {
        // `privacy.toml` alone stands in a folder too.
        let path = Path::new(&self.path).canonicalize().unwrap_or_else(|_| self.path.clone().into());
        let folder = path.parent().and_then(Path::file_name);
        folder.and_then(std::ffi::OsStr::to_str).unwrap_or(asked).to_owned()
    }
}

/// A manifest by path of file or folder, or by the name of an example product.
pub(crate) fn manifest(name: &str) -> Result<ManifestFile> {
    let mut path = Path::new(name).to_path_buf();
    if path.is_dir() {
        path = path.join(MANIFEST_FILE);
    }
    if !path.exists() {
        return example(name).ok_or_else(|| {
            let known: Vec<&str> = examples().collect();
            format!(
                "there is no file or folder `{name}`, and no example product of that name\n  give the path of a \
                 `{MANIFEST_FILE}` or of its folder, or one of: {}",
                known.join(", ")
            )
        })?;
    }
    let text = read(&path)?;
    let lock = path.with_file_name(LOCK_FILE);
    let ordinals = if lock.exists() { read_lock(&lock, &read(&lock)?)? } else { Ordinals::default() };
    Ok(ManifestFile { path: path.display().to_string(), text, ordinals })
}

/// The names of the example products.
pub(crate) fn examples() -> impl Iterator<Item = &'static str> {
    EXAMPLES.dirs().filter_map(|dir| dir.path().file_name()?.to_str())
}

fn example(name: &str) -> Option<Result<ManifestFile>> {
    let folder = EXAMPLES.get_dir(name)?;
    let file = |file: &str| folder.get_file(folder.path().join(file)).and_then(|file| file.contents_utf8());
    let path = format!("products/{name}/{MANIFEST_FILE}");
    let text = file(MANIFEST_FILE)?.to_owned();
    let ordinals = match file(LOCK_FILE).map(|lock| read_lock(Path::new(LOCK_FILE), lock)) {
        None => Ordinals::default(),
        Some(Ok(ordinals)) => ordinals,
        Some(Err(problem)) => return Some(Err(problem)),
    };
    Some(Ok(ManifestFile { path, text, ordinals }))
}

fn read_lock(path: &Path, text: &str) -> Result<Ordinals> {
    Ordinals::read(text).map_err(|error| {
        format!(
            "{}:{}: {}\n  restore this file from version control: people's choices are kept by its numbers",
            path.display(),
            error.line,
            error.why
        )
    })
}

/// A file's text.
pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
