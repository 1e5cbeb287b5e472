//! Bad days of a whole gateway: its own listeners before its own journey on a disk of its own.
//!
//! `docs/bad-days.md` is the table; what is only about a protocol is tested beside that protocol.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod devices;
mod gateway;
mod messages;
mod erasing;
mod crowd;
mod disk;
