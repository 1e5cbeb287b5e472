//! # No security updates
//!
//! ## What it checks
//! The product can be updated neither by itself nor by hand.
//!
//! ## Why it matters
//! Weaknesses are found for as long as a product is in use. One that cannot be mended turns, sooner
//! or later, into a way into the home and into what people said and did there.
//!
//! ## Guidance
//! SEC-30, SEC-33; Article 32 UK GDPR.
//!
//! ## Example
//! ```toml
//! [security]
//! updates = { how = "none" }
//! ```
//!
//! ## Instead
//! ```toml
//! [security]
//! updates = { how = "manual", signed = true }
//! ```
//!
//! ## What it cannot tell
//! Whether updates come often enough, and whether they really reach the products in people's homes.

use crate::rule::prelude::*;
use words::UpdatesHow;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC7002",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["SEC-30", "SEC-33"],
    check,
};

struct NoUpdates;

impl Finding for NoUpdates {
    fn message(&self) -> String {
        "the product gets no security updates: a weakness found tomorrow stays for as long as it is used"
            .to_owned()
    }
    fn help(&self) -> String {
        "make it update itself (\"automatic\") or let the user start an update (\"manual\"); until it can, \
         tell people to take it off the network"
            .to_owned()
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    let updates = product.manifest.security.as_ref().and_then(|security| security.updates.as_ref());
    let how = updates.and_then(|updates| updates.how.as_ref());
    if let Some(how) = how.filter(|how| how.value == UpdatesHow::None) {
        findings.report(&NoUpdates, how.span).label("cannot be mended");
    }
}
