//! The home that lives in the data directory: Anna agrees, Ben refuses everything. Something was received from Anna
//! a month ago and is over when the gateway first serves.

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

const HOUR: u64 = 3_600;
/// A fall is kept for 30 days, in a bucket that ends at most 27 hours later.
const IS_OVER: u64 = 30 * 24 * HOUR + 28 * HOUR;
/// When the clock was last looked at: just before that was over, and not so long ago that it might have jumped.
const LAST_LOOK: u64 = 29 * HOUR;

const MANIFEST: &str = include_str!("../../../../products/watch/privacy.toml");
const LOCK: &str = include_str!("../../../../products/watch/privacy.lock");

/// Somebody, as those outside know them.
pub(crate) struct Person {
    pub(crate) id: [u8; 16],
    pub(crate) device: String,
    pub(crate) secret: String,
}

pub(crate) struct Home {
    pub(crate) id: String,
    pub(crate) operator: String,
    pub(crate) anna: Person,
    pub(crate) ben: Person,
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the gateway has the machine's clock")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn watch() -> Product {
    let today = Date::from_unix_day(u32::try_from(now() / (24 * HOUR)).unwrap());
    boot::load("watch", MANIFEST, &Ordinals::read(LOCK).unwrap(), today).unwrap().product
}

/// Makes the data directory. The marks are how messages name them.
pub(crate) fn begin(data: &Path, marks: [&str; 2]) -> Home {
    let settings = Settings { keep_free: 0, ..Settings::in_folder(data) };
    let broken = |error: &dyn std::error::Error| panic!("the disk failed: {error}");
    let journey = Journey::open(&settings, vec![watch()], now, broken).unwrap();
    let (by, then) = (By::Housecarl, now() - IS_OVER);
    let (product, in_force) = journey.product_named("watch").unwrap();
    let version = in_force.version();
    let names = version.table.purposes();
    let names = names.iter().map(|id| version.table.text(version.table.purpose(id).unwrap().name));
    let every: Vec<Put> = names
        .map(|name| Put { purpose: name.to_owned(), fingerprint: version.fingerprints(name)[0].clone() })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let says = |about, said: Said| runtime.block_on(journey.choose(about, product, &said, by, then)).unwrap();
    let home = journey.add_home(by, then).unwrap();
    let [anna, ben] = marks.map(|mark| {
        let person = journey.add_person(home, AgeBand::Adult, by, then).unwrap();
        journey.add_mark(person, mark, by, then).unwrap();
        let device = journey.add_device(home, product, Some(person), by, then).unwrap();
        let secret = journey.renew_device_secret(device, by, then).unwrap().reveal().to_owned();
        for feature in ["activity", "coaching", "routes", "sleep"] {
            says(About::Device(device), Said::Feature(feature.to_owned(), true));
        }
        for about in [About::Device(device), About::Person(person)] {
            says(about, Said::Told(every.clone(), act()));
        }
        let agreed = ["activity", "sleep", "crash-reports", "routes"];
        for put in every.iter().filter(|put| agreed.contains(&put.purpose.as_str())) {
            says(About::Device(device), Said::Agreed(put.clone(), act()));
        }
        for put in &every {
            let said = match mark == marks[0] {
                true if agreed.contains(&put.purpose.as_str()) => Said::Agreed(put.clone(), act()),
                true => continue,
                false => Said::Refused(put.purpose.clone()),
            };
            says(About::Person(person), said);
        }
        (Person { id: person.0, device: hex(&device.0), secret }, device)
    });
    let message = format!(r#"{{"profile": "{}", "seq": 0, "fall": true}}"#, marks[0]);
    let message = Message { payload: message.as_bytes(), idempotency_key: None };
    let stream = version.stream("vitals").unwrap();
    runtime.block_on(journey.admit(anna.1, stream, message, then)).unwrap();
    let operator = journey.add_operator(&Role::Operator, by, then).unwrap().1.reveal().to_owned();
    assert_eq!(journey.expire(now() - LAST_LOOK).unwrap().buckets, 0, "it is not over yet");
    Home { id: hex(&home.0), operator, anna: anna.0, ben: ben.0 }
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
