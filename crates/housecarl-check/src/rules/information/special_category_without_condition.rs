//! # Special category information without a condition
//!
//! ## What it checks
//! A purpose uses an item that is special category information for that purpose, and names no
//! Article 9 condition. Heart rate, sleep, blood pressure and the like are health data wherever
//! they are used; voice, face and fingerprint templates count where a purpose recognises people;
//! steps, height, weight and activity count where a purpose guesses at health or sets a price.
//!
//! ## Why it matters
//! A lawful basis alone does not allow the use of special category information. Without a valid
//! condition the purpose may not run at all.
//!
//! ## Guidance
//! SPEC-16, SPEC-35, SPEC-15; Article 9 UK GDPR.
//!
//! ## Example
//! ```toml
//! [purpose.coaching]
//! uses = ["heart-rate"]
//! basis = "contract"
//! ```
//!
//! ## Instead
//! ```toml
//! [purpose.coaching]
//! uses = ["heart-rate"]
//! basis = "contract"
//! condition = "explicit-consent"
//! ```
//!
//! ## What it cannot tell
//! Whether the condition fits: that the use is necessary and in proportion is a person's judgement.

use crate::rule::prelude::*;
use words::{Basis, DataKind, PurposeKind};

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC1001",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["SPEC-16", "SPEC-35", "SPEC-15"],
    check,
};

struct NoCondition<'m> {
    purpose: &'m str,
    items: String,
}

impl Finding for NoCondition<'_> {
    fn message(&self) -> String {
        format!("`{}` uses special category information ({}) without an Article 9 condition", self.purpose, self.items)
    }
    fn help(&self) -> String {
        format!(
            "name the condition that allows it, such as `condition = \"explicit-consent\"` with a request that asks \
             for it, or take {} out of `uses`",
            self.items
        )
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    for purpose in &product.manifest.purpose {
        let basis = purpose.basis.as_ref().map(|basis| basis.value);
        if purpose.condition.is_some() || basis == Some(Basis::Household) {
            continue;
        }
        let used: Vec<_> = purpose
            .uses
            .iter()
            .filter(|used| by_name(&product.manifest.item, &used.value.0).is_some_and(|item| is_special(item, purpose)))
            .collect();
        let Some(first) = used.first() else { continue };
        let items = used.iter().map(|used| format!("`{}`", used.value)).collect::<Vec<_>>().join(", ");
        let finding = NoCondition { purpose: &purpose.name.value, items };
        findings
            .report_purpose(&finding, purpose, first.span)
            .label("special category information for this purpose")
            .also(purpose.name.span, "this purpose names no condition");
    }
}

/// Whether an item is special category information when this purpose uses it. SPEC-19 to SPEC-34.
fn is_special(item: &Item, purpose: &Purpose) -> bool {
    let Some(kind) = item.kind.as_ref().map(|kind| kind.value) else { return false };
    let purpose_kind = purpose.kind.as_ref().map(|kind| kind.value);
    let guesses_health = purpose_kind == Some(PurposeKind::Pricing)
        || purpose.profiles.iter().any(|profile| profile.value.contains("health"))
        || purpose.decides.iter().flat_map(|decides| &decides.touches).any(|touch| touch.value == words::Touches::Health);
    match kind {
        DataKind::HeartRate
        | DataKind::Sleep
        | DataKind::BodyMassIndex
        | DataKind::BodyTemperature
        | DataKind::BloodPressure
        | DataKind::Oxygen
        | DataKind::Glucose
        | DataKind::MenstrualCycle
        | DataKind::HealthScore => true,
        DataKind::VoiceId | DataKind::FaceId | DataKind::FingerprintId => true,
        // A query that is matched against templates is biometric too, whoever spoke it.
        DataKind::Voice | DataKind::Image | DataKind::Video => purpose_kind == Some(PurposeKind::Identification),
        DataKind::Steps | DataKind::Activity | DataKind::Height | DataKind::Weight => guesses_health,
        _ => false,
    }
}
