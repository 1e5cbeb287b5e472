//! The machine and the peers, for the head of the table.

use std::fs;

/// The crates in the versions that are built here.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// What the processor calls itself.
#[must_use]
pub fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |key: &str| {
        let line = known.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let name = field("model name").unwrap_or_else(|| "unknown processor".to_owned());
    match field("model\t") {
        Some(model) => format!("{name} (model {model})"),
        None => name,
    }
}

/// How many cores this program may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many programs wanted to run, over the last minute.
#[must_use]
pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}

/// The memory that this process holds, in bytes.
#[must_use]
pub fn resident() -> u64 {
    resident_of(std::process::id())
}

/// The memory that another process holds, in bytes.
#[must_use]
pub fn resident_of(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// The version of a crate.
#[must_use]
pub fn version(of: &str) -> &'static str {
    let entry = LOCK.split("[[package]]").find(|entry| entry.contains(&format!("\nname = \"{of}\"\n")));
    let line = entry.and_then(|entry| entry.lines().find_map(|line| line.strip_prefix("version = ")));
    line.unwrap_or("?").trim_matches('"')
}
