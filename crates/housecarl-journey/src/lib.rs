//! The journey of a device's message, one module a stage, in the order of the journey.
//!
//! ```text
//! Received --decide--> Permitted --minimise--> Minimised --seal--> Sealed --store--> Stored
//! ```
//!
//! Each type has private fields and its one maker in the module of its stage, so that a skipped
//! stage does not compile. `people` is what decisions are told. Nothing on the way prints a value: `Debug` prints the type's name.

pub mod receive;
pub mod decide;
pub mod minimise;
pub mod seal;
pub mod store;
pub mod keys;
pub mod people;
#[cfg(test)]
mod testing;

pub use decide::{Home, Permitted, decide};
pub use minimise::{Left, Minimised, PseudonymKey, minimise};
pub use receive::{Received, Unreadable, receive};
