//! What a new version of a manifest changes for people, for people and for programs.

use housecarl_manifest::diff::{Ask, Change, PurposeChange};
use housecarl_manifest::span::{Lines, Span};
use serde_json::{Value as Json, json};

use super::Source;

/// For people.
#[must_use]
pub fn text(changes: &[PurposeChange], old: Source<'_>, new: Source<'_>) -> String {
    let mut text = String::new();
    for change in changes {
        let at = match (change.is_at, change.was_at) {
            (Some(span), _) => place(span, new),
            (None, Some(span)) => place(span, old),
            (None, None) => String::new(),
        };
        text.push_str(&format!("{}: `{}`  {at}\n", change.change.word(), change.purpose));
        for facet in &change.facets {
            text.push_str(&format!(
                "    {} ({}): {} -> {}\n",
                facet.facet,
                facet.change.word(),
                shown(&facet.was),
                shown(&facet.is)
            ));
        }
        for consequence in consequences(change) {
            text.push_str(&format!("    = {consequence}\n"));
        }
    }
    let dpia = changes.iter().filter(|change| change.dpia).count();
    text.push_str(&match (changes.len(), dpia) {
        (0, _) => "no purpose changed\n".to_owned(),
        (all, 0) => format!("{all} purposes changed; the DPIA stays as it is\n"),
        (all, _) => format!("{all} purposes changed; the DPIA is open again for {dpia} of them\n"),
    });
    text
}

fn consequences(change: &PurposeChange) -> Vec<&'static str> {
    let mut lines = Vec::new();
    match change.change {
        Change::Removed => {
            lines.push("it is closed, every consent to it is over, and its number is not used again")
        }
        Change::Editorial => {
            lines.push("its words changed and its meaning is attested to be the same: consents stay")
        }
        Change::Narrower => lines.push("consents and notices stay; they say more than is done"),
        _ => {}
    }
    if change.tell {
        lines.push("it is closed for each person until that person has been told");
    }
    match change.ask {
        Ask::Nobody => {}
        Ask::WhoHadAgreed => {
            lines.push("those who had agreed are asked again; a refusal carries over and is not asked again")
        }
        Ask::WhoHasNotRefused => {
            lines.push("everybody concerned is asked, but for those who have refused it before")
        }
    }
    lines
}

/// For programs.
#[must_use]
pub fn json(changes: &[PurposeChange], old: Source<'_>, new: Source<'_>) -> Json {
    let changes: Vec<Json> = changes
        .iter()
        .map(|change| {
            json!({
                "purpose": change.purpose,
                "change": change.change.word(),
                "tell": change.tell,
                "ask": change.ask.word(),
                "dpia": change.dpia,
                "was": change.was_at.map(|span| place(span, old)),
                "is": change.is_at.map(|span| place(span, new)),
                "facets": change.facets.iter().map(|facet| json!({
                    "facet": facet.facet,
                    "change": facet.change.word(),
                    "was": facet.was,
                    "is": facet.is,
                })).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "version": 1, "changes": changes })
}

fn place(span: Span, source: Source<'_>) -> String {
    format!("{}:{}", source.path, Lines::of(source.text).line(span.start))
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}
