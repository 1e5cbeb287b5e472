//! The people concerned: what they have said, ready to be read.

pub mod standings;

pub use standings::{PersonId, Standings};
