//! The forms of single values: dates, lengths of time, paths, texts in several languages.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use housecarl_manifest::path::Path;
use housecarl_manifest::scalar::{Date, Duration};
use housecarl_manifest::span::Lines;
use housecarl_manifest::{read, span};

#[test]
fn days_are_counted_as_the_calendar_has_them() {
    for (text, day) in [
        ("1970-01-01", 0),
        ("1970-12-31", 364),
        ("2000-02-29", 11_016),
        ("2000-03-01", 11_017),
        ("2026-11-21", 20_778),
        ("2100-03-01", 47_541),
    ] {
        let date = Date::parse(text).unwrap();
        assert_eq!(date.unix_day(), day, "{text}");
        assert_eq!(Date::from_unix_day(day), date);
    }
    for day in 0..80_000 {
        assert_eq!(Date::from_unix_day(day).unix_day(), day);
    }
    for wrong in ["2026-13-01", "2026-00-01", "26-01-01", "2026-01", "2026-01-01-01", "yesterday"] {
        assert_eq!(Date::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_length_of_time_is_never_shorter_than_its_words() {
    let days = |text: &str| Duration::parse(text).map(|length| length.seconds() / 86_400);
    assert_eq!(days("1 day"), Some(1));
    assert_eq!(days("13 months"), Some(403));
    assert_eq!(days("1 year"), Some(366));
    assert_eq!(days("2 weeks"), Some(14));
    for wrong in ["", "month", "0 days", "-1 days", "1.5 years", "1 fortnight", "99999999 years", "1  day"] {
        assert_eq!(days(wrong), None, "{wrong}");
    }
}

#[test]
fn a_path_is_printed_as_it_can_be_read_again() {
    for text in [
        "",
        "/hr",
        "/samples/*/bpm",
        "/\"switch:0\"/apower",
        "/value/(json)/hr",
        "/measures/*[type=1]/value",
        "/[type=face]/name",
        "/a~1b/c~0d",
        "/\"*\"/\"(json)\"/\"\"",
        "/sdm.devices.events.DoorbellChime.Chime",
        "/ä/ö",
        "/a[x=1][y=2]",
        "/a[unit=\"mm[Hg]\"]/b",
        "/a[code=~1min]/b",
    ] {
        let path = Path::parse(text).unwrap();
        assert_eq!(Path::parse(&path.to_string()).unwrap(), path, "{text} printed {path}");
    }
}

#[test]
fn a_bad_path_says_why() {
    for (text, why) in [
        ("hr", "begins with `/`"),
        ("/a//b", "not empty"),
        ("/", "not empty"),
        ("/\"a", "double quote"),
        ("/a[x", "[member=value]"),
        ("/a[x=1", "ends with `]`"),
        ("/a[x=\"1]", "ends with"),
        ("/a[x]", "[member=value]"),
        ("/a[=1]", "names a member"),
        ("/\"a\"b", "after a quoted name"),
    ] {
        assert!(Path::parse(text).unwrap_err().contains(why), "{text}: {:?}", Path::parse(text));
    }
    assert!(Path::parse(&"/a".repeat(32)).is_err());
    assert!(Path::parse(&format!("/{}", "x".repeat(129))).is_err());
}

#[test]
fn a_text_has_its_languages_and_falls_back_to_english() {
    let reading = read("[feature.f]\ntitle = { en = \"Sleep\", cy = \"Cwsg\" }\n");
    let title = &span::by_name(&reading.manifest.feature, "f").unwrap().title.as_ref().unwrap().value;
    assert_eq!(
        (title.in_language("cy"), title.in_language("fr"), title.to_string().as_str()),
        ("Cwsg", "Sleep", "Sleep")
    );
    assert_eq!(title.languages().collect::<Vec<_>>(), ["cy", "en"]);
}

#[test]
fn positions_count_lines_and_characters_from_one() {
    let text = "a\nbäc\n\nd";
    let lines = Lines::of(text);
    let at = |byte| lines.position(text, byte);
    assert_eq!(
        [at(0), at(1), at(2), at(5), at(7), at(8), at(9)],
        [(1, 1), (1, 2), (2, 1), (2, 3), (3, 1), (4, 1), (4, 2)]
    );
}

/// The code in the first column of the table under a heading of docs/manifest.md.
fn documented(heading: &str) -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/manifest.md");
    let page = std::fs::read_to_string(path).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap().to_owned();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let first = rows.map(|row| row.split(" | ").next().unwrap());
    first.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_path_and_operator_of_the_guide_is_read() {
    let paths = documented("Paths");
    assert!(paths.len() > 10);
    for path in paths {
        assert!(Path::parse(&path).is_ok(), "{path}");
    }
    let operators = documented("How much is left");
    assert!(operators.len() > 10);
    for operator in operators {
        let reading = read(&format!("[item.x]\nleaves = {operator}\n"));
        assert!(reading.manifest.item.iter().any(|item| item.leaves.is_some()), "{operator}");
    }
}
