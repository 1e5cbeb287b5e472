//! A whole gateway under which the power is cut, which is killed, and whose disk fails and fills up. It is the
//! program as it is shipped, in a process of its own, with devices, an operator and a consumer before it.
//!
//! One data directory goes through many such ends, so that what is old is looked at again after each. What has to
//! hold is what those outside were told: see `history`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test may fail loudly, says what it saw, and is told by the environment how long to run"
)]

mod history;
mod person;
mod operator;
mod ground;
mod home;
mod gateway;
mod device;
mod http;
mod log;

use std::time::Duration;

use gateway::Gateway;
use ground::Ground;
use history::{Fault, History, Seen};

/// A wait that only a fault makes as long as this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often one data directory is ended before another is begun.
const ENDS_OF_ONE: u64 = 100;

/// So many ends in the long runs, and a tenth of them in every test run.
fn ends(of_torture: u64) -> u64 {
    if std::env::var_os("HOUSECARL_TORTURE").is_some() { of_torture } else { of_torture / 10 }
}

/// Takes data directories through so many ends; where something does not hold, it says after which.
fn endure(ends: u64, new: impl Fn(u64) -> Ground) -> Result<Seen, (u64, Fault)> {
    let mut seen = Seen::default();
    for first in (0..ends).step_by(usize::try_from(ENDS_OF_ONE).unwrap()) {
        let mut history = History::begin(first, new(first));
        for number in first..ends.min(first + ENDS_OF_ONE) {
            history.live(number).map_err(|fault| (number, fault))?;
        }
        seen.add(&history.finish().map_err(|fault| (ends, fault))?);
    }
    Ok(seen)
}

#[test]
fn what_was_confirmed_survives_being_killed() {
    let ends = ends(200);
    let seen = endure(ends, |_| Ground::folder())
        .unwrap_or_else(|(number, fault)| panic!("found after end {number}: {fault}"));
    eprintln!("{ends} times killed: {seen}");
    seen.must_have_met(ends);
}

#[test]
fn what_was_confirmed_survives_loss_of_power() {
    if !Ground::has_fuse() {
        return;
    }
    let ends = ends(500);
    let seen = endure(ends, Ground::disk)
        .unwrap_or_else(|(number, fault)| panic!("found after end {number}: {fault}"));
    eprintln!("{ends} cuts: {seen}");
    seen.must_have_met(ends);
}

/// A build that does not sync fails it. The disk answers every sync and does none, which is to a gateway on it what a
/// build without syncs would be, of its own code and of everything below.
#[test]
fn without_syncs_something_confirmed_is_lost() {
    if !Ground::has_fuse() {
        return;
    }
    const ENDS_MAX: u64 = 20;
    let endured = endure(ENDS_MAX, Ground::disk_that_ignores_syncs);
    let (number, fault) = endured.expect_err("no cut bites where nothing is ever synced");
    eprintln!("without syncs, after cut {number}: {fault}");
    let is_of_the_cut =
        matches!(fault, Fault::Lost(_) | Fault::NotServed(_) | Fault::Revived(_) | Fault::Log(_));
    assert!(is_of_the_cut, "{fault}");
}

/// The first start begins everything: a cut anywhere in it leaves nothing that keeps the next one from serving.
#[test]
fn a_first_start_that_was_cut_short_is_begun_again() {
    if !Ground::has_fuse() {
        return;
    }
    let starts = ends(200);
    let mut cut_short = 0;
    for number in 0..starts {
        let mut ground = Ground::disk(number);
        let cut = first_start(&mut ground, Some(1 + number * 37 % 400));
        cut_short += u64::from(cut.is_err());
        let again = first_start(&mut ground, None);
        assert!(
            again.is_ok(),
            "after first start {number}, cut short: {cut:?}, it does not serve: {again:?}"
        );
    }
    eprintln!("{starts} first starts, {cut_short} of them cut short");
    assert!(cut_short > starts / 4);
}

/// Starts on a disk as it is, with a cut in the midst of one of its changes, until it serves or ends.
fn first_start(ground: &mut Ground, cut_at: Option<u64>) -> Result<(), gateway::NotServed> {
    ground.up();
    if let Some(n) = cut_at {
        ground.cut_at(n);
    }
    let settings = history::settings(ground, history::ONCE_A_DAY);
    let started = Gateway::start(&settings, || !ground.has_power()).map(drop);
    ground.down();
    started
}
