//! `cargo xtask bench`: the measurements.

use crate::install;
use crate::shell::{self, Done, cargo};

/// The parts that `tests/load` measures; the others are those of `tests/bench`.
const LOAD: &[&str] = &["ingest", "idle", "read", "erase", "log", "start"];

/// A broker to compare with.
const MOSQUITTO: &str = "mosquitto";

pub(crate) fn run(args: &[String]) -> Done {
    let (load, rest): (Vec<&String>, Vec<&String>) =
        args.iter().partition(|part| LOAD.contains(&part.as_str()));
    if args.is_empty() || !rest.is_empty() {
        // One of the measurements runs the program that is shipped.
        shell::run(&mut cargo(&["build", "--release", "-p", "housecarl"]))?;
        shell::run(cargo(&["run", "--release", "-p", "housecarl-bench", "--"]).args(rest))?;
    }
    if args.is_empty() || !load.is_empty() {
        if !std::path::Path::new("/usr/sbin/mosquitto").exists()
            && let Err(why) = install::packages(&[MOSQUITTO])
        {
            println!("{MOSQUITTO} could not be installed: {why}");
        }
        // The same path without what protects people, in a folder of its own: every crate is built anew.
        let bare = ["build", "--release", "-p", "housecarl-load", "--target-dir", "target/bare"];
        shell::run(cargo(&bare).env("RUSTFLAGS", "--cfg housecarl_bare"))?;
        shell::run(cargo(&["run", "--release", "-p", "housecarl-load", "--"]).args(load))?;
    }
    Ok(())
}
