//! `cargo xtask torture`: what takes too long for every change.

use crate::phase::Phases;
use crate::shell::{self, Done, cargo};
use crate::{fuzz, install};

const FUZZ_SECONDS: u32 = 600;

pub(crate) fn run(args: &[String]) -> Done {
    let (target, seconds) = fuzz::arguments(args, FUZZ_SECONDS)?;
    let mut phases = Phases::begin();
    let outcome = all(&mut phases, target, seconds);
    phases.print_table();
    outcome
}

fn all(phases: &mut Phases, target: Option<&str>, seconds: u32) -> Done {
    phases.run("install", "install what is named above, then run this again", install::for_tests)?;
    phases.run(
        "oracles",
        "the case that disagreed is printed above; make it a test by name before mending it",
        || {
            // The table of gates is what a reader wants to see, also where all is well.
            let args = ["test", "--release", "-p", "housecarl-oracle", "--", "--nocapture"];
            shell::run(cargo(&args).env("HOUSECARL_TORTURE", "1"))
        },
    )?;
    phases.run(
        "histories",
        "the shortened history is printed above; tell its story in a test by name before mending it",
        || {
            let args = ["test", "--release", "-p", "housecarl-simulation", "--", "--nocapture"];
            shell::run(cargo(&args).env("HOUSECARL_TORTURE", "1"))
        },
    )?;
    phases.run(
        "fuzz",
        "the input that broke it is named above; keep it as a seed and mend the reader",
        || fuzz::run(target, seconds),
    )
}
