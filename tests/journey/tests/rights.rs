//! What people can have done with what is held about them, on the store that a gateway has and on the
//! reference.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::ops::Range;

use housecarl_journey::audit::By;
use housecarl_journey::erase::{Erased, Selector};
use housecarl_journey::journey::{Admitted, NotChanged, Stored};
use housecarl_journey::people::SubjectId;
use housecarl_journey_tests::{DAY, START, Wearer, at, vitals};

const STORES: [Stored; 2] = [Stored::OnDisk, Stored::InMemory];

fn span(received: Range<u64>) -> Selector {
    Selector { received, ..Selector::ALL }
}

fn item(wearer: &Wearer, name: &str) -> Selector {
    let (number, product) = wearer.world.product("watch");
    Selector { item: product.version().item(name).map(|item| (number, item)), ..Selector::ALL }
}

/// Erases what the preview says first.
async fn erase(wearer: &Wearer, subject: impl Into<SubjectId>, what: &Selector) -> Erased {
    let (journey, now, subject) = (&wearer.world.journey, wearer.world.time(), subject.into());
    let would = journey.would_erase(subject, what, now).unwrap();
    let erased = journey.erase(subject, what, By::Housecarl, now).await.unwrap();
    assert_eq!(erased.parts, would, "said before and after");
    assert_eq!(journey.would_erase(subject, what, now).unwrap(), 0);
    erased
}

/// A wearer with a message on each of three days; the heart rates say which.
async fn three_days(stored: Stored) -> Wearer {
    let wearer = Wearer::new(stored).await;
    for day in 1..=3 {
        wearer.send(&vitals(day, 60 + day)).await;
        wearer.world.pass(DAY);
    }
    wearer
}

#[tokio::test]
async fn a_span_goes_and_the_rest_stays_under_a_new_key() {
    for stored in STORES {
        let mut wearer = three_days(stored).await;
        let held = wearer.held();
        let erased = erase(&wearer, wearer.person, &span(START + DAY..START + 2 * DAY)).await;
        assert_eq!((erased.keys, erased.parts), (1, held / 3));
        for _ in 0..2 {
            let seen = wearer.sees("activity");
            assert_eq!(seen, ["heart-rate 61", "heart-rate 63", "steps 4210", "steps 4210"]);
            assert_eq!(wearer.held(), held - erased.parts);
            wearer.restart();
        }
        wearer.send(&vitals(4, 64)).await;
        assert!(wearer.sees("activity").contains(&"heart-rate 64".to_owned()));
        // Again, and of what was sealed again before.
        erase(&wearer, wearer.person, &span(0..START + DAY)).await;
        assert_eq!(wearer.sees("activity"), ["heart-rate 63", "heart-rate 64", "steps 4210", "steps 4210"]);
    }
}

#[tokio::test]
async fn a_kind_goes_and_what_stood_beside_it_stays() {
    for stored in STORES {
        let mut wearer = three_days(stored).await;
        let held = wearer.held();
        erase(&wearer, wearer.person, &item(&wearer, "steps")).await;
        for _ in 0..2 {
            assert_eq!(wearer.sees("activity"), ["heart-rate 61", "heart-rate 62", "heart-rate 63"]);
            assert!(wearer.sees("usage-statistics").iter().all(|seen| seen.starts_with("battery")));
            wearer.restart();
        }
        assert!(wearer.held() < held, "a part that held nothing else");
        wearer.send(&vitals(4, 64)).await;
        assert!(wearer.sees("activity").contains(&"steps 4210".to_owned()), "erased for the past alone");
    }
}

#[tokio::test]
async fn a_stream_goes_and_the_others_stay() {
    for stored in STORES {
        let wearer = three_days(stored).await;
        let number = |name: &str| {
            let version = wearer.world.product("watch").1.version();
            version.stream_number(version.stream(name).unwrap())
        };
        let (vitals, minutes) = (number("vitals"), number("minutes"));
        let held = wearer.held();
        let none = erase(&wearer, wearer.person, &Selector { stream: minutes, ..Selector::ALL }).await;
        assert_eq!((none.keys, none.parts, wearer.held()), (0, 0, held));
        let all = erase(&wearer, wearer.person, &Selector { stream: vitals, ..Selector::ALL }).await;
        assert_eq!((all.keys, all.parts, wearer.held()), (1, held, 0));
    }
}

#[tokio::test]
async fn what_comes_late_is_held_to_what_was_erased_and_to_no_more() {
    for stored in STORES {
        let mut wearer = three_days(stored).await;
        erase(&wearer, wearer.person, &span(START + DAY..START + 2 * DAY)).await;
        erase(&wearer, wearer.person, &Selector { received: START..START + DAY, ..item(&wearer, "steps") })
            .await;
        wearer.restart();
        let mut sent = 10;
        let mut late = async |captured: u64| {
            sent += 1;
            (wearer.send(&at(sent, &captured.to_string())).await, sent)
        };
        let (within, _) = late(START + DAY).await;
        assert_eq!(within, Admitted::Nothing, "acknowledged and dropped");
        let (last, _) = late(START + 2 * DAY - 1).await;
        assert_eq!(last, Admitted::Nothing);
        let (_, before) = late(START + DAY - 1).await;
        let (_, after) = late(START + 2 * DAY).await;
        let seen = wearer.sees("activity");
        let has = |item: String| seen.contains(&item);
        assert!(has(format!("heart-rate {before}")) && has(format!("heart-rate {after}")), "{seen:?}");
        // Steps of the first message of all, of the day before and of the span are gone; two are left.
        assert_eq!(seen.iter().filter(|seen| seen.starts_with("steps")).count(), 2, "{seen:?}");
    }
}

#[tokio::test]
async fn a_selection_of_nothing_is_refused_and_changes_nothing() {
    let wearer = three_days(Stored::InMemory).await;
    let (journey, now) = (&wearer.world.journey, wearer.world.time());
    let size = journey.integrate(now).unwrap().size;
    for nothing in [span(5..5), span(Range { start: 6, end: 5 })] {
        let subject = wearer.person.into();
        let refused = journey.erase(subject, &nothing, By::Housecarl, now).await;
        assert!(matches!(refused, Err(NotChanged::Unselected)));
        assert!(matches!(journey.would_erase(subject, &nothing, now), Err(NotChanged::Unselected)));
    }
    let nobody = journey.erase(SubjectId([3; 16]), &Selector::ALL, By::Housecarl, now).await;
    assert!(matches!(nobody, Err(NotChanged::Unknown(_))));
    assert_eq!((journey.integrate(now).unwrap().size, wearer.sees("activity").len()), (size, 6));
}

#[tokio::test]
async fn what_is_about_nobody_identified_goes_by_itself() {
    for stored in STORES {
        let wearer = three_days(stored).await;
        // A fall is about whoever is there.
        wearer.send(&vitals(4, 64).replace("p1", "p9")).await;
        let journey = &wearer.world.journey;
        let bystanders = journey.bystanders_of(wearer.world.home).unwrap();
        let held = (wearer.held(), journey.held(bystanders).unwrap());
        assert_eq!(held.1, 1);
        erase(&wearer, bystanders, &Selector::ALL).await;
        assert_eq!((wearer.held(), journey.held(bystanders).unwrap()), (held.0, 0));
        assert_eq!(wearer.sees("activity").len(), 6);
    }
}

#[tokio::test]
async fn an_erasure_while_the_device_goes_on_loses_nothing_that_comes_after() {
    for stored in STORES {
        let wearer = three_days(stored).await;
        let selected = span(0..START + 3 * DAY);
        let erasing = erase(&wearer, wearer.person, &selected);
        let sending = async {
            for number in 10..60 {
                assert!(matches!(wearer.send(&vitals(number, number)).await, Admitted::Kept(_)));
            }
        };
        tokio::join!(erasing, sending);
        assert_eq!(wearer.sees("activity").len(), 100);
    }
}
