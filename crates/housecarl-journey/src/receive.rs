//! Receive: the payload is within its limits and decoded; nothing is written.

pub(crate) mod tokens;

use std::fmt;

use housecarl_policy::path::{Found, Limit, Marks, Matcher};
use housecarl_policy::{Decimal, ItemId, StreamId, Table, Value};
use serde_json::Value as Json;

use self::tokens::Token;

/// The largest payload, in bytes.
pub const PAYLOAD_MAX: usize = 1 << 20;

/// A decoded payload. It still holds everything the device sent.
pub struct Received<'p> {
    tokens: Vec<Token<'p>>,
}

impl fmt::Debug for Received<'_> {
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
pub fn receive(payload: &[u8]) -> Result<Received<'_>, Unreadable> {
    if payload.iter().all(u8::is_ascii_whitespace) {
        return Err(Unreadable::Empty);
    }
    if payload.len() > PAYLOAD_MAX {
        return Err(Unreadable::TooLong);
    }
    let tokens = tokens::read(payload)
        .map_err(|error| Unreadable::NotJson { line: error.line(), column: error.column() })?;
    Ok(Received { tokens })
}

impl Received<'_> {
    /// How many declared values of a stream stand in the payload. A gateway knows the stream by
    /// the topic; who replays a file without one takes the stream that finds the most.
    ///
    /// # Errors
    /// [`Unreadable::Beyond`] where the payload goes beyond what a message may be.
    pub fn declared_values(&self, table: &Table<'_>, stream: StreamId) -> Result<usize, Unreadable> {
        let mut count = Count(0);
        self.walk(&mut Matcher::new(table, stream), &mut count)?;
        Ok(count.0)
    }

    /// Walks the payload and hands on what was declared, and only how much was not.
    pub(crate) fn walk(&self, matcher: &mut Matcher<'_, '_>, meet: &mut impl Meet) -> Result<(), Unreadable> {
        tokens::first(&self.tokens).map_or(Ok(()), |(token, inside, _)| walk(token, inside, matcher, meet))
    }
}

/// What a walk through a payload meets.
pub(crate) trait Meet {
    /// A value of an item, or with another mark.
    fn value(&mut self, item: Option<ItemId>, marks: Marks, value: &Token<'_>);
    /// Something that was not declared, inside a place of this declared shape.
    fn undeclared(&mut self, shape: &str);
    /// A record of a batch begins or ends.
    fn record(&mut self, begins: bool);
}

struct Count(usize);

impl Meet for Count {
    fn value(&mut self, item: Option<ItemId>, marks: Marks, value: &Token<'_>) {
        let is_there = !marks.has(Marks::CERTAINTY) && !matches!(value, Token::Null);
        self.0 += usize::from(item.is_some() && is_there);
    }
    fn undeclared(&mut self, _: &str) {}
    fn record(&mut self, _: bool) {}
}

fn walk(
    token: &Token<'_>,
    inside: &[Token<'_>],
    matcher: &mut Matcher<'_, '_>,
    meet: &mut impl Meet,
) -> Result<(), Unreadable> {
    let found = match token {
        Token::Object(_) => matcher.begin_object(|name| member(inside, name)),
        Token::Array(_) => matcher.begin_array(),
        _ => matcher.scalar(matches!(token, Token::Text(_))),
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
    match (token, leaf) {
        (_, Some(item)) => meet.value(item, marks, token),
        (Token::Object(_), None) => {
            for (name, value, inside) in tokens::members(inside) {
                matcher.key(name);
                walk(value, inside, matcher, meet)?;
            }
            matcher.end();
        }
        (Token::Array(_), None) => {
            let mut left = inside;
            while let Some((item, inside, after)) = tokens::first(left) {
                walk(item, inside, matcher, meet)?;
                left = after;
            }
            matcher.end();
        }
        (Token::Text(text), None) => {
            // JSON inside a text: what does not parse declares nothing, and nothing of it passes.
            match tokens::read(text.as_bytes()) {
                Ok(inner) => {
                    if let Some((token, inside, _)) = tokens::first(&inner) {
                        walk(token, inside, matcher, meet)?;
                    }
                }
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

/// The value of a direct member of an object, where it is a scalar.
fn member<'t>(inside: &'t [Token<'_>], wanted: &str) -> Option<Value<'t>> {
    tokens::members(inside).find(|(name, ..)| *name == wanted)?.1.value()
}

/// The value of a scalar of a tree; `None` for an object, an array, or a number that no decimal can hold.
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
