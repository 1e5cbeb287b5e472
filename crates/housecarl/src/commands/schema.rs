//! `housecarl schema`: the JSON Schema of a manifest.

use crate::output::{Exit, Result, print};

/// Print the JSON Schema of a manifest, for editors
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments) -> Result<Exit> {
    print(&housecarl_manifest::schema())?;
    Ok(Exit::Clean)
}
