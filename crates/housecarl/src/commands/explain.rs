//! `housecarl explain`: what a code means.

use housecarl_check::explain::explain;
use housecarl_check::problems;
use housecarl_check::rules::{RULES, find};
use housecarl_manifest::problem::did_you_mean;

use crate::output::{Exit, Result, print};

/// Explain a rule: what it checks, why it matters, and what it cannot tell
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A rule's code or name
    rule: String,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    if let Some(problem) = problems::explain(&arguments.rule) {
        print(&problem)?;
        return Ok(Exit::Clean);
    }
    let Some(entry) = find(&arguments.rule) else {
        let rules = RULES.iter().flat_map(|entry| [entry.rule.code, entry.name]);
        let known = rules.chain(problems::PAGES.iter().map(|(code, _, _)| *code));
        let meant = did_you_mean(&arguments.rule.replace('-', "_"), known);
        let help = match meant {
            Some(meant) => format!("did you mean `{}`?", meant.replace('_', "-")),
            None => "`housecarl rules` lists them all".to_owned(),
        };
        return Err(format!("there is no rule `{}`\n  {help}", arguments.rule));
    };
    print(&explain(entry))?;
    Ok(Exit::Clean)
}
