//! What an operator leaves of a value, worked out on numbers that are all counted in billionths.

use housecarl_policy::minimise::{TimeForm, TimeUnit};
use housecarl_policy::{Decimal, Operator};
use serde_json::Value as Json;

/// So many of them are one.
const ONE: i128 = 1_000_000_000;

/// What is kept of a value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kept {
    /// Yes or no.
    Bool(bool),
    /// A number of billionths.
    Number(i128),
    /// A text.
    Text(String),
    /// A code in the place of this.
    Code(String),
    /// That there was one.
    Counted,
}

impl Kept {
    /// A value as a payload has it. Neither an object nor an array is one.
    #[must_use]
    pub fn of(json: &Json) -> Option<Self> {
        match json {
            Json::Bool(bool) => Some(Self::Bool(*bool)),
            Json::Number(number) => Some(Self::Number(billionths(&number.to_string())?)),
            Json::String(text) => Some(Self::Text(text.clone())),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// As a reader prints it; a code has no print that could be known here.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Bool(bool) => bool.to_string(),
            Self::Number(number) => digits(*number),
            Self::Text(text) => text.clone(),
            Self::Code(_) => "a code".to_owned(),
            Self::Counted => "1".to_owned(),
        }
    }
}

/// What an operator leaves of what is there. It is asked when a value comes, and of what is left
/// then each time somebody reads it.
#[must_use]
pub fn leave(operator: Operator, value: &Kept) -> Option<Kept> {
    if operator == Operator::Drop {
        return None;
    }
    if matches!(value, Kept::Code(_) | Kept::Counted) {
        return Some(value.clone());
    }
    let number = || match value {
        Kept::Number(number) => Some(*number),
        _ => None,
    };
    match operator {
        Operator::Keep => Some(value.clone()),
        Operator::Drop => None,
        Operator::Presence => {
            let nothing = [Kept::Bool(false), Kept::Number(0), Kept::Text(String::new())];
            (!nothing.contains(value)).then_some(Kept::Bool(true))
        }
        Operator::Count => Some(Kept::Counted),
        Operator::Round(step) => {
            let step = scaled(step);
            // Halfway goes up.
            Some(Kept::Number((2 * number()? + step).div_euclid(2 * step) * step))
        }
        Operator::Bucket(width) => Some(Kept::Number(down(number()?, scaled(width)))),
        Operator::Clamp(low, high) => Some(Kept::Number(number()?.max(scaled(low)).min(scaled(high)))),
        Operator::Reached(limit) => Some(Kept::Bool(number()? >= scaled(limit))),
        Operator::Time(unit, form) => time(unit, form, value),
        Operator::Place(grid) => leave(Operator::Round(grid.degrees()), value),
        Operator::Prefix(characters) => match value {
            Kept::Text(text) => Some(Kept::Text(text.chars().take(usize::from(characters)).collect())),
            _ => None,
        },
        Operator::Pseudonymise => match value {
            Kept::Text(text) => Some(Kept::Code(text.clone())),
            Kept::Number(number) => Some(Kept::Code(digits(*number))),
            _ => None,
        },
    }
}

fn time(unit: TimeUnit, form: TimeForm, value: &Kept) -> Option<Kept> {
    let per_second = match form {
        TimeForm::Iso => {
            let Kept::Text(text) = value else { return None };
            // Only times in one form are written here, whole or cut already, or texts that are no times.
            let length = match unit {
                TimeUnit::Minute => "2027-01-01T00:00",
                TimeUnit::Hour => "2027-01-01T00",
                TimeUnit::Day => "2027-01-01",
                TimeUnit::Month => "2027-01",
            };
            let is_time = text.len() >= length.len() && text.starts_with("20") && text.as_bytes()[4] == b'-';
            return is_time.then(|| Kept::Text(text[..length.len()].to_owned()));
        }
        TimeForm::Seconds => ONE,
        TimeForm::Millis => ONE * 1_000,
        TimeForm::Nanos => ONE * 1_000_000_000,
    };
    let number = match value {
        Kept::Number(number) => *number,
        Kept::Text(text) => billionths(text)?,
        _ => return None,
    };
    let seconds = match unit {
        TimeUnit::Minute => 60,
        TimeUnit::Hour => 3_600,
        TimeUnit::Day => 86_400,
        TimeUnit::Month => return None,
    };
    Some(Kept::Number(down(number, seconds * per_second)))
}

const fn down(number: i128, step: i128) -> i128 {
    number - number.rem_euclid(step)
}

fn scaled(decimal: Decimal) -> i128 {
    let (mantissa, exponent) = (i128::from(decimal.mantissa()), i32::from(decimal.exponent()));
    mantissa * 10_i128.pow(u32::try_from(9 + exponent).unwrap())
}

/// Reads a number without an exponent.
fn billionths(text: &str) -> Option<i128> {
    let (sign, size) = text.strip_prefix('-').map_or((1, text), |size| (-1, size));
    let (whole, fraction) = size.split_once('.').unwrap_or((size, ""));
    if whole.is_empty() || !size.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let fraction: i128 = format!("{fraction:0<9}")[..9].parse().ok()?;
    Some(sign * (whole.parse::<i128>().ok()? * ONE + fraction))
}

/// Prints without trailing zeros.
fn digits(number: i128) -> String {
    let (sign, size) = (if number < 0 { "-" } else { "" }, number.abs());
    let text = format!("{sign}{}.{:09}", size / ONE, size % ONE);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
