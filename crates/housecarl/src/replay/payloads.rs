//! Payloads from files, folders, standard input, or the example products.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::files;
use crate::output::Result;

/// One payload and where it came from.
pub(crate) struct Message {
    pub(crate) from: String,
    pub(crate) bytes: Vec<u8>,
}

/// Reads all of them.
pub(crate) fn payloads(names: &[String]) -> Result<Vec<Message>> {
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

/// The payloads that an example product brings along.
pub(crate) fn of_example(name: &str) -> Vec<Message> {
    let mut messages = Vec::new();
    let files =
        files::EXAMPLES.get_dir(format!("{name}/payloads")).into_iter().flat_map(include_dir::Dir::files);
    for file in files {
        let path = file.path();
        let lines = path.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson");
        add(&mut messages, &format!("products/{}", path.display()), file.contents().to_vec(), lines);
    }
    messages
}
