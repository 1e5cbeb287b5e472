//! `cargo xtask bench`: the measurements.

use crate::shell::{self, Done, cargo};

pub(crate) fn run(args: &[String]) -> Done {
    // One of the measurements runs the program that is shipped.
    shell::run(&mut cargo(&["build", "--release", "-p", "housecarl"]))?;
    shell::run(cargo(&["run", "--release", "-p", "housecarl-bench", "--"]).args(args))
}
