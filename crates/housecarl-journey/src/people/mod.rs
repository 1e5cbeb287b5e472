//! The people concerned: what they have said, ready to be read.

mod ids;
mod entry;
mod slots;
pub mod standings;

pub use ids::{DeviceId, HomeId, PersonId, SubjectId};
pub use standings::Standings;
