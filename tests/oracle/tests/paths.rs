//! The matcher finds in a payload exactly what an obvious reading of the declared paths finds.
//!
//! The reference holds each position of a payload against each declared path, one step after the
//! other; it knows nothing of places and edges.
#![expect(
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail loudly, and says how much it looked at"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use housecarl_manifest::path::{Path, Segment};
use housecarl_manifest::{Ordinals, compile, read};
use housecarl_oracle::dice::Dice;
use housecarl_policy::path::{Found, Limit, Marks, VALUES_MAX};
use housecarl_policy::{Decimal, ItemId, Matcher, StreamId, Table, Value};
use serde_json::{Value as Json, json};

/// Names that a path can only mean if it is written with care, and some that it need not be.
const NAMES: [&str; 13] =
    ["a", "b", "type", "0", "1", "x/y", "~", "~1", "switch:0", "t.c", "*", "(json)", "k[0]"];
/// Names that only payloads have.
const SECRETS: [&str; 3] = ["secret", "anna", "~0/secret"];

/// A step from a value to one inside it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    Member(String),
    Position(usize),
    Json,
}

/// What a walk says of one position.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Said {
    Leaf(Option<String>, u8),
    Undeclared,
}

type Report = BTreeMap<Vec<Step>, Said>;

/// A path and what stands at its end: an item, or the time of capture.
type Declared = (Path, Option<String>);

// ---- what is made up

fn written(dice: &mut Dice, segments: &[Segment]) -> String {
    let mut text = String::new();
    for segment in segments {
        match segment {
            Segment::Any => text.push_str("/*"),
            Segment::Json => text.push_str("/(json)"),
            Segment::When { member, value } => {
                let slash = if text.is_empty() { "/" } else { "" };
                write!(text, "{slash}[{member}={value}]").unwrap();
            }
            Segment::Key(key) => {
                let quoted = ["*", "(json)", "k[0]"].contains(&key.as_str()) || dice.percent(30);
                if quoted {
                    write!(text, "/\"{key}\"").unwrap();
                } else {
                    write!(text, "/{}", key.replace('~', "~0").replace('/', "~1")).unwrap();
                }
            }
        }
    }
    text
}

fn path(dice: &mut Dice) -> Vec<Segment> {
    let mut segments = Vec::new();
    for _ in 0..dice.from_to(1, 4) {
        if dice.percent(15) {
            // One member, so that conditions at one place never ask for two.
            let value = (*dice.pick(&["1", "2", "true", "a"])).to_owned();
            segments.push(Segment::When { member: "type".to_owned(), value });
        }
        let names = if dice.percent(70) { &NAMES[..4] } else { &NAMES };
        segments.push(match dice.below(100) {
            0..25 => Segment::Any,
            25..33 => Segment::Json,
            _ => Segment::Key((*dice.pick(names)).to_owned()),
        });
    }
    segments
}

fn payload(dice: &mut Dice, depth: u64) -> Json {
    match if depth == 0 { dice.below(4) } else { dice.below(10) } {
        0 => json!(dice.below(4)),
        1 => json!(dice.percent(50)),
        2 => json!(*dice.pick(&["a", "1", "", "plain text"])),
        3 => Json::Null,
        4 => json!(payload(dice, depth - 1).to_string()),
        5 | 6 => Json::Array((0..dice.below(4)).map(|_| payload(dice, depth - 1)).collect()),
        _ => {
            let mut members = serde_json::Map::new();
            for _ in 0..dice.below(6) {
                let pool: &[&str] = match dice.below(10) {
                    0 => &SECRETS,
                    1 | 2 => &NAMES,
                    _ => &NAMES[..4],
                };
                members.insert((*dice.pick(pool)).to_owned(), payload(dice, depth - 1));
            }
            if dice.percent(40) {
                let kind = *dice.pick(&["1", "2", "true", "\"a\"", "\"1\"", "[1]"]);
                members.insert("type".to_owned(), serde_json::from_str(kind).unwrap());
            }
            Json::Object(members)
        }
    }
}

/// A table for these paths; `None` where two of them mean the same place.
fn compiled(dice: &mut Dice, paths: &[Vec<Segment>]) -> Option<(Vec<u8>, Vec<String>, Vec<Declared>)> {
    let mut text = String::from("[stream.s]\n");
    let mut declared: Vec<Declared> = Vec::new();
    let mut names = Vec::new();
    for (at, segments) in paths.iter().enumerate() {
        let line = written(dice, segments);
        let parsed = Path::parse(&line).unwrap();
        assert_eq!(parsed.segments(), segments, "{line}");
        assert_eq!(Path::parse(&parsed.to_string()).unwrap(), parsed, "{line} as {parsed}");
        if at == 0 && dice.percent(50) {
            writeln!(text, "captured = {line:?}").unwrap();
            declared.push((parsed, None));
        } else {
            let name = format!("i{at}");
            writeln!(text, "[item.{name}]\nstream = \"s\"\nat = {line:?}").unwrap();
            declared.push((parsed, Some(name.clone())));
            names.push(name);
        }
    }
    // Items before streams would be as good; TOML asks only that a key stands in its table.
    let reading = read(&text);
    let compiled = compile(&reading.manifest, &text, &Ordinals::default(), &BTreeSet::new());
    let mut numbered = vec![String::new(); names.len()];
    for name in names {
        let number = compiled.ordinals.item(&name).unwrap();
        numbered[usize::from(number)] = name;
    }
    compiled.problems.is_empty().then_some((compiled.table, numbered, declared))
}

// ---- the walk

fn as_value(json: &Json) -> Option<Value<'_>> {
    match json {
        Json::Null => Some(Value::Null),
        Json::Bool(yes) => Some(Value::Bool(*yes)),
        Json::Number(number) => Decimal::parse(&number.to_string()).map(Value::Number),
        Json::String(text) => Some(Value::Text(text)),
        Json::Array(_) | Json::Object(_) => None,
    }
}

struct Walk<'a, 't> {
    matcher: Matcher<'a, 't>,
    items: &'a [String],
    here: Vec<Step>,
    report: Report,
}

impl Walk<'_, '_> {
    fn say(&mut self, said: Said) {
        let before = self.report.insert(self.here.clone(), said);
        assert_eq!(before, None, "{:?} was reported twice", self.here);
    }

    fn found(&mut self, found: Found) -> bool {
        match found {
            Found::Inside(_) | Found::Json(_) => return true,
            Found::Undeclared(place) => {
                let shape = self.matcher.shape(place);
                assert!(!SECRETS.iter().any(|name| shape.contains(name)), "{shape} tells of the payload");
                self.say(Said::Undeclared);
            }
            Found::Leaf(item, marks) => {
                let name = item.map(|ItemId(number)| self.items[usize::from(number)].clone());
                self.say(Said::Leaf(name, marks.0));
            }
        }
        false
    }

    fn inside(&mut self, step: Step, value: &Json) -> Result<(), Limit> {
        self.here.push(step);
        self.value(value)?;
        self.here.pop();
        Ok(())
    }

    fn value(&mut self, value: &Json) -> Result<(), Limit> {
        match value {
            Json::Object(members) => {
                let found = self.matcher.begin_object(|name| members.get(name).and_then(as_value))?;
                if self.found(found) {
                    for (name, member) in members {
                        self.matcher.key(name);
                        self.inside(Step::Member(name.clone()), member)?;
                    }
                    self.matcher.end();
                }
            }
            Json::Array(values) => {
                let found = self.matcher.begin_array()?;
                if self.found(found) {
                    for (at, value) in values.iter().enumerate() {
                        self.inside(Step::Position(at), value)?;
                    }
                    self.matcher.end();
                }
            }
            scalar => {
                let found = self.matcher.scalar(scalar.is_string())?;
                if self.found(found) {
                    match scalar.as_str().map(serde_json::from_str::<Json>) {
                        Some(Ok(json)) => self.inside(Step::Json, &json)?,
                        // A text that was to hold JSON and does not is nothing that was declared.
                        _ => self.say(Said::Undeclared),
                    }
                    self.matcher.end();
                }
            }
        }
        Ok(())
    }
}

fn walked(table: &Table<'_>, items: &[String], payload: &Json) -> Result<Report, Limit> {
    let matcher = Matcher::new(table, StreamId(0));
    let mut walk = Walk { matcher, items, here: Vec::new(), report: Report::new() };
    walk.value(payload)?;
    Ok(walk.report)
}

// ---- the reference

/// What is left of a path after these steps into a payload; `None` where it leads elsewhere.
fn rest<'p>(segments: &'p [Segment], value: &Json, steps: &[Step]) -> Option<&'p [Segment]> {
    let Some((step, further)) = steps.split_first() else { return Some(segments) };
    let (segment, after) = segments.split_first()?;
    match (segment, step, value) {
        (Segment::When { member, value: wanted }, _, Json::Object(members)) => {
            let holds = match members.get(member)? {
                Json::String(text) => text == wanted,
                Json::Bool(yes) => yes.to_string() == *wanted,
                Json::Number(number) => number.to_string() == *wanted,
                _ => false,
            };
            if holds { rest(after, value, steps) } else { None }
        }
        (Segment::Any, Step::Member(name), _) => rest(after, &value[name], further),
        (Segment::Any, Step::Position(at), _) => rest(after, &value[at], further),
        (Segment::Key(key), Step::Member(name), _) if key == name => rest(after, &value[name], further),
        (Segment::Key(key), Step::Position(at), _) if *key == at.to_string() => {
            rest(after, &value[at], further)
        }
        (Segment::Json, Step::Json, Json::String(text)) => {
            rest(after, &serde_json::from_str(text).unwrap(), further)
        }
        _ => None,
    }
}

fn expected(declared: &[Declared], root: &Json, value: &Json, here: &mut Vec<Step>, report: &mut Report) {
    let rests: Vec<(&[Segment], &Declared)> = declared
        .iter()
        .filter_map(|one| rest(one.0.segments(), root, here).map(|rest| (rest, one)))
        .collect();
    if rests.is_empty() && !here.is_empty() {
        report.insert(here.clone(), Said::Undeclared);
        return;
    }
    let mut inside = |step: Step, value: &Json| {
        here.push(step);
        expected(declared, root, value, here, report);
        here.pop();
    };
    match value {
        Json::Object(members) => {
            members.iter().for_each(|(name, value)| inside(Step::Member(name.clone()), value));
        }
        Json::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| inside(Step::Position(at), value));
        }
        Json::String(text) if rests.iter().any(|(rest, _)| rest.first() == Some(&Segment::Json)) => {
            match serde_json::from_str(text) {
                Ok(json) => inside(Step::Json, &json),
                Err(_) => {
                    report.insert(here.clone(), Said::Undeclared);
                }
            }
        }
        _ => {
            report.insert(here.clone(), at_the_end(&rests));
        }
    }
}

/// Of the paths that end here the most exact one tells the item: a name before a wildcard at the
/// first step where they differ, then the one that asks for more.
fn at_the_end(rests: &[(&[Segment], &Declared)]) -> Said {
    let ending: Vec<&Declared> =
        rests.iter().filter(|(rest, _)| rest.is_empty()).map(|(_, one)| *one).collect();
    if ending.is_empty() {
        return Said::Undeclared;
    }
    let marks = if ending.iter().any(|(_, item)| item.is_none()) { Marks::CAPTURED } else { 0 };
    let mut items: Vec<(String, &String)> = ending
        .iter()
        .filter_map(|(path, item)| {
            let steps = path.segments().iter().filter(|s| !matches!(s, Segment::When { .. }));
            let wild: String = steps.map(|s| if *s == Segment::Any { 'w' } else { 'n' }).collect();
            let conditions = path.segments().len() - wild.len();
            item.as_ref().map(|item| (format!("{wild}{:03}", 999 - conditions), item))
        })
        .collect();
    items.sort();
    if let [(one, first), (other, second), ..] = items.as_slice() {
        assert!(one != other, "{first} and {second} are equally exact, and nobody was told");
    }
    Said::Leaf(items.first().map(|(_, item)| (*item).clone()), marks)
}

#[test]
fn the_matcher_finds_what_the_paths_say() {
    let (mut sets, mut leaves, mut undeclared, mut in_json) = (0, 0, 0, 0);
    for seed in 0..6_000 {
        let mut dice = Dice::of(seed);
        let paths: Vec<Vec<Segment>> = (0..dice.from_to(1, 6)).map(|_| path(&mut dice)).collect();
        let Some((table, items, declared)) = compiled(&mut dice, &paths) else { continue };
        let table = Table::read(&table).unwrap();
        sets += 1;
        for _ in 0..8 {
            let payload = payload(&mut dice, 5);
            let mut report = Report::new();
            expected(&declared, &payload, &payload, &mut Vec::new(), &mut report);
            let found = walked(&table, &items, &payload).unwrap_or_else(|limit| panic!("{limit}"));
            assert_eq!(found, report, "seed {seed}\n{paths:?}\n{payload}");
            for (steps, said) in &found {
                leaves += u32::from(*said != Said::Undeclared);
                undeclared += u32::from(*said == Said::Undeclared);
                in_json += u32::from(*said != Said::Undeclared && steps.contains(&Step::Json));
            }
        }
    }
    println!("{sets} sets of paths, {leaves} leaves ({in_json} inside JSON texts), {undeclared} undeclared");
    assert!(sets > 3_000 && leaves > 5_000 && undeclared > 5_000 && in_json > 200);
}

#[test]
fn an_unknown_stream_declares_nothing() {
    let (table, items, _) = compiled(&mut Dice::of(1), &[vec![Segment::Any]]).unwrap();
    let table = Table::read(&table).unwrap();
    let payload = json!({ "a": 1, "b": { "c": 2 } });
    let mut walk = Walk {
        matcher: Matcher::new(&table, StreamId(7)),
        items: &items,
        here: Vec::new(),
        report: Report::new(),
    };
    walk.value(&payload).unwrap_or_else(|limit| panic!("{limit}"));
    assert_eq!(walk.report, Report::from([(Vec::new(), Said::Undeclared)]));
}

#[test]
fn the_limits_hold() {
    // As deep as a path can lead, and one deeper.
    let deep = vec![Segment::Any; 31];
    let (table, items, _) = compiled(&mut Dice::of(3), std::slice::from_ref(&deep)).unwrap();
    let table = Table::read(&table).unwrap();
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    for (levels, end) in [(31, true), (32, false), (200, false)] {
        let report = walked(&table, &items, &nested(levels)).unwrap_or_else(|limit| panic!("{limit}"));
        assert_eq!(report.len(), 1);
        assert_eq!(report.values().all(|said| *said != Said::Undeclared), end, "{levels} levels");
    }
    // As many values as a payload may hold, the array itself among them, and one more.
    let (table, items, _) = compiled(&mut Dice::of(3), &[vec![Segment::Any]]).unwrap();
    let table = Table::read(&table).unwrap();
    let many = |count: u32| Json::Array((1..count).map(|_| json!(0)).collect());
    assert!(walked(&table, &items, &many(VALUES_MAX)).is_ok());
    assert_eq!(walked(&table, &items, &many(VALUES_MAX + 1)), Err(Limit::Values));
}
