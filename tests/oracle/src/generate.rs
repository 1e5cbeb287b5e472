//! Products that nobody makes: manifests as text, and the homes and questions that go with them.
//!
//! Everything is random and everything comes from a seed. What is likely is chosen so that most
//! gates are open most of the time: a question that ten gates close says nothing about any.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use housecarl_manifest::words::{
    About, AccessOn, Does, Exception, From, ObtainedFrom, PurposeKind, Runs, Technology, Then,
};
use housecarl_manifest::{Compiled, Manifest, Ordinals, compile, read};
use housecarl_policy::{Act, AgeBand, SubjectKind, Table};

use crate::cedar::SEATS;
use crate::dice::Dice;
use crate::facts::{Case, Device, Person, Purposes, Question, Subject, Translator};
use crate::reading::{Reading, purposes};

/// A manifest before it is written down.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Draft {
    sections: Vec<Section>,
}

/// A table of a manifest: its header, and its keys with their values.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Section {
    header: String,
    entries: Vec<(String, Entry)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Entry {
    /// A value as TOML writes it.
    Is(String),
    /// Names in an order that means nothing.
    Names(Vec<String>),
}

impl Section {
    fn is(&mut self, key: &str, value: impl Into<String>) {
        self.entries.push((key.to_owned(), Entry::Is(value.into())));
    }

    fn word(&mut self, key: &str, word: &str) {
        self.is(key, format!("{word:?}"));
    }

    fn names(&mut self, key: &str, names: impl IntoIterator<Item = String>) {
        self.entries.push((key.to_owned(), Entry::Names(names.into_iter().collect())));
    }
}

impl Draft {
    /// The manifest of a seed.
    #[must_use]
    pub fn of(seed: u64, size: Size) -> Self {
        draft(&mut Dice::of(seed), size).0
    }

    fn section(&mut self, header: impl Into<String>) -> &mut Section {
        self.sections.push(Section { header: header.into(), entries: Vec::new() });
        let last = self.sections.len() - 1;
        &mut self.sections[last]
    }

    /// The manifest as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from("manifest = 1\n");
        for section in &self.sections {
            let _ = writeln!(text, "\n[{}]", section.header);
            for (key, entry) in &section.entries {
                match entry {
                    Entry::Is(value) => writeln!(text, "{key} = {value}").unwrap(),
                    Entry::Names(names) => writeln!(text, "{key} = {names:?}").unwrap(),
                }
            }
        }
        text
    }

    /// The same manifest with its tables, keys and lists of names in another order, and some names
    /// in a list twice.
    #[must_use]
    pub fn shuffled(&self, dice: &mut Dice) -> Self {
        let mut draft = self.clone();
        dice.shuffle(&mut draft.sections);
        for section in &mut draft.sections {
            dice.shuffle(&mut section.entries);
            for (_, entry) in &mut section.entries {
                if let Entry::Names(names) = entry {
                    if dice.percent(20) && !names.is_empty() {
                        names.push(dice.pick(names).clone());
                    }
                    dice.shuffle(names);
                }
            }
        }
        draft
    }

    /// The same manifest with another value for one key of one table.
    #[must_use]
    pub fn with(&self, header: &str, key: &str, value: &str) -> Self {
        let mut draft = self.clone();
        for section in draft.sections.iter_mut().filter(|section| section.header == header) {
            section.entries.retain(|(known, _)| known != key);
            section.word(key, value);
        }
        draft
    }
}

/// How many things a product has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// As products are: a dozen purposes.
    Usual,
    /// As many purposes as a table can hold.
    Full,
}

/// A made-up product: its manifest, as text and read and compiled.
#[derive(Clone, Debug)]
pub struct Product {
    /// The manifest as text.
    pub text: String,
    /// The manifest as it was read.
    pub manifest: Manifest,
    /// The numbers that were given before this version.
    pub before: Ordinals,
    /// Purposes that an open finding keeps shut.
    pub shut: BTreeSet<String>,
    /// Its table and numbers.
    pub compiled: Compiled,
    /// Items that it once had.
    pub retired: Vec<String>,
    /// What it says of its purposes.
    pub purposes: Vec<Reading>,
}

impl Product {
    /// The product of a seed.
    #[must_use]
    pub fn of(seed: u64, size: Size) -> Self {
        let mut dice = Dice::of(seed);
        let (draft, names) = draft(&mut dice, size);
        let shut = names.purposes.iter().filter(|_| dice.percent(4)).cloned().collect();
        let retired: Vec<String> = (0..dice.from_to(0, 3)).map(|at| format!("retired-item-{at}")).collect();
        let lock = lock(&mut dice, &names, &retired);
        let before = Ordinals::read(&lock).unwrap();
        Self::from_text(draft.text(), before, shut, retired)
    }

    /// The product of a written manifest.
    #[must_use]
    pub fn from_text(text: String, before: Ordinals, shut: BTreeSet<String>, retired: Vec<String>) -> Self {
        let manifest = read(&text).manifest;
        let compiled = compile(&manifest, &text, &before, &shut);
        let purposes = purposes(&manifest);
        Self { text, manifest, before, shut, compiled, retired, purposes }
    }

    /// The product with another text of its manifest.
    #[must_use]
    pub fn rewritten(&self, text: String) -> Self {
        Self::from_text(text, self.before.clone(), self.shut.clone(), self.retired.clone())
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table<'_> {
        Table::read(&self.compiled.table).unwrap()
    }

    /// Who translates names to this product's numbers.
    #[must_use]
    pub const fn translator<'p>(&'p self, table: &'p Table<'p>) -> Translator<'p> {
        Translator { manifest: &self.manifest, ordinals: &self.compiled.ordinals, table }
    }

    /// The names of its purposes.
    #[must_use]
    pub fn purpose_names(&self) -> Purposes {
        self.purposes.iter().map(|purpose| purpose.name.clone()).collect()
    }
}

/// The names that a draft gave.
struct Names {
    purposes: Vec<String>,
    items: Vec<String>,
    features: Vec<String>,
}

/// Names whose alphabet is not the order in which they are given.
fn names(dice: &mut Dice, what: &str, count: usize) -> Vec<String> {
    let mut names: Vec<String> = (0..count).map(|at| format!("{what}-{at}")).collect();
    dice.shuffle(&mut names);
    names
}

/// A lock file that knows some of the names, and some that are gone.
fn lock(dice: &mut Dice, names: &Names, retired_items: &[String]) -> String {
    let mut lock = String::from("version = 1\n");
    let gone = |what: &str| vec![format!("retired-{what}-0"), format!("retired-{what}-1")];
    // Two numbers are gone for each product, as far as there is room for them.
    let room = names.purposes.len() <= 100;
    let tables = [
        ("purpose", &names.purposes, if room { gone("purpose") } else { Vec::new() }),
        ("item", &names.items, retired_items.to_vec()),
        ("feature", &names.features, if names.features.len() < 24 { gone("feature") } else { Vec::new() }),
    ];
    for (table, known, gone) in tables {
        let mut numbered: Vec<String> = dice.some(known, 50).into_iter().cloned().collect();
        numbered.extend(gone);
        dice.shuffle(&mut numbered);
        let _ = writeln!(lock, "[{table}]");
        for (number, name) in numbered.iter().enumerate() {
            let _ = writeln!(lock, "{name} = {number}");
        }
    }
    lock
}

const LENGTHS: [&str; 12] = [
    "1 second",
    "90 seconds",
    "15 minutes",
    "1 hour",
    "36 hours",
    "7 days",
    "2 weeks",
    "30 days",
    "1 month",
    "13 months",
    "1 year",
    "6 years",
];

fn draft(dice: &mut Dice, size: Size) -> (Draft, Names) {
    let (purposes, items, features) = match size {
        Size::Usual => (dice.from_to(3, 12), dice.from_to(2, 7), dice.from_to(0, 5)),
        Size::Full => (128, dice.from_to(20, 60), 32),
    };
    let streams = names(dice, "stream", dice_streams(size));
    let names = Names {
        purposes: names(dice, "purpose", purposes),
        items: names(dice, "item", items),
        features: names(dice, "feature", features),
    };
    let mut draft = Draft::default();
    product(&mut draft, dice);
    for name in &streams {
        let stream = draft.section(format!("stream.{name}"));
        stream.word("topic", &format!("made-up/{{device}}/{name}"));
        stream.word("about", about(dice).word());
    }
    // In most products everything is about the same kind of person.
    let alike = dice.percent(60).then(|| about(dice).word());
    let mut slots = 0;
    for name in &names.items {
        item(&mut draft, dice, name, &streams, alike, &mut slots);
    }
    for name in &names.features {
        let starts = dice.some(&names.purposes, if size == Size::Full { 4 } else { 25 });
        let starts: Vec<String> = starts.into_iter().cloned().collect();
        let core = dice.percent(60);
        let feature = draft.section(format!("feature.{name}"));
        feature.word("title", "A feature");
        feature.is("core", core.to_string());
        feature.names("starts", starts);
    }
    for name in &names.purposes {
        purpose(&mut draft, dice, name, &names.items, size);
    }
    for at in 0..names.purposes.len().div_ceil(2) {
        access(&mut draft, dice, at, &names.purposes);
    }
    (draft, names)
}

const fn dice_streams(size: Size) -> usize {
    match size {
        Size::Usual => 2,
        Size::Full => 8,
    }
}

fn product(draft: &mut Draft, dice: &mut Dice) {
    let product = draft.section("product");
    product.word("name", "A product");
    product.word("release", "1.0");
    product.word("kind", "smart-watch");
    product.word("market", "consumer");
    product.word("connection", "direct");
    product.is("interfaces", "[\"phone-app\"]");
    let (aimed, likely) = (dice.percent(10), dice.percent(45));
    let said = dice.percent(90);
    let people = draft.section("people");
    // Where it is not said whether children are likely, the manifest has a problem and still means
    // something: they are.
    people.is(
        "children",
        if said { format!("{{ aimed = {aimed}, likely = {likely} }}") } else { "{}".to_owned() },
    );
    people.word("accounts", "main-and-additional");
    people.is("guests", "true");
    people.is("bystanders", "true");
    let organisation = draft.section("organisation.maker");
    organisation.word("name", "A maker");
    organisation.word("kind", "manufacturer");
}

fn about(dice: &mut Dice) -> About {
    dice.weighted(&[
        (20, About::AccountHolder),
        (20, About::Wearer),
        (15, About::Speaker),
        (30, About::Household),
        (15, About::Bystander),
    ])
}

fn item(
    draft: &mut Draft,
    dice: &mut Dice,
    name: &str,
    streams: &[String],
    alike: Option<&'static str>,
    slots: &mut u8,
) {
    let arrives = dice.percent(90);
    let stream = dice.pick(streams).clone();
    let from = *dice.pick(From::EVERY);
    let own_word = alike.or_else(|| dice.percent(25).then(|| about(dice).word()));
    let found = dice.percent(10).then(|| dice.pick(ObtainedFrom::EVERY).word());
    let precision = (dice.percent(45) && *slots < 16).then(|| steps(dice));
    let leaves = dice.percent(3).then_some("drop");
    let item = draft.section(format!("item.{name}"));
    item.word("title", "An item");
    item.word("kind", "other");
    item.word("from", from.word());
    if arrives {
        item.word("stream", &stream);
        item.word("at", &format!("/{name}"));
    }
    if let Some(about) = own_word {
        item.word("about", about);
    }
    if let Some(found) = found {
        item.word("obtained_from", found);
    }
    if let Some(steps) = precision {
        *slots += 1;
        item.is("precision", steps);
    } else if let Some(leaves) = leaves {
        item.word("leaves", leaves);
    }
}

/// Steps of a precision. Nothing at all can only be the first; the others stand in any order.
fn steps(dice: &mut Dice) -> String {
    let mut steps: Vec<String> = [
        "\"exact\"",
        "{ name = \"town\", leaves = { place = \"10 km\" } }",
        "{ name = \"street\", leaves = { place = \"1 km\" } }",
        "{ name = \"fives\", leaves = { round = 5 } }",
        "{ name = \"tens\", leaves = { bucket = 10 } }",
        "{ name = \"a few\", leaves = { prefix = 2 } }",
    ]
    .map(str::to_owned)
    .to_vec();
    dice.shuffle(&mut steps);
    steps.truncate(dice.from_to(1, 5));
    if dice.percent(60) {
        let nothing = ["\"off\"", "{ name = \"nothing\", leaves = \"drop\" }"];
        steps.insert(0, (*dice.pick(&nothing)).to_owned());
    }
    format!("[{}]", steps.join(", "))
}

fn purpose(draft: &mut Draft, dice: &mut Dice, name: &str, items: &[String], size: Size) {
    let any_kind = *dice.pick(PurposeKind::EVERY);
    let any_marketing = *dice.pick(&[PurposeKind::Advertising, PurposeKind::Marketing]);
    let kind = dice.weighted(&[
        (30, PurposeKind::CoreFunction),
        (30, any_kind),
        (25, any_marketing),
        (6, PurposeKind::Identification),
    ]);
    let basis = dice.weighted(&[
        (10, "household"),
        (26, "consent"),
        (16, "contract"),
        (6, "legal-obligation"),
        (8, "vital-interests"),
        (8, "public-task"),
        (10, "recognised-legitimate-interests"),
        (16, "legitimate-interests"),
    ]);
    let condition = dice.percent(20).then(|| {
        dice.weighted(&[
            (5, "explicit-consent"),
            (2, "vital-interests"),
            (2, "health-or-social-care"),
            (1, "made-public"),
        ])
    });
    let mut uses: Vec<String> =
        dice.some(items, if size == Size::Full { 30 } else { 76 }).into_iter().cloned().collect();
    if uses.is_empty() && dice.percent(80) {
        uses.push(dice.pick(items).clone());
    }
    let from = dice.weighted(&[(7, "receipt"), (2, "account-closed"), (1, "last-use")]);
    let at_most = dice.percent(if from == "receipt" { 20 } else { 94 });
    let bystanders = dice.percent(40);
    let [length, most, shorter] = [(); 3].map(|()| *dice.pick(&LENGTHS));
    let at_most = optional("at_most", at_most, most);
    let bystanders = optional("bystanders", bystanders, shorter);
    let then = dice.pick(Then::EVERY).word();
    let keep = format!("{{ for = {length:?}, from = {from:?}, {at_most}{bystanders}then = {then:?} }}");
    let ends = dice.percent(25).then(|| day(dice));
    let profiles = dice.percent(6);
    let runs = dice.pick(Runs::EVERY).word();
    // Now and then something that a purpose needs is not there.
    let lacks = dice.percent(3).then(|| *dice.pick(&["kind", "basis", "keep"]));

    let purpose = draft.section(format!("purpose.{name}"));
    purpose.word("why", "To do something");
    purpose.names("uses", uses);
    purpose
        .is("decided_by", "{ why = \"maker\", what = \"maker\", whose = \"maker\", how_long = \"maker\" }");
    purpose.word("runs", runs);
    purpose.is("countries", "[\"GB\"]");
    if lacks != Some("kind") {
        purpose.word("kind", kind.word());
    }
    if lacks != Some("basis") {
        purpose.word("basis", basis);
    }
    if lacks != Some("keep") {
        purpose.is("keep", keep);
    }
    if let Some(condition) = condition {
        purpose.word("condition", condition);
    }
    if let Some(day) = ends {
        purpose.is("ends", day);
    }
    if profiles {
        purpose.is("profiles", "[\"habits\"]");
    }
}

/// A key of an inline table, where it is there.
fn optional(key: &str, is_there: bool, value: &str) -> String {
    if is_there { format!("{key} = {value:?}, ") } else { String::new() }
}

/// A day on which a purpose may end, around the time of the questions.
fn day(dice: &mut Dice) -> String {
    let year = dice.weighted(&[(1, 2025), (3, 2028), (6, 2031)]);
    let (month, last) = *dice.pick(&[(1, 31), (2, 28), (3, 31), (6, 30), (12, 31)]);
    let day = if year == 2028 && month == 2 { 29 } else { dice.from_to(1, last) };
    format!("{year:04}-{month:02}-{day:02}")
}

fn access(draft: &mut Draft, dice: &mut Dice, at: usize, purposes: &[String]) {
    let serves: Vec<String> = (0..dice.from_to(1, 2)).map(|_| dice.pick(purposes).clone()).collect();
    let exception = dice.weighted(&[
        (3, Exception::None),
        (2, Exception::Communication),
        (3, Exception::StrictlyNecessary),
        (3, Exception::Statistics),
        (2, Exception::Appearance),
        (1, Exception::Emergency),
    ]);
    let (on, does, technology) =
        (dice.pick(AccessOn::EVERY), dice.pick(Does::EVERY), dice.pick(Technology::EVERY));
    let access = draft.section(format!("access.access-{at}"));
    access.word("on", on.word());
    access.word("does", does.word());
    access.word("technology", technology.word());
    access.names("serves", serves);
    access.word("exception", exception.word());
}

/// 1 January 2027: when most questions are asked.
pub const NEW_YEAR: u64 = 1_798_761_600;

impl Product {
    /// A made-up home, and a question about it.
    #[must_use]
    pub fn case(&self, dice: &mut Dice) -> Case {
        let question = self.question(dice);
        let declared = self.manifest.item.iter().find(|item| item.name.value == question.item);
        // Mostly about the kind of person that some purpose of the item is for.
        let using: Vec<&Reading> = self
            .purposes
            .iter()
            .filter(|p| p.items.contains(&question.item) && !p.kinds.is_empty())
            .collect();
        let kind = if declared.is_some() && !using.is_empty() && dice.percent(90) {
            let kinds: Vec<SubjectKind> = dice.pick(&using).kinds.iter().copied().collect();
            *dice.pick(&kinds)
        } else {
            *dice.pick(SubjectKind::EVERY)
        };
        let subject = match kind {
            SubjectKind::Person => Subject::Person(self.person(dice, 1)),
            SubjectKind::Household => {
                let count = dice.weighted(&[(1, 0), (10, 1), (15, 2), (6, 3), (4, SEATS)]);
                let most = u64::try_from(count).unwrap();
                Subject::Household((0..count).map(|_| self.person(dice, most)).collect())
            }
            SubjectKind::Bystander => Subject::Bystander,
        };
        Case { device: self.device(dice), subject, question }
    }

    /// Somebody's choices. The more live together, the less often each is in anyone's way.
    #[must_use]
    pub fn person(&self, dice: &mut Dice, together: u64) -> Person {
        let band = if dice.percent(50) { AgeBand::Adult } else { *dice.pick(AgeBand::EVERY) };
        let mut person = Person::unasked(band);
        person.no_marketing = dice.percent(26 / together);
        for Reading { name, .. } in &self.purposes {
            let mut add = |names: &mut Purposes, per_mille: u64| {
                if dice.per_mille(per_mille) {
                    names.insert(name.clone());
                }
            };
            add(&mut person.agreed, 1000 - 170 / together);
            add(&mut person.refused, 60 / together);
            add(&mut person.told, 1000 - 60 / together);
            add(&mut person.restricted, 80 / together);
            add(&mut person.authorised, 1000 - 360 / together);
        }
        // Choices about purposes that are gone mean nothing.
        if dice.percent(5) {
            person.refused.insert("retired-purpose-0".to_owned());
        }
        for item in &self.manifest.item {
            if item.precision.is_empty() || dice.percent(15) {
                continue;
            }
            let on: Vec<_> = item.precision.iter().filter(|step| !step.value.leaves.0.drops()).collect();
            let off = on.is_empty() || dice.per_mille(150 / together);
            let step = if off { &dice.pick(&item.precision).value } else { &dice.pick(&on).value };
            person.precision.insert(item.name.value.clone(), step.name.clone());
        }
        person
    }

    /// What a home settled for the device.
    #[must_use]
    pub fn device(&self, dice: &mut Dice) -> Device {
        let mut device = Device::default();
        for Reading { name, .. } in &self.purposes {
            let mut add = |names: &mut Purposes, percent: u64| {
                if dice.percent(percent) {
                    names.insert(name.clone());
                }
            };
            add(&mut device.agreed, 88);
            add(&mut device.refused, 9);
            add(&mut device.available, 93);
        }
        for feature in &self.manifest.feature {
            if dice.percent(80) {
                device.features.insert(feature.name.value.clone());
            }
        }
        device
    }

    /// A question about some item, now and then one that is not declared or is gone.
    #[must_use]
    pub fn question(&self, dice: &mut Dice) -> Question {
        let act = *dice.pick(Act::EVERY);
        let item = match dice.weighted(&[(95, 0), (3, 1), (2, 2)]) {
            1 if !self.retired.is_empty() => dice.pick(&self.retired).clone(),
            2 => "never-declared".to_owned(),
            _ => dice.pick(&self.manifest.item).name.value.clone(),
        };
        let (received, now) = self.times(dice);
        Question { item, act, received, now }
    }

    /// Mostly shortly after receipt; else around the end of some purpose's keeping, or of a purpose.
    fn times(&self, dice: &mut Dice) -> (u64, u64) {
        let received = NEW_YEAR + dice.below(86_400 * 400);
        let purpose = dice.pick(&self.purposes);
        let about = |dice: &mut Dice, time: u64| (time + dice.below(3)).saturating_sub(1);
        let now = match dice.weighted(&[(60, 0), (12, 1), (5, 2), (4, 3), (4, 4), (2, 5), (13, 6)]) {
            0 => received,
            1 => about(dice, received + purpose.keep),
            2 => about(dice, received + purpose.keep_unidentified),
            3 => about(dice, purpose.ends.unwrap_or(received)),
            // A clock that stands before the receipt.
            4 => received - dice.below(10_000),
            // Long after.
            5 => received + dice.below(1 << 36),
            _ => received + dice.below(100_000),
        };
        (received, now)
    }
}
