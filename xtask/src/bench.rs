//! `cargo xtask bench`: the measurements.

use crate::shell::{self, Done, cargo};

pub(crate) fn run(args: &[String]) -> Done {
    shell::run(cargo(&["run", "--release", "-p", "housecarl-bench", "--"]).args(args))
}
