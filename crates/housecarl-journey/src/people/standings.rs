//! The standings of everybody who has one of a product's devices, in memory.
//!
//! A standing is read as one consistent version: under its shard's lock it is copied out whole. It
//! is rebuilt from the log of choices at start, so nothing here has to survive.

use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::{PoisonError, RwLock};

use hashbrown::{DefaultHashBuilder, HashTable};
use housecarl_policy::Standing;

/// A person, as a random number that means nothing elsewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub [u8; 16]);

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonId")
    }
}

/// Standings by person, for one product.
#[derive(Debug)]
pub struct Standings {
    hash: DefaultHashBuilder,
    shards: Box<[RwLock<HashTable<Entry>>]>,
}

/// How many locks the standings are spread over: more than a machine has cores, by far.
const SHARDS: usize = 64;

/// A person's entry stands in the table itself: finding it costs one look at the table's tags and
/// one at the entry. It takes 113 bytes and its part of what the table keeps free: 129 to 258 in
/// all, from just before the table doubles to just after.
#[derive(Debug)]
struct Entry {
    standing: Standing,
    person: PersonId,
}

impl Default for Standings {
    fn default() -> Self {
        let shards = std::iter::repeat_with(RwLock::default).take(SHARDS).collect();
        Self { hash: DefaultHashBuilder::default(), shards }
    }
}

impl Standings {
    /// The standing of a person, as it was at one moment.
    #[must_use]
    pub fn get(&self, person: PersonId) -> Option<Standing> {
        let hash = self.hash.hash_one(person);
        let shard = self.shard(hash)?.read().unwrap_or_else(PoisonError::into_inner);
        shard.find(hash, |entry| entry.person == person).map(|entry| entry.standing)
    }

    /// Gives a person this standing. Whoever reads after the return reads this one.
    pub fn set(&self, person: PersonId, standing: Standing) {
        let hash = self.hash.hash_one(person);
        let Some(shard) = self.shard(hash) else { return };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        let again = |entry: &Entry| self.hash.hash_one(entry.person);
        shard
            .entry(hash, |entry| entry.person == person, again)
            .and_modify(|entry| entry.standing = standing)
            .or_insert(Entry { standing, person });
    }

    /// Forgets a person.
    pub fn remove(&self, person: PersonId) {
        let hash = self.hash.hash_one(person);
        let Some(shard) = self.shard(hash) else { return };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if let Ok(mut entry) = shard.find_entry(hash, |entry| entry.person == person) {
            // What stood there is overwritten, not only forgotten.
            let nobody = Standing::unasked(housecarl_policy::AgeBand::Unknown);
            *entry.get_mut() = Entry { standing: nobody, person: PersonId([0; 16]) };
            entry.remove();
        }
    }

    /// How many people have a standing.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    /// Whether nobody has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, hash: u64) -> Option<&RwLock<HashTable<Entry>>> {
        // The hash table uses the lowest and the highest bits; these are from between.
        let at = usize::try_from(hash >> 40).unwrap_or(0) % SHARDS;
        self.shards.get(at)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;
    use housecarl_policy::{AgeBand, PurposeSet};

    fn person(number: u32) -> PersonId {
        let mut id = [0; 16];
        id.first_chunk_mut::<4>().unwrap().copy_from_slice(&number.to_le_bytes());
        PersonId(id)
    }

    fn standing(bits: u128) -> Standing {
        let all = PurposeSet::from_bits(bits);
        let mut standing = Standing::unasked(AgeBand::Adult);
        (standing.agreed, standing.refused, standing.told, standing.restricted) = (all, all, all, all);
        standing
    }

    #[test]
    fn what_was_set_is_read_and_what_was_removed_is_not() {
        let standings = Standings::default();
        for number in 0..10_000 {
            standings.set(person(number), standing(u128::from(number)));
        }
        for number in (0..10_000).step_by(3) {
            standings.remove(person(number));
        }
        for number in 10_000..12_000 {
            standings.set(person(number), standing(u128::from(number)));
        }
        assert_eq!(standings.len(), 10_000 - 3_334 + 2_000);
        for number in 0..12_000 {
            let expected = number >= 10_000 || number % 3 != 0;
            let found = standings.get(person(number));
            assert_eq!(found.map(|found| found.agreed.bits()), expected.then_some(u128::from(number)));
        }
    }

    #[test]
    fn a_reader_never_sees_half_of_a_change() {
        let standings = Standings::default();
        standings.set(person(1), standing(0));
        std::thread::scope(|threads| {
            threads.spawn(|| {
                (0..200_000_u32)
                    .for_each(|n| standings.set(person(1), standing(if n % 2 == 0 { u128::MAX } else { 0 })))
            });
            for _ in 0..200_000 {
                let read = standings.get(person(1)).unwrap();
                assert!(
                    read.agreed == read.refused && read.refused == read.told && read.told == read.restricted
                );
            }
        });
    }
}
