//! Faults that the whole histories of `tests/simulation` have found, each as the story that it was.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::atomic::Ordering;

use housecarl_journey::audit::By;
use housecarl_journey::journey::{Admitted, Stored};
use housecarl_journey::people::{About, DeviceId, PersonId, Said};
use housecarl_journey_tests::{DAY, START, WATCH, World, vitals};
use housecarl_policy::AgeBand;

/// A wearer of the watch who agreed to what it is for.
async fn wearer(world: &World) -> (PersonId, DeviceId) {
    let person = world.person(AgeBand::Adult);
    let device = world.device("watch", Some(person));
    world.journey.add_mark(person, "p1", By::Housecarl, world.time()).unwrap();
    world.says(About::Device(device), "watch", Said::Feature("activity".to_owned(), true)).await;
    world.agrees(About::Person(person), "watch", &["activity"]).await;
    (person, device)
}

fn wants(world: &World, device: DeviceId, item: &str) -> bool {
    world.journey.wanted(device).unwrap().borrow().items().contains_key(item)
}

/// What came by a clock that was a year ahead lay behind the end of what was erased: unreadable, and there.
#[tokio::test]
async fn what_came_while_the_clock_was_ahead_is_erased_too() {
    for stored in [Stored::OnDisk, Stored::InMemory] {
        let world = World::new(stored, &[("watch", WATCH)]);
        let (person, device) = wearer(&world).await;
        world.now.store(START + 300 * DAY, Ordering::SeqCst);
        world.send(device, "watch", "vitals", &vitals(1, 71)).await.unwrap();
        world.now.store(START + DAY, Ordering::SeqCst);
        let held = world.journey.held(person.into()).unwrap();
        assert!(held > 0);
        let erased = world.journey.erase_person(person, By::Housecarl, world.time()).await.unwrap();
        assert_eq!(erased.parts, held);
        assert_eq!(world.journey.held(person.into()).unwrap(), 0);
        assert!(world.sees("watch", "activity", person).is_empty());
    }
}

/// Somebody agreed while the clock was ahead, and said something else once it was right. That they had said
/// that by the time of capture was taken to mean that they had said all of it.
#[tokio::test]
async fn what_was_agreed_by_a_clock_ahead_was_not_yet_agreed_when_it_was_captured() {
    let world = World::new(Stored::InMemory, &[("watch", WATCH)]);
    let person = world.person(AgeBand::Adult);
    let device = world.device("watch", Some(person));
    world.says(About::Device(device), "watch", Said::Feature("activity".to_owned(), true)).await;
    world.now.store(START + 300 * DAY, Ordering::SeqCst);
    world.agrees(About::Person(person), "watch", &["activity"]).await;
    world.now.store(START + DAY, Ordering::SeqCst);
    world.says(About::Person(person), "watch", Said::Refused("usage-statistics".to_owned())).await;
    world.pass(DAY);
    let late = format!(r#"{{"seq": 1, "ts": {}, "hr": 71}}"#, world.time() - 3_600);
    assert_eq!(world.send(device, "watch", "vitals", &late).await.unwrap(), Admitted::Nothing);
    // What has no time of capture is of now, and that was agreed to.
    let now = r#"{"seq": 2, "hr": 72}"#;
    assert!(matches!(world.send(device, "watch", "vitals", now).await.unwrap(), Admitted::Kept(_)));
    assert_eq!(world.sees("watch", "activity", person), ["heart-rate 72"]);
}

/// A device that came to a home was wanted to send nothing until somebody next changed their mind, or the
/// gateway started again.
#[tokio::test]
async fn a_device_that_comes_later_is_wanted_to_send_what_was_chosen_before() {
    let world = World::new(Stored::OnDisk, &[("watch", WATCH)]);
    let (person, first) = wearer(&world).await;
    assert!(wants(&world, first, "fall"));
    let second = world.device("watch", Some(person));
    let (product, _) = world.product("watch");
    let claim = world.journey.issue_claim(world.home, product, Some(person), By::Housecarl, START).unwrap();
    let (third, _) = world.journey.enrol(claim.reveal(), START).unwrap();
    let before: Vec<bool> = [second, third].map(|device| wants(&world, device, "fall")).into();
    let world = world.restarted();
    let after: Vec<bool> = [second, third].map(|device| wants(&world, device, "fall")).into();
    assert_eq!((&before, before == after), (&vec![true, true], true));
}

const LODGE: &str = include_str!("../../simulation/src/lodge.toml");

/// Somebody who moves in was asked nothing yet, and what is about all who live there went on being wanted.
#[tokio::test]
async fn what_is_about_a_household_is_not_wanted_once_somebody_new_was_not_asked() {
    let world = World::new(Stored::InMemory, &[("lodge", LODGE)]);
    let person = world.person(AgeBand::Adult);
    let device = world.device("lodge", None);
    world.says(About::Device(device), "lodge", Said::Feature("rooms".to_owned(), true)).await;
    world.agrees(About::Person(person), "lodge", &["comfort"]).await;
    assert!(wants(&world, device, "noise"));
    let _guest = world.person(AgeBand::Adult);
    assert!(!wants(&world, device, "noise"));
}

/// A purpose was over, and what it alone was wanted for went on being wanted.
#[tokio::test]
async fn what_a_purpose_that_is_over_was_wanted_for_is_not_wanted_any_more() {
    let over_soon = WATCH.replace("[purpose.routes]\n", "[purpose.routes]\nends = 2027-01-05\n");
    let world = World::new(Stored::InMemory, &[("watch", &over_soon)]);
    let (person, device) = wearer(&world).await;
    world.says(About::Device(device), "watch", Said::Feature("routes".to_owned(), true)).await;
    let exact = Said::Precision("position".to_owned(), "exact".to_owned());
    world.says(About::Person(person), "watch", exact).await;
    world.journey.expire(world.time()).unwrap();
    assert!(wants(&world, device, "position"));
    world.pass(5 * DAY);
    world.journey.expire(world.time()).unwrap();
    assert!(!wants(&world, device, "position"));
    assert!(wants(&world, device, "heart-rate"));
}

/// In a home of which nobody is known, what came late was kept for as long as for somebody known.
#[tokio::test]
async fn what_is_late_in_a_home_of_nobody_known_is_kept_for_the_shortest_time() {
    let world = World::new(Stored::InMemory, &[("lodge", LODGE)]);
    let device = world.device("lodge", None);
    let about = About::Device(device);
    let put = |purpose: &str| world.put("lodge", purpose);
    let told = |purpose: &str| Said::Told(vec![put(purpose)], housecarl_journey_tests::act());
    world.says(about, "lodge", told("guard")).await;
    world.journey.expire(world.time()).unwrap();
    world.pass(DAY);
    // Told of only now, so that of what was captured before `guard` alone is permitted.
    world.says(about, "lodge", told("statistics")).await;
    let captured = world.time() - 3_600;
    let late = format!(r#"{{"n": 1, "at": {captured}, "light": 300}}"#);
    world.send(device, "lodge", "room", &late).await.unwrap();
    let household = world.journey.household_of(world.home).unwrap();
    assert_eq!(world.sees("lodge", "guard", household), ["light true"]);
    assert!(world.sees("lodge", "statistics", household).is_empty());
    // Three hours for bystanders, and a day for people who are known.
    world.pass(5 * 3_600);
    world.journey.expire(world.time()).unwrap();
    assert_eq!(world.journey.held(household).unwrap(), 0);
}

/// A record without a guess gave its certainty to the guess of the record before it.
#[tokio::test]
async fn a_certainty_without_its_guess_belongs_to_no_other_record() {
    use housecarl_journey::read::Ask;
    let world = World::new(Stored::InMemory, &[("lodge", LODGE)]);
    let person = world.person(AgeBand::Adult);
    let device = world.device("lodge", Some(person));
    world.says(About::Device(device), "lodge", Said::Feature("advice".to_owned(), true)).await;
    world.agrees(About::Person(person), "lodge", &["advice"]).await;
    world.says(About::Person(person), "lodge", Said::Precision("mood".to_owned(), "exact".to_owned())).await;
    let batch = r#"{"n": 1, "entries": [{"mood": "calm"}, {"sure": 0.9}]}"#;
    world.send(device, "lodge", "log", batch).await.unwrap();
    let (number, in_force) = world.product("lodge");
    let ask = Ask {
        reader: housecarl_journey_tests::READER,
        product: number,
        purpose: in_force.version().purpose("advice").unwrap(),
        subject: person.into(),
        stream: None,
        received: 0..u64::MAX,
    };
    let mut certain = Vec::new();
    let each = |released: housecarl_journey::read::Released| {
        certain.push(released.certainty.is_some());
        true
    };
    world.journey.read(&ask, world.time(), each).unwrap();
    assert_eq!(certain, [false]);
}
