//! The journey of a device's message, one module a stage, in the order of the journey.
//!
//! ```text
//! Received --decide--> Permitted --minimise--> Minimised --seal--> Sealed --store--> Stored
//! Stored --read--> Released        Stored --expire | erase--> gone
//! ```
//!
//! Each type has private fields and its one maker in the module of its stage, so that a skipped
//! stage does not compile. [`journey`] opens all of it and takes a message through; `people` is what
//! decisions are told; `keys` are what erasing destroys; `audit` is where everything done with any of it is written down. Nothing on the way prints a value: `Debug`
//! prints the type's name.

pub mod receive;
pub mod decide;
pub mod minimise;
pub mod seal;
pub mod store;
pub mod read;
pub mod expire;
pub mod erase;
pub mod audit;
pub mod journey;
pub mod product;
pub mod apply;
pub mod people;
pub mod keys;
pub mod backup;
pub mod wanted;
pub mod clean_up;
mod held;
mod kept;
mod reseal;
pub mod fence;
mod alarm;
mod reserve;
mod captured;
#[cfg(housecarl_bare)]
mod bare;
#[cfg(test)]
mod testing;

pub use decide::{Home, Past, Permitted, decide};
pub use minimise::{Left, Minimised, PseudonymKey, minimise};
pub use receive::{Received, Unreadable, receive};
