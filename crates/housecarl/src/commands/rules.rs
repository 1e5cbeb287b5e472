//! `housecarl rules`: the catalogue.

use housecarl_check::explain::{catalogue, title};
use housecarl_check::rules::RULES;

use super::Format;
use crate::output::{Exit, Result, print, print_json};

/// List the rules
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How to print the list
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    match arguments.format {
        Format::Text => {
            let line = |entry: &housecarl_check::rules::Entry| {
                format!(
                    "{}  {:<6}  {:<14}  {}\n",
                    entry.rule.code,
                    entry.rule.level.word(),
                    entry.chapter,
                    title(entry)
                )
            };
            print(&RULES.iter().map(line).collect::<String>())?;
        }
        Format::Json => print_json(&catalogue())?,
    }
    Ok(Exit::Clean)
}
