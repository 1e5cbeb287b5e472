//! CBOR (RFC 8949) as the JSON that says the same, or not at all.
//!
//! JSON has no byte strings, no numbers that are none, and no member that is not named by a text:
//! what needs them is refused, never bent. Tags add a meaning that no manifest asks for, and are left out.

use std::fmt::Write as _;

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error};

use housecarl_policy::path::DEPTH_MAX;

/// Why there is no such JSON. It holds nothing of the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotJson {
    /// It is not CBOR, or ends too early; the offset of the byte.
    Malformed(usize),
    /// JSON has no word for it; the offset of the byte.
    Unsayable(usize, &'static str),
    /// Nested deeper than a message may be.
    TooDeep,
    /// As JSON it is longer than a message may be.
    TooLong,
}

/// Says it in JSON, in `bytes_max` at most.
pub(super) fn to_json(cbor: &[u8], bytes_max: usize) -> Result<Vec<u8>, NotJson> {
    let mut decoder = Decoder::new(cbor);
    let mut json = Json { text: String::new(), bytes_max };
    json.value(&mut decoder, 0)?;
    if decoder.position() < cbor.len() {
        return Err(NotJson::Malformed(decoder.position()));
    }
    Ok(json.text.into_bytes())
}

struct Json {
    text: String,
    bytes_max: usize,
}

impl Json {
    fn value(&mut self, from: &mut Decoder<'_>, depth: usize) -> Result<(), NotJson> {
        if depth > DEPTH_MAX {
            return Err(NotJson::TooDeep);
        }
        if self.text.len() > self.bytes_max {
            return Err(NotJson::TooLong);
        }
        let at = from.position();
        let bad = |_: Error| NotJson::Malformed(at);
        let unsayable = |what| Err(NotJson::Unsayable(at, what));
        match from.datatype().map_err(bad)? {
            Type::Bool => self.put(from.bool().map_err(bad)?),
            Type::Null => from.null().map(|()| self.text.push_str("null")).map_err(bad)?,
            Type::U8
            | Type::U16
            | Type::U32
            | Type::U64
            | Type::I8
            | Type::I16
            | Type::I32
            | Type::I64
            | Type::Int => {
                self.put(i128::from(from.int().map_err(bad)?));
            }
            // The shortest decimal that reads back as the same float, in the width that was sent.
            Type::F16 | Type::F32 => {
                let float = match from.datatype().map_err(bad)? {
                    Type::F16 => from.f16(),
                    _ => from.f32(),
                }
                .map_err(bad)?;
                if !float.is_finite() {
                    return unsayable("a number that is none");
                }
                // A text takes whatever is written to it.
                let _ = write!(self.text, "{float:?}");
            }
            Type::F64 => {
                let float = from.f64().map_err(bad)?;
                if !float.is_finite() {
                    return unsayable("a number that is none");
                }
                let _ = write!(self.text, "{float:?}");
            }
            Type::String | Type::StringIndef => self.string(from)?,
            Type::Array | Type::ArrayIndef => {
                let items = from.array().map_err(bad)?;
                self.text.push('[');
                self.each(from, items, |json, from| json.value(from, depth + 1))?;
                self.text.push(']');
            }
            Type::Map | Type::MapIndef => {
                let members = from.map().map_err(bad)?;
                self.text.push('{');
                self.each(from, members, |json, from| {
                    json.string(from)?;
                    json.text.push(':');
                    json.value(from, depth + 1)
                })?;
                self.text.push('}');
            }
            Type::Tag => {
                from.tag().map_err(bad)?;
                self.value(from, depth + 1)?;
            }
            Type::Bytes | Type::BytesIndef => return unsayable("a byte string"),
            Type::Undefined => return unsayable("an undefined value"),
            Type::Simple => return unsayable("a simple value"),
            Type::Break | Type::Unknown(_) => return Err(NotJson::Malformed(at)),
        }
        Ok(())
    }

    fn put(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.text, "{value}");
    }

    fn string(&mut self, from: &mut Decoder<'_>) -> Result<(), NotJson> {
        let at = from.position();
        let bad = |_: Error| NotJson::Malformed(at);
        match from.datatype().map_err(bad)? {
            Type::String | Type::StringIndef => {}
            _ => return Err(NotJson::Unsayable(at, "a member that is not named by a text")),
        }
        let pieces = from.str_iter().map_err(bad)?.collect::<Result<String, _>>().map_err(bad)?;
        self.put(serde_json::Value::String(pieces));
        Ok(())
    }

    /// So many things, or as many as there are before a break.
    fn each(
        &mut self,
        from: &mut Decoder<'_>,
        number: Option<u64>,
        mut one: impl FnMut(&mut Self, &mut Decoder<'_>) -> Result<(), NotJson>,
    ) -> Result<(), NotJson> {
        let mut at = 0_u64;
        while number.is_none_or(|number| at < number) {
            if number.is_none() && matches!(from.datatype(), Ok(Type::Break)) {
                from.set_position(from.position() + 1);
                break;
            }
            if at > 0 {
                self.text.push(',');
            }
            one(self, from)?;
            at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

    use super::*;
    use crate::hex;

    fn check<const N: usize>(cbor: &str, expected: Result<&str, NotJson>) {
        let cbor = hex::read::<N>(cbor).unwrap();
        let json = to_json(&cbor, 100).map(|json| String::from_utf8_lossy(&json).into_owned());
        assert_eq!(json.as_deref().map_err(|error| *error), expected);
    }

    /// Examples of RFC 8949, Appendix A, and what no JSON can say.
    #[test]
    fn what_json_can_say_is_said_and_the_rest_refused() {
        check::<1>("00", Ok("0"));
        check::<9>("1bffffffffffffffff", Ok("18446744073709551615"));
        check::<9>("3bffffffffffffffff", Ok("-18446744073709551616"));
        check::<3>("f93e00", Ok("1.5"));
        check::<5>("fa42126666", Ok("36.6"));
        check::<9>("fbc010666666666666", Ok("-4.1"));
        check::<1>("f6", Ok("null"));
        check::<6>("c11a514b67b0", Ok("1363896240"));
        check::<5>("64c3bc220a", Ok(r#""ü\"\n""#));
        check::<13>("7f657374726561646d696e67ff", Ok(r#""streaming""#));
        check::<8>("83018202039f04ff", Ok("[1,[2,3],[4]]"));
        check::<8>("a261610161628202", Err(NotJson::Malformed(8)));
        check::<9>("a26161016162820203", Ok(r#"{"a":1,"b":[2,3]}"#));
        check::<7>("bf616101616202", Err(NotJson::Malformed(7)));
        check::<8>("bf616101616202ff", Ok(r#"{"a":1,"b":2}"#));
        check::<3>("f97e00", Err(NotJson::Unsayable(0, "a number that is none")));
        check::<3>("f97c00", Err(NotJson::Unsayable(0, "a number that is none")));
        check::<2>("4101", Err(NotJson::Unsayable(0, "a byte string")));
        check::<1>("f7", Err(NotJson::Unsayable(0, "an undefined value")));
        check::<3>("a10102", Err(NotJson::Unsayable(1, "a member that is not named by a text")));
        check::<2>("0000", Err(NotJson::Malformed(1)));
        check::<1>("ff", Err(NotJson::Malformed(0)));
        check::<0>("", Err(NotJson::Malformed(0)));
    }

    #[test]
    fn what_is_deep_or_long_ends() {
        assert_eq!(to_json(&[0x81; 10_000], 100), Err(NotJson::TooDeep));
        assert_eq!(to_json(&[0xc1; 10_000], 100), Err(NotJson::TooDeep));
        // An array that announces more than there is takes no more room than there is.
        assert_eq!(
            to_json(&[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 100),
            Err(NotJson::Malformed(9))
        );
        let zeros = [[0x9f].as_slice(), &[0; 200]].concat();
        assert_eq!(to_json(&zeros, 100), Err(NotJson::TooLong));
    }
}
