//! Real payloads of real devices, replayed through the binary. They stand beside the project, not
//! in it: where the folder is not there, the test says so aloud and checks nothing.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

/// Each source of the corpus that holds device messages, and the products whose devices speak so.
const SOURCES: [(&str, &[&str]); 11] = [
    ("fhir-phd", &["blood-pressure"]),
    ("fitbit-googlefit", &["watch"]),
    ("frigate", &["doorbell"]),
    ("home-assistant", &["doorbell", "home-hub"]),
    ("matter", &["home-hub"]),
    ("openmhealth", &["watch", "blood-pressure"]),
    ("shelly", &["home-hub"]),
    ("smartthings", &["tv", "fridge", "home-hub", "doorbell", "headphones"]),
    ("withings", &["watch", "blood-pressure"]),
    ("yoto", &["toy-player"]),
    ("zigbee-zha", &["home-hub"]),
];

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/devices");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("NOT RUN: the corpus of device payloads is not beside the project");
    None
}

/// The payloads of a source: what `replay` takes from its folder, but for the corpus's own notes.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "json")).collect();
    files.sort();
    files
}

fn replay(product: &str, people: &[&str], files: &[PathBuf], format: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_housecarl"));
    command.args(["replay", "--product", product, "--format", format]);
    command.args(people.iter().flat_map(|person| ["--as", person]));
    let output = command.args(files).output().unwrap();
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn report(product: &str, people: &[&str], files: &[PathBuf]) -> Json {
    serde_json::from_str(&replay(product, people, files, "json")).unwrap()
}

fn entries<'j>(report: &'j Json, key: &str) -> &'j Vec<Json> {
    report.get(key).unwrap().as_array().unwrap()
}

fn text<'j>(json: &'j Json, key: &str) -> &'j str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn number(json: &Json, key: &str) -> u64 {
    json.get(key).and_then(Json::as_u64).unwrap()
}

/// A reason leads to a line of the manifest that says something.
fn leads_to_a_line(at: &str) -> bool {
    let Some((file, line)) = at.rsplit_once(':') else { return false };
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)).unwrap();
    let line = line.parse::<usize>().unwrap().checked_sub(1).and_then(|line| text.lines().nth(line));
    line.is_some_and(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

#[test]
fn each_source_keeps_something_for_who_agreed_and_drops_it_for_who_did_not() {
    let Some(corpus) = corpus() else { return };
    let mut lines = Vec::new();
    for (source, products) in SOURCES {
        let files = files(&corpus.join(source));
        let mut decoded_by_any = BTreeSet::new();
        let mut undecodable = 0;
        let mut decided = BTreeSet::new();
        for product in products {
            let report = report(product, &["anna", "ben"], &files);
            for message in entries(&report, "messages") {
                if text(message, "result") == "decoded" {
                    decoded_by_any.insert(text(message, "from").to_owned());
                }
            }
            undecodable = undecodable.max(number(report.get("sums").unwrap(), "undecodable"));
            let by = |person: &str| {
                entries(&report, "items")
                    .iter()
                    .filter(|item| text(item, "as") == person)
                    .cloned()
                    .collect::<Vec<_>>()
            };
            for (agreed, refused) in by("anna").iter().zip(by("ben")) {
                assert_eq!(text(agreed, "item"), text(&refused, "item"));
                if number(agreed, "kept") == 0 || number(&refused, "kept") > 0 {
                    continue;
                }
                let permitted = entries(agreed, "permitted");
                let closed = entries(&refused, "closed");
                assert!(!permitted.is_empty() && !closed.is_empty(), "{source}: {agreed}");
                for reason in permitted.iter().chain(closed) {
                    assert!(leads_to_a_line(text(reason, "at")), "{source}: {reason} leads to no line");
                }
                decided.insert(format!("{product}/{}", text(agreed, "item")));
            }
        }
        assert!(!decided.is_empty(), "{source}: no item is kept for one person and dropped for the other");
        let unmatched = files.len() - decoded_by_any.len() - usize::try_from(undecodable).unwrap();
        lines.push(format!(
            "{source:<17} {:>3} messages {:>3} decoded {unmatched:>3} unmatched {undecodable:>3} undecodable  {:>3} items decided by a choice",
            files.len(),
            decoded_by_any.len(),
            decided.len()
        ));
    }
    eprintln!("{}", lines.join("\n"));
}

#[test]
fn what_is_not_json_is_counted_and_not_repeated() {
    let Some(corpus) = corpus() else { return };
    let files =
        [corpus.join("home-assistant/owntracks.malformed.txt"), corpus.join("apple-health/export.xml")];
    let shown = replay("watch", &["anna"], &files, "text");
    assert!(shown.contains("2 messages, 0 decoded, 0 unmatched, 2 undecodable"), "{shown}");
    assert!(!shown.contains("bad json") && !shown.contains("HealthData"), "{shown}");
}

#[test]
fn undeclared_members_never_appear_by_name_or_value() {
    let Some(corpus) = corpus() else { return };
    let mut looked_for = 0;
    for (source, products) in SOURCES {
        let files = files(&corpus.join(source));
        for product in products {
            let manifest = format!("{}/../../products/{product}/privacy.toml", env!("CARGO_MANIFEST_DIR"));
            let declared = std::fs::read_to_string(manifest).unwrap();
            let mut words = BTreeSet::new();
            for file in &files {
                gather(
                    &serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap_or(Json::Null),
                    &mut words,
                );
            }
            let shown = replay(product, &["anna", "ben", "guest"], &files, "json")
                + &replay(product, &["anna"], &files, "text");
            // The names of files are the caller's own words, not the payload's.
            let shown =
                files.iter().fold(shown, |shown, file| shown.replace(&*file.display().to_string(), ""));
            // What it says over payloads of our own are its own words.
            let ours =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../../products").join(product).join("payloads");
            let own = replay(product, &["anna", "ben", "guest"], &[ours], "json");
            for word in
                words.iter().filter(|word| !declared.contains(word.as_str()) && !own.contains(word.as_str()))
            {
                looked_for += 1;
                assert!(
                    !is_shown(&shown, word),
                    "{source} with {product} shows {word:?}, which was not declared"
                );
            }
        }
    }
    assert!(looked_for > 5_000, "only {looked_for} words were looked for");
}

/// Names of members and texts and numbers, long enough not to stand in other words by chance.
fn gather(json: &Json, words: &mut BTreeSet<String>) {
    let add = |words: &mut BTreeSet<String>, word: &str| {
        if word.chars().count() >= 5 {
            words.insert(word.to_owned());
        }
    };
    match json {
        Json::Object(members) => {
            for (name, member) in members {
                add(words, name);
                gather(member, words);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| gather(item, words)),
        Json::String(text) => add(words, text),
        Json::Number(number) => add(words, &number.to_string()),
        Json::Null | Json::Bool(_) => {}
    }
}

/// Whether a word stands in a text by itself, not inside another word.
fn is_shown(text: &str, word: &str) -> bool {
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| {
        !inside(text[..at].chars().next_back()) && !inside(text[at + word.len()..].chars().next())
    })
}
