//! Homes of four, each with a watch whose wearer has agreed to everything.

use futures_util::future::join_all;
use housecarl_journey::audit::By;
use housecarl_journey::journey::{Admitted, Journey, Message};
use housecarl_journey::people::{About, Act, DeviceId, PersonId, Put, Said};
use housecarl_journey::product::{Product, Version};
use housecarl_manifest::Ordinals;
use housecarl_manifest::scalar::Date;
use housecarl_policy::AgeBand;

use crate::gateway::now;

const MANIFEST: &str = include_str!("../../../products/watch/privacy.toml");
const LOCK: &str = include_str!("../../../products/watch/privacy.lock");
/// The name of the product.
pub(crate) const WATCH: &str = "watch";
/// Who lives in a home beside the wearer.
const OTHERS: [AgeBand; 3] = [AgeBand::Adult, AgeBand::Adult, AgeBand::To9];

/// The watch, checked and compiled as `serve` does.
pub(crate) fn watch() -> Product {
    let ordinals = Ordinals::read(LOCK).unwrap();
    housecarl_server::boot::load(WATCH, MANIFEST, &ordinals, Date::parse("2026-11-28").unwrap())
        .unwrap()
        .product
}

/// Somebody who wears a watch, in a home of their own.
pub(crate) struct Wearer {
    pub(crate) person: PersonId,
    pub(crate) device: DeviceId,
    pub(crate) secret: String,
}

/// A new home with a watch, in which nobody has said anything.
pub(crate) fn empty_home(journey: &Journey, now: u64) -> Wearer {
    let (number, _) = journey.product_named(WATCH).unwrap();
    let home = journey.add_home(By::Housecarl, now).unwrap();
    let person = journey.add_person(home, AgeBand::Adult, By::Housecarl, now).unwrap();
    for band in OTHERS {
        journey.add_person(home, band, By::Housecarl, now).unwrap();
    }
    let code = journey.issue_claim(home, number, Some(person), By::Housecarl, now).unwrap();
    let (device, secret) = journey.enrol(code.reveal(), now).unwrap();
    Wearer { person, device, secret: secret.reveal().to_owned() }
}

/// A new home. `mark` is how messages name its wearer.
pub(crate) async fn home(journey: &Journey, mark: &str, now: u64) -> Wearer {
    let (number, product) = journey.product_named(WATCH).unwrap();
    let version = product.version();
    let wearer = empty_home(journey, now);
    let Wearer { person, device, .. } = wearer;
    journey.add_mark(person, mark, By::Housecarl, now).unwrap();
    for (about, said) in yes_to_all(&version, About::Person(person), About::Device(device)) {
        journey.choose(about, number, &said, By::Person(person), now).await.unwrap();
    }
    wearer
}

/// Yes to a purpose.
pub(crate) fn yes(version: &Version, purpose: &str) -> Said {
    let fingerprint = version.fingerprints(purpose)[0].clone();
    Said::Agreed(Put { purpose: purpose.to_owned(), fingerprint }, act())
}

/// Sends so many messages of a device, many at once.
pub(crate) async fn send(journey: &Journey, wearer: &Wearer, sends: Sends, messages: usize) {
    send_at(journey, wearer, sends, messages, now()).await;
}

/// The same at this time.
pub(crate) async fn send_at(journey: &Journey, wearer: &Wearer, sends: Sends, messages: usize, now: u64) {
    let (_, in_force) = journey.product_named(WATCH).unwrap();
    let stream = in_force.version().stream(sends.stream()).unwrap();
    let mut numbers = 0..messages as u64;
    loop {
        let together = numbers.by_ref().take(1_000).map(|number| async move {
            // Unlike any that was sent at another time.
            let payload =
                sends.payload(1_000_000_000 + (number + now * 1_000) % 1_000_000_000, now, "wearer");
            let message = Message { payload: payload.as_bytes(), idempotency_key: None };
            let admitted = journey.admit(wearer.device, stream, message, now).await.unwrap();
            assert!(matches!(admitted, Admitted::Kept(_)), "{admitted:?}");
        });
        if join_all(together).await.is_empty() {
            return;
        }
    }
}

/// Everything is switched on, everybody was told, every purpose is agreed to, in every detail.
fn yes_to_all(version: &Version, person: About, device: About) -> Vec<(About, Said)> {
    let table = &version.table;
    let names = table.purposes().iter().map(|id| table.text(table.purpose(id).unwrap().name));
    let puts: Vec<Put> = names
        .map(|name| Put { purpose: name.to_owned(), fingerprint: version.fingerprints(name)[0].clone() })
        .collect();
    let mut all: Vec<(About, Said)> =
        version.features().map(|feature| (device, Said::Feature(feature.to_owned(), true))).collect();
    for about in [device, person] {
        all.push((about, Said::Told(puts.clone(), act())));
        all.extend(puts.iter().map(|put| (about, Said::Agreed(put.clone(), act()))));
    }
    for (_, item) in table.items().filter(|(_, item)| item.steps > 1) {
        let step = table.step(&item, item.steps - 1).unwrap();
        let [item, step] = [item.name, step.name].map(|name| table.text(name).to_owned());
        all.push((person, Said::Precision(item, step)));
    }
    all
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

/// What a watch sends.
#[derive(Clone, Copy)]
pub(crate) enum Sends {
    /// The sums of a day: two parts in one bucket, as the median of all payloads that the example
    /// products come with.
    Day,
    /// What it has just measured: five parts in four buckets, as no other of them.
    Vitals,
}

impl Sends {
    /// The stream.
    pub(crate) const fn stream(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Vitals => "vitals",
        }
    }

    /// The shipped payload. `number` of ten digits makes the message itself, `captured` is when it was
    /// measured, in seconds since 1970, and `mark` names the wearer where the payload does.
    pub(crate) fn payload(self, number: u64, captured: u64, mark: &str) -> String {
        let (shipped, replaced) = match self {
            Self::Day => (
                include_str!("../../../products/watch/payloads/day.json"),
                vec![("2026-10-31", format!("{number:010}")), ("1793440800", captured.to_string())],
            ),
            Self::Vitals => {
                let captured = jiff::Timestamp::from_second(captured.try_into().unwrap()).unwrap();
                (
                    include_str!("../../../products/watch/payloads/vitals.json"),
                    vec![
                        ("812", format!("{number:010}")),
                        ("2026-11-01T07:15:30Z", captured.to_string()),
                        ("\"p1\"", format!("\"{mark}\"")),
                    ],
                )
            }
        };
        replaced.iter().fold(shipped.to_owned(), |text, (from, to)| {
            assert_eq!(text.matches(from).count(), 1, "the payload that is shipped has no {from}");
            text.replace(from, to)
        })
    }
}
