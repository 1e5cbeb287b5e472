//! # Consent as a condition of the product
//!
//! ## What it checks
//! A purpose that is what the product is bought for rests on consent: its kind is `core-function`,
//! or a core feature starts it and its kind is `feature`, `identification`, `safety`, `security` or
//! `support`.
//!
//! ## Why it matters
//! Whoever refuses is left without the product, so a yes says little about what the person wants. If
//! the product does need the data, another basis is nearer the truth; if it does not, it may not be
//! held back from those who say no. Either way the consent is worth nothing, and a person who takes
//! it back later finds a dead product.
//!
//! ## Guidance
//! CON-97, CON-08, CON-17; Article 7(4) UK GDPR.
//!
//! ## Example
//! ```toml
//! [purpose.find-my-child]
//! kind = "core-function"
//! basis = "consent"
//! ```
//!
//! ## Instead
//! ```toml
//! [purpose.find-my-child]
//! kind = "core-function"
//! basis = "contract"
//! ```
//!
//! ## What it cannot tell
//! Whether the product needs the data, and whether a refusal of another purpose that a core feature
//! starts, such as statistics, really leaves the feature working. Explicit consent as the condition
//! for special category information is another question and is not asked here.

use crate::rule::prelude::*;
use words::PurposeKind;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC3001",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["CON-97", "CON-08", "CON-17"],
    check,
};

struct Condition<'m> {
    purpose: &'m str,
    core_feature: Option<&'m str>,
}

impl Finding for Condition<'_> {
    fn message(&self) -> String {
        let part = match self.core_feature {
            Some(feature) => format!("belongs to the core feature `{feature}`"),
            None => "is what the product is bought for".to_owned(),
        };
        format!(
            "`{}` {part} and rests on consent: whoever refuses has no product, so nobody can agree freely",
            self.purpose
        )
    }
    fn help(&self) -> String {
        "where the product cannot work without it, look at `basis = \"contract\"`; where it can, make it a \
         feature with `core = false` that people may leave off"
            .to_owned()
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    for purpose in &product.manifest.purpose {
        let Some(basis) = purpose.basis.as_ref().filter(|_| rests_on_consent(purpose)) else { continue };
        let Some(kind) = &purpose.kind else { continue };
        let core_feature = product
            .features_of(purpose)
            .find(|feature| feature.core.as_ref().is_some_and(|core| core.value))
            .filter(|_| is_part_of_a_feature(kind.value));
        if kind.value != PurposeKind::CoreFunction && core_feature.is_none() {
            continue;
        }
        let core_feature = core_feature.filter(|_| kind.value != PurposeKind::CoreFunction);
        let finding = Condition {
            purpose: &purpose.name.value,
            core_feature: core_feature.map(|feature| feature.name.value.as_str()),
        };
        let found = findings.report_purpose(&finding, purpose, basis.span);
        found.label("no real choice");
        match core_feature {
            Some(feature) => found.also(feature.name.span, "a core feature starts it"),
            None => found.also(kind.span, "the product is not the product without it"),
        };
    }
}

/// Whether a purpose of this kind is how a feature works, not something done on the side.
const fn is_part_of_a_feature(kind: PurposeKind) -> bool {
    matches!(
        kind,
        PurposeKind::Feature
            | PurposeKind::Identification
            | PurposeKind::Safety
            | PurposeKind::Security
            | PurposeKind::Support
    )
}
