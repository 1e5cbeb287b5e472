//! `housecarl device`: devices and their secrets.

use std::path::PathBuf;

use housecarl_server::ask::Method;
use serde_json::json;

use super::operator::Save;
use crate::output::{Exit, Result, print};
use crate::remote::{To, ask, secret, text};

/// Enrol devices, and give them new secrets or shut them out
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Enrol one device by a claim code (`housecarl home claim`): prints its id and its secret. Needs no token
    Enrol {
        /// The file that holds the code, or `-` for standard input
        claim: PathBuf,
        #[command(flatten)]
        save: Save,
        #[command(flatten)]
        to: To,
    },
    /// Give a device a new secret. The old one is worth nothing from then on, on open connections too
    Renew {
        /// The device's id
        device: String,
        #[command(flatten)]
        save: Save,
        #[command(flatten)]
        to: To,
    },
    /// Shut a device out, on open connections too
    Revoke {
        /// The device's id
        device: String,
        #[command(flatten)]
        to: To,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    match &arguments.what {
        What::Enrol { claim, save, to } => {
            let body = json!({ "claim": secret(claim)? });
            let answer = ask(&to.anybody()?, Method::POST, "/v1/enrol", Some(&body))?;
            if to.format == super::Format::Text {
                print(&format!("{}\n", text(&answer, "device")))?;
            }
            save.keep(to, &answer, "secret", "the device's secret")?;
        }
        What::Renew { device, save, to } => {
            let answer = ask(&to.operator()?, Method::POST, &secret_of(device)?, None)?;
            save.keep(to, &answer, "secret", "the device's new secret")?;
        }
        What::Revoke { device, to } => {
            let path = secret_of(device)?;
            to.ask_and_print(&to.operator()?, (Method::DELETE, &path), None, |_| {
                "the device is shut out\n".to_owned()
            })?;
        }
    }
    Ok(Exit::Clean)
}

/// Where a device's secret is.
fn secret_of(device: &str) -> Result<String> {
    Ok(format!("/v1/devices/{}/secret", super::id(device)?))
}
