//! What a device is wanted to send now: so that what nobody permits is not even sent.
//!
//! It is told in names of the manifest and nothing else: no person and no choice, only what is left
//! when all of them are taken together. Until somebody has made a choice, it is nothing at all
//! (PECR regulation 6: the device is not read before).

use std::collections::BTreeMap;

use housecarl_policy::{
    Act, Decision, DeviceStanding, ItemId, Question, Standing, Subject, SubjectKind, Table, decide,
};

use crate::product::Version;

/// The items that a device is wanted to send, each with the step of its precision.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Wanted(BTreeMap<String, String>);

impl Wanted {
    /// What is wanted of a device in this home. `people` are those whom its messages can be about.
    pub(crate) fn of(
        version: &Version,
        device: &DeviceStanding,
        people: &[Standing],
        everybody: &[Standing],
        now: u64,
    ) -> Self {
        if device.changed_at == 0 && everybody.iter().all(|person| person.changed_at == 0) {
            return Self::default();
        }
        let table = &version.table;
        let wanted = table.items().filter_map(|(id, item)| {
            let ask = |subject: Subject<'_>| decide(table, device, subject, collect(id, now));
            let decisions: Vec<Decision> = match item.subject {
                SubjectKind::Person => people.iter().map(|person| ask(Subject::Person(person))).collect(),
                SubjectKind::Household => vec![ask(Subject::Household(everybody))],
                SubjectKind::Bystander => vec![ask(Subject::Bystander)],
            };
            let steps = decisions.iter().filter(|decision| !decision.permitted.is_empty());
            // For each person it is minimised again here; the device sends what the most open one gets.
            let step = steps.map(|decision| decision.step).max()?;
            Some((table.text(item.name).to_owned(), step_name(table, id, step)))
        });
        Self(wanted.collect())
    }

    /// As JSON: `{"wanted":{"heart-rate":"","position":"town"}}`, by the names of items and steps.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::json!({ "wanted": self.0 }).to_string().into_bytes()
    }

    /// The items, each with its step.
    #[must_use]
    pub const fn items(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

const fn collect(item: ItemId, now: u64) -> Question {
    Question { item, act: Act::Collect, received: now, now }
}

fn step_name(table: &Table<'_>, item: ItemId, step: u8) -> String {
    let step = table.item(item).and_then(|item| table.step(&item, step));
    step.map_or_else(String::new, |step| table.text(step.name).to_owned())
}
