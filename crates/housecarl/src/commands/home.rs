//! `housecarl home`: homes, the people in them, and codes by which devices come in.

use std::path::PathBuf;

use housecarl_server::ask::Method;
use serde_json::json;

use super::operator::Save;
use crate::output::{Exit, Result};
use crate::remote::{To, ask, secret, text};

/// Add homes and the people who live in them, and give out the codes by which devices come in
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A new home: prints its id
    Add {
        #[command(flatten)]
        to: To,
    },
    /// Somebody who lives there, and was asked nothing yet: prints their id
    Person {
        /// The home's id
        home: String,
        /// How old they are: 0-5, 6-9, 10-12, 13-15, 16-17, adult or unknown
        #[arg(long, value_name = "BAND", default_value = "unknown")]
        age: String,
        #[command(flatten)]
        to: To,
    },
    /// How messages name somebody: an account, a wearer, an enrolled speaker
    Mark {
        /// The home's id
        home: String,
        /// The person's id
        person: String,
        /// The file that holds the mark, or `-` for standard input: it names somebody
        mark: PathBuf,
        #[command(flatten)]
        to: To,
    },
    /// A code with which one device can be enrolled in the home, within a day
    Claim {
        /// The home's id
        home: String,
        /// The product that the device is one of
        #[arg(long)]
        product: String,
        /// The id of whom its messages are about where they do not say
        #[arg(long, value_name = "PERSON")]
        holder: Option<String>,
        #[command(flatten)]
        save: Save,
        #[command(flatten)]
        to: To,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    match &arguments.what {
        What::Add { to } => {
            let at = (Method::POST, "/v1/homes");
            to.ask_and_print(&to.operator()?, at, None, |answer| format!("{}\n", text(answer, "home")))?;
        }
        What::Person { home, age, to } => {
            let path = format!("/v1/homes/{}/persons", super::id(home)?);
            let body = json!({ "age_band": age });
            to.ask_and_print(&to.operator()?, (Method::POST, &path), Some(&body), |answer| {
                format!("{}\n", text(answer, "person"))
            })?;
        }
        What::Mark { home, person, mark, to } => {
            let path = format!("/v1/homes/{}/persons/{}/marks", super::id(home)?, super::id(person)?);
            let body = json!({ "mark": secret(mark)? });
            to.ask_and_print(&to.operator()?, (Method::POST, &path), Some(&body), |_| {
                "messages with this mark are about this person\n".to_owned()
            })?;
        }
        What::Claim { home, product, holder, save, to } => {
            let path = format!("/v1/homes/{}/claims", super::id(home)?);
            let body = json!({ "product": product, "holder": holder });
            let answer = ask(&to.operator()?, Method::POST, &path, Some(&body))?;
            save.keep(to, &answer, "claim", "the claim code, good for one device and one day")?;
        }
    }
    Ok(Exit::Clean)
}
