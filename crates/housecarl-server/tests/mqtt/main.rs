//! The MQTT listener over real sockets.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop and say where"
)]

mod notation;
mod house;
mod statements_3;
mod statements_5;
mod conformance;
mod answers;
mod policy;
mod bad_days;
mod tls;
mod idle;
mod clients;
