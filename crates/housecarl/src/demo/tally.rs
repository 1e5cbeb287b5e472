//! What the demo saw: each message as it is decided, and sums at the end. Never a value.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use housecarl_journey::Minimised;
use housecarl_journey::people::DeviceId;
use housecarl_journey::product::Version;
use housecarl_policy::{Gate, ItemId, PurposeId, StreamId};
use serde_json::json;

/// Whose values are, as the demo names them.
const HOUSEHOLD: &str = "everybody";
const BYSTANDER: &str = "nobody known";

/// One thing that happened to values, and where in a manifest the reason stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fact {
    device: String,
    item: String,
    person: String,
    /// The purpose that it was kept for, or that was closed; empty where none uses it.
    purpose: String,
    /// `kept`, or the name of the gate.
    reason: &'static str,
    /// `file:line`.
    because: String,
}

/// Everything that was seen.
pub(crate) struct Tally {
    /// Names of devices and the paths of their manifests.
    devices: BTreeMap<DeviceId, (String, String)>,
    people: Vec<String>,
    counts: Mutex<Counts>,
    live: bool,
}

#[derive(Default)]
struct Counts {
    messages: u64,
    facts: BTreeMap<Fact, u64>,
    /// Values that the device had been told not to send, by device and item.
    refused: BTreeMap<(String, String), u64>,
}

impl Tally {
    /// `people` are those of the home, in the order in which they moved in. `live` prints each
    /// message when it is decided.
    pub(crate) fn new(
        devices: BTreeMap<DeviceId, (String, String)>,
        people: Vec<String>,
        live: bool,
    ) -> Self {
        Self { devices, people, counts: Mutex::default(), live }
    }

    /// A message was decided.
    pub(crate) fn saw(&self, device: DeviceId, version: &Version, stream: StreamId, minimised: &Minimised) {
        let Some((name, path)) = self.devices.get(&device) else { return };
        let table = &version.table;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.messages += 1;
        let (mut kept, mut dropped) = (Vec::new(), Vec::new());
        for fate in minimised.fates() {
            let Some(record) = table.item(fate.item) else { continue };
            let item = table.text(record.name).to_owned();
            let person = self.person(fate.whose);
            let access = |gate: Gate| matches!(gate, Gate::AccessRefused | Gate::AccessUnanswered);
            for purpose in record.uses.iter() {
                let (reason, line) = if fate.decision.permitted.contains(purpose) && fate.left.is_kept() {
                    ("kept", table.purpose(purpose).map_or(0, |purpose| purpose.line))
                } else if fate.late.contains(purpose) {
                    ("late", record.line)
                } else {
                    let gate = fate.decision.gate(purpose).unwrap_or(Gate::PrecisionOff);
                    if access(gate) {
                        *counts.refused.entry((name.clone(), item.clone())).or_default() += 1;
                    }
                    (gate.name(), closed_line(version, fate.item, purpose, gate))
                };
                let because = format!("{path}:{line}");
                let purpose =
                    table.purpose(purpose).map_or("", |purpose| table.text(purpose.name)).to_owned();
                let line = format!("{item} for {purpose} ({because})");
                if reason == "kept" {
                    kept.push(format!("{line}, about {person}"));
                } else {
                    dropped.push(format!("{line}, about {person}: {reason}"));
                }
                let fact = Fact {
                    device: name.clone(),
                    item: item.clone(),
                    person: person.clone(),
                    purpose,
                    reason,
                    because,
                };
                *counts.facts.entry(fact).or_default() += 1;
            }
        }
        drop(counts);
        if self.live {
            let stream = table.stream(stream).map_or("", |stream| table.text(stream.name));
            let lines =
                kept.iter().map(|line| ("kept   ", line)).chain(dropped.iter().map(|line| ("dropped", line)));
            let mut text = format!("{name}, {stream}\n");
            // One of each kind says enough while it runs; the sums at the end have all of them.
            let mut seen = std::collections::BTreeSet::new();
            for (what, line) in lines {
                if seen.insert(what) {
                    text.push_str(&format!("  {what} {line}\n"));
                }
            }
            let undeclared: u64 = minimised.undeclared().values().sum();
            if undeclared > 0 {
                text.push_str(&format!(
                    "  gone    {undeclared} members that the manifest does not declare\n"
                ));
            }
            let _ = crate::output::print(&text);
        }
    }

    fn person(&self, whose: housecarl_journey::decide::Whose) -> String {
        use housecarl_journey::decide::Whose;
        match whose {
            Whose::Person(at) => self.people.get(at).cloned().unwrap_or_default(),
            Whose::Household => HOUSEHOLD.to_owned(),
            Whose::Bystander => BYSTANDER.to_owned(),
        }
    }

    /// The sums, for programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = counts.facts.iter().map(|(fact, count)| {
            json!({
                "device": fact.device, "item": fact.item, "person": fact.person, "purpose": fact.purpose,
                "reason": fact.reason, "because": fact.because, "values": count,
            })
        });
        let refused = counts
            .refused
            .iter()
            .map(|((device, item), count)| json!({ "device": device, "item": item, "values": count }));
        json!({
            "messages": counts.messages,
            "counts": facts.collect::<Vec<_>>(),
            "sent_although_refused": refused.collect::<Vec<_>>(),
        })
    }

    /// The sums, for people.
    pub(crate) fn text(&self) -> String {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut by_device: BTreeMap<&str, (u64, u64, BTreeMap<&str, u64>)> = BTreeMap::new();
        for (fact, count) in &counts.facts {
            let (kept, dropped, reasons) = by_device.entry(&fact.device).or_default();
            if fact.reason == "kept" {
                *kept += count;
            } else {
                *dropped += count;
                *reasons.entry(fact.reason).or_default() += count;
            }
        }
        let mut text =
            format!("\n{} messages\n  {:<16}{:>8}{:>9}  why\n", counts.messages, "device", "kept", "dropped");
        for (device, (kept, dropped, reasons)) in by_device {
            let reasons: Vec<String> =
                reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            text.push_str(&format!("  {device:<16}{kept:>8}{dropped:>9}  {}\n", reasons.join(", ")));
        }
        let refused: u64 = counts.refused.values().sum();
        if refused > 0 {
            let devices: std::collections::BTreeSet<&str> =
                counts.refused.keys().map(|(device, _)| device.as_str()).collect();
            let devices: Vec<&str> = devices.into_iter().collect();
            text.push_str(&format!(
                "\nsent although refused: {refused} values, by {}. They were dropped; a device that sends what nobody agreed \
                 to is a fault of the product.\n",
                devices.join(", ")
            ));
        }
        text
    }
}

/// The line of the manifest on which a gate turned.
fn closed_line(version: &Version, item: ItemId, purpose: PurposeId, gate: Gate) -> u32 {
    let table = &version.table;
    match (gate, table.purpose(purpose)) {
        (Gate::PrecisionOff, _) => table.item(item).map_or(0, |item| item.precision_line),
        (gate, Some(purpose)) => table.line(&purpose, gate),
        (_, None) => 0,
    }
}
