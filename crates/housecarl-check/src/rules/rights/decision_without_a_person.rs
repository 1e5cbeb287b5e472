//! # A decision without a person
//!
//! ## What it checks
//! A purpose decides about people's money, health, reputation, work or access to a service, no
//! person weighs the decision up before it takes effect, and one of these is the case: nothing says
//! where it can be contested; it uses special category information on a condition that does not
//! allow this; it rests on recognised legitimate interests.
//!
//! ## Why it matters
//! A machine that raises a premium or shuts a service off does so without hearing the person. The law
//! lets it only where the person learns of it, is heard, and can get somebody to look again.
//!
//! ## Guidance
//! ADM-12, ADM-26; Articles 22A to 22D UK GDPR, in force since 5 February 2026.
//!
//! The rule follows the law in force. The draft guidance of June 2025 was written for the Article 22
//! that these replaced: it allows such a decision only for a contract, by law or on explicit consent.
//! Now most bases allow it with safeguards, and the tight limits are left for special category
//! information (explicit consent, or a contract or law together with Article 9(2)(g)) and for
//! recognised legitimate interests (never). Where special category information has no condition at
//! all, HC1001 says so.
//!
//! ## Example
//! ```toml
//! [purpose.premium.decides]
//! what = "what the insurance costs"
//! touches = ["money"]
//! person_reviews = false
//! ```
//!
//! ## Instead
//! ```toml
//! [purpose.premium.decides]
//! what = "what the insurance costs"
//! touches = ["money"]
//! person_reviews = false
//! contest_at = "https://insurer.example/decisions"
//! ```
//!
//! ## What it cannot tell
//! Whether the effect is as grave as the law asks; decisions that touch only behaviour or choices are
//! left to a person for that reason. Nor whether a review weighs the case or only signs it off, and
//! whether people are told and heard where the manifest says so.

use crate::rule::prelude::*;
use words::{Basis, Condition, Touches};

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC8001",
    level: Level::Must,
    status: Status::Preview { since: "0.1.0" },
    statements: &["ADM-12", "ADM-26"],
    check,
};

struct Unreviewed<'m> {
    purpose: &'m str,
    touches: String,
    fault: Fault,
}

enum Fault {
    NotContested,
    Special { items: String, condition: &'static str },
    RecognisedInterests,
}

impl Finding for Unreviewed<'_> {
    fn message(&self) -> String {
        let decides =
            format!("`{}` decides about people's {} and no person weighs it up", self.purpose, self.touches);
        match &self.fault {
            Fault::NotContested => format!("{decides}: nothing says where they can be heard and contest it"),
            Fault::Special { items, condition } => format!(
                "{decides}, from special category information ({items}) on the condition `{condition}`, \
                 which does not allow that"
            ),
            Fault::RecognisedInterests => {
                format!("{decides}, on recognised legitimate interests, which never allow that")
            }
        }
    }
    fn help(&self) -> String {
        let review = "let a person weigh each decision up before it takes effect (`person_reviews = true`)";
        match &self.fault {
            Fault::NotContested => format!(
                "add `contest_at` with the place where people are heard and somebody looks again, or {review}"
            ),
            Fault::Special { items, .. } => {
                format!("ask for explicit consent, leave {items} out of the decision, or {review}")
            }
            Fault::RecognisedInterests => format!("rest it on another basis that holds, or {review}"),
        }
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    for purpose in product.manifest.purpose.iter().filter(|purpose| !is_household(purpose)) {
        let Some(decides) = &purpose.decides else { continue };
        let Some(reviews) = decides.person_reviews.as_ref().filter(|reviews| !reviews.value) else {
            continue;
        };
        let touches: Vec<&str> = decides.touches.iter().filter_map(|touches| grave(touches.value)).collect();
        if touches.is_empty() {
            continue;
        }
        let mut report = |fault: Fault, span| {
            let touches = touches.join(", ");
            let finding = Unreviewed { purpose: &purpose.name.value, touches, fault };
            let found = findings.report_purpose(&finding, purpose, span);
            if span == reviews.span {
                found.label("no person weighs it up");
            } else {
                found.label("does not allow such a decision").also(reviews.span, "no person weighs it up");
            }
        };
        if decides.contest_at.is_none() {
            report(Fault::NotContested, reviews.span);
        }
        if let Some(basis) = purpose.basis.as_ref().filter(|basis| basis.value == Basis::RecognisedInterests)
        {
            report(Fault::RecognisedInterests, basis.span);
        }
        let special: Vec<_> = product.used(purpose).filter(|(_, item)| is_special(item, purpose)).collect();
        let refused = purpose.condition.as_ref().filter(|condition| !allows(purpose, condition.value));
        if let Some(condition) = refused.filter(|_| !special.is_empty()) {
            let items = listed(special.iter().map(|(_, item)| item.name.value.as_str()));
            report(Fault::Special { items, condition: condition.value.word() }, condition.span);
        }
    }
}

/// What a decision touches, where the law's word for its effect, significant, is plainly met.
const fn grave(touches: Touches) -> Option<&'static str> {
    match touches {
        Touches::Money => Some("money"),
        Touches::Health => Some("health"),
        Touches::Reputation => Some("reputation"),
        Touches::Work => Some("work"),
        Touches::Access => Some("access to a service"),
        Touches::Behaviour | Touches::Choices => None,
    }
}

/// Whether a condition allows such a decision from special category information: Article 22B.
fn allows(purpose: &Purpose, condition: Condition) -> bool {
    let for_contract_or_by_law = || {
        let basis = purpose.basis.as_ref().map(|basis| basis.value);
        matches!(basis, Some(Basis::Contract | Basis::LegalObligation | Basis::PublicTask))
    };
    match condition {
        Condition::ExplicitConsent => true,
        Condition::SubstantialPublicInterest => for_contract_or_by_law(),
        _ => false,
    }
}
