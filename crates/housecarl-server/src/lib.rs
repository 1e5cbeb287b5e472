//! What reaches Housecarl from outside: listeners for devices, and what stands behind them.
//!
//! A listener knows its protocol and nothing of what becomes of a message. It asks one trait,
//! [`ingest::Gateway`], and tells the device what came of it once that is durable.

pub mod boot;
pub mod ingest;
pub mod topics;
pub mod house;
