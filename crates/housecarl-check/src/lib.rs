//! Holds a product against the guidance: what does not meet which statement, where in the
//! manifest, why, who has to act, and how to mend it.
//!
//! A rule sees the manifest only, and its findings are values. In reading order: [`diagnostic`]
//! is a finding, [`rule`] the shape of a rule, [`facts`] what several rules ask of a product,
//! [`rules`] the catalogue, [`problems`] the words for what is wrong with a manifest as a file,
//! [`check()`] runs all of it, [`explain`] says what a rule is about, [`render`] prints findings.

pub mod diagnostic;
pub mod rule;
pub mod facts;
pub mod rules;
pub mod problems;
mod check;
pub mod explain;
pub mod render;

pub use check::{Report, check};
pub use diagnostic::{Diagnostic, Level};
