//! `housecarl replay`: what a product would keep of real payloads, for whom and why.

use std::path::PathBuf;

use housecarl_policy::{StreamId, Table};

use super::Format;
use crate::files;
use crate::home::{self, HomeFile};
use crate::output::{Exit, Result, print, print_json};
use crate::replay::payloads::payloads;
use crate::replay::product::Product;
use crate::replay::{Replay, json, text};

/// Show what a product would keep, coarsen or drop of payloads, for whom and why
///
/// The payloads go through the same stages as a device's messages, up to the one that would seal
/// them; nothing is written and no value is printed. What was not declared never appears, by name
/// or value: it is counted by the declared place around it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Payloads: files, folders (all but Markdown and licence files), or `-` for standard input.
    /// A file with one JSON document a line (.jsonl, .ndjson) is a message a line
    #[arg(required = true)]
    files: Vec<String>,
    /// The product: the path of a manifest or its folder, or the name of an example product
    #[arg(long, short)]
    product: String,
    /// Whose data to suppose it is: a name of the home, several with `+` for a home of several.
    /// Everybody of the home, one after the other, where nothing is said
    #[arg(long = "as", value_name = "PERSON")]
    people: Vec<String>,
    /// The home file with the people
    #[arg(long)]
    home: Option<PathBuf>,
    /// The stream that the payloads are of; otherwise the one that finds the most in each
    #[arg(long)]
    stream: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}
pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let home = match &arguments.home {
        Some(path) => HomeFile::read(&path.display().to_string(), &files::read(path)?)?,
        None => HomeFile::read("home.toml", home::DEFAULT)?,
    };
    let product = Product::load(&arguments.product)?;
    let table = product.table()?;
    let names = if arguments.people.is_empty() { home.names() } else { arguments.people.clone() };
    let homes = names.iter().map(|name| home.standing(&table, name)).collect::<Result<Vec<_>>>()?;
    let stream = arguments.stream.as_deref().map(|name| named_stream(&table, name)).transpose()?;
    let messages = payloads(&arguments.files)?;

    let mut replay = Replay::new(&product, &table, &homes);
    for message in &messages {
        replay.message(message, stream);
    }
    match arguments.format {
        Format::Text => print(&text::report(&replay))?,
        Format::Json => print_json(&json::report(&replay))?,
    }
    let whole = replay.sums.unmatched + replay.sums.undecodable == 0;
    Ok(if whole { Exit::Clean } else { Exit::Findings })
}
fn named_stream(table: &Table<'_>, name: &str) -> Result<StreamId> {
    let streams: Vec<(StreamId, &str)> =
        table.streams().map(|(id, stream)| (id, table.text(stream.name))).collect();
    let found = streams.iter().find(|(_, known)| *known == name).map(|(id, _)| *id);
    found.ok_or_else(|| {
        let known: Vec<&str> = streams.iter().map(|(_, name)| *name).collect();
        format!("the product has no stream `{name}`; it has: {}", known.join(", "))
    })
}
