//! # A password that every product shares
//!
//! ## What it checks
//! Every product of the model leaves the factory with the same password.
//!
//! ## Why it matters
//! Such a password is known to everybody on the day it is printed. Whoever has it can look into the
//! homes of all who never changed it, and most people never do.
//!
//! ## Guidance
//! SEC-24, SEC-03; the PSTI Regulations 2023, Schedule 1, and Article 32 UK GDPR.
//!
//! ## Example
//! ```toml
//! [security]
//! passwords = "shared-default"
//! ```
//!
//! ## Instead
//! ```toml
//! [security]
//! passwords = "user-defined"
//! ```
//!
//! ## What it cannot tell
//! Whether the PSTI Regulations apply: some kinds of product, among them medical devices, are
//! excepted, and for those the duty to secure personal information stands alone. Nor whether a
//! password of each product's own can be guessed from its serial number.

use crate::rule::prelude::*;
use words::Passwords;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC7001",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["SEC-24", "SEC-03"],
    check,
};

struct Shared;

impl Finding for Shared {
    fn message(&self) -> String {
        "every product of the model has the same password, so whoever knows one can open them all".to_owned()
    }
    fn help(&self) -> String {
        "let each product have a password of its own (\"unique-per-product\"), let the user set it \
         (\"user-defined\"), or do without passwords (\"none\")"
            .to_owned()
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    let passwords = product.manifest.security.as_ref().and_then(|security| security.passwords.as_ref());
    if let Some(passwords) = passwords.filter(|passwords| passwords.value == Passwords::SharedDefault) {
        findings.report(&Shared, passwords.span).label("known to everybody");
    }
}
