//! The plain model: a list of what was said, a list of what was kept, and what may be seen of it now.
//!
//! Nothing here is fast, and nothing here is shared with the journey: what somebody has said is summed
//! from the whole list each time it is asked for, and each value is asked about on its own. What a
//! decision should be comes from the oracle's reference, which reads the manifest in types.

use std::collections::{BTreeMap, BTreeSet};

use housecarl_oracle::facts::{Case, Device as DeviceFacts, Person as PersonFacts, Question, Subject};
use housecarl_oracle::reading::{Asks, Reading};
use housecarl_oracle::reference::{Answer, kind_of};
use housecarl_policy::{Act, AgeBand, Operator, SubjectKind};
use serde_json::Value as Json;

use crate::leave::{Kept, leave};
use crate::message::{self, Record};
use crate::moments::{Captured, DAY};
use crate::products::{PRODUCTS, Product};

/// For so long a message is recognised, and for up to twice as long it may be.
const REMEMBERED: u64 = 7 * DAY;
/// A clock that differs by more than this has jumped.
const JUMP: u64 = 2 * DAY;
/// For so long a clock has to go on before anything is destroyed on its word.
const STEADY: u64 = DAY;

/// Somebody in a home.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// Where they live.
    pub home: usize,
    /// How old they are.
    pub band: AgeBand,
}

/// A device in a home.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// Where it stands.
    pub home: usize,
    /// Which product it is one of.
    pub product: usize,
    /// Whose it is.
    pub holder: Option<usize>,
}

/// Whom something is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Whom {
    /// One person.
    Person(usize),
    /// Everybody in a home.
    Household(usize),
    /// Whoever nobody knows in a home.
    Bystanders(usize),
}

/// About what something was said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// A person.
    Person(usize),
    /// A device.
    Device(usize),
}

/// What was said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// Yes to a purpose.
    Yes(String),
    /// No to a purpose.
    No(String),
    /// Told of purposes; about a device, they could be learnt of.
    Told(Vec<String>),
    /// Authorised by a parent.
    Authorised(String),
    /// Restricted, or no longer.
    Restricted(String, bool),
    /// How precise an item may be.
    Precision(String, String),
    /// Against all marketing, or no longer.
    NoMarketing(bool),
    /// A feature is on or off.
    Feature(String, bool),
}

/// An entry of what was said.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What the clock showed.
    pub at: u64,
    /// About whom or what.
    pub about: About,
    /// About which product.
    pub product: usize,
    /// What.
    pub word: Word,
}

/// A value that is kept.
#[derive(Clone, Debug)]
pub struct Value {
    /// The record of its message.
    pub record: usize,
    /// The item.
    pub item: String,
    /// How certain it is, as a reader prints it.
    pub certainty: Option<String>,
    /// What is left of it.
    pub kept: Kept,
}

/// What one message says about one subject for the same purposes until the same time.
#[derive(Clone, Debug)]
pub struct Row {
    /// About whom.
    pub whom: Whom,
    /// By which device.
    pub device: usize,
    /// By which stream.
    pub stream: &'static str,
    /// When it came.
    pub received: u64,
    /// For what.
    pub purposes: BTreeSet<String>,
    /// Until when.
    pub ends: u64,
    /// When it is destroyed with all that ends about then.
    pub destroyed: u64,
    /// What.
    pub values: Vec<Value>,
}

/// What of somebody is to be erased: what all of this is true of.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Selected {
    /// From when until when it was received, the second not included.
    pub span: Option<(u64, u64)>,
    /// By which stream of which product.
    pub stream: Option<(usize, String)>,
    /// Which item of which product.
    pub item: Option<(usize, String)>,
}

impl Selected {
    fn has(&self, product: usize, stream: &str, item: &str, at: u64) -> bool {
        let is = |named: &Option<(usize, String)>, name: &str| {
            named.as_ref().is_none_or(|(of, named)| *of == product && named == name)
        };
        self.span.is_none_or(|(from, until)| (from..until).contains(&at))
            && is(&self.stream, stream)
            && is(&self.item, item)
    }
}

/// What a message is told by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Identity(usize, &'static str, Told);

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Told {
    Key(String),
    Declared(Vec<String>),
    Payload(String),
}

/// When a message was kept, and whether it may have been forgotten early.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    at: u64,
    doubtful: bool,
}

/// What may become of a message.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What is kept of it, if it is new.
    pub rows: Vec<Row>,
    /// What it is told by.
    pub identity: Identity,
    /// Whether it may be taken for new.
    pub may_be_new: bool,
    /// Whether it may be recognised.
    pub may_be_known: bool,
    /// How many values were permitted now and not when they were captured.
    pub late: u64,
    /// In how many records somebody could have been recognised and was not to be.
    pub unrecognised: u64,
}

/// A value as a reader should get it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Seen {
    /// The stream.
    pub stream: String,
    /// When it was received.
    pub received: u64,
    /// The record.
    pub record: usize,
    /// The item.
    pub item: String,
    /// Whether it is a guess.
    pub guess: bool,
    /// How certain the guess is.
    pub certainty: Option<String>,
    /// What is left.
    pub value: String,
    /// What the code stands for, or the code, where it is one.
    pub code: Option<String>,
}

/// What there is.
#[derive(Clone, Default, Debug)]
pub struct Model {
    /// What the clock shows.
    pub now: u64,
    /// Who lives there.
    pub people: Vec<Person>,
    /// What stands there.
    pub devices: Vec<Device>,
    /// How messages of a home name somebody.
    pub marks: BTreeMap<(usize, String), usize>,
    /// All that was said.
    pub said: Vec<Entry>,
    /// All that is kept.
    pub rows: Vec<Row>,
    /// What of whom was erased, and when.
    erased: Vec<(Whom, Selected, u64)>,
    known: BTreeMap<Identity, Remembered>,
    /// What the clock showed last, and for how long it has gone on.
    clock: Option<(u64, u64)>,
}

impl Model {
    /// The product of a device.
    #[must_use]
    pub fn product_of(&self, device: usize) -> &'static Product {
        &PRODUCTS[self.devices[device].product]
    }

    /// What somebody had said until a time, or until now.
    #[must_use]
    pub fn person(&self, person: usize, product: usize, until: Option<u64>) -> PersonFacts {
        let mut facts = PersonFacts::unasked(self.people[person].band);
        for word in self.words(About::Person(person), product, until) {
            match word.clone() {
                Word::Yes(purpose) => {
                    facts.refused.remove(&purpose);
                    facts.agreed.insert(purpose);
                }
                Word::No(purpose) => {
                    facts.agreed.remove(&purpose);
                    facts.authorised.remove(&purpose);
                    facts.refused.insert(purpose);
                }
                Word::Told(purposes) => facts.told.extend(purposes),
                Word::Authorised(purpose) => {
                    facts.authorised.insert(purpose);
                }
                Word::Restricted(purpose, true) => {
                    facts.restricted.insert(purpose);
                }
                Word::Restricted(purpose, false) => {
                    facts.restricted.remove(&purpose);
                }
                Word::Precision(item, step) => {
                    facts.precision.insert(item, step);
                }
                Word::NoMarketing(objects) => facts.no_marketing = objects,
                Word::Feature(..) => {}
            }
        }
        facts
    }

    /// What had been settled for a device until a time, or until now.
    #[must_use]
    pub fn device(&self, device: usize, until: Option<u64>) -> DeviceFacts {
        let mut facts = DeviceFacts::default();
        for word in self.words(About::Device(device), self.devices[device].product, until) {
            match word.clone() {
                Word::Yes(purpose) => {
                    facts.refused.remove(&purpose);
                    facts.agreed.insert(purpose);
                }
                Word::No(purpose) => {
                    facts.agreed.remove(&purpose);
                    facts.refused.insert(purpose);
                }
                Word::Told(purposes) => facts.available.extend(purposes),
                Word::Feature(feature, true) => {
                    facts.features.insert(feature);
                }
                Word::Feature(feature, false) => {
                    facts.features.remove(&feature);
                }
                _ => {}
            }
        }
        facts
    }

    /// What was said about somebody or something, oldest first.
    pub fn words(&self, about: About, product: usize, until: Option<u64>) -> impl Iterator<Item = &Word> {
        self.said
            .iter()
            .filter(move |entry| entry.about == about && entry.product == product)
            .filter(move |entry| until.is_none_or(|until| entry.at <= until))
            .map(|entry| &entry.word)
    }

    /// Who lives in a home.
    pub fn people_of(&self, home: usize) -> impl Iterator<Item = usize> {
        (0..self.people.len()).filter(move |person| self.people[*person].home == home)
    }

    /// Whom a value of a device is about, with what they have said: now, or what they had until a time.
    fn subject(&self, device: usize, whom: Whom, then: Option<u64>) -> Subject {
        let product = self.devices[device].product;
        match whom {
            Whom::Person(one) => Subject::Person(self.person(one, product, then)),
            Whom::Household(home) => {
                Subject::Household(self.people_of(home).map(|one| self.person(one, product, then)).collect())
            }
            Whom::Bystanders(_) => Subject::Bystander,
        }
    }

    fn ask(
        &self,
        device: usize,
        whom: Whom,
        item: &str,
        act: Act,
        received: u64,
        then: Option<u64>,
    ) -> (Answer, SubjectKind) {
        let case = Case {
            device: self.device(device, then),
            subject: self.subject(device, whom, then),
            question: Question { item: item.to_owned(), act, received, now: then.unwrap_or(self.now) },
        };
        (self.product_of(device).reference.answer(&case), kind_of(&case.subject))
    }

    /// What may become of a message, if it comes now.
    #[must_use]
    pub fn judge(&self, device: usize, stream: usize, payload: &Json, key: Option<&str>) -> Judged {
        let product = self.product_of(device);
        let stream = product.streams[stream];
        let meant = message::read(product, stream, payload, self.now);
        let mut late = 0;
        let mut unrecognised = 0;
        let mut parts: BTreeMap<(Whom, BTreeSet<String>, u64), Vec<Value>> = BTreeMap::new();
        let records = std::iter::once((0, &meant.around)).chain(meant.records.iter().enumerate());
        for (number, record) in records {
            let mark = record.mark.as_ref().or(meant.around.mark.as_ref());
            let captured = record.captured.or(meant.around.captured);
            let known = self.known(device, mark);
            let person = self.recognised(device, known, record);
            unrecognised += u64::from(known.is_some() && person.is_none());
            for (item, raw, certainty) in &record.values {
                let whom = self.whom(device, item, person);
                let (now, kind) = self.ask(device, whom, item, Act::Collect, self.now, None);
                let permitted = permitted(&now);
                let then = match captured {
                    None => permitted.clone(),
                    Some(Captured::Unbelievable) => BTreeSet::new(),
                    Some(Captured::At(at)) if self.was_erased(device, whom, &stream.name.value, item, at) => {
                        BTreeSet::new()
                    }
                    Some(Captured::At(at)) => {
                        self::permitted(&self.ask(device, whom, item, Act::Collect, at, Some(at)).0)
                    }
                };
                let both: BTreeSet<String> = permitted.intersection(&then).cloned().collect();
                late += u64::from(both.len() < permitted.len());
                // For as long as what is permitted keeps it; where nobody is known, the shortest of all.
                let keep = if kind == SubjectKind::Bystander {
                    now.keep_seconds
                } else {
                    both.iter().map(|purpose| product.purpose(purpose).keep).max().unwrap_or(0)
                };
                let Some(kept) = Kept::of(raw).and_then(|raw| leave(now.operator, &raw)) else { continue };
                if both.is_empty() {
                    continue;
                }
                let certainty = match certainty.as_ref().and_then(Kept::of) {
                    Some(number @ Kept::Number(_)) => Some(number.shown()),
                    _ => None,
                };
                let value = Value { record: number, item: item.clone(), certainty, kept };
                parts.entry((whom, both, keep)).or_default().push(value);
            }
        }
        let row = |((whom, purposes, keep), values): (_, Vec<Value>)| {
            let ends = self.now + keep;
            let stream = stream.name.value.as_str();
            Row {
                whom,
                device,
                stream,
                received: self.now,
                purposes,
                ends,
                destroyed: destroyed(ends, keep),
                values,
            }
        };
        let told = match key {
            Some(key) => Told::Key(key.to_owned()),
            None if !meant.identity.is_empty() => Told::Declared(meant.identity.clone()),
            None => Told::Payload(payload.to_string()),
        };
        let identity = Identity(device, stream.name.value.as_str(), told);
        let known = self.known.get(&identity);
        let age = known.map(|known| self.now.saturating_sub(known.at));
        Judged {
            rows: parts.into_iter().map(row).collect(),
            may_be_new: known.is_none_or(|known| known.doubtful) || age.is_some_and(|age| age > REMEMBERED),
            may_be_known: age.is_some_and(|age| age <= 2 * REMEMBERED),
            identity,
            late,
            unrecognised,
        }
    }

    /// Whom a mark names here; without one, whose the device is.
    fn known(&self, device: usize, mark: Option<&String>) -> Option<usize> {
        let Device { home, holder, .. } = self.devices[device];
        match mark {
            Some(mark) => self.marks.get(&(home, mark.clone())).copied(),
            None => holder,
        }
    }

    /// Where a stream recognises people for a purpose, only those are whom it is open for.
    fn recognised(&self, device: usize, known: Option<usize>, record: &Record) -> Option<usize> {
        let product = self.product_of(device);
        let known = known?;
        let of = record.values.first().and_then(|(item, ..)| product.item(item).stream.as_ref())?;
        let stream = product.streams.iter().find(|stream| stream.name.value == of.value.0)?;
        let Some(purpose) = stream.identify.as_ref().and_then(|identify| identify.purpose.as_ref()) else {
            return Some(known);
        };
        let purpose = product.purpose(&purpose.value.0);
        let open = |item: &String| {
            let (answer, _) = self.ask(device, Whom::Person(known), item, Act::Collect, self.now, None);
            answer.verdicts[&purpose.name].is_permitted()
        };
        let used = record.values.iter().map(|(item, ..)| item).filter(|item| purpose.items.contains(*item));
        used.into_iter().any(open).then_some(known)
    }

    fn whom(&self, device: usize, item: &str, person: Option<usize>) -> Whom {
        let home = self.devices[device].home;
        let product = self.product_of(device);
        match (product.about(product.item(item)), person) {
            (SubjectKind::Person, Some(person)) => Whom::Person(person),
            (SubjectKind::Household, _) => Whom::Household(home),
            _ => Whom::Bystanders(home),
        }
    }

    /// It was kept.
    pub fn keep(&mut self, judged: Judged) {
        self.rows.extend(judged.rows);
        self.known.insert(judged.identity, Remembered { at: self.now, doubtful: false });
    }

    /// What a purpose of a product may see about somebody now.
    #[must_use]
    pub fn sees(&self, product: usize, purpose: &str, whom: Whom) -> Vec<Seen> {
        let of = &PRODUCTS[product];
        let mut seen = Vec::new();
        let mut answers: BTreeMap<(usize, &str, u64), Answer> = BTreeMap::new();
        for row in
            self.rows.iter().filter(|row| row.whom == whom && self.devices[row.device].product == product)
        {
            if !row.purposes.contains(purpose) || row.ends <= self.now {
                continue;
            }
            for value in &row.values {
                let answer = answers.entry((row.device, &value.item, row.received)).or_insert_with(|| {
                    self.ask(row.device, whom, &value.item, Act::Use, row.received, None).0
                });
                if !answer.verdicts[purpose].is_permitted()
                    || self.lost_its_source(row.device, whom, &value.item)
                {
                    continue;
                }
                let Some(left) = shown(answer.operator, &value.kept) else { continue };
                seen.push(Seen {
                    stream: row.stream.to_owned(),
                    received: row.received,
                    record: value.record,
                    item: value.item.clone(),
                    guess: of
                        .item(&value.item)
                        .from
                        .as_ref()
                        .is_some_and(|from| from.value.word() == "inferred"),
                    certainty: value.certainty.clone(),
                    value: left.shown(),
                    code: if let Kept::Code(of) = left { Some(of) } else { None },
                });
            }
        }
        seen.sort();
        seen
    }

    /// Whether an item was inferred from one that somebody took back, and that is kept for nothing any more.
    fn lost_its_source(&self, device: usize, whom: Whom, item: &str) -> bool {
        let of = self.product_of(device);
        let settled = self.device(device, None);
        let people = self.subject(device, whom, None);
        let taken_back = |purpose: &Reading| {
            let people = people.people();
            let no = people.iter().any(|person| {
                person.refused.contains(&purpose.name) || (purpose.marketing && person.no_marketing)
            });
            let access = purpose.access != Asks::Nothing && settled.refused.contains(&purpose.name);
            (no || access) && !people.iter().any(|person| person.restricted.contains(&purpose.name))
        };
        of.sources(item).iter().any(|source| {
            of.purposes().iter().any(|purpose| purpose.items.contains(source) && taken_back(purpose))
                && permitted(&self.ask(device, whom, source, Act::Keep, self.now, None).0).is_empty()
        })
    }

    /// Whether somebody whom a row is about has it restricted, for a purpose that it is for.
    fn is_restricted(&self, row: &Row) -> bool {
        let people = self.subject(row.device, row.whom, None);
        people
            .people()
            .iter()
            .any(|person| row.purposes.iter().any(|purpose| person.restricted.contains(purpose)))
    }

    /// How many parts there are about somebody, readable or not.
    #[must_use]
    pub fn held(&self, whom: Whom) -> usize {
        self.rows.iter().filter(|row| row.whom == whom).count()
    }

    /// Whether there is any part about somebody of a product's devices.
    #[must_use]
    pub fn holds(&self, product: usize, whom: Whom) -> bool {
        self.rows.iter().any(|row| row.whom == whom && self.devices[row.device].product == product)
    }

    /// How many purposes are over now.
    #[must_use]
    pub fn purposes_over(&self) -> usize {
        let purposes = PRODUCTS.iter().flat_map(Product::purposes);
        purposes.filter(|purpose| purpose.ends.is_some_and(|end| end <= self.now)).count()
    }

    /// What a device should be asked for now, each item with its step. Nothing before anybody in the
    /// home has said anything about the product.
    #[must_use]
    pub fn wanted(&self, device: usize) -> BTreeMap<String, String> {
        let Device { home, product, holder } = self.devices[device];
        let asked = |entry: &Entry| {
            entry.product == product
                && match entry.about {
                    About::Device(of) => of == device,
                    About::Person(person) => self.people[person].home == home,
                }
        };
        if !self.said.iter().any(asked) {
            return BTreeMap::new();
        }
        let named = |person: &usize| {
            Some(*person) == holder
                || self.marks.iter().any(|((of, _), named)| *of == home && named == person)
        };
        let of = &PRODUCTS[product];
        let mut wanted = BTreeMap::new();
        for item in &of.manifest.item {
            let name = item.name.value.as_str();
            let whoms: Vec<Whom> = match of.about(item) {
                SubjectKind::Person => self.people_of(home).filter(named).map(Whom::Person).collect(),
                SubjectKind::Household => vec![Whom::Household(home)],
                SubjectKind::Bystander => vec![Whom::Bystanders(home)],
            };
            let open = |whom: &Whom| {
                !permitted(&self.ask(device, *whom, name, Act::Collect, self.now, None).0).is_empty()
            };
            let step = |whom: Whom| {
                let chosen = |person: usize| {
                    let step = self.person(person, product, None).precision.remove(name);
                    item.precision
                        .iter()
                        .position(|known| Some(&known.value.name) == step.as_ref())
                        .unwrap_or(0)
                };
                match whom {
                    Whom::Person(person) => chosen(person),
                    // Nothing is collected where one of them chose that, so of those left it is the least.
                    Whom::Household(home) => self.people_of(home).map(chosen).min().unwrap_or(0),
                    Whom::Bystanders(_) => 0,
                }
            };
            if let Some(most) = whoms.into_iter().filter(open).map(step).max() {
                let step = item.precision.get(most).map_or_else(String::new, |step| step.value.name.clone());
                wanted.insert(name.to_owned(), step);
            }
        }
        wanted
    }

    /// What is selected goes, of what is there about somebody now; how many parts go, or have less in them.
    /// That is also what came while the clock was ahead of what it shows now.
    pub fn erase(&mut self, whom: Whom, what: &Selected) -> usize {
        // What is about a household and somebody there has restricted is not only for who asks to lose.
        let household = matches!(whom, Whom::Household(_));
        let stays: Vec<bool> = self.rows.iter().map(|row| household && self.is_restricted(row)).collect();
        let devices = &self.devices;
        let mut parts = 0;
        for (row, stays) in self.rows.iter_mut().zip(stays) {
            if row.whom != whom || stays {
                continue;
            }
            let product = devices[row.device].product;
            let (stream, received) = (row.stream, row.received);
            let selected = |item: &str| what.has(product, stream, item, received);
            let before = row.values.len();
            row.values.retain(|value| !selected(&value.item));
            parts += usize::from(row.values.len() < before);
        }
        self.rows.retain(|row| !row.values.is_empty());
        self.erased.push((whom, what.clone(), self.now));
        parts
    }

    /// Whether something that comes now was erased after it had been captured.
    fn was_erased(&self, device: usize, whom: Whom, stream: &str, item: &str, captured: u64) -> bool {
        let product = self.devices[device].product;
        self.erased
            .iter()
            .any(|(of, what, at)| *of == whom && captured < *at && what.has(product, stream, item, captured))
    }

    /// What is over is destroyed, where the clock can be believed; how many parts, or nothing where it
    /// cannot.
    pub fn expire(&mut self) -> Option<usize> {
        let steady = match self.clock {
            None => STEADY,
            Some((seen, steady)) if seen <= self.now && self.now - seen <= JUMP => steady + self.now - seen,
            Some(_) => 0,
        };
        self.clock = Some((self.now, steady));
        if steady < STEADY {
            return None;
        }
        // What is restricted is kept past its date, unread.
        let (mut stays, over): (Vec<Row>, Vec<Row>) =
            std::mem::take(&mut self.rows).into_iter().partition(|row| row.destroyed > self.now);
        let (held, gone): (Vec<Row>, Vec<Row>) = over.into_iter().partition(|row| self.is_restricted(row));
        stays.extend(held.into_iter().map(|row| Row { destroyed: u64::MAX, ..row }));
        self.rows = stays;
        Some(gone.len())
    }

    /// What was remembered long ago may be forgotten from now on.
    pub fn turn_over(&mut self) {
        for known in self.known.values_mut() {
            known.doubtful |= self.now.saturating_sub(known.at) > REMEMBERED;
        }
    }

    /// A gateway that keeps its records in memory has none of them when it starts again.
    pub fn lose_records(&mut self) {
        self.rows.clear();
        self.known.clear();
    }
}

fn permitted(answer: &Answer) -> BTreeSet<String> {
    let open = answer.verdicts.iter().filter(|(_, verdict)| verdict.is_permitted());
    open.map(|(purpose, _)| purpose.clone()).collect()
}

/// What is shown of what is kept. What was kept before a code was asked for is not shown.
fn shown(operator: Operator, kept: &Kept) -> Option<Kept> {
    let is_code = matches!(kept, Kept::Code(_) | Kept::Counted);
    // Whether it reached a limit was asked when it came.
    if matches!((operator, kept), (Operator::Reached(_), Kept::Bool(_))) {
        return Some(kept.clone());
    }
    if operator == Operator::Pseudonymise && !is_code {
        return None;
    }
    leave(operator, kept)
}

/// What ends about the same time is destroyed together: within an hour, or a tenth of its time, at most.
/// The spans are 1, 3, 9 … hours, the shortest that is a thirty-second of how long something is kept.
fn destroyed(ends: u64, keep: u64) -> u64 {
    let mut span = 3_600;
    while span * 32 < keep && span < 3_600 * 6_561 {
        span *= 3;
    }
    (ends / span + 1) * span
}
