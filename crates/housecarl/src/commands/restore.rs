//! `housecarl restore`: an empty data directory from copies.

use std::path::PathBuf;

use housecarl_journey::backup::{Erasures, Sources, restore};

use super::Place;
use crate::clock;
use crate::output::{Exit, Result, print};

/// Put copies back into an empty data directory
///
/// What was erased since the copies were made is erased again before anything is opened, destroyed keys
/// do not come back, and nobody's consent counts until it is given again: it may have been taken back
/// since. The root key has to be in its place (`housecarl key import`).
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The copy of records and register: a folder `records-…`
    #[arg(long, value_name = "FOLDER")]
    records: PathBuf,
    /// The copy of the keys: a file `keys-….copy`
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    /// The newest list of what was erased, or another register; `erasures.sqlite` beside the copy of the keys
    /// where none is named. `unknown` goes on without any
    #[arg(long, value_name = "FILE")]
    erasures: Option<PathBuf>,
    /// The published log as it was last, to be continued; without it a new log is begun
    #[arg(long, value_name = "FOLDER")]
    log: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let opened = arguments.place.settings()?.opened();
    let erasures = match &arguments.erasures {
        None => Erasures::Beside,
        Some(path) if path.as_os_str() == "unknown" => Erasures::Unknown,
        Some(path) => Erasures::In(path.clone()),
    };
    let sources = Sources {
        records: arguments.records.clone(),
        keys: arguments.keys.clone(),
        erasures,
        log: arguments.log.clone(),
    };
    let restored = restore(&opened, &sources, clock::now).map_err(|error| error.to_string())?;
    let moment = |seconds: u64| {
        let moment =
            i64::try_from(seconds).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        moment.unwrap_or_default().to_string()
    };
    let until = restored.erasures_until.map_or_else(
        || "it is not known what was erased since the copy was made".to_owned(),
        |until| {
            format!(
                "what was erased until {} is erased; what was erased later is not known of",
                moment(until)
            )
        },
    );
    let log = restored.log_entries.map_or_else(
        || "a new audit log is begun: hand out its new verifier key, and keep the old log".to_owned(),
        |entries| {
            format!("the audit log goes on; {entries} of its entries came back without what opens them")
        },
    );
    print(&format!(
        "restored into {}: {} parts; {} that nothing opens are gone\n  the keys are of {}\n  {until}\n  {} people and \
         devices are asked again what they agree to; until then nothing that needs consent is open\n  {log}\n  operators \
         and consumers get new tokens, the first with the next `housecarl serve`; devices that were revoked after the \
         copy have to be revoked again\n",
        opened.folder.display(),
        restored.parts,
        restored.unreadable,
        moment(restored.keys_of),
        restored.asked_again,
    ))?;
    Ok(Exit::Clean)
}
