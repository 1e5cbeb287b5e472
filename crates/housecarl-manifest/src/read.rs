//! From TOML to types: one declaration gives a record its fields, its reader and its JSON Schema.
//!
//! Reading goes on after a problem, so that a maker sees all of them at once. A required key that
//! is missing is a problem, and the field is then absent like any other.

use serde_json::{Value as Json, json};
use toml::de::DeValue;

use crate::problem::{ProblemKind, Problems, did_you_mean};
use crate::span::{Field, List, Map, Named, Span, Spanned};

/// A TOML value with its span.
pub(crate) type Node<'i> = toml::Spanned<DeValue<'i>>;

/// A type that a TOML value can be read as.
pub(crate) trait Read: Sized {
    /// What a message calls it.
    const EXPECTED: &'static str;
    /// Reads it, or adds a problem.
    fn read(node: &toml::Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Self>;
    /// Its JSON Schema.
    fn schema() -> Json;
}

/// The kinds of field that a record has.
pub(crate) trait ReadField: Sized {
    fn absent() -> Self;
    fn read_field(node: &Node<'_>, problems: &mut Problems) -> Self;
    fn field_schema() -> Json;
}

pub(crate) fn span(node: &Node<'_>) -> Span {
    node.span().into()
}

pub(crate) fn wrong_type<T: Read>(node: &Node<'_>, problems: &mut Problems) -> Option<T> {
    let found = node.get_ref().type_str();
    problems.add(ProblemKind::WrongType { expected: T::EXPECTED, found }, span(node));
    None
}

fn spanned<T: Read>(node: &Node<'_>, problems: &mut Problems) -> Option<Spanned<T>> {
    T::read(node, problems).map(|value| Spanned { value, span: span(node) })
}

impl<T: Read> ReadField for Field<T> {
    fn absent() -> Self {
        None
    }
    fn read_field(node: &Node<'_>, problems: &mut Problems) -> Self {
        spanned(node, problems)
    }
    fn field_schema() -> Json {
        T::schema()
    }
}

impl<T: Read> ReadField for List<T> {
    fn absent() -> Self {
        Self::new()
    }
    /// One value stands for a list of one.
    fn read_field(node: &Node<'_>, problems: &mut Problems) -> Self {
        match node.get_ref() {
            DeValue::Array(nodes) => nodes.iter().filter_map(|node| spanned(node, problems)).collect(),
            _ => spanned(node, problems).into_iter().collect(),
        }
    }
    fn field_schema() -> Json {
        let one = T::schema();
        json!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

impl<T: Read> ReadField for Map<T> {
    fn absent() -> Self {
        Self::new()
    }
    fn read_field(node: &Node<'_>, problems: &mut Problems) -> Self {
        let DeValue::Table(table) = node.get_ref() else {
            let found = node.get_ref().type_str();
            problems.add(ProblemKind::WrongType { expected: "a table of names", found }, span(node));
            return Self::new();
        };
        let mut map: Self = table
            .iter()
            .filter_map(|(key, node)| {
                let name = Spanned { value: key.get_ref().to_string(), span: key.span().into() };
                if !is_name(&name) {
                    problems.add(ProblemKind::BadForm { what: "a name", expected: NAME_FORM }, name.span);
                }
                T::read(node, problems).map(|value| Named { name, value, span: span(node) })
            })
            .collect();
        map.sort_by_key(|entry| entry.name.span);
        map
    }
    fn field_schema() -> Json {
        json!({ "type": "object", "propertyNames": { "pattern": NAME_PATTERN }, "additionalProperties": T::schema() })
    }
}

pub(crate) const NAME_FORM: &str = "small letters, digits and single hyphens, such as `heart-rate`";
const NAME_PATTERN: &str = "^[a-z0-9]+(-[a-z0-9]+)*$";

fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

/// Keys that a table has and its record does not.
pub(crate) fn unknown_keys(node: &Node<'_>, known: &'static [&'static str], problems: &mut Problems) {
    if let DeValue::Table(table) = node.get_ref() {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let word = key.get_ref().to_string();
            let meant = did_you_mean(&word, known.iter().copied());
            problems.add(ProblemKind::UnknownKey { key: word, meant, known }, key.span().into());
        }
    }
}

pub(crate) fn member<F: ReadField>(
    node: &Node<'_>,
    key: &'static str,
    required: Option<&str>,
    problems: &mut Problems,
) -> F {
    let DeValue::Table(table) = node.get_ref() else { return F::absent() };
    match table.get(key) {
        Some(value) => F::read_field(value, problems),
        None => {
            if let Some(about) = required {
                problems.add(ProblemKind::Missing { key, about: about.to_owned() }, header(node));
            }
            F::absent()
        }
    }
}

/// Where a table begins: enough to point at when something is missing from it.
fn header(node: &Node<'_>) -> Span {
    span(node)
}

/// The first sentence of a doc comment, for messages and editors.
pub(crate) fn first_sentence(doc: &str) -> String {
    let doc = doc.trim();
    let end = doc.find(". ").map_or(doc.len(), |at| at + 1);
    doc.get(..end).unwrap_or(doc).trim_end_matches('.').to_owned()
}

/// Defines records of the manifest: `required` and `optional` fields with their docs.
macro_rules! record {
    ($(
        $(#[doc = $doc:expr])*
        $name:ident {
            $( $(#[doc = $fdoc:expr])* $need:ident $field:ident $(= $key:literal)?: $ty:ty, )+
        }
    )+) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct $name { $( $(#[doc = $fdoc])* pub $field: $ty, )+ }

        impl $name {
            /// One of which nothing is known.
            #[must_use]
            pub fn empty() -> Self {
                Self { $( $field: $crate::read::ReadField::absent(), )+ }
            }
        }

        impl $crate::read::Read for $name {
            const EXPECTED: &'static str = "a table";

            fn read(
                node: &toml::Spanned<toml::de::DeValue<'_>>,
                problems: &mut $crate::problem::Problems,
            ) -> Option<Self> {
                const KEYS: &[&str] = &[$( record!(@key $field $($key)?), )+];
                if !node.get_ref().is_table() {
                    return $crate::read::wrong_type(node, problems);
                }
                $crate::read::unknown_keys(node, KEYS, problems);
                Some(Self { $(
                    $field: {
                        let about = record!(@need $need concat!($($fdoc,)*));
                        $crate::read::member(node, record!(@key $field $($key)?), about.as_deref(), problems)
                    },
                )+ })
            }

            fn schema() -> serde_json::Value {
                let mut properties = serde_json::Map::new();
                let mut required: Vec<&str> = Vec::new();
                $(
                    let key = record!(@key $field $($key)?);
                    let mut schema = <$ty as $crate::read::ReadField>::field_schema();
                    if let Some(schema) = schema.as_object_mut() {
                        let doc = concat!($($fdoc,)*).trim();
                        schema.insert("description".to_owned(), doc.into());
                    }
                    properties.insert(key.to_owned(), schema);
                    if record!(@need $need "").is_some() {
                        required.push(key);
                    }
                )+
                serde_json::json!({
                    "type": "object",
                    "properties": properties,
                    "required": required,
                    "additionalProperties": false,
                })
            }
        }
    )+};
    (@key $field:ident $key:literal) => { $key };
    (@key $field:ident) => { stringify!($field) };
    (@need required $doc:expr) => { Some($crate::read::first_sentence($doc)) };
    (@need optional $doc:expr) => { None::<String> };
}
pub(crate) use record;

/// Defines a closed list of words, each with its meaning.
macro_rules! words {
    ($(
        $(#[doc = $doc:expr])*
        $name:ident { $( $(#[doc = $vdoc:expr])* $variant:ident = $word:literal, )+ }
    )+) => {$(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $( $(#[doc = $vdoc])* $variant, )+ }

        impl $name {
            /// Every word of the list.
            pub const EVERY: &'static [Self] = &[$(Self::$variant,)+];

            /// The word as a manifest writes it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What the word means.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($vdoc,)*).trim(),)+ }
            }
        }

        impl $crate::read::Read for $name {
            const EXPECTED: &'static str = "a word";

            fn read(
                node: &toml::Spanned<toml::de::DeValue<'_>>,
                problems: &mut $crate::problem::Problems,
            ) -> Option<Self> {
                let Some(word) = node.get_ref().as_str() else {
                    return $crate::read::wrong_type(node, problems);
                };
                let found = Self::EVERY.iter().copied().find(|known| known.word() == word);
                if found.is_none() {
                    let known: Vec<&'static str> = Self::EVERY.iter().map(|known| known.word()).collect();
                    let meant = $crate::problem::did_you_mean(word, known.iter().copied());
                    let kind = $crate::problem::ProblemKind::UnknownWord { word: word.to_owned(), meant, known };
                    problems.add(kind, node.span().into());
                }
                found
            }

            fn schema() -> serde_json::Value {
                let words: Vec<_> = Self::EVERY
                    .iter()
                    .map(|known| serde_json::json!({ "const": known.word(), "description": known.meaning() }))
                    .collect();
                serde_json::json!({ "oneOf": words })
            }
        }
    )+};
}
pub(crate) use words;
