//! Policy tables made at random, nearly all of them whole: every reference leads somewhere.

use housecarl_policy::minimise::{Grid, Operator, TimeForm, TimeUnit};
use housecarl_policy::standing::{PRECISION_SLOTS, PRECISION_STEPS};
use housecarl_policy::table::record::{
    EdgeRecord, Field, Header, ItemRecord, NodeRecord, PurposeRecord, StepRecord, StreamRecord, Text,
};
use housecarl_policy::table::{
    FEATURES_MAX, MAGIC, NO_DAY, NO_ITEM, NO_NODE, NO_PURPOSE, NO_SLOT, VERSION, item_flag, purpose_flag,
};
use housecarl_policy::{AccessGate, Basis, Decimal, PurposeSet, SubjectKind};

use crate::mutate::Dice;

const STRINGS: &str = "heart-ratewatch/{device}/vitals/samples/*/bpm0123456789nämetype";

/// A table of a few records of every kind.
pub fn table(dice: &mut Dice) -> Vec<u8> {
    let header = Header {
        magic: MAGIC,
        version: VERSION,
        flags: small(dice, 2),
        purposes: small(dice, 7),
        items: small(dice, 7),
        streams: small(dice, 4),
        steps: 1 + small(dice, 12),
        nodes: 1 + small(dice, 12),
        edges: small(dice, 12),
        strings: u32::try_from(STRINGS.len()).unwrap_or(0),
    };
    let mut bytes = Vec::new();
    put(&mut bytes, &header);
    for _ in 0..header.purposes {
        put(&mut bytes, &purpose(dice));
    }
    for _ in 0..header.items {
        put(&mut bytes, &item(dice, &header));
    }
    for _ in 0..header.streams {
        put(&mut bytes, &stream(dice, &header));
    }
    for _ in 0..header.steps {
        put(&mut bytes, &StepRecord::of(text(dice), operator(dice)));
    }
    for _ in 0..header.nodes {
        put(&mut bytes, &node(dice, &header));
    }
    for _ in 0..header.edges {
        put(&mut bytes, &EdgeRecord { key: text(dice), to: small(dice, header.nodes) });
    }
    bytes.extend_from_slice(STRINGS.as_bytes());
    bytes
}

fn put(bytes: &mut Vec<u8>, record: &impl Field) {
    record.put(&mut |more| bytes.extend_from_slice(more));
}

fn purpose(dice: &mut Dice) -> PurposeRecord {
    PurposeRecord {
        flags: small(dice, purpose_flag::EVERY + 1) | purpose_flag::PRESENT,
        access: pick(dice, AccessGate::EVERY).unwrap_or(AccessGate::None),
        basis: pick(dice, Basis::EVERY).unwrap_or(Basis::Consent),
        subjects: u8::try_from(dice.below(8)).unwrap_or(0),
        features: if dice.below(2) == 0 { 0 } else { 1 << dice.below(FEATURES_MAX) },
        keep_seconds: wide(dice),
        keep_bystander_seconds: wide(dice),
        ends_on_day: if dice.below(2) == 0 { NO_DAY } else { wide(dice) },
        name: text(dice),
        line: wide(dice),
        basis_line: wide(dice),
        access_line: wide(dice),
        keep_line: wide(dice),
        feature_line: wide(dice),
        condition_line: wide(dice),
    }
}

fn item(dice: &mut Dice, header: &Header) -> ItemRecord {
    let first_step = small(dice, header.steps);
    let left = usize::from(header.steps - first_step).min(usize::from(PRECISION_STEPS));
    ItemRecord {
        uses: PurposeSet::from_bits(u128::from(wide(dice))),
        flags: if dice.below(4) == 0 { item_flag::EVERY } else { item_flag::PRESENT },
        subject: pick(dice, SubjectKind::EVERY).unwrap_or(SubjectKind::Person),
        slot: if dice.below(2) == 0 { NO_SLOT } else { byte(dice, PRECISION_SLOTS) },
        steps: u8::try_from(1 + dice.below(left)).unwrap_or(1),
        first_step,
        name: text(dice),
        line: wide(dice),
        precision_line: wide(dice),
    }
}

fn stream(dice: &mut Dice, header: &Header) -> StreamRecord {
    let identification = if header.purposes == 0 {
        NO_PURPOSE
    } else {
        byte(dice, u8::try_from(header.purposes).unwrap_or(0))
    };
    StreamRecord {
        name: text(dice),
        topic: text(dice),
        root: small(dice, header.nodes),
        identification,
        line: wide(dice),
    }
}

fn node(dice: &mut Dice, header: &Header) -> NodeRecord {
    let first_edge = small(dice, header.edges);
    let first_when = small(dice, header.edges);
    let mut next = |none: u16| if dice.below(2) == 0 { none } else { small(dice, header.nodes) };
    let (any, json) = (next(NO_NODE), next(NO_NODE));
    NodeRecord {
        first_edge,
        edges: small(dice, header.edges - first_edge + 1),
        any,
        json,
        first_when,
        whens: if dice.below(2) == 0 { 0 } else { small(dice, header.edges - first_when + 1) },
        when: text(dice),
        item: if header.items == 0 || dice.below(3) == 0 { NO_ITEM } else { small(dice, header.items) },
        marks: byte(dice, 32),
        shape: text(dice),
    }
}

fn operator(dice: &mut Dice) -> Operator {
    let every = [
        Operator::Keep,
        Operator::Drop,
        Operator::Presence,
        Operator::Count,
        Operator::Round(decimal(dice)),
        Operator::Bucket(decimal(dice)),
        Operator::Clamp(decimal(dice), decimal(dice)),
        Operator::Reached(decimal(dice)),
        Operator::Time(TimeUnit::Hour, TimeForm::Millis),
        Operator::Place(Grid::Km1),
        Operator::Prefix(byte(dice, 20)),
        Operator::Pseudonymise,
    ];
    pick(dice, &every).unwrap_or(Operator::Drop)
}

fn decimal(dice: &mut Dice) -> Decimal {
    let exponent = i8::try_from(dice.below(37)).unwrap_or(0) - 18;
    Decimal::new(i64::from(wide(dice)), exponent).unwrap_or(Decimal::ZERO)
}

/// A piece of [`STRINGS`], at character boundaries as a table asks.
fn text(dice: &mut Dice) -> Text {
    let start = dice.below(STRINGS.len());
    let end = start + dice.below(STRINGS.len() - start);
    let Some(piece) = STRINGS.get(start..end) else { return Text { start: 0, len: 0 } };
    Text { start: u32::try_from(start).unwrap_or(0), len: u16::try_from(piece.len()).unwrap_or(0) }
}

fn pick<T: Copy>(dice: &mut Dice, all: &[T]) -> Option<T> {
    all.get(dice.below(all.len())).copied()
}

fn byte(dice: &mut Dice, end: u8) -> u8 {
    u8::try_from(dice.below(usize::from(end))).unwrap_or(0)
}

fn small(dice: &mut Dice, end: u16) -> u16 {
    u16::try_from(dice.below(usize::from(end))).unwrap_or(0)
}

fn wide(dice: &mut Dice) -> u32 {
    u32::try_from(dice.below(1 << 32)).unwrap_or(0) >> dice.below(32)
}
