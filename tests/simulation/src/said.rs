//! What people say in a history, and what is settled for devices.

use std::collections::{BTreeMap, BTreeSet};

use housecarl_journey::audit::By;
use housecarl_journey::people::{self, Act, Put, Said};
use housecarl_oracle::dice::Dice;

use crate::laws;
use crate::model::{About, Entry, Seen, Whom, Word};
use crate::products::PRODUCTS;
use crate::world::{Fault, World, failed};

impl World {
    /// Told of everything, and asked about all that can be agreed to.
    pub(crate) fn welcome(&mut self, person: usize, product: usize, dice: &mut Dice) -> Result<(), Fault> {
        let of = &PRODUCTS[product];
        let about = About::Person(person);
        let names = || of.purposes().iter().map(|purpose| purpose.name.clone());
        self.say(about, product, Word::Told(names().filter(|_| dice.percent(95)).collect()))?;
        for purpose in names().collect::<Vec<_>>() {
            if dice.percent(75) {
                self.say(about, product, Word::Yes(purpose.clone()))?;
                if dice.percent(60) {
                    self.say(about, product, Word::Authorised(purpose))?;
                }
            }
        }
        for item in &of.manifest.item {
            if let Some(step) = item.precision.last()
                && dice.percent(60)
            {
                let (item, step) = (item.name.value.clone(), step.value.name.clone());
                self.say(about, product, Word::Precision(item, step))?;
            }
        }
        Ok(())
    }

    pub(crate) fn set_up(&mut self, device: usize, dice: &mut Dice) -> Result<(), Fault> {
        let product = self.model.devices[device].product;
        let of = &PRODUCTS[product];
        let names: Vec<String> = of.purposes().iter().map(|purpose| purpose.name.clone()).collect();
        let about = About::Device(device);
        self.say(about, product, Word::Told(names.iter().filter(|_| dice.percent(90)).cloned().collect()))?;
        for feature in &of.manifest.feature {
            if dice.percent(85) {
                self.say(about, product, Word::Feature(feature.name.value.clone(), true))?;
            }
        }
        for purpose in names {
            if dice.percent(75) {
                self.say(about, product, Word::Yes(purpose))?;
            }
        }
        Ok(())
    }

    /// Somebody says something, and what is seen before and after at the same moment keeps the laws.
    pub(crate) fn say_and_compare(
        &mut self,
        person: usize,
        product: usize,
        word: Word,
        seed: u64,
    ) -> Result<(), Fault> {
        // About themselves, and about somebody else of the same home.
        let home: Vec<usize> = self.model.people_of(self.model.people[person].home).collect();
        let other = home[Dice::of(seed ^ 1).place(home.len())];
        let looked_at: BTreeSet<Whom> = [person, other].map(Whom::Person).into();
        let read = |world: &mut Self, whom| -> Result<Vec<Vec<Seen>>, Fault> {
            let purposes = PRODUCTS[product].purposes().iter();
            purposes.map(|purpose| world.read(product, &purpose.name, whom)).collect()
        };
        let mut before = BTreeMap::new();
        if !self.model.rows.is_empty() {
            for whom in &looked_at {
                before.insert(*whom, read(self, *whom)?);
            }
        }
        self.say(About::Person(person), product, word.clone())?;
        for (whom, before) in before {
            let after = read(self, whom)?;
            laws::of_a_word(&word, Whom::Person(person), whom, &before, &after)?;
        }
        Ok(())
    }

    pub(crate) fn say(&mut self, about: About, product: usize, word: Word) -> Result<(), Fault> {
        let put = |purpose: &String| Put {
            purpose: purpose.clone(),
            fingerprint: PRODUCTS[product].compiled.fingerprints[purpose][0].clone(),
        };
        let said_so = match &word {
            Word::Yes(purpose) => Said::Agreed(put(purpose), act()),
            Word::No(purpose) => Said::Refused(purpose.clone()),
            Word::Told(purposes) => Said::Told(purposes.iter().map(put).collect(), act()),
            Word::Authorised(purpose) => Said::Authorised(put(purpose), act()),
            Word::Restricted(purpose, is) => Said::Restricted(purpose.clone(), *is),
            Word::Precision(item, step) => Said::Precision(item.clone(), step.clone()),
            Word::NoMarketing(objects) => Said::NoMarketing(*objects),
            Word::Feature(feature, on) => Said::Feature(feature.clone(), *on),
        };
        let (of, by) = match about {
            About::Person(person) => {
                (people::About::Person(self.people[person]), By::Person(self.people[person]))
            }
            About::Device(device) => (people::About::Device(self.devices[device]), By::Housecarl),
        };
        let (number, now) = (self.number(product), self.model.now);
        self.runtime.block_on(self.journey().choose(of, number, &said_so, by, now)).map_err(failed)?;
        let taken_back = matches!(&word, Word::No(purpose)
            if self.model.words(about, product, None).any(|word| *word == Word::Yes(purpose.clone())));
        self.coverage.add_some("took back a yes", u64::from(taken_back));
        self.coverage.count(match &word {
            Word::Yes(_) => "said yes",
            Word::No(_) => "said no",
            Word::Told(_) => "said told",
            Word::Authorised(_) => "said authorised",
            Word::Restricted(_, true) => "said restricted",
            Word::Restricted(_, false) => "said unrestricted",
            Word::Precision(..) => "said precision",
            Word::NoMarketing(_) => "said no marketing",
            Word::Feature(..) => "said feature",
        });
        self.model.said.push(Entry { at: now, about, product, word });
        Ok(())
    }
}

fn act() -> Act {
    let some = |text: &str| text.to_owned();
    Act {
        request: some("set-up"),
        shown: [7; 32],
        surface: some("phone-app"),
        method: some("tap"),
        language: some("en"),
    }
}

/// Something that a person may say about a product.
pub(crate) fn about_a_person(product: usize, dice: &mut Dice) -> Word {
    let of = &PRODUCTS[product];
    let purpose = dice.pick(of.purposes()).name.clone();
    let precise: Vec<_> = of.manifest.item.iter().filter(|item| !item.precision.is_empty()).collect();
    match dice.weighted(&[(25, 0), (30, 1), (8, 2), (8, 3), (10, 4), (12, 5), (7, 6)]) {
        0 => Word::Yes(purpose),
        1 => Word::No(purpose),
        2 => Word::Told(vec![purpose]),
        3 => Word::Authorised(purpose),
        4 => Word::Restricted(purpose, dice.percent(50)),
        5 if !precise.is_empty() => {
            let item = dice.pick(&precise);
            let step = dice.pick(&item.precision).value.name.clone();
            Word::Precision(item.name.value.clone(), step)
        }
        _ => Word::NoMarketing(dice.percent(50)),
    }
}

/// Something that may be settled for a device.
pub(crate) fn about_a_device(product: usize, dice: &mut Dice) -> Word {
    let of = &PRODUCTS[product];
    let purpose = dice.pick(of.purposes()).name.clone();
    match dice.weighted(&[(30, 0), (25, 1), (15, 2), (30, 3)]) {
        0 => Word::Yes(purpose),
        1 => Word::No(purpose),
        2 => Word::Told(vec![purpose]),
        _ => Word::Feature(dice.pick(&of.manifest.feature).name.value.clone(), dice.percent(60)),
    }
}
