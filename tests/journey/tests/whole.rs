//! One message from its arrival to its end, on the store that a gateway has and on the reference.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use housecarl_journey::audit::By;
use housecarl_journey::journey::{Admitted, Settings, Stored};
use housecarl_journey::people::{About, Said};
use housecarl_journey_tests::{DAY, START, WATCH, Wearer, World, at, product, vitals};
use housecarl_policy::AgeBand;

const STORES: [Stored; 2] = [Stored::OnDisk, Stored::InMemory];

async fn wearer(stored: Stored) -> Wearer {
    Wearer::new(stored).await
}

#[tokio::test]
async fn a_purpose_sees_what_it_uses_and_was_agreed_to_and_no_more() {
    for stored in STORES {
        let wearer = wearer(stored).await;
        assert!(matches!(wearer.send(&vitals(1, 71)).await, Admitted::Kept(_)));
        assert_eq!(wearer.sees("activity"), ["heart-rate 71", "steps 4210"]);
        // Explicit consent was given for activity alone.
        assert!(wearer.sees("coaching").is_empty());
        assert!(wearer.sees("crash-reports").is_empty());
        assert_eq!(wearer.sees("usage-statistics"), ["battery 75", "steps 4210"]);
    }
}

#[tokio::test]
async fn a_stranger_keeps_nothing() {
    for stored in STORES {
        let wearer = wearer(stored).await;
        let somebody = vitals(1, 71).replace("p1", "p9");
        wearer.send(&somebody).await;
        assert!(wearer.sees("activity").is_empty(), "what is about somebody else is not the holder's");
    }
}

#[tokio::test]
async fn the_same_message_is_stored_once_also_after_a_restart() {
    for stored in STORES {
        let mut wearer = wearer(stored).await;
        assert!(matches!(wearer.send(&vitals(1, 71)).await, Admitted::Kept(_)));
        assert_eq!(wearer.send(&vitals(1, 71)).await, Admitted::Again);
        // The manifest says that the number makes it itself, and not what it says.
        assert_eq!(wearer.send(&vitals(1, 99)).await, Admitted::Again);
        if matches!(stored, Stored::OnDisk) {
            wearer.world = wearer.world.restarted();
            assert_eq!(wearer.send(&vitals(1, 71)).await, Admitted::Again);
        }
        assert!(matches!(wearer.send(&vitals(2, 72)).await, Admitted::Kept(_)));
        assert_eq!(wearer.sees("activity").len(), 4);
        wearer.world.pass(15 * DAY);
        assert!(matches!(wearer.send(&vitals(1, 71)).await, Admitted::Kept(_)), "remembered for ever");
    }
}

#[tokio::test]
async fn a_restart_changes_nothing_that_was_said_or_stored() {
    let mut wearer = wearer(Stored::OnDisk).await;
    wearer.says(Said::Precision("position".to_owned(), "town".to_owned())).await;
    wearer.send(&vitals(1, 71)).await;
    let before: Vec<_> =
        ["activity", "routes", "usage-statistics"].map(|purpose| wearer.sees(purpose)).into();
    assert_eq!(before.iter().map(Vec::len).sum::<usize>(), 6, "{before:?}");
    wearer.world = wearer.world.restarted();
    let after: Vec<_> = ["activity", "routes", "usage-statistics"].map(|purpose| wearer.sees(purpose)).into();
    assert_eq!(before, after);
    wearer.says(Said::Refused("activity".to_owned())).await;
    wearer.world = wearer.world.restarted();
    assert!(wearer.sees("activity").is_empty());
}

#[tokio::test]
async fn what_is_withdrawn_is_neither_read_nor_taken_any_more() {
    for stored in STORES {
        let wearer = wearer(stored).await;
        wearer.send(&vitals(1, 71)).await;
        wearer.says(Said::Refused("activity".to_owned())).await;
        assert!(wearer.sees("activity").is_empty());
        wearer.send(&vitals(2, 72)).await;
        wearer.world.agrees(About::Person(wearer.person), "watch", &["activity"]).await;
        let seen = wearer.sees("activity");
        assert!(!seen.contains(&"heart-rate 72".to_owned()), "kept while it was refused");
    }
}

#[tokio::test]
async fn a_precision_that_is_lowered_holds_for_what_is_there_already() {
    for stored in STORES {
        let wearer = wearer(stored).await;
        let precision = |step: &str| Said::Precision("position".to_owned(), step.to_owned());
        wearer.send(&vitals(1, 71)).await;
        assert!(wearer.sees("routes").is_empty(), "off is where everybody starts");
        wearer.says(precision("exact")).await;
        wearer.send(&vitals(2, 71)).await;
        assert_eq!(wearer.sees("routes"), ["position -0.12776", "position 51.50735"]);
        wearer.says(precision("town")).await;
        let town = wearer.sees("routes");
        assert_eq!(town.len(), 2);
        assert!(town.iter().all(|seen| seen.len() <= "position -0.13".len()), "{town:?}");
        wearer.says(precision("off")).await;
        assert!(wearer.sees("routes").is_empty());
    }
}

#[tokio::test]
async fn what_is_erased_is_gone_and_what_comes_after_is_kept() {
    for stored in STORES {
        let mut wearer = wearer(stored).await;
        for number in 1..=25 {
            wearer.send(&vitals(number, 70)).await;
        }
        assert_eq!(wearer.sees("activity").len(), 50);
        let held = wearer.world.journey.held(wearer.person.into()).unwrap();
        assert!(held > 0);
        let erased = wearer
            .world
            .journey
            .erase_person(wearer.person, By::Housecarl, wearer.world.time())
            .await
            .unwrap();
        assert_eq!(erased.parts, held);
        assert!(erased.keys > 0);
        assert_eq!(wearer.world.journey.held(wearer.person.into()).unwrap(), 0);
        assert!(wearer.sees("activity").is_empty());
        wearer.world.pass(60);
        assert!(matches!(wearer.send(&vitals(100, 66)).await, Admitted::Kept(_)));
        assert_eq!(wearer.sees("activity"), ["heart-rate 66", "steps 4210"]);
        if matches!(stored, Stored::OnDisk) {
            wearer.world = wearer.world.restarted();
            assert_eq!(wearer.sees("activity"), ["heart-rate 66", "steps 4210"]);
        }
    }
}

#[tokio::test]
async fn each_purpose_sees_no_longer_than_it_keeps_and_the_bucket_goes_at_its_end() {
    for stored in STORES {
        let wearer = wearer(stored).await;
        let world = &wearer.world;
        world.journey.expire(world.time()).unwrap();
        wearer.send(&vitals(1, 71)).await;
        for _ in 0..23 {
            world.pass(2 * DAY);
            world.journey.expire(world.time()).unwrap();
        }
        assert!(wearer.sees("usage-statistics").is_empty(), "kept for 30 days");
        assert_eq!(wearer.sees("activity").len(), 2, "kept for 13 months");
        if matches!(stored, Stored::OnDisk) {
            // A year of files is for the reference.
            continue;
        }
        let held = world.journey.held(wearer.person.into()).unwrap();
        assert!(held > 0);
        for _ in 0..225 {
            world.pass(2 * DAY);
            world.journey.expire(world.time()).unwrap();
        }
        assert!(wearer.sees("activity").is_empty());
        assert_eq!(world.journey.held(wearer.person.into()).unwrap(), 0);
    }
}

#[tokio::test]
async fn what_comes_late_is_kept_for_what_was_permitted_then_and_is_now() {
    for stored in STORES {
        let mut wearer = wearer(stored).await;
        // Agreed at the start; refused on the first day; agreed again on the second.
        wearer.world.pass(DAY);
        wearer.says(Said::Refused("activity".to_owned())).await;
        wearer.world.pass(DAY);
        wearer.world.agrees(About::Person(wearer.person), "watch", &["activity"]).await;
        wearer.world.pass(DAY);
        if matches!(stored, Stored::OnDisk) {
            wearer.world = wearer.world.restarted();
        }
        let captured = [
            (1, (START - DAY).to_string()),
            (2, (START + DAY / 2).to_string()),
            (3, (START + DAY + DAY / 2).to_string()),
            (4, (START + 2 * DAY + DAY / 2).to_string()),
            (5, (START + 3 * DAY).to_string()),
            (6, "0".to_owned()),
            (7, r#""2099-01-01T00:00:00Z""#.to_owned()),
            (8, r#""soon""#.to_owned()),
        ];
        for (number, captured) in &captured {
            wearer.send(&at(*number, captured)).await;
        }
        wearer.send(&vitals(9, 9)).await;
        let seen: Vec<String> =
            wearer.sees("activity").into_iter().filter(|seen| seen.starts_with("heart-rate")).collect();
        // Before anything was said, while it was refused, and at no believable time: not kept.
        assert_eq!(seen, ["heart-rate 2", "heart-rate 4", "heart-rate 5", "heart-rate 9"]);
    }
}

#[tokio::test]
async fn what_was_captured_before_an_erasure_does_not_come_back() {
    for stored in STORES {
        let wearer = wearer(stored).await;
        wearer.world.pass(DAY);
        wearer.world.journey.erase_person(wearer.person, By::Housecarl, wearer.world.time()).await.unwrap();
        wearer.world.pass(DAY);
        assert_eq!(wearer.send(&at(1, &(START + DAY / 2).to_string())).await, Admitted::Nothing);
        assert!(matches!(wearer.send(&at(2, &(START + DAY + 1).to_string())).await, Admitted::Kept(_)));
    }
}

#[tokio::test]
async fn a_device_is_told_what_is_wanted_of_it_and_nothing_before_a_choice() {
    let world = World::new(Stored::InMemory, &[("watch", WATCH)]);
    let person = world.person(AgeBand::Adult);
    let device = world.device("watch", Some(person));
    let mut wanted = world.journey.wanted(device).unwrap();
    let items = |wanted: &housecarl_journey::wanted::Wanted| -> Vec<String> {
        wanted.items().iter().map(|(item, step)| format!("{item} {step}").trim_end().to_owned()).collect()
    };
    assert_eq!(wanted.borrow().to_json(), br#"{"wanted":{}}"#);
    for feature in ["activity", "routes"] {
        world.says(About::Device(device), "watch", Said::Feature(feature.to_owned(), true)).await;
    }
    // An alarm on life needs nobody to be told.
    assert_eq!(items(&wanted.borrow_and_update()), ["fall"]);
    world.agrees(About::Person(person), "watch", &["activity"]).await;
    let now = items(&wanted.borrow_and_update());
    assert!(
        now.contains(&"heart-rate".to_owned()) && !now.iter().any(|item| item.starts_with("position")),
        "{now:?}"
    );
    let precision = |step: &str| Said::Precision("position".to_owned(), step.to_owned());
    world.says(About::Person(person), "watch", precision("street")).await;
    assert!(items(&wanted.borrow_and_update()).contains(&"position street".to_owned()));
    world.says(About::Person(person), "watch", precision("town")).await;
    assert!(wanted.has_changed().unwrap());
    assert!(items(&wanted.borrow_and_update()).contains(&"position town".to_owned()));
    world.says(About::Person(person), "watch", Said::Refused("activity".to_owned())).await;
    assert!(!items(&wanted.borrow_and_update()).contains(&"heart-rate".to_owned()));
}

#[tokio::test]
async fn a_device_comes_in_by_its_claim_and_its_secret_until_it_is_revoked() {
    let mut world = World::new(Stored::OnDisk, &[("watch", WATCH)]);
    let (product, _) = world.product("watch");
    let (journey, now) = (&world.journey, world.time());
    let code = journey.issue_claim(world.home, product, None, By::Housecarl, now).unwrap();
    assert!(journey.enrol("0000", now).is_err());
    let (device, secret) = journey.enrol(code.reveal(), now).unwrap();
    assert!(journey.enrol(code.reveal(), now).is_err(), "a code is good for once");
    let old = journey.issue_claim(world.home, product, None, By::Housecarl, now).unwrap();
    assert!(journey.enrol(old.reveal(), now + DAY).is_err(), "and for a day");
    assert!(journey.device_with(device, b"wrong").is_none());
    let first = secret.reveal().as_bytes().to_vec();
    assert!(journey.device_with(device, &first).is_some());
    let open = journey.device_with(device, &first).unwrap();
    let renewed = journey.renew_device_secret(device, By::Housecarl, now).unwrap();
    open.revoked().await;
    assert!(journey.device_with(device, &first).is_none());
    world = world.restarted();
    let journey = &world.journey;
    let open = journey.device_with(device, renewed.reveal().as_bytes()).unwrap();
    journey.revoke_device(device, By::Housecarl, now).unwrap();
    open.revoked().await;
    assert!(journey.device_with(device, renewed.reveal().as_bytes()).is_none());
    world = world.restarted();
    assert!(world.journey.device_with(device, renewed.reveal().as_bytes()).is_none());
}

#[test]
fn operators_and_consumers_have_a_token_that_can_be_renewed_and_revoked() {
    use housecarl_journey::people::credentials::Role;
    let world = World::new(Stored::OnDisk, &[("watch", WATCH)]);
    let journey = &world.journey;
    let first = journey.first_operator(START).unwrap().unwrap();
    assert!(journey.first_operator(START).unwrap().is_none(), "there is one first operator");
    let token = journey.renew_operator(first.reveal(), START).unwrap();
    assert_eq!(journey.operator_with(first.reveal()).unwrap(), None);
    assert_eq!(journey.operator_with(token.reveal()).unwrap().unwrap().role, Role::Operator);
    let purposes = vec!["activity".to_owned(), "sleep".to_owned()];
    let consumer = Role::Consumer { product: "watch".to_owned(), purposes };
    let (_, reader) = journey.add_operator(&consumer, By::Housecarl, START).unwrap();
    let unknown = Role::Consumer { product: "watch".to_owned(), purposes: vec!["nothing".to_owned()] };
    assert!(journey.add_operator(&unknown, By::Housecarl, START).is_err());
    assert_eq!(journey.operator_with(reader.reveal()).unwrap().unwrap().role, consumer);
    journey.revoke_operator(token.reveal(), By::Housecarl, START).unwrap();
    assert_eq!(journey.operator_with(token.reveal()).unwrap(), None);
    assert!(journey.renew_operator(token.reveal(), START).is_err());
    assert!(world.restarted().journey.first_operator(START).unwrap().is_none());
}

#[tokio::test]
async fn a_clock_that_jumps_destroys_nothing() {
    let wearer = wearer(Stored::OnDisk).await;
    let world = &wearer.world;
    world.journey.expire(world.time()).unwrap();
    wearer.send(&vitals(1, 71)).await;
    let right = world.time();
    world.now.store(START + 40_000 * DAY, std::sync::atomic::Ordering::SeqCst);
    for _ in 0..10 {
        world.pass(3_600);
        let expired = world.journey.expire(world.time()).unwrap();
        assert!(expired.clock_jumped && expired.buckets == 0);
        assert!(wearer.sees("activity").is_empty(), "read past its date");
    }
    world.now.store(right + 36_000, std::sync::atomic::Ordering::SeqCst);
    world.journey.expire(world.time()).unwrap();
    assert_eq!(wearer.sees("activity").len(), 2);
}

#[test]
fn a_second_gateway_and_another_root_key_are_refused() {
    let world = World::new(Stored::OnDisk, &[("watch", WATCH)]);
    let settings = Settings { keep_free: 0, ..Settings::in_folder(world.folder.path()) };
    let open = |settings: &Settings| {
        let products = vec![product("watch", WATCH)];
        housecarl_journey::journey::Journey::open(settings, products, || START, |_| {}).map(drop)
    };
    let error = open(&settings).unwrap_err().to_string();
    assert_eq!(error, "another gateway has the data directory open");
    drop(world.journey);
    let other = Settings { root_key: world.folder.path().join("other.key"), ..settings.clone() };
    let error = open(&other).unwrap_err().to_string();
    assert!(error.starts_with("the root key is not the one of this key file"), "{error}");
    open(&settings).unwrap();
}
