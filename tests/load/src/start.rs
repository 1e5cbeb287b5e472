//! How long a start takes: with many buckets, and with many people.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use housecarl_journey::audit::By;
use housecarl_journey::journey::{Journey, Settings};
use housecarl_journey::people::About;
use housecarl_measure::clock;
use housecarl_measure::figures::{Bound, grouped, verdict};
use housecarl_measure::rounds::median;
use housecarl_policy::AgeBand;

use crate::house::{self, Sends, WATCH};

const START: u64 = 1_798_761_600;
const BUCKETS: usize = 400;
/// The narrowest buckets of a watch span 27 hours.
const BETWEEN: u64 = 27 * 3_600;
const PEOPLE: usize = 1_000_000;
const ROUNDS: usize = 5;

pub(crate) fn run() {
    println!("\nSTART  from nothing in memory to a journey that takes messages, by the clock on the wall\n");
    buckets();
    people();
}

/// In seconds; what the operating system has in its cache it has.
fn start(folder: &Path, now: u64) -> f64 {
    let settings = Settings::in_folder(folder);
    let mut opened = None;
    let took = clock::wall(|| {
        opened = Some(Journey::open(&settings, vec![house::watch()], move || now, |_| ()).unwrap());
    });
    drop(opened);
    took as f64 / 1e9
}

fn buckets() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let clock = Arc::new(AtomicU64::new(START));
    let time = Arc::clone(&clock);
    let settings = Settings::in_folder(folder.path());
    let journey =
        Journey::open(&settings, vec![house::watch()], move || time.load(Ordering::SeqCst), |_| ()).unwrap();
    let wearer = runtime.block_on(house::home(&journey, "wearer", START));
    let mut now = START;
    // Nothing expires, so that they become as many as there may ever be.
    while journey.buckets() < BUCKETS {
        now += BETWEEN;
        clock.store(now, Ordering::SeqCst);
        runtime.block_on(house::send_at(&journey, &wearer, Sends::Vitals, 20, now));
    }
    let buckets = journey.buckets();
    drop(journey);
    let times = (0..ROUNDS).map(|_| start(folder.path(), now)).collect();
    verdict(&format!("a start with {buckets} buckets"), Bound::AtMost(1.0), median(times), "s");
}

fn people() {
    // Written to memory: a million promises that each reach a disk would take an hour, and what is
    // measured is the reading, which finds its files in the system's cache either way.
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let settings = Settings::in_folder(folder.path());
    let journey = Journey::open(&settings, vec![house::watch()], || START, |_| ()).unwrap();
    let (product, in_force) = journey.product_named(WATCH).unwrap();
    let said = house::yes(&in_force.version(), "activity");
    runtime.block_on(async {
        let mut home = journey.add_home(By::Housecarl, START).unwrap();
        for number in 1..=PEOPLE {
            if number % 4 == 0 {
                home = journey.add_home(By::Housecarl, START).unwrap();
            }
            let person = journey.add_person(home, AgeBand::Adult, By::Housecarl, START).unwrap();
            journey.choose(About::Person(person), product, &said, By::Person(person), START).await.unwrap();
        }
    });
    drop(journey);
    let times = (0..ROUNDS).map(|_| start(folder.path(), START)).collect();
    let what = format!("a start with {} standings, a choice each", grouped(PEOPLE as f64));
    verdict(&what, Bound::AtMost(10.0), median(times), "s");
}
