//! Whole histories of made-up homes, held against a plain model of what may be seen.
//!
//! A history is a list of operations from a seed: people and devices come, choices are made, messages
//! come once, twice, late or from clocks that are wrong, things are erased, the clock is set, the gateway
//! starts again. It is carried out by the journey and by the model, which shares no code with it, and
//! after each few operations what can be seen from outside has to be what the model says: what each
//! purpose reads of whom, how many parts are held, what each message became, what each erasure removed,
//! what each device is wanted to send. The laws of the decision are asked of what was read under their own names.
//!
//! In reading order: [`products`] is what is simulated, [`moments`] and [`message`] make payloads up
//! and read them the slow way, [`mod@leave`] is what operators leave, [`model`] what should be, [`ops`]
//! what can happen, [`world`] carries it out and compares, [`laws`] are asked there, [`coverage`] counts, and
//! [`shrink`] shortens what failed.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail loudly")]

pub mod products;
pub mod moments;
pub mod message;
pub mod leave;
pub mod model;
pub mod ops;
pub mod laws;
pub mod coverage;
pub mod world;
mod said;
mod look;
pub mod shrink;
