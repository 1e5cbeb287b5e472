//! `cargo xtask ci`: all of `test`, and a look at the dependencies.

use crate::shell::{self, Done, answers, cargo};
use crate::test;

pub(crate) fn run() -> Done {
    test::run_and(|phases| {
        phases.run("deny", "drop the dependency, or argue an exception in deny.toml", deny)
    })
}

fn deny() -> Done {
    if !answers("cargo", &["deny", "--version"]) {
        println!("NOT RUN: without cargo-deny nobody looks at licences or advisories");
        println!("         (cargo install cargo-deny --locked)");
        return Ok(());
    }
    shell::run(&mut cargo(&["deny", "check", "bans", "licenses", "sources"]))?;
    // Being offline is not a finding.
    if !answers("cargo", &["deny", "fetch", "db"]) {
        println!("NOT RUN: the database of advisories is out of reach");
        return Ok(());
    }
    shell::run(&mut cargo(&["deny", "check", "--disable-fetch", "advisories"]))
}
