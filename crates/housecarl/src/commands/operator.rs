//! `housecarl operator`: tokens of those who run a gateway and of those who read from it.

use std::path::PathBuf;

use housecarl_server::ask::Method;
use serde_json::json;

use crate::output::{Exit, Result, complain};
use crate::remote::{To, ask, save, secret, text};

/// Give, exchange and take away tokens: of operators, who run the gateway and read nothing, and of consumers, who
/// read for the purposes they were given and do nothing else
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A token for somebody new: an operator, or with `--reads` a consumer
    Add {
        /// The product that a consumer may read from
        #[arg(long, value_name = "PRODUCT", requires = "purposes")]
        reads: Option<String>,
        /// A purpose that a consumer may read for. May be given several times
        #[arg(long = "for", value_name = "PURPOSE", requires = "reads")]
        purposes: Vec<String>,
        #[command(flatten)]
        save: Save,
        #[command(flatten)]
        to: To,
    },
    /// Exchange your own token for a new one. The old one is worth nothing from then on
    Renew {
        #[command(flatten)]
        save: Save,
        #[command(flatten)]
        to: To,
    },
    /// Make a token worth nothing
    Revoke {
        /// The file that holds it, or `-` for standard input
        token: PathBuf,
        #[command(flatten)]
        to: To,
    },
}

/// Where a new secret goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Save {
    /// Put it into this file, which only you can read, instead of printing it
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

impl Save {
    /// Saves a secret, or prints it with what else is to be said.
    pub(crate) fn keep(&self, to: &To, answer: &serde_json::Value, member: &str, what: &str) -> Result<()> {
        let secret = text(answer, member);
        let Some(file) = &self.save else {
            return match to.format {
                super::Format::Json => crate::output::print_json(answer),
                super::Format::Text => {
                    crate::output::print(&format!("{secret}\n"))?;
                    complain(&format!("this is {what}, shown this once"));
                    Ok(())
                }
            };
        };
        save(file, secret).map_err(|problem| {
            format!("{problem}\n  {what} was made and is lost with this: ask for another one")
        })?;
        complain(&format!("{what} is in {}", file.display()));
        Ok(())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    match &arguments.what {
        What::Add { reads, purposes, save, to } => {
            let body = match reads {
                Some(product) => json!({ "role": "consumer", "product": product, "purposes": purposes }),
                None => json!({ "role": "operator" }),
            };
            let answer = ask(&to.operator()?, Method::POST, "/v1/operators", Some(&body))?;
            save.keep(to, &answer, "token", "the new token")?;
        }
        What::Renew { save, to } => {
            let body = json!({ "token": to.token()? });
            let answer = ask(&to.operator()?, Method::POST, "/v1/operators/renew", Some(&body))?;
            save.keep(to, &answer, "token", "your new token")?;
        }
        What::Revoke { token, to } => {
            let body = json!({ "token": secret(token)? });
            let at = (Method::POST, "/v1/operators/revoke");
            to.ask_and_print(&to.operator()?, at, Some(&body), |_| {
                "the token is worth nothing any more\n".to_owned()
            })?;
        }
    }
    Ok(Exit::Clean)
}
