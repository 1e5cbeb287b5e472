//! The people concerned: what they have said, ready to be read.

mod ids;
mod entry;
mod slots;
mod said;
mod belongs;
pub mod birthdays;
pub mod credentials;
pub(crate) mod register;
pub(crate) mod erasures;
pub(crate) mod homes;
pub(crate) mod horizons;
pub mod standings;

pub use ids::{DeviceId, HomeId, OperatorId, PersonId, SubjectId};
pub use register::{About, RegisterError};
pub use said::{Act, NotSayable, Put, Said};
pub use standings::Standings;
