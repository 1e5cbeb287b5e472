//! `housecarl backup`: copies of a gateway that is not running. One that is makes them itself.

use std::path::PathBuf;

use housecarl_journey::audit::By;
use housecarl_journey::journey::{Journey, OpenError};
use housecarl_journey::people::RegisterError;

use super::Place;
use crate::clock;
use crate::output::{Exit, Result, print};

/// Copy the records and the register, and apart from them the keys
///
/// For a gateway that is stopped; one at work makes the same copies itself at `POST /v1/backups`, while
/// it serves. docs/backup.md says what to keep where, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The folder for the copy of records and register, instead of the one in the settings
    #[arg(long, value_name = "FOLDER")]
    records: Option<PathBuf>,
    /// The folder for the copy of the keys, instead of the one in the settings
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let mut opened = arguments.place.settings()?.opened();
    let backup = &mut opened.backup;
    for (to, from) in [(&mut backup.records, &arguments.records), (&mut backup.keys, &arguments.keys)] {
        if from.is_some() {
            to.clone_from(from);
        }
    }
    if !opened.keys().exists() {
        return Err(format!("there is no gateway's data in {}", opened.folder.display()));
    }
    let days = opened.backup.keys_days;
    let journey = Journey::open(&opened, Vec::new(), clock::now, |_| ()).map_err(|error| match error {
        OpenError::Register(RegisterError::InUse) => format!(
            "{error}\n  it makes the copies itself: `curl -X POST -H 'Authorization: Bearer TOKEN' http://ADDRESS/v1/backups`"
        ),
        other => other.to_string(),
    })?;
    let copied = journey.back_up(By::Housecarl, clock::now()).map_err(|error| error.to_string())?;
    if let Some(path) = &copied.records {
        print(&format!("records and register: {}\n", path.display()))?;
    }
    if let Some(path) = &copied.keys {
        print(&format!(
            "keys: {}\n  it may be used for {days} days and is destroyed then; keep it on another disk than the records\n",
            path.display()
        ))?;
    }
    journey.close_log(clock::now()).map_err(|error| error.to_string())?;
    Ok(Exit::Clean)
}
