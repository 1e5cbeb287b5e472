//! What is printed of one manifest, for people and for programs, as files that are read as a
//! difference: `tests/outputs`. In the coloured one `␛` stands for the escape character.
//!
//! `HOUSECARL_BLESS=1 cargo test -p housecarl-check` writes what is printed now.

use crate::support::{check, golden, path, read};
use housecarl_check::render::{Source, json, text};
use housecarl_check::{Level, Report};
use serde_json::Value as Json;

/// A finding of level `should` answered by another way, until the day of the tests.
const DEPARTURE: &str = r#"
[[departure]]
statement = "CON-12"
instead = "the watch reads the request out and waits"
why = "people train without their phone"
evidence = "docs/spoken-requests.pdf"
by_role = "design"
until = 2026-11-21
"#;

fn watch() -> (String, Report) {
    let text = read(&path("outputs/watch.toml"));
    let (reading, report) = check(&text);
    assert!(reading.problems.is_empty(), "{:?}", reading.problems);
    (text, report)
}

#[test]
fn for_people() {
    let (manifest, report) = watch();
    let source = Source { path: "products/watch/privacy.toml", text: &manifest };
    golden(&path("outputs/watch.txt"), &text::report(&report, source, false));
}

#[test]
fn for_people_in_colour() {
    let (manifest, report) = watch();
    let source = Source { path: "products/watch/privacy.toml", text: &manifest };
    let coloured = text::report(&report, source, true);
    golden(&path("outputs/watch.colour.txt"), &coloured.replace('\u{1b}', "␛"));
    // Colour adds nothing and takes nothing away.
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, text::report(&report, source, false));
}

#[test]
fn for_programs() {
    let (manifest, report) = watch();
    let source = Source { path: "products/watch/privacy.toml", text: &manifest };
    let json = json::reports(&[(report, source)]);
    golden(&path("outputs/watch.json"), &(serde_json::to_string_pretty(&json).unwrap() + "\n"));
}

/// What programs may count on in version 1.
#[test]
fn every_finding_of_version_1_has_its_fields_and_counts_from_one() {
    let (manifest, report) = watch();
    let (_, other) = check("manifest = 2\n");
    let sources =
        [Source { path: "a.toml", text: &manifest }, Source { path: "b.toml", text: "manifest = 2\n" }];
    let json = json::reports(&[(report, sources[0]), (other, sources[1])]);
    assert_eq!(json["version"], 1);
    let findings = json["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["file"] == "b.toml"));
    for finding in findings.iter().chain(json["waived"].as_array().unwrap()) {
        for field in ["code", "name", "level", "message", "help", "file"] {
            assert!(finding[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {finding:#}");
        }
        assert!(finding["statements"].is_array() && finding["purposes"].is_array(), "{finding:#}");
        assert!(finding["organisation"].is_string() || finding["organisation"].is_null(), "{finding:#}");
        for span in
            finding["also"].as_array().unwrap().iter().map(|also| &also["span"]).chain([&finding["span"]])
        {
            let [start, end] = [&span["start"], &span["end"]].map(position);
            assert!(start >= (1, 1) && end >= start, "{finding:#}");
        }
    }
}

fn position(at: &Json) -> (u64, u64) {
    (at["line"].as_u64().unwrap(), at["column"].as_u64().unwrap())
}

/// A column is a character, not a byte: a heart and a dash stand before this one.
#[test]
fn a_column_counts_characters() {
    let manifest = "manifest = 1\n[security]\nupdates = { cadence = \"♥ – often\", how = \"none\" }\n";
    let (_, report) = check(manifest);
    let json = json::reports(&[(report, Source { path: "a.toml", text: manifest })]);
    let finding =
        json["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "HC7002").unwrap();
    assert_eq!(finding["span"]["start"]["line"], 3);
    let before = "updates = { cadence = \"♥ – often\", how = ".chars().count() as u64;
    assert_eq!(position(&finding["span"]["start"]), (3, before + 1));
    assert_eq!(position(&finding["span"]["end"]), (3, before + 1 + "\"none\"".len() as u64));
}

#[test]
fn what_the_manifest_answers_is_set_aside_until_the_date_and_never_passed() {
    let (manifest, report) = watch();
    assert_eq!(report.waived.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["HC7002"]);
    assert_eq!((report.departed.len(), report.count(Level::Should)), (0, 2));

    let (_, departed) = check(&format!("{manifest}{DEPARTURE}"));
    assert_eq!((departed.departed.len(), departed.count(Level::Should)), (2, 0));

    // A day later, without its evidence, or of another statement, it answers nothing.
    for (was, is) in [("2026-11-21\n", "2026-11-20\n"), ("evidence = ", "#"), ("CON-12", "CON-10")] {
        let (_, report) = check(&format!("{manifest}{}", DEPARTURE.replace(was, is)));
        assert_eq!((report.departed.len(), report.count(Level::Should)), (0, 2), "{is}");
    }
    for (was, is) in [("until = 2026-12-31", "until = 2026-11-20"), ("reason = ", "#"), ("HC7002", "HC7001")]
    {
        let (_, report) = check(&manifest.replace(was, is));
        assert!(report.waived.is_empty(), "{is}");
        assert!(report.findings.iter().any(|finding| finding.code == "HC7002"), "{is}");
    }
}

/// Only a `must` has no other way.
#[test]
fn no_departure_answers_a_must() {
    let (manifest, report) = watch();
    let must = report.count(Level::Must);
    let departures: String =
        ["RET-04", "RET-02", "RET-01"].map(|statement| DEPARTURE.replace("CON-12", statement)).concat();
    let (_, report) = check(&format!("{manifest}{departures}"));
    assert_eq!((report.count(Level::Must), report.departed.len()), (must, 0));
}

#[test]
fn a_purpose_is_shut_by_an_open_must_and_by_nothing_less() {
    let (manifest, report) = watch();
    assert_eq!(report.shut().into_iter().collect::<Vec<_>>(), ["coaching", "premium"]);
    assert!(report.fails_at(Level::Must) && report.fails_at(Level::Could));
    let (_, mended) = check(&manifest.replace("from = \"account-closed\"", "from = \"receipt\""));
    assert_eq!(mended.shut().into_iter().collect::<Vec<_>>(), ["premium"]);

    let harmless = manifest.replace("account-closed", "receipt").replace("[\"money\"]", "[\"choices\"]");
    let (_, only_should) = check(&harmless);
    assert!(only_should.shut().is_empty() && !only_should.fails_at(Level::Must));
    assert!(only_should.fails_at(Level::Should));
}
