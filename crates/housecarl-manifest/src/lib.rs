//! Reads a privacy manifest: TOML to a typed manifest with spans, and on to a policy table.
//!
//! Reading never fails outright: what comes back is a manifest *and* a list of problems, each with
//! its span. The checker gives problems their words; this crate has none.
//!
//! In reading order: [`model`] is the manifest in types, [`words`] and [`scalar`] its values,
//! [`mod@path`] how it points into payloads. [`read()`] reads it, [`compile()`] makes the table,
//! [`ordinals`] keeps the numbers, [`diff`] says what a new version changes for people.

pub mod model;
pub mod words;
pub mod scalar;
pub mod path;
pub mod span;
pub mod problem;
mod read;
mod names;
pub use names::HOUSEHOLD;
pub mod ordinals;
mod strings;
mod places;
pub mod compile;
pub mod fingerprint;
pub mod diff;
mod schema;

pub use compile::{Compiled, compile};
pub use model::Manifest;
pub use ordinals::Ordinals;
pub use schema::schema;

use problem::{Problem, ProblemKind, Problems};
use read::Read as _;
use span::Spanned;

/// The version of the manifest format that this crate reads.
pub const FORMAT: i64 = 1;
/// The name of a manifest's file.
pub const MANIFEST_FILE: &str = "privacy.toml";

/// A manifest as far as it could be read, and what is wrong with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// The manifest. What could not be read is absent from it.
    pub manifest: Manifest,
    /// What is wrong with it as a file, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Reads a manifest.
#[must_use]
pub fn read(text: &str) -> Reading {
    let mut problems = Problems::default();
    let (table, errors) = toml::de::DeTable::parse_recoverable(text);
    let broken = !errors.is_empty();
    for error in errors {
        let span = error.span().map(Into::into).unwrap_or_default();
        problems.add(ProblemKind::Syntax { message: error.message().to_owned() }, span);
    }
    // The whole file stands for the root table, and what it lacks is said at its first line.
    let root = toml::Spanned::new(0..0, toml::de::DeValue::Table(table.into_inner()));
    let mut found = Problems::default();
    let manifest = Manifest::read(&root, &mut found).unwrap_or_else(Manifest::empty);
    names::check(&manifest, &mut found);
    if let Some(Spanned { value: version, span }) = &manifest.manifest
        && *version != FORMAT
    {
        found.add(ProblemKind::UnknownVersion { found: *version }, *span);
    }
    if broken {
        // After a broken line much else looks missing; the broken line is what helps.
        let kept = found
            .into_sorted()
            .into_iter()
            .filter(|problem| !matches!(problem.kind, ProblemKind::Missing { .. }));
        kept.for_each(|problem| problems.push(problem));
    } else {
        found.into_sorted().into_iter().for_each(|problem| problems.push(problem));
    }
    Reading { manifest, problems: problems.into_sorted() }
}
