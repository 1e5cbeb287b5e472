//! # A purpose that can never open
//!
//! ## What it checks
//! A purpose needs consent, or recognises people, and uses an item about people whom nobody has
//! identified, or one that has neither a stream nor a word on whom it is about; or it needs consent
//! and compares the voices or faces of a stream, and people without an account or passers-by are
//! among those who are compared. And on a product that children are likely to use: an optional
//! purpose that uses an item about people whom nobody has identified.
//!
//! ## Why it matters
//! Nobody can have agreed whom nobody knows. For these people the purpose has neither a basis nor a
//! condition, and it stays closed: what was planned does not work, or works on people who were never
//! asked. A comparison against stored voices takes in whoever speaks, enrolled or not. And where
//! children are likely, what is optional is private for a child until switched on for that child:
//! who passes may be a child, and nobody can switch anything on for them.
//!
//! ## Guidance
//! CON-91, LAW-01, SPEC-35, CHI-12; Articles 6(1)(a) and 9 UK GDPR.
//!
//! ## Example
//! ```toml
//! [item.visitor-picture]
//! kind = "image"
//! about = "bystander"
//!
//! [purpose.regular-visitors]
//! kind = "identification"
//! uses = ["visitor-picture"]
//! basis = "consent"
//! condition = "explicit-consent"
//! ```
//!
//! ## Instead
//! ```toml
//! [item.visitor-picture]
//! kind = "image"
//! about = "bystander"
//!
//! [purpose.somebody-at-the-door]
//! kind = "core-function"
//! uses = ["visitor-picture"]
//! basis = "contract"
//! ```
//!
//! ## What it cannot tell
//! Whether another basis would hold for the people who are not known. That a household's item needs
//! each known person's yes is not asked here: such a purpose can open.

use crate::rule::prelude::*;
use housecarl_manifest::compile::is_core;
use words::{About, IdentifyBy, PurposeKind};

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC3003",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["CON-91", "LAW-01", "SPEC-35", "CHI-12"],
    check,
};

enum NeverOpens<'m> {
    Recognises { purpose: &'m str, item: &'m str },
    NeedsConsent { purpose: &'m str, item: &'m str },
    NobodyNamed { purpose: &'m str, item: &'m str },
    PrivateByDefault { purpose: &'m str, item: &'m str },
    Compares { purpose: &'m str, stream: &'m str, whose: &'static str, who: &'static str },
}

impl Finding for NeverOpens<'_> {
    fn message(&self) -> String {
        match self {
            Self::Recognises { purpose, item } => format!(
                "`{purpose}` recognises people, and `{item}` is about people whom nobody has identified: it \
                 never opens for them"
            ),
            Self::NeedsConsent { purpose, item } => format!(
                "`{purpose}` needs consent, and `{item}` is about people whom nobody has identified: none \
                 of them can agree, so it never opens for them"
            ),
            Self::NobodyNamed { purpose, item } => format!(
                "`{purpose}` is only for people who are known, and `{item}` has neither a stream nor an \
                 `about`: it counts as about people whom nobody has identified, so the purpose never opens \
                 for it"
            ),
            Self::PrivateByDefault { purpose, item } => format!(
                "`{purpose}` is optional, children are likely, and `{item}` is about people whom nobody has \
                 identified: it is private for whoever may be a child, so it never opens for them"
            ),
            Self::Compares { purpose, stream, whose, who } => format!(
                "`{purpose}` needs consent, and `{stream}` compares the {whose} of whoever is there: {who} \
                 cannot have agreed, so it never opens for them"
            ),
        }
    }
    fn help(&self) -> String {
        match self {
            Self::Recognises { item, .. } => {
                format!("recognise only people who have enrolled, and leave `{item}` out of `uses`")
            }
            Self::NeedsConsent { item, .. } => format!(
                "leave `{item}` out of `uses`, or choose a basis that asks nobody's yes and can bear the use"
            ),
            Self::NobodyNamed { item, .. } => {
                format!("say in `[item.{item}]` whom it is about, such as `about = \"wearer\"`")
            }
            Self::PrivateByDefault { item, .. } => format!(
                "leave `{item}` out of `uses`, or make it part of what the product is bought for if it is"
            ),
            Self::Compares { .. } => {
                "compare only after an enrolled person has begun it by the app or a button, \
                                      which makes it `by = \"account\"`; or find a condition that also \
                                      covers those who never enrolled"
                    .to_owned()
            }
        }
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    for purpose in product.manifest.purpose.iter().filter(|purpose| !is_household(purpose)) {
        let name = purpose.name.value.as_str();
        let recognises = purpose.kind.as_ref().is_some_and(|kind| kind.value == PurposeKind::Identification);
        if recognises || needs_consent(purpose) {
            let unknown =
                product.used(purpose).find(|(_, item)| product.about(item) == Some(About::Bystander));
            if let Some((used, item)) = unknown {
                let finding = if item.about.is_none() && item.stream.is_none() {
                    NeverOpens::NobodyNamed { purpose: name, item: &item.name.value }
                } else if recognises {
                    NeverOpens::Recognises { purpose: name, item: &item.name.value }
                } else {
                    NeverOpens::NeedsConsent { purpose: name, item: &item.name.value }
                };
                findings
                    .report_purpose(&finding, purpose, used.span)
                    .label("about people whom nobody has identified");
            }
        }
        let likely = product.children_likely();
        if likely && !recognises && !needs_consent(purpose) && !is_core(product.manifest, purpose) {
            let unknown =
                product.used(purpose).find(|(_, item)| product.about(item) == Some(About::Bystander));
            if let Some((used, item)) = unknown {
                let finding = NeverOpens::PrivateByDefault { purpose: name, item: &item.name.value };
                findings
                    .report_purpose(&finding, purpose, used.span)
                    .label("about people whom nobody has identified");
            }
        }
        if needs_consent(purpose) {
            for stream in &product.manifest.stream {
                compares(product, purpose, stream, findings);
            }
        }
    }
}

fn needs_consent(purpose: &Purpose) -> bool {
    rests_on_consent(purpose) || rests_on_explicit_consent(purpose)
}

/// A stream that recognises people by what anybody in reach gives off, for this purpose.
fn compares<'m>(
    product: &Product<'m>,
    purpose: &'m Named<Purpose>,
    stream: &'m Named<Stream>,
    findings: &mut Findings<'_>,
) {
    let (Some(identify), Some(people)) = (&stream.identify, &product.manifest.people) else { return };
    if identify.purpose.as_ref().is_none_or(|named| named.value.0 != purpose.name.value) {
        return;
    }
    let Some(by) = &identify.by else { return };
    let whose = match by.value {
        IdentifyBy::Voice => "voice",
        IdentifyBy::Face => "face",
        // A finger is laid on a reader by somebody who means to.
        IdentifyBy::Fingerprint | IdentifyBy::Account | IdentifyBy::Device => return,
    };
    let guests = people.guests.as_ref().filter(|guests| guests.value).map(|guests| (guests.span, "guests"));
    let passing = people.bystanders.as_ref().filter(|passing| passing.value);
    let Some((at, who)) =
        guests.or(passing.map(|passing| (passing.span, "people who never chose to use it")))
    else {
        return;
    };
    let finding =
        NeverOpens::Compares { purpose: &purpose.name.value, stream: &stream.name.value, whose, who };
    let found = findings.report_purpose(&finding, purpose, by.span);
    found.label("takes in whoever is there").also(at, "they are there");
}
