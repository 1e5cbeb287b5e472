//! Findings for programs.

use housecarl_manifest::span::{Lines, Span};
use serde_json::{Value as Json, json};

use super::Source;
use crate::check::Report;
use crate::diagnostic::Diagnostic;

/// The findings of several files, as one document of version 1.
#[must_use]
pub fn reports(reports: &[(Report, Source<'_>)]) -> Json {
    let list = |pick: fn(&Report) -> &Vec<Diagnostic>| -> Vec<Json> {
        reports
            .iter()
            .flat_map(|(report, source)| {
                let lines = Lines::of(source.text);
                pick(report)
                    .iter()
                    .map(move |finding| diagnostic(finding, *source, &lines))
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    json!({
        "version": 1,
        "findings": list(|report| &report.findings),
        "waived": list(|report| &report.waived),
        "departed": list(|report| &report.departed),
        "rules": reports.first().map_or(0, |(report, _)| report.rules),
    })
}

fn diagnostic(finding: &Diagnostic, source: Source<'_>, lines: &Lines) -> Json {
    json!({
        "code": finding.code,
        "name": finding.name,
        "level": finding.level.word(),
        "statements": finding.statements,
        "message": finding.message,
        "help": finding.help,
        "file": source.path,
        "span": span(finding.span, source, lines),
        "organisation": finding.organisation,
        "purposes": finding.purposes,
        "also": finding.also.iter().map(|label| json!({
            "span": span(label.span, source, lines),
            "message": label.text,
        })).collect::<Vec<_>>(),
    })
}

/// 1-based lines and columns, the end after the last character.
fn span(span: Span, source: Source<'_>, lines: &Lines) -> Json {
    let (start_line, start_column) = lines.position(source.text, span.start);
    let (end_line, end_column) = lines.position(source.text, span.end);
    json!({
        "start": { "line": start_line, "column": start_column },
        "end": { "line": end_line, "column": end_column },
    })
}
