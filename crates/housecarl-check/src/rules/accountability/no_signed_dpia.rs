//! # No signed impact assessment
//!
//! ## What it checks
//! The product uses personal information for a purpose that is not the household's own, and there
//! is no data protection impact assessment (DPIA), or it is not signed by the day of the check, or
//! it leaves the purpose out.
//!
//! ## Why it matters
//! Connected products live where people are least on their guard, so most of what they do is likely
//! high risk, and for children it always counts as that. The assessment is where somebody looks for
//! the harm before it is done, and the signature is where somebody answers for what is left.
//!
//! ## Guidance
//! DPIA-24, DPIA-17, DPIA-25; Article 35 UK GDPR.
//!
//! ## Example
//! ```toml
//! [purpose.history]
//! kind = "core-function"
//! basis = "contract"
//!
//! [dpia]
//! document = "dpia/watch.md"
//! ```
//!
//! ## Instead
//! ```toml
//! [purpose.history]
//! kind = "core-function"
//! basis = "contract"
//!
//! [dpia]
//! document = "dpia/watch.md"
//! signed = { by_role = "dpo", on = 2026-02-20 }
//! ```
//!
//! ## What it cannot tell
//! Whether the document assesses what it should, whether it was written before the processing began,
//! and whether this product is one of the few that need none. Who can show that accepts the finding
//! in a `[[waive]]` that says how.

use crate::rule::prelude::*;
use housecarl_manifest::scalar::Date;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC2002",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["DPIA-24", "DPIA-17", "DPIA-25"],
    check,
};

enum Lacking<'m> {
    Document,
    Signature { document: &'m str },
    SignatureYet { document: &'m str, on: Date },
    Purpose { document: &'m str, purpose: &'m str },
}

impl Finding for Lacking<'_> {
    fn message(&self) -> String {
        match self {
            Self::Document => {
                "there is no data protection impact assessment, and most connected products need one before \
                 they process anything"
                    .to_owned()
            }
            Self::Signature { document } => {
                format!(
                    "the impact assessment `{document}` is not signed, so nobody answers for the risks it \
                     leaves"
                )
            }
            Self::SignatureYet { document, on } => {
                format!("the impact assessment `{document}` is signed on {on}, and that day has not come")
            }
            Self::Purpose { document, purpose } => {
                format!(
                    "the impact assessment `{document}` leaves out `{purpose}`, so nobody has looked at its \
                     risks"
                )
            }
        }
    }
    fn help(&self) -> String {
        match self {
            Self::Document => {
                "assess the risks, have the document signed, and name it: `[dpia]` with `document` and \
                 `signed`"
                    .to_owned()
            }
            Self::Signature { .. } => {
                "have it signed and add `signed = { by_role = \"…\", on = … }`, with the role and the day"
                    .to_owned()
            }
            Self::SignatureYet { .. } => "write the day on which it was signed".to_owned(),
            Self::Purpose { purpose, .. } => format!(
                "assess `{purpose}`, have it signed and add it to `covers`; without `covers` the document \
                 is taken to be about every purpose"
            ),
        }
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    // A purpose without a basis is a problem of its own; here it counts as the maker's.
    let makers: Vec<_> = product.manifest.purpose.iter().filter(|purpose| !is_household(purpose)).collect();
    if makers.is_empty() {
        return;
    }
    let Some(dpia) = &product.manifest.dpia else {
        let found = findings.report(&Lacking::Document, product.product_span());
        found.label("no `[dpia]` in this manifest");
        makers.iter().for_each(|purpose| {
            found.purpose(&purpose.name.value);
        });
        return;
    };
    let document = dpia.document.as_ref().map_or("", |document| document.value.as_str());
    let lacking = match dpia.signed.as_ref() {
        None => Some((Lacking::Signature { document }, dpia.span, "not signed")),
        Some(signed) => signed
            .on
            .as_ref()
            .filter(|on| on.value > product.as_of)
            .map(|on| (Lacking::SignatureYet { document, on: on.value }, on.span, "not yet signed")),
    };
    if let Some((lacking, span, label)) = lacking {
        let found = findings.report(&lacking, span);
        found.label(label);
        makers.iter().for_each(|purpose| {
            found.purpose(&purpose.name.value);
        });
    }
    for purpose in makers {
        if let Some(first) = dpia.covers.first().filter(|_| names(&dpia.covers, purpose).is_none()) {
            let finding = Lacking::Purpose { document, purpose: &purpose.name.value };
            let found = findings.report_purpose(&finding, purpose, purpose.name.span);
            found.label("not covered").also(first.span, "what it covers begins here");
        }
    }
}
