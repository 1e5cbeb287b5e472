//! # Consent that nobody asks for
//!
//! ## What it checks
//! A purpose rests on consent, or on explicit consent as its Article 9 condition, and no request asks
//! about it; or requests do and none of them is explicit where it has to be; or the product, phone
//! or hub is read or written for the purpose under no exception, and no request asks about it.
//!
//! ## Why it matters
//! Silence is no answer. Either the purpose never starts, or it starts without the yes that it rests
//! on. Explicit consent takes a statement that a person makes, not only a switch.
//!
//! ## Guidance
//! CON-68, CON-67, PECR-16; Articles 6(1)(a), 7 and 9(2)(a) UK GDPR, PECR Schedule A1 paragraph 2.
//!
//! ## Example
//! ```toml
//! [purpose.coaching]
//! basis = "contract"
//! condition = "explicit-consent"
//! ```
//!
//! ## Instead
//! ```toml
//! [purpose.coaching]
//! basis = "contract"
//! condition = "explicit-consent"
//!
//! [request.coaching]
//! purposes = ["coaching"]
//! explicit = true
//! ```
//!
//! ## What it cannot tell
//! Whether the request, as people see it, tells them what they need and leaves them a real choice.

use crate::rule::prelude::*;
use words::Exception;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC3002",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["CON-68", "CON-67", "PECR-16"],
    check,
};

enum NotAsked<'m> {
    AtAll { purpose: &'m str, explicit: bool },
    Explicitly { purpose: &'m str, requests: String },
    ForAccess { purpose: &'m str, access: &'m str },
}

impl Finding for NotAsked<'_> {
    fn message(&self) -> String {
        match self {
            Self::AtAll { purpose, explicit } => {
                let consent = if *explicit { "explicit consent" } else { "consent" };
                format!("`{purpose}` rests on {consent} and no request asks for it: silence is no answer")
            }
            Self::Explicitly { purpose, requests } => {
                format!(
                    "`{purpose}` rests on explicit consent, and no request for it is explicit ({requests})"
                )
            }
            Self::ForAccess { purpose, access } => {
                format!(
                    "the access `{access}` needs consent, as it rests on no exception, and no request asks \
                     about `{purpose}`"
                )
            }
        }
    }
    fn help(&self) -> String {
        match self {
            Self::AtAll { purpose, explicit: true } => {
                format!("add a `[request.…]` with `purposes = [\"{purpose}\"]` and `explicit = true`")
            }
            Self::AtAll { purpose, .. } => format!("add a `[request.…]` with `purposes = [\"{purpose}\"]`"),
            Self::Explicitly { .. } => {
                "let the person make the statement, and write `explicit = true` in the request".to_owned()
            }
            Self::ForAccess { purpose, .. } => format!(
                "add a `[request.…]` with `purposes = [\"{purpose}\"]`, or name the exception if one really \
                 covers it"
            ),
        }
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    for purpose in product.manifest.purpose.iter().filter(|purpose| !is_household(purpose)) {
        let name = purpose.name.value.as_str();
        let explicit = rests_on_explicit_consent(purpose);
        let requests: Vec<_> = product.requests_for(purpose).map(|(request, _)| request).collect();
        let needs = if explicit {
            purpose.condition.as_ref().map(|condition| condition.span)
        } else {
            purpose.basis.as_ref().filter(|_| rests_on_consent(purpose)).map(|basis| basis.span)
        };
        if let Some(needs) = needs {
            if requests.is_empty() {
                let finding = NotAsked::AtAll { purpose: name, explicit };
                findings.report_purpose(&finding, purpose, needs).label("nobody is asked for this");
            } else if explicit && !requests.iter().any(|request| is_explicit(request)) {
                let asking = listed(requests.iter().map(|request| request.name.value.as_str()));
                let finding = NotAsked::Explicitly { purpose: name, requests: asking };
                let found = findings.report_purpose(&finding, purpose, needs);
                found.label("has to be asked for explicitly");
                for request in &requests {
                    let at = request.explicit.as_ref().map_or(request.name.span, |explicit| explicit.span);
                    found.also(at, "not explicit");
                }
            }
        } else if requests.is_empty() {
            let serves = |access: &Named<Access>| {
                let none =
                    access.exception.as_ref().is_some_and(|exception| exception.value == Exception::None);
                names(&access.serves, purpose).filter(|_| none).map(|serves| serves.span)
            };
            let access = product.manifest.access.iter().find_map(|access| Some((access, serves(access)?)));
            if let Some((access, at)) = access {
                let finding = NotAsked::ForAccess { purpose: name, access: &access.name.value };
                findings.report_purpose(&finding, purpose, at).label("nobody is asked about this");
            }
        }
    }
}

fn is_explicit(request: &Request) -> bool {
    request.explicit.as_ref().is_some_and(|explicit| explicit.value)
}
