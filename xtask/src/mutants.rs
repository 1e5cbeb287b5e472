//! `cargo xtask mutants`: breaks the decision on purpose, one line at a time, and expects a test to
//! notice. Survivors that cannot matter stand in a list, each with its reason.

use std::collections::BTreeMap;

use crate::shell::{self, Done, answers, cargo, root};

const ACCEPTED: &str = "crates/housecarl-policy/mutants-accepted.txt";

pub(crate) fn run(args: &[String]) -> Done {
    if !answers("cargo", &["mutants", "--version"]) {
        shell::run(&mut cargo(&["install", "cargo-mutants", "--locked"]))?;
    }
    let fixed = [
        "mutants",
        "-p",
        "housecarl-policy",
        "--file",
        "crates/housecarl-policy/src/decide.rs",
        "--file",
        "crates/housecarl-policy/src/minimise.rs",
    ];
    let status =
        cargo(&fixed).args(args).status().map_err(|e| format!("could not start cargo mutants: {e}"))?;
    // 2 means survivors, which are judged below; 3 means that some never ended, which is noticed.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        return Err(format!("cargo mutants ended with {status}"));
    }
    let missed = read("mutants.out/missed.txt")?;
    let survived = count(missed.lines().map(without_position));
    let accepted = read(ACCEPTED)?;
    let accepted = count(accepted.lines().filter_map(accepted_line).collect::<Result<Vec<_>, _>>()?);

    let mut faults = beyond(&survived, &accepted, "survived and is not accepted");
    if whole(args) {
        faults.extend(beyond(&accepted, &survived, "is accepted and did not survive"));
    } else {
        println!("only some mutants were tried, so nobody asked whether the accepted list is stale");
    }
    if faults.is_empty() {
        println!("{} survivors, all accepted", missed.lines().count());
        return Ok(());
    }
    Err(format!(
        "{ACCEPTED} is not the list of survivors\n  {}\n  what to do: test what the mutant breaks, or keep the list true",
        faults.join("\n  ")
    ))
}

/// Whether the arguments leave every mutant in the run.
fn whole(args: &[String]) -> bool {
    args.iter().all(|arg| arg.starts_with("-j") || arg.starts_with("--jobs") || arg.parse::<u32>().is_ok())
}

/// `src/a.rs:12:5: replace x with y` as `src/a.rs: replace x with y`: positions move with every
/// edit, so equal texts are counted instead.
fn without_position(line: &str) -> String {
    match line.split_once(": ") {
        Some((place, what)) => {
            let file = place.split(':').next().unwrap_or(place);
            format!("{file}: {what}")
        }
        None => line.to_owned(),
    }
}

/// A line of the list, `mutant  # reason`. Blank lines and whole-line comments are skipped.
fn accepted_line(line: &str) -> Option<Result<String, String>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    Some(match line.split_once("  # ") {
        Some((mutant, reason)) if !reason.trim().is_empty() => Ok(without_position(mutant.trim())),
        _ => Err(format!("{ACCEPTED}: no reason is given for `{line}`")),
    })
}

fn count(lines: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line).or_default() += 1;
    }
    counts
}

fn beyond(these: &BTreeMap<String, usize>, those: &BTreeMap<String, usize>, fault: &str) -> Vec<String> {
    let more = |mutant: &str, times: usize| times > those.get(mutant).copied().unwrap_or(0);
    these
        .iter()
        .filter(|(mutant, times)| more(mutant, **times))
        .map(|(mutant, _)| format!("{fault}: {mutant}"))
        .collect()
}

fn read(path: &str) -> Result<String, String> {
    std::fs::read_to_string(root().join(path)).map_err(|e| format!("could not read {path}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::{accepted_line, beyond, count, without_position};

    #[test]
    fn positions_do_not_matter_but_numbers_do() {
        let survived =
            count(["a.rs:1:2: replace < with <=", "a.rs:9:2: replace < with <="].map(without_position));
        let accepted = count(accepted_line("a.rs: replace < with <=  # equal there").into_iter().flatten());
        assert_eq!(beyond(&survived, &accepted, "survived").len(), 1);
        assert!(beyond(&accepted, &survived, "stale").is_empty());
    }

    #[test]
    fn a_reason_is_asked_for() {
        assert!(accepted_line("a.rs: replace x with y").is_some_and(|line| line.is_err()));
        assert!(accepted_line("# a heading").is_none());
    }
}
