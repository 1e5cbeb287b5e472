//! What is said of a manifest that cannot be read: one section of `tests/problems.md` a problem,
//! with the manifest that produces it and what is printed.
//!
//! `HOUSECARL_BLESS=1 cargo test -p housecarl-check` writes what is printed now into the file.

use std::collections::BTreeSet;

use crate::support::{blocks, check, golden, path, read, with_blocks};
use housecarl_check::Report;
use housecarl_check::diagnostic::Diagnostic;
use housecarl_check::render::{Source, text};

/// The codes of problems; a change here is a change of the format.
const CODES: &[&str] = &[
    "HC0001", "HC0002", "HC0003", "HC0004", "HC0005", "HC0006", "HC0007", "HC0008", "HC0009", "HC0010",
    "HC0011",
];

#[test]
fn every_problem_says_what_the_file_shows() {
    let path = path("problems.md");
    let markdown = read(&path);
    let blocks = blocks(&markdown);
    let mut texts: Vec<String> = blocks.iter().map(|block| block.text.clone()).collect();
    let mut seen = BTreeSet::new();
    for (at, pair) in blocks.chunks(2).enumerate() {
        let [manifest, said] = pair else { panic!("a manifest without what is printed") };
        assert_eq!(
            (manifest.language.as_str(), said.language.as_str()),
            ("toml", "text"),
            "line {}",
            manifest.line
        );
        let source = Source { path: "privacy.toml", text: &manifest.text };
        let (_, report) = check(&manifest.text);
        // Under the heading of a code only that problem is shown: much is missing from a short manifest.
        let code = manifest.section.split(' ').next().unwrap();
        let shown: Vec<&Diagnostic> =
            report.findings.iter().filter(|finding| finding.code == code || code == "Several").collect();
        assert!(!shown.is_empty(), "problems.md:{}: no {code} here", manifest.line);
        seen.insert(code.to_owned());
        let printed: Vec<String> =
            shown.iter().map(|finding| text::diagnostic(finding, source, false)).collect();
        texts[at * 2 + 1] = printed.join("\n\n") + "\n";
    }
    seen.remove("Several");
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), CODES, "a problem without its section");
    golden(&path, &with_blocks(&markdown, &texts));
}

#[test]
fn problems_are_told_in_the_order_of_the_file_and_cannot_be_waived() {
    let manifest = "manifest = 1\n[[waive]]\ncode = \"HC0005\"\nreason = \"none\"\nby_role = \"dpo\"\n\
                    until = 2030-01-01\n[security]\npasswords = \"shared\"\nupdate = 1\n";
    let (_, report) = check(manifest);
    let starts: Vec<usize> = report.findings.iter().map(|finding| finding.span.start).collect();
    assert!(starts.is_sorted(), "{starts:?}");
    assert!(report.findings.iter().any(|finding| finding.code == "HC0005"));
    assert!(report.waived.is_empty());
}

/// A missing key is one finding, not several: nothing may follow from what was not said.
#[test]
fn a_required_key_that_is_missing_adds_no_finding_of_a_rule() {
    let whole = read(&path("outputs/watch.toml"));
    let (reading, report) = check(&whole);
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    let before = by_rules(&report);
    let lines: Vec<&str> = whole.lines().collect();
    let mut tried = 0;
    for (at, line) in lines.iter().enumerate() {
        let cut: Vec<&str> =
            lines.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, line)| *line).collect();
        let (_, report) = check(&cut.join("\n"));
        let problems: Vec<&str> = report
            .findings
            .iter()
            .map(|finding| finding.code)
            .filter(|code| code.starts_with("HC0"))
            .collect();
        // A list that is missing reads like an empty one, and an empty one is no answer.
        let is_key = line.contains(" = ")
            && !line.contains(" = [")
            && !problems.is_empty()
            && problems.iter().all(|code| *code == "HC0003");
        if is_key {
            tried += 1;
            let after = by_rules(&report);
            let more: Vec<_> = after.difference(&before).collect();
            assert!(more.is_empty(), "line {}, `{line}`, is missing, and this follows: {more:#?}", at + 1);
        }
    }
    assert!(tried > 40, "only {tried} keys were taken away");
}

/// What rules found, without where: lines move when one is taken away.
fn by_rules(report: &Report) -> BTreeSet<(String, String)> {
    let every = report.findings.iter().chain(&report.waived).chain(&report.departed);
    let rules = every.filter(|finding| !finding.code.starts_with("HC0"));
    rules.map(|finding| (finding.code.to_owned(), finding.message.clone())).collect()
}
