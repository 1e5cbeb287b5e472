//! The decision: for which purposes may this item be taken in, used or kept?
//!
//! A pure function of the table, what the home and the person have said, the item and the time.
//! Gates are asked in the order of [`Gate`]; each takes purposes away and none gives one back.
//!
//! # Laws
//! They hold for every table and every standing; `tests/oracle` checks them under these names.
//!
//! - `default_deny`: who has said nothing has agreed to nothing.
//! - `refusal_wins`: a refused purpose is never permitted, whatever else was said.
//! - `withdrawal_never_permits_more`: taking back a yes, or saying no, opens nothing.
//! - `objection_to_marketing_is_absolute`: it closes marketing on every basis.
//! - `restriction_only_stores`: a restricted purpose collects and reads nothing, and keeps what it has.
//! - `child_defaults_are_private`: for a child nothing optional is on until switched on for that child.
//! - `untold_is_unused`: nobody's data is used for what they were not told, save to protect life.
//! - `nobody_consents_for_another_adult`: what others said changes nothing for a person; a household
//!   item needs each one's yes.
//! - `a_wider_purpose_needs_a_new_consent`: see [`crate::Standing::carried_over`].
//! - `a_refusal_survives_a_change_of_basis`: no gate asks on what basis a refused purpose rests.
//! - `a_purpose_whose_period_is_over_is_closed`: at its end date, and for an item past its keeping.
//! - `what_no_purpose_permits_is_not_kept`: an empty decision has nothing to keep and no end date.
//! - `order_and_duplicates_change_nothing`: of choices, of persons, of lines in the manifest.
//! - `same_answer_on_device_and_server`: the same bytes, the same answer.

use crate::minimise::Operator;
use crate::set::{PurposeId, PurposeSet};
use crate::standing::{DeviceStanding, Standing};
use crate::table::record::ItemRecord;
use crate::table::{ItemId, Table};
use crate::vocabulary::{Act, AgeBand, Gate, SubjectKind};

/// Whose data is it?
#[derive(Clone, Copy, Debug)]
pub enum Subject<'s> {
    /// One person, identified.
    Person(&'s Standing),
    /// Everybody known in the home. Where nobody is known, as for a bystander.
    Household(&'s [Standing]),
    /// Somebody whom nobody identified.
    Bystander,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Question {
    /// The item.
    pub item: ItemId,
    /// What somebody wants to do with it.
    pub act: Act,
    /// When it was received: seconds since 1970. Retention runs from here.
    pub received: u64,
    /// The time now: seconds since 1970.
    pub now: u64,
}

/// The answer, with its reasons.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    /// The purposes for which the act is permitted.
    pub permitted: PurposeSet,
    /// Those of them that protect life and were permitted although nobody was told: a finding.
    pub untold_alarms: PurposeSet,
    /// What is left of the value.
    pub operator: Operator,
    /// Which step of the item's precision that is.
    pub step: u8,
    /// For how many seconds from receipt the item is kept; 0 where nothing is permitted. The
    /// longest of the permitted purposes; for somebody whom nobody identified the shortest of all
    /// that use the item.
    pub keep_seconds: u32,
    closed: [PurposeSet; Gate::COUNT],
}

impl Decision {
    /// The gate that closed a purpose; `None` where it is permitted. A purpose that does not use
    /// the item counts as not declared for it.
    #[must_use]
    pub fn gate(&self, purpose: PurposeId) -> Option<Gate> {
        if self.permitted.contains(purpose) {
            return None;
        }
        let closed = |(gate, set): (&Gate, &PurposeSet)| set.contains(purpose).then_some(*gate);
        Some(Gate::EVERY.iter().zip(&self.closed).find_map(closed).unwrap_or(Gate::NotDeclared))
    }

    /// The purposes that a gate closed.
    #[must_use]
    pub fn closed_by(&self, gate: Gate) -> PurposeSet {
        let closed = self.closed.get(usize::from(gate.byte())).copied().unwrap_or(PurposeSet::NONE);
        // What is restricted is kept although other gates are closed.
        closed.without(self.permitted)
    }
}

/// The purposes still open, and which gate closed the others.
struct Gates {
    open: PurposeSet,
    closed: [PurposeSet; Gate::COUNT],
}

impl Gates {
    fn close(&mut self, gate: Gate, purposes: PurposeSet) {
        if let Some(closed) = self.closed.get_mut(usize::from(gate.byte())) {
            *closed = self.open & purposes;
        }
        self.open = self.open.without(purposes);
    }
}

/// What the people an item is about have said, as one.
#[derive(Clone, Copy)]
struct Said {
    /// Agreed by or for everybody.
    agreed: PurposeSet,
    /// Not switched on for some child. What an adult said is no answer for a child, nor asked of one.
    off_for_child: PurposeSet,
    /// Agreed for some child under 13, without a parent's authorisation.
    unauthorised: PurposeSet,
    no: PurposeSet,
    told: PurposeSet,
    restricted: PurposeSet,
    no_marketing: bool,
}

impl Said {
    fn by_person(person: &Standing, children_likely: bool) -> Self {
        let band: AgeBand = person.band.assumed(children_likely);
        let only = |condition: bool, set: PurposeSet| if condition { set } else { PurposeSet::NONE };
        Self {
            agreed: person.agreed,
            off_for_child: only(band.is_child(), PurposeSet::ALL.without(person.agreed)),
            unauthorised: only(band.needs_parent(), person.agreed.without(person.authorised)),
            no: person.refused,
            told: person.told,
            restricted: person.restricted,
            no_marketing: person.no_marketing,
        }
    }

    /// Each one's yes, anyone's no.
    fn and(self, other: Self) -> Self {
        Self {
            agreed: self.agreed & other.agreed,
            off_for_child: self.off_for_child | other.off_for_child,
            unauthorised: self.unauthorised | other.unauthorised,
            no: self.no | other.no,
            told: self.told & other.told,
            restricted: self.restricted | other.restricted,
            no_marketing: self.no_marketing | other.no_marketing,
        }
    }

    /// Nobody could say anything; told is what was made available here. The age is unknown, so on
    /// a product that children are likely to use, what is private for a child is private for them.
    const fn by_nobody(available: PurposeSet, children_likely: bool) -> Self {
        let child = AgeBand::Unknown.assumed(children_likely).is_child();
        Self {
            agreed: PurposeSet::NONE,
            off_for_child: if child { PurposeSet::ALL } else { PurposeSet::NONE },
            unauthorised: PurposeSet::NONE,
            no: PurposeSet::NONE,
            told: available,
            restricted: PurposeSet::NONE,
            no_marketing: false,
        }
    }
}

/// Decides for which purposes an act on an item is permitted.
#[must_use]
pub fn decide(
    table: &Table<'_>,
    device: &DeviceStanding,
    subject: Subject<'_>,
    question: Question,
) -> Decision {
    let masks = &table.masks;
    let Some(item) = table.item(question.item) else {
        return Decision {
            permitted: PurposeSet::NONE,
            untold_alarms: PurposeSet::NONE,
            operator: Operator::Drop,
            step: 0,
            keep_seconds: 0,
            closed: [PurposeSet::NONE; Gate::COUNT],
        };
    };

    let (kind, said) = whose(table, device, subject);
    let uses = item.uses & masks.present;
    let mut gates = Gates { open: uses, closed: [PurposeSet::NONE; Gate::COUNT] };

    // What the product is.
    gates.close(Gate::Shut, masks.shut);
    let (off, over) = off_and_over(table, uses, device.features, kind, question);
    gates.close(Gate::PeriodOver, over);
    let meant = masks.subjects.get(usize::from(kind.byte())).copied().unwrap_or(PurposeSet::NONE);
    let matching = if kind == SubjectKind::Bystander { masks.identifies } else { PurposeSet::NONE };
    // An alarm on life is for whoever is there, known or not.
    gates.close(Gate::NotForThisPerson, PurposeSet::ALL.without(meant | masks.vital) | matching);

    // What the home has settled for the device.
    gates.close(Gate::FeatureOff, off);
    gates.close(Gate::AccessRefused, (masks.access_consent | masks.access_objectable) & device.refused);
    gates.close(Gate::AccessUnanswered, masks.access_consent.without(device.agreed));

    // What the person has said.
    if question.act != Act::Keep {
        gates.close(Gate::Restricted, said.restricted);
    }
    gates.close(Gate::Refused, said.no);
    if said.no_marketing {
        gates.close(Gate::MarketingObjection, masks.marketing);
    }
    gates.close(Gate::ChildDefault, masks.private_for_children & said.off_for_child);
    gates.close(Gate::ParentMissing, (masks.needs_consent | masks.private_for_children) & said.unauthorised);
    gates.close(Gate::ConsentMissing, masks.needs_consent.without(said.agreed));
    gates.close(Gate::Untold, PurposeSet::ALL.without(said.told | masks.vital));

    // How much of it.
    let step = precision(table, subject, &item);
    let operator = table.operator(&item, step);
    if operator.drops() && question.act != Act::Keep {
        gates.close(Gate::PrecisionOff, PurposeSet::ALL);
    }

    if question.act == Act::Keep {
        // Article 18: restricted is kept, past its date if need be, whatever else was said since.
        gates.open |= uses & said.restricted;
    }
    let permitted = gates.open;
    Decision {
        permitted,
        untold_alarms: (permitted & masks.vital).without(said.told),
        operator: if permitted.is_empty() { Operator::Drop } else { operator },
        step,
        keep_seconds: keep_seconds(table, uses, permitted, kind),
        closed: gates.closed,
    }
}

/// What people have taken back, and what stays although they did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TakenBack {
    /// The purposes that somebody said no to: what is there for none but these goes.
    pub purposes: PurposeSet,
    /// Restricted: kept, past its date if need be (UK GDPR Article 18).
    pub restricted: PurposeSet,
    /// A law or a public task obliges to keep what is there for these (Article 17(3)(b)).
    pub obliged: PurposeSet,
}

/// What people have taken back. Only a no counts: a purpose that is closed for another reason may open
/// again, so that what is there for it stays until its date, unread.
#[must_use]
pub fn taken_back(table: &Table<'_>, device: &DeviceStanding, subject: Subject<'_>) -> TakenBack {
    let masks = &table.masks;
    let (_, said) = whose(table, device, subject);
    let access = (masks.access_consent | masks.access_objectable) & device.refused;
    let marketing = if said.no_marketing { masks.marketing } else { PurposeSet::NONE };
    let (restricted, obliged) = (said.restricted & masks.present, masks.obliged);
    let no = (said.no | access | marketing) & masks.present;
    TakenBack { purposes: no.without(restricted | obliged), restricted, obliged }
}

fn whose(table: &Table<'_>, device: &DeviceStanding, subject: Subject<'_>) -> (SubjectKind, Said) {
    let likely = table.children_likely();
    match subject {
        Subject::Person(person) => (SubjectKind::Person, Said::by_person(person, likely)),
        Subject::Household(people) => {
            match people.iter().map(|person| Said::by_person(person, likely)).reduce(Said::and) {
                Some(said) => (SubjectKind::Household, said),
                None => (SubjectKind::Bystander, Said::by_nobody(device.available, likely)),
            }
        }
        Subject::Bystander => (SubjectKind::Bystander, Said::by_nobody(device.available, likely)),
    }
}

/// The purposes whose features are all off, and those that have ended or keep the item no longer.
/// A clock that stands before the receipt has not reached anything's end.
fn off_and_over(
    table: &Table<'_>,
    uses: PurposeSet,
    features: u32,
    kind: SubjectKind,
    question: Question,
) -> (PurposeSet, PurposeSet) {
    let age = question.now.saturating_sub(question.received);
    let kept = question.act != Act::Collect;
    uses.iter().fold((PurposeSet::NONE, PurposeSet::NONE), |(off, over), id| {
        let (purpose, times) = (PurposeSet::of(id), table.times(id));
        let ended = question.now >= times.ends_at();
        let too_old = kept & (age >= u64::from(times.keep_seconds(kind)));
        (off | purpose.only_if(!times.is_started(features)), over | purpose.only_if(ended | too_old))
    })
}

/// The chosen step: the lowest that anyone of a household chose, where "not collected" is lower
/// than any other; the first for a bystander.
fn precision(table: &Table<'_>, subject: Subject<'_>, item: &ItemRecord) -> u8 {
    let chosen = |person: &Standing| {
        let step = person.precision(item.slot);
        if step < item.steps { step } else { 0 }
    };
    match subject {
        Subject::Person(person) => chosen(person),
        Subject::Household(people) => {
            let lowest = |step: &u8| (!table.operator(item, *step).drops(), *step);
            people.iter().map(chosen).min_by_key(lowest).unwrap_or(0)
        }
        Subject::Bystander => 0,
    }
}

fn keep_seconds(table: &Table<'_>, uses: PurposeSet, permitted: PurposeSet, kind: SubjectKind) -> u32 {
    if permitted.is_empty() {
        return 0;
    }
    let lengths = |of: PurposeSet| {
        // Every purpose is looked at, so that the work does not depend on what somebody said.
        uses.iter().map(move |id| (of.contains(id), table.times(id).keep_seconds(kind)))
    };
    if kind == SubjectKind::Bystander {
        // Of all that use it, not only of those permitted: a no to the shortest lengthens nothing.
        let open = uses.without(table.masks.shut);
        lengths(open).map(|(counts, length)| if counts { length } else { u32::MAX }).min().unwrap_or(0)
    } else {
        lengths(permitted).map(|(counts, length)| if counts { length } else { 0 }).max().unwrap_or(0)
    }
}
