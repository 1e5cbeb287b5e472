//! Follows payloads through the stages of a device's message, and adds up what became of them.

pub(crate) mod product;
pub(crate) mod payloads;
pub(crate) mod text;
pub(crate) mod json;

use std::collections::{BTreeMap, BTreeSet};

use housecarl_journey::decide::Whose;
use housecarl_journey::{Left, PseudonymKey, Unreadable, decide, minimise, receive};
use housecarl_manifest::scalar::Leaves;
use housecarl_policy::{Gate, ItemId, PurposeId, StreamId, Table};

use crate::clock;
use crate::home::Made;
use payloads::Message;
use product::Product;

#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) messages: u64,
    pub(crate) decoded: u64,
    pub(crate) unmatched: u64,
    pub(crate) undecodable: u64,
}

/// How far a payload came.
enum Outcome {
    Decoded {
        stream: StreamId,
        records: usize,
    },
    /// No stream declares anything in it.
    Unmatched,
    Undecodable(Unreadable),
}

/// What became of one item for one person, over all messages.
#[derive(Default)]
pub(crate) struct Tally {
    values: u64,
    kept: u64,
    guesses: u64,
    left: BTreeMap<Left, u64>,
    /// What the operator leaves, in the words of a notice.
    leaves: BTreeSet<String>,
    permitted: BTreeSet<PurposeId>,
    closed: BTreeMap<(PurposeId, Gate), u64>,
    bystander: bool,
}

/// Payloads followed for several homes, added up.
pub(crate) struct Replay<'r> {
    product: &'r Product,
    table: &'r Table<'r>,
    homes: &'r [Made],
    pub(crate) sums: Sums,
    /// Where each payload came from, and how far it came.
    messages: Vec<(String, Outcome)>,
    undeclared: BTreeMap<(String, String), u64>,
    /// Records in which nobody was recognised, by stream, home and closed gate.
    unrecognised: BTreeMap<(StreamId, usize, Gate), u64>,
    tallies: BTreeMap<(ItemId, usize), Tally>,
}

impl<'r> Replay<'r> {
    pub(crate) fn new(product: &'r Product, table: &'r Table<'r>, homes: &'r [Made]) -> Self {
        Self {
            product,
            table,
            homes,
            sums: Sums::default(),
            messages: Vec::new(),
            undeclared: BTreeMap::new(),
            unrecognised: BTreeMap::new(),
            tallies: BTreeMap::new(),
        }
    }

    /// Follows one payload, of this stream where one is named.
    pub(crate) fn message(&mut self, message: &Message, stream: Option<StreamId>) {
        self.sums.messages += 1;
        let outcome = match self.follow(message, stream) {
            Ok(Some((stream, records))) => {
                self.sums.decoded += 1;
                Outcome::Decoded { stream, records }
            }
            Ok(None) => {
                self.sums.unmatched += 1;
                Outcome::Unmatched
            }
            Err(unreadable) => {
                self.sums.undecodable += 1;
                Outcome::Undecodable(unreadable)
            }
        };
        self.messages.push((message.from.clone(), outcome));
    }

    /// Follows one payload for every home; gives its stream and how many records it held.
    fn follow(
        &mut self,
        message: &Message,
        stream: Option<StreamId>,
    ) -> std::result::Result<Option<(StreamId, usize)>, Unreadable> {
        let received = receive(&message.bytes)?;
        let mut best: Option<(usize, StreamId)> = None;
        for (id, _) in self.table.streams().filter(|(id, _)| stream.is_none_or(|stream| stream == *id)) {
            let found = received.declared_values(self.table, id)?;
            if found > best.map_or(0, |(most, _)| most) {
                best = Some((found, id));
            }
        }
        let Some((_, stream)) = best else { return Ok(None) };
        // Codes are not printed, so one key serves everybody here.
        let key = PseudonymKey::new([0; 32]);
        let mut records = 0;
        for (at, home) in self.homes.iter().enumerate() {
            let received = receive(&message.bytes)?;
            let permitted = decide(received, self.table, stream, home, clock::now())?;
            let minimised = minimise(permitted, self.table, |_| Some(&key));
            records = minimised.records();
            for (gate, count) in minimised.unrecognised() {
                *self.unrecognised.entry((stream, at, *gate)).or_default() += count;
            }
            for fate in minimised.fates() {
                let tally = self.tallies.entry((fate.item, at)).or_default();
                tally.values += 1;
                tally.kept += u64::from(fate.left.is_kept());
                tally.guesses += u64::from(fate.left.is_kept() && fate.guess);
                *tally.left.entry(fate.left).or_default() += 1;
                tally.bystander |= fate.whose == Whose::Bystander;
                if fate.left.is_kept() {
                    tally.leaves.insert(Leaves(fate.decision.operator).to_string());
                    tally.permitted.extend(fate.decision.permitted.iter());
                }
                let uses = self.table.item(fate.item).map(|item| item.uses).unwrap_or_default();
                for purpose in uses.iter() {
                    if let Some(gate) = fate.decision.gate(purpose) {
                        *tally.closed.entry((purpose, gate)).or_default() += 1;
                    }
                }
            }
            if at == 0 {
                let name = self.stream_name(stream).to_owned();
                for (shape, count) in minimised.undeclared() {
                    *self.undeclared.entry((name.clone(), shape.clone())).or_default() += count;
                }
            }
        }
        Ok(Some((stream, records)))
    }

    fn stream_name(&self, stream: StreamId) -> &'r str {
        self.table.stream(stream).map_or("", |stream| self.table.text(stream.name))
    }

    fn item_name(&self, item: ItemId) -> &'r str {
        self.table.item(item).map_or("", |item| self.table.text(item.name))
    }

    fn purpose_name(&self, purpose: PurposeId) -> &'r str {
        self.table.purpose(purpose).map_or("", |purpose| self.table.text(purpose.name))
    }

    fn home_name(&self, at: usize) -> &'r str {
        self.homes.get(at).map_or("", |home| home.name.as_str())
    }

    fn at(&self, line: u32) -> String {
        format!("{}:{line}", self.product.path)
    }

    fn permitted_at(&self, purpose: PurposeId) -> String {
        self.at(self.table.purpose(purpose).map_or(0, |purpose| purpose.line))
    }

    fn closed_at(&self, item: ItemId, purpose: PurposeId, gate: Gate) -> String {
        let precision = self.table.item(item).map_or(0, |item| item.precision_line);
        let line = match (gate, self.table.purpose(purpose)) {
            (Gate::PrecisionOff, _) => precision,
            (gate, Some(purpose)) => self.table.line(&purpose, gate),
            (_, None) => 0,
        };
        self.at(line)
    }

    fn item_at(&self, item: ItemId) -> String {
        self.at(self.table.item(item).map_or(0, |item| item.line))
    }

    /// Why an item that some purposes would have been permitted was dropped, and where that stands.
    fn nothing_left(&self, item: ItemId, left: Left) -> Option<(&'static str, String)> {
        let precision = self.table.item(item).map_or(0, |item| item.precision_line);
        match left {
            Left::Nothing => Some(("the operator leaves nothing of this value", self.at(precision))),
            Left::Unfit => Some(("the value is not of the form that was declared", self.item_at(item))),
            _ => None,
        }
    }

    /// Who was not recognised, in which stream, under which purpose, why, and where that stands.
    fn not_recognised(&self) -> impl Iterator<Item = [String; 5]> + use<'_, 'r> {
        self.unrecognised.keys().filter_map(|(stream, home, gate)| {
            let record = self.table.stream(*stream)?;
            let purpose = PurposeId::new(record.identification)?;
            let line =
                self.table.purpose(purpose).map_or(record.line, |purpose| self.table.line(&purpose, *gate));
            Some([
                self.home_name(*home).to_owned(),
                self.stream_name(*stream).to_owned(),
                self.purpose_name(purpose).to_owned(),
                gate.because().to_owned(),
                self.at(line),
            ])
        })
    }
}
