//! # Location on from the start
//!
//! ## What it checks
//! On a product that is aimed at children or that they are likely to use, a purpose uses a place
//! before anybody has switched anything on. The place has no choice of precision, or its first step
//! is not off; the purpose is not the product's core; and neither an optional feature nor a consent
//! stands before it.
//!
//! ## Why it matters
//! Where a child is tells strangers where to find the child. A setting that begins at off is one
//! that somebody chose to change; a setting that begins at on is mostly never looked at.
//!
//! ## Guidance
//! CHI-12, LOC-09, LOC-08; the geolocation standard of the Children's code.
//!
//! ## Example
//! ```toml
//! [people]
//! children = { likely = true }
//!
//! [purpose.ride-map]
//! kind = "feature"
//! uses = ["position"]
//! basis = "contract"
//!
//! [item.position]
//! kind = "location"
//! precision = [{ name = "street", leaves = { place = "100 m" } }, "exact"]
//! ```
//!
//! ## Instead
//! ```toml
//! [people]
//! children = { likely = true }
//!
//! [purpose.ride-map]
//! kind = "feature"
//! uses = ["position"]
//! basis = "contract"
//!
//! [item.position]
//! kind = "location"
//! precision = ["off", "exact"]
//! ```
//!
//! ## What it cannot tell
//! Whether there is a compelling reason, in the child's interest, to begin at on. Who can show one
//! accepts the finding in a `[[waive]]` that names the reason. It takes the manifest's word for
//! which features are core.

use crate::rule::prelude::*;
use housecarl_manifest::compile::{is_core, is_location};
use housecarl_manifest::span::Spanned;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC1003",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["CHI-12", "LOC-09", "LOC-08"],
    check,
};

struct OnFromTheStart<'m> {
    purpose: &'m str,
    item: &'m str,
    first: Option<&'m str>,
}

impl Finding for OnFromTheStart<'_> {
    fn message(&self) -> String {
        let start = match self.first {
            Some(step) => format!("it begins at `{step}`"),
            None => "nobody can switch it off".to_owned(),
        };
        format!(
            "`{}` uses a place (`{}`) from the start, and children are likely to use the product: {start}",
            self.purpose, self.item
        )
    }
    fn help(&self) -> String {
        format!(
            "let `precision` of `{}` begin with \"off\", or let a feature with `core = false` start `{}`",
            self.item, self.purpose
        )
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    // What is not said about children is a problem of its own.
    let Some(children) = product.manifest.people.as_ref().and_then(|people| people.children.as_ref()) else {
        return;
    };
    let said = |field: &Option<Spanned<bool>>| field.as_ref().is_some_and(|said| said.value);
    if !said(&children.aimed) && !said(&children.likely) {
        return;
    }
    for purpose in &product.manifest.purpose {
        let unknown = purpose.kind.is_none() || purpose.basis.is_none();
        let asked = rests_on_consent(purpose) || rests_on_explicit_consent(purpose);
        if unknown || asked || is_core(product.manifest, purpose) || waits_for_a_feature(product, purpose) {
            continue;
        }
        for (used, item) in product.used(purpose).filter(|(_, item)| is_location(item)) {
            let first = item.precision.first();
            let leaves = first.map(|step| step.leaves).or(item.leaves.as_ref().map(|leaves| leaves.value));
            if leaves.is_some_and(|leaves| leaves.0.drops()) {
                continue;
            }
            let finding = OnFromTheStart {
                purpose: &purpose.name.value,
                item: &item.name.value,
                first: first.map(|step| step.name.as_str()),
            };
            let found = findings.report_purpose(&finding, purpose, used.span);
            found.label("used before anybody has switched it on");
            match first {
                Some(step) => found.also(step.span, "everybody begins here"),
                None => found.also(item.name.span, "there is no choice of precision"),
            };
        }
    }
}

/// Whether the purpose is off until somebody switches an optional feature on.
fn waits_for_a_feature<'m>(product: &Product<'m>, purpose: &'m Named<Purpose>) -> bool {
    let mut features = product.features_of(purpose).peekable();
    let optional = |feature: &Named<Feature>| feature.core.as_ref().is_some_and(|core| !core.value);
    features.peek().is_some() && features.all(optional)
}
