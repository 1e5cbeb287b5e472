//! `housecarl replay`: what a product would keep of real payloads, for whom and why.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use housecarl_check::diagnostic::Level;
use housecarl_check::problems::is_problem;
use housecarl_journey::{Left, PseudonymKey, Unreadable, decide, minimise, receive};
use housecarl_manifest::scalar::Leaves;
use housecarl_manifest::{Compiled, compile};
use housecarl_policy::{Gate, ItemId, PurposeId, StreamId, Table};
use serde_json::{Value as Json, json};

use super::Format;
use crate::home::{self, HomeFile, Made};
use crate::output::{Exit, Result, complain, print, print_json};
use crate::{clock, files};

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
        Format::Text => print(&replay.text())?,
        Format::Json => print_json(&replay.json())?,
    }
    let whole = replay.sums.unmatched + replay.sums.undecodable == 0;
    Ok(if whole { Exit::Clean } else { Exit::Findings })
}

/// Replays the payloads that an example product brings along, for these people of the home.
pub(crate) fn example(name: &str, people: &[&str]) -> Result<String> {
    let product = Product::load(name)?;
    let table = product.table()?;
    let home = HomeFile::read("home.toml", home::DEFAULT)?;
    let homes = people.iter().map(|person| home.standing(&table, person)).collect::<Result<Vec<_>>>()?;
    let mut replay = Replay::new(&product, &table, &homes);
    let mut messages = Vec::new();
    let files =
        files::EXAMPLES.get_dir(format!("{name}/payloads")).into_iter().flat_map(include_dir::Dir::files);
    for file in files {
        let path = file.path();
        let lines = path.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson");
        add(&mut messages, &format!("products/{}", path.display()), file.contents().to_vec(), lines);
    }
    for message in &messages {
        replay.message(message, None);
    }
    Ok(replay.text())
}

/// A product, checked and compiled.
pub(crate) struct Product {
    pub(crate) path: String,
    pub(crate) compiled: Compiled,
}

impl Product {
    pub(crate) fn load(name: &str) -> Result<Self> {
        let file = files::manifest(name)?;
        let reading = housecarl_manifest::read(&file.text);
        let report = housecarl_check::check(&reading, &file.text, clock::today());
        // What was misread could open something, such as a condition with a slip in its name.
        let unreadable = report.findings.iter().filter(|finding| is_problem(finding.code)).count();
        if unreadable > 0 {
            return Err(format!(
                "{}: it cannot be read in full ({unreadable} problems), so nothing is decided by it\n  `housecarl \
                 check {}` says what and where",
                file.path, file.path
            ));
        }
        if report.count(Level::Must) > 0 {
            complain(&format!(
                "{}: open findings of level must: {}; the purposes they are about are shut\n  `housecarl check {}` \
                 prints them",
                file.path,
                report.count(Level::Must),
                file.path
            ));
        }
        let compiled = compile(&reading.manifest, &file.text, &file.ordinals, &report.shut());
        Ok(Self { path: file.path, compiled })
    }

    pub(crate) fn table(&self) -> Result<Table<'_>> {
        Table::read(&self.compiled.table).map_err(|error| format!("{}: {error}", self.path))
    }
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

/// One payload and where it came from.
struct Message {
    from: String,
    bytes: Vec<u8>,
}

fn payloads(names: &[String]) -> Result<Vec<Message>> {
    let mut messages = Vec::new();
    for name in names {
        if name == "-" {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .map_err(|error| format!("cannot read standard input: {error}"))?;
            // A stream of messages has one a line; a single document may have many lines.
            let single = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok();
            add(&mut messages, "-", bytes, !single);
            continue;
        }
        let mut paths = Vec::new();
        collect(Path::new(name), &mut paths)?;
        for path in paths {
            let bytes =
                std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            let lines = path.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson");
            add(&mut messages, &path.display().to_string(), bytes, lines);
        }
    }
    Ok(messages)
}

fn collect(path: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        paths.push(path.to_owned());
        return Ok(());
    }
    let entries =
        std::fs::read_dir(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut entries: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    for entry in entries {
        let is = |part: Option<&std::ffi::OsStr>, word: &str| {
            part.is_some_and(|part| part.eq_ignore_ascii_case(word))
        };
        let licence = ["license", "licence"].iter().any(|word| is(entry.file_stem(), word));
        if !licence && !is(entry.extension(), "md") {
            collect(&entry, paths)?;
        }
    }
    Ok(())
}

fn add(messages: &mut Vec<Message>, from: &str, bytes: Vec<u8>, lines: bool) {
    if !lines {
        messages.push(Message { from: from.to_owned(), bytes });
        return;
    }
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if !line.iter().all(u8::is_ascii_whitespace) {
            messages.push(Message { from: format!("{from}:{}", number + 1), bytes: line.to_vec() });
        }
    }
}

#[derive(Default)]
struct Sums {
    messages: u64,
    decoded: u64,
    unmatched: u64,
    undecodable: u64,
}

/// What became of one item for one person, over all messages.
#[derive(Default)]
struct Tally {
    values: u64,
    kept: u64,
    guesses: u64,
    left: BTreeMap<Left, u64>,
    /// What the operator leaves, in the words of a notice.
    leaves: BTreeSet<String>,
    permitted: BTreeSet<PurposeId>,
    closed: BTreeMap<(PurposeId, Gate), u64>,
    bystander: bool,
}

struct Replay<'r> {
    product: &'r Product,
    table: &'r Table<'r>,
    homes: &'r [Made],
    sums: Sums,
    lines: Vec<String>,
    messages: Vec<Json>,
    undeclared: BTreeMap<(String, String), u64>,
    /// Records in which nobody was recognised, by stream, home and closed gate.
    unrecognised: BTreeMap<(StreamId, usize, Gate), u64>,
    tallies: BTreeMap<(ItemId, usize), Tally>,
}

impl<'r> Replay<'r> {
    fn new(product: &'r Product, table: &'r Table<'r>, homes: &'r [Made]) -> Self {
        Self {
            product,
            table,
            homes,
            sums: Sums::default(),
            lines: Vec::new(),
            messages: Vec::new(),
            undeclared: BTreeMap::new(),
            unrecognised: BTreeMap::new(),
            tallies: BTreeMap::new(),
        }
    }

    fn message(&mut self, message: &Message, stream: Option<StreamId>) {
        self.sums.messages += 1;
        match self.follow(message, stream) {
            Ok(Some((stream, records))) => {
                self.sums.decoded += 1;
                let name = self.stream_name(stream);
                self.lines.push(format!(
                    "{}: stream `{name}`, {records} record{}",
                    message.from,
                    plural(records)
                ));
                self.messages.push(
                    json!({ "from": message.from, "result": "decoded", "stream": name, "records": records }),
                );
            }
            Ok(None) => {
                self.sums.unmatched += 1;
                self.lines.push(format!("{}: unmatched, no stream declares anything in it", message.from));
                self.messages.push(json!({ "from": message.from, "result": "unmatched" }));
            }
            Err(unreadable) => {
                self.sums.undecodable += 1;
                self.lines.push(format!("{}: undecodable, {unreadable}", message.from));
                let why = unreadable.to_string();
                self.messages.push(json!({ "from": message.from, "result": "undecodable", "why": why }));
            }
        }
    }

    /// Follows one payload for every home; gives its stream and how many records it held.
    fn follow(
        &mut self,
        message: &Message,
        stream: Option<StreamId>,
    ) -> std::result::Result<Option<(StreamId, usize)>, Unreadable> {
        let received = receive(&message.bytes)?;
        let mut best: Option<(usize, StreamId)> = None;
        for (id, _) in self.table.streams().filter(|(id, _)| stream.is_none_or(|stream| stream == *id)) {
            let found = received.declared_values(self.table, id)?;
            if found > best.map_or(0, |(most, _)| most) {
                best = Some((found, id));
            }
        }
        let Some((_, stream)) = best else { return Ok(None) };
        // Codes are not printed, so one key serves everybody here.
        let key = PseudonymKey::new([0; 32]);
        let mut records = 0;
        for (at, home) in self.homes.iter().enumerate() {
            let received = receive(&message.bytes)?;
            let permitted = decide(received, self.table, stream, home, clock::now())?;
            let minimised = minimise(permitted, self.table, |_| Some(&key));
            records = minimised.records();
            for (gate, count) in minimised.unrecognised() {
                *self.unrecognised.entry((stream, at, *gate)).or_default() += count;
            }
            for fate in minimised.fates() {
                let tally = self.tallies.entry((fate.item, at)).or_default();
                tally.values += 1;
                tally.kept += u64::from(fate.left.is_kept());
                tally.guesses += u64::from(fate.left.is_kept() && fate.guess);
                *tally.left.entry(fate.left).or_default() += 1;
                tally.bystander |= fate.whose == housecarl_journey::decide::Whose::Bystander;
                if fate.left.is_kept() {
                    tally.leaves.insert(Leaves(fate.decision.operator).to_string());
                    tally.permitted.extend(fate.decision.permitted.iter());
                }
                let uses = self.table.item(fate.item).map(|item| item.uses).unwrap_or_default();
                for purpose in uses.iter() {
                    if let Some(gate) = fate.decision.gate(purpose) {
                        *tally.closed.entry((purpose, gate)).or_default() += 1;
                    }
                }
            }
            if at == 0 {
                let name = self.stream_name(stream).to_owned();
                for (shape, count) in minimised.undeclared() {
                    *self.undeclared.entry((name.clone(), shape.clone())).or_default() += count;
                }
            }
        }
        Ok(Some((stream, records)))
    }

    fn stream_name(&self, stream: StreamId) -> &'r str {
        self.table.stream(stream).map_or("", |stream| self.table.text(stream.name))
    }

    fn item_name(&self, item: ItemId) -> &'r str {
        self.table.item(item).map_or("", |item| self.table.text(item.name))
    }

    fn purpose_name(&self, purpose: PurposeId) -> &'r str {
        self.table.purpose(purpose).map_or("", |purpose| self.table.text(purpose.name))
    }

    fn home_name(&self, at: usize) -> &'r str {
        self.homes.get(at).map_or("", |home| home.name.as_str())
    }

    fn at(&self, line: u32) -> String {
        format!("{}:{line}", self.product.path)
    }

    fn permitted_at(&self, purpose: PurposeId) -> String {
        self.at(self.table.purpose(purpose).map_or(0, |purpose| purpose.line))
    }

    fn closed_at(&self, item: ItemId, purpose: PurposeId, gate: Gate) -> String {
        let precision = self.table.item(item).map_or(0, |item| item.precision_line);
        let line = match (gate, self.table.purpose(purpose)) {
            (Gate::PrecisionOff, _) => precision,
            (gate, Some(purpose)) => self.table.line(&purpose, gate),
            (_, None) => 0,
        };
        self.at(line)
    }

    fn item_at(&self, item: ItemId) -> String {
        self.at(self.table.item(item).map_or(0, |item| item.line))
    }

    /// Why an item that some purposes would have been permitted was dropped, and where that stands.
    fn nothing_left(&self, item: ItemId, left: Left) -> Option<(&'static str, String)> {
        let precision = self.table.item(item).map_or(0, |item| item.precision_line);
        match left {
            Left::Nothing => Some(("the operator leaves nothing of this value", self.at(precision))),
            Left::Unfit => Some(("the value is not of the form that was declared", self.item_at(item))),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        let mut item_before = None;
        for ((item, home), tally) in &self.tallies {
            if item_before.replace(*item) != Some(*item) {
                text.push_str(&format!("\n{}  ({})\n", self.item_name(*item), self.item_at(*item)));
            }
            text.push_str(&self.tally_text(*item, *home, tally));
        }
        if !self.unrecognised.is_empty() {
            text.push_str("\nnobody was recognised:\n");
            for entry in self.not_recognised() {
                let [who, stream, purpose, because, at] = entry;
                text.push_str(&format!("  {who} in `{stream}`, under `{purpose}`, which {because}  {at}\n"));
            }
        }
        if !self.undeclared.is_empty() {
            text.push_str("\nnot declared, and gone:\n");
            for ((stream, shape), count) in &self.undeclared {
                text.push_str(&format!("  {count} member{} in `{shape}` of `{stream}`\n", plural(*count)));
            }
        }
        let Sums { messages, decoded, unmatched, undecodable } = self.sums;
        text.push_str(&format!(
            "\n{}: {messages} message{}, {decoded} decoded, {unmatched} unmatched, {undecodable} undecodable\n",
            self.product.path,
            plural(messages)
        ));
        text
    }

    /// Who was not recognised, in which stream, under which purpose, why, and where that stands.
    fn not_recognised(&self) -> impl Iterator<Item = [String; 5]> + use<'_, 'r> {
        self.unrecognised.keys().filter_map(|(stream, home, gate)| {
            let record = self.table.stream(*stream)?;
            let purpose = PurposeId::new(record.identification)?;
            let line =
                self.table.purpose(purpose).map_or(record.line, |purpose| self.table.line(&purpose, *gate));
            Some([
                self.home_name(*home).to_owned(),
                self.stream_name(*stream).to_owned(),
                self.purpose_name(purpose).to_owned(),
                gate.because().to_owned(),
                self.at(line),
            ])
        })
    }

    fn tally_text(&self, item: ItemId, home: usize, tally: &Tally) -> String {
        let who = self.home_name(home);
        let who = if tally.bystander {
            format!("a bystander, as {who} settled the device")
        } else {
            who.to_owned()
        };
        let dropped = tally.values - tally.kept;
        let mut text = String::new();
        if tally.kept > 0 {
            let leaves = tally.leaves.iter().cloned().collect::<Vec<_>>().join(", ");
            let guess = if tally.guesses > 0 { ", marked as a guess" } else { "" };
            text.push_str(&format!("  {who}: kept {} ({leaves}{guess})\n", tally.kept));
            for purpose in &tally.permitted {
                text.push_str(&format!(
                    "    for `{}`  {}\n",
                    self.purpose_name(*purpose),
                    self.permitted_at(*purpose)
                ));
            }
        }
        if dropped > 0 {
            text.push_str(&format!("  {who}: dropped {dropped}\n"));
            for (left, count) in &tally.left {
                if let Some((why, at)) = self.nothing_left(item, *left) {
                    text.push_str(&format!("    {count} because {why}  {at}\n"));
                }
            }
            if tally.closed.is_empty() && tally.left.contains_key(&Left::Refused) {
                text.push_str(&format!("    no purpose uses it  {}\n", self.item_at(item)));
            }
        }
        for (purpose, gate) in tally.closed.keys() {
            let at = self.closed_at(item, *purpose, *gate);
            text.push_str(&format!(
                "    not for `{}`, which {}  {at}\n",
                self.purpose_name(*purpose),
                gate.because()
            ));
        }
        text
    }

    fn json(&self) -> Json {
        let items: Vec<Json> = self
            .tallies
            .iter()
            .map(|((item, home), tally)| {
                let permitted: Vec<Json> = tally
                    .permitted
                    .iter()
                    .map(|purpose| json!({ "purpose": self.purpose_name(*purpose), "at": self.permitted_at(*purpose) }))
                    .collect();
                let closed: Vec<Json> = tally
                    .closed
                    .iter()
                    .map(|((purpose, gate), values)| {
                        json!({
                            "purpose": self.purpose_name(*purpose),
                            "reason": gate.name(),
                            "values": values,
                            "at": self.closed_at(*item, *purpose, *gate),
                        })
                    })
                    .collect();
                json!({
                    "item": self.item_name(*item),
                    "at": self.item_at(*item),
                    "as": self.home_name(*home),
                    "identified": !tally.bystander,
                    "values": tally.values,
                    "kept": tally.kept,
                    "dropped": tally.values - tally.kept,
                    "guesses": tally.guesses,
                    "leaves": tally.leaves,
                    "unfit": tally.left.get(&Left::Unfit).copied().unwrap_or(0),
                    "permitted": permitted,
                    "closed": closed,
                })
            })
            .collect();
        let unrecognised: Vec<Json> = self
            .not_recognised()
            .map(|[who, stream, purpose, because, at]| {
                json!({ "as": who, "stream": stream, "purpose": purpose, "because": because, "at": at })
            })
            .collect();
        let undeclared: Vec<Json> = self
            .undeclared
            .iter()
            .map(|((stream, shape), count)| json!({ "stream": stream, "in": shape, "members": count }))
            .collect();
        json!({
            "version": 1,
            "product": self.product.path,
            "messages": self.messages,
            "sums": {
                "messages": self.sums.messages,
                "decoded": self.sums.decoded,
                "unmatched": self.sums.unmatched,
                "undecodable": self.sums.undecodable,
            },
            "items": items,
            "unrecognised": unrecognised,
            "undeclared": undeclared,
        })
    }
}

fn plural(count: impl TryInto<u64>) -> &'static str {
    if count.try_into().is_ok_and(|count| count == 1) { "" } else { "s" }
}
