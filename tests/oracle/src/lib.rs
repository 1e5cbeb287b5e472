//! Two oracles for the decision, written apart from it, and the laws it has to keep.
//!
//! A decision about people cannot be checked against itself. So the same made-up homes are put to
//! three judges: the compiled table, a slow reference over the typed manifest, and Cedar policies
//! written from the same manifest. Whatever they do not agree on is a fault in one of them.
//!
//! In reading order: [`dice`] makes everything repeatable, [`facts`] is what people said in plain
//! names, [`reading`] what a manifest says of a purpose, [`generate`] makes products and
//! questions, [`mod@reference`] and [`cedar`] are the oracles, [`gates`] counts what decided.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

pub mod dice;
pub mod facts;
pub mod reading;
pub mod generate;
pub mod reference;
pub mod cedar;
pub mod gates;
pub mod trial;
