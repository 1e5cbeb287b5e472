//! The people concerned: what they have said, ready to be read.

mod entry;
mod slots;
pub mod standings;

pub use standings::{PersonId, Standings};
