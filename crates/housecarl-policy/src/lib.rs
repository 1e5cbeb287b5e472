//! The vocabulary of a product's promises, and the decision about one item of data.
//!
//! The device links this crate, the gateway runs it on every message, the checker simulates with
//! it, and an auditor can read it in one sitting. So it has no dependencies, no allocation, no
//! clock, no float and no panic: the same bytes give the same answer everywhere.
//!
//! In reading order: [`PurposeSet`] and the closed lists of [`vocabulary`]; what people and homes
//! have said ([`Standing`], [`DeviceStanding`]); the compiled manifest ([`Table`]); where in a
//! payload an item stands ([`path`]); whether it may be used ([`decide()`]); and how much of it is
//! left ([`minimise()`]).
#![no_std]
#![deny(
    clippy::arithmetic_side_effects,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::alloc_instead_of_core
)]

pub mod set;
pub mod vocabulary;
pub mod standing;
pub mod table;
pub mod path;
pub mod decide;
pub mod value;
pub mod minimise;

pub use decide::{Decision, Question, Subject, TakenBack, decide, taken_back};
pub use minimise::{Operator, Outcome, minimise};
pub use path::Matcher;
pub use set::{PurposeId, PurposeSet};
pub use standing::{DeviceStanding, Standing, Steps};
pub use table::{ItemId, StreamId, Table, TableError};
pub use value::{Decimal, Value};
pub use vocabulary::{AccessGate, Act, AgeBand, Basis, Gate, SubjectKind};
