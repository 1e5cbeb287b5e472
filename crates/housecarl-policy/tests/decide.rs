//! Each gate by itself: one purpose that is open, one thing changed, and the gate that closes it.
//!
//! The tables are written record by record here, so that these tests need no other crate.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use housecarl_policy::minimise::Operator;
use housecarl_policy::table::record::{Field, Header, ItemRecord, PurposeRecord, StepRecord, Text};
use housecarl_policy::table::{ItemId, MAGIC, NO_DAY, NO_SLOT, Table, VERSION, item_flag, purpose_flag};
use housecarl_policy::{
    AccessGate, Act, AgeBand, Basis, Decision, DeviceStanding, Gate, PurposeId, PurposeSet, Question,
    Standing, Subject, SubjectKind, decide, taken_back,
};

const DAY: u64 = 86_400;
const NOW: u64 = 20_000 * DAY;
const NO_TEXT: Text = Text { start: 0, len: 0 };

fn id(number: u8) -> PurposeId {
    PurposeId::new(number).unwrap()
}

fn only(number: u8) -> PurposeSet {
    PurposeSet::of(id(number))
}

/// A purpose that rests on nothing but a contract: open once the person was told.
const OPEN: PurposeRecord = PurposeRecord {
    flags: purpose_flag::PRESENT,
    access: AccessGate::None,
    basis: Basis::Contract,
    subjects: 0b111,
    features: 0,
    keep_seconds: 30 * 86_400,
    keep_bystander_seconds: 2 * 86_400,
    ends_on_day: NO_DAY,
    name: NO_TEXT,
    line: 10,
    basis_line: 11,
    access_line: 12,
    keep_line: 13,
    feature_line: 14,
    condition_line: 15,
};

const ITEM: ItemRecord = ItemRecord {
    uses: PurposeSet::ALL,
    flags: item_flag::PRESENT,
    subject: SubjectKind::Person,
    slot: NO_SLOT,
    steps: 1,
    first_step: 0,
    name: NO_TEXT,
    line: 20,
    precision_line: 0,
};

fn bytes(children: bool, purposes: &[PurposeRecord], items: &[ItemRecord], steps: &[Operator]) -> Vec<u8> {
    let steps: Vec<StepRecord> = steps.iter().map(|operator| StepRecord::of(NO_TEXT, *operator)).collect();
    let count = |length: usize| u16::try_from(length).unwrap();
    let header = Header {
        magic: MAGIC,
        version: VERSION,
        flags: u16::from(children),
        purposes: count(purposes.len()),
        items: count(items.len()),
        streams: 0,
        steps: count(steps.len()),
        nodes: 0,
        edges: 0,
        strings: 0,
    };
    let mut bytes = Vec::new();
    let mut put = |part: &[u8]| bytes.extend_from_slice(part);
    header.put(&mut put);
    purposes.iter().for_each(|record| record.put(&mut put));
    items.iter().for_each(|record| record.put(&mut put));
    steps.iter().for_each(|record| record.put(&mut put));
    bytes
}

fn bytes_of(purposes: &[PurposeRecord]) -> Vec<u8> {
    bytes(false, purposes, &[ITEM], &[Operator::Keep])
}

/// An adult who was told of everything and said nothing.
fn told() -> Standing {
    Standing { told: PurposeSet::ALL, ..adult() }
}

fn adult() -> Standing {
    Standing::unasked(AgeBand::Adult)
}

fn device() -> DeviceStanding {
    DeviceStanding { features: u32::MAX, ..DeviceStanding::default() }
}

const COLLECT: Question = Question { item: ItemId(0), act: Act::Collect, received: NOW, now: NOW };
const USE: Question = Question { act: Act::Use, ..COLLECT };
const KEEP: Question = Question { act: Act::Keep, ..COLLECT };

struct Case {
    children: bool,
    purpose: PurposeRecord,
    item: ItemRecord,
    steps: Vec<Operator>,
    device: DeviceStanding,
    person: Standing,
    question: Question,
}

fn case() -> Case {
    Case {
        children: false,
        purpose: OPEN,
        item: ITEM,
        steps: vec![Operator::Keep],
        device: device(),
        person: told(),
        question: COLLECT,
    }
}

impl Case {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn decide(&self) -> Decision {
        self.about(Subject::Person(&self.person))
    }

    fn about(&self, subject: Subject<'_>) -> Decision {
        let bytes = bytes(self.children, &[self.purpose], &[self.item], &self.steps);
        decide(&Table::read(&bytes).unwrap(), &self.device, subject, self.question)
    }

    /// The gate that closes the purpose, if any.
    fn gate(&self) -> Option<Gate> {
        let decision = self.decide();
        assert_eq!(decision.permitted.is_empty(), decision.gate(id(0)).is_some());
        decision.gate(id(0))
    }
}

#[test]
fn a_purpose_that_nothing_closes_is_open() {
    for question in [COLLECT, USE, KEEP] {
        let decision = case().with(|c| c.question = question).decide();
        assert_eq!(decision.permitted, only(0));
        assert_eq!(decision.gate(id(0)), None);
        assert_eq!(decision.keep_seconds, 30 * 86_400);
        assert_eq!(decision.operator, Operator::Keep);
        assert_eq!(decision.untold_alarms, PurposeSet::NONE);
    }
}

#[test]
fn what_nobody_declared_has_no_purpose() {
    for item in [1, u16::MAX] {
        let decision = case().with(|c| c.question.item = ItemId(item)).decide();
        assert_eq!((decision.permitted, decision.gate(id(0))), (PurposeSet::NONE, Some(Gate::NotDeclared)));
        assert_eq!((decision.operator, decision.keep_seconds), (Operator::Drop, 0));
    }
    assert_eq!(case().with(|c| c.item.uses = PurposeSet::NONE).gate(), Some(Gate::NotDeclared));
    assert_eq!(case().with(|c| c.item.flags = 0).gate(), Some(Gate::NotDeclared));
    assert_eq!(case().with(|c| c.purpose.flags = 0).gate(), Some(Gate::NotDeclared));
    assert_eq!(case().decide().gate(id(1)), Some(Gate::NotDeclared));
}

#[test]
fn a_shut_purpose_stays_shut() {
    assert_eq!(case().with(|c| c.purpose.flags |= purpose_flag::SHUT).gate(), Some(Gate::Shut));
}

#[test]
fn a_purpose_ends_on_its_day() {
    let ends = |day: u32, act: Act, now: u64| {
        case().with(|c| {
            c.purpose.ends_on_day = day;
            c.question = Question { act, now, received: now, ..COLLECT };
        })
    };
    for act in [Act::Collect, Act::Use, Act::Keep] {
        assert_eq!(ends(20_000, act, NOW - 1).gate(), None);
        assert_eq!(ends(20_000, act, NOW).gate(), Some(Gate::PeriodOver));
        assert_eq!(ends(20_001, act, NOW).gate(), None);
    }
}

#[test]
fn an_item_is_used_and_kept_for_its_time_and_not_a_second_more() {
    let after = |seconds: u64, act: Act| {
        case().with(|c| c.question = Question { act, now: NOW + seconds, ..COLLECT }).gate()
    };
    for act in [Act::Use, Act::Keep] {
        assert_eq!(after(30 * DAY - 1, act), None);
        assert_eq!(after(30 * DAY, act), Some(Gate::PeriodOver));
    }
    // Over in two ways is over.
    let ended = case().with(|c| c.purpose.ends_on_day = 1);
    assert_eq!(
        ended.with(|c| c.question = Question { now: NOW + 60 * DAY, ..USE }).gate(),
        Some(Gate::PeriodOver)
    );
    // The time of keeping says nothing about what comes in now.
    assert_eq!(after(30 * DAY, Act::Collect), None);
}

#[test]
fn a_clock_that_jumped_back_ends_nothing() {
    let case = case().with(|c| c.question = Question { now: NOW - 365 * DAY, ..USE });
    assert_eq!(case.gate(), None);
}

#[test]
fn a_bystander_is_kept_for_the_shorter_time() {
    let about = |seconds: u64, act: Act| {
        let case = case().with(|c| {
            c.device.available = PurposeSet::ALL;
            c.question = Question { act, now: NOW + seconds, ..COLLECT };
        });
        case.about(Subject::Bystander)
    };
    assert_eq!(about(0, Act::Collect).keep_seconds, 2 * 86_400);
    assert_eq!(about(2 * DAY - 1, Act::Use).permitted, only(0));
    assert_eq!(about(2 * DAY, Act::Use).gate(id(0)), Some(Gate::PeriodOver));
}

#[test]
fn the_longest_time_counts_for_a_person_and_the_shortest_for_a_bystander() {
    let shorter = PurposeRecord { keep_bystander_seconds: 86_400, access: AccessGate::Consent, ..OPEN };
    let unused = PurposeRecord { flags: OPEN.flags | purpose_flag::SHUT, keep_bystander_seconds: 0, ..OPEN };
    let longer = PurposeRecord { keep_seconds: 90 * 86_400, keep_bystander_seconds: 5 * 86_400, ..OPEN };
    let bytes = bytes(false, &[OPEN, longer], &[ITEM], &[Operator::Keep]);
    let table = Table::read(&bytes).unwrap();
    let device = DeviceStanding { available: PurposeSet::ALL, ..device() };
    assert_eq!(decide(&table, &device, Subject::Person(&told()), COLLECT).keep_seconds, 90 * 86_400);
    assert_eq!(decide(&table, &device, Subject::Bystander, COLLECT).keep_seconds, 2 * 86_400);
    // A no to the purpose that keeps the shortest does not lengthen the others.
    let bytes = bytes_of(&[OPEN, shorter, unused]);
    let table = Table::read(&bytes).unwrap();
    let decision = decide(&table, &device, Subject::Bystander, COLLECT);
    assert_eq!((decision.permitted, decision.keep_seconds), (only(0), 86_400));
}

#[test]
fn a_purpose_is_for_the_people_it_names() {
    let meant = |subjects: u8| {
        case().with(|c| c.purpose.subjects = subjects).with(|c| c.device.available = PurposeSet::ALL)
    };
    let people = [told()];
    for (bits, person, household, bystander) in [
        (0b001, true, false, false),
        (0b010, false, true, false),
        (0b100, false, false, true),
        (0b111, true, true, true),
    ] {
        let open = |subject| meant(bits).about(subject).gate(id(0)).is_none();
        assert_eq!(open(Subject::Person(&people[0])), person);
        assert_eq!(open(Subject::Household(&people)), household);
        assert_eq!(open(Subject::Bystander), bystander);
        assert!(person || meant(bits).gate() == Some(Gate::NotForThisPerson));
    }
}

#[test]
fn an_alarm_on_life_is_for_whoever_is_there() {
    let alarm = case().with(|c| (c.purpose.subjects, c.purpose.basis) = (0b010, Basis::VitalInterests));
    for subject in [Subject::Person(&told()), Subject::Household(&[]), Subject::Bystander] {
        assert_eq!(alarm.about(subject).permitted, only(0));
    }
}

#[test]
fn nobody_is_recognised_who_never_enrolled() {
    let case = case().with(|c| {
        c.purpose.flags |= purpose_flag::IDENTIFIES;
        c.device.available = PurposeSet::ALL;
    });
    assert_eq!(case.gate(), None);
    assert_eq!(case.about(Subject::Bystander).gate(id(0)), Some(Gate::NotForThisPerson));
}

#[test]
fn a_feature_starts_its_purposes() {
    let feature = |features: u32, on: u32| {
        case()
            .with(|c| {
                c.purpose.features = features;
                c.device.features = on;
            })
            .gate()
    };
    assert_eq!(feature(0, 0), None);
    assert_eq!(feature(1, 0), Some(Gate::FeatureOff));
    assert_eq!(feature(1, 0b10), Some(Gate::FeatureOff));
    assert_eq!(feature(1 << 31, 1 << 31), None);
    assert_eq!(feature(0b110, 0b100), None);
    assert_eq!(feature(0b110, 0b1001), Some(Gate::FeatureOff));
}

#[test]
fn access_to_the_device_is_asked_of_its_user() {
    let access = |access: AccessGate, yes: bool, no: bool| {
        let set = |said: bool| if said { PurposeSet::ALL } else { PurposeSet::NONE };
        case()
            .with(|c| {
                c.purpose.access = access;
                (c.device.agreed, c.device.refused) = (set(yes), set(no));
            })
            .gate()
    };
    for (asked, silent, yes, no, both) in [
        (AccessGate::None, None, None, None, None),
        (AccessGate::Exempt, None, None, None, None),
        (AccessGate::ExemptUnlessObjected, None, None, Some(Gate::AccessRefused), Some(Gate::AccessRefused)),
        (
            AccessGate::Consent,
            Some(Gate::AccessUnanswered),
            None,
            Some(Gate::AccessRefused),
            Some(Gate::AccessRefused),
        ),
    ] {
        assert_eq!(access(asked, false, false), silent, "{asked:?}");
        assert_eq!(access(asked, true, false), yes, "{asked:?}");
        assert_eq!(access(asked, false, true), no, "{asked:?}");
        assert_eq!(access(asked, true, true), both, "{asked:?}");
    }
}

#[test]
fn what_is_restricted_is_kept_and_nothing_else() {
    let restricted = |question: Question| {
        case().with(|c| {
            c.person.restricted = only(0);
            c.question = question;
        })
    };
    assert_eq!(restricted(COLLECT).gate(), Some(Gate::Restricted));
    assert_eq!(restricted(USE).gate(), Some(Gate::Restricted));
    assert_eq!(restricted(KEEP).gate(), None);
    let refused = restricted(KEEP).with(|c| c.person.refused = only(0)).decide();
    assert_eq!((refused.permitted, refused.closed_by(Gate::Refused)), (only(0), PurposeSet::NONE));
    // Past its date, refused, untold: it is kept all the same.
    let old = Question { now: NOW + 1_000 * DAY, ..KEEP };
    assert_eq!(
        restricted(old)
            .with(|c| c.person.refused = only(0))
            .with(|c| c.person.told = PurposeSet::NONE)
            .gate(),
        None
    );
    // But only for the purpose that is restricted, and only what that one uses.
    assert_eq!(
        case().with(|c| c.person.restricted = only(1)).with(|c| c.question = old).gate(),
        Some(Gate::PeriodOver)
    );
    let unused = restricted(KEEP).with(|c| c.item.uses = only(1));
    assert_eq!(unused.gate(), Some(Gate::NotDeclared));
}

#[test]
fn a_no_closes_every_basis() {
    for basis in Basis::EVERY {
        let refused = case().with(|c| {
            c.purpose.basis = *basis;
            c.person.agreed = only(0);
            c.person.refused = only(0);
        });
        assert_eq!(refused.gate(), Some(Gate::Refused), "{basis:?}");
    }
}

#[test]
fn an_objection_to_marketing_closes_marketing_and_nothing_else() {
    let objected = |flags: u16| {
        case().with(|c| {
            c.purpose.flags |= flags;
            c.person.agreed = only(0);
            c.person.no_marketing = true;
        })
    };
    assert_eq!(objected(purpose_flag::MARKETING).gate(), Some(Gate::MarketingObjection));
    assert_eq!(objected(0).gate(), None);
    assert_eq!(objected(purpose_flag::MARKETING).with(|c| c.person.no_marketing = false).gate(), None);
}

#[test]
fn what_is_private_for_children_needs_a_yes_for_that_child() {
    let child = |band: AgeBand, likely: bool, yes: bool, parent: bool| {
        let set = |said: bool| if said { only(0) } else { PurposeSet::NONE };
        case()
            .with(|c| {
                c.children = likely;
                c.purpose.flags |= purpose_flag::PRIVATE_FOR_CHILDREN;
                c.person.band = band;
                (c.person.agreed, c.person.authorised) = (set(yes), set(parent));
            })
            .gate()
    };
    use AgeBand::{Adult, To5, To9, To12, To15, To17, Unknown};
    for likely in [false, true] {
        assert_eq!(child(Adult, likely, false, false), None);
        for band in [To15, To17] {
            assert_eq!(child(band, likely, false, false), Some(Gate::ChildDefault));
            assert_eq!(child(band, likely, true, false), None);
        }
        for band in [To5, To9, To12] {
            assert_eq!(child(band, likely, false, true), Some(Gate::ChildDefault));
            assert_eq!(child(band, likely, true, false), Some(Gate::ParentMissing));
            assert_eq!(child(band, likely, true, true), None);
        }
    }
    assert_eq!(child(Unknown, false, false, false), None);
    assert_eq!(child(Unknown, true, false, false), Some(Gate::ChildDefault));
    assert_eq!(child(Unknown, true, true, false), Some(Gate::ParentMissing));
}

#[test]
fn consent_is_an_act_and_a_childs_needs_a_parent() {
    let explicit = |c: &mut Case| c.purpose.flags |= purpose_flag::EXPLICIT_CONSENT;
    let basis = |c: &mut Case| c.purpose.basis = Basis::Consent;
    for needs in [explicit as fn(&mut Case), basis] {
        assert_eq!(case().with(needs).gate(), Some(Gate::ConsentMissing));
        assert_eq!(case().with(needs).with(|c| c.person.agreed = only(0)).gate(), None);
        assert_eq!(case().with(needs).with(|c| c.person.agreed = only(1)).gate(), Some(Gate::ConsentMissing));
        let child = |yes: PurposeSet, parent: PurposeSet| {
            let case = case().with(needs).with(|c| c.person.band = AgeBand::To12);
            case.with(|c| (c.person.agreed, c.person.authorised) = (yes, parent)).gate()
        };
        assert_eq!(child(only(0), only(0)), None);
        assert_eq!(child(only(0), PurposeSet::NONE), Some(Gate::ParentMissing));
        assert_eq!(child(PurposeSet::NONE, only(0)), Some(Gate::ConsentMissing));
    }
    // A child's contract that is not private for children needs no parent's yes, agreed to or not.
    for agreed in [PurposeSet::NONE, only(0)] {
        assert_eq!(case().with(|c| (c.person.band, c.person.agreed) = (AgeBand::To5, agreed)).gate(), None);
    }
}

#[test]
fn who_was_not_told_is_left_alone_but_for_an_alarm_on_life() {
    assert_eq!(case().with(|c| c.person.told = PurposeSet::NONE).gate(), Some(Gate::Untold));
    assert_eq!(case().with(|c| c.person.told = only(1)).gate(), Some(Gate::Untold));
    let alarm = case().with(|c| c.purpose.basis = Basis::VitalInterests);
    assert_eq!(alarm.decide().untold_alarms, PurposeSet::NONE);
    let untold = alarm.with(|c| c.person.told = PurposeSet::NONE).decide();
    assert_eq!((untold.permitted, untold.untold_alarms), (only(0), only(0)));
    let refused =
        case().with(|c| c.purpose.basis = Basis::VitalInterests).with(|c| c.person.told = PurposeSet::NONE);
    let refused = refused.with(|c| c.person.refused = only(0)).decide();
    assert_eq!((refused.permitted, refused.untold_alarms), (PurposeSet::NONE, PurposeSet::NONE));
    // What is made available here tells a bystander, and does not tell a person.
    let available =
        case().with(|c| c.person.told = PurposeSet::NONE).with(|c| c.device.available = PurposeSet::ALL);
    assert_eq!(available.gate(), Some(Gate::Untold));
    assert_eq!(available.about(Subject::Bystander).permitted, only(0));
    assert_eq!(case().about(Subject::Bystander).gate(id(0)), Some(Gate::Untold));
}

#[test]
fn a_bystander_consents_to_nothing_and_may_be_a_child() {
    let available = || case().with(|c| c.device.available = PurposeSet::ALL);
    let consent = available().with(|c| c.purpose.basis = Basis::Consent);
    assert_eq!(consent.about(Subject::Bystander).gate(id(0)), Some(Gate::ConsentMissing));
    let private = available().with(|c| c.purpose.flags |= purpose_flag::PRIVATE_FOR_CHILDREN);
    assert_eq!(private.about(Subject::Bystander).permitted, only(0));
    let private = private.with(|c| c.children = true);
    assert_eq!(private.about(Subject::Bystander).gate(id(0)), Some(Gate::ChildDefault));
    // A household of which nobody is known is as a bystander.
    assert_eq!(private.about(Subject::Household(&[])).gate(id(0)), Some(Gate::ChildDefault));
    assert_eq!(available().about(Subject::Household(&[])).permitted, only(0));
}

#[test]
fn a_household_needs_each_ones_yes_and_nobodys_no() {
    let yes = Standing { agreed: only(0), ..told() };
    let consent = case().with(|c| c.purpose.basis = Basis::Consent);
    let gate = |people: &[Standing]| consent.about(Subject::Household(people)).gate(id(0));
    assert_eq!(gate(&[yes, yes]), None);
    assert_eq!(gate(&[yes, told()]), Some(Gate::ConsentMissing));
    assert_eq!(gate(&[yes, Standing { refused: only(0), ..yes }]), Some(Gate::Refused));
    assert_eq!(gate(&[yes, Standing { told: PurposeSet::NONE, ..yes }]), Some(Gate::Untold));
    assert_eq!(gate(&[yes, Standing { restricted: only(0), ..yes }]), Some(Gate::Restricted));
    assert_eq!(gate(&[yes, Standing { band: AgeBand::To5, ..yes }]), Some(Gate::ParentMissing));
    assert_eq!(gate(&[yes, Standing { band: AgeBand::To5, authorised: only(0), ..yes }]), None);
    let marketing = case().with(|c| c.purpose.flags |= purpose_flag::MARKETING);
    let objects = Standing { no_marketing: true, ..yes };
    for people in [[objects, yes], [yes, objects]] {
        let decision = marketing.about(Subject::Household(&people));
        assert_eq!(decision.gate(id(0)), Some(Gate::MarketingObjection));
    }
    let private = case().with(|c| c.purpose.flags |= purpose_flag::PRIVATE_FOR_CHILDREN);
    let child = Standing { band: AgeBand::To15, ..told() };
    assert_eq!(private.about(Subject::Household(&[told(), child])).gate(id(0)), Some(Gate::ChildDefault));
    assert_eq!(private.about(Subject::Household(&[child, told()])).gate(id(0)), Some(Gate::ChildDefault));
    // What an adult said is no answer for a child, nor is an adult asked what is private for children.
    let switched_on = Standing { agreed: only(0), ..child };
    assert_eq!(private.about(Subject::Household(&[told(), switched_on])).gate(id(0)), None);
    // What one has agreed to is not what all have, and two who need protection are not fewer than one.
    assert_eq!(private.about(Subject::Household(&[yes, child])).gate(id(0)), Some(Gate::ChildDefault));
    assert_eq!(private.about(Subject::Household(&[child, child])).gate(id(0)), Some(Gate::ChildDefault));
    let both = marketing.about(Subject::Household(&[objects, objects]));
    assert_eq!(both.gate(id(0)), Some(Gate::MarketingObjection));
}

#[test]
fn the_chosen_step_is_what_is_left() {
    let steps = vec![Operator::Drop, Operator::Prefix(3), Operator::Keep];
    let chosen = |slot: u8, step: u8, question: Question| {
        case().with(|c| {
            (c.item.slot, c.item.steps, c.steps) = (2, 3, steps.clone());
            c.person.choose_precision(slot, step);
            c.question = question;
        })
    };
    assert_eq!(chosen(2, 0, COLLECT).gate(), Some(Gate::PrecisionOff));
    assert_eq!(chosen(2, 0, USE).gate(), Some(Gate::PrecisionOff));
    // What was kept before the person switched it off stays until they have it erased.
    assert_eq!(chosen(2, 0, KEEP).gate(), None);
    assert_eq!(
        (chosen(2, 1, COLLECT).decide().operator, chosen(2, 1, COLLECT).decide().step),
        (Operator::Prefix(3), 1)
    );
    assert_eq!(chosen(2, 2, COLLECT).decide().operator, Operator::Keep);
    // Another item's choice, or a step there is not, leaves it where everybody starts.
    assert_eq!(chosen(1, 2, COLLECT).gate(), Some(Gate::PrecisionOff));
    assert_eq!(chosen(2, 3, COLLECT).gate(), Some(Gate::PrecisionOff));
    assert_eq!(chosen(2, 3, COLLECT).decide().step, 0);
    let people = |steps: [u8; 2]| steps.map(|step| chosen(2, step, COLLECT).person);
    let household = |steps: [u8; 2]| chosen(2, 0, COLLECT).about(Subject::Household(&people(steps))).step;
    assert_eq!((household([2, 1]), household([1, 2]), household([2, 2])), (1, 1, 2));
    // "Not collected" is the lowest wherever it stands.
    let backwards =
        chosen(2, 0, COLLECT).with(|c| c.steps = vec![Operator::Keep, Operator::Prefix(3), Operator::Drop]);
    let off = |steps: [u8; 2]| backwards.about(Subject::Household(&people(steps))).gate(id(0));
    assert_eq!((off([0, 1]), off([0, 2])), (None, Some(Gate::PrecisionOff)));
    let bystander =
        chosen(2, 2, COLLECT).with(|c| c.device.available = PurposeSet::ALL).about(Subject::Bystander);
    assert_eq!(bystander.gate(id(0)), Some(Gate::PrecisionOff));
}

#[test]
fn an_item_without_a_choice_has_its_one_operator() {
    let decision = case()
        .with(|c| c.steps = vec![Operator::Prefix(5)])
        .with(|c| c.person.choose_precision(0, 7))
        .decide();
    assert_eq!((decision.operator, decision.step), (Operator::Prefix(5), 0));
}

#[test]
fn a_refusal_leaves_no_operator() {
    let decision = case().with(|c| c.person.refused = only(0)).decide();
    assert_eq!((decision.operator, decision.keep_seconds), (Operator::Drop, 0));
}

#[test]
fn the_first_closed_gate_is_the_reason_and_each_gate_keeps_its_own() {
    let case = case().with(|c| {
        c.purpose.basis = Basis::Consent;
        c.person.refused = only(0);
        c.person.told = PurposeSet::NONE;
    });
    let decision = case.decide();
    assert_eq!(decision.gate(id(0)), Some(Gate::Refused));
    assert_eq!(decision.closed_by(Gate::Refused), only(0));
    assert_eq!(decision.closed_by(Gate::Untold), PurposeSet::NONE);
}

#[test]
fn each_reason_leads_to_its_line() {
    let bytes = bytes(
        false,
        &[OPEN, PurposeRecord { feature_line: 0, basis: Basis::Consent, ..OPEN }],
        &[ITEM],
        &[Operator::Keep],
    );
    let table = Table::read(&bytes).unwrap();
    let line = |purpose: u8, gate: Gate| table.line(&table.purpose(id(purpose)).unwrap(), gate);
    assert_eq!(line(0, Gate::FeatureOff), 14);
    assert_eq!(line(1, Gate::FeatureOff), 10);
    assert_eq!([line(0, Gate::AccessRefused), line(0, Gate::AccessUnanswered)], [12, 12]);
    assert_eq!(line(0, Gate::PeriodOver), 13);
    // Consent stands at the basis where that is consent, and at the condition where that asks for it.
    assert_eq!([line(0, Gate::ConsentMissing), line(0, Gate::ParentMissing)], [15, 15]);
    assert_eq!([line(1, Gate::ConsentMissing), line(1, Gate::ParentMissing)], [11, 11]);
    assert_eq!(line(0, Gate::Refused), 11);
    assert_eq!([line(0, Gate::Shut), line(0, Gate::Untold)], [10, 10]);
}

#[test]
fn a_new_version_takes_back_a_yes_and_never_a_no() {
    let mut before = told();
    before.agreed = only(0) | only(1) | only(2);
    before.authorised = before.agreed;
    before.refused = only(3);
    before.choose_precision(0, 2);
    let after = before.carried_over(only(0) | only(3));
    // The slot may be another item's in the new table: nobody chose anything about that one.
    assert_eq!(after.precision(0), 0);
    assert_eq!(
        (after.agreed, after.authorised, after.refused),
        (only(1) | only(2), only(1) | only(2), only(3))
    );
    assert!(!after.told.contains(id(0)) && after.told.contains(id(1)));
    let device = DeviceStanding {
        agreed: only(0) | only(1),
        refused: only(0),
        available: PurposeSet::ALL,
        ..device()
    };
    let after = device.carried_over(only(0));
    assert_eq!((after.agreed, after.refused), (only(1), only(0)));
    assert!(!after.available.contains(id(0)) && after.available.contains(id(1)));
}

#[test]
fn saying_yes_takes_back_a_no_and_saying_no_takes_back_a_yes() {
    let mut person = adult();
    person.refuse(id(4));
    person.agree(id(4));
    assert_eq!((person.agreed, person.refused), (only(4), PurposeSet::NONE));
    person.authorised.insert(id(4));
    person.refuse(id(4));
    assert_eq!(
        (person.agreed, person.refused, person.authorised),
        (PurposeSet::NONE, only(4), PurposeSet::NONE)
    );
}

#[test]
fn a_set_counts_and_lists_its_members() {
    let set: PurposeSet = [id(127), id(0), id(64), id(0)].into_iter().collect();
    assert_eq!((set.len(), set.is_empty(), PurposeSet::NONE.is_empty()), (3, false, true));
    assert_eq!(set.iter().map(PurposeId::number).collect::<Vec<_>>(), [0, 64, 127]);
    assert!(only(64).is_subset(set) && !set.is_subset(only(64)));
    assert_eq!(set.without(only(0)).len(), 2);
    assert_eq!(PurposeId::new(128), None);
}

#[test]
fn nothing_personal_is_printed() {
    let bytes = bytes(false, &[OPEN], &[ITEM], &[Operator::Keep]);
    let printed = format!("{:?} {:?} {:?}", told(), device(), housecarl_policy::Value::Text("a secret"));
    assert_eq!(printed, "Standing DeviceStanding Value");
    assert!(!bytes.is_empty());
}

#[test]
fn only_a_no_takes_back_and_never_what_is_restricted_or_owed_to_a_law() {
    let marketing = PurposeRecord { flags: purpose_flag::PRESENT | purpose_flag::MARKETING, ..OPEN };
    let consent = PurposeRecord { access: AccessGate::Consent, basis: Basis::Consent, ..OPEN };
    let objectable = PurposeRecord { access: AccessGate::ExemptUnlessObjected, ..OPEN };
    let owed = PurposeRecord { basis: Basis::LegalObligation, ..OPEN };
    let public = PurposeRecord { basis: Basis::PublicTask, ..OPEN };
    let shut = PurposeRecord { flags: purpose_flag::PRESENT | purpose_flag::SHUT, ..OPEN };
    let purposes = [OPEN, marketing, consent, objectable, owed, public, shut];
    let bytes = bytes(false, &purposes, &[ITEM], &[Operator::Keep]);
    let table = Table::read(&bytes).unwrap();
    let set = |numbers: &[u8]| numbers.iter().map(|number| id(*number)).collect::<PurposeSet>();
    let device = DeviceStanding::default();
    let mut person = Standing::unasked(AgeBand::Adult);
    let of = |device: &DeviceStanding, person: &Standing| taken_back(&table, device, Subject::Person(person));
    // Nothing was agreed to, nobody was told, and some of it is shut: none of that is a no.
    let silent = of(&device, &person);
    assert_eq!((silent.purposes, silent.restricted), (PurposeSet::NONE, PurposeSet::NONE));
    assert_eq!(silent.obliged, set(&[4, 5]));
    person.refused = PurposeSet::ALL;
    assert_eq!(of(&device, &person).purposes, set(&[0, 1, 2, 3, 6]));
    person.restricted = set(&[0, 6, 9]);
    let restricted = of(&device, &person);
    assert_eq!((restricted.purposes, restricted.restricted), (set(&[1, 2, 3]), set(&[0, 6])));
    let mut person = Standing::unasked(AgeBand::Adult);
    person.no_marketing = true;
    assert_eq!(of(&device, &person).purposes, set(&[1]));
    // What the users of the device refuse, where the device is asked for anything at all.
    let refused = DeviceStanding { refused: PurposeSet::ALL, ..device };
    let silent = Standing::unasked(AgeBand::Adult);
    assert_eq!(of(&refused, &silent).purposes, set(&[2, 3]));
    assert_eq!(taken_back(&table, &refused, Subject::Bystander).purposes, set(&[2, 3]));
    // In a household anyone's no, and anyone's restriction.
    let mut other = silent;
    other.restricted = set(&[1]);
    let household = taken_back(&table, &device, Subject::Household(&[silent, person, other]));
    assert_eq!((household.purposes, household.restricted), (PurposeSet::NONE, set(&[1])));
}
