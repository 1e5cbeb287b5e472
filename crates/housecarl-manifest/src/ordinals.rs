//! The numbers of purposes, items and features: given once, kept by name, never used again.
//!
//! They stand in `privacy.lock` beside the manifest, so that reordering or removing lines changes
//! nobody's choices. A rename is a removal and a new purpose.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use housecarl_policy::PurposeId;
use housecarl_policy::table::{FEATURES_MAX, ITEMS_MAX};
use toml::de::{DeTable, DeValue};

use crate::model::Manifest;
use crate::problem::{ProblemKind, Problems};
use crate::span::{Map, Span};

/// The name of the file that keeps the numbers, beside the manifest.
pub const LOCK_FILE: &str = "privacy.lock";

/// Numbers by name, of everything the product ever had.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ordinals {
    purposes: BTreeMap<String, u16>,
    items: BTreeMap<String, u16>,
    features: BTreeMap<String, u16>,
}

/// Why a lock file cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockError {
    /// The 1-based line.
    pub line: usize,
    /// What is wrong there.
    pub why: String,
}

impl std::fmt::Display for LockError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for LockError {}

const VERSION: &str = "1";

impl Ordinals {
    /// The number of a purpose.
    #[must_use]
    pub fn purpose(&self, name: &str) -> Option<PurposeId> {
        self.purposes.get(name).and_then(|number| u8::try_from(*number).ok()).and_then(PurposeId::new)
    }

    /// The number of an item.
    #[must_use]
    pub fn item(&self, name: &str) -> Option<u16> {
        self.items.get(name).copied()
    }

    /// The number of a feature.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<u16> {
        self.features.get(name).copied()
    }

    /// Gives a number to whatever in the manifest has none. New names are numbered in the order of
    /// the alphabet, so that the order of lines never matters.
    pub(crate) fn extend(&mut self, manifest: &Manifest, problems: &mut Problems) {
        number(&mut self.purposes, "purposes", PurposeId::MAX, &manifest.purpose, problems);
        number(&mut self.items, "items", ITEMS_MAX, &manifest.item, problems);
        number(&mut self.features, "features", FEATURES_MAX, &manifest.feature, problems);
    }

    /// These numbers and those of whatever is new in the manifest.
    #[must_use]
    pub fn extended(&self, manifest: &Manifest) -> Self {
        let mut extended = self.clone();
        extended.extend(manifest, &mut Problems::default());
        extended
    }

    /// Some name to which these numbers and earlier ones of the same product give different numbers,
    /// or that has lost its number: people's choices are kept by it.
    #[must_use]
    pub fn renumbers<'o>(&self, earlier: &'o Self) -> Option<&'o str> {
        let tables = [
            (&earlier.purposes, &self.purposes),
            (&earlier.items, &self.items),
            (&earlier.features, &self.features),
        ];
        let mut all = tables.iter().flat_map(|(was, is)| was.iter().map(move |entry| (entry, is)));
        let changed = all.find(|((name, number), is)| is.get(*name) != Some(*number))?;
        Some(changed.0.0.as_str())
    }

    /// Reads a lock file.
    ///
    /// # Errors
    /// Where the file is not one, or gives one number to two names.
    pub fn read(text: &str) -> Result<Self, LockError> {
        let lines = crate::span::Lines::of(text);
        let at = |span: std::ops::Range<usize>, why: &str| LockError {
            line: lines.line(span.start),
            why: why.to_owned(),
        };
        let table =
            DeTable::parse(text).map_err(|error| at(error.span().unwrap_or(0..0), error.message()))?;
        let mut ordinals = Self::default();
        for (key, value) in table.get_ref() {
            let (numbers, most) = match (key.get_ref().as_ref(), value.get_ref()) {
                ("version", DeValue::Integer(version)) if version.as_str() == VERSION => continue,
                ("purpose", _) => (&mut ordinals.purposes, PurposeId::MAX),
                ("item", _) => (&mut ordinals.items, ITEMS_MAX),
                ("feature", _) => (&mut ordinals.features, FEATURES_MAX),
                _ => {
                    return Err(at(
                        key.span(),
                        "this program reads `version = 1`, `purpose`, `item` and `feature`",
                    ));
                }
            };
            let Some(entries) = value.get_ref().as_table() else {
                return Err(at(value.span(), "here stands a table of names and numbers"));
            };
            for (name, number) in entries {
                let number =
                    number.get_ref().as_integer().and_then(|number| number.as_str().parse::<u16>().ok());
                let Some(number) = number.filter(|number| usize::from(*number) < most) else {
                    return Err(at(name.span(), "the number is too large, or no number"));
                };
                if numbers.values().any(|taken| *taken == number) {
                    return Err(at(
                        name.span(),
                        "another name has this number; a number is never used again",
                    ));
                }
                numbers.insert(name.get_ref().to_string(), number);
            }
        }
        Ok(ordinals)
    }

    /// Writes a lock file.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = String::from(
            "# The numbers that people's choices are kept by. `housecarl lock` adds to this file and\n\
             # never changes a line: keep it beside the manifest and under version control.\n\
             version = 1\n",
        );
        for (table, numbers) in
            [("purpose", &self.purposes), ("item", &self.items), ("feature", &self.features)]
        {
            let mut entries: Vec<(u16, &String)> =
                numbers.iter().map(|(name, number)| (*number, name)).collect();
            entries.sort_unstable();
            if !entries.is_empty() {
                let _ = write!(text, "\n[{table}]\n");
            }
            for (number, name) in entries {
                let _ = writeln!(text, "{name} = {number}");
            }
        }
        text
    }
}

fn number<T>(
    numbers: &mut BTreeMap<String, u16>,
    what: &'static str,
    most: usize,
    map: &Map<T>,
    problems: &mut Problems,
) {
    let mut new: Vec<(&str, Span)> = map
        .iter()
        .filter(|entry| !numbers.contains_key(&entry.name.value))
        .map(|entry| (entry.name.value.as_str(), entry.name.span))
        .collect();
    new.sort_unstable();
    for (name, span) in new {
        let next = numbers.values().max().map_or(0, |last| last.saturating_add(1));
        if usize::from(next) >= most {
            problems.add(ProblemKind::TooMany { what, most }, span);
            return;
        }
        numbers.insert(name.to_owned(), next);
    }
}
