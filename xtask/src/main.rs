//! Everything that is done to the tree, one command each: the same at home and in CI.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "talking to the terminal is what this program is for"
)]

mod bench;
mod ci;
mod fmt;
mod fuzz;
mod install;
mod mutants;
mod phase;
mod probe;
mod shell;
mod test;
mod torture;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  test                          all that a change must pass
  ci                            test, and the licences and advisories of every dependency
  fmt [--check]                 lay out every Rust file, those behind a macro too
  bench [ARGS]                  measure
  probe                         link the policy for a microcontroller and look for panics in it
  fuzz [TARGET] [--seconds N]   feed the readers random input, 20 seconds a target
  torture [--seconds N]         the long runs: oracles, ends of the gateway, withdrawals, fuzzing
  mutants [ARGS]                break the policy on purpose and see that a test notices";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = args.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match (command.as_str(), rest) {
        ("test", []) => test::run(),
        ("ci", []) => ci::run(),
        ("fmt", []) => fmt::run(fmt::Mode::Write),
        ("fmt", [check]) if check == "--check" => fmt::run(fmt::Mode::Check),
        ("bench", rest) => bench::run(rest),
        ("probe", []) => probe::run(),
        ("fuzz", rest) => fuzz::command(rest),
        ("torture", rest) => torture::run(rest),
        ("mutants", rest) => mutants::run(rest),
        _ => {
            eprintln!("`{}` is not a command here\n\n{USAGE}", args.join(" "));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}
