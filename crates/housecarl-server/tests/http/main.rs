//! The HTTP listener over real sockets, before a real journey.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop and say where"
)]

mod client;
mod house;
mod interface;
mod permissions;
mod whole;
mod ingest;
mod products;
mod reading;
mod bad_days;
mod quota;
mod tls;
mod curl;
