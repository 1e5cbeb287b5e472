//! The clocks: CPU time for what is compared in this process, wall time for what is waited for.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// The CPU time that this process has used, in nanoseconds. Other programs on the machine slow a
/// wall clock; this one only feels them in the caches.
#[must_use]
pub fn cpu() -> u64 {
    at(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

/// The CPU time that another process has used, with all its threads, in nanoseconds.
#[must_use]
pub fn cpu_of(process: u32) -> u64 {
    at(clock_getcpuclockid(Pid::from_raw(process.try_into().unwrap())).unwrap())
}

fn at(clock: ClockId) -> u64 {
    u64::try_from(Duration::from(clock_gettime(clock).unwrap()).as_nanos()).unwrap()
}

/// The CPU time of all processes that this one started and saw end, in nanoseconds.
#[must_use]
pub fn cpu_of_children() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let micros = [usage.user_time(), usage.system_time()]
        .map(|time| i128::from(time.tv_sec()) * 1_000_000 + i128::from(time.tv_usec()));
    u64::try_from(micros.iter().sum::<i128>() * 1000).unwrap()
}

/// How long something took by the clock on the wall, in nanoseconds.
#[expect(clippy::disallowed_methods, reason = "this program measures itself")]
pub fn wall(work: impl FnOnce()) -> u64 {
    let begun = Instant::now();
    work();
    u64::try_from(begun.elapsed().as_nanos()).unwrap()
}
