//! The standings of everybody who has one of a product's devices, in memory.
//!
//! A standing is read as one consistent version: under its shard's lock it is copied out whole. It
//! is rebuilt from the log of choices at start, so nothing here has to survive.

use std::hash::BuildHasher as _;
use std::sync::{PoisonError, RwLock};

use housecarl_policy::Standing;

use super::PersonId;
use super::entry::{CacheLine, Entry};
use super::slots::{Hash, Slots};

/// Standings by person, for one product.
#[derive(Debug)]
pub struct Standings {
    hash: Hash,
    shards: Box<[RwLock<Shard>]>,
}

/// How many locks the standings are spread over: more than a machine has cores, by far.
const SHARDS: usize = 64;

/// Nearly every product has at most 56 purposes, and a person's entry is one line of a processor's
/// cache. A shard begins narrow and is widened by the first standing that needs it. With the slots
/// that are kept free a person takes 86 to 128 bytes narrow, and 144 to 216 wide.
#[derive(Debug)]
enum Shard {
    Narrow(Slots<[u8; 7], CacheLine>),
    Wide(Slots<[u8; 16], ()>),
}

impl Default for Shard {
    fn default() -> Self {
        Self::Narrow(Slots::default())
    }
}

impl Default for Standings {
    fn default() -> Self {
        let shards = std::iter::repeat_with(RwLock::default).take(SHARDS).collect();
        Self { hash: Hash::default(), shards }
    }
}

impl Standings {
    /// The standing of a person, as it was at one moment.
    #[must_use]
    pub fn get(&self, person: PersonId) -> Option<Standing> {
        let hash = self.hash.hash_one(person);
        match &*self.shard(hash)?.read().unwrap_or_else(PoisonError::into_inner) {
            Shard::Narrow(slots) => slots.get(hash, person).map(Entry::standing),
            Shard::Wide(slots) => slots.get(hash, person).map(Entry::standing),
        }
    }

    /// Gives a person this standing. Whoever reads after the return reads this one.
    pub fn set(&self, person: PersonId, standing: Standing) {
        let Some(shard) = self.shard(self.hash.hash_one(person)) else { return };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if let Shard::Narrow(slots) = &mut *shard {
            if let Some(entry) = Entry::of(person, &standing) {
                return slots.put(&self.hash, entry);
            }
            let mut wide = Slots::default();
            for entry in slots.iter().filter_map(|entry| Entry::of(entry.person(), &entry.standing())) {
                wide.put(&self.hash, entry);
            }
            *shard = Shard::Wide(wide);
        }
        if let Shard::Wide(slots) = &mut *shard
            && let Some(entry) = Entry::of(person, &standing)
        {
            slots.put(&self.hash, entry);
        }
    }

    /// Forgets a person.
    pub fn remove(&self, person: PersonId) {
        let Some(shard) = self.shard(self.hash.hash_one(person)) else { return };
        match &mut *shard.write().unwrap_or_else(PoisonError::into_inner) {
            Shard::Narrow(slots) => slots.remove(&self.hash, person),
            Shard::Wide(slots) => slots.remove(&self.hash, person),
        }
    }

    /// How many people have a standing.
    #[must_use]
    pub fn len(&self) -> usize {
        let len = |shard: &RwLock<Shard>| match &*shard.read().unwrap_or_else(PoisonError::into_inner) {
            Shard::Narrow(slots) => slots.len(),
            Shard::Wide(slots) => slots.len(),
        };
        self.shards.iter().map(len).sum()
    }

    /// Whether nobody has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, hash: u64) -> Option<&RwLock<Shard>> {
        // The upper bits say where in a shard somebody stands; these are the lowest.
        self.shards.get(usize::try_from(hash).unwrap_or(0) % SHARDS)
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
    fn a_standing_of_many_purposes_widens_its_shard_and_loses_nobody() {
        let standings = Standings::default();
        let wide =
            |number: u32| if number % 100 == 7 { u128::MAX - u128::from(number) } else { u128::from(number) };
        (0..10_000).for_each(|number| standings.set(person(number), standing(u128::from(number))));
        (0..10_000).for_each(|number| standings.set(person(number), standing(wide(number))));
        assert_eq!(standings.len(), 10_000);
        for number in 0..10_000 {
            assert!(standings.get(person(number)) == Some(standing(wide(number))), "person {number}");
        }
        standings.remove(person(7));
        assert!(standings.get(person(7)).is_none());
    }

    #[test]
    fn a_standing_comes_back_as_it_was_set() {
        let standings = Standings::default();
        for (number, band) in (0..).zip(AgeBand::EVERY) {
            for purposes in [0, 1 << 55, 1 << 56, 1 << 127] {
                let mut said = Standing::unasked(*band);
                said.authorised = PurposeSet::from_bits(purposes);
                said.told = PurposeSet::from_bits(purposes >> 1);
                (0..16).for_each(|slot| said.choose_precision(slot, slot % 8));
                (said.changed_at, said.no_marketing) = (u32::MAX - number, number % 2 == 0);
                standings.set(person(number), said);
                assert!(standings.get(person(number)) == Some(said), "{band:?} {purposes:x}");
            }
        }
    }

    #[test]
    fn a_table_of_slots_does_what_a_map_does() {
        let standings = Standings::default();
        let mut map = std::collections::BTreeMap::new();
        let mut random = 1_u64;
        for step in 0..200_000_u32 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // In turns more come than go and more go than come.
            let (number, comes) =
                ((random >> 33) as u32 % 3_000, random >> 60 < if step & 0x8000 == 0 { 11 } else { 5 });
            if comes {
                standings.set(person(number), standing(step.into()));
                map.insert(number, step);
            } else {
                standings.remove(person(number));
                map.remove(&number);
            }
            assert_eq!(standings.len(), map.len(), "step {step}");
            if step % 5_000 == 0 {
                for number in 0..3_000 {
                    let found = standings.get(person(number)).map(|found| found.told.bits());
                    assert_eq!(found, map.get(&number).map(|step| u128::from(*step)), "step {step}");
                }
            }
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
