//! How long it takes until nothing about a person can be read any more, however much there is.

use std::sync::Arc;
use std::sync::mpsc;

use housecarl_journey::audit::By;
use housecarl_journey::journey::{Journey, Settings};
use housecarl_journey::people::SubjectId;
use housecarl_measure::clock;
use housecarl_measure::figures::{Bound, figure, grouped, verdict};
use housecarl_measure::rounds::median;

use crate::gateway::now;
use crate::house::{self, Sends, Wearer};

/// Two parts each.
const MESSAGES: usize = 500_000;
const FEW: usize = 50;
const ROUNDS: usize = 9;

pub(crate) fn run() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let settings = Settings::in_folder(folder.path());
    let journey = Arc::new(Journey::open(&settings, vec![house::watch()], now, |_| ()).unwrap());
    println!("\nERASE  from the request to the moment at which the keys are overwritten on the disk\n");
    let mut few = Vec::new();
    for round in 0..ROUNDS {
        let wearer = runtime.block_on(house::home(&journey, &format!("few-{round}"), now()));
        runtime.block_on(house::send(&journey, &wearer, Sends::Day, FEW));
        few.push(to_unreadable(&runtime, &journey, &wearer));
    }
    println!("  a person with {} parts, median of {ROUNDS}        {:>10} ms", 2 * FEW, figure(median(few)));
    let wearer = runtime.block_on(house::home(&journey, "many", now()));
    runtime.block_on(house::send(&journey, &wearer, Sends::Day, MESSAGES));
    let parts = journey.held(wearer.person.into()).unwrap();
    assert_eq!(parts, 2 * MESSAGES as u64);
    let what = format!("a person with {} parts, to unreadable", grouped(parts as f64));
    verdict(&what, Bound::AtMost(10.0), to_unreadable(&runtime, &journey, &wearer), "ms");
}

/// In milliseconds. What comes after, the removal of the rows, is waited for and not counted.
fn to_unreadable(runtime: &tokio::runtime::Runtime, journey: &Arc<Journey>, wearer: &Wearer) -> f64 {
    let subject = SubjectId::from(wearer.person);
    assert!(journey.is_readable(subject));
    let (begin, begun) = mpsc::channel::<()>();
    let erasing = {
        let (journey, person) = (Arc::clone(journey), wearer.person);
        runtime.spawn(async move {
            begun.recv().unwrap();
            journey.erase_person(person, By::Person(person), now()).await.unwrap()
        })
    };
    let took = clock::wall(|| {
        begin.send(()).unwrap();
        while journey.is_readable(subject) {
            std::thread::yield_now();
        }
    });
    runtime.block_on(erasing).unwrap();
    took as f64 / 1e6
}
