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
        "ends",
        "it says after which of the fixed seeds; what was drawn for it is in `crates/housecarl/tests/endures`",
        || long(&["-p", "housecarl", "--test", "endures"]),
    )?;
    phases.run(
        "withdrawal",
        "it says what followed after a withdrawal had returned; the fence is in `fence.rs` of the journey",
        || long(&["-p", "housecarl-server", "--test", "withdrawal"]),
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

/// A test that is short in `test` and long here, one after the other, so that what it measures is its own.
fn long(which: &[&str]) -> Done {
    let mut test = cargo(&["test", "--release"]);
    test.args(which).args(["--", "--nocapture", "--test-threads", "1"]);
    shell::run(test.env("HOUSECARL_TORTURE", "1"))
}
