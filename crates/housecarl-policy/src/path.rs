//! Where in a payload the declared items stand.
//!
//! A stream's paths are compiled into places and edges, so that at any moment of a walk through a
//! payload there is one place or none. What has no place was not declared and does not pass. The
//! walk is the caller's: whatever decodes JSON, CBOR or a device's own struct tells the matcher
//! when a value begins and ends.

use crate::table::record::{NodeRecord, Text};
use crate::table::{ItemId, NO_ITEM, NO_NODE, StreamId, Table};
use crate::value::Value;

/// How deep a payload may be nested, JSON inside strings included.
pub const DEPTH_MAX: usize = 32;
/// How many values a payload may hold.
pub const VALUES_MAX: u32 = 65_536;

/// What else a place is, besides the home of an item.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Marks(pub u8);

impl Marks {
    /// Each value here is a record of a batch, with its own person, time and identity.
    pub const RECORD: u8 = 1;
    /// The time of capture.
    pub const CAPTURED: u8 = 1 << 1;
    /// Part of what makes a message itself.
    pub const IDENTITY: u8 = 1 << 2;
    /// Whom the record is about.
    pub const SUBJECT: u8 = 1 << 3;
    /// Not the item itself but how certain the guess is.
    pub const CERTAINTY: u8 = 1 << 4;

    /// Whether a mark is set.
    #[must_use]
    pub const fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }
}

/// A place of the table. Its declared shape may be printed; it holds nothing of a payload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place(u16);

/// What stands where a value begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// Nothing was declared here. The innermost declared place around it is given; do not go in.
    Undeclared(Place),
    /// An object or array with declared places inside: walk it, then call [`Matcher::end`].
    Inside(Marks),
    /// A text that holds JSON: parse it, walk it as one value, then call [`Matcher::end`].
    Json(Marks),
    /// A declared value, with the item it is of.
    Leaf(Option<ItemId>, Marks),
}

/// A payload goes beyond what a message may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// Nested deeper than [`DEPTH_MAX`].
    Depth,
    /// More values than [`VALUES_MAX`].
    Values,
}

impl core::fmt::Display for Limit {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Depth => write!(f, "nested deeper than {DEPTH_MAX} levels"),
            Self::Values => write!(f, "more than {VALUES_MAX} values"),
        }
    }
}

impl core::error::Error for Limit {}

#[derive(Clone, Copy, Debug)]
struct Frame {
    /// The place of this object, array or text.
    node: u16,
    /// Where its members and items lead, as its record has it: it is asked for each of them.
    first_edge: u16,
    edges: u16,
    any: u16,
    /// The place of the member that was named last.
    member: u16,
    /// The position of the next item; `None` in an object.
    index: Option<u32>,
}

/// Follows a walk through one payload.
#[derive(Clone, Copy, Debug)]
pub struct Matcher<'a, 't> {
    table: &'a Table<'t>,
    root: u16,
    frames: [Frame; DEPTH_MAX],
    depth: usize,
    values: u32,
}

impl Frame {
    const NONE: Self =
        Self { node: NO_NODE, first_edge: 0, edges: 0, any: NO_NODE, member: NO_NODE, index: None };

    const fn of(node: u16, record: &NodeRecord) -> Self {
        Self { node, first_edge: record.first_edge, edges: record.edges, any: record.any, ..Self::NONE }
    }
}

impl<'a, 't> Matcher<'a, 't> {
    /// A walk through a payload of this stream. An unknown stream declares nothing.
    #[must_use]
    pub fn new(table: &'a Table<'t>, stream: StreamId) -> Self {
        let root = table.stream(stream).map_or(NO_NODE, |stream| stream.root);
        Self { table, root, frames: [Frame::NONE; DEPTH_MAX], depth: 0, values: 0 }
    }

    /// An object begins. `member` gives the value of one of its direct members, where that member
    /// is a text, a number or a bool: conditions such as `[type=1]` ask for it.
    ///
    /// # Errors
    /// [`Limit`] where the payload goes beyond what a message may be.
    pub fn begin_object<'v>(&mut self, member: impl Fn(&str) -> Option<Value<'v>>) -> Result<Found, Limit> {
        let (mut node, mut record) = match self.enter()? {
            Ok(found) => found,
            Err(around) => return Ok(Found::Undeclared(around)),
        };
        let mut marks = record.marks;
        // Each condition that holds leads to a place with fewer of them, so this ends.
        for _ in 0..DEPTH_MAX {
            let value = if record.whens == 0 { None } else { member(self.table.text(record.when)) };
            let mut number = Digits::default();
            let to = value
                .and_then(|value| number.text(value))
                .and_then(|value| self.search(record.first_when, record.whens, value));
            let Some(next) = to.and_then(|to| self.table.node(to).map(|next| (to, next))) else { break };
            (node, record) = next;
            marks |= record.marks;
        }
        self.push(Frame::of(node, &record))?;
        Ok(Found::Inside(Marks(marks)))
    }

    /// The next value is this member of the object.
    pub fn key(&mut self, key: &str) {
        let Some(frame) = self.top() else { return };
        let member = self.child(&frame, key);
        if let Some(top) = self.depth.checked_sub(1).and_then(|at| self.frames.get_mut(at)) {
            top.member = member;
        }
    }

    /// An array begins.
    ///
    /// # Errors
    /// [`Limit`] where the payload goes beyond what a message may be.
    pub fn begin_array(&mut self) -> Result<Found, Limit> {
        let (node, record) = match self.enter()? {
            Ok(found) => found,
            Err(around) => return Ok(Found::Undeclared(around)),
        };
        self.push(Frame { index: Some(0), ..Frame::of(node, &record) })?;
        // The marks of an array are those of its place; its items have places of their own.
        Ok(Found::Inside(Marks(record.marks)))
    }

    /// A text, number, bool or null.
    ///
    /// # Errors
    /// [`Limit`] where the payload goes beyond what a message may be.
    pub fn scalar(&mut self, is_text: bool) -> Result<Found, Limit> {
        let (node, record) = match self.enter()? {
            Ok(found) => found,
            Err(around) => return Ok(Found::Undeclared(around)),
        };
        let marks = Marks(record.marks);
        if is_text && record.json != NO_NODE {
            // One value stands inside the text: a frame whose only member leads there.
            self.push(Frame { member: record.json, ..Frame::of(node, &record) })?;
            return Ok(Found::Json(marks));
        }
        let item = (record.item != NO_ITEM).then_some(ItemId(record.item));
        if item.is_none() && record.marks == 0 {
            return Ok(Found::Undeclared(Place(node)));
        }
        Ok(Found::Leaf(item, marks))
    }

    /// What was entered ends.
    pub fn end(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// The declared shape of a place, such as `/samples/*`.
    #[must_use]
    pub fn shape(&self, place: Place) -> &'t str {
        self.table.node(place.0).map_or("", |node| self.table.text(node.shape))
    }

    /// The place of the value that begins now, or the innermost place around it.
    fn enter(&mut self) -> Result<Result<(u16, NodeRecord), Place>, Limit> {
        self.values = self.values.checked_add(1).filter(|n| *n <= VALUES_MAX).ok_or(Limit::Values)?;
        let Some(frame) = self.top() else {
            return Ok(self.table.node(self.root).map(|node| (self.root, node)).ok_or(Place(self.root)));
        };
        let node = match frame.index {
            None => frame.member,
            Some(index) => {
                if let Some(top) = self.depth.checked_sub(1).and_then(|at| self.frames.get_mut(at)) {
                    top.index = index.checked_add(1);
                }
                let mut digits = [0; 10];
                self.child(&frame, decimal(index, &mut digits))
            }
        };
        Ok(self.table.node(node).map(|record| (node, record)).ok_or(Place(frame.node)))
    }

    fn top(&self) -> Option<Frame> {
        self.depth.checked_sub(1).and_then(|at| self.frames.get(at)).copied()
    }

    fn push(&mut self, frame: Frame) -> Result<(), Limit> {
        *self.frames.get_mut(self.depth).ok_or(Limit::Depth)? = frame;
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    fn child(&self, of: &Frame, key: &str) -> u16 {
        self.search(of.first_edge, of.edges, key).unwrap_or(of.any)
    }

    /// Finds a key among edges that stand sorted.
    fn search(&self, first: u16, count: u16, key: &str) -> Option<u16> {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low.checked_add(high.checked_sub(low)? / 2)?;
            let edge = self.table.edge(first.checked_add(middle)?)?;
            match self.key_of(edge.key).cmp(key) {
                core::cmp::Ordering::Equal => return Some(edge.to),
                core::cmp::Ordering::Less => low = middle.checked_add(1)?,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    fn key_of(&self, text: Text) -> &'t str {
        self.table.text(text)
    }
}

/// Room for the longest number, so that a condition can compare it as text.
struct Digits {
    bytes: [u8; 48],
    len: usize,
}

impl Default for Digits {
    fn default() -> Self {
        Self { bytes: [0; 48], len: 0 }
    }
}

impl Digits {
    fn text<'a>(&'a mut self, value: Value<'a>) -> Option<&'a str> {
        match value {
            Value::Null => None,
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Text(text) => Some(text),
            Value::Number(number) => {
                core::fmt::Write::write_fmt(self, format_args!("{number}")).ok()?;
                self.bytes.get(..self.len).and_then(|bytes| core::str::from_utf8(bytes).ok())
            }
        }
    }
}

impl core::fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let free = self.bytes.get_mut(self.len..).and_then(|free| free.get_mut(..text.len()));
        for (to, from) in free.ok_or(core::fmt::Error)?.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        self.len = self.len.saturating_add(text.len());
        Ok(())
    }
}

/// The digits of a position.
fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &str {
    let mut start = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0'.saturating_add(u8::try_from(number % 10).unwrap_or(0));
        start = at;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    digits.get(start..).and_then(|digits| core::str::from_utf8(digits).ok()).unwrap_or_default()
}
