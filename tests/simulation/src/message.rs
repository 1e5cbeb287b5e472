//! Messages: made up from dice, and read again the slow way, one declared path after the other.
//!
//! The journey walks through a payload once and follows all paths together. Here each path is looked
//! up on its own, in the payload as a tree; the two have nothing in common but the manifest.

use housecarl_manifest::model::{Item, Stream};
use housecarl_manifest::path::{Path, Segment};
use housecarl_manifest::span::Named;
use housecarl_oracle::dice::Dice;
use serde_json::{Map, Value as Json, json};

use crate::moments::{self, Captured};
use crate::products::Product;

/// How often a message has the number of another.
const NUMBERS: u64 = 60;
/// A mark that nobody has.
const NOBODY: &str = "nobody-here";
const WORDS: [&str; 7] = ["", "a", "calm", "kitchen", "p1", "quite a long text that goes on", "ähnlich"];

/// What one record of a message says.
#[derive(Clone, Default, Debug)]
pub struct Record {
    /// How it names the person.
    pub mark: Option<String>,
    /// When it was captured, if it says so.
    pub captured: Option<Captured>,
    /// Each value with its item, and how certain it is.
    pub values: Vec<(String, Json, Option<Json>)>,
}

/// What a message says.
#[derive(Clone, Default, Debug)]
pub struct Meant {
    /// What stands around the records, or all of it.
    pub around: Record,
    /// The records of a batch.
    pub records: Vec<Record>,
    /// What makes it itself, where it says.
    pub identity: Vec<String>,
}

/// Makes a message of a stream up. `marks` are those of the home.
#[must_use]
pub fn write(product: &Product, stream: &Named<Stream>, marks: &[&str], dice: &mut Dice, now: u64) -> Json {
    let mut message = Json::Null;
    let records = if stream.each.is_some() { dice.from_to(1, 3) } else { 1 };
    for record in 0..records {
        let mut put = |path: &Path, value: Json| {
            set(&mut message, path.segments(), record, value);
        };
        if let Some(at) = stream.identify.as_ref().and_then(|identify| identify.at.as_ref())
            && dice.percent(85)
        {
            let mark = if marks.is_empty() || dice.percent(12) { NOBODY } else { dice.pick(marks) };
            put(&at.value, json!(mark));
        }
        if let Some(captured) = &stream.captured
            && dice.percent(55)
        {
            put(&captured.value, moments::write(dice, now));
        }
        for path in &stream.identity {
            if dice.percent(95) {
                put(&path.value, json!(dice.below(NUMBERS)));
            }
        }
        for item in product.items_of(&stream.name.value) {
            for path in Product::paths(item) {
                if dice.percent(65) {
                    put(path, value(item, dice, now));
                }
            }
            if let Some(certainty) = &item.certainty
                && dice.percent(60)
            {
                let certain = if dice.percent(90) { json!(0.75) } else { json!("quite") };
                put(&certainty.value, certain);
            }
        }
    }
    if message.is_null() {
        message = Json::Object(Map::new());
    }
    if let Json::Object(members) = &mut message
        && dice.percent(30)
    {
        members.insert("not-declared".to_owned(), json!({ "anything": [1, "secret", dice.below(3)] }));
    }
    message.sort_all_objects();
    message
}

/// Mostly of the form that was declared.
fn value(item: &Item, dice: &mut Dice, now: u64) -> Json {
    let kind = item.kind.as_ref().map_or("", |kind| kind.value.word());
    let form = match kind {
        "location" => 1,
        "time" => 2,
        "voice" | "voice-id" | "video" | "identifier" | "media" | "face-id" | "other" | "person-name" => 3,
        "device-state" | "presence" | "visit" => dice.weighted(&[(1, 0), (1, 3), (1, 4)]),
        _ => 0,
    };
    let form = if dice.percent(6) { dice.below(7) } else { form };
    match form {
        0 => json!(dice.below(300)),
        1 => {
            let degrees = i64::try_from(dice.below(18_000_000)).unwrap() - 9_000_000;
            serde_json::from_str(&format!(
                "{}{}.{:05}",
                if degrees < 0 { "-" } else { "" },
                degrees.abs() / 100_000,
                degrees.abs() % 100_000
            ))
            .unwrap()
        }
        2 => {
            let ago = dice.below(10_000);
            moments::seconds_or_text(dice, now - ago)
        }
        3 => json!(dice.pick(&WORDS)),
        4 => json!(dice.percent(60)),
        5 => Json::Null,
        _ => json!({ "inside": 1 }),
    }
}

/// Puts a value at the end of a path, unless something stands in the way.
fn set(node: &mut Json, path: &[Segment], record: usize, value: Json) -> bool {
    let Some((segment, rest)) = path.split_first() else {
        let free = node.is_null();
        if free {
            *node = value;
        }
        return free;
    };
    match segment {
        Segment::Key(key) => {
            if node.is_null() {
                *node = Json::Object(Map::new());
            }
            let Json::Object(members) = node else { return false };
            set(members.entry(key.clone()).or_insert(Json::Null), rest, record, value)
        }
        Segment::Any => {
            if node.is_null() {
                *node = Json::Array(Vec::new());
            }
            let Json::Array(items) = node else { return false };
            // The first wildcard counts the records; the messages here have one inside it at most.
            while items.len() <= record {
                items.push(Json::Object(Map::new()));
            }
            if rest.is_empty() {
                items[record] = value;
                return true;
            }
            set(&mut items[record], rest, 0, value)
        }
        Segment::When { member, value: wanted } => {
            if node.is_null() {
                *node = Json::Object(Map::new());
            }
            let Json::Object(members) = node else { return false };
            let there = members.entry(member.clone()).or_insert_with(|| json!(wanted));
            *there == json!(wanted) && set(node, rest, record, value)
        }
        Segment::Json => false,
    }
}

/// Everything that stands at a path, with the positions at which its wildcards were.
fn find<'j>(node: &'j Json, path: &[Segment], at: &[usize]) -> Vec<(Vec<usize>, &'j Json)> {
    let Some((segment, rest)) = path.split_first() else { return vec![(at.to_vec(), node)] };
    match (segment, node) {
        (Segment::Key(key), Json::Object(members)) => {
            members.get(key).map_or_else(Vec::new, |member| find(member, rest, at))
        }
        (Segment::Key(key), Json::Array(items)) => {
            let item = key.parse().ok().and_then(|number: usize| items.get(number));
            item.map_or_else(Vec::new, |item| find(item, rest, at))
        }
        (Segment::Any, Json::Array(items)) => {
            let below = |(number, item)| find(item, rest, &[at, &[number]].concat());
            items.iter().enumerate().flat_map(below).collect()
        }
        (Segment::Any, Json::Object(members)) => {
            let below = |(number, item)| find(item, rest, &[at, &[number]].concat());
            members.values().enumerate().flat_map(below).collect()
        }
        (Segment::When { member, value }, Json::Object(members)) => match members.get(member) {
            Some(Json::String(there)) if there == value => find(node, rest, at),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Reads a message.
#[must_use]
pub fn read(product: &Product, stream: &Named<Stream>, message: &Json, now: u64) -> Meant {
    let mut meant = Meant::default();
    let each = stream.each.as_ref().map(|each| &each.value);
    let batch = each.map_or(0, |each| find(message, each.segments(), &[]).len());
    meant.records.resize_with(batch, Record::default);
    // What stands at a path, each with the record that it belongs to.
    let found = |path: &Path| -> Vec<(Option<usize>, Json)> {
        let inside = each.is_some_and(|each| path.segments().starts_with(each.segments()));
        find(message, path.segments(), &[])
            .into_iter()
            .filter(|(_, value)| !value.is_object() && !value.is_array())
            .map(|(at, value)| (at.first().copied().filter(|_| inside), value.clone()))
            .collect()
    };
    if let Some(at) = stream.identify.as_ref().and_then(|identify| identify.at.as_ref()) {
        for (record, value) in found(&at.value) {
            meant.record(record).mark = value.as_str().map(str::to_owned);
        }
    }
    if let Some(captured) = &stream.captured {
        for (record, value) in found(&captured.value) {
            meant.record(record).captured = Some(moments::read(&value, now));
        }
    }
    let mut identity: Vec<(Option<usize>, String, String)> = Vec::new();
    for path in &stream.identity {
        for (record, value) in found(&path.value) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !value.is_null() && !value.is_boolean() {
                identity.push((record, path.value.to_string(), text));
            }
        }
    }
    // In the order in which they stand in a message whose members are in order.
    identity.sort();
    meant.identity = identity.into_iter().map(|(_, _, value)| value).collect();
    for item in product.items_of(&stream.name.value) {
        for path in Product::paths(item) {
            for (record, value) in found(path) {
                if !value.is_null() {
                    meant.record(record).values.push((item.name.value.clone(), value, None));
                }
            }
        }
        if let Some(certainty) = &item.certainty {
            for (record, certain) in found(&certainty.value).into_iter().filter(|(_, value)| !value.is_null())
            {
                let values = &mut meant.record(record).values;
                if let Some(guess) = values.iter_mut().find(|(of, _, _)| *of == item.name.value) {
                    guess.2 = Some(certain);
                }
            }
        }
    }
    meant
}

impl Meant {
    fn record(&mut self, number: Option<usize>) -> &mut Record {
        match number {
            Some(number) => &mut self.records[number],
            None => &mut self.around,
        }
    }
}
