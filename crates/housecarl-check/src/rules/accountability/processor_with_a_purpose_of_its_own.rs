//! # A processor with a purpose of its own
//!
//! ## What it checks
//! An organisation is listed as acting only on instructions for a purpose, and the same purpose says
//! that it uses the data for itself, or that it decides why, what, whose or how long.
//!
//! ## Why it matters
//! What somebody really decides makes the role, not the word in a list or a contract. For its own
//! use the organisation needs a lawful basis, and people need to know whom to turn to: as long as
//! it is called a processor, nobody answers for that use.
//!
//! ## Guidance
//! ACC-37, ACC-47, ACC-48; Articles 4(7), 4(8) and 28(10) UK GDPR.
//!
//! ## Example
//! ```toml
//! [purpose.crash-reports]
//! acts_for = ["motionkit"]
//! own_use = [{ by = "motionkit", purpose = "to improve its kit" }]
//! ```
//!
//! ## Instead
//! ```toml
//! [purpose.crash-reports]
//! own_use = [{ by = "motionkit", purpose = "to improve its kit" }]
//!
//! [purpose.kit-statistics]
//! decided_by = { why = "motionkit", what = "motionkit", whose = "pulse", how_long = "motionkit" }
//! basis = "legitimate-interests"
//! ```
//!
//! ## What it cannot tell
//! Whether two organisations decide separately or together, and whether the basis of the own use
//! holds. Choosing systems, storage and safeguards is open to a processor and is not asked here.

use crate::rule::prelude::*;
use housecarl_manifest::span::Span;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC2001",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["ACC-37", "ACC-47", "ACC-48"],
    check,
};

struct OwnPurpose<'m> {
    purpose: &'m str,
    processor: &'m str,
}

impl Finding for OwnPurpose<'_> {
    fn message(&self) -> String {
        format!(
            "`{}` is listed as acting only on instructions for `{}` and also uses the data for itself: for \
             that use it is no processor, and nobody names the basis it rests on",
            self.processor, self.purpose
        )
    }
    fn help(&self) -> String {
        format!(
            "take `{0}` out of `acts_for`, declare its use as a purpose that `{0}` decides, with a basis, \
             and settle whether you decide together or apart",
            self.processor
        )
    }
}

struct Decides<'m> {
    purpose: &'m str,
    processor: &'m str,
    what: &'static str,
}

impl Finding for Decides<'_> {
    fn message(&self) -> String {
        format!(
            "`{}` is listed as acting only on instructions for `{}` and also decides {}: whoever decides \
             that answers for it",
            self.processor, self.purpose, self.what
        )
    }
    fn help(&self) -> String {
        format!(
            "name `{}` in one of the two: in `decided_by` if it really decides, in `acts_for` if it only \
             carries out",
            self.processor
        )
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    for purpose in &product.manifest.purpose {
        for processor in &purpose.acts_for {
            let (name, purpose_name) = (processor.value.0.as_str(), purpose.name.value.as_str());
            let own = purpose
                .own_use
                .iter()
                .filter_map(|own| own.by.as_ref())
                .find(|by| by.value == processor.value);
            if let Some(by) = own {
                let finding = OwnPurpose { purpose: purpose_name, processor: name };
                let found = findings.report_purpose(&finding, purpose, processor.span);
                found.label("only on instructions").also(by.span, "for itself");
            }
            if let Some((what, at)) = decision(purpose, name) {
                let finding = Decides { purpose: purpose_name, processor: name, what };
                let found = findings.report_purpose(&finding, purpose, processor.span);
                found.label("only on instructions").also(at, "decides");
            }
        }
    }
}

/// The first thing that an organisation decides about a purpose.
fn decision(purpose: &Purpose, organisation: &str) -> Option<(&'static str, Span)> {
    let by = purpose.decided_by.as_ref()?;
    let decisions = [
        ("why the data is used", &by.why),
        ("what data is used", &by.what),
        ("whose data is used", &by.whose),
        ("how long the data is kept", &by.how_long),
    ];
    decisions.into_iter().find_map(|(what, deciders)| {
        let decider = deciders.iter().find(|decider| decider.value.0 == organisation)?;
        Some((what, decider.span))
    })
}
