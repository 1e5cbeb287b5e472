//! What a new version changes for people: a table of edits to one purpose and what follows.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use housecarl_manifest::diff::{Ask, Change, PurposeChange, diff};
use housecarl_manifest::fingerprint::Facets;
use housecarl_manifest::read;

const OLD: &str = r#"
manifest = 1
[organisation.maker]
name = "Maker"
kind = "manufacturer"
[organisation.host]
name = "Host"
kind = "cloud-provider"
[stream.s]
about = "wearer"
[item.pulse]
title = "Pulse"
kind = "heart-rate"
stream = "s"
at = "/hr"
from = "sensor"
[item.steps]
title = "Steps"
kind = "steps"
stream = "s"
at = "/steps"
from = "sensor"
[purpose.coaching]
kind = "feature"
why = "To suggest exercise"
uses = ["pulse"]
decided_by = { why = "maker", what = "maker", whose = "maker", how_long = "maker" }
basis = "consent"
keep = { for = "6 months", from = "receipt", then = "erase" }
runs = "cloud"
countries = "GB"
"#;

fn change(from: &str, to: &str) -> Option<PurposeChange> {
    assert!(OLD.contains(from), "nothing to replace: {from}");
    let new = OLD.replace(from, to);
    let mut changes = diff(&read(OLD).manifest, &read(&new).manifest);
    assert!(changes.len() <= 1);
    changes.pop()
}

#[test]
fn each_edit_has_its_direction() {
    let editorial = "why = \"To propose exercise\"\neditorial = { by_role = \"dpo\", on = 2026-11-01 }";
    for (from, to, expected, ask) in [
        ("uses = [\"pulse\"]", "uses = [\"pulse\", \"steps\"]", Change::Wider, Ask::WhoHadAgreed),
        ("uses = [\"pulse\"]", "uses = [\"steps\"]", Change::Different, Ask::WhoHadAgreed),
        ("6 months", "9 months", Change::Wider, Ask::WhoHadAgreed),
        ("6 months", "3 months", Change::Narrower, Ask::Nobody),
        ("countries = \"GB\"", "countries = [\"GB\", \"US\"]", Change::Wider, Ask::WhoHadAgreed),
        ("countries = \"GB\"", "countries = \"US\"", Change::Different, Ask::WhoHadAgreed),
        ("runs = \"cloud\"", "runs = [\"cloud\", \"phone\"]", Change::Wider, Ask::WhoHadAgreed),
        ("runs = \"cloud\"", "runs = \"cloud\"\nacts_for = \"host\"", Change::Wider, Ask::WhoHadAgreed),
        ("runs = \"cloud\"", "runs = \"cloud\"\nprofiles = \"fitness\"", Change::Wider, Ask::WhoHadAgreed),
        ("runs = \"cloud\"", "runs = \"cloud\"\nmeaning = 2", Change::Different, Ask::WhoHadAgreed),
        ("basis = \"consent\"", "basis = \"contract\"", Change::Different, Ask::Nobody),
        (
            "from = \"sensor\"\n[item.steps]",
            "from = \"inferred\"\n[item.steps]",
            Change::Different,
            Ask::WhoHadAgreed,
        ),
        ("about = \"wearer\"", "about = \"household\"", Change::Different, Ask::WhoHadAgreed),
        ("To suggest exercise", "To propose exercise", Change::Different, Ask::WhoHadAgreed),
        ("why = \"To suggest exercise\"", editorial, Change::Editorial, Ask::Nobody),
        ("6 months", "9 months\", at_most = \"1 year", Change::Wider, Ask::WhoHadAgreed),
    ] {
        let found = change(from, to).unwrap_or_else(|| unreachable!("no change seen: {to}"));
        assert_eq!((found.change, found.ask), (expected, ask), "{to}: {:?}", found.facets);
        assert_eq!(found.tell, found.change.is_more(), "{to}");
        assert_eq!(found.dpia, found.change.is_more(), "{to}");
    }
}

#[test]
fn wider_in_one_way_and_narrower_in_another_is_different() {
    let found = change(
        "6 months\", from = \"receipt\", then = \"erase\" }\nruns = \"cloud\"",
        "3 months\", from = \"receipt\", then = \"erase\" }\nruns = [\"cloud\", \"phone\"]",
    );
    assert_eq!(found.unwrap().change, Change::Different);
}

#[test]
fn a_purpose_that_comes_to_rest_on_consent_is_asked_of_who_has_not_refused() {
    let new = OLD.replace("basis = \"consent\"", "basis = \"contract\"");
    let found = diff(&read(&new).manifest, &read(OLD).manifest).pop().unwrap();
    assert_eq!((found.change, found.ask), (Change::Different, Ask::WhoHasNotRefused));
}

#[test]
fn comments_order_and_needless_words_change_nothing() {
    let lines: Vec<&str> = OLD.split("\n[").collect();
    let shuffled =
        format!("{}\n[{}", lines[0], lines[1..].iter().rev().copied().collect::<Vec<_>>().join("\n["));
    let shuffled = shuffled.replace("title = \"Pulse\"", "# a comment\ntitle = \"Heartbeat\"");
    assert_eq!(diff(&read(OLD).manifest, &read(&shuffled).manifest), Vec::new());
}

#[test]
fn an_attestation_counts_once() {
    let first = OLD.replace(
        "why = \"To suggest exercise\"",
        "why = \"One\"\neditorial = { by_role = \"dpo\", on = 2026-11-01 }",
    );
    let second = first.replace("\"One\"", "\"Two\"");
    assert_eq!(
        diff(&read(&first).manifest, &read(&second).manifest).pop().unwrap().change,
        Change::Different
    );
}

#[test]
fn a_fingerprint_is_of_the_facets_alone() {
    let print = |text: &str| {
        let manifest = read(text).manifest;
        Facets::of(&manifest, &manifest.purpose[0]).fingerprint()
    };
    assert_eq!(print(OLD), print(&OLD.replace("To suggest exercise", "To propose exercise")));
    assert_eq!(print(OLD), print(&OLD.replace("countries = \"GB\"", "countries = [\"GB\"]")));
    for (from, to) in
        [("6 months", "7 months"), ("\"GB\"", "\"US\""), ("/hr", "/hr"), ("\"consent\"", "\"contract\"")]
    {
        assert_eq!(print(OLD) == print(&OLD.replace(from, to)), from == to, "{from}");
    }
    // A fingerprint stands in people's consents: it may never change by itself.
    assert_eq!(print(OLD).to_string(), include_str!("fingerprint.txt").trim());
}
