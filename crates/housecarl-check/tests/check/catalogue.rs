//! A sweep over every rule: what the catalogue promises of one, it keeps for all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::support::{check, found, path, read};
use housecarl_check::explain::{HEADINGS, catalogue, explain, page, section, title};
use housecarl_check::rules::{RULES, find};

/// The folders of rules and the digit that their codes begin with.
const CHAPTERS: &[(&str, char)] = &[
    ("information", '1'),
    ("accountability", '2'),
    ("lawfulness", '3'),
    ("transparency", '4'),
    ("accuracy", '5'),
    ("retention", '6'),
    ("security", '7'),
    ("rights", '8'),
];

#[test]
fn codes_are_unique_sorted_and_belong_to_their_chapter() {
    for pair in RULES.windows(2) {
        let [one, other] = pair else { panic!("windows of two") };
        assert!(one.rule.code < other.rule.code, "{} stands before {}", one.rule.code, other.rule.code);
    }
    for entry in RULES {
        let code = entry.rule.code;
        let digits = code.strip_prefix("HC").unwrap_or_else(|| panic!("{code} does not begin with HC"));
        assert!(
            digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()),
            "{code}: HC and four digits"
        );
        let digit = CHAPTERS.iter().find(|(chapter, _)| *chapter == entry.chapter).map(|(_, digit)| *digit);
        assert_eq!(digits.chars().next(), digit, "{code} stands in the folder `{}`", entry.chapter);
    }
}

#[test]
fn a_rule_is_found_by_its_code_and_by_its_name() {
    for entry in RULES {
        let kebab = entry.name.replace('_', "-");
        let letters = kebab.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        assert!(letters && !kebab.contains("--"), "{kebab}");
        for said in [entry.rule.code, &entry.rule.code.to_lowercase(), entry.name, &kebab] {
            assert_eq!(find(said).map(|found| found.rule.code), Some(entry.rule.code), "{said}");
        }
    }
    assert!(find("HC9999").is_none());
}

#[test]
fn every_page_has_its_headings_in_order_and_something_under_each() {
    let mut titles = BTreeSet::new();
    for entry in RULES {
        let code = entry.rule.code;
        let page = page(entry);
        let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{code}");
        for heading in HEADINGS {
            let words = section(entry, heading).unwrap_or_default().split_whitespace().count();
            assert!(words > 0, "{code}: nothing under `{heading}`");
        }
        let title = title(entry);
        assert!(!title.is_empty(), "{code} has no title");
        assert!(titles.insert(title.clone()), "two rules are called `{title}`");
        assert!(explain(entry).contains(code) && explain(entry).contains(&title), "{code}");
    }
    assert_eq!(catalogue()["rules"].as_array().unwrap().len(), RULES.len());
}

#[test]
fn the_example_of_a_page_fires_and_what_it_shows_instead_does_not() {
    for entry in RULES {
        let code = entry.rule.code;
        for (heading, fires) in [("Example", true), ("Instead", false)] {
            let blocks = crate::support::blocks(&section(entry, heading).unwrap());
            let [block] = blocks.as_slice() else {
                panic!("{code}: there is to be one block under `{heading}`")
            };
            assert_eq!(block.language, "toml", "{code}: `{heading}`");
            let (_, report) = check(&block.text);
            // An example is a piece of a manifest: keys may be missing and names undeclared, no more.
            let problems = report.findings.iter().filter(|finding| finding.code.starts_with("HC0"));
            let wrong = problems.clone().find(|problem| !matches!(problem.code, "HC0003" | "HC0006"));
            assert!(wrong.is_none(), "{code}: `{heading}` cannot be read: {wrong:#?}");
            assert_eq!(!found(&report, code).is_empty(), fires, "{code}: what stands under `{heading}`");
        }
    }
}

/// Every id in a text that has the form of a statement's: capitals, hyphens, two digits.
fn ids(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '-');
    let is_id = |word: &&str| {
        word.rsplit_once('-').is_some_and(|(area, number)| {
            area.len() >= 3
                && area.starts_with(|c: char| c.is_ascii_uppercase())
                && area.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
                && number.len() == 2
                && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    words.filter(is_id).map(str::to_owned).collect()
}

#[test]
fn a_page_cites_the_statements_that_its_rule_decides_and_no_others() {
    for entry in RULES {
        let cited = ids(&section(entry, "Guidance").unwrap());
        let decided: BTreeSet<String> = entry.rule.statements.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(
            decided.len(),
            entry.rule.statements.len(),
            "{}: one id stands there twice",
            entry.rule.code
        );
        assert!(!decided.is_empty(), "{} decides no statement", entry.rule.code);
        assert_eq!(cited, decided, "{}", entry.rule.code);
    }
}

#[test]
fn what_has_the_form_of_an_id_is_found_and_nothing_else() {
    let found: Vec<String> =
        ids("RIG-A-07, PECR-25; HC1001 and UTF-8, 2026-11-21, X-12.").into_iter().collect();
    assert_eq!(found, ["PECR-25", "RIG-A-07"]);
}

/// The numbered statements of the guidance, where they lie beside the workspace: id and level.
fn statements() -> Option<BTreeMap<String, String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let file = ["guidance/statements.toml", "../shared/guidance/statements.toml"]
        .into_iter()
        .map(|file| root.join(file))
        .find(|file| file.exists())?;
    let text = read(&file);
    let value = |line: &str, key: &str| {
        let quoted = line.strip_prefix(key)?.trim_start().strip_prefix('=')?.trim();
        Some(quoted.trim_matches('"').to_owned())
    };
    let mut levels = BTreeMap::new();
    let mut id = None;
    for line in text.lines() {
        if let Some(named) = value(line, "id ") {
            id = Some(named);
        } else if let Some(level) = value(line, "level ") {
            levels.insert(id.take().unwrap(), level);
        }
    }
    assert!(levels.len() > 100, "only {} statements were read from {}", levels.len(), file.display());
    Some(levels)
}

#[test]
fn every_cited_statement_exists_and_the_heaviest_gives_the_level() {
    let Some(levels) = statements() else {
        // Not `println!`, which the harness would swallow.
        let said = "NOT RUN: no guidance/statements.toml is here, so nobody checked the ids that rules cite";
        writeln!(std::io::stderr(), "{said}").unwrap();
        return;
    };
    for entry in RULES {
        let code = entry.rule.code;
        let weights = entry.rule.statements.iter().map(|id| {
            match levels.get(*id).map(String::as_str) {
                // In the order of weight.
                Some("could") => "1 could",
                Some("should") => "2 should",
                Some("must" | "must-not") => "3 must",
                Some(level) => panic!("{code} decides {id}, which is a {level}: nobody can fail to meet it"),
                None => panic!("{code} decides {id}, which does not exist"),
            }
        });
        let heaviest = weights.max().unwrap();
        assert!(
            heaviest.ends_with(entry.rule.level.word()),
            "{code} is {}, not {heaviest}",
            entry.rule.level.word()
        );
    }
    for file in sources() {
        for id in ids(&read(&file)) {
            assert!(levels.contains_key(&id) || id.starts_with("X-"), "{}: there is no {id}", file.display());
        }
    }
}

/// The files of this crate that cite statements.
fn sources() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), path("rules")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    assert!(files.len() > RULES.len(), "only {} files were found", files.len());
    files
}

#[test]
fn each_problem_of_a_file_has_its_page() {
    let golden = read(&path("problems.md"));
    for (code, name, title) in housecarl_check::problems::PAGES {
        assert!(housecarl_check::problems::is_problem(code));
        assert!(
            housecarl_check::problems::explain(code).is_some_and(|page| page.starts_with(title)),
            "{code}"
        );
        assert!(housecarl_check::problems::explain(name).is_some());
        assert!(golden.contains(code), "{code} is produced by no manifest of problems.md");
    }
}
