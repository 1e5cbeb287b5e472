//! `housecarl demo`: a home, its devices and a gateway, for a while.

use std::path::PathBuf;
use std::time::Duration;

use super::Format;
use crate::demo::{self, Wish};
use crate::gateway;
use crate::output::{Exit, Result, print, print_json};

/// Run a home of made-up people whose devices publish to a real gateway on this machine
///
/// Each payload is sent as if it had just been captured. Anna agrees to everything, Ben refuses everything, Cleo has not answered, and Mia is eight and her
/// parents authorised what she agreed to. Each has some of the example products. Every device but the
/// fridge, which nobody agreed to be read, sends only what it was told is wanted.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// For how long, in seconds, such as `20s`
    #[arg(long = "for", value_name = "TIME", default_value = "10s", value_parser = seconds)]
    runs: Duration,
    /// Publish the payloads in this folder instead of the products' own
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// How to print the sums at the end
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    number.parse().map(Duration::from_secs).map_err(|_| "a number of seconds, such as `20s`".to_owned())
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let folder =
        tempfile::tempdir().map_err(|error| format!("cannot make a folder for the demo: {error}"))?;
    let live = matches!(arguments.format, Format::Text);
    let wish = Wish {
        runs: arguments.runs,
        corpus: arguments.corpus.clone(),
        live,
        folder: folder.path().to_owned(),
    };
    let tally = gateway::runtime()?.block_on(demo::run(&wish))?;
    match arguments.format {
        Format::Json => print_json(&tally.json())?,
        Format::Text => print(&format!(
            "{}\nTry:  housecarl demo --for 20s --format json\n      housecarl check doorbell\n      housecarl replay \
             products/doorbell/payloads --product doorbell --as anna --as guest\n      housecarl serve --product watch\n",
            tally.text()
        ))?,
    }
    Ok(Exit::Clean)
}
