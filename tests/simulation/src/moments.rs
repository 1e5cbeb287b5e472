//! Times as devices write them: right, late, ahead, never set, and no times at all.

use housecarl_oracle::dice::Dice;
use serde_json::{Value as Json, json};

/// In seconds.
pub const DAY: u64 = 86_400;
/// So far ahead of ours a clock may be and still mean now, in seconds.
const AHEAD: u64 = 600;

/// When something was captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Captured {
    /// Seconds since 1970.
    At(u64),
    /// Nothing that can be believed.
    Unbelievable,
}

/// A time of capture, as a device may write it.
pub(crate) fn write(dice: &mut Dice, now: u64) -> Json {
    match dice.weighted(&[(20, 0), (35, 1), (8, 2), (4, 3), (4, 4), (4, 5), (3, 6), (1, 7)]) {
        kind @ (0 | 1) => {
            // Just now, or late by up to four days.
            let late = dice.below(if kind == 0 { 60 } else { 4 * DAY });
            in_a_form(dice, now - late)
        }
        2 => in_a_form(dice, now + 300),
        3 => in_a_form(dice, now + 2 * AHEAD),
        // A clock that was never set.
        4 => json!(dice.below(100)),
        5 => json!("2099-01-01T00:00:00Z"),
        6 => json!("soon"),
        _ => Json::Null,
    }
}

fn in_a_form(dice: &mut Dice, at: u64) -> Json {
    match dice.below(5) {
        0 => json!(at.to_string()),
        1 => json!(at * 1_000 + 7),
        2 => json!(at * 1_000_000_000),
        3 => json!(written(at)),
        _ => json!(at),
    }
}

/// A time that is an item, as seconds or written out.
pub(crate) fn seconds_or_text(dice: &mut Dice, at: u64) -> Json {
    if dice.percent(50) { json!(at) } else { json!(written(at)) }
}

/// What a time of capture says, at `now`.
pub(crate) fn read(json: &Json, now: u64) -> Captured {
    let at = match json {
        Json::Number(number) => number.as_u64().map(seconds),
        Json::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok().map(seconds)
        }
        Json::String(text) => spelled(text),
        _ => None,
    };
    match at {
        Some(at) if at <= now + AHEAD => Captured::At(at.min(now)),
        _ => Captured::Unbelievable,
    }
}

/// The unit is told by the size.
const fn seconds(number: u64) -> u64 {
    match number.checked_ilog10() {
        Some(0..=10) | None => number,
        Some(11..=13) => number / 1_000,
        Some(14..=16) => number / 1_000_000,
        Some(_) => number / 1_000_000_000,
    }
}

/// As `2027-01-31T12:00:00Z`.
fn written(at: u64) -> String {
    let (mut year, mut days) = (1970, at / DAY);
    while days >= length_of(year) {
        days -= length_of(year);
        year += 1;
    }
    let mut month = 0;
    while days >= months(year)[month] {
        days -= months(year)[month];
        month += 1;
    }
    let second = at % DAY;
    format!(
        "{year}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        month + 1,
        days + 1,
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

fn spelled(text: &str) -> Option<u64> {
    let fields: Vec<u64> = text.split(['-', 'T', ':', 'Z']).filter_map(|field| field.parse().ok()).collect();
    let [year, month, day, hour, minute, second] = fields.try_into().ok()?;
    let years: u64 = (1970..year).map(length_of).sum();
    let before: u64 = months(year).iter().take(usize::try_from(month - 1).ok()?).sum();
    Some((years + before + day - 1) * DAY + hour * 3_600 + minute * 60 + second)
}

fn length_of(year: u64) -> u64 {
    months(year).iter().sum()
}

const fn months(year: u64) -> [u64; 12] {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}
