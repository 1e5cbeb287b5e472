//! Every rule is tested in prose: `tests/rules/<CODE>.md` says what the rule is about, shows
//! manifests on which it fires with exactly what it then says, and near neighbours on which it is
//! silent. A manifest holds only what the rule looks at; findings of other codes are passed over.
//!
//! `HOUSECARL_BLESS=1 cargo test -p housecarl-check` writes what the rules say now into the files.

use std::collections::BTreeSet;

use crate::support::{Block, blocks, check, found, golden, path, read, with_blocks};
use housecarl_check::diagnostic::Diagnostic;
use housecarl_check::rules::{Entry, RULES};
use housecarl_manifest::span::{Lines, Span};

/// How many lines a silent manifest may have that its twin has not, and the other way round.
const TWIN_LINES_MAX: usize = 3;

#[test]
fn every_rule_says_what_its_file_shows() {
    for entry in RULES {
        let path = path(&format!("rules/{}.md", entry.rule.code));
        let markdown = read(&path);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();

        let title = format!("# {} {}\n", entry.rule.code, entry.name.replace('_', "-"));
        let prose =
            markdown.strip_prefix(&title).unwrap_or_else(|| panic!("{name} does not begin with {title:?}"));
        let prose = prose.split("\n## ").next().unwrap_or_default();
        assert!(prose.split_whitespace().count() >= 15, "{name} does not say what the rule is about");

        let blocks = blocks(&markdown);
        let (fires, silent) = sections(&name, &blocks);
        let mut texts: Vec<String> = blocks.iter().map(|block| block.text.clone()).collect();
        for (at, block) in fires {
            let findings = findings(&name, entry, block);
            assert!(!findings.is_empty(), "{name}:{}: the rule is silent here and should fire", block.line);
            texts[at + 1] = findings.iter().map(|finding| as_text(finding, &block.text)).collect();
        }
        for (_, block) in silent {
            let findings = findings(&name, entry, block);
            let messages: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
            assert!(
                findings.is_empty(),
                "{name}:{}: the rule should be silent here: {messages:#?}",
                block.line
            );
        }
        golden(&path, &with_blocks(&markdown, &texts));
    }
}

type Placed<'b> = Vec<(usize, &'b Block)>;

/// The manifests under `## Fires`, each followed by what is said, and those under `## Silent`.
fn sections<'b>(name: &str, blocks: &'b [Block]) -> (Placed<'b>, Placed<'b>) {
    let place = |block: &Block| format!("{name}:{}", block.line);
    let (mut fires, mut silent) = (Vec::new(), Vec::new());
    for (at, block) in blocks.iter().enumerate() {
        let next = blocks.get(at + 1).map(|next| (next.section.as_str(), next.language.as_str()));
        match (block.section.as_str(), block.language.as_str()) {
            ("Fires", "toml") => {
                assert_eq!(next, Some(("Fires", "text")), "{}: a `text` block has to follow", place(block));
                fires.push((at, block));
            }
            ("Fires", "text") => {
                let before = at.checked_sub(1).and_then(|before| blocks.get(before));
                assert!(
                    before.is_some_and(|b| b.language == "toml"),
                    "{}: what is this about?",
                    place(block)
                );
            }
            ("Silent", "toml") => silent.push((at, block)),
            other => panic!("{}: no block of this kind belongs here: {other:?}", place(block)),
        }
    }
    assert!(!fires.is_empty(), "{name} never shows the rule firing: a check that cannot fail is none");
    assert!(!silent.is_empty(), "{name} never shows the rule silent");
    for (_, block) in &silent {
        let twin = fires.iter().any(|(_, fires)| apart(&fires.text, &block.text) <= TWIN_LINES_MAX);
        assert!(
            twin,
            "{}: no manifest that fires is within {TWIN_LINES_MAX} lines of this one",
            place(block)
        );
    }
    (fires, silent)
}

/// In how many lines two manifests differ, counted on the side that has more of its own.
fn apart(one: &str, other: &str) -> usize {
    let own = |one: &str, other: &str| {
        let mut left: Vec<&str> = other.lines().collect();
        one.lines()
            .filter(|line| match left.iter().position(|other| other == line) {
                Some(at) => {
                    left.remove(at);
                    false
                }
                None => !line.is_empty(),
            })
            .count()
    };
    own(one, other).max(own(other, one))
}

/// What a rule says of a manifest. A key that is missing is no fault of a manifest that holds only
/// what one rule looks at; anything else that keeps it from being read is.
fn findings(name: &str, entry: &Entry, block: &Block) -> Vec<Diagnostic> {
    let (_, report) = check(&block.text);
    for problem in report.findings.iter().filter(|finding| finding.code.starts_with("HC0")) {
        let line = block.line + Lines::of(&block.text).line(problem.span.start);
        assert_eq!(problem.code, "HC0003", "{name}:{line}: {}; {}", problem.message, problem.help);
    }
    found(&report, entry.rule.code)
}

/// A finding, compact: the code, the line, what is underlined and labelled there; then whatever
/// else is pointed at, the message, the help, who has to act and what is shut.
fn as_text(finding: &Diagnostic, manifest: &str) -> String {
    let lines = Lines::of(manifest);
    let at = |span: Span, label: &str| {
        let source = manifest.get(span.start..span.end).unwrap();
        let label = if label.is_empty() { String::new() } else { format!(" ({label})") };
        format!("line {}: {source}{label}\n", lines.line(span.start))
    };
    let mut text = format!("{} {}", finding.code, at(finding.span, &finding.label));
    for also in &finding.also {
        text.push_str(&format!("  also {}", at(also.span, &also.text)));
    }
    text.push_str(&format!("  message: {}\n  help: {}\n", finding.message, finding.help));
    text.push_str(&format!("  acts: {}", finding.organisation.as_deref().unwrap_or("nobody is named")));
    if !finding.purposes.is_empty() {
        text.push_str(&format!("; about: {}", finding.purposes.join(", ")));
    }
    text + "\n"
}

#[test]
fn every_file_belongs_to_a_rule() {
    let files: BTreeSet<String> = std::fs::read_dir(path("rules"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let rules: BTreeSet<String> = RULES.iter().map(|entry| format!("{}.md", entry.rule.code)).collect();
    assert_eq!(files, rules);
}

#[test]
fn twins_are_told_apart_by_the_lines_they_do_not_share() {
    assert_eq!(apart("a\nb\nb\n", "a\nb\nc\n"), 1);
    assert_eq!(apart("a\n", "a\nb\n\nc\n"), 2);
    assert_eq!(apart("a\na\n", "a\n"), 1);
}
