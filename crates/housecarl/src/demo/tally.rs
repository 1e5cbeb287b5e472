//! What the demo saw: each message as it is decided, and sums at the end. Never a value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use housecarl_journey::decide::Whose;
use housecarl_journey::people::DeviceId;
use housecarl_journey::product::Version;
use housecarl_journey::wanted::Wanted;
use housecarl_journey::{Left, Minimised};
use housecarl_policy::{Gate, ItemId, PurposeId, StreamId};
use serde_json::json;
use tokio::sync::watch;

/// Whose values are, as the demo names them.
const HOUSEHOLD: &str = "everybody";
pub(crate) const BYSTANDER: &str = "nobody known";
/// So many items of one message are named that met with the same; the sums have all of them.
const NAMED_MAX: usize = 4;

/// What became of a value for one purpose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Kept,
    Dropped,
    /// Dropped, and the device had been told not to send it.
    SentAlthoughRefused,
}

impl Fate {
    const fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Dropped => "dropped",
            Self::SentAlthoughRefused => "sent although refused",
        }
    }
}

/// Why it did: the word for programs, and words for people.
type Why = (&'static str, &'static str);

/// One thing that happened to values, and where in a manifest the reason stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Fact {
    device: String,
    item: String,
    person: String,
    /// The purpose that it was kept for, or that was closed; empty where none uses it.
    purpose: String,
    fate: Fate,
    why: Why,
    /// `file:line`.
    because: String,
}

/// A device, as the demo names it.
pub(crate) struct Watched {
    pub(crate) name: String,
    /// The path of its manifest.
    pub(crate) path: String,
    /// What it has been told is wanted of it.
    pub(crate) wanted: watch::Receiver<Wanted>,
}

/// Everything that was seen.
pub(crate) struct Tally {
    devices: BTreeMap<DeviceId, Watched>,
    people: Vec<String>,
    counts: Mutex<Counts>,
    live: bool,
}

#[derive(Default)]
struct Counts {
    messages: u64,
    facts: BTreeMap<Fact, u64>,
}

impl Tally {
    /// `people` are those of the home, in the order in which they moved in. `live` prints each
    /// message when it is decided.
    pub(crate) fn new(devices: BTreeMap<DeviceId, Watched>, people: Vec<String>, live: bool) -> Self {
        Self { devices, people, counts: Mutex::default(), live }
    }

    /// A message was decided.
    pub(crate) fn saw(&self, device: DeviceId, version: &Version, stream: StreamId, minimised: &Minimised) {
        let Some(Watched { name, path, wanted }) = self.devices.get(&device) else { return };
        let table = &version.table;
        let mut facts = Vec::new();
        for fate in minimised.fates() {
            let Some(record) = table.item(fate.item) else { continue };
            let is_wanted = wanted.borrow().items().contains_key(table.text(record.name));
            let dropped = if is_wanted { Fate::Dropped } else { Fate::SentAlthoughRefused };
            let mut fact = |purpose: &str, fate_of: Fate, why: Why, line: u32| {
                facts.push(Fact {
                    device: name.clone(),
                    item: table.text(record.name).to_owned(),
                    person: self.person(fate.whose),
                    purpose: purpose.to_owned(),
                    fate: fate_of,
                    why,
                    because: format!("{path}:{line}"),
                });
            };
            if record.uses.is_empty() {
                fact("", dropped, why(Gate::NotDeclared), record.line);
            }
            for id in record.uses.iter() {
                let Some(purpose) = table.purpose(id) else { continue };
                let purpose_name = table.text(purpose.name);
                if let Some(gate) = fate.decision.gate(id) {
                    fact(purpose_name, dropped, why(gate), closed_line(version, fate.item, id, gate));
                } else if fate.late.contains(id) {
                    let late = ("late", "did not permit it when it was captured");
                    fact(purpose_name, Fate::Dropped, late, record.line);
                } else if fate.left == Left::Unfit {
                    let unfit = ("unfit", "gets nothing: the value is not of the form that was declared");
                    fact(purpose_name, Fate::Dropped, unfit, record.line);
                } else if fate.left == Left::Nothing {
                    let nothing = ("nothing-left", "gets nothing: what is left of this value is nothing");
                    let line = closed_line(version, fate.item, id, Gate::PrecisionOff);
                    fact(purpose_name, Fate::Dropped, nothing, line);
                } else if fate.left.is_kept() {
                    fact(purpose_name, Fate::Kept, ("kept", ""), purpose.line);
                } else {
                    let line = closed_line(version, fate.item, id, Gate::PrecisionOff);
                    fact(purpose_name, Fate::Dropped, why(Gate::PrecisionOff), line);
                }
            }
        }
        if self.live {
            let stream = table.stream(stream).map_or("", |stream| table.text(stream.name));
            let undeclared = minimised.undeclared().values().sum();
            let _ = crate::output::print(&message(name, stream, &facts, undeclared));
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.messages += 1;
        for fact in facts {
            *counts.facts.entry(fact).or_default() += 1;
        }
    }

    fn person(&self, whose: Whose) -> String {
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
                "reason": fact.why.0, "because": fact.because, "values": count,
            })
        });
        let refused = counts.facts.iter().filter(|(fact, _)| fact.fate == Fate::SentAlthoughRefused);
        let refused = refused.map(|(fact, count)| {
            json!({
                "device": fact.device, "item": fact.item, "purpose": fact.purpose, "because": fact.because,
                "values": count,
            })
        });
        json!({
            "messages": counts.messages,
            "sent_although_refused": refused.collect::<Vec<_>>(),
            "counts": facts.collect::<Vec<_>>(),
        })
    }

    /// The sums, for people.
    pub(crate) fn text(&self) -> String {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = format!(
            "\n{} messages. Each value counts once for each purpose that would use it.\n",
            counts.messages
        );
        text.push_str(&table("device", &counts.facts, |fact| &fact.device));
        text.push_str(&table("about", &counts.facts, |fact| &fact.person));
        let refused: Vec<(&Fact, &u64)> =
            counts.facts.iter().filter(|(fact, _)| fact.fate == Fate::SentAlthoughRefused).collect();
        if !refused.is_empty() {
            let values: u64 = refused.iter().map(|(_, count)| *count).sum();
            text.push_str(&format!(
                "\nSent although refused: {values} values. The device had been told that nobody wants them, and they were \
                 dropped. That it\nsends them all the same is a fault of the product:\n"
            ));
            let mut reasons: BTreeMap<(&str, &str, &str, &str), u64> = BTreeMap::new();
            for (fact, count) in refused {
                let reason = (&*fact.device, &*fact.purpose, fact.why.1, &*fact.because);
                *reasons.entry(reason).or_default() += count;
            }
            for ((device, purpose, why, because), count) in reasons {
                text.push_str(&format!("  {device}: {count}, because `{purpose}` {why}  {because}\n"));
            }
        }
        text
    }
}

const fn why(gate: Gate) -> Why {
    (gate.name(), gate.because())
}

/// A message as it was decided: a line for each thing that happened to some of its items.
fn message(device: &str, stream: &str, facts: &[Fact], undeclared: u64) -> String {
    let mut lines: BTreeMap<(Fate, &str, &str, &str, &str), BTreeSet<&str>> = BTreeMap::new();
    for fact in facts {
        let line = (fact.fate, &*fact.person, &*fact.purpose, fact.why.1, &*fact.because);
        lines.entry(line).or_default().insert(&fact.item);
    }
    let mut text = format!("{device}, {stream}\n");
    for ((fate, person, purpose, why, because), items) in lines {
        let named: Vec<&str> = items.iter().copied().take(NAMED_MAX).collect();
        let more = items.len().saturating_sub(named.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let what = format!("{}{more}, about {person}", named.join(", "));
        let for_what = match (fate, purpose) {
            (Fate::Kept, purpose) => format!("for `{purpose}`"),
            (_, "") => format!("no purpose {why}"),
            (_, purpose) => format!("`{purpose}` {why}"),
        };
        let separator = if fate == Fate::Kept { "," } else { ":" };
        text.push_str(&format!("  {:<8} {what}{separator} {for_what}  {because}\n", fate.word()));
    }
    if undeclared > 0 {
        let plural = if undeclared == 1 { "" } else { "s" };
        text.push_str(&format!(
            "  gone     {undeclared} member{plural} that the manifest does not declare\n"
        ));
    }
    text
}

/// How many values were kept and dropped, by what `of` names, and why.
fn table(head: &str, facts: &BTreeMap<Fact, u64>, of: impl Fn(&Fact) -> &String) -> String {
    let mut rows: BTreeMap<&str, (u64, u64, BTreeMap<&str, u64>)> = BTreeMap::new();
    for (fact, count) in facts {
        let (kept, dropped, reasons) = rows.entry(of(fact)).or_default();
        if fact.fate == Fate::Kept {
            *kept += count;
        } else {
            *dropped += count;
            *reasons.entry(fact.why.0).or_default() += count;
        }
    }
    let mut text = format!("\n  {head:<16}{:>8}{:>9}  why\n", "kept", "dropped");
    for (name, (kept, dropped, reasons)) in rows {
        let reasons: Vec<String> =
            reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        let row = format!("  {name:<16}{kept:>8}{dropped:>9}  {}", reasons.join(", "));
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
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
