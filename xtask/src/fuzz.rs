//! `cargo xtask fuzz`: random input for everything that reads what strangers write.
//!
//! libFuzzer on a stable compiler: the coverage it steers by comes from LLVM passes that stable
//! knows, so `cargo fuzz` and a nightly are not needed. The compiler is told the target by name, or
//! build scripts would be instrumented too and could not be linked.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::shell::{self, Done, cargo, root};

pub(crate) const SECONDS_IN_TEST: u32 = 20;

/// Below this share of inputs that are read to the end, a target mostly tests how input is refused.
const SUCCESS_PERCENT_MIN: u64 = 20;

const RUSTFLAGS: &str = "--cfg fuzzing \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1 \
    -Cdebug-assertions \
    -Coverflow-checks";

/// `[TARGET] [--seconds N]`
pub(crate) fn command(args: &[String]) -> Done {
    let (target, seconds) = arguments(args, SECONDS_IN_TEST)?;
    run(target, seconds)
}

pub(crate) fn arguments(args: &[String], seconds: u32) -> Result<(Option<&str>, u32), String> {
    let (mut target, mut seconds) = (None, seconds);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let number = args.next().and_then(|number| number.parse().ok());
            seconds = number.ok_or("`--seconds` wants a number")?;
        } else if target.is_none() && !arg.starts_with('-') {
            target = Some(arg.as_str());
        } else {
            return Err(format!("`{arg}` is not an argument of fuzzing"));
        }
    }
    Ok((target, seconds))
}

/// Builds once, then runs one target or all.
pub(crate) fn run(only: Option<&str>, seconds: u32) -> Done {
    let mut targets = targets()?;
    if let Some(only) = only {
        if !targets.iter().any(|target| target == only) {
            return Err(format!("`{only}` is none of the targets: {}", targets.join(", ")));
        }
        targets.retain(|target| target == only);
    }
    let host = shell::host()?;
    let target_dir = root().join("fuzz/target");
    let mut build = cargo(&["build", "--release", "--manifest-path", "fuzz/Cargo.toml"]);
    build.args(["--bins", "--target", &host, "--target-dir"]).arg(&target_dir);
    shell::run(build.env("RUSTFLAGS", RUSTFLAGS))?;
    let bins = target_dir.join(host).join("release");
    for target in &targets {
        Target { name: target, bin: bins.join(target) }.run(seconds)?;
    }
    Ok(())
}

/// The targets by name: one file each.
fn targets() -> Result<Vec<String>, String> {
    let dir = root().join("fuzz/src/bin");
    let entries = fs::read_dir(&dir).map_err(|e| format!("could not list {}: {e}", dir.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some(name.strip_suffix(".rs")?.to_owned())
        })
        .collect();
    names.sort();
    Ok(names)
}

struct Target<'a> {
    name: &'a str,
    bin: PathBuf,
}

impl Target<'_> {
    fn run(&self, seconds: u32) -> Done {
        let name = self.name;
        let dir = |kind: &str| root().join("fuzz").join(kind).join(name);
        let (corpus, artifacts, seeds) = (dir("corpus"), dir("artifacts"), dir("seeds"));
        for made in [&corpus, &artifacts] {
            fs::create_dir_all(made).map_err(|e| format!("could not make {}: {e}", made.display()))?;
        }
        let counts = artifacts.join("counts");
        // Left by an earlier run, it would speak for this one.
        let _ = fs::remove_file(&counts);
        let log = artifacts.join("log");
        let file = File::create(&log).map_err(|e| format!("could not make {}: {e}", log.display()))?;

        println!("{name}: {seconds} s, log in {}", log.display());
        let mut fuzzer = shell::command(&self.bin.to_string_lossy(), &[]);
        // libFuzzer writes to the first directory and only reads the others.
        fuzzer.arg(&corpus);
        if seeds.exists() {
            fuzzer.arg(&seeds);
        }
        fuzzer
            .args(["-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1"])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .env("HOUSECARL_FUZZ_COUNTS", &counts)
            .stdout(Stdio::null())
            .stderr(file);
        let status = fuzzer.status().map_err(|e| format!("could not start {name}: {e}"))?;
        let log = fs::read(&log).map_err(|e| format!("could not read {}: {e}", log.display()))?;
        let log = String::from_utf8_lossy(&log);
        if !status.success() {
            println!("{}", last_lines(&log, 40));
            let artifact = log.lines().find_map(|line| line.split_once("Test unit written to "));
            let artifact = artifact.map_or("the log", |(_, path)| path);
            return Err(format!("{name} broke on an input, kept in {artifact}"));
        }
        self.judge(&log, &counts)
    }

    /// A run that found no crash counts only if it was steered and its inputs came far enough.
    fn judge(&self, log: &str, counts: &Path) -> Done {
        let name = self.name;
        let mut coverage = log.lines().filter_map(coverage_of);
        let first = coverage.next().unwrap_or(0);
        let last = coverage.next_back().unwrap_or(first);
        if last == 0 {
            return Err(format!("{name} ran blind: its log reports no coverage"));
        }
        let text = fs::read_to_string(counts).unwrap_or_default();
        let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
        let (Some(runs), Some(successes)) = (numbers.next(), numbers.next()) else {
            return Err(format!("{name} did not count its successes"));
        };
        let percent = successes.saturating_mul(100).checked_div(runs).unwrap_or(0);
        println!("{name}: {runs} runs, {percent} % read to the end, coverage {first} -> {last}");
        if percent < SUCCESS_PERCENT_MIN {
            return Err(format!(
                "only {percent} % of the inputs of {name} were read to the end, and {SUCCESS_PERCENT_MIN} % is the \
                 least that tests more than refusals: give it better seeds or a better mutator"
            ));
        }
        Ok(())
    }
}

/// The number after `cov:` in a line such as `#1024 NEW cov: 312 ft: 700 …`.
fn coverage_of(line: &str) -> Option<u64> {
    let (_, after) = line.split_once(" cov: ")?;
    after.split_whitespace().next()?.parse().ok()
}

fn last_lines(text: &str, number: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(number);
    lines.get(from..).unwrap_or_default().join("\n")
}
