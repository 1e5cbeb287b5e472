//! `cargo xtask test`: all that a change must pass, cheapest first.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::phase::Phases;
use crate::shell::{Done, cargo};
use crate::{fmt, fuzz, install, probe, shell};

pub(crate) fn run() -> Done {
    run_and(|_| Ok(()))
}

/// All of `test`, then `more`, then the table and the closing line.
pub(crate) fn run_and(more: impl FnOnce(&mut Phases) -> Done) -> Done {
    let mut phases = Phases::begin();
    let mut tests = Tests::default();
    let outcome = phases_of_test(&mut phases, &mut tests).and_then(|()| more(&mut phases));
    if let Err(why) = &outcome {
        eprintln!("\nerror: {why}");
        // A run that stopped elsewhere must not close on "0 failed".
        tests.failed = tests.failed.max(1);
    }
    phases.print_table();
    println!("\n{} passed, {} failed", tests.passed, tests.failed);
    if outcome.is_err() {
        // All is said, and nothing may follow the closing line.
        std::process::exit(1);
    }
    Ok(())
}

fn phases_of_test(phases: &mut Phases, tests: &mut Tests) -> Done {
    phases.run("install", "install what is named above, then run this again", install::for_tests)?;
    phases.run("fmt", "run `cargo xtask fmt`", || fmt::run(fmt::Mode::Check))?;
    // As the tests will be run: built any other way, all of it would be built twice.
    phases.run("build", "mend what the compiler names", || {
        shell::run(&mut cargo(&["test", "--workspace", "--all-targets", "--no-run"]))
    })?;
    phases.run(
        "clippy",
        "mend it, or write `#[expect(…, reason = \"…\")]` where the lint is wrong",
        || {
            let args = ["clippy", "--workspace", "--all-targets"];
            shell::run(cargo(&args).args(["--", "-D", "warnings"]))
        },
    )?;
    phases.run(
        "tests",
        "the failures are listed above; `cargo test -p <crate> <name>` runs one alone",
        || tests.count(&mut cargo(&["test", "--workspace", "--no-fail-fast"])),
    )?;
    phases.run("docs", "mend the links and the comments rustdoc names", || {
        let args = ["doc", "--no-deps", "--workspace"];
        shell::run(cargo(&args).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    phases.run(
        "probe",
        "where it says that the policy can panic, `llvm-objdump -d` on the image shows who calls it",
        probe::run,
    )?;
    phases.run(
        "fuzz",
        "the input that broke it is named above; keep it as a seed and mend the reader",
        || fuzz::run(None, fuzz::SECONDS_IN_TEST),
    )
}

/// What cargo's tests came to.
#[derive(Default)]
struct Tests {
    passed: u64,
    failed: u64,
}

impl Tests {
    /// Runs cargo with its output passed through, adding up its `test result:` lines.
    fn count(&mut self, cargo: &mut Command) -> Done {
        let mut child =
            cargo.stdout(Stdio::piped()).spawn().map_err(|e| format!("could not start cargo: {e}"))?;
        if let Some(stdout) = child.stdout.take() {
            // Bytes, not text: a test may print anything.
            for line in BufReader::new(stdout).split(b'\n') {
                let line = line.map_err(|e| format!("could not read from cargo: {e}"))?;
                let line = String::from_utf8_lossy(&line);
                println!("{line}");
                self.add(&line);
            }
        }
        let status = child.wait().map_err(|e| format!("lost cargo: {e}"))?;
        if !status.success() {
            return Err(format!("{} tests failed ({status})", self.failed));
        }
        if self.passed == 0 {
            return Err("no test ran".to_owned());
        }
        Ok(())
    }

    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let words: Vec<&str> = result.split([' ', ';']).collect();
        for pair in words.windows(2) {
            let [number, what] = pair else { continue };
            let number = number.parse().unwrap_or(0);
            match *what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tests;

    #[test]
    fn result_lines_add_up() {
        let mut tests = Tests::default();
        tests.add("running 3 tests");
        tests.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        tests.add("test result: FAILED. 20 passed; 2 failed; 0 ignored; 0 measured");
        tests.add("a test printed 7 passed");
        assert_eq!((tests.passed, tests.failed), (23, 2));
    }
}
