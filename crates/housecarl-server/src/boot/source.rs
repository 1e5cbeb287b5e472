//! What a version of a product is compiled from, as the register keeps it: what was applied is what
//! the next start puts in force, whatever has become of the file that it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use housecarl_manifest::diff::{Change, PurposeChange, diff};
use housecarl_manifest::fingerprint::Facets;
use housecarl_manifest::scalar::Date;
use housecarl_manifest::span::by_name;
use housecarl_manifest::{Manifest, Ordinals, read};
use serde::{Deserialize, Serialize};

use super::{Loaded, NotLoaded, load};

/// One version of a product.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Which version of this product it is in this deployment: from 1, one more with each.
    pub version: u64,
    /// The manifest.
    pub manifest: String,
    /// The numbers of its purposes, items and features: a `privacy.lock`.
    pub lock: String,
    /// By purpose, the fingerprints under which what was said about it counts: the present one first,
    /// then those from which it only became narrower.
    counts: BTreeMap<String, Vec<String>>,
    /// By purpose, those that have been in force and count no longer. None of them comes back, or a
    /// consent that was over would.
    spent: BTreeMap<String, BTreeSet<String>>,
}

/// Why a manifest cannot follow the one in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotNext {
    /// It cannot be read in full.
    NotLoaded(NotLoaded),
    /// The lock is none, and why.
    Lock(String),
    /// Its lock gives this name another number than it has, or none.
    Renumbered(String),
    /// Something in it has no number yet.
    Unnumbered,
}

impl fmt::Display for NotNext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoaded(error) => error.fmt(f),
            Self::Lock(why) => write!(f, "its `privacy.lock` cannot be used: {why}"),
            Self::Renumbered(name) => write!(
                f,
                "its `privacy.lock` gives `{name}` another number than it has in force, and people's choices are \
                 kept by it"
            ),
            Self::Unnumbered => f.write_str("some of its names have no number yet"),
        }
    }
}

impl std::error::Error for NotNext {}

impl Source {
    /// The first version of a product that a deployment has.
    #[must_use]
    pub fn first(manifest: &str, ordinals: &Ordinals) -> Self {
        let reading = read(manifest);
        let mut source = Self {
            version: 1,
            manifest: manifest.to_owned(),
            lock: ordinals.extended(&reading.manifest).write(),
            counts: BTreeMap::new(),
            spent: BTreeMap::new(),
        };
        source.count(&reading.manifest, &BTreeMap::new(), &[]);
        source
    }

    /// The version after this one, and what changes for people.
    ///
    /// # Errors
    /// [`NotNext`].
    pub fn next(&self, manifest: &str, lock: &str) -> Result<(Self, Vec<PurposeChange>), NotNext> {
        let earlier = Ordinals::read(&self.lock).map_err(|error| NotNext::Lock(error.to_string()))?;
        let ordinals = Ordinals::read(lock).map_err(|error| NotNext::Lock(error.to_string()))?;
        let (old, new) = (read(&self.manifest).manifest, read(manifest).manifest);
        if let Some(name) = ordinals.renumbers(&earlier) {
            return Err(NotNext::Renumbered(name.to_owned()));
        }
        if ordinals.extended(&new) != ordinals {
            return Err(NotNext::Unnumbered);
        }
        let changes = diff(&old, &new);
        let mut next = Self {
            version: self.version.saturating_add(1),
            manifest: manifest.to_owned(),
            lock: lock.to_owned(),
            counts: BTreeMap::new(),
            spent: self.spent.clone(),
        };
        next.count(&new, &self.counts, &changes);
        Ok((next, changes))
    }

    /// Works out what counts in this version, from what counted in the one before.
    fn count(
        &mut self,
        manifest: &Manifest,
        before: &BTreeMap<String, Vec<String>>,
        changes: &[PurposeChange],
    ) {
        for (name, was) in before {
            let change = changes.iter().find(|change| change.purpose == *name).map(|change| change.change);
            let is_over = change
                .is_some_and(|change| change.is_more() || matches!(change, Change::Added | Change::Removed));
            if is_over {
                self.spent.entry(name.clone()).or_default().extend(was.iter().cloned());
            } else {
                self.counts.insert(name.clone(), was.clone());
            }
        }
        for purpose in &manifest.purpose {
            let name = &purpose.name.value;
            let facets = Facets::of(manifest, purpose).fingerprint();
            let counts = self.counts.entry(name.clone()).or_default();
            let spent = self.spent.entry(name.clone()).or_default();
            // There is one more than are spent.
            let present = (0..=u32::MAX).map(|times| facets.again(times).to_string());
            let present = present.into_iter().find(|present| !spent.contains(present)).unwrap_or_default();
            counts.retain(|earlier| *earlier != present);
            counts.insert(0, present);
        }
        self.counts.retain(|name, _| by_name(&manifest.purpose, name).is_some());
        self.spent.retain(|_, spent| !spent.is_empty());
    }

    /// Checks and compiles it. `name` is the product's for good.
    ///
    /// # Errors
    /// [`NotNext`].
    pub fn load(&self, name: &str, today: Date) -> Result<Loaded, NotNext> {
        let ordinals = Ordinals::read(&self.lock).map_err(|error| NotNext::Lock(error.to_string()))?;
        let mut loaded = load(name, &self.manifest, &ordinals, today).map_err(NotNext::NotLoaded)?;
        loaded.product.fingerprints.clone_from(&self.counts);
        Ok(loaded)
    }

    /// As the register keeps it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // There is nothing in it that JSON could not say.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// From those bytes; `None` where another program wrote them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

    use super::*;

    const WATCH: &str = include_str!("../../../../products/watch/privacy.toml");
    const LOCK: &str = include_str!("../../../../products/watch/privacy.lock");

    fn first() -> Source {
        Source::first(WATCH, &Ordinals::read(LOCK).unwrap())
    }

    /// The same with another text in the place of one that is there.
    fn after(source: &Source, was: &str, is: &str) -> Source {
        assert!(source.manifest.contains(was), "{was}");
        source.next(&source.manifest.replacen(was, is, 1), LOCK).unwrap().0
    }

    const ACTIVITY: &str = "activity";

    #[test]
    fn what_only_became_narrower_counts_on_and_what_became_more_does_not() {
        let (long, short) = ("for = \"6 months\"", "for = \"5 months\"");
        let first = first();
        let narrower = after(&first, long, short);
        let (was, is) = (&first.counts["sleep"], &narrower.counts["sleep"]);
        assert_eq!((is.len(), &is[1..]), (2, &was[..]), "the present one, and what it was");
        assert_eq!(narrower.counts[ACTIVITY], first.counts[ACTIVITY]);
        let wider = after(&narrower, short, long);
        // It means what it meant at first, and who agreed then has to agree again.
        let [present] = wider.counts["sleep"].as_slice() else { unreachable!("what was before counts") };
        assert!(!is.contains(present) && !was.contains(present));
        assert_eq!(wider.version, 3);
    }

    #[test]
    fn words_that_changed_count_as_another_meaning_unless_attested() {
        let first = first();
        let other = after(&first, "To show your heart rate and movement", "To show your movement");
        assert_ne!(other.counts[ACTIVITY], first.counts[ACTIVITY]);
        assert_eq!(other.counts[ACTIVITY].len(), 1);
    }

    #[test]
    fn what_was_gone_and_is_back_begins_anew() {
        let first = first();
        let at = WATCH.find("[purpose.activity]").unwrap();
        let end = at + WATCH[at + 1..].find("\n[purpose.").unwrap() + 1;
        let without = [&WATCH[..at], &WATCH[end..]].concat();
        let gone = first.next(&without, LOCK).unwrap().0;
        assert_eq!(gone.counts.get(ACTIVITY), None);
        let back = gone.next(WATCH, LOCK).unwrap().0;
        assert_ne!(back.counts[ACTIVITY], first.counts[ACTIVITY]);
        assert_eq!(Source::from_bytes(&back.to_bytes()), Some(back));
    }

    #[test]
    fn numbers_stay() {
        let other = LOCK.replacen("activity = ", "activities = ", 1);
        assert_eq!(first().next(WATCH, &other).unwrap_err(), NotNext::Renumbered(ACTIVITY.to_owned()));
        let new = WATCH.replace("[purpose.activity]", "[purpose.activities]");
        assert_eq!(first().next(&new, LOCK).unwrap_err(), NotNext::Unnumbered);
    }
}
