//! A restore brings back what may come back: no consent that may have been withdrawn since, nothing that was erased
//! since, no key that is destroyed, and no second past of the audit log.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;

use housecarl_audit::{Tiles, VerifierKey, tile, verify};
use housecarl_journey::audit::{AuditError, By, EntryNumber};
use housecarl_journey::backup::{Erasures, NotRestored, restore};
use housecarl_journey::erase::Selector;
use housecarl_journey::journey::{Admitted, Journey, OpenError, Stored};
use housecarl_journey::people::{About, DeviceId, PersonId, Said};
use housecarl_journey_tests::{DAY, WATCH, World, settings, vitals};
use housecarl_policy::AgeBand;

struct Wearer {
    world: World,
    person: PersonId,
    device: DeviceId,
}

const FEATURES: [&str; 4] = ["activity", "coaching", "routes", "sleep"];

async fn settle(world: &World, device: DeviceId) {
    for feature in FEATURES {
        world.says(About::Device(device), "watch", Said::Feature(feature.to_owned(), true)).await;
    }
    world.agrees(About::Device(device), "watch", &["crash-reports"]).await;
}

/// A watch whose wearer was told of everything and agreed to two purposes.
async fn wearer() -> Wearer {
    let world = World::new(Stored::OnDisk, &[("watch", WATCH)]);
    let person = world.person(AgeBand::Adult);
    let device = world.device("watch", Some(person));
    world.journey.add_mark(person, "p1", By::Housecarl, world.time()).unwrap();
    settle(&world, device).await;
    world.agrees(About::Person(person), "watch", &["activity", "coaching"]).await;
    Wearer { world, person, device }
}

impl Wearer {
    async fn send(&self, number: u32) -> Admitted {
        self.world.send(self.device, "watch", "vitals", &vitals(number, 60 + number)).await.unwrap()
    }

    fn sees(&self, purpose: &str) -> Vec<String> {
        self.world.sees("watch", purpose, self.person)
    }

    async fn says(&self, said: Said) {
        self.world.says(About::Person(self.person), "watch", said).await;
    }
}

#[tokio::test]
async fn a_consent_that_was_withdrawn_after_the_copy_does_not_come_back() {
    let wearer = wearer().await;
    wearer.send(1).await;
    let copied = wearer.world.copied();
    wearer.world.pass(DAY);
    wearer.says(Said::Refused("activity".to_owned())).await;
    let Wearer { world, person, device } = wearer;
    let (world, restored) = world.restored(&copied, |_| ()).unwrap();
    assert_eq!((restored.parts > 0, restored.unreadable, restored.asked_again), (true, 0, 2));
    let wearer = Wearer { world, person, device };

    // Nobody knows here what was withdrawn, so nothing that was agreed to counts.
    for purpose in ["activity", "coaching", "usage-statistics"] {
        assert!(wearer.sees(purpose).is_empty(), "{purpose}");
    }
    // An alarm on life asks nobody.
    assert_eq!(wearer.send(2).await, Admitted::Kept(1));
    assert!(!wearer.sees("fall-alarm").is_empty());
    let wearer = Wearer { world: wearer.world.restarted(), ..wearer };
    assert!(wearer.sees("coaching").is_empty(), "after another start");
    // What is agreed to again is open again, for what was kept before too, and nothing else is.
    settle(&wearer.world, wearer.device).await;
    wearer.world.agrees(About::Person(wearer.person), "watch", &["coaching"]).await;
    assert_eq!(wearer.sees("coaching"), ["heart-rate 61", "steps 4210"]);
    assert!(wearer.sees("activity").is_empty());
    assert_eq!(wearer.sees("usage-statistics").len(), 2, "told of it again");
}

#[tokio::test]
async fn a_no_from_before_the_copy_stays_a_no() {
    let wearer = wearer().await;
    wearer.send(1).await;
    wearer.says(Said::Refused("usage-statistics".to_owned())).await;
    let copied = wearer.world.copied();
    let Wearer { world, person, device } = wearer;
    let (world, _) = world.restored(&copied, |_| ()).unwrap();
    let wearer = Wearer { world, person, device };
    settle(&wearer.world, wearer.device).await;
    wearer.world.agrees(About::Person(wearer.person), "watch", &["activity"]).await;
    assert!(wearer.sees("usage-statistics").is_empty() && !wearer.sees("activity").is_empty());
}

#[tokio::test]
async fn what_was_erased_after_the_copy_is_erased_again() {
    let everything = || Selector::ALL;
    for (is_listed, what) in
        [(true, everything()), (false, everything()), (true, Selector { received: 0..0, ..Selector::ALL })]
    {
        let wearer = wearer().await;
        wearer.send(1).await;
        wearer.world.pass(3 * DAY);
        let later = wearer.world.time();
        wearer.send(2).await;
        let copied = wearer.world.copied();
        wearer.world.pass(DAY);
        let is_all = what == Selector::ALL;
        let what = if is_all { what } else { Selector { received: 0..later, ..what } };
        let by = By::Housecarl;
        wearer.world.journey.erase(wearer.person.into(), &what, by, wearer.world.time()).await.unwrap();
        let held = wearer.world.journey.held(wearer.person.into()).unwrap();
        let Wearer { world, person, device } = wearer;
        let restored = world.restored(&copied, |sources| {
            if !is_listed {
                sources.erasures = Erasures::Unknown;
            }
        });
        let (world, restored) = restored.unwrap();
        assert_eq!(restored.erasures_until.is_some(), is_listed);
        let wearer = Wearer { world, person, device };
        settle(&wearer.world, wearer.device).await;
        wearer.world.agrees(About::Person(wearer.person), "watch", &["activity"]).await;
        let expected: &[&str] = match (is_listed, is_all) {
            (true, true) => &[],
            (true, false) => &["heart-rate 62", "steps 4210"],
            // It is the list that makes the difference.
            (false, _) => &["heart-rate 61", "heart-rate 62", "steps 4210", "steps 4210"],
        };
        assert_eq!(wearer.sees("activity"), expected);
        if is_listed {
            assert_eq!(wearer.world.journey.held(wearer.person.into()).unwrap(), held);
            // What was captured before the erasure is not taken when it is sent again.
            assert_eq!(wearer.world.journey.erase_again().unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn who_was_forgotten_after_the_copy_does_not_come_back() {
    let wearer = wearer().await;
    wearer.send(1).await;
    let copied = wearer.world.copied();
    wearer.world.pass(DAY);
    wearer.world.journey.forget(wearer.person, By::Housecarl, wearer.world.time()).await.unwrap();
    let Wearer { world, person, device } = wearer;
    let (world, _) = world.restored(&copied, |_| ()).unwrap();
    assert_eq!(world.journey.home_of_person(person), None);
    assert_eq!(world.journey.held(person.into()).unwrap(), 0);
    // Nobody is known by the mark any more, and the device is nobody's.
    settle(&world, device).await;
    world.send(device, "watch", "vitals", &vitals(2, 62)).await.unwrap();
    assert_eq!(world.journey.held(person.into()).unwrap(), 0);
    let world = world.restarted();
    assert_eq!(world.journey.home_of_person(person), None, "after another start");
}

#[tokio::test]
async fn what_was_over_since_the_copy_has_no_key_any_more() {
    let wearer = wearer().await;
    let fall = vitals(1, 71).replace("\"fall\": false", "\"fall\": true");
    wearer.world.send(wearer.device, "watch", "vitals", &fall).await.unwrap();
    wearer.world.pass(25 * DAY);
    let copied = wearer.world.copied();
    wearer.world.pass(8 * DAY);
    let Wearer { world, .. } = wearer;
    let (_, restored) = world.restored(&copied, |_| ()).unwrap();
    // The fall and what is counted are kept for 30 days, what the watch shows for months.
    assert!(restored.unreadable > 0 && restored.parts > 0, "{restored:?}");
}

#[tokio::test]
async fn a_copy_of_the_keys_ages_out() {
    let wearer = wearer().await;
    wearer.send(1).await;
    let copied = wearer.world.copied();
    let keys = copied.keys.clone().unwrap();
    wearer.world.pass(14 * DAY - 1);
    assert_eq!(wearer.world.journey.destroy_old_copies(wearer.world.time()).unwrap(), 0);
    wearer.world.pass(1);
    let kept = copied.keys.as_ref().map(|path| path.with_extension("kept")).unwrap();
    fs::copy(&keys, &kept).unwrap();
    assert_eq!(wearer.world.journey.destroy_old_copies(wearer.world.time()).unwrap(), 1);
    assert!(!keys.exists());
    let refused = wearer.world.restored(&copied, |sources| sources.keys = kept.clone());
    let (error, folder) = refused.unwrap_err();
    assert!(matches!(error, NotRestored::TooOld(..)), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the root key alone");
}

/// A folder with a published log.
struct Folder<'f>(&'f std::path::Path);

impl Tiles for Folder<'_> {
    type Error = std::io::Error;

    fn read(&self, path: tile::Path) -> std::io::Result<Option<Vec<u8>>> {
        fs::read(self.0.join(path.to_string())).map(Some)
    }
}

#[tokio::test]
async fn the_log_goes_on_from_where_it_was_published_or_another_begins() {
    for is_at_hand in [true, false] {
        let wearer = wearer().await;
        wearer.send(1).await;
        wearer.world.journey.integrate(wearer.world.time()).unwrap();
        let copied = wearer.world.copied();
        wearer.says(Said::Refused("activity".to_owned())).await;
        let (key, old) = (wearer.world.journey.verifier_key(), wearer.world.folder.clone());
        let Wearer { world, .. } = wearer;
        let restored = world.restored(&copied, |sources| {
            if !is_at_hand {
                sources.log = None;
            }
        });
        let (world, restored) = restored.unwrap();
        let published = fs::read(old.path().join("log/checkpoint")).unwrap();
        let new_key: VerifierKey = world.journey.verifier_key().parse().unwrap();
        let size = world.journey.integrate(world.time()).unwrap().size;
        let folder = world.journey.log_folder();
        let checkpoint = fs::read(folder.join("checkpoint")).unwrap();
        let since = is_at_hand.then_some(published.as_slice());
        let verdict = verify::log(&Folder(folder), &checkpoint, &new_key, since).unwrap();
        assert_eq!(verdict.checkpoint.size(), size);
        assert_eq!(new_key.to_string() == key, is_at_hand, "the old key never signs a second log");
        // The withdrawal, and what was copied and not yet told.
        assert_eq!(restored.log_entries.is_some_and(|entries| entries >= 1), is_at_hand);
        if let Some(since) = verdict.since {
            let last = EntryNumber(since.size() - 1);
            assert!(matches!(world.journey.receipt(last), Err(AuditError::Lost)));
        }
        assert!(world.journey.receipt(EntryNumber(size - 1)).is_ok());
    }
}

#[tokio::test]
async fn a_restore_that_was_cut_short_is_begun_again_and_nothing_else_is_written_over() {
    let wearer = wearer().await;
    wearer.send(1).await;
    let copied = wearer.world.copied();
    let copies = wearer.world.copies.clone();
    let now = wearer.world.time();
    let missing = |sources: &mut housecarl_journey::backup::Sources| {
        sources.records = sources.records.join("none");
    };
    let (error, folder) = wearer.world.restored(&copied, missing).unwrap_err();
    assert!(matches!(error, NotRestored::File(..)), "{error}");
    let opened = || {
        let settings = settings(&folder, &copies);
        Journey::open(&settings, Vec::new(), move || now, |_| ())
    };
    assert!(matches!(opened(), Err(OpenError::Restoring(_))), "it has keys, and not yet what was erased");
    // As if it had been cut short while everything was moved to its place.
    fs::rename(folder.path().join("restoring/keys"), folder.path().join("keys")).unwrap();
    let sources = housecarl_journey::backup::Sources {
        records: copied.records.clone().unwrap(),
        keys: copied.keys.clone().unwrap(),
        erasures: Erasures::Beside,
        log: None,
    };
    let again = || restore(&settings(&folder, &copies), &sources, move || now);
    assert!(again().unwrap().parts > 0);
    assert!(opened().is_ok());
    assert!(matches!(again(), Err(NotRestored::NotEmpty(_))));
    let list = sources.keys.with_file_name("erasures.sqlite");
    fs::remove_file(list).unwrap();
    assert!(matches!(again(), Err(NotRestored::NoList(_))));
}
