//! How much a home adds to the audit log in a day.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use housecarl_journey::audit::By;
use housecarl_journey::journey::{Journey, Settings};
use housecarl_journey::people::{About, OperatorId, Said};
use housecarl_journey::read::Ask;
use housecarl_measure::figures::grouped;

use crate::house::{self, Sends, WATCH};

/// 1 January 2027.
const START: u64 = 1_798_761_600;
const HOUR: u64 = 3_600;
const DAYS: u64 = 30;
/// Messages of each stream in an hour: it changes nothing, for a message has no entry.
const MESSAGES: usize = 20;

pub(crate) fn run() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let settings = Settings::in_folder(folder.path());
    let clock = Arc::new(AtomicU64::new(START));
    let time = Arc::clone(&clock);
    let journey =
        Journey::open(&settings, vec![house::watch()], move || time.load(Ordering::SeqCst), |_| ()).unwrap();
    let wearer = runtime.block_on(house::home(&journey, "wearer", START));
    let (product, in_force) = journey.product_named(WATCH).unwrap();
    let version = in_force.version();
    let purpose = version.purpose("activity").unwrap();
    let begun = journey.integrate(START).unwrap().size;
    let bytes = size(journey.log_folder());
    for hour in 1..=24 * DAYS {
        let now = START + hour * HOUR;
        clock.store(now, Ordering::SeqCst);
        runtime.block_on(async {
            // Somebody reads each hour, once a day somebody changes their mind and back, and of all that
            // is sent something is refused.
            let said = match hour % 24 {
                1 => Some(Said::Refused("usage-statistics".to_owned())),
                13 => Some(house::yes(&version, "usage-statistics")),
                _ => None,
            };
            if let Some(said) = said {
                let about = About::Person(wearer.person);
                journey.choose(about, product, &said, By::Person(wearer.person), now).await.unwrap();
            }
            for sends in [Sends::Day, Sends::Vitals] {
                house::send_at(&journey, &wearer, sends, MESSAGES, now).await;
            }
        });
        let ask = Ask {
            reader: OperatorId([9; 16]),
            product,
            purpose,
            subject: wearer.person.into(),
            stream: None,
            received: now..now + 1,
        };
        journey.read(&ask, now, |_| true).unwrap();
        journey.expire(now).unwrap();
        journey.integrate(now).unwrap();
    }
    let entries = (journey.integrate(START + DAYS * 24 * HOUR).unwrap().size - begun) as f64 / DAYS as f64;
    let bytes = (size(journey.log_folder()) - bytes) as f64 / DAYS as f64;
    println!(
        "\nLOG  a home with a watch, {DAYS} days by a clock of its own: {} messages a day, a read an hour, two changes \
         of mind a day\n",
        2 * MESSAGES * 24
    );
    println!("  entries a home and day                     {:>10}", grouped(entries));
    println!("  bytes of the published log, home and day   {:>10}  (no bound was set)", grouped(bytes));
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(
            |entry| if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() },
        )
        .sum()
}
