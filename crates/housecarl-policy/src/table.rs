//! A manifest, compiled: what the gateway and the device read instead of TOML.
//!
//! A table is bytes: a [`record::Header`], then purposes, items, streams, steps, nodes and edges
//! as fixed records ([`record`]), then text. [`Table::read`] checks all of it once, so that
//! nothing read from it afterwards can fail; the bytes are a foreign input like any other.

pub mod record;

use record::{
    EdgeRecord, Field, Header, ItemRecord, NodeRecord, PurposeRecord, StepRecord, StreamRecord, Text,
};

use crate::minimise::Operator;
use crate::set::{PurposeId, PurposeSet};
use crate::standing::{PRECISION_SLOTS, PRECISION_STEPS};
use crate::vocabulary::{AccessGate, Basis, Gate, SubjectKind};

/// `HCPT`, little endian.
pub const MAGIC: u32 = u32::from_le_bytes(*b"HCPT");
/// The layout this code reads and the manifest crate writes. Another one is refused.
pub const VERSION: u16 = 1;
/// How many items a product may ever have had.
pub const ITEMS_MAX: usize = 1024;
/// How many streams a product may have.
pub const STREAMS_MAX: usize = 256;
/// How many features a product may have.
pub const FEATURES_MAX: usize = 32;
/// No precision is chosen for the item.
pub const NO_SLOT: u8 = u8::MAX;
/// People are not recognised for this stream.
pub const NO_PURPOSE: u8 = u8::MAX;
/// No place.
pub const NO_NODE: u16 = u16::MAX;
/// No item.
pub const NO_ITEM: u16 = u16::MAX;
/// No end.
pub const NO_DAY: u32 = u32::MAX;

const SECONDS_A_DAY: u64 = 86_400;

/// What is true of a purpose, as bits of [`PurposeRecord::flags`].
pub mod purpose_flag {
    /// The number is in use.
    pub const PRESENT: u16 = 1;
    /// Compiled shut.
    pub const SHUT: u16 = 1 << 1;
    /// Direct marketing or advertising.
    pub const MARKETING: u16 = 1 << 2;
    /// Off for a child until switched on for that child.
    pub const PRIVATE_FOR_CHILDREN: u16 = 1 << 3;
    /// Recognises people.
    pub const IDENTIFIES: u16 = 1 << 4;
    /// Rests on explicit consent as its Article 9 condition.
    pub const EXPLICIT_CONSENT: u16 = 1 << 5;
    /// All the bits that mean something.
    pub const EVERY: u16 = (1 << 6) - 1;
}

/// What is true of an item, as bits of [`ItemRecord::flags`].
pub mod item_flag {
    /// The number is in use.
    pub const PRESENT: u8 = 1;
    /// A guess of a model, to be marked as one (statement ACY-12).
    pub const GUESS: u8 = 1 << 1;
    /// All the bits that mean something.
    pub const EVERY: u8 = (1 << 2) - 1;
}

/// The number of an item, below [`ITEMS_MAX`]. Given once per product and name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ItemId(pub u16);

/// The number of a stream within one table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(pub u16);

/// Why bytes are not a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableError {
    /// They do not begin as a table does.
    NotATable,
    /// A table of a layout that this code does not know.
    UnknownVersion(u16),
    /// Fewer or more bytes than the header says.
    WrongLength,
    /// More purposes, items or streams than a product may have.
    TooMany,
    /// A record whose bytes mean nothing, or which points nowhere.
    BadRecord(&'static str),
}

impl core::fmt::Display for TableError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotATable => f.write_str("these bytes are not a policy table"),
            Self::UnknownVersion(version) => {
                write!(f, "a policy table of version {version}, and this program reads version {VERSION}")
            }
            Self::WrongLength => f.write_str("the policy table is cut short or has bytes left over"),
            Self::TooMany => f.write_str("the policy table has more entries than a product may have"),
            Self::BadRecord(kind) => write!(f, "the policy table has a {kind} that means nothing"),
        }
    }
}

impl core::error::Error for TableError {}

/// Records of one kind, one after the other.
#[derive(Clone, Copy, Debug)]
struct Records<'t> {
    bytes: &'t [u8],
}

impl<'t> Records<'t> {
    fn take<R: Field>(bytes: &mut &'t [u8], count: u16) -> Option<Self> {
        let (head, tail) = bytes.split_at_checked(usize::from(count).checked_mul(R::LEN)?)?;
        *bytes = tail;
        Some(Self { bytes: head })
    }

    fn get<R: Field>(self, index: u16) -> Option<R> {
        let start = usize::from(index).checked_mul(R::LEN)?;
        R::take(&mut self.bytes.get(start..)?)
    }

    fn all<R: Field>(self) -> impl Iterator<Item = Option<R>> + use<'t, R> {
        self.bytes.chunks_exact(R::LEN).map(|mut chunk| R::take(&mut chunk))
    }
}

/// When a purpose runs, and for how long it keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    features: u32,
    ends_on_day: u32,
    keep: u32,
    keep_bystander: u32,
}

impl Times {
    const OVER: Self = Self { features: 0, ends_on_day: 0, keep: 0, keep_bystander: 0 };

    /// Whether one of these features starts it, or it needs none.
    pub(crate) const fn is_started(self, on: u32) -> bool {
        self.features == 0 || self.features & on != 0
    }

    /// From when the purpose is over, in seconds since 1970.
    pub(crate) fn ends_at(self) -> u64 {
        if self.ends_on_day == NO_DAY {
            u64::MAX
        } else {
            u64::from(self.ends_on_day).saturating_mul(SECONDS_A_DAY)
        }
    }

    /// For how many seconds from receipt it keeps what is about such a person.
    pub(crate) const fn keep_seconds(self, kind: SubjectKind) -> u32 {
        match kind {
            SubjectKind::Bystander => self.keep_bystander,
            SubjectKind::Person | SubjectKind::Household => self.keep,
        }
    }
}

/// The purposes that each gate concerns, worked out once from the records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masks {
    pub(crate) present: PurposeSet,
    pub(crate) shut: PurposeSet,
    pub(crate) access_consent: PurposeSet,
    pub(crate) access_objectable: PurposeSet,
    pub(crate) marketing: PurposeSet,
    pub(crate) private_for_children: PurposeSet,
    pub(crate) identifies: PurposeSet,
    pub(crate) needs_consent: PurposeSet,
    pub(crate) vital: PurposeSet,
    pub(crate) obliged: PurposeSet,
    pub(crate) subjects: [PurposeSet; 3],
    times: [Times; PurposeId::MAX],
}

/// A compiled manifest. Cheap to pass by reference; everything in it was checked by [`Table::read`].
#[derive(Clone, Copy, Debug)]
pub struct Table<'t> {
    header: Header,
    purposes: Records<'t>,
    items: Records<'t>,
    streams: Records<'t>,
    steps: Records<'t>,
    nodes: Records<'t>,
    edges: Records<'t>,
    strings: &'t str,
    pub(crate) masks: Masks,
}

impl<'t> Table<'t> {
    /// Reads and checks a table.
    ///
    /// # Errors
    /// A [`TableError`] where the bytes are not a whole, known table in which every record means
    /// something and every reference leads somewhere.
    pub fn read(mut bytes: &'t [u8]) -> Result<Self, TableError> {
        let header = Header::take(&mut bytes).ok_or(TableError::NotATable)?;
        if header.magic != MAGIC {
            return Err(TableError::NotATable);
        }
        if header.version != VERSION {
            return Err(TableError::UnknownVersion(header.version));
        }
        let over = |count: u16, most: usize| usize::from(count) > most;
        if over(header.purposes, PurposeId::MAX)
            || over(header.items, ITEMS_MAX)
            || over(header.streams, STREAMS_MAX)
        {
            return Err(TableError::TooMany);
        }
        let wrong = TableError::WrongLength;
        let purposes = Records::take::<PurposeRecord>(&mut bytes, header.purposes).ok_or(wrong)?;
        let items = Records::take::<ItemRecord>(&mut bytes, header.items).ok_or(wrong)?;
        let streams = Records::take::<StreamRecord>(&mut bytes, header.streams).ok_or(wrong)?;
        let steps = Records::take::<StepRecord>(&mut bytes, header.steps).ok_or(wrong)?;
        let nodes = Records::take::<NodeRecord>(&mut bytes, header.nodes).ok_or(wrong)?;
        let edges = Records::take::<EdgeRecord>(&mut bytes, header.edges).ok_or(wrong)?;
        if u32::try_from(bytes.len()) != Ok(header.strings) {
            return Err(wrong);
        }
        let strings = core::str::from_utf8(bytes).map_err(|_| TableError::BadRecord("text"))?;
        let masks = masks(purposes).ok_or(TableError::BadRecord("purpose"))?;
        let table = Self { header, purposes, items, streams, steps, nodes, edges, strings, masks };
        table.check()?;
        Ok(table)
    }

    fn check(&self) -> Result<(), TableError> {
        let bad = TableError::BadRecord;
        let texts = |all: &[Text]| all.iter().all(|text| self.text_checked(*text).is_some());
        for purpose in self.purposes.all::<PurposeRecord>() {
            let ok = purpose.is_some_and(|p| texts(&[p.name]));
            ok.then_some(()).ok_or(bad("purpose"))?;
        }
        for step in self.steps.all::<StepRecord>() {
            let ok = step.is_some_and(|s| texts(&[s.name]) && s.operator().is_some());
            ok.then_some(()).ok_or(bad("step"))?;
        }
        for item in self.items.all::<ItemRecord>() {
            let ok = item.is_some_and(|i| {
                let last = u32::from(i.first_step).wrapping_add(u32::from(i.steps));
                texts(&[i.name])
                    && i.flags & !item_flag::EVERY == 0
                    && (i.slot == NO_SLOT || i.slot < PRECISION_SLOTS)
                    && i.steps <= PRECISION_STEPS
                    && (i.flags & item_flag::PRESENT == 0 || i.steps >= 1)
                    && last <= u32::from(self.header.steps)
            });
            ok.then_some(()).ok_or(bad("item"))?;
        }
        for stream in self.streams.all::<StreamRecord>() {
            let ok = stream.is_some_and(|s| {
                texts(&[s.name, s.topic])
                    && s.root < self.header.nodes
                    && (s.identification == NO_PURPOSE || u16::from(s.identification) < self.header.purposes)
            });
            ok.then_some(()).ok_or(bad("stream"))?;
        }
        let node = |to: u16| to < self.header.nodes;
        for edge in self.edges.all::<EdgeRecord>() {
            let ok = edge.is_some_and(|e| texts(&[e.key]) && node(e.to));
            ok.then_some(()).ok_or(bad("edge"))?;
        }
        for place in self.nodes.all::<NodeRecord>() {
            let ok = place.is_some_and(|n| {
                let edges = |first: u16, count: u16| {
                    u32::from(first).wrapping_add(u32::from(count)) <= u32::from(self.header.edges)
                };
                texts(&[n.shape, n.when])
                    && (n.any == NO_NODE || node(n.any))
                    && (n.json == NO_NODE || node(n.json))
                    && edges(n.first_edge, n.edges)
                    && edges(n.first_when, n.whens)
                    && (n.item == NO_ITEM || n.item < self.header.items)
            });
            ok.then_some(()).ok_or(bad("place"))?;
        }
        Ok(())
    }

    fn text_checked(&self, text: Text) -> Option<&'t str> {
        let start = usize::try_from(text.start).ok()?;
        self.strings.get(start..start.checked_add(usize::from(text.len))?)
    }

    /// A text of the table; checked when the table was read.
    #[must_use]
    pub fn text(&self, text: Text) -> &'t str {
        self.text_checked(text).unwrap_or_default()
    }

    /// Whether children are aimed at or likely to use the product.
    #[must_use]
    pub const fn children_likely(&self) -> bool {
        self.header.flags & 1 != 0
    }

    /// A purpose that is in use.
    #[must_use]
    pub fn purpose(&self, id: PurposeId) -> Option<PurposeRecord> {
        let record: PurposeRecord = self.purposes.get(u16::from(id.number()))?;
        (self.masks.present.contains(id)).then_some(record)
    }

    /// An item that is in use.
    #[must_use]
    pub fn item(&self, id: ItemId) -> Option<ItemRecord> {
        let record: ItemRecord = self.items.get(id.0)?;
        (record.flags & item_flag::PRESENT != 0).then_some(record)
    }

    /// A stream.
    #[must_use]
    pub fn stream(&self, id: StreamId) -> Option<StreamRecord> {
        self.streams.get(id.0)
    }

    /// The purposes in use.
    #[must_use]
    pub const fn purposes(&self) -> PurposeSet {
        self.masks.present
    }

    /// The items in use.
    pub fn items(&self) -> impl Iterator<Item = (ItemId, ItemRecord)> + use<'_, 't> {
        (0..self.header.items).map(ItemId).filter_map(|id| self.item(id).map(|record| (id, record)))
    }

    /// The streams.
    pub fn streams(&self) -> impl Iterator<Item = (StreamId, StreamRecord)> + use<'_, 't> {
        (0..self.header.streams).map(StreamId).filter_map(|id| self.stream(id).map(|record| (id, record)))
    }

    /// A step of an item; the first where the item has no such step.
    #[must_use]
    pub fn step(&self, item: &ItemRecord, step: u8) -> Option<StepRecord> {
        let step = if step < item.steps { step } else { 0 };
        self.steps.get(item.first_step.checked_add(u16::from(step))?)
    }

    /// What a step of an item leaves of its value; [`Operator::Drop`] where there is no such step.
    #[must_use]
    pub fn operator(&self, item: &ItemRecord, step: u8) -> Operator {
        self.step(item, step).and_then(|step| step.operator()).unwrap_or(Operator::Drop)
    }

    /// The line of the manifest on which a gate of a purpose turns; 0 where it has none.
    #[must_use]
    pub fn line(&self, purpose: &PurposeRecord, gate: Gate) -> u32 {
        let line = match gate {
            Gate::FeatureOff => purpose.feature_line,
            Gate::AccessRefused | Gate::AccessUnanswered => purpose.access_line,
            Gate::PeriodOver => purpose.keep_line,
            Gate::ConsentMissing | Gate::ParentMissing => {
                if purpose.basis == Basis::Consent {
                    purpose.basis_line
                } else {
                    purpose.condition_line
                }
            }
            Gate::Refused => purpose.basis_line,
            _ => purpose.line,
        };
        if line == 0 { purpose.line } else { line }
    }

    /// When a purpose runs and for how long it keeps; never and nothing where it is not in use.
    pub(crate) fn times(&self, id: PurposeId) -> Times {
        self.masks.times.get(usize::from(id.number())).copied().unwrap_or(Times::OVER)
    }

    pub(crate) fn node(&self, node: u16) -> Option<NodeRecord> {
        self.nodes.get(node)
    }

    pub(crate) fn edge(&self, edge: u16) -> Option<EdgeRecord> {
        self.edges.get(edge)
    }
}

fn masks(purposes: Records<'_>) -> Option<Masks> {
    let mut masks = Masks {
        present: PurposeSet::NONE,
        shut: PurposeSet::NONE,
        access_consent: PurposeSet::NONE,
        access_objectable: PurposeSet::NONE,
        marketing: PurposeSet::NONE,
        private_for_children: PurposeSet::NONE,
        identifies: PurposeSet::NONE,
        needs_consent: PurposeSet::NONE,
        vital: PurposeSet::NONE,
        obliged: PurposeSet::NONE,
        subjects: [PurposeSet::NONE; 3],
        times: [Times::OVER; PurposeId::MAX],
    };
    for (number, purpose) in purposes.all::<PurposeRecord>().enumerate() {
        let id = u8::try_from(number).ok().and_then(PurposeId::new)?;
        let purpose = purpose?;
        let is = |flag: u16| purpose.flags & flag != 0;
        if purpose.flags & !purpose_flag::EVERY != 0 {
            return None;
        }
        if !is(purpose_flag::PRESENT) {
            continue;
        }
        *masks.times.get_mut(number)? = Times {
            features: purpose.features,
            ends_on_day: purpose.ends_on_day,
            keep: purpose.keep_seconds,
            keep_bystander: purpose.keep_bystander_seconds,
        };
        let mut add = |to: fn(&mut Masks) -> &mut PurposeSet, condition: bool| {
            if condition {
                to(&mut masks).insert(id);
            }
        };
        add(|m| &mut m.present, true);
        add(|m| &mut m.shut, is(purpose_flag::SHUT));
        add(|m| &mut m.access_consent, purpose.access == AccessGate::Consent);
        add(|m| &mut m.access_objectable, purpose.access == AccessGate::ExemptUnlessObjected);
        add(|m| &mut m.marketing, is(purpose_flag::MARKETING));
        add(|m| &mut m.private_for_children, is(purpose_flag::PRIVATE_FOR_CHILDREN));
        add(|m| &mut m.identifies, is(purpose_flag::IDENTIFIES));
        add(|m| &mut m.needs_consent, purpose.basis == Basis::Consent || is(purpose_flag::EXPLICIT_CONSENT));
        add(|m| &mut m.vital, purpose.basis == Basis::VitalInterests);
        add(|m| &mut m.obliged, matches!(purpose.basis, Basis::LegalObligation | Basis::PublicTask));
        for (kind, set) in SubjectKind::EVERY.iter().zip(&mut masks.subjects) {
            if purpose.subjects & 1_u8.wrapping_shl(u32::from(kind.byte())) != 0 {
                set.insert(id);
            }
        }
    }
    Some(masks)
}
