//! The decision as Rego makes it, compiled for the virtual machine of regorus: what the manifest
//! says as data, the home and the question as prebuilt input, one evaluation for all purposes.

use std::collections::{BTreeMap, BTreeSet};

use housecarl_oracle::facts::{Case, Person, Subject};
use housecarl_oracle::reading::{Asks, purposes};
use housecarl_policy::{Act, AgeBand, PurposeSet, SubjectKind, Table};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value};

use crate::product::Product;

/// The rules of a decision about one person, who lives where children are likely.
const RULES: &str = include_str!("decision.rego");
const ENTRY: &str = "data.housecarl.permitted";

/// The virtual machine with the rules, and what one product says of its purposes and items.
pub(crate) struct Peer {
    machine: RegoVM,
    numbers: BTreeMap<Value, PurposeSet>,
}

impl Peer {
    pub(crate) fn of(product: &Product, table: &Table<'_>) -> Self {
        let mut engine = Engine::new();
        engine.add_policy("decision.rego".to_owned(), RULES.to_owned()).unwrap();
        let policy = engine.compile_with_entrypoint(&ENTRY.into()).unwrap();
        let mut machine = RegoVM::new();
        machine.load_program(Compiler::compile_from_policy(&policy, &[ENTRY]).unwrap());
        machine.set_data(data(product)).unwrap();
        machine.set_max_instructions(usize::MAX);
        let numbers = table.purposes().iter().map(|id| {
            let name = table.text(table.purpose(id).unwrap().name);
            (name.into(), PurposeSet::of(id))
        });
        Self { machine, numbers: numbers.collect() }
    }

    /// The purposes for which it permits, as names.
    pub(crate) fn decide(&mut self, input: &Value) -> Value {
        self.machine.set_input(input.clone());
        self.machine.execute().unwrap()
    }

    /// The same as numbers.
    pub(crate) fn numbers(&self, answer: &Value) -> PurposeSet {
        let named = answer.as_set().unwrap().iter().map(|name| self.numbers[name]);
        named.fold(PurposeSet::NONE, |all, one| all | one)
    }
}

/// Makes a question ready.
pub(crate) fn input(case: &Case) -> Value {
    let Subject::Person(person) = &case.subject else { panic!("the rules are about one person") };
    let act = match case.question.act {
        Act::Collect => "collect",
        Act::Use => "use",
        Act::Keep => "keep",
    };
    object([
        ("item", case.question.item.as_str().into()),
        ("act", act.into()),
        ("now", case.question.now.into()),
        ("age", (case.question.now - case.question.received).into()),
        ("person", said(person)),
        (
            "device",
            object([
                ("agreed", set(&case.device.agreed)),
                ("refused", set(&case.device.refused)),
                ("features", set(&case.device.features)),
            ]),
        ),
    ])
}

fn said(person: &Person) -> Value {
    let child = person.band != AgeBand::Adult;
    let precision = person.precision.iter().map(|(item, step)| (item.as_str(), Value::from(step.as_str())));
    object([
        ("agreed", set(&person.agreed)),
        ("refused", set(&person.refused)),
        ("told", set(&person.told)),
        ("restricted", set(&person.restricted)),
        ("authorised", set(&person.authorised)),
        ("precision", object(precision)),
        ("child", child.into()),
        ("young", (child && !matches!(person.band, AgeBand::To15 | AgeBand::To17)).into()),
        ("no_marketing", person.no_marketing.into()),
    ])
}

/// What the manifest says.
fn data(product: &Product) -> Value {
    let purposes = purposes(&product.manifest);
    let items = product.manifest.item.iter().map(|item| {
        let name = item.name.value.as_str();
        let uses =
            purposes.iter().filter(|purpose| purpose.items.contains(name)).map(|purpose| &purpose.name);
        let off = item.precision.iter().filter(|step| step.value.leaves.0.drops());
        let facts = object([("uses", set(uses)), ("off", set(off.map(|step| &step.value.name)))]);
        (name, facts)
    });
    let facts = purposes.iter().map(|purpose| {
        let facts = object([
            (
                "open",
                (purpose.complete && (purpose.vital || purpose.kinds.contains(&SubjectKind::Person))).into(),
            ),
            ("ends", purpose.ends.unwrap_or(u64::MAX).into()),
            ("keep", purpose.keep.into()),
            ("features", set(&purpose.features)),
            ("asks", (purpose.access != Asks::Nothing).into()),
            ("asks_consent", (purpose.access == Asks::Consent).into()),
            ("marketing", purpose.marketing.into()),
            ("core", purpose.core.into()),
            ("consent", purpose.needs_consent.into()),
            ("vital", purpose.vital.into()),
        ]);
        (purpose.name.as_str(), facts)
    });
    object([("items", object(items)), ("purposes", object(facts))])
}

fn set<'n>(names: impl IntoIterator<Item = &'n String>) -> Value {
    names.into_iter().map(|name| Value::from(name.as_str())).collect::<BTreeSet<Value>>().into()
}

fn object<'n>(fields: impl IntoIterator<Item = (&'n str, Value)>) -> Value {
    fields.into_iter().map(|(name, value)| (name.into(), value)).collect::<BTreeMap<Value, Value>>().into()
}
