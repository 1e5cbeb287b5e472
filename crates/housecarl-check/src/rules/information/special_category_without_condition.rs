//! # Special category information without a condition
//!
//! ## What it checks
//! A purpose uses an item that is special category information for that purpose, and names no
//! Article 9 condition. Heart rate, sleep, blood pressure and the like are health data wherever
//! they are used, and so are templates of a voice, face or finger and matches against them. What
//! somebody said and pictures count where a purpose recognises people; steps, height, weight and
//! activity count where a purpose guesses at health or sets a price.
//!
//! ## Why it matters
//! A lawful basis alone does not allow the use of special category information. Without a valid
//! condition the purpose may not run at all.
//!
//! ## Guidance
//! SPEC-16, SPEC-35; Article 9 UK GDPR.
//!
//! ## Example
//! ```toml
//! [item.heart-rate]
//! kind = "heart-rate"
//!
//! [purpose.coaching]
//! uses = ["heart-rate"]
//! basis = "contract"
//! ```
//!
//! ## Instead
//! ```toml
//! [item.heart-rate]
//! kind = "heart-rate"
//!
//! [purpose.coaching]
//! uses = ["heart-rate"]
//! basis = "contract"
//! condition = "explicit-consent"
//! ```
//!
//! ## What it cannot tell
//! Whether the condition fits: that the use is necessary and in proportion is a person's judgement.

use crate::rule::prelude::*;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC1001",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["SPEC-16", "SPEC-35"],
    check,
};

struct NoCondition<'m> {
    purpose: &'m str,
    items: String,
}

impl Finding for NoCondition<'_> {
    fn message(&self) -> String {
        format!(
            "`{}` uses special category information ({}) and names no Article 9 condition: a lawful basis \
             alone does not allow that",
            self.purpose, self.items
        )
    }
    fn help(&self) -> String {
        format!(
            "name the condition that allows it, such as `condition = \"explicit-consent\"` with a request \
             that asks for it, or take {} out of `uses`",
            self.items
        )
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    for purpose in &product.manifest.purpose {
        if purpose.condition.is_some() || is_household(purpose) {
            continue;
        }
        let used: Vec<_> = product.used(purpose).filter(|(_, item)| is_special(item, purpose)).collect();
        let Some((first, _)) = used.first() else { continue };
        let items = listed(used.iter().map(|(_, item)| item.name.value.as_str()));
        let finding = NoCondition { purpose: &purpose.name.value, items };
        findings
            .report_purpose(&finding, purpose, first.span)
            .label("special category information for this purpose")
            .also(purpose.name.span, "this purpose names no condition");
    }
}
