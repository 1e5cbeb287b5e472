//! `housecarl serve` and the commands that ask it, each a process of its own, as somebody who runs a gateway has
//! them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail loudly, and waits for processes"
)]

mod gateway;
mod commands;
mod products;
mod signals;
mod unit_file;
