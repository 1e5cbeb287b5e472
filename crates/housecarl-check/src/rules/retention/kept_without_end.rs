//! # Kept without an end
//!
//! ## What it checks
//! A purpose keeps items from an event that may never come, such as the closing of an account, and
//! names no longest time.
//!
//! ## Why it matters
//! People leave products in drawers and accounts open. What waits for an event that does not come
//! is kept for ever, in case it might be useful.
//!
//! ## Guidance
//! RET-04, RET-02, RET-01; Article 5(1)(e) UK GDPR.
//!
//! ## Example
//! ```toml
//! [purpose.history]
//! keep = { for = "30 days", from = "account-closed", then = "erase" }
//! ```
//!
//! ## Instead
//! ```toml
//! [purpose.history]
//! keep = { for = "30 days", from = "account-closed", at_most = "3 years", then = "erase" }
//! ```
//!
//! ## What it cannot tell
//! Whether the stated time is as short as the purpose allows.

use crate::rule::prelude::*;
use words::KeepFrom;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC6001",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["RET-04", "RET-02", "RET-01"],
    check,
};

struct NoEnd<'m> {
    purpose: &'m str,
    event: KeepFrom,
}

impl Finding for NoEnd<'_> {
    fn message(&self) -> String {
        let event = match self.event {
            KeepFrom::AccountClosed => "the closing of the account",
            KeepFrom::LastUse => "the last use of the product",
            KeepFrom::Receipt => "receipt",
        };
        format!(
            "`{}` counts the time of keeping from {event}, which may never come, so what it keeps has no end",
            self.purpose
        )
    }
    fn help(&self) -> String {
        "add `at_most` with the longest time it is kept in any case, or count from `receipt`".to_owned()
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    for purpose in &product.manifest.purpose {
        let Some(keep) = &purpose.keep else { continue };
        let Some(from) = keep.from.as_ref().filter(|from| from.value != KeepFrom::Receipt) else { continue };
        if keep.at_most.is_none() {
            let finding = NoEnd { purpose: &purpose.name.value, event: from.value };
            findings.report_purpose(&finding, purpose, from.span).label("nobody knows when this will be");
        }
    }
}
