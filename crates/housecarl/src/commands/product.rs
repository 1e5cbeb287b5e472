//! `housecarl product`: another version of a product, put in force on a gateway that is at work.

use std::io::{self, BufRead as _, IsTerminal as _};

use housecarl_check::Level;
use housecarl_check::render::{Source, diff};
use housecarl_manifest::diff::PurposeChange;
use housecarl_server::ask::Method;
use serde_json::{Value as Json, json};

use super::Format;
use crate::output::{Exit, Result, complain, print, print_json};
use crate::remote::{To, ask, text};
use crate::{clock, files};

/// Put another version of a product in force on a running gateway
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show what a manifest changes for people, and put it in force for everybody in one step
    ///
    /// What became wider or different is closed for each person until they were told and, where it rests on consent,
    /// asked again; what was refused stays refused. Devices are told at once what is wanted of them. Without `--yes`
    /// it asks first, and changes nothing where nobody can answer.
    Apply {
        /// The manifest: a file, its folder, or the name of an example product. Its `privacy.lock` stands beside it
        file: String,
        /// What the product is called in the gateway; without it the folder's name
        #[arg(long)]
        name: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        to: To,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let What::Apply { file, name, yes, to } = &arguments.what;
    let file = files::manifest(file)?;
    let name = name.clone().unwrap_or_else(|| file.product_name(&file.path));
    let (remote, path) = (to.operator()?, format!("/v1/products/{name}/manifest"));
    let present = ask(&remote, Method::GET, &path, None)?;
    let version = present.get("version").and_then(Json::as_u64).unwrap_or(0);

    // The same code as the gateway's, so that what is seen here is what is done there.
    let reading = housecarl_manifest::read(&file.text);
    let report = housecarl_check::check(&reading, &file.text, clock::today());
    let old = text(&present, "manifest");
    let changes = housecarl_manifest::diff::diff(&housecarl_manifest::read(old).manifest, &reading.manifest);
    let in_force = format!("{name}, version {version}");
    let (old, new) = (Source { path: &in_force, text: old }, Source { path: &file.path, text: &file.text });
    if to.format == Format::Text {
        print(&diff::text(&changes, old, new))?;
    }
    let shut = report.shut();
    let must = report.count(Level::Must);
    if must > 0 {
        let shut: Vec<String> = shut.iter().map(|purpose| format!("`{purpose}`")).collect();
        complain(&format!(
            "{}: open findings of level must: {must}; compiled shut: {}\n  `housecarl check {}` prints them",
            file.path,
            if shut.is_empty() { "nothing".to_owned() } else { shut.join(", ") },
            file.path
        ));
    }
    if !yes && !agreed(&name, &changes)? {
        complain("nothing was changed; say `--yes` to put it in force");
        return Ok(Exit::Findings);
    }
    let body = json!({ "replaces": version, "manifest": file.text, "lock": file.ordinals.write() });
    let answer = ask(&remote, Method::PUT, &path, Some(&body))?;
    match to.format {
        Format::Json => print_json(&answer)?,
        Format::Text => {
            let version = answer.get("version").and_then(Json::as_u64).unwrap_or(0);
            print(&format!("in force for everybody: {name}, version {version}\n"))?;
        }
    }
    Ok(Exit::Clean)
}

/// Whether somebody at the terminal says yes.
fn agreed(name: &str, changes: &[PurposeChange]) -> Result<bool> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    print(&format!(
        "put it in force for everybody who has `{name}` ({} purposes change)? [y/N] ",
        changes.len()
    ))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(|error| format!("cannot read an answer: {error}"))?;
    Ok(matches!(answer.trim(), "y" | "yes"))
}
