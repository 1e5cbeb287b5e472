//! The decision once more, slowly: one purpose at a time, one gate at a time, one person at a time.
//!
//! It asks each gate as if there were no other, so that it can say which of them alone decided.
//! What it says comes from the design's words; it shares no code with the table or its compiler.

use std::collections::{BTreeMap, BTreeSet};

use housecarl_manifest::Manifest;
use housecarl_policy::{Act, AgeBand, Gate, Operator, SubjectKind};

use crate::facts::{Case, Person, Subject};
use crate::reading::{Asks, Reading, purposes};

/// What the reference says of one purpose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The act is permitted.
    Permitted {
        /// It protects a life, and somebody it is about was not told: a finding.
        untold_alarm: bool,
    },
    /// Each of these gates closes the purpose on its own.
    Closed(BTreeSet<Gate>),
}

impl Verdict {
    /// Whether the act is permitted.
    #[must_use]
    pub const fn is_permitted(&self) -> bool {
        matches!(self, Self::Permitted { .. })
    }

    /// The reason that is given: the gate that is asked first.
    #[must_use]
    pub fn reason(&self) -> Option<Gate> {
        match self {
            Self::Permitted { .. } => None,
            Self::Closed(gates) => gates.first().copied(),
        }
    }

    /// The gate without which the act would be permitted, where there is one.
    #[must_use]
    pub fn decided_by(&self) -> Option<Gate> {
        match self {
            Self::Closed(gates) if gates.len() == 1 => gates.first().copied(),
            _ => None,
        }
    }
}

/// The answer to a whole question.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// One verdict for each purpose of the manifest, by name.
    pub verdicts: BTreeMap<String, Verdict>,
    /// What is left of the value; [`Operator::Drop`] where nothing is permitted.
    pub operator: Operator,
    /// For how many seconds from receipt it is kept.
    pub keep_seconds: u64,
}

/// The reference for one manifest.
#[derive(Clone, Debug)]
pub struct Reference<'m> {
    manifest: &'m Manifest,
    shut: &'m BTreeSet<String>,
    purposes: Vec<Reading>,
    children_likely: bool,
}

impl<'m> Reference<'m> {
    /// Reads a manifest. `shut` names the purposes that are not to open.
    #[must_use]
    pub fn of(manifest: &'m Manifest, shut: &'m BTreeSet<String>) -> Self {
        Self { manifest, shut, purposes: purposes(manifest), children_likely: children_likely(manifest) }
    }

    /// The purposes as they were read.
    #[must_use]
    pub fn purposes(&self) -> &[Reading] {
        &self.purposes
    }

    /// The age band to act on.
    #[must_use]
    pub fn band(&self, person: &Person) -> AgeBand {
        match person.band {
            AgeBand::Unknown if self.children_likely => AgeBand::To5,
            AgeBand::Unknown => AgeBand::Adult,
            known => known,
        }
    }

    /// Whether the person is under 18.
    #[must_use]
    pub fn is_child(&self, person: &Person) -> bool {
        self.band(person) != AgeBand::Adult
    }

    /// Whether the person is under 13.
    #[must_use]
    pub fn needs_parent(&self, person: &Person) -> bool {
        [AgeBand::To5, AgeBand::To9, AgeBand::To12].contains(&self.band(person))
    }

    /// Answers a question.
    #[must_use]
    pub fn answer(&self, case: &Case) -> Answer {
        let verdict = |purpose: &Reading| (purpose.name.clone(), self.verdict(purpose, case));
        let verdicts: BTreeMap<String, Verdict> = self.purposes.iter().map(verdict).collect();
        let permitted: Vec<&Reading> =
            self.purposes.iter().filter(|purpose| verdicts[&purpose.name].is_permitted()).collect();
        let kind = kind_of(&case.subject);
        let keep = if permitted.is_empty() {
            None
        } else if kind == SubjectKind::Bystander {
            // The shortest of all that use the item and are not shut, whoever permits them.
            let uses = |purpose: &&Reading| {
                !self.is_closed(Gate::NotDeclared, purpose, case)
                    && !self.is_closed(Gate::Shut, purpose, case)
            };
            self.purposes.iter().filter(uses).map(|purpose| purpose.keep_for(kind)).min()
        } else {
            permitted.iter().map(|purpose| purpose.keep_for(kind)).max()
        };
        let operator = if keep.is_some() { self.left(case) } else { Operator::Drop };
        Answer { verdicts, operator, keep_seconds: keep.unwrap_or(0) }
    }

    fn verdict(&self, purpose: &Reading, case: &Case) -> Verdict {
        let people = case.subject.people();
        let told = self.is_told(purpose, case);
        let permitted = Verdict::Permitted { untold_alarm: purpose.vital && !told };
        let declared = !self.is_closed(Gate::NotDeclared, purpose, case);
        let restricted = people.iter().any(|person| person.restricted.contains(&purpose.name));
        if case.question.act == Act::Keep && declared && restricted {
            // Article 18: it is kept, past its date if need be, whatever else closes the purpose.
            return permitted;
        }
        let closed: BTreeSet<Gate> =
            Gate::EVERY.iter().copied().filter(|gate| self.is_closed(*gate, purpose, case)).collect();
        if closed.is_empty() { permitted } else { Verdict::Closed(closed) }
    }

    /// Whether a gate is closed, as if there were no other.
    fn is_closed(&self, gate: Gate, purpose: &Reading, case: &Case) -> bool {
        let Case { device, subject, question } = case;
        let people = subject.people();
        let kind = kind_of(subject);
        let name = &purpose.name;
        match gate {
            Gate::NotDeclared => {
                let declared = self.manifest.item.iter().any(|item| item.name.value == question.item);
                !declared || !purpose.items.contains(&question.item)
            }
            Gate::Shut => !purpose.complete || self.shut.contains(name),
            Gate::PeriodOver => {
                let ended = purpose.ends.is_some_and(|end| question.now >= end);
                let age = question.now.saturating_sub(question.received);
                let past = question.act != Act::Collect && age >= purpose.keep_for(kind);
                ended || past
            }
            Gate::NotForThisPerson => {
                let unrecognised = kind == SubjectKind::Bystander && purpose.identifies;
                // An alarm that protects a life is for whoever is there.
                !(purpose.kinds.contains(&kind) || purpose.vital) || unrecognised
            }
            Gate::FeatureOff => {
                !purpose.features.is_empty() && purpose.features.is_disjoint(&device.features)
            }
            Gate::AccessRefused => purpose.access != Asks::Nothing && device.refused.contains(name),
            Gate::AccessUnanswered => purpose.access == Asks::Consent && !device.agreed.contains(name),
            Gate::Restricted => {
                question.act != Act::Keep && people.iter().any(|person| person.restricted.contains(name))
            }
            Gate::Refused => people.iter().any(|person| person.refused.contains(name)),
            Gate::MarketingObjection => purpose.marketing && people.iter().any(|person| person.no_marketing),
            // A bystander may be a child where children are likely, and nobody can switch anything on
            // for them.
            Gate::ChildDefault if kind == SubjectKind::Bystander => !purpose.core && self.children_likely,
            Gate::ChildDefault => {
                let off = |child: &Person| self.is_child(child) && !child.agreed.contains(name);
                !purpose.core && people.iter().any(off)
            }
            Gate::ParentMissing => {
                let asked = purpose.needs_consent || !purpose.core;
                let alone = |child: &Person| {
                    let agreed = child.agreed.contains(name);
                    self.needs_parent(child) && agreed && !child.authorised.contains(name)
                };
                asked && people.iter().any(alone)
            }
            Gate::ConsentMissing => {
                let all = !people.is_empty() && people.iter().all(|person| person.agreed.contains(name));
                purpose.needs_consent && !all
            }
            Gate::Untold => !purpose.vital && !self.is_told(purpose, case),
            Gate::PrecisionOff => question.act != Act::Keep && self.left(case) == Operator::Drop,
        }
    }

    /// Each known person was told; where nobody is known, people here could learn of it.
    fn is_told(&self, purpose: &Reading, case: &Case) -> bool {
        let people = case.subject.people();
        if people.is_empty() {
            return case.device.available.contains(&purpose.name);
        }
        people.iter().all(|person| person.told.contains(&purpose.name))
    }

    /// What is left of the value. In a household an "off" of anyone is everyone's; else the
    /// earliest step that anyone chose, for a manifest begins with the least.
    fn left(&self, case: &Case) -> Operator {
        let declared = self.manifest.item.iter().find(|item| item.name.value == case.question.item);
        let Some(item) = declared else { return Operator::Keep };
        if item.precision.is_empty() {
            return item.leaves.as_ref().map_or(Operator::Keep, |leaves| leaves.value.0);
        }
        let chosen = |person: &Person| {
            let choice = person.precision.get(&case.question.item);
            item.precision.iter().position(|step| Some(&step.value.name) == choice).unwrap_or(0)
        };
        let mut steps: Vec<usize> = case.subject.people().iter().map(chosen).collect();
        steps.sort_unstable();
        let operators: Vec<Operator> =
            steps.into_iter().map(|step| item.precision[step].value.leaves.0).collect();
        if operators.contains(&Operator::Drop) {
            return Operator::Drop;
        }
        operators.first().copied().unwrap_or(item.precision[0].value.leaves.0)
    }
}

/// The kind of person a question is about. A home in which nobody is known is like a passer-by.
#[must_use]
pub fn kind_of(subject: &Subject) -> SubjectKind {
    match subject {
        Subject::Person(_) => SubjectKind::Person,
        Subject::Household(people) if !people.is_empty() => SubjectKind::Household,
        Subject::Household(_) | Subject::Bystander => SubjectKind::Bystander,
    }
}

/// Aimed at children, or likely, or not said.
#[must_use]
pub fn children_likely(manifest: &Manifest) -> bool {
    let Some(children) = manifest.people.as_ref().and_then(|people| people.children.as_ref()) else {
        return true;
    };
    let aimed = children.aimed.as_ref().is_some_and(|aimed| aimed.value);
    aimed || children.likely.as_ref().is_none_or(|likely| likely.value)
}
