//! What it costs to check a manifest of 2,000 lines: as a whole process, and step by step.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use housecarl_manifest::scalar::Date;
use housecarl_manifest::{Ordinals, compile, read};
use housecarl_measure::clock;
use housecarl_measure::figures::{figure, grouped};
use housecarl_measure::machine;
use housecarl_measure::rounds::{Contestant, Times, race};

const ROUNDS: usize = 31;
const LINES_MIN: usize = 2_000;
/// The shipped product that is repeated until there are so many lines.
const SHIPPED: &str = include_str!("../../../products/watch/privacy.toml");
/// The tables that are repeated, under new names.
const REPEATED: [&str; 6] = ["stream", "item", "feature", "purpose", "access", "request"];
/// The keys whose values are names of those tables, or topics, which are one stream's each.
const REFERRING: [&str; 12] = [
    "stream",
    "uses",
    "needed_because",
    "starts",
    "serves",
    "purposes",
    "inferred_from",
    "topic",
    "identify",
    "shows",
    "purpose",
    "instead_of",
];

/// The shipped manifest, with its data, purposes and what belongs to them once more, and again.
fn long_manifest() -> String {
    let sections = sections(SHIPPED);
    let names: BTreeSet<&str> = sections.iter().filter_map(|(header, _)| repeated(header)).collect();
    let mut text = SHIPPED.to_owned();
    for copy in 2.. {
        if text.lines().count() >= LINES_MIN {
            break;
        }
        for (header, lines) in &sections {
            let Some(name) = repeated(header) else { continue };
            let (kind, _) = header.split_once('.').unwrap();
            let _ = writeln!(text, "\n[{kind}.{name}-{copy}]");
            let mut refers = false;
            for line in lines {
                if let Some((key, _)) = line.split_once(" = ")
                    && !line.starts_with(' ')
                {
                    refers = REFERRING.contains(&key);
                }
                let line = if refers { renamed(line, &names, copy) } else { (*line).to_owned() };
                let _ = writeln!(text, "{line}");
            }
        }
    }
    text
}

/// The tables of a manifest: header and lines.
fn sections(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            sections.push((header, Vec::new()));
        } else if let Some((_, lines)) = sections.last_mut()
            && !line.starts_with('#')
            && !line.is_empty()
        {
            lines.push(line);
        }
    }
    sections
}

/// The name of a table that is repeated.
fn repeated(header: &str) -> Option<&str> {
    let (kind, name) = header.split_once('.')?;
    REPEATED.contains(&kind).then_some(name)
}

/// A line with the names of a copy. The key itself is not a name.
fn renamed(line: &str, names: &BTreeSet<&str>, copy: usize) -> String {
    let (key, rest) = match line.split_once(" = ") {
        Some((key, rest)) if !line.starts_with(' ') => (format!("{key} = "), rest),
        _ => (String::new(), line),
    };
    let mut text = key;
    let mut word = String::new();
    for character in rest.chars().chain(['\n']) {
        if character.is_ascii_alphanumeric() || character == '-' {
            word.push(character);
            continue;
        }
        text.push_str(&word);
        if names.contains(word.as_str()) {
            let _ = write!(text, "-{copy}");
        }
        word.clear();
        text.push(character);
    }
    text.truncate(text.trim_end().len());
    text
}

/// The program that is shipped, built beside this one.
fn housecarl() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.with_file_name("housecarl");
    beside.is_file().then_some(beside)
}

/// Wall and CPU nanoseconds of one run of the program; the exit status may tell of findings.
fn process(command: &mut Command) -> (f64, f64) {
    let before = clock::cpu_of_children();
    let wall = clock::wall(|| {
        let status = command.stdout(Stdio::null()).status().unwrap();
        assert!(matches!(status.code(), Some(0 | 1)), "housecarl ended with {status}");
    });
    (wall as f64, (clock::cpu_of_children() - before) as f64)
}

pub(crate) fn run() {
    let text = long_manifest();
    let today = Date::parse("2026-11-21").unwrap();
    let none = BTreeSet::new();
    let reading = read(&text);
    let compiled = compile(&reading.manifest, &text, &Ordinals::default(), &none);
    assert!(reading.problems.is_empty(), "the long manifest has {:?}", reading.problems[0]);
    assert!(compiled.problems.is_empty(), "the long manifest has {:?}", compiled.problems[0]);
    let report = housecarl_check::check(&reading, &text, today);

    let steps = race(
        ROUNDS,
        &mut [
            Contestant::new(1, || drop(black_box(toml::de::DeTable::parse(&text).unwrap()))),
            Contestant::new(1, || drop(black_box(toml::from_str::<toml::Table>(&text).unwrap()))),
            Contestant::new(1, || drop(black_box(read(&text)))),
            Contestant::new(1, || {
                drop(black_box(compile(&reading.manifest, &text, &Ordinals::default(), &none)));
            }),
            Contestant::new(1, || drop(black_box(housecarl_check::check(&reading, &text, today)))),
        ],
    );

    println!(
        "\nMANIFEST  {} lines, {} KiB: the shipped watch, repeated under new names; {} findings by {} rules",
        grouped(text.lines().count() as f64),
        text.len() / 1024,
        report.findings.len(),
        report.rules
    );
    println!(
        "  CPU ms and, for processes, wall ms; medians of {ROUNDS} rounds; toml is the crate {}, as its fastest parse\n",
        machine::version("toml")
    );
    println!("  {:<34}{:>16}{:>16}{:>16}", "", "CPU ms", "wall ms", "x toml, CPU");
    let row = |name: &str, cpu: &Times, wall: Option<&Times>| {
        let ms = |times: &Times| format!("{:.2}", times.median() / 1e6);
        println!(
            "  {name:<34}{:>16}{:>16}{:>16}",
            ms(cpu),
            wall.map(ms).unwrap_or_default(),
            figure(cpu.ratio(&steps[0]))
        );
    };
    row("toml alone", &steps[0], None);
    row("toml alone, into a toml::Table", &steps[1], None);
    row("read", &steps[2], None);
    row("compile", &steps[3], None);
    row("check, which compiles too", &steps[4], None);

    let Some(program) = housecarl() else {
        println!("  NOT RUN: `housecarl` is not beside this program (cargo build --release -p housecarl)");
        return;
    };
    let file = program.with_file_name("housecarl-bench-manifest.toml");
    fs::write(&file, &text).unwrap();
    let (mut version, mut check) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        version.push(process(Command::new(&program).arg("--version")));
        check.push(process(Command::new(&program).arg("check").arg(&file).args(["--as-of", "2026-11-21"])));
    }
    fs::remove_file(&file).unwrap();
    let times = |runs: &[(f64, f64)]| {
        let (wall, cpu) = runs.iter().copied().unzip();
        (Times::of(cpu), Times::of(wall))
    };
    for (name, runs) in [("housecarl --version", &version), ("housecarl check FILE (bound 20 ms)", &check)] {
        let (cpu, wall) = times(runs);
        row(name, &cpu, Some(&wall));
    }
}
