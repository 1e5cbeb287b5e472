//! `housecarl key`: the root key out of the gateway and into it again.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use housecarl_journey::keys::{Imported, RootKey};

use super::Place;
use crate::output::{Exit, Result, complain, print};

/// Export the root key onto paper, or import it again
///
/// Whoever loses the root key has lost every value that was kept: no copy of the data helps, and
/// nobody can make it again.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print the root key, to be kept in another place than the data directory and its backups
    Export {
        #[command(flatten)]
        place: Place,
        /// A new file to write it to, which nobody else may read; standard output where none is named
        #[arg(long)]
        to: Option<PathBuf>,
    },
    /// Put the root key back: a page that was exported, or a copy of the file
    Import {
        #[command(flatten)]
        place: Place,
        /// The file it is in; standard input where none is named
        from: Option<PathBuf>,
    },
}

/// What stands under the exported lines.
const SAID: &str = "\
Whoever loses this key has lost every value that the gateway keeps: no copy of its
data helps, and nobody can make the key again. Whoever has it, and a copy of the
file `keys`, can read everything that was not destroyed. Keep it on paper or in a
safe, apart from the data directory and its backups. `housecarl key import` takes
this page as it is, or typed in again: a slip is noticed, and in which line it is.
";

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    match &arguments.what {
        What::Export { place, to } => export(place, to.as_deref()),
        What::Import { place, from } => import(place, from.as_deref()),
    }
}

fn export(place: &Place, to: Option<&Path>) -> Result<Exit> {
    let opened = place.settings()?.opened();
    let key = RootKey::export(&opened.root_key).map_err(|error| error.to_string())?;
    let Some(to) = to else {
        print(&format!("{}\n{SAID}", *key))?;
        return Ok(Exit::Clean);
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    let write = |mut file: std::fs::File| {
        file.write_all(key.as_bytes())?;
        file.write_all(format!("\n{SAID}").as_bytes())?;
        file.sync_all()
    };
    file.and_then(write).map_err(|error| format!("cannot write {}: {error}", to.display()))?;
    complain(&format!(
        "the root key is in {}; move it to where the data and its backups are not",
        to.display()
    ));
    Ok(Exit::Clean)
}

/// A page has a few hundred bytes, whoever typed it in.
const PAGE_MAX: u64 = 1 << 16;

fn import(place: &Place, from: Option<&Path>) -> Result<Exit> {
    let opened = place.settings()?.opened();
    let mut text = Vec::new();
    let read = match from {
        Some(path) => std::fs::File::open(path).and_then(|file| file.take(PAGE_MAX).read_to_end(&mut text)),
        None => std::io::stdin().lock().take(PAGE_MAX).read_to_end(&mut text),
    };
    let name = from.map_or("standard input".to_owned(), |path| path.display().to_string());
    read.map_err(|error| format!("cannot read {name}: {error}"))?;
    let imported = RootKey::import(&text, &opened.root_key, &opened.keys());
    let path = opened.root_key.display();
    print(&match imported.map_err(|error| format!("{name}: {error}"))? {
        Imported::Written => format!("the root key is in {path}, for its owner alone\n"),
        Imported::WasThere => format!("it is the root key that is in {path} already\n"),
    })?;
    Ok(Exit::Clean)
}
