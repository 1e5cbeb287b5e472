//! What reaches Housecarl from outside: devices by MQTT ([`ingest`]), and devices, consumers and
//! operators by HTTP ([`api`]).
//!
//! A listener knows its protocol and nothing of what becomes of a message. It asks, and tells the
//! device what came of it once that is durable.

pub mod ingest;
pub mod api;
