//! When a device says that it measured something, and whether it can be believed.

use housecarl_policy::Decimal;

use crate::decide::Raw;

/// So much later than ours a device's clock may stand and still mean now, in seconds.
const AHEAD_MAX: u64 = 600;

/// A time of capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Captured {
    /// Seconds since 1970.
    At(u64),
    /// No time that could be meant, or one that is still to come.
    Unbelievable,
}

impl Captured {
    /// What a value says, received at `now`: RFC 3339, or a number of seconds, milli-, micro- or
    /// nanoseconds since 1970, whichever it can be. A time without an offset is taken as UTC.
    pub(crate) fn read(raw: &Raw, now: u64) -> Self {
        let at = match raw {
            Raw::Text(text) => from_text(text),
            Raw::Number(number) => from_number(*number),
            Raw::Null | Raw::Bool(_) | Raw::Unfit => None,
        };
        match at {
            Some(at) if at <= now.saturating_add(AHEAD_MAX) => Self::At(at.min(now)),
            _ => Self::Unbelievable,
        }
    }
}

fn from_text(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<u64>() {
        return Some(to_seconds(number));
    }
    let seconds = text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second).or_else(|_| {
        let local = text.parse::<jiff::civil::DateTime>()?;
        Ok::<i64, jiff::Error>(local.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp().as_second())
    });
    u64::try_from(seconds.ok()?).ok()
}

fn from_number(number: Decimal) -> Option<u64> {
    let mut whole = u64::try_from(number.mantissa()).ok()?;
    for _ in number.exponent()..0 {
        whole /= 10;
    }
    for _ in 0..number.exponent() {
        whole = whole.checked_mul(10)?;
    }
    Some(to_seconds(whole))
}

/// The unit is told by the size: as seconds, the smallest number of milliseconds that is not from
/// before 1973 would be in the year 5138.
const fn to_seconds(number: u64) -> u64 {
    const LIMIT: u64 = 100_000_000_000;
    match number {
        0..LIMIT => number,
        LIMIT..100_000_000_000_000 => number / 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => number / 1_000_000,
        _ => number / 1_000_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 22 November 2026, 00:00 UTC.
    const NOW: u64 = 1_795_305_600;

    #[test]
    fn times_of_capture() {
        let number = |text: &str| Raw::Number(Decimal::parse(text).unwrap_or(Decimal::whole(i64::MIN)));
        let text = |text: &str| Raw::Text(text.to_owned());
        let at = Captured::At;
        let table = [
            (text("2026-11-21T23:59:30Z"), at(NOW - 30)),
            (text("2026-11-22T00:59:30+01:00"), at(NOW - 30)),
            (text("2026-11-21T23:59:30"), at(NOW - 30)),
            (text("2026-11-21T23:59:30.123456Z"), at(NOW - 30)),
            (text("1795305570"), at(NOW - 30)),
            (number("1795305570"), at(NOW - 30)),
            (number("1795305570.75"), at(NOW - 30)),
            (number("1795305570123"), at(NOW - 30)),
            (number("1795305570123456"), at(NOW - 30)),
            (number("1795305570123456789"), at(NOW - 30)),
            // A clock that was never set.
            (number("0"), at(0)),
            (text("1970-01-01T00:00:12Z"), at(12)),
            // A little ahead of ours is now.
            (text("2026-11-22T00:05:00Z"), at(NOW)),
            (text("2026-11-22T00:15:00Z"), Captured::Unbelievable),
            (text("2099-01-01T00:00:00Z"), Captured::Unbelievable),
            (text("1969-12-31T23:59:59Z"), Captured::Unbelievable),
            (number("-5"), Captured::Unbelievable),
            (text("yesterday"), Captured::Unbelievable),
            (text(""), Captured::Unbelievable),
            (Raw::Bool(true), Captured::Unbelievable),
            (Raw::Unfit, Captured::Unbelievable),
        ];
        for (number, (raw, expected)) in table.into_iter().enumerate() {
            assert_eq!(Captured::read(&raw, NOW), expected, "row {number}");
        }
    }
}
