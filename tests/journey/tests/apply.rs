//! Another version of a product, put in force while everything is at work.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use housecarl_audit::Act as Audited;
use housecarl_journey::apply::Putting;
use housecarl_journey::audit::By;
use housecarl_journey::journey::{Admitted, Message, NotAdmitted, Stored};
use housecarl_journey::people::{About, DeviceId, PersonId, Said};
use housecarl_journey::product::Product;
use housecarl_journey_tests::{START, WATCH, World, act, product, vitals};
use housecarl_policy::AgeBand;

const STORES: [Stored; 2] = [Stored::OnDisk, Stored::InMemory];

struct Wearer {
    world: World,
    person: PersonId,
    other: PersonId,
    device: DeviceId,
}

/// A watch whose wearer agreed to what it is for and refused offers. Somebody else of the home has
/// refused what it is for.
async fn wearer(stored: Stored) -> Wearer {
    let world = World::new(stored, &[("watch", WATCH)]);
    let (person, other) = (world.person(AgeBand::Adult), world.person(AgeBand::Adult));
    let device = world.device("watch", Some(person));
    for (person, mark) in [(person, "p1"), (other, "p2")] {
        world.journey.add_mark(person, mark, By::Housecarl, world.time()).unwrap();
    }
    for feature in ["activity", "coaching", "routes", "sleep"] {
        world.says(About::Device(device), "watch", Said::Feature(feature.to_owned(), true)).await;
    }
    world.agrees(About::Device(device), "watch", &["usage-statistics"]).await;
    world.agrees(About::Person(person), "watch", &["activity", "coaching"]).await;
    world.says(About::Person(person), "watch", Said::Refused("offers".to_owned())).await;
    world.agrees(About::Person(other), "watch", &[]).await;
    world.says(About::Person(other), "watch", Said::Refused("activity".to_owned())).await;
    Wearer { world, person, other, device }
}

impl Wearer {
    async fn send(&self, payload: &str) -> Result<Admitted, NotAdmitted> {
        self.world.send(self.device, "watch", "vitals", payload).await
    }

    fn sees(&self, purpose: &str) -> Vec<String> {
        self.world.sees("watch", purpose, self.person)
    }

    fn wants(&self) -> BTreeSet<String> {
        self.world.journey.wanted(self.device).unwrap().borrow().items().keys().cloned().collect()
    }
}

/// The watch with other words in one place.
fn watch(was: &str, is: &str) -> Product {
    assert!(WATCH.contains(was), "{was}");
    product("watch", &WATCH.replacen(was, is, 1))
}

/// Kept for longer: what was agreed to is not that.
fn wider() -> Product {
    watch(r#"for = "13 months""#, r#"for = "14 months""#)
}

/// Kept for shorter, and nothing else.
fn narrower() -> Product {
    let mut new = watch(r#"for = "13 months""#, r#"for = "12 months""#);
    let old = product("watch", WATCH).fingerprints.remove("activity").unwrap();
    new.fingerprints.get_mut("activity").unwrap().extend(old);
    new
}

#[tokio::test]
async fn a_wider_purpose_is_closed_for_who_had_agreed_until_they_were_asked_again() {
    for stored in STORES {
        let mut wearer = wearer(stored).await;
        assert!(matches!(wearer.send(&vitals(1, 71)).await, Ok(Admitted::Kept(_))));
        assert_eq!(wearer.sees("activity"), ["heart-rate 71", "steps 4210"]);
        let wanted = wearer.wants();
        let mut told = wearer.world.journey.wanted(wearer.device).unwrap();
        told.mark_unchanged();

        let entry = wearer.world.applies(wider()).await;
        wearer.world.journey.integrate(wearer.world.time()).unwrap();
        let receipt = wearer.world.journey.receipt(entry).unwrap();
        let receipt = housecarl_audit::Receipt::parse(receipt.as_bytes()).unwrap();
        let applied = matches!(receipt.opening.entry().act, Audited::ProductApplied { .. });
        assert!(applied, "it is in the log when it is in force");

        // Closed for reading and for what comes in, and the device is told. Coaching stays.
        for restarted in [false, true] {
            assert!(wearer.sees("activity").is_empty(), "restarted: {restarted}");
            assert!(wearer.sees("coaching").contains(&"heart-rate 71".to_owned()));
            let number = 2 + u32::from(restarted);
            wearer.send(&vitals(number, 72)).await.unwrap();
            assert!(wearer.sees("activity").is_empty(), "restarted: {restarted}");
            assert!(wearer.wants().is_subset(&wanted) && wearer.wants() != wanted);
            if !restarted {
                assert!(told.has_changed().unwrap(), "the device was told");
                if stored == Stored::InMemory {
                    break;
                }
                wearer.world = wearer.world.restarted();
            }
        }

        // Asked again, and told again: with what is there already, which is kept for what it was
        // agreed to then.
        wearer.world.agrees(About::Person(wearer.person), "watch", &["activity"]).await;
        assert!(!wearer.sees("activity").is_empty());
        // Who had refused is refused still, and was not asked.
        let other = vitals(9, 99).replace("p1", "p2");
        wearer.send(&other).await.unwrap();
        assert!(wearer.world.sees("watch", "activity", wearer.other).is_empty());
    }
}

#[tokio::test]
async fn a_narrower_purpose_stays_as_it_was_agreed_to() {
    for stored in STORES {
        let mut wearer = wearer(stored).await;
        wearer.send(&vitals(1, 71)).await.unwrap();
        wearer.world.applies(narrower()).await;
        assert_eq!(wearer.sees("activity"), ["heart-rate 71", "steps 4210"]);
        assert!(matches!(wearer.send(&vitals(2, 72)).await, Ok(Admitted::Kept(_))));
        if stored == Stored::OnDisk {
            wearer.world = wearer.world.restarted();
            assert_eq!(wearer.sees("activity").len(), 4);
        }
    }
}

#[tokio::test]
async fn a_refusal_carries_over_whatever_the_purpose_rests_on_now() {
    for stored in STORES {
        let mut wearer = wearer(stored).await;
        // Somebody with a watch of their own, who has said nothing about offers.
        let silent = wearer.world.person(AgeBand::Adult);
        let theirs = wearer.world.device("watch", Some(silent));
        let at = WATCH.find("[purpose.offers]").unwrap();
        let changed = WATCH[at..].replacen(r#"basis = "consent""#, r#"basis = "legitimate-interests""#, 1);
        wearer.world.applies(product("watch", &[&WATCH[..at], &changed].concat())).await;
        // Everybody is told of it, and both devices may be read for it.
        for device in [wearer.device, theirs] {
            wearer.world.agrees(About::Device(device), "watch", &["offers"]).await;
        }
        for person in [wearer.person, silent] {
            wearer.world.agrees(About::Person(person), "watch", &[]).await;
        }
        for (device, date) in [(wearer.device, "2027-01-01"), (theirs, "2027-01-02")] {
            let day = format!(
                r#"{{"body": {{"activities": [{{"date": "{date}", "modified": {START}, "steps": 8312}}]}}}}"#
            );
            wearer.world.send(device, "watch", "day", &day).await.unwrap();
        }
        assert_eq!(wearer.world.sees("watch", "offers", silent), ["day-steps 8300"]);
        assert!(wearer.sees("offers").is_empty());
    }
}

#[tokio::test]
async fn what_was_put_before_cannot_be_said_after() {
    let mut wearer = wearer(Stored::InMemory).await;
    let put = wearer.world.put("watch", "activity");
    wearer.world.applies(wider()).await;
    let number = wearer.world.product("watch").0;
    let said = Said::Agreed(put, act());
    let about = About::Person(wearer.person);
    let now = wearer.world.time();
    assert!(wearer.world.journey.choose(about, number, &said, By::Housecarl, now).await.is_err());
}

#[tokio::test]
async fn a_stream_that_is_gone_takes_nothing_more() {
    let mut wearer = wearer(Stored::InMemory).await;
    let version = wearer.world.product("watch").1.version();
    let number = version.stream_number(version.stream("vitals").unwrap()).unwrap();
    let send = async |wearer: &Wearer, seq: u32| {
        let payload = vitals(seq, 71);
        let message = Message { payload: payload.as_bytes(), idempotency_key: None };
        wearer.world.journey.admit_by(wearer.device, number, message, wearer.world.time()).await
    };
    assert!(matches!(send(&wearer, 1).await, Ok(Admitted::Kept(_))));
    let renamed = WATCH.replace("stream.vitals]", "stream.signs]").replace(r#""vitals""#, r#""signs""#);
    wearer.world.applies(product("watch", &renamed)).await;
    assert_eq!(send(&wearer, 2).await, Err(NotAdmitted::NoSuchStream));
    // What came by it before can be read still, and it is the same stream when it is back.
    wearer.world.applies(product("watch", WATCH)).await;
    assert!(matches!(send(&wearer, 2).await, Ok(Admitted::Kept(_))));
    assert_eq!(wearer.sees("activity").len(), 4);
}

/// Messages come without a pause while two versions change places, and people say things. Under the
/// first version the wearer has agreed to activity, under the second nobody has: whatever is
/// decided is decided by the standings of its own version.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_message_is_decided_by_one_version_and_never_by_something_of_each() {
    let wearer = wearer(Stored::InMemory).await;
    let versions = [product("watch", WATCH), wider()];
    let first = versions[0].fingerprints["activity"][0].clone();
    let (mixed, under) = (Arc::new(AtomicU64::new(0)), Arc::new([AtomicU64::new(0), AtomicU64::new(0)]));
    let (seen_mixed, seen_under) = (Arc::clone(&mixed), Arc::clone(&under));
    wearer.world.journey.watch(Box::new(move |_, version, _, minimised| {
        let activity = version.purpose("activity").unwrap();
        let is_first = version.fingerprints("activity").first() == Some(&first);
        let item = version.item("heart-rate").unwrap();
        for fate in minimised.fates().filter(|fate| fate.item == item) {
            seen_under[usize::from(!is_first)].fetch_add(1, Ordering::Relaxed);
            if fate.decision.permitted.contains(activity) != is_first {
                seen_mixed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }));
    let version = wearer.world.product("watch").1.version();
    let number = version.stream_number(version.stream("vitals").unwrap()).unwrap();
    let wearer = Arc::new(wearer);
    let over = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..3_u32)
        .map(|sender| {
            let (wearer, over) = (Arc::clone(&wearer), Arc::clone(&over));
            tokio::spawn(async move {
                let mut seq = sender;
                while !over.load(Ordering::Relaxed) {
                    seq += 3;
                    let payload = vitals(seq, 71);
                    let message = Message { payload: payload.as_bytes(), idempotency_key: None };
                    let now = wearer.world.time();
                    wearer.world.journey.admit_by(wearer.device, number, message, now).await.unwrap();
                }
            })
        })
        .collect();
    for turn in 1..=600 {
        let product = versions[turn % 2].clone();
        let putting = Putting { product, source: None };
        wearer.world.journey.apply(putting, By::Housecarl, wearer.world.time()).await.unwrap();
        if turn % 20 == 0 {
            let objects = Said::NoMarketing(turn % 40 == 0);
            wearer.world.says(About::Person(wearer.person), "watch", objects).await;
        }
    }
    over.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.unwrap();
    }
    let under = under.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert!(under.iter().all(|count| *count > 0), "each version decided something: {under:?}");
    assert_eq!(mixed.load(Ordering::Relaxed), 0, "of {under:?}");
}
