//! Birthdays: a band moves on when its month comes, and nothing else is kept of when somebody was born.
//!
//! Of a child the month is known in which the next band begins; every other one follows from it. Of who
//! became an adult here it is known since when, for what devices kept back until then; once that year is
//! over, only the year.

use std::fmt;
use std::str::FromStr;
use std::sync::PoisonError;

use housecarl_policy::AgeBand;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::register::{ChoiceRow, PersonRow};
use super::{About, PersonId, Said};
use crate::audit::{By, Chosen};
use crate::journey::{Journey, NotChanged, said_at};
use crate::keys;

const MONTHS_A_YEAR: i64 = 12;

/// A month, from its first second in UTC on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Month {
    /// How many there were since January 1970.
    since_1970: i64,
}

impl Month {
    /// The month of a moment (seconds since 1970); `None` beyond the year 9999.
    pub(crate) fn of(moment: u64) -> Option<Self> {
        let moment = Timestamp::from_second(i64::try_from(moment).ok()?).ok()?;
        Some(Self::of_date(moment.to_zoned(TimeZone::UTC).date()))
    }

    fn of_date(date: Date) -> Self {
        Self { since_1970: (i64::from(date.year()) - 1970) * MONTHS_A_YEAR + i64::from(date.month()) - 1 }
    }

    pub(crate) const fn from_number(since_1970: i64) -> Self {
        Self { since_1970 }
    }

    pub(crate) const fn number(self) -> i64 {
        self.since_1970
    }

    /// Its first second, counted from 1970; the last of all beyond the year 9999.
    #[must_use]
    pub fn begins(self) -> u64 {
        let year = i16::try_from(self.since_1970.div_euclid(MONTHS_A_YEAR) + 1970).ok();
        let month = i8::try_from(self.since_1970.rem_euclid(MONTHS_A_YEAR) + 1).ok();
        let date = year.zip(month).and_then(|(year, month)| Date::new(year, month, 1).ok());
        let second = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok());
        second.and_then(|zoned| u64::try_from(zoned.timestamp().as_second()).ok()).unwrap_or(u64::MAX)
    }

    const fn years_later(self, years: i64) -> Self {
        Self { since_1970: self.since_1970.saturating_add(years * MONTHS_A_YEAR) }
    }

    /// The January after it, or itself.
    const fn next_january(self) -> Self {
        let into = self.since_1970.rem_euclid(MONTHS_A_YEAR);
        Self { since_1970: self.since_1970 + (MONTHS_A_YEAR - into) % MONTHS_A_YEAR }
    }
}

impl FromStr for Month {
    type Err = ();

    /// Reads a month as in `2031-05`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let whole = text.len() == "2031-05".len();
        let date: Date = format!("{text}-01").parse().map_err(|_| ())?;
        if whole { Ok(Self::of_date(date)) } else { Err(()) }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) =
            (self.since_1970.div_euclid(MONTHS_A_YEAR) + 1970, self.since_1970.rem_euclid(MONTHS_A_YEAR) + 1);
        write!(f, "{year:04}-{month:02}")
    }
}

/// The next band, and for how many years somebody is in it.
const fn next(band: AgeBand) -> Option<(AgeBand, i64)> {
    match band {
        AgeBand::To5 => Some((AgeBand::To9, 4)),
        AgeBand::To9 => Some((AgeBand::To12, 3)),
        AgeBand::To12 => Some((AgeBand::To15, 3)),
        AgeBand::To15 => Some((AgeBand::To17, 2)),
        AgeBand::To17 => Some((AgeBand::Adult, 0)),
        AgeBand::Adult | AgeBand::Unknown => None,
    }
}

/// What is known of somebody's age.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age {
    pub(crate) band: AgeBand,
    /// From when on the next band holds, if that is known.
    pub(crate) changes: Option<Month>,
    /// Since when an adult is known to be one; `None` where it is not known that they ever were not.
    pub(crate) adult_since: Option<Month>,
}

impl fmt::Debug for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Age")
    }
}

impl Age {
    /// An age of which nothing is known but the band.
    pub(crate) const fn of(band: AgeBand) -> Self {
        Self { band, changes: None, adult_since: None }
    }

    /// Whether such an age can be: only a child's band changes, and within the years of one band.
    fn can_be(self, now: u64) -> bool {
        let Some(changes) = self.changes else { return true };
        // The first band has the most years.
        let last = Month::of(now).map(|month| month.years_later(6));
        next(self.band).is_some() && last.is_some_and(|last| changes <= last)
    }

    /// What it is at a moment that has come.
    pub(crate) fn at_present(mut self, now: u64) -> Self {
        while let Some((changes, (band, years))) = self.changes.zip(next(self.band))
            && changes.begins() <= now
        {
            self.band = band;
            self.changes = next(band).map(|_| changes.years_later(years));
            self.adult_since = self.changes.is_none().then_some(changes);
        }
        // When in the year somebody became an adult is of no use once the year is over.
        let coarser = self.adult_since.map(Month::next_january);
        self.adult_since = coarser.filter(|january| january.begins() <= now).or(self.adult_since);
        self
    }

    /// The band at an earlier moment; `None` where that cannot be known.
    pub(crate) fn band_at(self, moment: u64) -> Option<AgeBand> {
        if let Some(since) = self.adult_since {
            return (since.begins() <= moment).then_some(self.band);
        }
        let Some(mut ends) = self.changes else { return Some(self.band) };
        let mut band = self.band;
        // From the present band back: each ended when the one after it began.
        for earlier in [AgeBand::To15, AgeBand::To12, AgeBand::To9, AgeBand::To5] {
            let Some((after, years)) = next(earlier).filter(|(after, _)| *after == band) else { continue };
            ends = ends.years_later(-years);
            if ends.begins() <= moment {
                return Some(after);
            }
            band = earlier;
        }
        Some(band)
    }
}

impl Journey {
    /// A child in a home, of whom it is known in which month the next band begins: the first month that
    /// is in it as a whole, so that nobody is taken to be older than they are. See [`Journey::add_person`].
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn add_child(
        &self,
        home: super::HomeId,
        band: AgeBand,
        changes: Month,
        by: By,
        now: u64,
    ) -> Result<PersonId, NotChanged> {
        let age = Age { changes: Some(changes), ..Age::of(band) };
        if !age.can_be(now) {
            return Err(NotChanged::NoSuchAge);
        }
        self.add_aged(home, age, by, now)
    }

    /// Moves the bands on whose month has come; of how many people. At 13 what was agreed to for them or by
    /// them as a child no longer counts, and a parent's authorisation neither: they are asked themselves.
    pub(crate) fn birthdays(&self, now: u64) -> Result<usize, NotChanged> {
        let mut moved = 0;
        for (person, age) in self.homes.ages() {
            let present = age.at_present(now);
            if present != age {
                self.grow(person, age, present, now)?;
                moved += 1;
            }
        }
        Ok(moved)
    }

    fn grow(&self, person: PersonId, was: Age, age: Age, now: u64) -> Result<(), NotChanged> {
        let Some(home) = self.homes.home_of(person) else { return Ok(()) };
        let _still = self.applying.read().unwrap_or_else(PoisonError::into_inner);
        let _turn = home.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lapsed = Vec::new();
        if was.band.needs_parent() && !age.band.needs_parent() {
            let plain = minicbor::to_vec(Said::Lapsed).map_err(|_| keys::Unavailable)?;
            for (product, in_force) in self.products() {
                let Some(standing) = in_force.state().standings.get(person) else { continue };
                if (standing.agreed | standing.authorised).is_empty() {
                    continue;
                }
                let about = About::Person(person);
                let said = keys::field::seal(&self.keys, person.into(), &said_at(about, product), &plain)?;
                let chosen = Chosen {
                    about,
                    home: home.row.id,
                    keeper: person.into(),
                    version: &in_force.version(),
                    said: &Said::Lapsed,
                    agreed_before: true,
                    record: &plain,
                };
                let entry = self.choice_entry(&chosen, By::Housecarl, now)?;
                lapsed.push((ChoiceRow { at: now, product, about, said }, entry));
            }
            self.keys.sync()?;
        }
        // All of it or nothing: a crash leaves the younger band, and the next run goes on.
        let row = PersonRow { id: person, home: home.row.id, age };
        self.register.grow(&row, &lapsed)?;
        self.homes.set_age(person, age);
        for (_, product) in self.products() {
            let state = product.state();
            if let Some(mut standing) = state.standings.get(person) {
                standing.band = age.band;
                state.standings.set(person, standing);
            }
        }
        lapsed.iter().for_each(|(choice, _)| self.add(choice));
        home.epoch.end();
        self.want(&home, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    fn month(text: &str) -> Month {
        text.parse().unwrap()
    }

    fn noon(text: &str) -> u64 {
        month(text).begins() + 14 * 86_400 + 43_200
    }

    #[test]
    fn a_month_is_read_as_it_is_printed_and_begins_with_its_first_second() {
        for (text, begins) in [
            ("1970-01", 0),
            ("1970-02", 2_678_400),
            ("2024-03", 1_709_251_200),
            ("2027-01", 1_798_761_600),
            ("2031-12", 1_953_849_600),
        ] {
            assert_eq!((month(text).begins(), month(text).to_string().as_str()), (begins, text));
            assert_eq!(Month::of(begins), Some(month(text)));
            assert!(begins == 0 || Month::of(begins - 1) < Some(month(text)));
        }
        for wrong in ["", "2031", "2031-13", "2031-00", "31-05", "2031-5", "2031-05-01", "may 2031"] {
            assert_eq!(wrong.parse::<Month>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn later_bands_follow_from_the_next_and_earlier_ones_too() {
        // Born in April 2020.
        let born = Age { changes: Some(month("2026-05")), ..Age::of(AgeBand::To5) };
        let bands = [
            ("2026-04", AgeBand::To5, Some("2026-05")),
            ("2026-05", AgeBand::To9, Some("2030-05")),
            ("2030-04", AgeBand::To9, Some("2030-05")),
            ("2030-05", AgeBand::To12, Some("2033-05")),
            ("2033-04", AgeBand::To12, Some("2033-05")),
            ("2033-05", AgeBand::To15, Some("2036-05")),
            ("2036-05", AgeBand::To17, Some("2038-05")),
            ("2038-04", AgeBand::To17, Some("2038-05")),
            ("2038-05", AgeBand::Adult, None),
        ];
        for (at, band, changes) in bands {
            let age = born.at_present(noon(at));
            assert_eq!((age.band, age.changes), (band, changes.map(month)), "{at}");
            // By steps or at once it is the same.
            assert_eq!(born.at_present(noon("2030-12")).at_present(noon(at)).band, band.max(AgeBand::To12));
            // Looked back at from every later month of a child.
            for (later, ..) in bands.iter().filter(|(later, band, _)| *later >= at && band.is_child()) {
                assert_eq!(born.at_present(noon(later)).band_at(noon(at)), Some(band), "{at} from {later}");
            }
        }
        let adult = born.at_present(noon("2038-05"));
        assert_eq!(adult.band_at(month("2038-05").begins()), Some(AgeBand::Adult));
        assert_eq!(adult.band_at(month("2038-05").begins() - 1), None, "not known any more");
        let later = adult.at_present(noon("2039-01"));
        assert_eq!(later.adult_since, Some(month("2039-01")));
        assert_eq!(later.at_present(noon("2050-07")), later);
        // Of whom nothing but the band is known it was always that.
        assert_eq!(Age::of(AgeBand::Adult).at_present(noon("2050-07")).band_at(0), Some(AgeBand::Adult));
        assert_eq!(Age::of(AgeBand::To12).at_present(noon("2050-07")), Age::of(AgeBand::To12));
    }

    #[test]
    fn only_a_child_s_band_changes_and_not_later_than_it_can() {
        let now = noon("2027-01");
        let can = |band, changes| Age { changes: Some(month(changes)), ..Age::of(band) }.can_be(now);
        assert!(can(AgeBand::To5, "2033-01") && can(AgeBand::To17, "2027-01"));
        assert!(!can(AgeBand::To5, "2033-02"));
        assert!(!can(AgeBand::Adult, "2028-01") && !can(AgeBand::Unknown, "2028-01"));
    }
}
