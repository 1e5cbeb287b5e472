//! Compiles the paths of a stream into places: at every moment of a walk there is one or none.
//!
//! A place is the set of all paths that a payload could still be following there. That set is the
//! key by which places are shared, and a wildcard's paths are in the set of every named member
//! beside it, so that the walk never has to go back.

use std::collections::BTreeMap;

use housecarl_policy::path::Marks;
use housecarl_policy::table::record::{EdgeRecord, NodeRecord};
use housecarl_policy::table::{NO_ITEM, NO_NODE};

use crate::path::{Path, Segment};
use crate::problem::{ProblemKind, Problems};
use crate::span::Span;
use crate::strings::Strings;

/// One declared path and what stands at its end.
#[derive(Clone, Debug)]
pub(crate) struct Declared<'m> {
    pub(crate) path: &'m Path,
    pub(crate) span: Span,
    /// The item, by number and name.
    pub(crate) item: Option<(u16, &'m str)>,
    pub(crate) marks: u8,
}

/// How many places a table may have.
const PLACES_MAX: usize = 16_384;

/// The places and edges of all streams.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(crate) nodes: Vec<NodeRecord>,
    pub(crate) edges: Vec<EdgeRecord>,
}

/// A path and how many of its segments have been followed, sorted.
type Followed = Vec<(usize, usize)>;

struct Stream<'a, 'm> {
    declared: &'a [Declared<'m>],
    known: BTreeMap<Followed, u16>,
    /// Places whose records are still to be written.
    open: Vec<(u16, Followed, String)>,
}

impl Places {
    /// Adds the paths of one stream; returns its root.
    pub(crate) fn add(
        &mut self,
        declared: &[Declared<'_>],
        strings: &mut Strings,
        problems: &mut Problems,
    ) -> u16 {
        let mut stream = Stream { declared, known: BTreeMap::new(), open: Vec::new() };
        let root =
            self.place(&mut stream, (0..declared.len()).map(|path| (path, 0)).collect(), String::new());
        while let Some((node, followed, shape)) = stream.open.pop() {
            if self.nodes.len() > PLACES_MAX || self.edges.len() > PLACES_MAX {
                let span = declared.first().map(|declared| declared.span).unwrap_or_default();
                problems.add(ProblemKind::TooMany { what: "places in payloads", most: PLACES_MAX }, span);
                break;
            }
            let record = self.record(&mut stream, &followed, &shape, strings, problems);
            if let Some(slot) = self.nodes.get_mut(usize::from(node)) {
                *slot = record;
            }
        }
        root
    }

    fn place(&mut self, stream: &mut Stream<'_, '_>, mut followed: Followed, shape: String) -> u16 {
        followed.sort_unstable();
        followed.dedup();
        if let Some(node) = stream.known.get(&followed) {
            return *node;
        }
        let Ok(node) = u16::try_from(self.nodes.len()) else { return NO_NODE };
        if node == NO_NODE {
            return NO_NODE;
        }
        self.nodes.push(nowhere());
        stream.known.insert(followed.clone(), node);
        stream.open.push((node, followed, shape));
        node
    }

    fn record(
        &mut self,
        stream: &mut Stream<'_, '_>,
        followed: &Followed,
        shape: &str,
        strings: &mut Strings,
        problems: &mut Problems,
    ) -> NodeRecord {
        let declared = stream.declared;
        let next = |(path, at): &(usize, usize)| declared.get(*path).and_then(|d| d.path.segments().get(*at));
        let step = |wanted: &dyn Fn(&Segment) -> bool| -> Followed {
            let steps = followed.iter().filter(|at| next(at).is_some_and(wanted));
            steps.map(|(path, at)| (*path, at + 1)).collect()
        };

        // Conditions: where one holds, its paths go on together with those that ask for nothing.
        let free: Followed =
            followed.iter().filter(|at| !matches!(next(at), Some(Segment::When { .. }))).copied().collect();
        let mut whens: BTreeMap<&str, Followed> = BTreeMap::new();
        let mut member: Option<&str> = None;
        for at in followed {
            let Some(Segment::When { member: asked, value }) = next(at) else { continue };
            if *member.get_or_insert(asked) != asked.as_str() {
                let why = "conditions at one place ask for the same member";
                let span = declared.get(at.0).map(|declared| declared.span).unwrap_or_default();
                problems.add(ProblemKind::BadPath { why }, span);
                continue;
            }
            whens.entry(value).or_insert_with(|| free.clone()).push((at.0, at.1 + 1));
        }
        let whens: Vec<EdgeRecord> = whens
            .into_iter()
            .map(|(value, to)| {
                let slash = if shape.is_empty() { "/" } else { "" };
                let shape = format!("{shape}{slash}[{}={value}]", member.unwrap_or_default());
                EdgeRecord { key: strings.add(value), to: self.place(stream, to, shape) }
            })
            .collect();

        // Members by name; a wildcard's paths go on beside each of them.
        let any = step(&|segment| *segment == Segment::Any);
        let mut keys: BTreeMap<&str, Followed> = BTreeMap::new();
        for at in followed {
            if let Some(Segment::Key(key)) = next(at) {
                keys.entry(key).or_insert_with(|| any.clone()).push((at.0, at.1 + 1));
            }
        }
        let edges: Vec<EdgeRecord> = keys
            .into_iter()
            .map(|(key, to)| {
                let to = self.place(stream, to, format!("{shape}/{key}"));
                EdgeRecord { key: strings.add(key), to }
            })
            .collect();
        let any = if any.is_empty() { NO_NODE } else { self.place(stream, any, format!("{shape}/*")) };
        let json = step(&|segment| *segment == Segment::Json);
        let json =
            if json.is_empty() { NO_NODE } else { self.place(stream, json, format!("{shape}/(json)")) };

        let (item, marks) = ends(declared, followed, problems);
        if json != NO_NODE && item != NO_ITEM {
            let ending = followed.iter().filter_map(|(path, at)| {
                declared.get(*path).filter(|d| d.item.is_some() && d.path.segments().len() == *at)
            });
            let why = "another path reads this text as JSON, so the text itself cannot be an item";
            ending.for_each(|declared| problems.add(ProblemKind::BadPath { why }, declared.span));
        }
        let (first_edge, edges) = self.append(edges);
        let (first_when, whens) = self.append(whens);
        NodeRecord {
            first_edge,
            edges,
            any,
            json,
            first_when,
            whens,
            when: strings.add(member.unwrap_or_default()),
            item,
            marks,
            shape: strings.add(if shape.is_empty() { "/" } else { shape }),
        }
    }

    fn append(&mut self, edges: Vec<EdgeRecord>) -> (u16, u16) {
        let first = u16::try_from(self.edges.len()).unwrap_or(0);
        let count = u16::try_from(edges.len()).unwrap_or(0);
        self.edges.extend(edges);
        (first, count)
    }
}

/// What stands where paths end: the marks of all of them, and the item of the most exact one.
fn ends(declared: &[Declared<'_>], followed: &Followed, problems: &mut Problems) -> (u16, u8) {
    let mut ending: Vec<&Declared<'_>> = followed
        .iter()
        .filter_map(|(path, at)| declared.get(*path).filter(|d| d.path.segments().len() == *at))
        .collect();
    let marks = ending.iter().fold(0, |marks, d| marks | d.marks);
    ending.retain(|declared| declared.item.is_some());
    // A name is more exact than a wildcard, at the first step where two paths differ.
    let exactness = |d: &Declared<'_>| -> Vec<bool> {
        d.path
            .segments()
            .iter()
            .filter(|s| !matches!(s, Segment::When { .. }))
            .map(|s| *s == Segment::Any)
            .collect()
    };
    let conditions =
        |d: &Declared<'_>| d.path.segments().iter().filter(|s| matches!(s, Segment::When { .. })).count();
    ending.sort_by_key(|d| (exactness(d), std::cmp::Reverse(conditions(d))));
    let Some(most) = ending.first() else { return (NO_ITEM, marks) };
    for other in ending.iter().skip(1) {
        let same = exactness(other) == exactness(most) && conditions(other) == conditions(most);
        let twice = Marks(other.marks ^ most.marks).has(Marks::CERTAINTY);
        if (same && other.item != most.item) || twice {
            let name = |d: &Declared<'_>| d.item.map(|(_, name)| name.to_owned()).unwrap_or_default();
            let kind = ProblemKind::SamePlace { one: name(most), other: name(other) };
            problems.add_with(kind, most.span, other.span);
        }
    }
    (most.item.map_or(NO_ITEM, |(number, _)| number), marks)
}

const fn nowhere() -> NodeRecord {
    let none = housecarl_policy::table::record::Text { start: 0, len: 0 };
    NodeRecord {
        first_edge: 0,
        edges: 0,
        any: NO_NODE,
        json: NO_NODE,
        first_when: 0,
        whens: 0,
        when: none,
        item: NO_ITEM,
        marks: 0,
        shape: none,
    }
}
