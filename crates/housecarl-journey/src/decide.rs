//! Decide: each declared value has its permitted purposes; what was not declared is gone, counted
//! by declared shape and never by name or value.

use std::collections::BTreeMap;
use std::fmt;

use housecarl_policy::path::{Marks, Matcher};
use housecarl_policy::table::NO_PURPOSE;
use housecarl_policy::{
    Act, Decision, DeviceStanding, Gate, ItemId, PurposeId, PurposeSet, Question, Standing, StreamId,
    Subject, SubjectKind, Table, Value, decide as policy_decides,
};

use crate::captured::Captured;
use crate::receive::tokens::Token;
use crate::receive::{Meet, Received, Unreadable};

/// The home that a message comes from, as a decision sees it.
pub trait Home {
    /// What is settled for the device.
    fn device(&self) -> &DeviceStanding;
    /// Everybody known in the home.
    fn people(&self) -> &[Standing];
    /// The same as it was at an earlier moment (seconds since 1970), with the same people in the same
    /// order. `None` where that cannot be known.
    fn at(&self, moment: u64) -> Option<Past>;
    /// Whether what was captured at a moment was erased since, so that it is not taken when it comes.
    fn is_erased(&self, whose: Whose, stream: StreamId, item: ItemId, captured: u64) -> bool {
        // Who erases nothing need not say so.
        let _ = (whose, stream, item, captured);
        false
    }
    /// Whether nothing was settled, said or erased since a moment, so that what was captured then is
    /// decided about as if it had been captured now.
    fn is_unchanged_since(&self, moment: u64) -> bool {
        // Who does not know has the past asked for.
        let _ = moment;
        false
    }
    /// The person a message is about: by the mark in the message, or whose device it is. `None`
    /// where nobody is identified. No message ever creates a person.
    fn person(&self, mark: Option<&str>) -> Option<usize>;
}

/// What was settled and said at an earlier moment.
#[derive(Clone, Debug)]
pub struct Past {
    /// See [`Home::device`].
    pub device: DeviceStanding,
    /// See [`Home::people`].
    pub people: Vec<Standing>,
}

/// A value as the payload held it, until it is minimised.
pub(crate) enum Raw {
    Null,
    Bool(bool),
    Number(housecarl_policy::Decimal),
    Text(String),
    /// An object, an array, or a number that no decimal can hold, where a value was declared.
    Unfit,
}

impl Raw {
    fn of(token: &Token<'_>) -> Self {
        match token.value() {
            Some(Value::Null) => Self::Null,
            Some(Value::Bool(bool)) => Self::Bool(bool),
            Some(Value::Number(number)) => Self::Number(number),
            Some(Value::Text(text)) => Self::Text(text.to_owned()),
            None => Self::Unfit,
        }
    }

    pub(crate) fn value(&self) -> Option<Value<'_>> {
        match self {
            Self::Null => Some(Value::Null),
            Self::Bool(bool) => Some(Value::Bool(*bool)),
            Self::Number(number) => Some(Value::Number(*number)),
            Self::Text(text) => Some(Value::Text(text)),
            Self::Unfit => None,
        }
    }

    fn mark(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            Self::Null | Self::Bool(_) | Self::Unfit => None,
        }
    }
}

/// Whom a value is about, as it was decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Whose {
    /// This one of the home's people.
    Person(usize),
    /// Everybody known in the home.
    Household,
    /// Somebody whom nobody identified.
    Bystander,
}

/// One declared value and what is permitted with it.
pub(crate) struct Decided {
    pub(crate) record: usize,
    pub(crate) item: ItemId,
    pub(crate) whose: Whose,
    pub(crate) decision: Decision,
    /// The purposes that are permitted now and were not when it was captured.
    pub(crate) late: PurposeSet,
    pub(crate) raw: Raw,
    pub(crate) certainty: Option<Raw>,
}

/// The declared values of a payload, decided. What was not declared is gone.
pub struct Permitted {
    pub(crate) values: Vec<Decided>,
    pub(crate) records: usize,
    pub(crate) undeclared: BTreeMap<String, u64>,
    pub(crate) unrecognised: BTreeMap<Gate, u64>,
    /// What the manifest says makes the message itself, one value after the other.
    pub(crate) identity: Vec<u8>,
}

impl fmt::Debug for Permitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permitted")
    }
}

/// Decides about a payload of a stream.
///
/// # Errors
/// [`Unreadable::Beyond`] where the payload goes beyond what a message may be.
pub fn decide(
    received: Received<'_>,
    table: &Table<'_>,
    stream: StreamId,
    home: &impl Home,
    now: u64,
) -> Result<Permitted, Unreadable> {
    let mut gathered = Gathered {
        now,
        records: vec![Record::default()],
        current: vec![0],
        undeclared: BTreeMap::new(),
        identity: Vec::new(),
    };
    received.walk(&mut Matcher::new(table, stream), &mut gathered)?;
    drop(received);

    let identification = table.stream(stream).map_or(NO_PURPOSE, |stream| stream.identification);
    let identification = PurposeId::new(identification);
    let mut values = Vec::with_capacity(gathered.records.iter().map(|record| record.values.len()).sum());
    let mut unrecognised = BTreeMap::new();
    let batch = gathered.records.len() > 1;
    let records = gathered.records.len() - usize::from(batch);
    let header_captured = gathered.records.first().and_then(|record| record.captured);
    let header_mark = gathered.records.first_mut().and_then(|record| record.subject.take());
    for (number, record) in gathered.records.into_iter().enumerate() {
        let mark = record.subject.as_deref().or(header_mark.as_deref());
        let person = match recognised(table, home, home.person(mark), identification, &record, now) {
            Ok(person) => person,
            Err(gate) => {
                *unrecognised.entry(gate).or_default() += 1;
                None
            }
        };
        // Where nothing has changed since, it is as if it had been captured now: each purpose that has
        // not ended by now had not ended then, and nothing else can differ.
        let captured = record
            .captured
            .or(header_captured)
            .filter(|captured| !matches!(captured, Captured::At(at) if home.is_unchanged_since(*at)));
        let begins = values.len();
        for (item, raw) in record.values {
            let whose = whose(table, item, person);
            let of = subject(home.people(), whose);
            let decision = policy_decides(table, home.device(), of, question(item, now));
            let (decision, late) = as_captured(table, home, whose, (stream, item), decision, captured);
            // The record of the whole message comes first, and counts as the first of a batch.
            let record = number.saturating_sub(usize::from(batch));
            values.push(Decided { record, item, whose, decision, late, raw, certainty: None });
        }
        for (item, raw) in record.certainties {
            // A certainty belongs to the guess of its own record, and goes where that one goes.
            if let Some(guess) = values.iter_mut().skip(begins).rev().find(|value| value.item == item) {
                guess.certainty = Some(raw);
            }
        }
    }
    Ok(Permitted {
        values,
        records,
        undeclared: gathered.undeclared,
        unrecognised,
        identity: gathered.identity,
    })
}

const fn question(item: ItemId, now: u64) -> Question {
    Question { item, act: Act::Collect, received: now, now }
}

/// What comes late is kept only for what was permitted when it was captured and is permitted now.
fn as_captured(
    table: &Table<'_>,
    home: &impl Home,
    whose: Whose,
    (stream, item): (StreamId, ItemId),
    mut now: Decision,
    captured: Option<Captured>,
) -> (Decision, PurposeSet) {
    let then = match captured {
        // The device does not say, and sends at once; or nothing has changed since.
        None => return (now, PurposeSet::NONE),
        Some(Captured::At(at)) if home.is_erased(whose, stream, item, at) => PurposeSet::NONE,
        Some(Captured::At(at)) => home.at(at).map_or(PurposeSet::NONE, |past| {
            policy_decides(table, &past.device, subject(&past.people, whose), question(item, at)).permitted
        }),
        // A clock that cannot be believed, and history that cannot be had, permit nothing.
        Some(Captured::Unbelievable) => PurposeSet::NONE,
    };
    let late = now.permitted.without(then);
    if !late.is_empty() {
        now.permitted = now.permitted & then;
        // For somebody whom nobody identified it is the shortest of all in any case, and so it is for a
        // household of which nobody is known.
        let unknown = match whose {
            Whose::Person(_) => false,
            Whose::Household => home.people().is_empty(),
            Whose::Bystander => true,
        };
        if !unknown {
            let keeps =
                now.permitted.iter().filter_map(|id| table.purpose(id)).map(|purpose| purpose.keep_seconds);
            now.keep_seconds = keeps.max().unwrap_or(0);
        }
    }
    (now, late)
}

pub(crate) fn subject(people: &[Standing], whose: Whose) -> Subject<'_> {
    match whose {
        Whose::Person(person) => people.get(person).map_or(Subject::Bystander, Subject::Person),
        Whose::Household => Subject::Household(people),
        Whose::Bystander => Subject::Bystander,
    }
}

fn whose(table: &Table<'_>, item: ItemId, person: Option<usize>) -> Whose {
    match (table.item(item).map(|item| item.subject), person) {
        (Some(SubjectKind::Person), Some(person)) => Whose::Person(person),
        (Some(SubjectKind::Household), _) => Whose::Household,
        _ => Whose::Bystander,
    }
}

/// Recognising a person is a purpose of its own: where this person has not opened it, for one of
/// the items that it uses, nobody was recognised, and the gate that was closed is the error.
fn recognised(
    table: &Table<'_>,
    home: &impl Home,
    person: Option<usize>,
    identification: Option<PurposeId>,
    record: &Record,
    now: u64,
) -> Result<Option<usize>, Gate> {
    let (Some(known), Some(identification)) = (person, identification) else { return Ok(person) };
    let uses = |item: ItemId| table.item(item).is_some_and(|record| record.uses.contains(identification));
    let mut closed = None;
    for (item, _) in record.values.iter().filter(|(item, _)| uses(*item)) {
        let subject = subject(home.people(), Whose::Person(known));
        match policy_decides(table, home.device(), subject, question(*item, now)).gate(identification) {
            None => return Ok(person),
            Some(gate) => closed = Some(gate),
        }
    }
    // Without anything to recognise by, nobody could have been.
    closed.map_or(Ok(None), Err)
}

/// What stands in one record of a batch; the first is the message around them.
#[derive(Default)]
struct Record {
    subject: Option<String>,
    captured: Option<Captured>,
    values: Vec<(ItemId, Raw)>,
    certainties: Vec<(ItemId, Raw)>,
}

struct Gathered {
    now: u64,
    records: Vec<Record>,
    /// The records that the walk is inside, innermost last.
    current: Vec<usize>,
    undeclared: BTreeMap<String, u64>,
    identity: Vec<u8>,
}

impl Meet for Gathered {
    fn value(&mut self, item: Option<ItemId>, marks: Marks, token: &Token<'_>) {
        let current = self.current.last().copied().unwrap_or(0);
        let Some(record) = self.records.get_mut(current) else { return };
        let raw = Raw::of(token);
        if marks.has(Marks::CAPTURED) {
            record.captured = Some(Captured::read(&raw, self.now));
        }
        if marks.has(Marks::IDENTITY)
            && let Some(value) = raw.mark()
        {
            self.identity.extend((value.len() as u64).to_le_bytes());
            self.identity.extend(value.as_bytes());
        }
        if marks.has(Marks::SUBJECT) {
            record.subject = raw.mark();
        }
        match item {
            // Null says that there is nothing.
            Some(_) if matches!(token, Token::Null) => {}
            Some(item) if marks.has(Marks::CERTAINTY) => record.certainties.push((item, raw)),
            Some(item) => record.values.push((item, raw)),
            None => {}
        }
    }

    fn undeclared(&mut self, shape: &str) {
        *self.undeclared.entry(shape.to_owned()).or_default() += 1;
    }

    fn record(&mut self, begins: bool) {
        if begins {
            self.current.push(self.records.len());
            self.records.push(Record::default());
        } else {
            self.current.pop();
        }
    }
}
