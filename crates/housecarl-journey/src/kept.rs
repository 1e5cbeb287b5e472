//! What is kept of what lies here, by what people have said since: restricted, taken back, or neither.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use housecarl_policy::{
    Act, DeviceStanding, Gate, ItemId, PurposeSet, Question, Subject, TakenBack, decide, taken_back,
};

use crate::decide::{Home as _, Whose, subject};
use crate::journey::Journey;
use crate::people::homes::View;
use crate::people::{DeviceId, SubjectId};
use crate::product::Version;
use crate::reseal::Left;
use crate::seal::Part;

/// Judges parts of one subject, by what was said when it first met one of their device.
pub(crate) struct Judge<'j> {
    journey: &'j Journey,
    subject: SubjectId,
    devices: BTreeMap<[u8; 16], Option<Judged<'j>>>,
}

struct Judged<'j> {
    view: View<'j>,
    whose: Whose,
    version: Arc<Version>,
    back: TakenBack,
}

impl Judged<'_> {
    fn subject(&self) -> Subject<'_> {
        subject(self.view.people(), self.whose)
    }

    /// The purposes that a part had, and that do not keep it any longer by their own period.
    fn over(&self, part: &Part, received: u64, now: u64) -> PurposeSet {
        let Some(item) = part.values.first().map(|said| ItemId(said.item)) else { return PurposeSet::NONE };
        let question = Question { item, act: Act::Keep, received, now };
        decide(&self.version.table, self.view.device(), self.subject(), question).closed_by(Gate::PeriodOver)
    }

    fn keep_seconds(&self, purposes: PurposeSet) -> u64 {
        let purposes = purposes.iter().filter_map(|id| self.version.table.purpose(id));
        let keep = purposes.map(|purpose| match self.whose {
            Whose::Bystander => purpose.keep_bystander_seconds,
            Whose::Person(_) | Whose::Household => purpose.keep_seconds,
        });
        keep.max().unwrap_or(0).into()
    }
}

/// What a part comes to, now that something was taken back.
pub(crate) enum Comes {
    /// Nobody took anything back that it was for.
    Untouched,
    /// It is for something else as well, or must not go; `Some` is when that is over by itself.
    Stays(Option<u64>),
    /// It was for nothing else.
    Goes,
}

impl<'j> Judge<'j> {
    pub(crate) const fn new(journey: &'j Journey, subject: SubjectId) -> Self {
        Self { journey, subject, devices: BTreeMap::new() }
    }

    /// `None` where it is not known any more whose it is or by what it was sent.
    fn of(&mut self, part: &Part) -> Option<&Judged<'j>> {
        let (journey, subject) = (self.journey, self.subject);
        let judged = || {
            let device = journey.homes.device(DeviceId(part.device))?;
            let product = journey.product(device.row.product)?;
            let view = View::of(&device, product, journey);
            let (whose, version) = (view.whose(subject)?, Arc::clone(&view.version));
            let back = {
                let of = crate::decide::subject(view.people(), whose);
                taken_back(&version.table, view.device(), of)
            };
            Some(Judged { view, whose, version, back })
        };
        self.devices.entry(part.device).or_insert_with(judged).as_ref()
    }

    /// Whether somebody whom it is about has it restricted, for a purpose that it is for.
    pub(crate) fn is_restricted(&mut self, part: &Part) -> bool {
        self.of(part).is_some_and(|judged| !(part.purposes & judged.back.restricted).is_empty())
    }

    /// What a part comes to. Where the clock may not be believed no period is over by it.
    pub(crate) fn comes(&mut self, part: &Part, received: u64, now: u64, believed: bool) -> Comes {
        let Some(judged) = self.of(part) else { return Comes::Untouched };
        let back = judged.back;
        if (part.purposes & back.purposes).is_empty() {
            return Comes::Untouched;
        }
        if !(part.purposes & (back.restricted | back.obliged)).is_empty() {
            return Comes::Stays(None);
        }
        let over = if believed { judged.over(part, received, now) } else { PurposeSet::NONE };
        let left = part.purposes.without(back.purposes | over);
        if left.is_empty() {
            return Comes::Goes;
        }
        let ends = received.saturating_add(judged.keep_seconds(left));
        Comes::Stays(Some(ends).filter(|ends| *ends < part.ends))
    }

    /// What is left of a part that stays, without what was inferred from items of which nothing stays.
    pub(crate) fn without_descendants(
        &mut self,
        mut part: Part,
        staying: &BTreeSet<(DeviceId, ItemId)>,
        now: u64,
    ) -> Left {
        let (device, all) = (DeviceId(part.device), part.values.len());
        let Some(judged) = self.of(&part) else { return Left::Whole(part) };
        if !(part.purposes & (judged.back.restricted | judged.back.obliged)).is_empty() {
            return Left::Whole(part);
        }
        let (version, standing, subject) = (&judged.version, judged.view.device(), judged.subject());
        let none_stays = |item: ItemId| version.sources(item).all(|item| !staying.contains(&(device, item)));
        part.values.retain(|said| {
            let item = ItemId(said.item);
            !(none_stays(item) && lost_its_source(version, standing, subject, item, now))
        });
        match part.values.len() {
            0 => Left::Nothing,
            left if left == all => Left::Whole(part),
            _ => Left::Less(part),
        }
    }
}

/// Whether an item was inferred from another one that was taken back and is kept for nothing any more:
/// then it has to go too, and may not be read until it has.
pub(crate) fn lost_its_source(
    version: &Version,
    device: &DeviceStanding,
    subject: Subject<'_>,
    item: ItemId,
    now: u64,
) -> bool {
    let lost = |source: ItemId| {
        let Some(record) = version.table.item(source) else { return false };
        let back = taken_back(&version.table, device, subject);
        let question = Question { item: source, act: Act::Keep, received: now, now };
        !(record.uses & back.purposes).is_empty()
            && (record.uses & back.obliged).is_empty()
            && decide(&version.table, device, subject, question).permitted.is_empty()
    };
    version.sources(item).any(lost)
}
