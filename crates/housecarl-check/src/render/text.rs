//! Findings for people, as rustc prints them.

use std::collections::BTreeSet;

use annotate_snippets::{AnnotationKind, Level as Severity, Renderer, Snippet};
use housecarl_manifest::span::{Lines, Span};

use super::Source;
use crate::check::Report;
use crate::diagnostic::{Diagnostic, Level};

/// What is said of a finding that the manifest accepts.
const ACCEPTED: &str = "accepted until a date, not passed";
/// What is said of a finding where the manifest takes another way.
const DEPARTED: &str = "another way is taken until a date, not passed";
/// How many purposes a finding lists by name.
const PURPOSES_NAMED_MAX: usize = 3;

/// All findings and the closing line.
#[must_use]
pub fn report(report: &Report, source: Source<'_>, colour: bool) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        text.push_str(&diagnostic(finding, source, colour));
        text.push_str("\n\n");
    }
    let lines = Lines::of(source.text);
    let mut answered = |what: &str, findings: &[Diagnostic]| {
        for finding in findings {
            let line = lines.line(finding.span.start);
            text.push_str(&format!("{what}: {} {}:{line}: {}\n", finding.code, source.path, finding.message));
        }
    };
    answered(ACCEPTED, &report.waived);
    answered(DEPARTED, &report.departed);
    if !report.waived.is_empty() || !report.departed.is_empty() {
        text.push('\n');
    }
    text.push_str(&closing(report, source));
    text
}

/// One finding.
#[must_use]
pub fn diagnostic(finding: &Diagnostic, source: Source<'_>, colour: bool) -> String {
    let severity = match finding.level {
        Level::Must => Severity::ERROR,
        Level::Should => Severity::WARNING,
        Level::Could => Severity::NOTE,
    };
    let range = |span: Span| {
        // A problem of the whole file points at its first byte.
        let end = span.end.min(source.text.len());
        span.start.min(end)..end
    };
    let main = AnnotationKind::Primary.span(range(finding.span));
    let main = if finding.label.is_empty() { main } else { main.label(finding.label.as_str()) };
    let mut snippet = Snippet::source(source.text).path(source.path).annotation(main);
    for label in &finding.also {
        snippet =
            snippet.annotation(AnnotationKind::Context.span(range(label.span)).label(label.text.as_str()));
    }
    let mut group = severity.primary_title(finding.message.as_str()).id(finding.code).element(snippet);
    if !finding.help.is_empty() {
        group = group.element(Severity::HELP.message(finding.help.as_str()));
    }
    let mut facts = Vec::new();
    if !finding.statements.is_empty() {
        facts.push(format!("{}: {}", finding.level.word(), finding.statements.join(", ")));
    }
    if let Some(organisation) = &finding.organisation {
        facts.push(format!("`{organisation}` has to act"));
    }
    if finding.level == Level::Must && !finding.purposes.is_empty() {
        facts.push(shut(&finding.purposes));
    }
    if !facts.is_empty() {
        group = group.element(Severity::NOTE.message(facts.join("; ")));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(110).render(&[group])
}

/// What happens to the purposes of an open finding.
fn shut(purposes: &[String]) -> String {
    let more = purposes.len().saturating_sub(PURPOSES_NAMED_MAX);
    let mut named: Vec<String> =
        purposes.iter().take(PURPOSES_NAMED_MAX).map(|name| format!("`{name}`")).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let verb = if purposes.len() == 1 { "is" } else { "are" };
    format!("{} {verb} compiled shut until then", named.join(", "))
}

fn closing(report: &Report, source: Source<'_>) -> String {
    let sums = Level::EVERY.iter().rev().map(|level| format!("{} {}", report.count(*level), level.word()));
    let sums = sums.collect::<Vec<_>>().join(", ");
    let mut line = format!("{}: {} rules asked, open findings: {sums}", source.path, report.rules);
    for (what, findings) in [(ACCEPTED, &report.waived), (DEPARTED, &report.departed)] {
        let codes: BTreeSet<&str> = findings.iter().map(|finding| finding.code).collect();
        if !codes.is_empty() {
            line.push_str(&format!("; {what}: {}", codes.into_iter().collect::<Vec<_>>().join(", ")));
        }
    }
    line.push_str(
        "\nUnited Kingdom law only. The regulator's draft of June 2025 was read, its final text of June \
         2026 was not. These rules do not yet cover the whole guidance; the rest is left to a person.\n",
    );
    line
}
