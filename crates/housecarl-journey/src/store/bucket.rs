//! Expiry buckets: parts that end at about the same time lie together and go together.
//!
//! A bucket spans `3^class` hours, the shortest such span that is at least a thirty-second of how
//! long the part is kept; so a part's bucket ends at most about a tenth of its time after it, and
//! all buckets of one class that are not over number 33 at most.

use std::fmt;

const HOUR: u64 = 3_600;
/// A bucket spans at least this part of the time of keeping.
const SHARE: u64 = 32;
/// The last class spans 6,561 hours, nine months, and takes whatever is kept for 24 years or more.
const CLASSES: u8 = 9;

/// One span of end dates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bucket {
    class: u8,
    index: u32,
}

impl Bucket {
    /// The bucket that never ends of itself, for what is kept past its date.
    pub(crate) const HELD: Self = Self { class: CLASSES, index: 0 };

    /// The bucket of what ends at `end` (seconds since 1970) after having been kept for `keep`
    /// seconds.
    #[must_use]
    pub fn of(end: u64, keep: u32) -> Self {
        let wide_enough = |class: &u8| width(*class).saturating_mul(SHARE) >= u64::from(keep);
        let class = (0..CLASSES).find(wide_enough).unwrap_or(CLASSES - 1);
        // Past the year 240,000 all ends fall into one bucket.
        Self { class, index: u32::try_from(end / width(class)).unwrap_or(u32::MAX) }
    }

    pub(crate) fn from_parts(class: u8, index: u32) -> Option<Self> {
        let bucket = Self { class, index };
        (class < CLASSES || bucket == Self::HELD).then_some(bucket)
    }

    pub(crate) const fn class(self) -> u8 {
        self.class
    }

    pub(crate) const fn index(self) -> u32 {
        self.index
    }

    /// From when nothing in it may be read any more: seconds since 1970.
    #[must_use]
    pub fn ends_at(self) -> u64 {
        if self == Self::HELD {
            return u64::MAX;
        }
        (u64::from(self.index) + 1).saturating_mul(width(self.class))
    }

    /// The next one of its class.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { class: self.class, index: self.index.saturating_add(1) }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}-{}", self.class, self.index)
    }
}

impl std::str::FromStr for Bucket {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let (class, index) = name.strip_prefix('b').and_then(|rest| rest.split_once('-')).ok_or(())?;
        Self::from_parts(class.parse().map_err(|_| ())?, index.parse().map_err(|_| ())?).ok_or(())
    }
}

fn width(class: u8) -> u64 {
    HOUR.saturating_mul(3_u64.saturating_pow(class.into()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;
    use std::collections::BTreeSet;

    const DAY: u64 = 24 * HOUR;
    const NOW: u64 = 1_798_761_600;

    #[test]
    fn a_bucket_holds_its_ends_and_ends_soon_after() {
        for days in [0, 1, 2, 7, 30, 31, 90, 366, 730, 2_192, 3_653, 9_000] {
            let keep = u32::try_from(days * DAY).unwrap();
            for received in (NOW..NOW + 400 * DAY).step_by(86_399 * 7) {
                let end = received + u64::from(keep);
                let bucket = Bucket::of(end, keep);
                assert!(bucket.ends_at() > end, "what is not over must not be destroyed");
                let late = bucket.ends_at() - end;
                assert!(late <= HOUR || late * 32 <= u64::from(keep) * 3, "{days} days, {late} s late");
            }
        }
    }

    #[test]
    fn not_more_than_400_are_live_whatever_is_kept_for_how_long() {
        let keeps = (0..60).map(|step| u32::try_from(1_800_u64 << (step / 3)).unwrap_or(u32::MAX));
        let mut live = BTreeSet::new();
        for keep in keeps.filter(|keep| u64::from(*keep) <= 24 * 366 * DAY) {
            for received in (NOW - u64::from(keep)..=NOW).step_by((keep as usize / 500).max(1)) {
                let bucket = Bucket::of(received + u64::from(keep), keep);
                if bucket.ends_at() > NOW {
                    live.insert(bucket);
                }
            }
        }
        assert!(live.len() <= 400 - usize::from(CLASSES), "{} live", live.len());
    }

    #[test]
    fn a_name_is_read_back_and_nothing_else_is() {
        let ends = [(0, 0), (NOW, 86_400), (NOW, u32::MAX), (u64::MAX, 1)];
        for bucket in ends.map(|(end, keep)| Bucket::of(end, keep)).into_iter().chain([Bucket::HELD]) {
            assert_eq!(bucket.to_string().parse(), Ok(bucket));
        }
        for name in ["", "b", "b1", "b9-1", "b-1-1", "c1-1", "b1-x", "seen-3"] {
            assert_eq!(name.parse::<Bucket>(), Err(()), "{name}");
        }
    }
}
