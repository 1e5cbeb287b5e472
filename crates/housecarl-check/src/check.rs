//! Runs everything over one manifest.

use std::collections::BTreeSet;

use housecarl_manifest::Reading;
use housecarl_manifest::model::Waive;
use housecarl_manifest::scalar::Date;
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

    /// The purposes with an open finding of level `must`: they are compiled shut.
    #[must_use]
    pub fn shut(&self) -> BTreeSet<String> {
        let must = self.findings.iter().filter(|finding| finding.level == Level::Must);
        must.filter_map(|finding| finding.purpose.clone()).collect()
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

    let accepted = |waive: &Waive, code: &str| {
        let same = waive.code.as_ref().is_some_and(|waived| waived.value.eq_ignore_ascii_case(code));
        same && waive.by_role.is_some()
            && waive.reason.is_some()
            && waive.until.as_ref().is_some_and(|until| until.value >= as_of)
    };
    let waives = &reading.manifest.waive;
    // What is wrong with the file itself cannot be accepted: nobody knows what it would mean.
    let (waived, findings) = found.into_iter().partition(|finding: &Diagnostic| {
        !problems::is_problem(finding.code) && waives.iter().any(|waive| accepted(waive, finding.code))
    });
    Report { findings, waived, rules: RULES.len() }
}
