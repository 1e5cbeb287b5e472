//! What reaches Housecarl from outside: devices by MQTT ([`ingest`]); devices, consumers and operators
//! by HTTP ([`api`]); and what stands behind the listeners.
//!
//! A listener knows its protocol and nothing of what becomes of a message. It asks, and tells the
//! device what came of it once that is durable.

pub mod boot;
pub mod ingest;
pub mod api;
pub mod ask;
pub mod topics;
pub mod house;
pub mod hex;
