//! Receive: the payload is within its limits and decoded; nothing is written.

use std::fmt;

use housecarl_policy::path::{Found, Limit, Marks, Matcher};
use housecarl_policy::{Decimal, ItemId, StreamId, Table, Value};
use serde_json::Value as Json;

/// The largest payload, in bytes.
pub const PAYLOAD_MAX: usize = 1 << 20;

/// A decoded payload. It still holds everything the device sent.
pub struct Received {
    pub(crate) json: Json,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Received")
    }
}

/// Why a payload cannot be read. It holds nothing of the payload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// Nothing there.
    Empty,
    /// Larger than [`PAYLOAD_MAX`].
    TooLong,
    /// Not JSON; the line and column where it stops being JSON.
    NotJson {
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
    },
    /// Nested too deep, or too many values.
    Beyond(Limit),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the payload is empty"),
            Self::TooLong => write!(f, "the payload is longer than {PAYLOAD_MAX} bytes"),
            Self::NotJson { line, column } => {
                write!(f, "the payload is not JSON from line {line}, column {column}")
            }
            Self::Beyond(limit) => write!(f, "the payload is {limit}"),
        }
    }
}

impl std::error::Error for Unreadable {}

/// Decodes a payload.
///
/// # Errors
/// [`Unreadable`], which is the device's fault and says nothing of the payload.
pub fn receive(payload: &[u8]) -> Result<Received, Unreadable> {
    if payload.iter().all(u8::is_ascii_whitespace) {
        return Err(Unreadable::Empty);
    }
    if payload.len() > PAYLOAD_MAX {
        return Err(Unreadable::TooLong);
    }
    let json = serde_json::from_slice(payload)
        .map_err(|error| Unreadable::NotJson { line: error.line(), column: error.column() })?;
    Ok(Received { json })
}

impl Received {
    /// How many declared values of a stream stand in the payload. A gateway knows the stream by
    /// the topic; who replays a file without one takes the stream that finds the most.
    ///
    /// # Errors
    /// [`Unreadable::Beyond`] where the payload goes beyond what a message may be.
    pub fn declared_values(&self, table: &Table<'_>, stream: StreamId) -> Result<usize, Unreadable> {
        let mut count = Count(0);
        walk(&self.json, &mut Matcher::new(table, stream), &mut count)?;
        Ok(count.0)
    }
}

/// What a walk through a payload meets.
pub(crate) trait Meet {
    /// A value of an item, or with another mark.
    fn value(&mut self, item: Option<ItemId>, marks: Marks, value: &Json);
    /// Something that was not declared, inside a place of this declared shape.
    fn undeclared(&mut self, shape: &str);
    /// A record of a batch begins or ends.
    fn record(&mut self, begins: bool);
}

struct Count(usize);

impl Meet for Count {
    fn value(&mut self, item: Option<ItemId>, marks: Marks, value: &Json) {
        self.0 += usize::from(item.is_some() && !marks.has(Marks::CERTAINTY) && !value.is_null());
    }
    fn undeclared(&mut self, _: &str) {}
    fn record(&mut self, _: bool) {}
}

/// Walks a payload and hands on what was declared, and only how much was not.
pub(crate) fn walk(
    json: &Json,
    matcher: &mut Matcher<'_, '_>,
    meet: &mut impl Meet,
) -> Result<(), Unreadable> {
    let found = match json {
        Json::Object(members) => matcher.begin_object(|name| members.get(name).and_then(value)),
        Json::Array(_) => matcher.begin_array(),
        _ => matcher.scalar(json.is_string()),
    }
    .map_err(Unreadable::Beyond)?;
    let (marks, leaf) = match found {
        Found::Undeclared(place) => {
            meet.undeclared(matcher.shape(place));
            return Ok(());
        }
        Found::Inside(marks) | Found::Json(marks) => (marks, None),
        Found::Leaf(item, marks) => (marks, Some(item)),
    };
    let record = marks.has(Marks::RECORD);
    if record {
        meet.record(true);
    }
    match (json, leaf) {
        (_, Some(item)) => meet.value(item, marks, json),
        (Json::Object(members), None) => {
            for (name, member) in members {
                matcher.key(name);
                walk(member, matcher, meet)?;
            }
            matcher.end();
        }
        (Json::Array(items), None) => {
            for item in items {
                walk(item, matcher, meet)?;
            }
            matcher.end();
        }
        (Json::String(text), None) => {
            // JSON inside a text: what does not parse declares nothing, and nothing of it passes.
            match serde_json::from_str::<Json>(text) {
                Ok(inner) => walk(&inner, matcher, meet)?,
                Err(_) => meet.undeclared("(json)"),
            }
            matcher.end();
        }
        _ => {}
    }
    if record {
        meet.record(false);
    }
    Ok(())
}

/// The value of a scalar; `None` for an object, an array, or a number that no decimal can hold.
pub fn value(json: &Json) -> Option<Value<'_>> {
    match json {
        Json::Null => Some(Value::Null),
        Json::Bool(bool) => Some(Value::Bool(*bool)),
        Json::String(text) => Some(Value::Text(text)),
        Json::Number(number) => number
            .as_i64()
            .map(Decimal::whole)
            // The shortest form that reads back as the same float is what the device wrote.
            .or_else(|| number.as_f64().and_then(|float| Decimal::parse(&float.to_string())))
            .map(Value::Number),
        Json::Array(_) | Json::Object(_) => None,
    }
}
