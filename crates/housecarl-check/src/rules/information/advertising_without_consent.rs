//! # Advertising without consent
//!
//! ## What it checks
//! An access entry serves a purpose of kind `advertising` and rests on an exception of Schedule A1
//! to PECR. Choosing, showing and measuring an advertisement all count, and so does the tracking
//! behind it.
//!
//! ## Why it matters
//! An exception means that nobody is asked. Advertising is not needed for what a person bought the
//! product for, however much the maker needs the income, so no exception covers it, and what is
//! read or written under one is taken without leave.
//!
//! ## Guidance
//! PECR-25, PECR-21, PECR-38; PECR regulation 6 and Schedule A1.
//!
//! ## Example
//! ```toml
//! [purpose.ads]
//! kind = "advertising"
//!
//! [access.recognition]
//! on = "product"
//! does = "reads"
//! technology = "acr"
//! serves = ["ads"]
//! exception = "appearance"
//! ```
//!
//! ## Instead
//! ```toml
//! [purpose.ads]
//! kind = "advertising"
//!
//! [access.recognition]
//! on = "product"
//! does = "reads"
//! technology = "acr"
//! serves = ["ads"]
//! exception = "none"
//! ```
//!
//! ## What it cannot tell
//! Whether a purpose of another kind is advertising under another name, and whether an entry is
//! missing. An access that no entry declares needs consent anyway.

use crate::rule::prelude::*;
use words::{Exception, PurposeKind};

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC1002",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["PECR-25", "PECR-21", "PECR-38"],
    check,
};

struct UnderAnException<'m> {
    access: &'m str,
    purposes: String,
    exception: &'static str,
}

impl Finding for UnderAnException<'_> {
    fn message(&self) -> String {
        format!(
            "the access `{}` serves advertising ({}) under the exception `{}`, and no exception covers \
             advertising: people have to be asked first",
            self.access, self.purposes, self.exception
        )
    }
    fn help(&self) -> String {
        format!(
            "write `exception = \"none\"` and ask for consent with a `[request.…]`, or take {} out of \
             `serves`",
            self.purposes
        )
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    for access in &product.manifest.access {
        let Some(exception) =
            access.exception.as_ref().filter(|exception| exception.value != Exception::None)
        else {
            continue;
        };
        let advertises = |purpose: &&Named<Purpose>| {
            purpose.kind.as_ref().is_some_and(|kind| kind.value == PurposeKind::Advertising)
                && names(&access.serves, purpose).is_some()
        };
        let served: Vec<_> = product.manifest.purpose.iter().filter(advertises).collect();
        let Some(first) = served.first() else { continue };
        let finding = UnderAnException {
            access: &access.name.value,
            purposes: listed(served.iter().map(|purpose| purpose.name.value.as_str())),
            exception: exception.value.word(),
        };
        let found = findings.report_purpose(&finding, first, exception.span);
        found.label("covers no advertising");
        for purpose in &served {
            found.also(purpose.name.span, "this purpose is advertising");
        }
        for purpose in served.iter().skip(1) {
            found.purpose(&purpose.name.value);
        }
    }
}
