//! The laws of the decision, as they can be seen from outside the journey: in what was read.
//!
//! Each is asked of the list of what was said, and of nothing that decides: not of the model's answers
//! either, so that a fault that the model and the journey share is found all the same.

use std::collections::BTreeSet;

use housecarl_policy::AgeBand;

use crate::model::{About, Model, Seen, Whom, Word};
use crate::products::PRODUCTS;

/// A law that what was read has broken.
pub type Broken = &'static str;

/// Whether what a purpose was given about somebody keeps the laws.
///
/// # Errors
/// The first that it breaks.
pub fn of_a_read(
    model: &Model,
    product: usize,
    purpose: &str,
    whom: Whom,
    seen: &[Seen],
) -> Result<(), Broken> {
    if seen.is_empty() {
        return Ok(());
    }
    let of = PRODUCTS[product].purpose(purpose);
    let people: Vec<usize> = match whom {
        Whom::Person(person) => vec![person],
        Whom::Household(home) => model.people_of(home).collect(),
        Whom::Bystanders(_) => Vec::new(),
    };
    for person in people {
        let words: Vec<&Word> = model.words(About::Person(person), product, None).collect();
        let last = words.iter().rev().find_map(|word| match word {
            Word::Yes(of) if of == purpose => Some(true),
            Word::No(of) if of == purpose => Some(false),
            _ => None,
        });
        let said = |wanted: &dyn Fn(&Word) -> bool| words.iter().any(|word| wanted(word));
        let last_of = |wanted: &dyn Fn(&Word) -> Option<bool>| {
            words.iter().rev().find_map(|word| wanted(word)).unwrap_or(false)
        };
        if of.needs_consent && !said(&|word| matches!(word, Word::Yes(of) if of == purpose)) {
            return Err("default_deny");
        }
        if last == Some(false) {
            return Err("refusal_wins");
        }
        if of.marketing && last_of(&|word| if let Word::NoMarketing(is) = word { Some(*is) } else { None }) {
            return Err("objection_to_marketing_is_absolute");
        }
        let restricted = |word: &Word| match word {
            Word::Restricted(of, is) if of == purpose => Some(*is),
            _ => None,
        };
        if last_of(&restricted) {
            return Err("restriction_only_stores");
        }
        let band = model.people[person].band;
        if !of.core && band != AgeBand::Adult && band != AgeBand::Unknown && last != Some(true) {
            return Err("child_defaults_are_private");
        }
        if !of.vital && !said(&|word| matches!(word, Word::Told(of) if of.iter().any(|of| of == purpose))) {
            return Err("untold_is_unused");
        }
    }
    let keep = |_: &Seen| if matches!(whom, Whom::Bystanders(_)) { of.keep_unidentified } else { of.keep };
    if seen.iter().any(|seen| model.now.saturating_sub(seen.received) >= keep(seen)) {
        return Err("a_purpose_whose_period_is_over_is_closed");
    }
    if of.ends.is_some_and(|end| model.now >= end) {
        return Err("a_purpose_whose_period_is_over_is_closed");
    }
    let items: BTreeSet<&str> = seen.iter().map(|seen| seen.item.as_str()).collect();
    if !items.iter().all(|item| of.items.contains(*item)) {
        return Err("default_deny");
    }
    Ok(())
}

/// Whether what somebody said changed no more than it may: `before` and `after` are what each purpose
/// was given about somebody, at the same moment.
///
/// # Errors
/// The first that it breaks.
pub fn of_a_word(
    word: &Word,
    about: Whom,
    whom: Whom,
    before: &[Vec<Seen>],
    after: &[Vec<Seen>],
) -> Result<(), Broken> {
    let less = |law: Broken| {
        let more =
            before.iter().zip(after).any(|(before, after)| after.iter().any(|seen| !before.contains(seen)));
        if more { Err(law) } else { Ok(()) }
    };
    if let (Whom::Person(by), Whom::Person(other)) = (about, whom)
        && by != other
        && before != after
    {
        return Err("nobody_consents_for_another_adult");
    }
    match word {
        Word::No(_) => less("withdrawal_never_permits_more"),
        Word::NoMarketing(true) => less("objection_to_marketing_is_absolute"),
        Word::Restricted(_, true) => less("restriction_only_stores"),
        _ => Ok(()),
    }
}
