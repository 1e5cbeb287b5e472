//! What people and homes said, in plain names, and its translation to what a decision reads.
//!
//! The oracles see names only; the table sees numbers only. The translation in between is the
//! one thing that both sides of a comparison share with the product's [`Ordinals`].

use std::collections::{BTreeMap, BTreeSet};

use housecarl_manifest::{Manifest, Ordinals};
use housecarl_policy::table::{ITEMS_MAX, NO_SLOT};
use housecarl_policy::{Act, AgeBand, DeviceStanding, ItemId, PurposeSet, Standing, Table, decide as policy};

/// Names of purposes.
pub type Purposes = BTreeSet<String>;

/// What one person said, and what is known about them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// The age band.
    pub band: AgeBand,
    /// Agreed by an act.
    pub agreed: Purposes,
    /// Refused, withdrawn or objected to.
    pub refused: Purposes,
    /// Told about.
    pub told: Purposes,
    /// Restricted.
    pub restricted: Purposes,
    /// Authorised by a parent.
    pub authorised: Purposes,
    /// The name of the chosen step, by item.
    pub precision: BTreeMap<String, String>,
    /// Objected to all direct marketing.
    pub no_marketing: bool,
}

impl Person {
    /// Somebody who was asked nothing and said nothing.
    #[must_use]
    pub const fn unasked(band: AgeBand) -> Self {
        Self {
            band,
            agreed: Purposes::new(),
            refused: Purposes::new(),
            told: Purposes::new(),
            restricted: Purposes::new(),
            authorised: Purposes::new(),
            precision: BTreeMap::new(),
            no_marketing: false,
        }
    }
}

/// What the users of one device settled for it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Device {
    /// The access for these purposes is agreed to.
    pub agreed: Purposes,
    /// The access for these purposes is refused.
    pub refused: Purposes,
    /// What the people here could learn about.
    pub available: Purposes,
    /// The features that are on.
    pub features: BTreeSet<String>,
}

/// Whose data is it?
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// One person.
    Person(Person),
    /// Everybody known in the home; maybe nobody.
    Household(Vec<Person>),
    /// Nobody whom anyone identified.
    Bystander,
}

impl Subject {
    /// Everybody who could have said something.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        match self {
            Self::Person(person) => std::slice::from_ref(person),
            Self::Household(people) => people,
            Self::Bystander => &[],
        }
    }
}

/// What is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The item, declared or not.
    pub item: String,
    /// What somebody wants to do with it.
    pub act: Act,
    /// When it was received: seconds since 1970.
    pub received: u64,
    /// The time now: seconds since 1970.
    pub now: u64,
}

/// A whole question: in which home, about whom, what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// What the home settled.
    pub device: Device,
    /// Whom the item is about.
    pub subject: Subject,
    /// What is asked.
    pub question: Question,
}

/// Who translates names to the numbers of one product.
#[derive(Clone, Copy, Debug)]
pub struct Translator<'p> {
    /// The manifest, for the names of steps.
    pub manifest: &'p Manifest,
    /// The numbers.
    pub ordinals: &'p Ordinals,
    /// The table, for the slots of items.
    pub table: &'p Table<'p>,
}

impl Translator<'_> {
    /// The numbers of these purposes; a name without a number is nothing anyone could have said.
    #[must_use]
    pub fn purposes(&self, names: &Purposes) -> PurposeSet {
        names.iter().filter_map(|name| self.ordinals.purpose(name)).collect()
    }

    /// A person's standing.
    #[must_use]
    pub fn person(&self, person: &Person) -> Standing {
        let mut standing = Standing::unasked(person.band);
        standing.agreed = self.purposes(&person.agreed);
        standing.refused = self.purposes(&person.refused);
        standing.told = self.purposes(&person.told);
        standing.restricted = self.purposes(&person.restricted);
        standing.authorised = self.purposes(&person.authorised);
        standing.no_marketing = person.no_marketing;
        for (item, step) in &person.precision {
            let number = self.ordinals.item(item).map(ItemId);
            let Some(record) = number.and_then(|number| self.table.item(number)) else { continue };
            let declared = self.manifest.item.iter().find(|declared| declared.name.value == *item);
            let steps = declared.iter().flat_map(|declared| &declared.precision);
            let at = steps.enumerate().find(|(_, known)| known.value.name == *step).map(|(at, _)| at);
            if let Some(at) = at
                && record.slot != NO_SLOT
            {
                standing.choose_precision(record.slot, u8::try_from(at).unwrap());
            }
        }
        standing
    }

    /// A device's standing.
    #[must_use]
    pub fn device(&self, device: &Device) -> DeviceStanding {
        let features = device.features.iter().filter_map(|name| self.ordinals.feature(name));
        DeviceStanding {
            agreed: self.purposes(&device.agreed),
            refused: self.purposes(&device.refused),
            available: self.purposes(&device.available),
            features: features.fold(0, |bits, number| bits | 1 << number),
            changed_at: 0,
        }
    }

    /// The number of an item. What has none is asked for by a number that nothing has.
    #[must_use]
    pub fn item(&self, name: &str) -> ItemId {
        ItemId(self.ordinals.item(name).unwrap_or(u16::try_from(ITEMS_MAX).unwrap() - 1))
    }

    /// The question in numbers.
    #[must_use]
    pub fn question(&self, question: &Question) -> policy::Question {
        policy::Question {
            item: self.item(&question.item),
            act: question.act,
            received: question.received,
            now: question.now,
        }
    }

    /// What the table decides.
    #[must_use]
    pub fn decide(&self, case: &Case) -> policy::Decision {
        let people: Vec<Standing> = case.subject.people().iter().map(|person| self.person(person)).collect();
        let subject = match &case.subject {
            Subject::Person(_) => policy::Subject::Person(&people[0]),
            Subject::Household(_) => policy::Subject::Household(&people),
            Subject::Bystander => policy::Subject::Bystander,
        };
        policy::decide(self.table, &self.device(&case.device), subject, self.question(&case.question))
    }
}
