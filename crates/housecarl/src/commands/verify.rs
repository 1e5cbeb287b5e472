//! `housecarl verify`: the audit log and receipts from it, as `housecarl-verify` verifies them.

use std::path::PathBuf;

use housecarl_audit::{VerifierKey, folder};

use crate::output::{Exit, Result, print};

/// Verify a published audit log, or a receipt from one, without a network and without the gateway
///
/// Whoever distrusts this program builds `housecarl-verify` instead, which has nothing else in it. Exit status: 0 it
/// holds, 1 it does not, 2 it could not be checked.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A copy of the published log
    Log {
        /// The folder with `checkpoint` and `tile`
        folder: PathBuf,
        /// The log's public key, `name+id+base64`. Take it from where you trust it, not from the copy
        #[arg(long, value_name = "VKEY", value_parser = key)]
        key: VerifierKey,
        /// An earlier checkpoint of the same log, from another day or another person, or a receipt, which holds one
        #[arg(long, value_name = "CHECKPOINT")]
        since: Option<PathBuf>,
    },
    /// A receipt that somebody was handed
    Receipt {
        /// The receipt
        file: PathBuf,
        /// The log's public key, likewise
        #[arg(long, value_name = "VKEY", value_parser = key)]
        key: VerifierKey,
    },
}

fn key(text: &str) -> std::result::Result<VerifierKey, String> {
    text.parse().map_err(|error| format!("this is no key: {error}"))
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let verdict = match &arguments.what {
        What::Log { folder, key, since } => folder::log(folder, key, since.as_deref())?,
        What::Receipt { file, key } => folder::receipt(file, key)?,
    };
    print(&verdict.words)?;
    Ok(if verdict.holds { Exit::Clean } else { Exit::Findings })
}
