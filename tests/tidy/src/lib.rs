//! Tests, and nothing but tests, that the tree keeps the promises its documents make.
//!
//! A document that drifts from the code misleads exactly the newcomer it was written for, so what
//! ARCHITECTURE.md and STYLE.md state and a program can see is held here.
#![cfg(test)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot read the tree should stop and say so"
)]

mod tree;
mod crate_map;
mod arrows;
mod stages;
mod openings;
mod dependencies;
mod words;
mod guidance;
mod bad_days;
