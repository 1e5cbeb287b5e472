//! Changes to an input that leave most of its form standing.
//!
//! Bytes changed at random hardly ever leave a document that reads, and what a document breaks
//! first hides all that lies behind. So half of the inputs start again from a whole document and
//! are changed where that mostly keeps it whole; the other half go on from what the fuzzer found
//! interesting, and are changed anywhere.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

/// What a mutator works on, as libFuzzer hands it over.
#[derive(Debug)]
pub struct Input<'d> {
    /// The room for the input; the input is its first `size` bytes.
    pub data: &'d mut [u8],
    /// How long the input is.
    pub size: usize,
    /// How long it may become.
    pub max_size: usize,
    /// What every choice follows from.
    pub seed: u32,
}

impl Input<'_> {
    fn text(&self) -> Option<&str> {
        self.data.get(..self.size).and_then(|text| str::from_utf8(text).ok())
    }

    /// Changes bytes, as libFuzzer does of itself.
    fn blindly(self) -> usize {
        libfuzzer_sys::fuzzer_mutate(self.data, self.size, self.max_size)
    }

    /// Replaces the input, or leaves it where the new one is too long. The length.
    fn become_text(self, text: &str) -> usize {
        match self.data.get_mut(..text.len()) {
            Some(place) if text.len() <= self.max_size => {
                place.copy_from_slice(text.as_bytes());
                text.len()
            }
            _ => self.size,
        }
    }
}

/// Changes a document in TOML. `whole` are documents that read.
pub fn toml(input: Input<'_>, whole: &[&str]) -> usize {
    let mut dice = Dice::new(input.seed);
    let (mut text, gently) = match start(&input, whole, &mut dice) {
        Start::Whole(text) => (text.to_owned(), true),
        Start::Here(text) => (text.to_owned(), false),
        Start::Blindly => return input.blindly(),
    };
    for _ in 0..=dice.below(3) {
        text = if gently { change_gently(&text, &mut dice) } else { change_a_line(&text, &mut dice) };
    }
    input.become_text(&text)
}

/// Changes a document in JSON. `whole` are documents that read.
pub fn json(input: Input<'_>, whole: &[&str]) -> usize {
    let mut dice = Dice::new(input.seed);
    let (text, gently) = match start(&input, whole, &mut dice) {
        Start::Whole(text) => (text, true),
        Start::Here(text) => (text, false),
        Start::Blindly => return input.blindly(),
    };
    let Ok(mut document) = serde_json::from_str(text) else { return input.blindly() };
    for _ in 0..=dice.below(3) {
        change_a_value(&mut document, gently, &mut dice);
    }
    let changed = document.to_string();
    input.become_text(&changed)
}

enum Start<'t> {
    Whole(&'t str),
    Here(&'t str),
    Blindly,
}

fn start<'t>(input: &'t Input<'_>, whole: &[&'t str], dice: &mut Dice) -> Start<'t> {
    match (dice.below(8), input.text()) {
        (0..5, _) => whole.get(dice.below(whole.len())).map_or(Start::Blindly, |text| Start::Whole(text)),
        (5..7, Some(text)) if !text.is_empty() => Start::Here(text),
        _ => Start::Blindly,
    }
}

/// Changes what a document may mostly have otherwise: order, numbers, free text.
fn change_gently(text: &str, dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => {
            let mut tables: Vec<&str> = text.split("\n\n").collect();
            // The first holds the keys of the root, which stand before any table.
            let (at, other) = (dice.below(tables.len()).max(1), dice.below(tables.len()).max(1));
            if at < tables.len() && other < tables.len() {
                tables.swap(at, other);
            }
            tables.join("\n\n")
        }
        1 => replace_one(text, dice, |line, c| c.is_ascii_digit() && !line.starts_with('['), b'0'..=b'9'),
        2 => replace_one(text, dice, |line, c| line.contains(' ') && c.is_ascii_uppercase(), b'A'..=b'Z'),
        // The value of the same key elsewhere.
        _ => {
            let lines: Vec<&str> = text.lines().collect();
            let at = dice.below(lines.len());
            let key = |line: &&str| line.split_once(" = ").map(|(key, _)| key.to_owned());
            let wanted = lines.get(at).and_then(key);
            let same: Vec<&str> =
                lines.iter().filter(|line| wanted.is_some() && key(line) == wanted).copied().collect();
            with_line(&lines, at, same.get(dice.below(same.len())).copied())
        }
    }
}

/// Replaces one of the characters that `fits`, given its line, by one out of a range.
fn replace_one(text: &str, dice: &mut Dice, fits: fn(&str, char) -> bool, by: RangeInclusive<u8>) -> String {
    let mut places = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let fitting = line.char_indices().filter(|(_, c)| fits(line, *c));
        places.extend(fitting.map(|(at, _)| start + at));
        start += line.len();
    }
    let Some(at) = places.get(dice.below(places.len())) else { return text.to_owned() };
    let new = by.start() + u8::try_from(dice.below(by.len())).unwrap_or(0);
    let mut changed = text.to_owned();
    changed.replace_range(at..=at, char::from(new).encode_utf8(&mut [0; 4]));
    changed
}

/// Moves, drops, repeats or spoils a line.
fn change_a_line(text: &str, dice: &mut Dice) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let (at, other) = (dice.below(lines.len()), dice.below(lines.len()));
    let (Some(&line), Some(&donor)) = (lines.get(at), lines.get(other)) else {
        return text.to_owned();
    };
    match dice.below(5) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(other, line),
        2 => lines.swap(at, other),
        3 => {
            let exchanged = match (line.split_once('='), donor.split_once('=')) {
                (Some((key, _)), Some((_, value))) => format!("{key}={value}"),
                _ => line.to_owned(),
            };
            return with_line(&lines, at, Some(&exchanged));
        }
        _ => return replace_one(text, dice, |_, c| c.is_ascii() && c != '\n', b' '..=b'~'),
    }
    lines.join("\n")
}

fn with_line(lines: &[&str], at: usize, new: Option<&str>) -> String {
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        text.push_str(if number == at { new.unwrap_or(line) } else { line });
        text.push('\n');
    }
    text
}

/// Changes a value somewhere in a document; gently, only a value that has none inside.
fn change_a_value(value: &mut Value, gently: bool, dice: &mut Dice) {
    if gently || dice.below(4) != 0 {
        let inside = match value {
            Value::Array(items) => {
                let at = dice.below(items.len());
                items.get_mut(at)
            }
            Value::Object(members) => {
                let at = dice.below(members.len());
                members.values_mut().nth(at)
            }
            _ => None,
        };
        if let Some(inside) = inside {
            return change_a_value(inside, gently, dice);
        }
    }
    match (dice.below(4), &mut *value) {
        (0, Value::Array(items)) => items.extend(items.last().cloned()),
        (1, Value::Array(items)) => drop(items.pop()),
        (0 | 1, Value::Object(members)) => {
            // A member takes the name of another: what is declared and what is not change places.
            let from = members.keys().nth(dice.below(members.len())).cloned();
            let to = members.keys().nth(dice.below(members.len())).cloned();
            if let Some((from, to)) = from.zip(to)
                && let Some(moved) = members.remove(&from)
            {
                members.insert(if from == to { format!("{to}x") } else { to }, moved);
            }
        }
        (2, whole) => *value = Value::Array(vec![whole.clone()]),
        _ => *value = leaf(dice),
    }
}

fn leaf(dice: &mut Dice) -> Value {
    match dice.below(9) {
        0 => Value::Null,
        1 => Value::Bool(true),
        2 => Value::from(dice.below(1 << 32)),
        3 => Value::from(i64::MIN),
        4 => Value::from(0.1),
        5 => Value::from(1e300),
        6 => Value::from("2026-02-01T10:15:00Z"),
        7 => Value::from(r#"{"hr":61,"x":[1]}"#),
        _ => Value::Object(Map::new()),
    }
}

/// Repeatable random numbers: libFuzzer's seed decides all of them (xorshift32).
#[derive(Debug)]
pub struct Dice(u32);

impl Dice {
    /// Starts from a seed; xorshift stands still at zero, so zero is moved.
    pub fn new(seed: u32) -> Self {
        Self(seed | 1)
    }

    /// A number below `end`, or 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        usize::try_from(self.0).unwrap_or(0).checked_rem(end).unwrap_or(0)
    }
}
