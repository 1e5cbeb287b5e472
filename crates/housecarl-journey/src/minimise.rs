//! Minimise: precision lowered as chosen, identifiers replaced, guesses marked as guesses.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::hmac;
use housecarl_policy::table::item_flag;
use housecarl_policy::{
    Decimal, Decision, Gate, ItemId, Operator, Outcome, PurposeSet, Table, Value,
    minimise as policy_minimises,
};
use minicbor::{Decode, Encode};

use crate::decide::{Permitted, Whose};
use crate::seal::Said;

/// A key under which a person's identifiers are replaced, so that the same one has the same code
/// for one person and another for the next.
pub struct PseudonymKey(hmac::Key);

impl PseudonymKey {
    /// A key of these bytes, which have to be random and the person's own.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }

    pub(crate) const fn of(key: hmac::Key) -> Self {
        Self(key)
    }

    fn code(&self, item: ItemId, value: Value<'_>) -> Option<[u8; 16]> {
        let mut mac = hmac::Context::with_key(&self.0);
        mac.update(&item.0.to_le_bytes());
        match value {
            Value::Text(text) => mac.update(text.as_bytes()),
            Value::Number(number) => mac.update(number.to_string().as_bytes()),
            Value::Null | Value::Bool(_) => return None,
        }
        mac.sign().as_ref().first_chunk().copied()
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey")
    }
}

/// What is left of a value, without the value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Left {
    /// All of it.
    Whole,
    /// Less than what came.
    Less,
    /// A code.
    Code,
    /// That there was one.
    Count,
    /// Nothing: no purpose was permitted.
    Refused,
    /// Nothing: the operator leaves nothing of this value.
    Nothing,
    /// Nothing: the value is not of the form that was declared.
    Unfit,
}

impl Left {
    /// Whether anything is kept.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        matches!(self, Self::Whole | Self::Less | Self::Code | Self::Count)
    }
}

/// A value as it will be sealed.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Kept {
    #[n(0)]
    Null,
    #[n(1)]
    Bool(#[n(0)] bool),
    #[n(2)]
    Number(
        #[n(0)]
        #[cbor(with = "decimal")]
        Decimal,
    ),
    #[n(3)]
    Text(#[n(0)] String),
    #[n(4)]
    Code(
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        [u8; 16],
    ),
    #[n(5)]
    Counted,
}

/// A decimal as CBOR has it (RFC 8949, 3.4.4): tag 4, exponent and mantissa.
mod decimal {
    use housecarl_policy::Decimal;
    use minicbor::data::Tag;
    use minicbor::decode::Error as NotDecoded;
    use minicbor::encode::{Error as NotEncoded, Write};
    use minicbor::{Decoder, Encoder};

    const FRACTION: Tag = Tag::new(4);

    pub(super) fn encode<C, W: Write>(
        number: &Decimal,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), NotEncoded<W::Error>> {
        e.tag(FRACTION)?.array(2)?.i8(number.exponent())?.i64(number.mantissa())?.ok()
    }

    pub(super) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Decimal, NotDecoded> {
        if d.tag()? != FRACTION || d.array()? != Some(2) {
            return Err(NotDecoded::message("not a decimal fraction"));
        }
        let exponent = d.i8()?;
        Decimal::new(d.i64()?, exponent).ok_or(NotDecoded::message("not a decimal"))
    }
}

/// One value after this stage, and how it was decided.
struct Entry {
    record: usize,
    item: ItemId,
    whose: Whose,
    decision: Decision,
    late: PurposeSet,
    left: Left,
    guess: bool,
    kept: Option<Kept>,
    certainty: Option<Decimal>,
}

/// A message with no more in it than its permitted purposes need.
pub struct Minimised {
    entries: Vec<Entry>,
    records: usize,
    undeclared: BTreeMap<String, u64>,
    unrecognised: BTreeMap<Gate, u64>,
}

impl fmt::Debug for Minimised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Minimised")
    }
}

/// What became of one value: everything but the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fate<'m> {
    /// The record of the batch, from 0.
    pub record: usize,
    /// The item.
    pub item: ItemId,
    /// Whose it is.
    pub whose: Whose,
    /// How it was decided.
    pub decision: &'m Decision,
    /// The purposes that are permitted now and were not when it was captured.
    pub late: PurposeSet,
    /// What is left.
    pub left: Left,
    /// Whether it is marked as a guess.
    pub guess: bool,
    /// Whether the guess came with its certainty.
    pub certain: bool,
}

impl Minimised {
    /// What became of each declared value, in the order of the payload.
    pub fn fates(&self) -> impl Iterator<Item = Fate<'_>> {
        self.entries.iter().map(|entry| Fate {
            record: entry.record,
            item: entry.item,
            whose: entry.whose,
            decision: &entry.decision,
            late: entry.late,
            left: entry.left,
            guess: entry.guess,
            certain: entry.certainty.is_some(),
        })
    }

    /// What is kept, each value with whose it is and how it was decided.
    pub(crate) fn into_said(self) -> impl Iterator<Item = (Whose, Decision, Said)> {
        self.entries.into_iter().filter_map(|entry| {
            let said = Said {
                record: u32::try_from(entry.record).ok()?,
                item: entry.item.0,
                guess: entry.guess,
                certainty: entry.certainty.map(Kept::Number),
                value: entry.kept?,
            };
            Some((entry.whose, entry.decision, said))
        })
    }

    /// How many records the message held.
    #[must_use]
    pub const fn records(&self) -> usize {
        self.records
    }

    /// In how many records a person could have been recognised and was not, because this gate of the
    /// stream's purpose of recognising is closed for that person.
    #[must_use]
    pub const fn unrecognised(&self) -> &BTreeMap<Gate, u64> {
        &self.unrecognised
    }

    /// How many undeclared members were dropped, by the declared shape around them.
    #[must_use]
    pub const fn undeclared(&self) -> &BTreeMap<String, u64> {
        &self.undeclared
    }
}

/// Leaves of each value what its decision leaves. `key` gives the key of whoever it is about; where
/// there is none, what needs a code is dropped.
#[must_use]
pub fn minimise<K: Borrow<PseudonymKey>>(
    permitted: Permitted,
    table: &Table<'_>,
    key: impl Fn(Whose) -> Option<K>,
) -> Minimised {
    let entry = |value: crate::decide::Decided| {
        let guess = table.item(value.item).is_some_and(|item| item.flags & item_flag::GUESS != 0);
        let (left, kept) = if value.decision.permitted.is_empty() {
            (Left::Refused, None)
        } else {
            match value.raw.value().map(|raw| policy_minimises(value.decision.operator, raw)) {
                Some(Outcome::Kept(kept)) => {
                    let whole = matches!(value.decision.operator, Operator::Keep);
                    (if whole { Left::Whole } else { Left::Less }, Some(owned(kept)))
                }
                Some(Outcome::ToPseudonymise(raw)) => {
                    match key(value.whose).and_then(|key| key.borrow().code(value.item, raw)) {
                        Some(code) => (Left::Code, Some(Kept::Code(code))),
                        None => (Left::Nothing, None),
                    }
                }
                Some(Outcome::Counted) => (Left::Count, Some(Kept::Counted)),
                Some(Outcome::Dropped) => (Left::Nothing, None),
                Some(Outcome::Unfit) | None => (Left::Unfit, None),
            }
        };
        let certainty = value.certainty.filter(|_| left.is_kept()).and_then(|raw| match raw.value() {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        });
        Entry {
            record: value.record,
            item: value.item,
            whose: value.whose,
            decision: value.decision,
            late: value.late,
            left,
            guess,
            kept,
            certainty,
        }
    };
    Minimised {
        records: permitted.records,
        undeclared: permitted.undeclared,
        unrecognised: permitted.unrecognised,
        entries: permitted.values.into_iter().map(entry).collect(),
    }
}

fn owned(value: Value<'_>) -> Kept {
    match value {
        Value::Null => Kept::Null,
        Value::Bool(bool) => Kept::Bool(bool),
        Value::Number(number) => Kept::Number(number),
        Value::Text(text) => Kept::Text(text.to_owned()),
    }
}
