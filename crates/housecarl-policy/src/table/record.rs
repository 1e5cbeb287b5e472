//! How the records of a table are laid out: fields in order, little endian, no padding.
//!
//! The manifest crate writes records, a table reads them; both go through this one description.

use crate::minimise::Operator;
use crate::set::PurposeSet;
use crate::value::Decimal;
use crate::vocabulary::{AccessGate, Basis, SubjectKind};

/// Something with a fixed number of bytes in a table.
pub trait Field: Sized {
    /// How many bytes it takes.
    const LEN: usize;
    /// Hands its bytes to `put`, in order.
    fn put(&self, put: &mut dyn FnMut(&[u8]));
    /// Takes it off the front of `bytes`; `None` where they are too few or mean nothing.
    fn take(bytes: &mut &[u8]) -> Option<Self>;
}

fn split<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = bytes.split_first_chunk::<N>()?;
    *bytes = tail;
    Some(*head)
}

macro_rules! integers {
    ($($int:ty),+) => {$(
        impl Field for $int {
            const LEN: usize = size_of::<$int>();
            fn put(&self, put: &mut dyn FnMut(&[u8])) {
                put(&self.to_le_bytes());
            }
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                split(bytes).map(<$int>::from_le_bytes)
            }
        }
    )+};
}
integers!(u8, i8, u16, u32, i64, u128);

macro_rules! bytes_of {
    ($($name:ty),+) => {$(
        impl Field for $name {
            const LEN: usize = 1;
            fn put(&self, put: &mut dyn FnMut(&[u8])) {
                put(&[self.byte()]);
            }
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                u8::take(bytes).and_then(<$name>::from_byte)
            }
        }
    )+};
}
bytes_of!(Basis, AccessGate, SubjectKind);

impl Field for PurposeSet {
    const LEN: usize = 16;
    fn put(&self, put: &mut dyn FnMut(&[u8])) {
        self.bits().put(put);
    }
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        u128::take(bytes).map(Self::from_bits)
    }
}

impl Field for Decimal {
    const LEN: usize = 9;
    fn put(&self, put: &mut dyn FnMut(&[u8])) {
        self.mantissa().put(put);
        self.exponent().put(put);
    }
    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let mantissa = i64::take(bytes)?;
        Decimal::new(mantissa, i8::take(bytes)?)
    }
}

/// Defines a record: its fields, its length, and the two ways through [`Field`].
macro_rules! record {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $ty:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name { $($(#[$doc])* pub $field: $ty,)+ }

        impl Field for $name {
            const LEN: usize = record!(@sum $(<$ty as Field>::LEN,)+);
            fn put(&self, put: &mut dyn FnMut(&[u8])) {
                $(self.$field.put(put);)+
            }
            fn take(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: Field::take(bytes)?,)+ })
            }
        }
    };
    (@sum $head:expr, $($tail:expr,)*) => { usize::wrapping_add($head, record!(@sum $($tail,)*)) };
    (@sum) => { 0 };
}

record! {
    /// Where a text stands in the table's strings.
    Text {
        /// First byte.
        start: u32,
        /// Length in bytes.
        len: u16,
    }
}

record! {
    /// The first bytes of a table.
    Header {
        /// `HCPT` as bytes, read little endian.
        magic: u32,
        /// The layout; see [`super::VERSION`].
        version: u16,
        /// Bit 0: children are aimed at or likely to use the product.
        flags: u16,
        /// How many purposes, retired ones included.
        purposes: u16,
        /// How many items, retired ones included.
        items: u16,
        /// How many streams.
        streams: u16,
        /// How many precision steps.
        steps: u16,
        /// How many path nodes.
        nodes: u16,
        /// How many path edges.
        edges: u16,
        /// How many bytes of text.
        strings: u32,
    }
}

record! {
    /// One purpose, found by its number. Lines are 1-based lines of the manifest; 0 is none.
    PurposeRecord {
        /// See the constants in [`super::purpose_flag`]; 0 is a retired number.
        flags: u16,
        /// PECR.
        access: AccessGate,
        /// UK GDPR.
        basis: Basis,
        /// The kinds of person it is for: bit [`SubjectKind::byte`].
        subjects: u8,
        /// The features that start it, one bit each; 0 is always on.
        features: u32,
        /// For how many seconds from receipt an item is kept.
        keep_seconds: u32,
        /// The same for a person whom nobody identified.
        keep_bystander_seconds: u32,
        /// The day, counted from 1970, from which the purpose is over; `u32::MAX` is never.
        ends_on_day: u32,
        /// Its name in the manifest.
        name: Text,
        /// The line of the purpose.
        line: u32,
        /// The line of its basis.
        basis_line: u32,
        /// The line of the access entry that asks the most.
        access_line: u32,
        /// The line of what it keeps.
        keep_line: u32,
        /// The line of the feature that starts it.
        feature_line: u32,
        /// The line of the Article 9 condition.
        condition_line: u32,
    }
}

record! {
    /// One item, found by its number.
    ItemRecord {
        /// The purposes that use it.
        uses: PurposeSet,
        /// See [`super::item_flag`]; 0 is a retired number.
        flags: u8,
        /// Whom it is about.
        subject: SubjectKind,
        /// The slot of its chosen precision, or [`super::NO_SLOT`].
        slot: u8,
        /// How many steps it has; at least 1.
        steps: u8,
        /// Its first step.
        first_step: u16,
        /// Its name in the manifest.
        name: Text,
        /// The line of the item.
        line: u32,
        /// The line of its precision or operator.
        precision_line: u32,
    }
}

record! {
    /// One stream of messages.
    StreamRecord {
        /// Its name in the manifest.
        name: Text,
        /// The MQTT topic filter, `{device}` where the device's name stands; empty is none.
        topic: Text,
        /// The root of its paths.
        root: u16,
        /// The purpose under which people are recognised, or [`super::NO_PURPOSE`].
        identification: u8,
        /// The line of the stream.
        line: u32,
    }
}

record! {
    /// One step of precision: its name and what it does.
    StepRecord {
        /// What the person chooses by.
        name: Text,
        /// Which operator.
        kind: u8,
        /// A unit or a count, as the operator has it.
        small: u8,
        /// First parameter.
        first: Decimal,
        /// Second parameter.
        second: Decimal,
    }
}

impl StepRecord {
    /// The operator, where the record means one.
    #[must_use]
    pub const fn operator(&self) -> Option<Operator> {
        Operator::from_parts(self.kind, self.small, self.first, self.second)
    }

    /// The record of an operator.
    #[must_use]
    pub const fn of(name: Text, operator: Operator) -> Self {
        let (kind, small, first, second) = operator.parts();
        Self { name, kind, small, first, second }
    }
}

record! {
    /// One place in a payload.
    NodeRecord {
        /// Its first edge; edges of one node stand together, sorted by key.
        first_edge: u16,
        /// How many edges.
        edges: u16,
        /// Where every other member and item leads, or [`super::NO_NODE`].
        any: u16,
        /// Where the JSON inside this text leads, or [`super::NO_NODE`].
        json: u16,
        /// Its first condition, among the edges.
        first_when: u16,
        /// How many conditions: edges whose key is the member's value.
        whens: u16,
        /// The member that the conditions compare.
        when: Text,
        /// The item whose value stands here, or [`super::NO_ITEM`].
        item: u16,
        /// What else stands here: see [`crate::path::Marks`].
        marks: u8,
        /// The declared shape of this place, for counts of what was not declared.
        shape: Text,
    }
}

record! {
    /// From one place to the next by a member's name or an item's position.
    EdgeRecord {
        /// The name, or the position in decimal.
        key: Text,
        /// Where it leads.
        to: u16,
    }
}
