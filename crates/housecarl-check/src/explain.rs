//! What a rule's own doc comment says, for people and for programs.

use serde_json::{Value as Json, json};

use crate::rule::Status;
use crate::rules::{Entry, RULES};

/// The headings that every rule's doc comment has, in this order.
pub const HEADINGS: [&str; 6] =
    ["What it checks", "Why it matters", "Guidance", "Example", "Instead", "What it cannot tell"];

/// The doc comment at the head of a rule's file, as Markdown.
#[must_use]
pub fn page(entry: &Entry) -> String {
    let lines = entry.source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n") + "\n"
}

/// The title of a rule's page.
#[must_use]
pub fn title(entry: &Entry) -> String {
    let page = page(entry);
    page.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned()
}

/// What a rule's page says under a heading.
#[must_use]
pub fn section(entry: &Entry, heading: &str) -> Option<String> {
    let page = page(entry);
    let (_, after) = page.split_once(&format!("## {heading}\n"))?;
    let text = after.split_once("\n## ").map_or(after, |(text, _)| text);
    Some(text.trim().to_owned())
}

/// What `housecarl explain CODE` prints.
#[must_use]
pub fn explain(entry: &Entry) -> String {
    let rule = entry.rule;
    let (status, since) = status(rule.status);
    format!(
        "{}\n{} · {} · {} · {status} since {since}\n\n{}",
        title(entry),
        rule.code,
        entry.name.replace('_', "-"),
        rule.level.word(),
        page(entry).split_once("\n\n").map_or("", |(_, rest)| rest)
    )
}

/// The catalogue, for programs.
#[must_use]
pub fn catalogue() -> Json {
    let rules: Vec<Json> = RULES
        .iter()
        .map(|entry| {
            let (status, since) = status(entry.rule.status);
            json!({
                "code": entry.rule.code,
                "name": entry.name.replace('_', "-"),
                "chapter": entry.chapter,
                "level": entry.rule.level.word(),
                "status": status,
                "since": since,
                "statements": entry.rule.statements,
                "title": title(entry),
                "documentation": page(entry),
            })
        })
        .collect();
    json!({ "version": 1, "rules": rules })
}

const fn status(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Preview { since } => ("preview", since),
        Status::Stable { since } => ("stable", since),
    }
}
