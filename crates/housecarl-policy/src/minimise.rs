//! The operators that leave less of a value. Each has one fixed meaning that a notice can print.

use crate::value::{Decimal, Value};

/// What is done to a value before it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// "as measured": the value stays as it is.
    Keep,
    /// "not collected": nothing stays.
    Drop,
    /// "only that it happened": any value but null, false, zero and an empty text becomes true.
    Presence,
    /// "only how many": the value goes, one is counted.
    Count,
    /// "rounded to the nearest N".
    Round(Decimal),
    /// "in bands of N": the lower end of the band stays.
    Bucket(Decimal),
    /// "never below A or above B": what lies outside becomes the nearer end.
    Clamp(Decimal, Decimal),
    /// "only whether it reached N".
    Reached(Decimal),
    /// "the time cut to the hour (day, month)".
    Time(TimeUnit, TimeForm),
    /// "the place on a grid of about N": degrees rounded to a tenth, hundredth or thousandth.
    Place(Grid),
    /// "the first N characters".
    Prefix(u8),
    /// "replaced by a code": the journey computes it with a key of its own for each person.
    Pseudonymise,
}

/// How far a time is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeUnit {
    /// To the minute.
    Minute,
    /// To the hour.
    Hour,
    /// To the day, in UTC where the payload counts from 1970.
    Day,
    /// To the month. Only of a written date.
    Month,
}

/// How a payload writes a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeForm {
    /// ISO 8601, such as `2026-02-01T10:15:00Z`.
    Iso,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
    /// Nanoseconds since 1970, often as a text.
    Nanos,
}

/// The width of a grid of places.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grid {
    /// About 10 km: a tenth of a degree.
    Km10,
    /// About 1 km: a hundredth of a degree.
    Km1,
    /// About 100 m: a thousandth of a degree.
    M100,
}

impl Grid {
    /// The width in degrees.
    #[must_use]
    pub const fn degrees(self) -> Decimal {
        let exponent = match self {
            Self::Km10 => -1,
            Self::Km1 => -2,
            Self::M100 => -3,
        };
        match Decimal::new(1, exponent) {
            Some(width) => width,
            None => Decimal::ZERO,
        }
    }
}

impl TimeUnit {
    const fn seconds(self) -> Option<i64> {
        match self {
            Self::Minute => Some(60),
            Self::Hour => Some(3_600),
            Self::Day => Some(86_400),
            Self::Month => None,
        }
    }

    /// How many characters of an ISO time are left.
    const fn characters(self) -> usize {
        match self {
            Self::Minute => 16,
            Self::Hour => 13,
            Self::Day => 10,
            Self::Month => 7,
        }
    }
}

impl Operator {
    /// The operator that a record of a table stands for; `None` where it means nothing.
    #[must_use]
    pub const fn from_parts(kind: u8, small: u8, first: Decimal, second: Decimal) -> Option<Self> {
        let positive = first.mantissa() > 0;
        Some(match kind {
            0 => Self::Keep,
            1 => Self::Drop,
            2 => Self::Presence,
            3 => Self::Count,
            4 if positive => Self::Round(first),
            5 if positive => Self::Bucket(first),
            6 => Self::Clamp(first, second),
            7 => Self::Reached(first),
            8 => {
                let unit = match small >> 4 {
                    0 => TimeUnit::Minute,
                    1 => TimeUnit::Hour,
                    2 => TimeUnit::Day,
                    3 => TimeUnit::Month,
                    _ => return None,
                };
                match small & 15 {
                    0 => Self::Time(unit, TimeForm::Iso),
                    1 => Self::Time(unit, TimeForm::Seconds),
                    2 => Self::Time(unit, TimeForm::Millis),
                    3 => Self::Time(unit, TimeForm::Nanos),
                    _ => return None,
                }
            }
            9 => Self::Place(match small {
                0 => Grid::Km10,
                1 => Grid::Km1,
                2 => Grid::M100,
                _ => return None,
            }),
            10 if small > 0 => Self::Prefix(small),
            11 => Self::Pseudonymise,
            _ => return None,
        })
    }

    /// The parts of a table's record: kind, small parameter, first and second parameter.
    #[must_use]
    pub const fn parts(self) -> (u8, u8, Decimal, Decimal) {
        let zero = Decimal::ZERO;
        match self {
            Self::Keep => (0, 0, zero, zero),
            Self::Drop => (1, 0, zero, zero),
            Self::Presence => (2, 0, zero, zero),
            Self::Count => (3, 0, zero, zero),
            Self::Round(step) => (4, 0, step, zero),
            Self::Bucket(width) => (5, 0, width, zero),
            Self::Clamp(low, high) => (6, 0, low, high),
            Self::Reached(limit) => (7, 0, limit, zero),
            Self::Time(unit, form) => (8, (unit as u8) << 4 | form as u8, zero, zero),
            Self::Place(grid) => (9, grid as u8, zero, zero),
            Self::Prefix(characters) => (10, characters, zero, zero),
            Self::Pseudonymise => (11, 0, zero, zero),
        }
    }

    /// Whether nothing is left, whatever the value.
    #[must_use]
    pub const fn drops(self) -> bool {
        matches!(self, Self::Drop)
    }
}

/// What is left of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome<'v> {
    /// This much.
    Kept(Value<'v>),
    /// A code in place of this value, which the journey still has to compute.
    ToPseudonymise(Value<'v>),
    /// Nothing but that there was one.
    Counted,
    /// Nothing.
    Dropped,
    /// Nothing, because the value is not of the form that the operator works on.
    Unfit,
}

/// Leaves of a value what the operator leaves. A value of the wrong form is dropped, never passed.
#[must_use]
pub fn minimise(operator: Operator, value: Value<'_>) -> Outcome<'_> {
    let number = |change: fn(Decimal, Decimal) -> Option<Decimal>, by: Decimal| match value {
        Value::Number(number) => {
            change(number, by).map_or(Outcome::Unfit, |n| Outcome::Kept(Value::Number(n)))
        }
        _ => Outcome::Unfit,
    };
    match operator {
        Operator::Keep => Outcome::Kept(value),
        Operator::Drop => Outcome::Dropped,
        Operator::Presence => match value {
            Value::Null | Value::Bool(false) | Value::Text("") | Value::Number(Decimal::ZERO) => {
                Outcome::Dropped
            }
            _ => Outcome::Kept(Value::Bool(true)),
        },
        Operator::Count => match value {
            Value::Null => Outcome::Dropped,
            _ => Outcome::Counted,
        },
        Operator::Round(step) => number(Decimal::round_to, step),
        Operator::Bucket(width) => number(Decimal::floor_to, width),
        Operator::Clamp(low, high) => match value {
            Value::Number(number) => {
                number.clamp_to(low, high).map_or(Outcome::Unfit, |n| Outcome::Kept(Value::Number(n)))
            }
            _ => Outcome::Unfit,
        },
        Operator::Reached(limit) => match value {
            Value::Number(number) => {
                number.is_less(limit).map_or(Outcome::Unfit, |less| Outcome::Kept(Value::Bool(!less)))
            }
            _ => Outcome::Unfit,
        },
        Operator::Time(unit, form) => cut_time(unit, form, value),
        Operator::Place(grid) => number(Decimal::round_to, grid.degrees()),
        Operator::Prefix(characters) => match value {
            Value::Text(text) => {
                let end = text.char_indices().nth(usize::from(characters)).map_or(text.len(), |(at, _)| at);
                text.get(..end).map_or(Outcome::Unfit, |text| Outcome::Kept(Value::Text(text)))
            }
            _ => Outcome::Unfit,
        },
        Operator::Pseudonymise => match value {
            Value::Number(_) | Value::Text(_) => Outcome::ToPseudonymise(value),
            _ => Outcome::Unfit,
        },
    }
}

fn cut_time<'v>(unit: TimeUnit, form: TimeForm, value: Value<'v>) -> Outcome<'v> {
    let exponent = match form {
        TimeForm::Iso => return cut_written_time(unit, value),
        TimeForm::Seconds => 0,
        TimeForm::Millis => 3,
        TimeForm::Nanos => 9,
    };
    let number = match value {
        Value::Number(number) => Some(number),
        Value::Text(text) => Decimal::parse(text),
        Value::Null | Value::Bool(_) => None,
    };
    let step = unit.seconds().and_then(|seconds| Decimal::new(seconds, exponent));
    match number.zip(step).and_then(|(number, step)| number.floor_to(step)) {
        Some(cut) => Outcome::Kept(Value::Number(cut)),
        None => Outcome::Unfit,
    }
}

fn cut_written_time(unit: TimeUnit, value: Value<'_>) -> Outcome<'_> {
    let Value::Text(text) = value else { return Outcome::Unfit };
    // Only a text whose first characters really are a date is cut: anything else could keep more
    // than a time in its first characters.
    let mut shape = text.bytes().zip(*b"dddd-dd-ddTdd:dd");
    let fits = shape.by_ref().take(unit.characters()).all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        b'T' => byte == b'T' || byte == b' ',
        other => byte == other,
    });
    match text.get(..unit.characters()) {
        Some(cut) if fits => Outcome::Kept(Value::Text(cut)),
        _ => Outcome::Unfit,
    }
}
