//! Random histories from fixed seeds.
//!
//! `SIMULATION_SEED=17` carries out that one history, shortens it where it fails and prints it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly, and says what happened"
)]

use housecarl_journey::journey::Stored;
use housecarl_simulation::coverage::Coverage;
use housecarl_simulation::ops::{Op, history};
use housecarl_simulation::shrink::shrink;
use housecarl_simulation::world::{How, run};

/// How many operations follow those that furnish the homes.
const LENGTH: usize = 300;
/// How many operations are carried out, in memory and on the disk.
const OPERATIONS: (usize, usize) = (12_000, 3_000);
const OPERATIONS_OF_TORTURE: (usize, usize) = (900_000, 100_000);
const THREADS: u64 = 2;
/// So many histories of a thread may fail before it gives up.
const FAULTS_MAX: usize = 3;

#[expect(clippy::disallowed_methods, reason = "the one place here that reads the environment")]
fn operations() -> (usize, usize) {
    match std::env::var_os("HOUSECARL_TORTURE") {
        Some(set) if set == "1" => OPERATIONS_OF_TORTURE,
        _ => OPERATIONS,
    }
}

/// Carries out histories until there were so many operations or so many faults, each thread every
/// other seed.
fn carry_out(stored: Stored, first_seed: u64, operations: usize) -> (Coverage, Vec<String>) {
    let how = How { stored, thorough: false };
    let each = |thread: u64| {
        let (mut coverage, mut faults) = (Coverage::default(), Vec::new());
        let (mut done, mut seed) = (0, first_seed + thread);
        while done < operations.div_ceil(2) && faults.len() < FAULTS_MAX {
            let ops = history(seed, LENGTH);
            if let Err((_, fault)) = run(&ops, how, &mut coverage) {
                faults.push(told(seed, &ops, how, &fault));
            }
            done += ops.len();
            seed += THREADS;
        }
        (coverage, faults)
    };
    let (mut coverage, mut faults) = (Coverage::default(), Vec::new());
    std::thread::scope(|threads| {
        let threads: Vec<_> = (0..THREADS).map(|thread| threads.spawn(move || each(thread))).collect();
        for thread in threads {
            let (counted, found) = thread.join().unwrap();
            coverage.add(&counted);
            faults.extend(found);
        }
    });
    (coverage, faults)
}

fn told(seed: u64, ops: &[Op], how: How, fault: &str) -> String {
    match shrink(ops, how) {
        Some(failing) => {
            let listed: Vec<String> = failing.ops.iter().map(|op| format!("    Op::{op:?},")).collect();
            format!(
                "seed {seed}, {:?}: {fault}\nshortened: {}\n{}",
                how.stored,
                failing.fault,
                listed.join("\n")
            )
        }
        None => {
            format!("seed {seed}, {:?}: {fault} (not where everything is compared each time)", how.stored)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "what somebody who looks for a fault asks for by hand")]
#[test]
#[ignore = "for one seed by hand"]
fn one_seed() {
    let seed = std::env::var("SIMULATION_SEED").unwrap().parse().unwrap();
    let how = How { stored: Stored::InMemory, thorough: true };
    let ops = history(seed, LENGTH);
    if let Err((_, fault)) = run(&ops, how, &mut Coverage::default()) {
        panic!("{}", told(seed, &ops, how, &fault));
    }
}

#[test]
fn the_journey_is_what_the_model_says_after_every_history() {
    let (in_memory, on_disk) = operations();
    let (mut coverage, mut faults) = carry_out(Stored::InMemory, 0, in_memory);
    if faults.is_empty() {
        let (counted, found) = carry_out(Stored::OnDisk, 1_000_000, on_disk);
        coverage.add(&counted);
        faults.extend(found);
    }
    println!("{coverage}");
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(coverage.missing().is_empty(), "never happened: {:?}", coverage.missing());
}
