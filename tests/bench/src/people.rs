//! A million people who said something, and questions about them.

use housecarl_journey::people::{PersonId, Standings};
use housecarl_manifest::Manifest;
use housecarl_oracle::dice::Dice;
use housecarl_oracle::facts::{self, Device, Person, Purposes};
use housecarl_policy::table::NO_SLOT;
use housecarl_policy::{Act, AgeBand, DeviceStanding, ItemId, PurposeSet, Question, Standing, Table};

use crate::product::Product;

/// How many people there are.
pub(crate) const PEOPLE: u32 = 1_000_000;
/// 1 January 2027: when the questions are asked.
const NOW: u64 = 1_798_761_600;
const DAY: u64 = 86_400;

/// The person of a number. Their ids are as scattered as random ones.
pub(crate) fn person(number: u32) -> PersonId {
    let mixed = |salt: u64| {
        let mut bits = (u64::from(number) ^ salt).wrapping_add(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u128::from(bits ^ (bits >> 31))
    };
    PersonId((mixed(0) << 64 | mixed(1 << 40)).to_le_bytes())
}

/// A person drawn by lot.
pub(crate) fn anybody(dice: &mut Dice) -> PersonId {
    person(u32::try_from(dice.below(u64::from(PEOPLE))).unwrap())
}

/// What so many people have said about a product with so many purposes.
pub(crate) fn standings(people: u32, purposes: u32) -> Standings {
    let standings = Standings::default();
    let mut dice = Dice::of(1);
    let declared = PurposeSet::from_bits(u128::MAX >> (u128::BITS - purposes));
    for number in 0..people {
        standings.set(person(number), standing(&mut dice, declared));
    }
    standings
}

/// What somebody may have said: most agreed to most and were told, few refused or restricted.
fn standing(dice: &mut Dice, declared: PurposeSet) -> Standing {
    let band = if dice.percent(75) { AgeBand::Adult } else { *dice.pick(AgeBand::EVERY) };
    let mut standing = Standing::unasked(band);
    standing.agreed = declared & most(dice, 3);
    standing.authorised = declared & most(dice, 2);
    standing.told = declared & most(dice, 4);
    standing.refused = declared.without(most(dice, 4));
    standing.restricted = declared.without(most(dice, 5));
    standing.no_marketing = dice.percent(20);
    for slot in 0..16 {
        standing.choose_precision(slot, u8::try_from(dice.below(3)).unwrap());
    }
    standing
}

/// All but one in `2^halvings` purposes.
fn most(dice: &mut Dice, halvings: u32) -> PurposeSet {
    let mut bits = || u128::from(dice.bits()) << 64 | u128::from(dice.bits());
    PurposeSet::from_bits((0..halvings).fold(0, |all, _| all | bits()))
}

/// A home in which nearly everything is settled with a yes, and every feature is on.
pub(crate) fn device(dice: &mut Dice, product: &Product) -> DeviceStanding {
    let features = product.manifest.feature.iter();
    let numbers = features.map(|feature| product.compiled.ordinals.feature(&feature.name.value).unwrap());
    DeviceStanding {
        agreed: most(dice, 4),
        refused: PurposeSet::ALL.without(most(dice, 5)),
        available: PurposeSet::ALL,
        features: numbers.fold(0, |bits, number| bits | 1 << number),
        changed_at: 0,
    }
}

/// What the arrival of a message asks.
pub(crate) const fn arrives(item: ItemId) -> Question {
    Question { item, act: Act::Collect, received: NOW, now: NOW }
}

/// What somebody asks who reads what has been stored for a month.
pub(crate) const fn is_read(item: ItemId) -> Question {
    Question { item, act: Act::Use, received: NOW - 30 * DAY, now: NOW }
}

/// A question of any kind, at a time when it matters.
pub(crate) fn any_question(dice: &mut Dice, item: ItemId) -> Question {
    let received = NOW - DAY * *dice.pick(&[0, 0, 0, 30, 90, 100]);
    let now = NOW + DAY * *dice.pick(&[0, 0, 0, 0, 2000]);
    Question { item, act: *dice.pick(Act::EVERY), received, now }
}

/// The plain names in which the peers are told the same.
pub(crate) struct Names<'p> {
    table: &'p Table<'p>,
    manifest: &'p Manifest,
}

impl<'p> Names<'p> {
    pub(crate) const fn of(table: &'p Table<'p>, manifest: &'p Manifest) -> Self {
        Self { table, manifest }
    }

    pub(crate) fn item(&self, item: ItemId) -> &'p str {
        self.table.text(self.table.item(item).unwrap().name)
    }

    pub(crate) fn purposes(&self, purposes: PurposeSet) -> Purposes {
        let known = (purposes & self.table.purposes()).iter().filter_map(|id| self.table.purpose(id));
        known.map(|purpose| self.table.text(purpose.name).to_owned()).collect()
    }

    pub(crate) fn person(&self, standing: &Standing) -> Person {
        let chosen = self.table.items().filter(|(_, item)| item.slot != NO_SLOT).map(|(_, item)| {
            let step = self.table.step(&item, standing.precision(item.slot)).unwrap();
            (self.table.text(item.name).to_owned(), self.table.text(step.name).to_owned())
        });
        Person {
            band: standing.band,
            agreed: self.purposes(standing.agreed),
            refused: self.purposes(standing.refused),
            told: self.purposes(standing.told),
            restricted: self.purposes(standing.restricted),
            authorised: self.purposes(standing.authorised),
            precision: chosen.collect(),
            no_marketing: standing.no_marketing,
        }
    }

    pub(crate) fn device(&self, device: &DeviceStanding) -> Device {
        let declared = self.manifest.feature.iter().map(|feature| feature.name.value.clone());
        let on = usize::try_from(device.features.count_ones()).unwrap();
        assert_eq!(on, self.manifest.feature.len(), "not every feature is on");
        Device {
            agreed: self.purposes(device.agreed),
            refused: self.purposes(device.refused),
            available: self.purposes(device.available),
            features: declared.collect(),
        }
    }

    pub(crate) fn question(&self, question: Question) -> facts::Question {
        facts::Question {
            item: self.item(question.item).to_owned(),
            act: question.act,
            received: question.received,
            now: question.now,
        }
    }
}
