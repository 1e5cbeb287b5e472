//! A decoded payload as tokens, one after the other: one allocation for all of it, and texts without
//! escapes stay where they arrived.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use housecarl_policy::{Decimal, Value};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// What stands at one point of a payload.
pub(crate) enum Token<'p> {
    Null,
    Bool(bool),
    Whole(i64),
    /// A number that is not whole, or larger than a whole one may be.
    Float(f64),
    Text(Cow<'p, str>),
    /// An array. So many tokens after it are inside.
    Array(usize),
    /// An object, likewise: in turn a name, which is a text, and its value.
    Object(usize),
}

/// A payload takes about one token for so many bytes.
const BYTES_A_TOKEN: usize = 8;

/// Decodes a payload. Where an object has a name twice, the last value stands at the first place.
pub(super) fn read(payload: &[u8]) -> Result<Vec<Token<'_>>, serde_json::Error> {
    let mut tokens = Vec::with_capacity(payload.len() / BYTES_A_TOKEN);
    let mut json = serde_json::Deserializer::from_slice(payload);
    Append(&mut tokens).deserialize(&mut json)?;
    json.end()?;
    Ok(tokens)
}

/// The value at the front: its token, what is inside it, and what comes after it.
pub(crate) fn first<'t, 'p>(
    tokens: &'t [Token<'p>],
) -> Option<(&'t Token<'p>, &'t [Token<'p>], &'t [Token<'p>])> {
    let (token, rest) = tokens.split_first()?;
    let inside = match token {
        Token::Array(inside) | Token::Object(inside) => *inside,
        _ => 0,
    };
    let (inside, after) = rest.split_at_checked(inside)?;
    Some((token, inside, after))
}

/// The members of an object, of which this is inside: each name with its value and what is inside that.
pub(crate) fn members<'t, 'p>(
    mut tokens: &'t [Token<'p>],
) -> impl Iterator<Item = (&'t str, &'t Token<'p>, &'t [Token<'p>])> {
    std::iter::from_fn(move || {
        let (name, rest) = tokens.split_first()?;
        let (value, inside, after) = first(rest)?;
        tokens = after;
        let Token::Text(name) = name else { return None };
        Some((name.as_ref(), value, inside))
    })
}

impl Token<'_> {
    /// The value of a scalar; `None` for an object, an array, or a number that no decimal can hold.
    pub(crate) fn value(&self) -> Option<Value<'_>> {
        match self {
            Self::Null => Some(Value::Null),
            Self::Bool(bool) => Some(Value::Bool(*bool)),
            Self::Text(text) => Some(Value::Text(text)),
            Self::Whole(whole) => Some(Value::Number(Decimal::whole(*whole))),
            // The shortest form that reads back as the same float is what the device wrote.
            Self::Float(float) => Decimal::parse(&float.to_string()).map(Value::Number),
            Self::Array(_) | Self::Object(_) => None,
        }
    }
}

/// Appends a value.
struct Append<'t, 'p>(&'t mut Vec<Token<'p>>);

impl<'p> DeserializeSeed<'p> for Append<'_, 'p> {
    type Value = ();

    fn deserialize<D: Deserializer<'p>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'p> Visitor<'p> for Append<'_, 'p> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push(Token::Null);
        Ok(())
    }

    fn visit_bool<E>(self, bool: bool) -> Result<(), E> {
        self.0.push(Token::Bool(bool));
        Ok(())
    }

    fn visit_i64<E>(self, whole: i64) -> Result<(), E> {
        self.0.push(Token::Whole(whole));
        Ok(())
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "what is larger than an `i64` is decided about as a float"
    )]
    fn visit_u64<E>(self, whole: u64) -> Result<(), E> {
        self.0.push(i64::try_from(whole).map_or(Token::Float(whole as f64), Token::Whole));
        Ok(())
    }

    fn visit_f64<E>(self, float: f64) -> Result<(), E> {
        self.0.push(Token::Float(float));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'p str) -> Result<(), E> {
        self.0.push(Token::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.push(Token::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'p>>(self, mut items: A) -> Result<(), A::Error> {
        let Self(tokens) = self;
        let at = tokens.len();
        tokens.push(Token::Array(0));
        while items.next_element_seed(Append(tokens))?.is_some() {}
        close(tokens, at, Token::Array);
        Ok(())
    }

    fn visit_map<A: MapAccess<'p>>(self, mut members: A) -> Result<(), A::Error> {
        let Self(tokens) = self;
        let at = tokens.len();
        tokens.push(Token::Object(0));
        // Names that look different are; those that look alike are compared when all are there.
        let (mut looks, mut alike) = ([false; 256], false);
        loop {
            let name = tokens.len();
            if members.next_key_seed(Append(tokens))?.is_none() {
                break;
            }
            if let Some(Token::Text(name)) = tokens.get(name)
                && let Some(look) = looks.get_mut(usize::from(look_of(name.as_bytes())))
            {
                alike |= std::mem::replace(look, true);
            }
            members.next_value_seed(Append(tokens))?;
        }
        if alike {
            keep_last(tokens, at);
        }
        close(tokens, at, Token::Object);
        Ok(())
    }
}

/// Writes into the token of an array or object how many are inside.
fn close<'p>(tokens: &mut [Token<'p>], at: usize, token: fn(usize) -> Token<'p>) {
    let inside = tokens.len().saturating_sub(at).saturating_sub(1);
    if let Some(open) = tokens.get_mut(at) {
        *open = token(inside);
    }
}

/// One of 256 looks of a name.
fn look_of(name: &[u8]) -> u8 {
    let byte = |at: usize| name.get(at).copied().unwrap_or(0);
    let (middle, last) = (byte(name.len() / 2), name.last().copied().unwrap_or(0));
    let look = byte(0).wrapping_mul(31).wrapping_add(middle).wrapping_mul(31).wrapping_add(last);
    look.wrapping_mul(31).wrapping_add(name.len().to_le_bytes()[0])
}

/// Leaves each member of the object at `at` once.
fn keep_last<'p>(tokens: &mut Vec<Token<'p>>, at: usize) {
    let inside = tokens.split_off(at.saturating_add(1));
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut last, mut twice) = (Vec::new(), false);
    let mut left = inside.as_slice();
    while let Some((Token::Text(name), rest)) = left.split_first() {
        let Some((_, _, after)) = first(rest) else { break };
        let member = left.len()..after.len();
        match places.get(name.as_ref()) {
            Some(place) => {
                twice = true;
                if let Some(earlier) = last.get_mut(*place) {
                    *earlier = member;
                }
            }
            None => {
                places.insert(name.as_ref(), last.len());
                last.push(member);
            }
        }
        left = after;
    }
    if !twice {
        tokens.extend(inside);
        return;
    }
    drop(places);
    // Counted from the end, as what is left of a slice is.
    let len = inside.len();
    let mut inside: Vec<Option<Token<'p>>> = inside.into_iter().map(Some).collect();
    for member in last {
        let member = len.saturating_sub(member.start)..len.saturating_sub(member.end);
        tokens.extend(inside.get_mut(member).into_iter().flatten().filter_map(Option::take));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;
    use serde_json::Value as Json;

    /// The same as a tree.
    fn tree(token: &Token<'_>, inside: &[Token<'_>]) -> Json {
        match token {
            Token::Null => Json::Null,
            Token::Bool(bool) => (*bool).into(),
            Token::Whole(whole) => (*whole).into(),
            Token::Float(float) => (*float).into(),
            Token::Text(text) => text.as_ref().into(),
            Token::Array(_) => {
                let (mut items, mut left) = (Vec::new(), inside);
                while let Some((item, inside, after)) = first(left) {
                    items.push(tree(item, inside));
                    left = after;
                }
                items.into()
            }
            Token::Object(_) => {
                let members =
                    members(inside).map(|(name, value, inside)| (name.to_owned(), tree(value, inside)));
                Json::Object(members.collect())
            }
        }
    }

    #[test]
    fn tokens_say_what_a_tree_says() {
        let many: String = (0..400).map(|name| format!(r#""{}": {name}, "#, name % 150)).collect();
        for payload in [
            "null",
            "[]",
            "{}",
            "-7",
            "1.5e3",
            "9223372036854775807",
            r#"" text \u00e9 ""#,
            r#"[1, [2, {"a": [], "b": {}}], "x", true, null]"#,
            r#"{"a": {"b": [1, {"c": null}]}, "d": "e"}"#,
            // The last value at the first place, as a tree has it.
            r#"{"a": 1, "b": 2, "a": {"c": [3, 3]}}"#,
            r#"{"a": {"x": [1, 2, 3], "x": 4}, "b": 2, "a": 5, "a": {"y": 6, "z": 7, "y": [8]}}"#,
            // They look alike and are not.
            r#"{"axb": 1, "ayb": 2, "axxb": 3, "axyb": 4}"#,
            r#"{"": 1, "": 2}"#,
            &format!("{{{many}\"end\": []}}"),
        ] {
            let tokens = read(payload.as_bytes()).unwrap();
            let (token, inside, after) = first(&tokens).unwrap();
            assert!(after.is_empty(), "{payload}");
            let expected: Json = serde_json::from_str(payload).unwrap();
            assert_eq!(tree(token, inside).to_string(), expected.to_string(), "{payload}");
        }
        assert!(
            matches!(read(b"18446744073709551615").unwrap()[..], [Token::Float(float)] if float == 2_f64.powi(64))
        );
    }

    #[test]
    fn what_is_no_json_is_refused_where_a_tree_is() {
        let deep = "[".repeat(200);
        for payload in ["", "{", "[1,]", "{\"a\":}", "nul", "1 2", "\"\u{7}\"", "1e400", &deep] {
            let place = |error: serde_json::Error| (error.line(), error.column());
            let ours = read(payload.as_bytes()).map(drop).map_err(place);
            assert_eq!(ours, serde_json::from_str::<Json>(payload).map(drop).map_err(place), "{payload}");
            assert!(ours.is_err(), "{payload}");
        }
    }
}
