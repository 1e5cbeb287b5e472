//! From the typed manifest to the policy table that the gateway and the device read.
//!
//! Whatever a purpose lacks closes it: a purpose without a basis, a time of keeping or items is
//! compiled shut, and so is one that the caller names because of an open finding.

use std::collections::BTreeSet;

use housecarl_policy::minimise::Operator;
use housecarl_policy::path::Marks;
use housecarl_policy::standing::{PRECISION_SLOTS, PRECISION_STEPS};
use housecarl_policy::table::record::{
    Field as _, Header, ItemRecord, PurposeRecord, StepRecord, StreamRecord, Text,
};
use housecarl_policy::table::{
    MAGIC, NO_DAY, NO_PURPOSE, NO_SLOT, STREAMS_MAX, VERSION, item_flag, purpose_flag,
};
use housecarl_policy::{AccessGate, Basis as Gate, PurposeId, PurposeSet, SubjectKind};

use crate::model::{Access, Item, Manifest, Purpose, Stream};
use crate::ordinals::Ordinals;
use crate::places::{Declared, Places};
use crate::problem::{Problem, ProblemKind, Problems};
use crate::span::{Lines, Map, Named, Span, by_name};
use crate::strings::Strings;
use crate::words::{About, Basis, Condition, DataKind, Exception, From, KeepFrom, PurposeKind};

/// A compiled manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compiled {
    /// The table, for [`housecarl_policy::Table::read`].
    pub table: Vec<u8>,
    /// The numbers it uses, with those of whatever was new.
    pub ordinals: Ordinals,
    /// What kept a part of the manifest out of the table.
    pub problems: Vec<Problem>,
}

/// Compiles a manifest. `text` is the file it was read from, for the lines that reasons point to;
/// `shut` names purposes that are not to open.
#[must_use]
pub fn compile(manifest: &Manifest, text: &str, ordinals: &Ordinals, shut: &BTreeSet<String>) -> Compiled {
    let mut problems = Problems::default();
    let mut numbers = ordinals.clone();
    numbers.extend(manifest, &mut problems);
    let mut compiler = Compiler {
        manifest,
        lines: Lines::of(text),
        ordinals: &numbers,
        shut,
        strings: Strings::default(),
        steps: Vec::new(),
        places: Places::default(),
        problems,
    };
    let table = compiler.table();
    let problems = compiler.problems.into_sorted();
    Compiled { table, ordinals: numbers, problems }
}

struct Compiler<'m> {
    manifest: &'m Manifest,
    lines: Lines,
    ordinals: &'m Ordinals,
    shut: &'m BTreeSet<String>,
    strings: Strings,
    steps: Vec<StepRecord>,
    places: Places,
    problems: Problems,
}

const RETIRED_PURPOSE: PurposeRecord = PurposeRecord {
    flags: 0,
    access: AccessGate::Consent,
    basis: Gate::Consent,
    subjects: 0,
    features: 0,
    keep_seconds: 0,
    keep_bystander_seconds: 0,
    ends_on_day: 0,
    name: Text { start: 0, len: 0 },
    line: 0,
    basis_line: 0,
    access_line: 0,
    keep_line: 0,
    feature_line: 0,
    condition_line: 0,
};

const RETIRED_ITEM: ItemRecord = ItemRecord {
    uses: PurposeSet::NONE,
    flags: 0,
    subject: SubjectKind::Bystander,
    slot: NO_SLOT,
    steps: 0,
    first_step: 0,
    name: Text { start: 0, len: 0 },
    line: 0,
    precision_line: 0,
};

impl Compiler<'_> {
    fn table(&mut self) -> Vec<u8> {
        let purposes = self.purposes();
        let items = self.items();
        let streams = self.streams();
        let children = self.manifest.people.as_ref().and_then(|people| people.children.as_ref());
        let yes = |field: &crate::span::Field<bool>| field.as_ref().is_some_and(|said| said.value);
        // Nothing said about children is not a no.
        let likely = children.is_none_or(|children| {
            yes(&children.aimed) || children.likely.as_ref().is_none_or(|likely| likely.value)
        });
        let header = Header {
            magic: MAGIC,
            version: VERSION,
            flags: u16::from(likely),
            purposes: count(&purposes),
            items: count(&items),
            streams: count(&streams),
            steps: count(&self.steps),
            nodes: count(&self.places.nodes),
            edges: count(&self.places.edges),
            strings: u32::try_from(self.strings.text.len()).unwrap_or(u32::MAX),
        };
        let mut table = Vec::new();
        let mut put = |bytes: &[u8]| table.extend_from_slice(bytes);
        header.put(&mut put);
        purposes.iter().for_each(|record| record.put(&mut put));
        items.iter().for_each(|record| record.put(&mut put));
        streams.iter().for_each(|record| record.put(&mut put));
        self.steps.iter().for_each(|record| record.put(&mut put));
        self.places.nodes.iter().for_each(|record| record.put(&mut put));
        self.places.edges.iter().for_each(|record| record.put(&mut put));
        put(self.strings.text.as_bytes());
        table
    }

    fn line(&self, span: Span) -> u32 {
        u32::try_from(self.lines.line(span.start)).unwrap_or(0)
    }

    fn purposes(&mut self) -> Vec<PurposeRecord> {
        let numbered: Vec<(PurposeId, &Named<Purpose>)> =
            numbered(&self.manifest.purpose, |name| self.ordinals.purpose(name));
        let length = numbered.iter().map(|(id, _)| usize::from(id.number()) + 1).max().unwrap_or(0);
        let mut records = vec![RETIRED_PURPOSE; length];
        for (id, purpose) in numbered {
            let record = self.purpose(purpose);
            if let Some(slot) = records.get_mut(usize::from(id.number())) {
                *slot = record;
            }
        }
        records
    }

    fn purpose(&mut self, purpose: &Named<Purpose>) -> PurposeRecord {
        let facts = Facts::of(self.manifest, purpose);
        let mut flags = purpose_flag::PRESENT;
        let mut flag = |bit: u16, set: bool| flags |= if set { bit } else { 0 };
        flag(purpose_flag::SHUT, facts.incomplete || self.shut.contains(&purpose.name.value));
        flag(purpose_flag::MARKETING, facts.marketing);
        flag(purpose_flag::PRIVATE_FOR_CHILDREN, !facts.core);
        flag(purpose_flag::IDENTIFIES, facts.identifies);
        flag(purpose_flag::EXPLICIT_CONSENT, facts.explicit_consent);

        let mut features = 0;
        let mut feature_line = 0;
        for feature in &self.manifest.feature {
            let starts = feature.starts.iter().any(|started| started.value.0 == purpose.name.value);
            if let Some(number) = self.ordinals.feature(&feature.name.value).filter(|n| starts && *n < 32) {
                features |= 1_u32 << number;
                feature_line = self.line(feature.name.span);
            }
        }
        let line_of = |span: Option<Span>| span.map_or(0, |span| self.line(span));
        PurposeRecord {
            flags,
            access: facts.access,
            basis: facts.basis,
            subjects: facts.subjects.iter().fold(0, |bits, kind| bits | 1 << kind.byte()),
            features,
            keep_seconds: facts.keep_seconds,
            keep_bystander_seconds: facts.keep_bystander_seconds,
            ends_on_day: purpose.ends.as_ref().map_or(NO_DAY, |day| day.unix_day()),
            line: self.line(purpose.name.span),
            basis_line: line_of(purpose.basis.as_ref().map(|basis| basis.span)),
            access_line: line_of(facts.access_span),
            keep_line: line_of(purpose.keep.as_ref().map(|keep| keep.span)),
            feature_line,
            condition_line: line_of(purpose.condition.as_ref().map(|condition| condition.span)),
            name: self.strings.add(&purpose.name.value),
        }
    }

    fn items(&mut self) -> Vec<ItemRecord> {
        let numbered = numbered(&self.manifest.item, |name| self.ordinals.item(name));
        let length = numbered.iter().map(|(number, _)| usize::from(*number) + 1).max().unwrap_or(0);
        let mut records = vec![RETIRED_ITEM; length];
        let mut slots = 0;
        for (number, item) in numbered {
            let record = self.item(item, &mut slots);
            if let Some(slot) = records.get_mut(usize::from(number)) {
                *slot = record;
            }
        }
        records
    }

    fn item(&mut self, item: &Named<Item>, slots: &mut u8) -> ItemRecord {
        let users = self.manifest.purpose.iter().filter(|purpose| uses(purpose, &item.name.value));
        let uses = users.filter_map(|purpose| self.ordinals.purpose(&purpose.name.value)).collect();
        let first_step = count(&self.steps);
        let (mut slot, mut precision_line) = (NO_SLOT, 0);
        if let Some(start) = item.precision.first() {
            precision_line = self.line(start.span);
            if usize::from(*slots) >= usize::from(PRECISION_SLOTS) {
                let what = "items with a chosen precision";
                self.problems
                    .add(ProblemKind::TooMany { what, most: usize::from(PRECISION_SLOTS) }, start.span);
            } else {
                slot = *slots;
                *slots += 1;
            }
            for (at, step) in item.precision.iter().enumerate() {
                if at >= usize::from(PRECISION_STEPS) {
                    let what = "steps of one precision";
                    self.problems
                        .add(ProblemKind::TooMany { what, most: usize::from(PRECISION_STEPS) }, step.span);
                    break;
                }
                if at > 0 && step.leaves.0.drops() {
                    let expected = "the steps from the least to the most: what collects nothing stands first";
                    self.problems
                        .add(ProblemKind::BadForm { what: "a choice of precision", expected }, step.span);
                }
                self.steps.push(StepRecord::of(self.strings.add(&step.name), step.leaves.0));
            }
        } else {
            let operator = item.leaves.as_ref().map_or(Operator::Keep, |leaves| leaves.value.0);
            precision_line = item.leaves.as_ref().map_or(precision_line, |leaves| self.line(leaves.span));
            self.steps.push(StepRecord::of(self.strings.add(""), operator));
        }
        let guess = item.from.as_ref().is_some_and(|from| from.value == From::Inferred);
        ItemRecord {
            uses,
            flags: item_flag::PRESENT | if guess { item_flag::GUESS } else { 0 },
            subject: subject_of(self.manifest, item),
            slot,
            steps: u8::try_from(count(&self.steps) - first_step).unwrap_or(1),
            first_step,
            line: self.line(item.name.span),
            precision_line,
            name: self.strings.add(&item.name.value),
        }
    }

    fn streams(&mut self) -> Vec<StreamRecord> {
        let mut streams: Vec<&Named<Stream>> = self.manifest.stream.iter().collect();
        streams.sort_by(|one, other| one.name.value.cmp(&other.name.value));
        if let Some(over) = streams.get(STREAMS_MAX) {
            self.problems.add(ProblemKind::TooMany { what: "streams", most: STREAMS_MAX }, over.name.span);
            streams.truncate(STREAMS_MAX);
        }
        streams.into_iter().map(|stream| self.stream(stream)).collect()
    }

    fn stream(&mut self, stream: &Named<Stream>) -> StreamRecord {
        let mut declared = Vec::new();
        for item in &self.manifest.item {
            let here = item.stream.as_ref().is_some_and(|name| name.value.0 == stream.name.value);
            let Some(number) = self.ordinals.item(&item.name.value).filter(|_| here) else { continue };
            let item_number = Some((number, item.name.value.as_str()));
            for path in &item.at {
                declared.push(Declared { path: &path.value, span: path.span, item: item_number, marks: 0 });
            }
            if let Some(path) = &item.certainty {
                let marks = Marks::CERTAINTY;
                declared.push(Declared { path: &path.value, span: path.span, item: item_number, marks });
            }
        }
        let subject = stream.identify.as_ref().and_then(|identify| identify.at.as_ref());
        let marked = [(&stream.each, Marks::RECORD), (&stream.captured, Marks::CAPTURED)];
        let single = marked.iter().filter_map(|(path, marks)| path.as_ref().map(|path| (path, *marks)));
        let identity = stream.identity.iter().map(|path| (path, Marks::IDENTITY));
        for (path, marks) in single.chain(identity).chain(subject.map(|path| (path, Marks::SUBJECT))) {
            declared.push(Declared { path: &path.value, span: path.span, item: None, marks });
        }
        let purpose = stream.identify.as_ref().and_then(|identify| identify.purpose.as_ref());
        let identification = purpose.and_then(|name| self.ordinals.purpose(&name.value.0));
        StreamRecord {
            name: self.strings.add(&stream.name.value),
            topic: self.strings.add(stream.topic.as_ref().map_or("", |topic| topic.value.as_str())),
            root: self.places.add(&declared, &mut self.strings, &mut self.problems),
            identification: identification.map_or(NO_PURPOSE, PurposeId::number),
            line: self.line(stream.name.span),
        }
    }
}

fn count<T>(records: &[T]) -> u16 {
    u16::try_from(records.len()).unwrap_or(u16::MAX)
}

fn numbered<T, N: Ord + Copy>(map: &Map<T>, number: impl Fn(&str) -> Option<N>) -> Vec<(N, &Named<T>)> {
    let mut numbered: Vec<_> =
        map.iter().filter_map(|entry| number(&entry.name.value).map(|number| (number, entry))).collect();
    numbered.sort_by_key(|(number, _)| *number);
    numbered
}

fn uses(purpose: &Purpose, item: &str) -> bool {
    purpose.uses.iter().any(|used| used.value.0 == item)
}

/// The kind of person an item is about: its own word, else its stream's. Where neither says
/// anything, nobody is identified.
#[must_use]
pub fn subject_of(manifest: &Manifest, item: &Item) -> SubjectKind {
    let stream = item.stream.as_ref().and_then(|name| by_name(&manifest.stream, &name.value.0));
    let about = item.about.as_ref().or_else(|| stream.and_then(|stream| stream.about.as_ref()));
    match about.map(|about| about.value) {
        Some(About::AccountHolder | About::Wearer | About::Speaker) => SubjectKind::Person,
        Some(About::Household) => SubjectKind::Household,
        Some(About::Bystander) | None => SubjectKind::Bystander,
    }
}

/// What a decision needs to know of a purpose, read off the manifest.
struct Facts {
    incomplete: bool,
    basis: Gate,
    access: AccessGate,
    access_span: Option<Span>,
    explicit_consent: bool,
    marketing: bool,
    core: bool,
    identifies: bool,
    subjects: BTreeSet<SubjectKind>,
    keep_seconds: u32,
    keep_bystander_seconds: u32,
}

impl Facts {
    fn of(manifest: &Manifest, purpose: &Named<Purpose>) -> Self {
        let kind = purpose.kind.as_ref().map(|kind| kind.value);
        let basis = purpose.basis.as_ref().map(|basis| basis.value);
        let keep_seconds = keep_seconds(purpose);
        let by_names =
            |name: &crate::span::Spanned<crate::scalar::Name>| by_name(&manifest.item, &name.value.0);
        let items: Vec<_> = purpose.uses.iter().filter_map(by_names).collect();
        let (access, access_span) = access(manifest, purpose, basis, &items);
        let keep = purpose.keep.as_ref();
        let shorter = keep.and_then(|keep| keep.bystanders.as_ref()).map(|length| length.seconds());
        Self {
            incomplete: kind.is_none() || basis.is_none() || keep_seconds.is_none() || items.is_empty(),
            basis: basis.map_or(Gate::Consent, gate),
            access,
            access_span,
            explicit_consent: purpose
                .condition
                .as_ref()
                .is_some_and(|c| c.value == Condition::ExplicitConsent),
            marketing: kind.is_none_or(PurposeKind::is_marketing),
            core: is_core(manifest, purpose),
            identifies: kind == Some(PurposeKind::Identification),
            subjects: items.iter().map(|item| subject_of(manifest, item)).collect(),
            keep_seconds: keep_seconds.unwrap_or(0),
            keep_bystander_seconds: keep_seconds.unwrap_or(0).min(shorter.unwrap_or(u32::MAX)),
        }
    }
}

const fn gate(basis: Basis) -> Gate {
    match basis {
        Basis::Household => Gate::Household,
        Basis::Consent => Gate::Consent,
        Basis::Contract => Gate::Contract,
        Basis::LegalObligation => Gate::LegalObligation,
        Basis::VitalInterests => Gate::VitalInterests,
        Basis::PublicTask => Gate::PublicTask,
        Basis::RecognisedInterests => Gate::RecognisedInterests,
        Basis::LegitimateInterests => Gate::LegitimateInterests,
    }
}

/// For how long from receipt an item is kept for a purpose. What runs from another event is kept
/// for the stated most, and has no length without one.
#[must_use]
pub fn keep_seconds(purpose: &Purpose) -> Option<u32> {
    let keep = purpose.keep.as_ref()?;
    let from = keep.from.as_ref()?.value;
    let length = if from == KeepFrom::Receipt { &keep.length } else { &keep.at_most };
    length.as_ref().map(|length| length.seconds())
}

/// Whether a purpose is on for a child without anybody switching it on: the product's core, alone
/// or through a core feature, without profiling, and never marketing (CHI-12, ADM-30, PECR-30).
#[must_use]
pub fn is_core(manifest: &Manifest, purpose: &Named<Purpose>) -> bool {
    let Some(kind) = purpose.kind.as_ref().map(|kind| kind.value) else { return false };
    let starts = |feature: &crate::model::Feature| {
        feature.starts.iter().any(|started| started.value.0 == purpose.name.value)
    };
    let mut features = manifest.feature.iter().filter(|feature| starts(feature)).peekable();
    let by_feature = features.peek().is_some();
    let core_feature = features.any(|feature| feature.core.as_ref().is_some_and(|core| core.value));
    let core = if by_feature { core_feature } else { kind.is_core() };
    core && purpose.profiles.is_empty() && !kind.is_marketing()
}

/// The access that asks the most of those that serve the purpose. What comes off a device without
/// an entry needs consent; the household's own purposes read nothing for the maker.
fn access(
    manifest: &Manifest,
    purpose: &Named<Purpose>,
    basis: Option<Basis>,
    items: &[&Named<Item>],
) -> (AccessGate, Option<Span>) {
    if basis == Some(Basis::Household) {
        return (AccessGate::None, None);
    }
    let serves =
        |access: &&Named<Access>| access.serves.iter().any(|name| name.value.0 == purpose.name.value);
    let entries: Vec<_> = manifest.access.iter().filter(serves).collect();
    if entries.is_empty() {
        let from_device = |item: &&Named<Item>| {
            let elsewhere =
                matches!(item.from.as_ref().map(|from| from.value), Some(From::Given | From::ThirdParty));
            item.stream.is_some() && !elsewhere
        };
        return if items.iter().any(from_device) {
            (AccessGate::Consent, None)
        } else {
            (AccessGate::None, None)
        };
    }
    let asked = |access: &&Named<Access>| match access.exception.as_ref().map(|exception| exception.value) {
        Some(Exception::Communication | Exception::StrictlyNecessary | Exception::Emergency) => {
            AccessGate::Exempt
        }
        Some(Exception::Statistics | Exception::Appearance) => AccessGate::ExemptUnlessObjected,
        Some(Exception::None) | None => AccessGate::Consent,
    };
    let most = entries.iter().max_by_key(|access| asked(access).byte());
    most.map_or((AccessGate::Consent, None), |access| (asked(access), Some(access.name.span)))
}

/// Whether an item tells where somebody is.
#[must_use]
pub fn is_location(item: &Item) -> bool {
    item.kind.as_ref().is_some_and(|kind| kind.value == DataKind::Location)
}
