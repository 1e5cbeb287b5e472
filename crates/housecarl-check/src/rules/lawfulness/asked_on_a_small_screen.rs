//! # Asked where there is no room
//!
//! ## What it checks
//! A consent request is put on a small screen, or on no screen at all (voice, sound, light, buttons),
//! and no other request asks about the same purpose in an app, in an account or on a large screen.
//!
//! ## Why it matters
//! A person can only agree to what can be read or heard in peace. A product without a screen cannot
//! show a request, and a small one has no room for what has to stand beside the question.
//!
//! ## Guidance
//! CON-12.
//!
//! ## Example
//! ```toml
//! [purpose.coaching]
//! kind = "feature"
//! basis = "consent"
//!
//! [request.coaching]
//! purposes = ["coaching"]
//! surface = "small-screen"
//! ```
//!
//! ## Instead
//! ```toml
//! [purpose.coaching]
//! kind = "feature"
//! basis = "consent"
//!
//! [request.coaching]
//! purposes = ["coaching"]
//! surface = "phone-app"
//! ```
//!
//! ## What it cannot tell
//! Whether the place with more room shows the request well, and whether everybody who is asked can
//! get there.

use crate::rule::prelude::*;
use words::Interface;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "HC3004",
    level: Level::Should,
    status: Status::Stable { since: "0.1.0" },
    statements: &["CON-12"],
    check,
};

struct NoRoom<'m> {
    request: &'m str,
    purposes: String,
    surface: Interface,
    elsewhere: Option<Interface>,
}

impl Finding for NoRoom<'_> {
    fn message(&self) -> String {
        format!(
            "the request `{}` asks about {} {} and nowhere else: what a person has to know before agreeing \
             has no room there",
            self.request,
            self.purposes,
            place(self.surface)
        )
    }
    fn help(&self) -> String {
        match self.elsewhere {
            Some(elsewhere) => {
                let surface = elsewhere.word();
                format!(
                    "ask {} (`surface = \"{surface}\"`), or add a request that asks there too",
                    place(elsewhere)
                )
            }
            None => "the product has no place with room for it; give it one, such as an app or a page that \
                     a code on the product leads to"
                .to_owned(),
        }
    }
}

fn check(product: &Product<'_>, findings: &mut Findings<'_>) {
    let interfaces = product.manifest.product.iter().flat_map(|product| &product.interfaces);
    let elsewhere = interfaces.map(|interface| interface.value).find(|interface| has_room(*interface));
    for request in &product.manifest.request {
        let Some(surface) = request.surface.as_ref().filter(|surface| !has_room(surface.value)) else {
            continue;
        };
        let asked_with_room = |purpose: &Named<Purpose>| {
            let mut surfaces = product.requests_for(purpose).filter_map(|(other, _)| other.surface.as_ref());
            surfaces.any(|surface| has_room(surface.value))
        };
        let purposes: Vec<_> = request
            .purposes
            .iter()
            .filter_map(|name| by_name(&product.manifest.purpose, &name.value.0))
            .filter(|purpose| !asked_with_room(purpose))
            .collect();
        let Some(first) = purposes.first() else { continue };
        let finding = NoRoom {
            request: &request.name.value,
            purposes: listed(purposes.iter().map(|purpose| purpose.name.value.as_str())),
            surface: surface.value,
            elsewhere,
        };
        let found = findings.report_purpose(&finding, first, surface.span);
        found.label("no room for what has to be known");
        for purpose in purposes.iter().skip(1) {
            found.purpose(&purpose.name.value);
        }
    }
}

/// Where a person is asked.
const fn place(interface: Interface) -> &'static str {
    match interface {
        Interface::SmallScreen => "on a small screen",
        Interface::LargeScreen => "on the large screen",
        Interface::Voice => "by voice",
        Interface::Sound => "by sound",
        Interface::Light => "by light",
        Interface::Buttons => "by buttons",
        Interface::PhoneApp => "in the app",
        Interface::WebAccount => "in the account",
    }
}

/// Whether what has to be known before agreeing can be shown there.
const fn has_room(interface: Interface) -> bool {
    match interface {
        Interface::LargeScreen | Interface::PhoneApp | Interface::WebAccount => true,
        Interface::SmallScreen
        | Interface::Voice
        | Interface::Sound
        | Interface::Light
        | Interface::Buttons => false,
    }
}
