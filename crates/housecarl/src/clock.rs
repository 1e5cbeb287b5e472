//! The one clock of the program. Everything else is told the time.

use std::time::{SystemTime, UNIX_EPOCH};

use housecarl_manifest::scalar::Date;

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The day, in UTC.
pub(crate) fn today() -> Date {
    Date::from_unix_day(u32::try_from(now() / 86_400).unwrap_or(u32::MAX))
}
