//! The forms that single values of a manifest have: texts, names, dates, spans of time, numbers,
//! and what is left of a value.

use std::collections::BTreeMap;
use std::fmt;

use housecarl_policy::minimise::{Grid, Operator, TimeForm, TimeUnit};
use housecarl_policy::value::Decimal;
use serde_json::{Value as Json, json};
use toml::de::DeValue;

use crate::path::Path;
use crate::problem::{ProblemKind, Problems};
use crate::read::{Node, Read, span, wrong_type};

fn text<'n>(node: &'n Node<'_>) -> Option<&'n str> {
    node.get_ref().as_str()
}

fn bad_form<T: Read>(node: &Node<'_>, what: &'static str, problems: &mut Problems) -> Option<T> {
    problems.add(ProblemKind::BadForm { what, expected: T::EXPECTED }, span(node));
    None
}

impl Read for String {
    const EXPECTED: &'static str = "a text";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        match text(node) {
            Some(text) => Some(text.to_owned()),
            None => wrong_type(node, problems),
        }
    }
    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

impl Read for bool {
    const EXPECTED: &'static str = "true or false";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        match node.get_ref().as_bool() {
            Some(value) => Some(value),
            None => wrong_type(node, problems),
        }
    }
    fn schema() -> Json {
        json!({ "type": "boolean" })
    }
}

impl Read for i64 {
    const EXPECTED: &'static str = "a whole number";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        match node.get_ref() {
            DeValue::Integer(number) => match Self::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Some(number),
                Err(_) => bad_form(node, "a whole number", problems),
            },
            _ => wrong_type(node, problems),
        }
    }
    fn schema() -> Json {
        json!({ "type": "integer" })
    }
}

impl Read for Decimal {
    const EXPECTED: &'static str = "a number";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let number = match node.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => Self::parse(number.as_str()),
            DeValue::Float(number) => Self::parse(number.as_str()),
            _ => return wrong_type(node, problems),
        };
        if number.is_none() {
            return bad_form(node, "a number", problems);
        }
        number
    }
    fn schema() -> Json {
        json!({ "type": "number" })
    }
}

/// Words for people, in one or several languages. A plain text is English.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Text {
    by_language: BTreeMap<String, String>,
}

impl Text {
    /// The language a plain text is in.
    pub const DEFAULT_LANGUAGE: &'static str = "en";

    /// The words in this language, else in English, else in any.
    #[must_use]
    pub fn in_language(&self, language: &str) -> &str {
        self.by_language
            .get(language)
            .or_else(|| self.by_language.get(Self::DEFAULT_LANGUAGE))
            .or_else(|| self.by_language.values().next())
            .map_or("", String::as_str)
    }

    /// The languages there are words in.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.by_language.keys().map(String::as_str)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.in_language(Self::DEFAULT_LANGUAGE))
    }
}

impl Read for Text {
    const EXPECTED: &'static str = "a text, or a table of languages such as { en = \"…\", cy = \"…\" }";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let mut by_language = BTreeMap::new();
        match node.get_ref() {
            DeValue::String(text) => {
                by_language.insert(Self::DEFAULT_LANGUAGE.to_owned(), text.to_string());
            }
            DeValue::Table(table) => {
                for (language, text) in table {
                    by_language.insert(language.get_ref().to_string(), String::read(text, problems)?);
                }
            }
            _ => return wrong_type(node, problems),
        }
        Some(Self { by_language })
    }
    fn schema() -> Json {
        let words = json!({ "type": "string" });
        json!({ "anyOf": [words, { "type": "object", "additionalProperties": words, "minProperties": 1 }] })
    }
}

/// The name of something else in the manifest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Name(pub String);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Read for Name {
    const EXPECTED: &'static str = "a name";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        match text(node) {
            Some(name) => Some(Self(name.to_owned())),
            None => wrong_type(node, problems),
        }
    }
    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

/// A day of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Date {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day, from 1.
    pub day: u8,
}

impl Date {
    /// Days since 1 January 1970; 0 for what came before.
    #[must_use]
    pub fn unix_day(self) -> u32 {
        // Howard Hinnant's days_from_civil: years that begin in March have their leap day last.
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let of_year = (153 * ((i64::from(self.month) + 9) % 12) + 2) / 5 + i64::from(self.day) - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        u32::try_from(days).unwrap_or(0)
    }

    /// The day that is so many days after 1 January 1970.
    #[must_use]
    pub fn from_unix_day(days: u32) -> Self {
        let days = i64::from(days) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        let byte = |number: i64| u8::try_from(number).unwrap_or(1);
        Self { year: u16::try_from(year).unwrap_or(u16::MAX), month: byte(month), day: byte(day) }
    }

    /// Reads a date such as `2027-01-31`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let date = Self { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? };
        let real = year.len() == 4 && (1..=12).contains(&date.month) && (1..=31).contains(&date.day);
        (real && parts.next().is_none()).then_some(date)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Read for Date {
    const EXPECTED: &'static str = "a date without quotes, such as 2027-01-31";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        match node.get_ref().as_datetime().and_then(|datetime| datetime.date) {
            Some(date) => Some(Self { year: date.year, month: date.month, day: date.day }),
            None => wrong_type(node, problems),
        }
    }
    fn schema() -> Json {
        // What TOML editors validate a bare date as.
        json!({ "type": "string", "format": "date" })
    }
}

/// A length of time, as people say it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Duration {
    text: String,
    seconds: u32,
}

const SECONDS_A_DAY: u32 = 86_400;

impl Duration {
    /// Its length in seconds. A month counts as 31 days and a year as 366: nothing is destroyed
    /// before the words allow it.
    #[must_use]
    pub const fn seconds(&self) -> u32 {
        self.seconds
    }

    /// Reads a length such as `13 months`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = text.trim().split_once(' ')?;
        let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
        let unit = match unit.strip_suffix('s').unwrap_or(unit) {
            "second" => 1,
            "minute" => 60,
            "hour" => 3_600,
            "day" => SECONDS_A_DAY,
            "week" => 7 * SECONDS_A_DAY,
            "month" => 31 * SECONDS_A_DAY,
            "year" => 366 * SECONDS_A_DAY,
            _ => return None,
        };
        Some(Self { text: text.trim().to_owned(), seconds: number.checked_mul(unit)? })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Read for Duration {
    const EXPECTED: &'static str =
        "a number and a unit, such as \"13 months\": seconds, minutes, hours, days, weeks, months, years";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(text) = text(node) else { return wrong_type(node, problems) };
        match Self::parse(text) {
            Some(duration) => Some(duration),
            None => bad_form(node, "a length of time", problems),
        }
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[1-9][0-9]* (second|minute|hour|day|week|month|year)s?$" })
    }
}

impl Read for Path {
    const EXPECTED: &'static str = "a path such as \"/samples/*/bpm\"";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(text) = text(node) else { return wrong_type(node, problems) };
        match Self::parse(text) {
            Ok(path) => Some(path),
            Err(why) => {
                problems.add(ProblemKind::BadPath { why }, span(node));
                None
            }
        }
    }
    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(/.*)?$" })
    }
}

/// What is left of a value before it is stored: one operator of the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leaves(pub Operator);

const UNITS: [(&str, TimeUnit); 4] = [
    ("minute", TimeUnit::Minute),
    ("hour", TimeUnit::Hour),
    ("day", TimeUnit::Day),
    ("month", TimeUnit::Month),
];
const FORMS: [(&str, TimeForm); 4] = [
    ("iso", TimeForm::Iso),
    ("seconds", TimeForm::Seconds),
    ("milliseconds", TimeForm::Millis),
    ("nanoseconds", TimeForm::Nanos),
];
const GRIDS: [(&str, Grid); 3] = [("10 km", Grid::Km10), ("1 km", Grid::Km1), ("100 m", Grid::M100)];
const PLAIN: [(&str, Operator); 5] = [
    ("keep", Operator::Keep),
    ("drop", Operator::Drop),
    ("presence", Operator::Presence),
    ("count", Operator::Count),
    ("pseudonym", Operator::Pseudonymise),
];

fn pick<T: Copy>(list: &[(&str, T)], word: &str) -> Option<T> {
    list.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
}

impl Leaves {
    fn from_table(node: &Node<'_>) -> Option<Operator> {
        let table = node.get_ref().as_table()?;
        let get = |key: &str| table.get(key).map(toml::Spanned::get_ref);
        let number = |value: &DeValue<'_>| match value {
            DeValue::Integer(number) if number.radix() == 10 => Decimal::parse(number.as_str()),
            DeValue::Float(number) => Decimal::parse(number.as_str()),
            _ => None,
        };
        let positive = |value: &DeValue<'_>| number(value).filter(|number| number.mantissa() > 0);
        let mut keys: Vec<&str> = table.keys().map(|key| key.get_ref().as_ref()).collect();
        keys.sort_unstable();
        match keys.as_slice() {
            ["round"] => Some(Operator::Round(positive(get("round")?)?)),
            ["bucket"] => Some(Operator::Bucket(positive(get("bucket")?)?)),
            ["reached"] => Some(Operator::Reached(number(get("reached")?)?)),
            ["clamp"] => {
                match get("clamp")?.as_array()?.iter().map(|end| number(end.get_ref())).collect::<Vec<_>>()[..]
                {
                    [Some(low), Some(high)] if low.is_less(high) == Some(true) => {
                        Some(Operator::Clamp(low, high))
                    }
                    _ => None,
                }
            }
            ["place"] => pick(&GRIDS, get("place")?.as_str()?).map(Operator::Place),
            ["prefix"] => {
                let characters = get("prefix")?.as_integer()?.as_str().parse().ok().filter(|n| *n > 0)?;
                Some(Operator::Prefix(characters))
            }
            ["time"] => Some(Operator::Time(pick(&UNITS, get("time")?.as_str()?)?, TimeForm::Iso)),
            ["form", "time"] => {
                let unit = pick(&UNITS, get("time")?.as_str()?)?;
                let form = pick(&FORMS, get("form")?.as_str()?)?;
                let counted_month = unit == TimeUnit::Month && form != TimeForm::Iso;
                (!counted_month).then_some(Operator::Time(unit, form))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Leaves {
    /// The one fixed meaning, as a notice prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Operator::Keep => f.write_str("as measured"),
            Operator::Drop => f.write_str("not collected"),
            Operator::Presence => f.write_str("only that it happened"),
            Operator::Count => f.write_str("only how many"),
            Operator::Round(step) => write!(f, "rounded to the nearest {step}"),
            Operator::Bucket(width) => write!(f, "in bands of {width}"),
            Operator::Clamp(low, high) => write!(f, "never below {low} or above {high}"),
            Operator::Reached(limit) => write!(f, "only whether it reached {limit}"),
            Operator::Time(unit, _) => {
                let unit = UNITS.iter().find(|(_, known)| *known == unit).map_or("", |(word, _)| word);
                write!(f, "the time cut to the {unit}")
            }
            Operator::Place(grid) => {
                let width = GRIDS.iter().find(|(_, known)| *known == grid).map_or("", |(word, _)| word);
                write!(f, "the place on a grid of about {width}")
            }
            Operator::Prefix(characters) => write!(f, "the first {characters} characters"),
            Operator::Pseudonymise => f.write_str("replaced by a code"),
        }
    }
}

impl Read for Leaves {
    const EXPECTED: &'static str = "\"keep\", \"drop\", \"presence\", \"count\" or \"pseudonym\", or one of \
        { round = 5 }, { bucket = 10 }, { clamp = [30, 220] }, { reached = 38 }, { prefix = 4 }, \
        { place = \"10 km\" | \"1 km\" | \"100 m\" }, \
        { time = \"minute\" | \"hour\" | \"day\" | \"month\", form = \"iso\" | \"seconds\" | \"milliseconds\" | \"nanoseconds\" }";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        let operator = match node.get_ref() {
            DeValue::String(word) => pick(&PLAIN, word),
            DeValue::Table(_) => Self::from_table(node),
            _ => return wrong_type(node, problems),
        };
        match operator {
            Some(operator) => Some(Self(operator)),
            None => bad_form(node, "what is left of a value", problems),
        }
    }
    fn schema() -> Json {
        let words: Vec<&str> = PLAIN.iter().map(|(word, _)| *word).collect();
        let number = json!({ "type": "number" });
        let units: Vec<&str> = UNITS.iter().map(|(word, _)| *word).collect();
        let forms: Vec<&str> = FORMS.iter().map(|(word, _)| *word).collect();
        let grids: Vec<&str> = GRIDS.iter().map(|(word, _)| *word).collect();
        let one = |key: &str, schema: Json| json!({ "type": "object", "properties": { key: schema }, "required": [key], "additionalProperties": false });
        json!({ "anyOf": [
            { "enum": words },
            one("round", json!({ "type": "number", "exclusiveMinimum": 0 })),
            one("bucket", json!({ "type": "number", "exclusiveMinimum": 0 })),
            one("clamp", json!({ "type": "array", "items": number, "minItems": 2, "maxItems": 2 })),
            one("reached", number),
            one("prefix", json!({ "type": "integer", "minimum": 1, "maximum": 255 })),
            one("place", json!({ "enum": grids })),
            { "type": "object", "properties": { "time": { "enum": units }, "form": { "enum": forms } },
              "required": ["time"], "additionalProperties": false },
        ] })
    }
}

/// One step of a precision that a person chooses: its name and what it leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What the person chooses by.
    pub name: String,
    /// What it leaves.
    pub leaves: Leaves,
}

impl Read for Step {
    const EXPECTED: &'static str = "\"off\", \"exact\", or a name and what it leaves, such as { name = \"town\", leaves = { place = \"10 km\" } }";
    fn read(node: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        match node.get_ref() {
            DeValue::String(word) => match word.as_ref() {
                "off" => Some(Self { name: "off".to_owned(), leaves: Leaves(Operator::Drop) }),
                "exact" => Some(Self { name: "exact".to_owned(), leaves: Leaves(Operator::Keep) }),
                _ => bad_form(node, "a step of precision", problems),
            },
            DeValue::Table(table) => {
                crate::read::unknown_keys(node, &["name", "leaves"], problems);
                match (table.get("name"), table.get("leaves")) {
                    (Some(name), Some(leaves)) => Some(Self {
                        name: String::read(name, problems)?,
                        leaves: Leaves::read(leaves, problems)?,
                    }),
                    _ => bad_form(node, "a step of precision", problems),
                }
            }
            _ => wrong_type(node, problems),
        }
    }
    fn schema() -> Json {
        json!({ "anyOf": [
            { "enum": ["off", "exact"] },
            { "type": "object", "properties": { "name": { "type": "string" }, "leaves": Leaves::schema() },
              "required": ["name", "leaves"], "additionalProperties": false },
        ] })
    }
}
