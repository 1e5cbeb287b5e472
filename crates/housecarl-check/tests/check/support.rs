//! What the tests of this crate share: a day, one way to check a text, and Markdown with blocks.

use std::path::{Path, PathBuf};

use housecarl_check::Report;
use housecarl_check::diagnostic::Diagnostic;
use housecarl_manifest::Reading;
use housecarl_manifest::scalar::Date;

/// The day of every test.
pub(crate) const TODAY: Date = Date { year: 2026, month: 11, day: 21 };

/// A manifest as it was read, and what the check found.
pub(crate) fn check(manifest: &str) -> (Reading, Report) {
    let reading = housecarl_manifest::read(manifest);
    let report = housecarl_check::check(&reading, manifest, TODAY);
    (reading, report)
}

/// Every finding of a code, open or not.
pub(crate) fn found(report: &Report, code: &str) -> Vec<Diagnostic> {
    let every = report.findings.iter().chain(&report.waived).chain(&report.departed);
    every.filter(|finding| finding.code == code).cloned().collect()
}

/// A file of this crate's tests.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Whether expectations are to be rewritten instead of compared: `HOUSECARL_BLESS=1`. What was
/// rewritten is then to be read, line by line, before it is believed.
#[expect(clippy::disallowed_methods, reason = "a test has no caller who could pass the setting")]
pub(crate) fn bless() -> bool {
    std::env::var_os("HOUSECARL_BLESS").is_some_and(|value| value == "1")
}

/// Compares a text with what a file says, or rewrites the file.
pub(crate) fn golden(path: &Path, is: &str) {
    let was = std::fs::read_to_string(path).unwrap_or_default();
    if was == is {
        return;
    }
    if bless() {
        std::fs::write(path, is).unwrap();
        return;
    }
    let first = was.lines().zip(is.lines()).position(|(was, is)| was != is);
    let line = first.unwrap_or_else(|| was.lines().count().min(is.lines().count()));
    panic!(
        "{}:{}: the output has changed; if that is right, run again with HOUSECARL_BLESS=1 and read the \
         difference\n\
         expected: {:?}\n     got: {:?}",
        path.display(),
        line + 1,
        was.lines().nth(line).unwrap_or(""),
        is.lines().nth(line).unwrap_or(""),
    );
}

/// A fenced block of a Markdown file.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The heading that it stands under.
    pub(crate) section: String,
    /// The word after the fence.
    pub(crate) language: String,
    /// The text.
    pub(crate) text: String,
    /// The line of the fence, from 1.
    pub(crate) line: usize,
}

/// The blocks of a Markdown file, with the nearest `## ` heading above each.
pub(crate) fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut section = String::new();
    let mut open = false;
    for (at, line) in markdown.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            if !open {
                let language = language.to_owned();
                blocks.push(Block { section: section.clone(), language, text: String::new(), line: at + 1 });
            }
            open = !open;
        } else if open {
            let block = blocks.last_mut().unwrap();
            block.text.push_str(line);
            block.text.push('\n');
        } else if let Some(heading) = line.strip_prefix("## ") {
            section = heading.to_owned();
        }
    }
    assert!(!open, "a block is not closed");
    blocks
}

/// The file with the texts of its blocks replaced, in their order.
pub(crate) fn with_blocks(markdown: &str, texts: &[String]) -> String {
    let mut texts = texts.iter();
    let mut out = String::new();
    let mut open = false;
    for line in markdown.lines() {
        let fence = line.starts_with("```");
        if fence || !open {
            out.push_str(line);
            out.push('\n');
        }
        if fence && !open {
            out.push_str(texts.next().unwrap());
        }
        open ^= fence;
    }
    out
}
