//! `housecarl lock`: gives every purpose, item and feature its number, once.

use std::path::Path;

use housecarl_manifest::ordinals::LOCK_FILE;

use crate::files;
use crate::output::{Exit, Result, complain, print};

/// Give new purposes, items and features their numbers, in privacy.lock beside the manifest
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Manifests: files or folders
    #[arg(default_value = ".")]
    paths: Vec<String>,
    /// Change nothing; fail where something has no number yet
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let mut exit = Exit::Clean;
    for path in &arguments.paths {
        let file = files::manifest(path)?;
        let reading = housecarl_manifest::read(&file.text);
        let numbered = file.ordinals.extended(&reading.manifest);
        let lock = Path::new(&file.path).with_file_name(LOCK_FILE);
        let current = lock.exists() && numbered == file.ordinals;
        if current {
            print(&format!("{}: every name has its number\n", lock.display()))?;
        } else if arguments.check {
            complain(&format!(
                "{}: some names have no number yet; run `housecarl lock {path}`",
                lock.display()
            ));
            exit = Exit::Findings;
        } else {
            std::fs::write(&lock, numbered.write())
                .map_err(|error| format!("cannot write {}: {error}", lock.display()))?;
            print(&format!("{}: written\n", lock.display()))?;
        }
    }
    Ok(exit)
}
