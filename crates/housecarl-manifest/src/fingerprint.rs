//! What a person agreed to or was told, apart from its words: the facets of a purpose, and one
//! digest over them.
//!
//! The words of a purpose may change when somebody attests that the meaning did not; whatever
//! stands here may not change without people hearing of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use housecarl_policy::SubjectKind;
use sha2::{Digest as _, Sha256};

use crate::compile::subject_of;
use crate::model::{Manifest, Purpose};
use crate::scalar::Name;
use crate::span::{Named, Spanned, by_name};

/// The facets of one purpose, in a form that has an order and no spans.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facets {
    /// What kind of purpose it is.
    pub kind: String,
    /// The number that the maker raises when the meaning changes.
    pub meaning: i64,
    /// The items it uses, each with what it is and what is left of it.
    pub items: BTreeMap<String, String>,
    /// Whom they are about.
    pub subjects: BTreeSet<String>,
    /// Who decides, or uses the data for itself.
    pub controllers: BTreeSet<String>,
    /// Who acts on instructions.
    pub processors: BTreeSet<String>,
    /// The lawful basis.
    pub basis: String,
    /// The Article 9 condition.
    pub condition: String,
    /// Who receives the data.
    pub recipients: BTreeSet<String>,
    /// The countries it runs in.
    pub countries: BTreeSet<String>,
    /// For how many seconds it is kept; `None` is without an end.
    pub keep_seconds: Option<u32>,
    /// From when, and what happens then.
    pub keep_terms: String,
    /// What it decides, and whether a person reviews that.
    pub decision: String,
    /// What of a person's life the decision touches.
    pub touches: BTreeSet<String>,
    /// What it predicts.
    pub profiles: BTreeSet<String>,
    /// Where it runs.
    pub places: BTreeSet<String>,
}

fn names<'n>(names: impl IntoIterator<Item = &'n Spanned<Name>>) -> BTreeSet<String> {
    names.into_iter().map(|name| name.value.0.clone()).collect()
}

/// A word of a closed list, or nothing.
macro_rules! word {
    ($field:expr) => {
        $field.as_ref().map_or("", |word| word.value.word()).to_owned()
    };
}

impl Facets {
    /// The facets of a purpose.
    #[must_use]
    pub fn of(manifest: &Manifest, purpose: &Named<Purpose>) -> Self {
        let items: Vec<_> =
            purpose.uses.iter().filter_map(|name| by_name(&manifest.item, &name.value.0)).collect();
        let decided = purpose.decided_by.iter();
        let mut controllers =
            names(decided.flat_map(|by| by.why.iter().chain(&by.what).chain(&by.whose).chain(&by.how_long)));
        controllers.extend(names(purpose.own_use.iter().filter_map(|own| own.by.as_ref())));
        let decides = purpose.decides.as_ref();
        let reviewed = decides.and_then(|d| d.person_reviews.as_ref()).is_some_and(|reviewed| reviewed.value);
        Self {
            kind: word!(purpose.kind),
            meaning: purpose.meaning.as_ref().map_or(1, |meaning| meaning.value),
            items: items
                .iter()
                .map(|item| {
                    let steps: Vec<String> =
                        item.precision.iter().map(|step| format!("{} {}", step.name, step.leaves)).collect();
                    let fixed =
                        item.leaves.as_ref().map(|leaves| leaves.value.to_string()).unwrap_or_default();
                    let text = [word!(item.kind), word!(item.from), fixed, steps.join(", ")].join("; ");
                    (item.name.value.clone(), text)
                })
                .collect(),
            subjects: items
                .iter()
                .map(|item| match subject_of(manifest, item) {
                    SubjectKind::Person => "a person".to_owned(),
                    SubjectKind::Household => "the household".to_owned(),
                    SubjectKind::Bystander => "bystanders".to_owned(),
                })
                .collect(),
            controllers,
            processors: names(&purpose.acts_for),
            basis: word!(purpose.basis),
            condition: word!(purpose.condition),
            recipients: names(purpose.shares.iter().filter_map(|share| share.with.as_ref())),
            countries: purpose.countries.iter().map(|country| country.value.clone()).collect(),
            keep_seconds: crate::compile::keep_seconds(purpose),
            keep_terms: purpose
                .keep
                .as_ref()
                .map(|keep| [word!(keep.from), word!(keep.then)].join(", then "))
                .unwrap_or_default(),
            decision: decides
                .map(|decides| {
                    let what = decides.what.as_ref().map(|what| what.to_string()).unwrap_or_default();
                    let by = if reviewed { "a person reviews it" } else { "no person reviews it" };
                    format!("{what}; {by}")
                })
                .unwrap_or_default(),
            touches: decides
                .map(|decides| decides.touches.iter().map(|word| word.value.word().to_owned()).collect())
                .unwrap_or_default(),
            profiles: purpose.profiles.iter().map(|profile| profile.value.clone()).collect(),
            places: purpose.runs.iter().map(|place| place.value.word().to_owned()).collect(),
        }
    }

    /// The digest that consents and notices are recorded with.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        let mut part = |name: &str, values: &[&str]| {
            // Lengths before texts, so that no two sets of facets read the same.
            for text in std::iter::once(&name).chain(values) {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text.as_bytes());
            }
            hash.update((values.len() as u64).to_le_bytes());
        };
        let set = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
        let items: Vec<String> =
            self.items.iter().flat_map(|(name, text)| [name.clone(), text.clone()]).collect();
        let keep = self.keep_seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
        for (name, values) in [
            ("version", vec!["1".to_owned()]),
            ("kind", vec![self.kind.clone()]),
            ("meaning", vec![self.meaning.to_string()]),
            ("items", items),
            ("subjects", set(&self.subjects)),
            ("controllers", set(&self.controllers)),
            ("processors", set(&self.processors)),
            ("basis", vec![self.basis.clone()]),
            ("condition", vec![self.condition.clone()]),
            ("recipients", set(&self.recipients)),
            ("countries", set(&self.countries)),
            ("keep", vec![keep, self.keep_terms.clone()]),
            ("decision", vec![self.decision.clone()]),
            ("touches", set(&self.touches)),
            ("profiles", set(&self.profiles)),
            ("places", set(&self.places)),
        ] {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            part(name, &values);
        }
        Fingerprint(hash.finalize().into())
    }
}

/// The digest of a purpose's facets: SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// What stands for the same facets when they are in force another time, and what was said about
    /// them before counts no longer: when the words changed, or a purpose was gone and is back.
    #[must_use]
    pub fn again(self, times: u32) -> Self {
        if times == 0 {
            return self;
        }
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(times.to_le_bytes());
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut short = String::new();
        self.0.iter().take(4).try_for_each(|byte| write!(short, "{byte:02x}"))?;
        write!(f, "Fingerprint({short}…)")
    }
}
