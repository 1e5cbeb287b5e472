//! What a new version of a manifest changes for people: which purposes became wider, narrower or
//! different, who has to be told, who is asked again, and whether the DPIA is open again.

use std::collections::BTreeSet;

use crate::fingerprint::Facets;
use crate::model::{Manifest, Purpose};
use crate::span::{Named, Span, by_name};
use crate::words::{Basis, Condition};

/// How a purpose changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// Only its words, and somebody attests that.
    Editorial,
    /// It does less.
    Narrower,
    /// It does more of the same.
    Wider,
    /// It does something else, or its words changed and nobody attests that the meaning did not.
    Different,
    /// It is new.
    Added,
    /// It is gone; so is every consent to it, and its number is not used again.
    Removed,
}

impl Change {
    /// The word for it in outputs that programs read.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Editorial => "editorial",
            Self::Narrower => "narrower",
            Self::Wider => "wider",
            Self::Different => "different",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }

    /// Whether what people were told and agreed to no longer says it all.
    #[must_use]
    pub const fn is_more(self) -> bool {
        matches!(self, Self::Wider | Self::Different)
    }
}

/// One facet that changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FacetChange {
    /// Which.
    pub facet: &'static str,
    /// What it was.
    pub was: String,
    /// What it is.
    pub is: String,
    /// Which way.
    pub change: Change,
}

/// What changed for one purpose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PurposeChange {
    /// Its name.
    pub purpose: String,
    /// The sum of its changes.
    pub change: Change,
    /// Each of them.
    pub facets: Vec<FacetChange>,
    /// People have to be told before it is used.
    pub tell: bool,
    /// Whom to ask.
    pub ask: Ask,
    /// The DPIA has to be looked at again.
    pub dpia: bool,
    /// Where it stands in the old manifest.
    pub was_at: Option<Span>,
    /// Where it stands in the new one.
    pub is_at: Option<Span>,
}

/// Who is asked for consent after a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ask {
    /// Nobody.
    Nobody,
    /// Those who had said yes. Who had refused is not asked again.
    WhoHadAgreed,
    /// Everybody concerned who has not refused it: it did not rest on consent before.
    WhoHasNotRefused,
}

impl Ask {
    /// The word for it in outputs that programs read.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::WhoHadAgreed => "who-had-agreed",
            Self::WhoHasNotRefused => "who-has-not-refused",
        }
    }
}

/// Compares two versions of one product's manifest, purpose by purpose, in the order of names.
#[must_use]
pub fn diff(old: &Manifest, new: &Manifest) -> Vec<PurposeChange> {
    let all =
        |manifest: &Manifest| manifest.purpose.iter().map(|p| p.name.value.clone()).collect::<BTreeSet<_>>();
    let names = all(old).union(&all(new)).cloned().collect::<Vec<_>>();
    names
        .into_iter()
        .filter_map(|name| match (by_name(&old.purpose, &name), by_name(&new.purpose, &name)) {
            (Some(was), Some(is)) => changed((old, was), (new, is)),
            (None, Some(is)) => Some(PurposeChange {
                purpose: name,
                change: Change::Added,
                facets: Vec::new(),
                tell: true,
                ask: if needs_consent(is) { Ask::WhoHasNotRefused } else { Ask::Nobody },
                dpia: true,
                was_at: None,
                is_at: Some(is.name.span),
            }),
            (Some(was), None) => Some(PurposeChange {
                purpose: name,
                change: Change::Removed,
                facets: Vec::new(),
                tell: false,
                ask: Ask::Nobody,
                dpia: false,
                was_at: Some(was.name.span),
                is_at: None,
            }),
            (None, None) => None,
        })
        .collect()
}

fn needs_consent(purpose: &Purpose) -> bool {
    purpose.basis.as_ref().is_some_and(|basis| basis.value == Basis::Consent)
        || purpose.condition.as_ref().is_some_and(|condition| condition.value == Condition::ExplicitConsent)
}

fn changed(old: (&Manifest, &Named<Purpose>), new: (&Manifest, &Named<Purpose>)) -> Option<PurposeChange> {
    let (was, is) = (Facets::of(old.0, old.1), Facets::of(new.0, new.1));
    let mut facets = facet_changes(&was, &is);
    if facets.is_empty() {
        facets.extend(words(old.1, new.1));
    }
    let directions: BTreeSet<Change> = facets.iter().map(|facet| facet.change).collect();
    let change = match directions.iter().copied().collect::<Vec<_>>().as_slice() {
        [] => return None,
        [one] => *one,
        _ => Change::Different,
    };
    let ask = match (needs_consent(old.1), needs_consent(new.1)) {
        (true, true) if change.is_more() => Ask::WhoHadAgreed,
        (false, true) => Ask::WhoHasNotRefused,
        _ => Ask::Nobody,
    };
    Some(PurposeChange {
        purpose: new.1.name.value.clone(),
        change,
        facets,
        tell: change.is_more(),
        ask,
        dpia: change.is_more(),
        was_at: Some(old.1.name.span),
        is_at: Some(new.1.name.span),
    })
}

/// The words that people read, where nothing else changed.
fn words(old: &Named<Purpose>, new: &Named<Purpose>) -> Option<FacetChange> {
    let text = |purpose: &Purpose| purpose.why.as_ref().map(|why| why.value.clone()).unwrap_or_default();
    let (was, is) = (text(old), text(new));
    if was == is {
        return None;
    }
    // An attestation counts for one change of words: the old manifest must not have it already.
    let attested = new.editorial.is_some()
        && new.editorial.as_ref().map(|e| &e.value) != old.editorial.as_ref().map(|e| &e.value);
    let change = if attested { Change::Editorial } else { Change::Different };
    Some(FacetChange { facet: "words", was: was.to_string(), is: is.to_string(), change })
}

fn facet_changes(was: &Facets, is: &Facets) -> Vec<FacetChange> {
    let mut changes = Vec::new();
    let mut add =
        |facet, was: String, is: String, change| changes.push(FacetChange { facet, was, is, change });

    let mut exact = |facet, was: &str, is: &str| {
        if was != is {
            add(facet, was.to_owned(), is.to_owned(), Change::Different);
        }
    };
    exact("kind", &was.kind, &is.kind);
    exact("meaning", &was.meaning.to_string(), &is.meaning.to_string());
    exact("basis", &was.basis, &is.basis);
    exact("condition", &was.condition, &is.condition);
    exact("keeping", &was.keep_terms, &is.keep_terms);

    let mut sets = |facet, was: &BTreeSet<String>, is: &BTreeSet<String>| {
        if was != is {
            let change = if was.is_subset(is) {
                Change::Wider
            } else if is.is_subset(was) {
                Change::Narrower
            } else {
                Change::Different
            };
            let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
            add(facet, list(was), list(is), change);
        }
    };
    let items = |facets: &Facets| facets.items.keys().cloned().collect::<BTreeSet<_>>();
    sets("items", &items(was), &items(is));
    sets("people", &was.subjects, &is.subjects);
    sets("controllers", &was.controllers, &is.controllers);
    sets("processors", &was.processors, &is.processors);
    sets("recipients", &was.recipients, &is.recipients);
    sets("countries", &was.countries, &is.countries);
    sets("touches", &was.touches, &is.touches);
    sets("profiles", &was.profiles, &is.profiles);
    sets("places", &was.places, &is.places);

    for (name, text) in &was.items {
        if let Some(now) = is.items.get(name).filter(|now| *now != text) {
            add("item", format!("{name}: {text}"), format!("{name}: {now}"), Change::Different);
        }
    }
    if was.keep_seconds != is.keep_seconds {
        let text =
            |seconds: Option<u32>| seconds.map_or("no end".to_owned(), |s| format!("{} days", s / 86_400));
        let forever = |seconds: Option<u32>| seconds.unwrap_or(u32::MAX);
        let longer = forever(is.keep_seconds) > forever(was.keep_seconds);
        let change = if longer { Change::Wider } else { Change::Narrower };
        add("length of keeping", text(was.keep_seconds), text(is.keep_seconds), change);
    }
    if was.decision != is.decision {
        let change = match (was.decision.is_empty(), is.decision.is_empty()) {
            (true, false) => Change::Wider,
            (false, true) => Change::Narrower,
            _ => Change::Different,
        };
        add("decision", was.decision.clone(), is.decision.clone(), change);
    }
    changes
}
