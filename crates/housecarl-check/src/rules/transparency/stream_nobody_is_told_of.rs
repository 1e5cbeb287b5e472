//! # A stream that nobody is told of
//!
//! ## What it checks
//! A stream of messages names no way in which people learn that it exists; or people without an
//! account are in it, and only an app or an account tells of it. A stream that serves nothing but
//! the household's own purposes is passed over.
//!
//! ## Why it matters
//! Who does not know of it cannot object, ask or walk away. Visitors and passers-by have no account
//! to look things up in, and they count as much as the person who bought the product.
//!
//! ## Guidance
//! TRA-01, TRA-77; Articles 5(1)(a), 13 and 14 UK GDPR.
//!
//! ## Example
//! ```toml
//! [stream.door]
//! about = "bystander"
//! told_by = ["phone-app"]
//! ```
//!
//! ## Instead
//! ```toml
//! [stream.door]
//! about = "bystander"
//! told_by = ["phone-app", "light", "sign"]
//! ```
//!
//! ## What it cannot tell
//! Whether people see the light, hear the sound or read the sign, and whether they understand it.

use crate::rule::prelude::*;
use words::{About, ToldBy};

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC4001",
    level: Level::Must,
    status: Status::Stable { since: "0.1.0" },
    statements: &["TRA-01", "TRA-77"],
    check,
};

enum Untold<'m> {
    Everybody { stream: &'m str },
    WithoutAccount { stream: &'m str, who: &'static str },
}

impl Finding for Untold<'_> {
    fn message(&self) -> String {
        match self {
            Self::Everybody { stream } => {
                format!("nobody is told of the stream `{stream}`: whoever does not know of it cannot object")
            }
            Self::WithoutAccount { stream, who } => {
                format!(
                    "the stream `{stream}` is about {who}, and only an account tells of it: they have none \
                     to look into"
                )
            }
        }
    }
    fn help(&self) -> String {
        match self {
            Self::Everybody { .. } => "add `told_by` with every way in which people learn of it".to_owned(),
            Self::WithoutAccount { .. } => {
                "tell people at the product too, with a \"light\", \"sound\", \"sign\" or \"screen\", and \
                 add it to `told_by`"
                    .to_owned()
            }
        }
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    for stream in &product.manifest.stream {
        let users: Vec<_> =
            product.manifest.purpose.iter().filter(|purpose| takes(product, purpose, stream)).collect();
        if !users.is_empty() && users.iter().all(|purpose| is_household(purpose)) {
            continue;
        }
        let found = if let Some(first) = stream.told_by.first() {
            let Some(who) = without_account(product, stream) else { continue };
            if stream.told_by.iter().any(|told| !needs_an_account(told.value)) {
                continue;
            }
            let finding = Untold::WithoutAccount { stream: &stream.name.value, who };
            findings.report(&finding, first.span).label("needs an account")
        } else {
            let finding = Untold::Everybody { stream: &stream.name.value };
            findings.report(&finding, stream.name.span).label("no `told_by`")
        };
        for purpose in users.iter().filter(|purpose| !is_household(purpose)) {
            found.purpose(&purpose.name.value);
        }
    }
}

/// Whether a purpose uses an item of a stream.
fn takes<'m>(product: &Product<'m>, purpose: &'m Purpose, stream: &Named<Stream>) -> bool {
    let of_stream = |item: &Item| item.stream.as_ref().is_some_and(|name| name.value.0 == stream.name.value);
    product.used(purpose).any(|(_, item)| of_stream(item))
}

/// Who is in a stream and has no account.
fn without_account(product: &Product<'_>, stream: &Stream) -> Option<&'static str> {
    let people = product.manifest.people.as_ref();
    let guests = people.and_then(|people| people.guests.as_ref()).is_some_and(|guests| guests.value);
    match stream.about.as_ref()?.value {
        About::Bystander => Some("people whom nobody has identified"),
        About::Household | About::Speaker if guests => Some("guests as well"),
        About::Household | About::Speaker | About::AccountHolder | About::Wearer => None,
    }
}

const fn needs_an_account(told: ToldBy) -> bool {
    match told {
        ToldBy::PhoneApp | ToldBy::WebAccount => true,
        ToldBy::Light
        | ToldBy::Sound
        | ToldBy::Sign
        | ToldBy::Listing
        | ToldBy::AppStore
        | ToldBy::Screen => false,
    }
}
