//! The home that lives in the data directory, made before the first life: three people, each with a watch. Something that
//! was received a month ago is due to expire when the gateway first serves.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use housecarl_journey::audit::By;
use housecarl_journey::journey::{Journey, Message, Settings};
use housecarl_journey::people::credentials::Role;
use housecarl_journey::people::{About, Act, Put, Said};
use housecarl_journey::product::Product;
use housecarl_manifest::Ordinals;
use housecarl_manifest::scalar::Date;
use housecarl_policy::AgeBand;
use housecarl_server::boot;
use housecarl_server::hex;

use crate::device::Device;
use crate::person::Person;

const HOUR: u64 = 3_600;
/// A fall is kept for 30 days, in a bucket that ends at most 27 hours later.
const IS_OVER: u64 = 30 * 24 * HOUR + 28 * HOUR;
/// When it was last looked for what is over: just before that was, and not so long ago that the clock might be wrong.
const LAST_LOOK: u64 = 29 * HOUR;

const MANIFEST: &str = include_str!("../../../../products/watch/privacy.toml");
const LOCK: &str = include_str!("../../../../products/watch/privacy.lock");

/// What those outside know of the home.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) id: String,
    pub(crate) operator: String,
    /// The token of who reads for activity and coaching.
    pub(crate) consumer: String,
    /// The fingerprint of coaching.
    pub(crate) coaching: String,
    /// What others verify the log with.
    pub(crate) log_key: String,
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The watch, as the gateway has it.
fn watch() -> Product {
    let today = Date::from_unix_day(u32::try_from(now() / (24 * HOUR)).unwrap());
    boot::load("watch", MANIFEST, &Ordinals::read(LOCK).unwrap(), today).unwrap().product
}

/// The data directory, opened here instead of by the gateway.
pub(crate) fn open(data: &Path) -> Journey {
    let settings = Settings { keep_free: 0, ..Settings::in_folder(data) };
    let broken = |error: &dyn std::error::Error| panic!("the disk failed where it should not: {error}");
    Journey::open(&settings, vec![watch()], now, broken).unwrap()
}

/// Makes the data directory.
pub(crate) fn begin(data: &Path) -> (Home, Vec<Person>) {
    let journey = open(data);
    let (by, then) = (By::Housecarl, now() - IS_OVER);
    let (product, in_force) = journey.product_named("watch").unwrap();
    let version = in_force.version();
    let put = |purpose: &str| Put {
        purpose: purpose.to_owned(),
        fingerprint: version.fingerprints(purpose).first().unwrap().clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let says = |about, said| {
        runtime.block_on(journey.choose(about, product, &said, by, then)).unwrap();
    };
    let home = journey.add_home(by, then).unwrap();
    let table = &version.table;
    let every: Vec<Put> =
        table.purposes().iter().map(|id| put(table.text(table.purpose(id).unwrap().name))).collect();
    let mut people = Vec::new();
    for mark in ["p1", "p2", "p3"] {
        let person = journey.add_person(home, AgeBand::Adult, by, then).unwrap();
        journey.add_mark(person, mark, by, then).unwrap();
        let device = journey.add_device(home, product, Some(person), by, then).unwrap();
        let secret = journey.renew_device_secret(device, by, then).unwrap().reveal().to_owned();
        for feature in ["activity", "coaching"] {
            says(About::Device(device), Said::Feature(feature.to_owned(), true));
        }
        for about in [About::Device(device), About::Person(person)] {
            says(about, Said::Told(every.clone(), act()));
        }
        says(About::Person(person), Said::Agreed(put("activity"), act()));
        let message = format!(r#"{{"profile": "{mark}", "seq": 0, "fall": true}}"#);
        let message = Message { payload: message.as_bytes(), idempotency_key: None };
        let stream = version.stream("vitals").unwrap();
        runtime.block_on(journey.admit(device, stream, message, then)).unwrap();
        let device = Device { id: hex::print(&device.0), secret, mark: mark.to_owned() };
        people.push(Person::new(hex::print(&person.0), device));
    }
    let role = Role::Consumer {
        product: "watch".to_owned(),
        purposes: ["activity", "coaching"].map(str::to_owned).into(),
    };
    let token = |role: &Role| journey.add_operator(role, by, then).unwrap().1.reveal().to_owned();
    let home = Home {
        id: hex::print(&home.0),
        operator: token(&Role::Operator),
        consumer: token(&role),
        coaching: put("coaching").fingerprint,
        log_key: journey.verifier_key(),
    };
    let looked = journey.expire(now() - LAST_LOOK).unwrap();
    assert_eq!(looked.buckets, 0, "it is not over yet");
    (home, people)
}

fn act() -> Act {
    Act {
        request: "set-up".to_owned(),
        shown: [7; 32],
        surface: "phone-app".to_owned(),
        method: "tap".to_owned(),
        language: "en".to_owned(),
    }
}
