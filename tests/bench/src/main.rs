//! What a decision, a person, a manifest and a message cost, beside what others make of the same.
//!
//! It prints and never judges: a time says as much about the machine and the hour as about the
//! program, and a test that fails on one would be switched off. Ratios within one run hold better.
//!
//! `cargo xtask bench` runs all of it; names of parts after it (`decision`, `memory`, `manifest`,
//! `message`) run those alone. In reading order: [`product`] and [`people`] are made up, [`cedar`] and
//! [`rego`] are the peers, and each part is a module. The whole gateway is measured by `tests/load`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement may fail loudly"
)]
#![expect(clippy::print_stdout, reason = "what it measures is what it prints")]

mod product;
mod people;
mod cedar;
mod rego;
mod decision;
mod memory;
mod manifest;
mod message;

use housecarl_measure::machine;

const PARTS: [(&str, fn()); 4] = [
    ("memory", memory::run),
    ("manifest", manifest::run),
    ("message", message::run),
    ("decision", decision::run),
];

fn main() -> std::process::ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let [memory::CHILD, people, purposes] = wanted.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        memory::fill(people, purposes);
        return std::process::ExitCode::SUCCESS;
    }
    let names = PARTS.map(|(name, _)| name);
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        println!("there is no part `{unknown}`; there are: {}", names.join(", "));
        return std::process::ExitCode::from(2);
    }
    println!("{} cores, {}; load {} at the start", machine::cores(), machine::processor(), machine::load());
    println!("one thread; figures are medians of interleaved rounds, ratios medians of the rounds' ratios");
    for (name, run) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            run();
        }
    }
    println!("\nload {} at the end", machine::load());
    std::process::ExitCode::SUCCESS
}
