//! One file a command.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod rules;
pub(crate) mod diff;
pub(crate) mod lock;
pub(crate) mod schema;
pub(crate) mod replay;
pub(crate) mod demo;
pub(crate) mod serve;
pub(crate) mod key;
pub(crate) mod product;
pub(crate) mod home;
pub(crate) mod device;
pub(crate) mod operator;
pub(crate) mod verify;
pub(crate) mod backup;
pub(crate) mod restore;

use std::path::PathBuf;

use housecarl_server::boot::Settings;
use housecarl_server::hex;

use crate::files;
use crate::output::Result;

/// How a command prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Where a gateway's data lies.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// The settings file; docs/settings.md has every key
    #[arg(long)]
    settings: Option<PathBuf>,
    /// The data directory, instead of the one in the settings
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Place {
    /// The settings, with what was said beside them.
    pub(crate) fn settings(&self) -> Result<Settings> {
        let mut settings = match &self.settings {
            Some(path) => {
                Settings::read(&files::read(path)?).map_err(|error| format!("{}: {error}", path.display()))?
            }
            None => Settings::default(),
        };
        if let Some(data) = &self.data {
            settings.data.clone_from(data);
        }
        Ok(settings)
    }
}

/// An id as a part of an address: 32 hexadecimal digits, and nothing that would lead elsewhere.
fn id(text: &str) -> Result<&str> {
    let id = hex::read::<16>(text).map(|_| text);
    id.ok_or_else(|| format!("`{text}` is no id: it has 32 hexadecimal digits, in lower case"))
}
