//! Made-up people for `replay`: what they say, turned into the standings that a decision reads.

use std::collections::BTreeMap;

use housecarl_journey::{Home, Past};
use housecarl_manifest::problem::did_you_mean;
use housecarl_policy::table::purpose_flag;
use housecarl_policy::table::record::PurposeRecord;
use housecarl_policy::{AccessGate, AgeBand, Basis, DeviceStanding, PurposeSet, Standing, Table};
use serde::Deserialize;

use crate::output::Result;

/// The home where nobody names another.
pub(crate) const DEFAULT: &str = include_str!("home.toml");

/// A home file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HomeFile {
    person: BTreeMap<String, Person>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    /// Whether anybody knows who this is.
    #[serde(default = "yes")]
    known: bool,
    #[serde(default)]
    band: Band,
    says: Answer,
    /// What a parent authorised, for a child under 13.
    #[serde(default)]
    parent: Answer,
    /// Purposes that are agreed to all the same.
    #[serde(default)]
    yes: Vec<String>,
    /// Purposes that are refused all the same.
    #[serde(default)]
    no: Vec<String>,
    /// Whether the person was told of everything.
    #[serde(default = "yes")]
    told: bool,
    /// Chosen steps of precision, by item. Who says yes starts at the most exact one.
    #[serde(default)]
    precision: BTreeMap<String, String>,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Yes,
    No,
    #[default]
    Nothing,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
enum Band {
    #[default]
    #[serde(rename = "unknown")]
    Unknown,
    #[serde(rename = "0-5")]
    To5,
    #[serde(rename = "6-9")]
    To9,
    #[serde(rename = "10-12")]
    To12,
    #[serde(rename = "13-15")]
    To15,
    #[serde(rename = "16-17")]
    To17,
    #[serde(rename = "adult")]
    Adult,
}

impl Band {
    const fn known(self) -> AgeBand {
        match self {
            Self::Unknown => AgeBand::Unknown,
            Self::To5 => AgeBand::To5,
            Self::To9 => AgeBand::To9,
            Self::To12 => AgeBand::To12,
            Self::To15 => AgeBand::To15,
            Self::To17 => AgeBand::To17,
            Self::Adult => AgeBand::Adult,
        }
    }
}

impl HomeFile {
    /// Reads a home file; `path` is for the message.
    pub(crate) fn read(path: &str, text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| format!("{path}: {}", error.to_string().trim_end()))
    }

    /// The names of its people.
    pub(crate) fn names(&self) -> Vec<String> {
        self.person.keys().cloned().collect()
    }

    /// A home in which these people live, as one product's table sees it. The message is about the
    /// first of them, and the device is as that one settled it.
    pub(crate) fn standing(&self, table: &Table<'_>, names: &str) -> Result<Made> {
        let mut made = Made { name: names.to_owned(), device: DeviceStanding::default(), people: Vec::new() };
        for (at, name) in names.split('+').enumerate() {
            let Some(person) = self.person.get(name) else {
                let help = match did_you_mean(name, self.person.keys().map(String::as_str)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("there are: {}", self.names().join(", ")),
                };
                return Err(format!("nobody in the home is called `{name}`\n  {help}"));
            };
            if at == 0 {
                made.device = person.device(table)?;
            }
            if person.known {
                made.people.push(person.standing(table)?);
            }
        }
        Ok(made)
    }
}

impl Person {
    fn named(&self, table: &Table<'_>, names: &[String]) -> Result<PurposeSet> {
        let mut set = PurposeSet::NONE;
        for name in names {
            let known =
                || table.purposes().iter().filter_map(|id| Some((id, table.text(table.purpose(id)?.name))));
            match known().find(|(_, known)| known == name) {
                Some((id, _)) => set.insert(id),
                None => {
                    let meant = did_you_mean(name, known().map(|(_, name)| name));
                    let help = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
                    return Err(format!("the product has no purpose `{name}`{help}"));
                }
            }
        }
        Ok(set)
    }

    /// What is agreed to and what is refused.
    fn answers(&self, table: &Table<'_>) -> Result<(PurposeSet, PurposeSet)> {
        let (yes, no) = (self.named(table, &self.yes)?, self.named(table, &self.no)?);
        let all = |answer: Answer, of: PurposeSet| if self.says == answer { of } else { PurposeSet::NONE };
        let agreed = all(Answer::Yes, table.purposes()) | yes;
        let refused = all(Answer::No, refusable(table)) | no;
        Ok((agreed.without(no), refused.without(yes)))
    }

    fn standing(&self, table: &Table<'_>) -> Result<Standing> {
        let mut standing = Standing::unasked(self.band.known());
        (standing.agreed, standing.refused) = self.answers(table)?;
        if self.told {
            standing.told = table.purposes();
        }
        if self.parent == Answer::Yes {
            standing.authorised = standing.agreed;
        }
        for (_, item) in table.items() {
            let name = table.text(item.name);
            let step_name = |step: u8| table.step(&item, step).map(|step| table.text(step.name));
            let chosen = match self.precision.get(name) {
                Some(wanted) => {
                    (0..item.steps).find(|step| step_name(*step) == Some(wanted)).ok_or_else(|| {
                        let steps: Vec<&str> = (0..item.steps).filter_map(step_name).collect();
                        format!("`{name}` has no step `{wanted}`; it has: {}", steps.join(", "))
                    })?
                }
                None if self.says == Answer::Yes => item.steps.saturating_sub(1),
                None => 0,
            };
            standing.choose_precision(item.slot, chosen);
        }
        Ok(standing)
    }

    fn device(&self, table: &Table<'_>) -> Result<DeviceStanding> {
        let (agreed, refused) = self.answers(table)?;
        // Whoever was asked nothing has not switched anything on either.
        let features = if self.says == Answer::Nothing { 0 } else { u32::MAX };
        let available = if self.told { table.purposes() } else { PurposeSet::NONE };
        Ok(DeviceStanding { agreed, refused, available, features, changed_at: 0 })
    }
}

/// The purposes that a person can say no to: what rests on consent, what can be objected to, and
/// what belongs to a feature.
fn refusable(table: &Table<'_>) -> PurposeSet {
    let can = |purpose: &PurposeRecord| {
        let flags = purpose_flag::EXPLICIT_CONSENT | purpose_flag::MARKETING;
        purpose.basis == Basis::Consent
            || purpose.basis.can_be_objected_to()
            || purpose.flags & flags != 0
            || matches!(purpose.access, AccessGate::Consent | AccessGate::ExemptUnlessObjected)
            || purpose.features != 0
    };
    table.purposes().iter().filter(|id| table.purpose(*id).is_some_and(|purpose| can(&purpose))).collect()
}

/// A home made for one question.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) name: String,
    device: DeviceStanding,
    people: Vec<Standing>,
}

impl Home for Made {
    fn device(&self) -> &DeviceStanding {
        &self.device
    }
    fn people(&self) -> &[Standing] {
        &self.people
    }
    fn at(&self, _: u64) -> Option<Past> {
        // They have never said anything else.
        Some(Past { device: self.device, people: self.people.clone() })
    }
    fn person(&self, _: Option<&str>) -> Option<usize> {
        (!self.people.is_empty()).then_some(0)
    }
}
