//! Runs everything over one manifest, and sets aside what the manifest itself has answered.

use std::collections::BTreeSet;

use housecarl_manifest::Reading;
use housecarl_manifest::model::{Departure, Waive};
use housecarl_manifest::scalar::Date;
use housecarl_manifest::span::List;
use housecarl_manifest::{Ordinals, compile};

use crate::diagnostic::{Diagnostic, Level};
use crate::problems;
use crate::rule::{Findings, Product};
use crate::rules::RULES;

/// What a check found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Open findings, in the order of the file.
    pub findings: Vec<Diagnostic>,
    /// Findings that the manifest accepts until a date. They never count as passed.
    pub waived: Vec<Diagnostic>,
    /// Findings of level `should` where the manifest takes another way, until a date. Statement ACC-04.
    pub departed: Vec<Diagnostic>,
    /// How many rules were asked.
    pub rules: usize,
}

impl Report {
    /// How many open findings have this level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// Whether there is an open finding at or above a level.
    #[must_use]
    pub fn fails_at(&self, level: Level) -> bool {
        self.findings.iter().any(|finding| finding.level >= level)
    }

    /// The purposes with an open finding of level `must`: they are compiled shut. What is wrong
    /// with the file itself names no purpose; a manifest with such a problem should not run at all.
    #[must_use]
    pub fn shut(&self) -> BTreeSet<String> {
        let must = self.findings.iter().filter(|finding| finding.level == Level::Must);
        must.flat_map(|finding| finding.purposes.iter().cloned()).collect()
    }
}

/// Holds a manifest against every rule. `text` is the file; dates are judged on `as_of`.
#[must_use]
pub fn check(reading: &Reading, text: &str, as_of: Date) -> Report {
    let compiled = compile(&reading.manifest, text, &Ordinals::default(), &BTreeSet::new());
    let problems = reading.problems.iter().chain(&compiled.problems);
    let mut found: Vec<Diagnostic> = problems.map(problems::diagnostic).collect();

    let product = Product { manifest: &reading.manifest, as_of };
    for entry in RULES {
        let mut findings = Findings::new(entry.rule, entry.name, product);
        (entry.rule.check)(&product, &mut findings);
        found.extend(findings.into_found());
    }
    found.sort_by_key(|finding| (finding.span, finding.code));

    let (waives, departures) = (&reading.manifest.waive, &reading.manifest.departure);
    let mut report =
        Report { findings: Vec::new(), waived: Vec::new(), departed: Vec::new(), rules: RULES.len() };
    for finding in found {
        // What is wrong with the file itself cannot be answered in it: nobody knows what it would mean.
        let list = if problems::is_problem(finding.code) {
            &mut report.findings
        } else if waives.iter().any(|waive| accepts(waive, &finding, as_of)) {
            &mut report.waived
        } else if finding.level == Level::Should && goes_another_way(departures, &finding, as_of) {
            &mut report.departed
        } else {
            &mut report.findings
        };
        list.push(finding);
    }
    report
}

/// Whether a finding is accepted: by whom, why and until when have to stand there.
fn accepts(waive: &Waive, finding: &Diagnostic, as_of: Date) -> bool {
    waive.code.as_ref().is_some_and(|code| code.value.eq_ignore_ascii_case(finding.code))
        && waive.by_role.is_some()
        && waive.reason.is_some()
        && waive.until.as_ref().is_some_and(|until| until.value >= as_of)
}

/// Whether another way is taken for every statement that a finding is about.
fn goes_another_way(departures: &List<Departure>, finding: &Diagnostic, as_of: Date) -> bool {
    let whole = |departure: &Departure| {
        let said = [&departure.instead, &departure.why, &departure.evidence, &departure.by_role];
        said.iter().all(|field| field.is_some())
            && departure.until.as_ref().is_some_and(|until| until.value >= as_of)
    };
    finding.statements.iter().all(|statement| {
        departures.iter().any(|departure| {
            whole(departure) && departure.statement.as_ref().is_some_and(|named| named.value == *statement)
        })
    })
}
