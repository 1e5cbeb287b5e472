//! What the whole gateway reaches: its rates, what privacy costs of them, its memory and its waits.
//!
//! Each part prints what it measured, the bound, and whether that is met. As everywhere here, what is
//! compared takes turns, ratios are taken within a round, and medians are told: an absolute time says
//! as much about the machine and the hour as about the program.
//!
//! `cargo xtask bench` runs all of it after the parts of `tests/bench`; names of parts run those alone.
//! In reading order: [`gateway`] is the program under test, [`house`] who lives there, [`publisher`]
//! the devices, [`broker`] the peer, and each part is a module.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement may fail loudly"
)]
#![expect(clippy::print_stdout, reason = "what it measures is what it prints")]

mod gateway;
mod house;
mod publisher;
mod broker;
mod ingest;
mod idle;
mod reading;
mod erasing;
mod log;
mod start;

use std::process::ExitCode;

use housecarl_measure::machine;

/// As the program that is shipped.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PARTS: [(&str, fn()); 6] = [
    ("ingest", ingest::run),
    ("idle", idle::run),
    ("read", reading::run),
    ("erase", erasing::run),
    ("log", log::run),
    ("start", start::run),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let [gateway::CHILD, folder, devices, homes] =
        wanted.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        gateway::run(folder.as_ref(), devices.parse().unwrap(), homes);
        return ExitCode::SUCCESS;
    }
    let names = PARTS.map(|(name, _)| name);
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        println!("there is no part `{unknown}`; there are: {}", names.join(", "));
        return ExitCode::from(2);
    }
    println!("{} cores, {}; load {} at the start", machine::cores(), machine::processor(), machine::load());
    for (name, run) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            run();
        }
    }
    println!("\nload {} at the end", machine::load());
    ExitCode::SUCCESS
}
