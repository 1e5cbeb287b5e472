//! A hash table that finds a person with one look at memory.
//!
//! Open addressing with linear probing: an entry stands in its home slot or in the nearest free one
//! after it, where the processor looks next by itself. General hash tables look at an index first
//! and at the entry second, and with a million people neither is in any cache. At most three slots
//! in four are taken and it grows by half, so a person takes between 1.3 and 2 slots.

use std::hash::BuildHasher as _;

use super::PersonId;
use super::entry::{Entry, Pack};

/// What scatters people over the slots: with another key in each process.
pub(super) type Hash = foldhash::fast::RandomState;

/// Entries by person.
#[derive(Debug)]
pub(super) struct Slots<Set, Line> {
    slots: Box<[Option<Entry<Set, Line>>]>,
    taken: usize,
}

impl<Set, Line> Default for Slots<Set, Line> {
    fn default() -> Self {
        Self { slots: Box::default(), taken: 0 }
    }
}

impl<Set: Pack, Line: Default> Slots<Set, Line> {
    /// How many people there are.
    pub(super) const fn len(&self) -> usize {
        self.taken
    }

    /// Every entry.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<Set, Line>> {
        self.slots.iter().flatten()
    }

    /// The entry of a person whose hash this is.
    pub(super) fn get(&self, hash: u64, person: PersonId) -> Option<&Entry<Set, Line>> {
        self.slots.get(self.find(hash, person))?.as_ref()
    }

    /// Puts an entry in, or in the place of the person's last one.
    pub(super) fn put(&mut self, hash: &Hash, new: Entry<Set, Line>) {
        if self.taken >= self.slots.len() / 4 * 3 {
            self.grow(hash);
        }
        let at = self.find(hash.hash_one(new.person()), new.person());
        if let Some(slot) = self.slots.get_mut(at)
            && slot.replace(new).is_none()
        {
            self.taken = self.taken.saturating_add(1);
        }
    }

    /// Takes a person out.
    pub(super) fn remove(&mut self, hash: &Hash, person: PersonId) {
        let mut at = self.find(hash.hash_one(person), person);
        if self.take(at).is_none() {
            return;
        }
        // Whoever stands behind comes in again: a search ends at the first free slot.
        loop {
            at = self.after(at);
            let Some(entry) = self.take(at) else { return };
            self.put(hash, entry);
        }
    }

    fn take(&mut self, at: usize) -> Option<Entry<Set, Line>> {
        let gone = self.slots.get_mut(at)?.take();
        self.taken = self.taken.saturating_sub(usize::from(gone.is_some()));
        gone
    }

    fn grow(&mut self, hash: &Hash) {
        let len = (self.slots.len() / 2).saturating_mul(3).max(8);
        let slots = std::iter::repeat_with(|| None).take(len).collect();
        let small = std::mem::replace(self, Self { slots, taken: 0 });
        for entry in small.slots.into_iter().flatten() {
            self.put(hash, entry);
        }
    }

    /// The slot of a person, or the free one where the search for the person ends.
    fn find(&self, hash: u64, person: PersonId) -> usize {
        let mut at = self.home(hash);
        while let Some(Some(entry)) = self.slots.get(at)
            && entry.person() != person
        {
            at = self.after(at);
        }
        at
    }

    /// The upper half of a hash, as a share of all slots.
    fn home(&self, hash: u64) -> usize {
        let share = u128::from(hash).wrapping_mul(self.slots.len() as u128) >> u64::BITS;
        usize::try_from(share).unwrap_or(0)
    }

    fn after(&self, at: usize) -> usize {
        let next = at.wrapping_add(1);
        if next < self.slots.len() { next } else { 0 }
    }
}
