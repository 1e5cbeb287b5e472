//! What can be seen of the journey from outside, compared with the model.

use std::collections::BTreeMap;

use housecarl_journey::people::{OperatorId, SubjectId};
use housecarl_journey::read::{Ask, Released, ReleasedValue};
use housecarl_oracle::dice::Dice;

use crate::laws;
use crate::model::{Seen, Whom};
use crate::ops::HOMES;
use crate::products::PRODUCTS;
use crate::world::{Fault, World, failed};

const READER: OperatorId = OperatorId([9; 16]);

impl World {
    pub(crate) fn everybody(&self) -> Vec<Whom> {
        let people = (0..self.people.len()).map(Whom::Person);
        people.chain((0..HOMES).flat_map(|home| [Whom::Household(home), Whom::Bystanders(home)])).collect()
    }

    pub(crate) fn subject(&self, whom: Whom) -> SubjectId {
        match whom {
            Whom::Person(person) => self.people[person].into(),
            Whom::Household(home) => self.journey().household_of(self.homes[home]).unwrap(),
            Whom::Bystanders(home) => self.journey().bystanders_of(self.homes[home]).unwrap(),
        }
    }

    /// Compares something of what there is now.
    pub(crate) fn look(&mut self, number: usize) -> Result<(), Fault> {
        if self.how.thorough {
            return self.look_at_everything();
        }
        let mut dice = Dice::of(number as u64);
        let whom = *dice.pick(&self.everybody());
        if dice.percent(25) {
            self.compare_held(whom)?;
            self.compare_reads(dice.place(PRODUCTS.len()), whom)?;
        }
        if dice.percent(20) && !self.devices.is_empty() {
            self.compare_wanted(dice.place(self.devices.len()))?;
        }
        Ok(())
    }

    pub(crate) fn look_at_everything(&mut self) -> Result<(), Fault> {
        for whom in self.everybody() {
            self.compare_held(whom)?;
            (0..PRODUCTS.len()).try_for_each(|product| self.compare_reads(product, whom))?;
        }
        (0..self.devices.len()).try_for_each(|device| self.compare_wanted(device))
    }

    pub(crate) fn compare_held(&mut self, whom: Whom) -> Result<(), Fault> {
        let held = self.journey().held(self.subject(whom)).map_err(failed)?;
        let should = self.model.held(whom);
        if held == should as u64 {
            return Ok(());
        }
        Err(format!("{held} parts are held about {whom:?}, and should be {should}"))
    }

    fn compare_reads(&mut self, product: usize, whom: Whom) -> Result<(), Fault> {
        // Where nothing is there to be seen, that is looked at now and then.
        if !self.model.holds(product, whom) && !self.model.now.is_multiple_of(9) {
            return Ok(());
        }
        for purpose in PRODUCTS[product].purposes() {
            let mut seen = self.read(product, &purpose.name, whom)?;
            let mut should = self.model.sees(product, &purpose.name, whom);
            laws::of_a_read(&self.model, product, &purpose.name, whom, &seen)?;
            self.compare_codes(whom, &seen, &should)?;
            for seen in seen.iter_mut().chain(&mut should) {
                seen.code = None;
            }
            self.count_seen(whom, &should);
            if seen != should {
                let of = PRODUCTS[product].name;
                let (more, less) = (items_but(&seen, &should), items_but(&should, &seen));
                return Err(format!(
                    "{} of {of} sees {more:?} about {whom:?} and should not, and not {less:?} and should",
                    purpose.name
                ));
            }
        }
        Ok(())
    }

    fn count_seen(&mut self, whom: Whom, seen: &[Seen]) {
        match seen {
            [] if self.model.held(whom) > 0 => {
                self.coverage.count("read with nothing although parts are there");
            }
            [] => {}
            _ => {
                self.coverage.count("read with values");
                self.coverage.add_some("read of a household", u64::from(matches!(whom, Whom::Household(_))));
                self.coverage.add_some("read of bystanders", u64::from(matches!(whom, Whom::Bystanders(_))));
                let some = |of: bool| u64::from(of);
                self.coverage
                    .add_some("read of a code", some(seen.iter().any(|seen| seen.value == "a code")));
                self.coverage.add_some("read of a guess", some(seen.iter().any(|seen| seen.guess)));
                let certain = seen.iter().any(|seen| seen.guess && seen.certainty.is_some());
                self.coverage.add_some("read of a guess with its certainty", some(certain));
            }
        }
    }

    /// The same thing has the same code each time, another thing another, and nobody else has it.
    fn compare_codes(&mut self, whom: Whom, seen: &[Seen], should: &[Seen]) -> Result<(), Fault> {
        // Where each code stands, and where what it should stand for does.
        let places = |of: &[Seen]| -> Vec<Vec<String>> {
            let mut by_code: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
            for seen in of {
                if let Some(code) = &seen.code {
                    let place = format!("{} {} {}", seen.stream, seen.received, seen.record);
                    by_code.entry((seen.item.clone(), code.clone())).or_default().push(place);
                }
            }
            let mut places: Vec<Vec<String>> = by_code.into_values().collect();
            places.iter_mut().for_each(|places| places.sort());
            places.sort();
            places
        };
        if places(seen) != places(should) {
            return Err(format!("codes about {whom:?} do not stand for what they should"));
        }
        for code in seen.iter().filter_map(|seen| seen.code.as_ref()) {
            if *self.codes.entry(code.clone()).or_insert(whom) != whom {
                return Err("two people have the same code".to_owned());
            }
        }
        Ok(())
    }

    pub(crate) fn read(&mut self, product: usize, purpose: &str, whom: Whom) -> Result<Vec<Seen>, Fault> {
        let (number, in_force) = self.journey().product_named(PRODUCTS[product].name).unwrap();
        let version = in_force.version();
        let ask = Ask {
            reader: READER,
            product: number,
            purpose: version.purpose(purpose).unwrap(),
            subject: self.subject(whom),
            stream: None,
            received: 0..u64::MAX,
        };
        let streams: Vec<_> =
            version.table.streams().map(|(id, of)| (version.stream_number(id), of)).collect();
        let mut seen = Vec::new();
        let each = |released: Released| {
            let stream = streams.iter().find(|(number, _)| *number == Some(released.stream)).unwrap();
            let code = match &released.value {
                ReleasedValue::Code(_) => Some(released.value.to_string()),
                _ => None,
            };
            seen.push(Seen {
                stream: version.table.text(stream.1.name).to_owned(),
                received: released.received,
                record: usize::try_from(released.record).unwrap(),
                item: version.table.text(version.table.item(released.item).unwrap().name).to_owned(),
                guess: released.guess,
                certainty: released.certainty.map(|certainty| certainty.to_string()),
                value: if code.is_some() { "a code".to_owned() } else { released.value.to_string() },
                code,
            });
            true
        };
        self.journey().read(&ask, self.model.now, each).map_err(failed)?;
        seen.sort();
        Ok(seen)
    }

    fn compare_wanted(&mut self, device: usize) -> Result<(), Fault> {
        // When a purpose is over, devices are told by the next expiry run.
        if self.wanted_by != Some(self.model.purposes_over()) {
            return Ok(());
        }
        let wanted = self.journey().wanted(self.devices[device]).unwrap();
        let wanted = wanted.borrow().items().clone();
        let should = self.model.wanted(device);
        self.coverage.count(if should.is_empty() { "wanted nothing" } else { "wanted something" });
        if wanted == should {
            return Ok(());
        }
        let items = |of: &BTreeMap<String, String>, but: &BTreeMap<String, String>| -> Vec<String> {
            of.iter()
                .filter(|(item, step)| but.get(*item) != Some(step))
                .map(|(item, _)| item.clone())
                .collect()
        };
        let (more, less) = (items(&wanted, &should), items(&should, &wanted));
        Err(format!("a device is wanted to send {more:?} and should not, and not {less:?} and should"))
    }
}

/// The items of what is in the one and not in the other.
fn items_but(seen: &[Seen], but: &[Seen]) -> Vec<String> {
    seen.iter().filter(|seen| !but.contains(seen)).map(|seen| seen.item.clone()).collect()
}
