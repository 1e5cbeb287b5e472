//! The catalogue of rules, chapter by chapter of the guidance.
//!
//! A rule is one file and one line here. The file's own doc comment is its page, what
//! `housecarl explain` prints, and its entry in the JSON catalogue.

use crate::rule::Rule;

/// A rule with what the catalogue knows of it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The rule.
    pub rule: &'static Rule,
    /// The name of its file: `no_such_thing`.
    pub name: &'static str,
    /// The chapter of the guidance.
    pub chapter: &'static str,
    /// Its file, whose doc comment documents it.
    pub source: &'static str,
}

macro_rules! registry {
    ($($(#[$doc:meta])* $chapter:ident { $($rule:ident,)* })*) => {
        $($(#[$doc])* mod $chapter { $(pub(super) mod $rule;)* })*

        /// Every rule, in the order of the codes.
        pub static RULES: &[Entry] = &[$($(Entry {
            rule: &$chapter::$rule::RULE,
            name: stringify!($rule),
            chapter: stringify!($chapter),
            source: include_str!(concat!(stringify!($chapter), "/", stringify!($rule), ".rs")),
        },)*)*];
    };
}

registry! {
    /// What information the product uses, what it reads from the home's devices, and children.
    information {
        special_category_without_condition,
        advertising_without_consent,
        location_on_from_the_start,
    }
    /// Who answers for what.
    accountability {
        processor_with_a_purpose_of_its_own,
        no_signed_dpia,
    }
    /// Lawful bases and consent.
    lawfulness {
        consent_as_a_condition,
        consent_never_asked,
        never_opens,
        asked_on_a_small_screen,
    }
    /// What people are told.
    transparency {
        stream_nobody_is_told_of,
    }
    /// How long it is kept.
    retention {
        kept_without_end,
    }
    /// How it is kept secure.
    security {
        shared_password,
        no_updates,
    }
    /// People's rights, and decisions about them.
    rights {
        decision_without_a_person,
    }
}

/// The rule of a code or name.
#[must_use]
pub fn find(code_or_name: &str) -> Option<&'static Entry> {
    let name = code_or_name.replace('-', "_");
    RULES.iter().find(|entry| entry.rule.code.eq_ignore_ascii_case(code_or_name) || entry.name == name)
}
