//! `housecarl check`: holds products against the guidance.

use housecarl_check::Level;
use housecarl_check::render::{Source, json, text};
use housecarl_manifest::scalar::Date;

use super::Format;
use crate::output::{Exit, Result, colour, print, print_json};
use crate::{clock, files};

/// Hold products against the guidance
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Manifests: files, folders, or names of example products
    #[arg(default_value = ".")]
    paths: Vec<String>,
    /// How to print the findings
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The level from which a finding makes the command fail
    #[arg(long, value_parser = level, default_value = "must")]
    min_level: Level,
    /// The day on which dates are judged, such as 2026-11-21; today where nothing is said
    #[arg(long, value_parser = date)]
    as_of: Option<Date>,
}

fn level(word: &str) -> Result<Level> {
    Level::from_word(word).ok_or_else(|| "write must, should or could".to_owned())
}

pub(crate) fn date(text: &str) -> Result<Date> {
    Date::parse(text).ok_or_else(|| "write a date such as 2026-11-21".to_owned())
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let as_of = arguments.as_of.unwrap_or_else(clock::today);
    let files = arguments.paths.iter().map(|path| files::manifest(path)).collect::<Result<Vec<_>>>()?;
    let reports: Vec<_> = files
        .iter()
        .map(|file| {
            let report = housecarl_check::check(&housecarl_manifest::read(&file.text), &file.text, as_of);
            (report, Source { path: &file.path, text: &file.text })
        })
        .collect();
    match arguments.format {
        Format::Text => {
            let colour = colour();
            print(
                &reports
                    .iter()
                    .map(|(report, source)| text::report(report, *source, colour))
                    .collect::<String>(),
            )?;
        }
        Format::Json => print_json(&json::reports(&reports))?,
    }
    let fails = reports.iter().any(|(report, _)| report.fails_at(arguments.min_level));
    Ok(if fails { Exit::Findings } else { Exit::Clean })
}
