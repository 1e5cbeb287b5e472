//! The log against itself, against an obvious reference, against what others published, and
//! against verifiers that others wrote.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop and say where"
)]

mod log;
mod entry;
mod tree;
mod published;
mod peers;
mod tampering;
mod program;
mod document;
