//! A long command in phases: each is named, timed, and ends the run when it fails.

use std::time::{Duration, Instant};

/// The phases of one run, in the order they ran.
pub(crate) struct Phases {
    rows: Vec<(&'static str, Duration, bool)>,
}

impl Phases {
    pub(crate) fn begin() -> Self {
        Self { rows: Vec::new() }
    }

    /// Runs one phase. `remedy` is told to the reader when it fails.
    #[expect(clippy::disallowed_methods, reason = "the clock of this program, which measures itself")]
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        remedy: &str,
        work: impl FnOnce() -> Result<T, String>,
    ) -> Result<T, String> {
        println!("\n== {name}");
        let begun = Instant::now();
        let outcome = work();
        let took = begun.elapsed();
        println!("-- {name}: {:.1} s", took.as_secs_f64());
        self.rows.push((name, took, outcome.is_ok()));
        outcome.map_err(|why| format!("{name} failed: {why}\n  what to do: {remedy}"))
    }

    /// Phase, seconds, result.
    pub(crate) fn print_table(&self) {
        println!("\n{:<12}{:>9}  result", "phase", "seconds");
        for (name, took, passed) in &self.rows {
            let result = if *passed { "passed" } else { "FAILED" };
            println!("{name:<12}{:>9.1}  {result}", took.as_secs_f64());
        }
    }
}
