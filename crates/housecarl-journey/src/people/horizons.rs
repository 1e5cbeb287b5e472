//! Horizons: what was captured before an erasure and comes after it is not taken.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::erase::Selector;
use crate::people::SubjectId;
use crate::product::ProductNumber;
use crate::store::StreamNumber;

/// What was erased about everybody, and until when.
#[derive(Default)]
pub(crate) struct Horizons {
    of: RwLock<BTreeMap<SubjectId, Of>>,
    /// The latest of all: most of what comes was captured after it.
    latest: AtomicU64,
}

/// What was erased about one subject.
#[derive(Default)]
struct Of {
    /// Everything that was captured before this moment.
    all: u64,
    /// Of what was captured before a moment, what a selector names.
    some: Vec<(Selector, u64)>,
}

impl Horizons {
    /// Everything that a selector names about a subject from before a moment is erased.
    pub(crate) fn set(&self, subject: SubjectId, what: &Selector, before: u64) {
        let mut horizons = self.of.write().unwrap_or_else(PoisonError::into_inner);
        self.latest.fetch_max(before, Ordering::AcqRel);
        let of = horizons.entry(subject).or_default();
        if *what == Selector::ALL {
            of.all = before.max(of.all);
            // What was named before is in it.
            of.some.retain(|(_, until)| *until > before);
        } else if before > of.all {
            of.some.push((what.clone(), before));
        }
    }

    /// Whether nothing of anybody was erased that was captured at this moment or later.
    pub(crate) fn are_before(&self, moment: u64) -> bool {
        self.latest.load(Ordering::Acquire) <= moment
    }

    /// Whether a value that was captured at a moment, and comes now, was erased.
    pub(crate) fn is_erased(
        &self,
        subject: SubjectId,
        stream: StreamNumber,
        item: (ProductNumber, housecarl_policy::ItemId),
        captured: u64,
    ) -> bool {
        let horizons = self.of.read().unwrap_or_else(PoisonError::into_inner);
        let Some(of) = horizons.get(&subject) else { return false };
        let named = |(what, before): &(Selector, u64)| {
            captured < *before
                && what.received.contains(&captured)
                && what.has_stream(stream)
                && what.has_item(item)
        };
        captured < of.all || of.some.iter().any(named)
    }
}
