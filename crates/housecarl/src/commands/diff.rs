//! `housecarl diff`: what a new version changes for people.

use housecarl_check::render::{Source, diff};

use super::Format;
use crate::files;
use crate::output::{Exit, Result, complain, print, print_json};

/// Say what a new version of a manifest changes: which purposes are wider, narrower or different,
/// who has to be told, who is asked again, and whether the DPIA is open again
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The version in force
    old: String,
    /// The new version
    new: String,
    /// How to print the changes
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let (old, new) = (files::manifest(&arguments.old)?, files::manifest(&arguments.new)?);
    let readings = (housecarl_manifest::read(&old.text), housecarl_manifest::read(&new.text));
    for (file, reading) in [(&old, &readings.0), (&new, &readings.1)] {
        if !reading.problems.is_empty() {
            complain(&format!(
                "{} could not be read in full, so changes may be missing; `housecarl check {}` says why",
                file.path, file.path
            ));
        }
    }
    let changes = housecarl_manifest::diff::diff(&readings.0.manifest, &readings.1.manifest);
    let source = |file: &'_ files::ManifestFile| (file.path.clone(), file.text.clone());
    let (old, new) = (source(&old), source(&new));
    let (old, new) = (Source { path: &old.0, text: &old.1 }, Source { path: &new.0, text: &new.1 });
    match arguments.format {
        Format::Text => print(&diff::text(&changes, old, new))?,
        Format::Json => print_json(&diff::json(&changes, old, new))?,
    }
    let acts = changes
        .iter()
        .any(|change| change.tell || change.dpia || change.ask != housecarl_manifest::diff::Ask::Nobody);
    Ok(if acts { Exit::Findings } else { Exit::Clean })
}
