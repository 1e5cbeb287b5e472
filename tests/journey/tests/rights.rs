//! What people can have done with what is held about them, on the store that a gateway has and on the
//! reference.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::ops::Range;

use housecarl_audit::Receipt;
use housecarl_journey::audit::{AuditError, By, EntryNumber};
use housecarl_journey::clean_up::CleanedUp;
use housecarl_journey::erase::{Erased, Selector};
use housecarl_journey::journey::{Admitted, NotChanged, Stored};
use housecarl_journey::people::birthdays::Month;
use housecarl_journey::people::{About, Said, SubjectId};
use housecarl_journey_tests::{DAY, START, WATCH, Wearer, World, act, at, vitals};
use housecarl_policy::{AgeBand, Standing};

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
    let would = journey.would_erase(subject, what).unwrap();
    let erased = journey.erase(subject, what, By::Housecarl, now).await.unwrap();
    assert_eq!(erased.parts, would, "said before and after");
    assert_eq!(journey.would_erase(subject, what).unwrap(), 0);
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
        assert!(matches!(journey.would_erase(subject, &nothing), Err(NotChanged::Unselected)));
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

/// The watch, where what is for its main purpose is kept for two days.
fn short() -> String {
    WATCH.replace("13 months", "2 days")
}

/// Cleans up until there is nothing left to do; how many parts went.
async fn clean_up(wearer: &Wearer) -> u64 {
    let mut parts = 0;
    loop {
        let step = wearer.world.journey.clean_up(wearer.world.time()).await.unwrap();
        parts += step.parts;
        if !step.more {
            return parts;
        }
    }
}

/// What the log says after when and by whom, of entries whose kind is this.
fn entries(wearer: &Wearer, kind: &str) -> Vec<String> {
    let (journey, now) = (&wearer.world.journey, wearer.world.time());
    let size = journey.integrate(now).unwrap().size;
    let rows = (0..size).filter_map(|number| {
        let receipt = journey.receipt(EntryNumber(number)).ok()?;
        Some(Receipt::parse(receipt.as_bytes()).unwrap().opening.entry().rows())
    });
    let of_kind = rows.filter(|rows| rows.first().is_some_and(|(_, name)| name == kind));
    let values = |rows: Vec<(&str, String)>| -> Vec<String> {
        let said = rows.into_iter().filter(|(name, _)| ["step", "parts", "answer", "about"].contains(name));
        said.map(|(_, value)| value).collect()
    };
    of_kind.map(|rows| values(rows).join(" ")).collect()
}

fn restricted(purpose: &str, is: bool) -> Said {
    Said::Restricted(purpose.to_owned(), is)
}

#[tokio::test]
async fn what_is_restricted_is_kept_past_its_date_unread_and_goes_when_that_is_lifted() {
    for stored in STORES {
        let mut wearer = Wearer::with(stored, &short()).await;
        wearer.send(&vitals(1, 71)).await;
        wearer.says(restricted("activity", true)).await;
        assert!(wearer.sees("activity").is_empty());
        wearer.send(&vitals(2, 72)).await;
        let mut held = 0;
        for day in 0..6 {
            wearer.world.pass(DAY);
            held += wearer.world.journey.expire(wearer.world.time()).unwrap().held;
            assert!(wearer.sees("activity").is_empty(), "read on day {day}");
            if day == 3 {
                wearer.restart();
            }
        }
        assert_eq!((held, clean_up(&wearer).await), (1, 0), "what was collected before, and nothing since");
        let of_activity = async |wearer: &Wearer| {
            wearer.world.journey.would_erase(wearer.person.into(), &item(wearer, "heart-rate")).unwrap()
        };
        assert_eq!(of_activity(&wearer).await, 1, "it opens still");
        wearer.says(restricted("activity", false)).await;
        assert!(wearer.sees("activity").is_empty(), "it is past its date");
        wearer.restart();
        assert_eq!(clean_up(&wearer).await, 1);
        assert_eq!(of_activity(&wearer).await, 0);
        assert!(!wearer.sees("usage-statistics").is_empty(), "what is not past its date stays");
        assert_eq!(clean_up(&wearer).await, 0);
    }
}

#[tokio::test]
async fn a_restriction_that_ends_in_time_leaves_everything_as_it_was() {
    let wearer = Wearer::new(Stored::OnDisk).await;
    wearer.send(&vitals(1, 71)).await;
    wearer.says(restricted("activity", true)).await;
    wearer.world.live(2);
    wearer.says(restricted("activity", false)).await;
    assert_eq!(clean_up(&wearer).await, 0);
    assert_eq!(wearer.sees("activity"), ["heart-rate 71", "steps 4210"]);
}

#[tokio::test]
async fn what_one_has_restricted_of_a_household_no_other_erases() {
    let manifest = WATCH.replace("title = \"Battery\"", "title = \"Battery\"\nabout = \"household\"");
    for stored in STORES {
        let mut wearer = Wearer::with(stored, &manifest).await;
        let other = wearer.world.person(AgeBand::Adult);
        wearer.world.agrees(About::Person(other), "watch", &[]).await;
        wearer.send(&vitals(1, 71)).await;
        let household = wearer.world.journey.household_of(wearer.world.home).unwrap();
        assert_eq!(wearer.world.sees("watch", "usage-statistics", household), ["battery 75"]);
        let says = async |wearer: &Wearer, is| {
            wearer.world.says(About::Person(other), "watch", restricted("usage-statistics", is)).await;
        };
        says(&wearer, true).await;
        assert_eq!(erase(&wearer, household, &Selector::ALL).await.parts, 0);
        wearer.restart();
        says(&wearer, false).await;
        assert_eq!(wearer.world.sees("watch", "usage-statistics", household), ["battery 75"]);
        // One's own data goes when one asks for it, restricted or not.
        wearer.says(restricted("activity", true)).await;
        assert!(erase(&wearer, wearer.person, &Selector::ALL).await.parts > 0);
        assert_eq!(erase(&wearer, household, &Selector::ALL).await.parts, 1);
    }
}

#[tokio::test]
async fn what_is_kept_for_nothing_but_what_was_withdrawn_goes_and_is_told_once() {
    for stored in STORES {
        let mut wearer = three_days(stored).await;
        let (held, seen) = (wearer.held(), wearer.sees("usage-statistics"));
        assert_eq!(clean_up(&wearer).await, 0);
        wearer.says(Said::Refused("activity".to_owned())).await;
        wearer.restart();
        let parts = clean_up(&wearer).await;
        assert_eq!((parts, wearer.held()), (3, held - 3), "heart rates were kept for nothing else");
        assert_eq!(wearer.sees("usage-statistics"), seen);
        for _ in 0..2 {
            assert_eq!(entries(&wearer, "erase"), ["removed 3"]);
            assert_eq!(clean_up(&wearer).await, 0);
            wearer.restart();
        }
        // Who agrees again agrees for what comes.
        wearer.world.agrees(About::Person(wearer.person), "watch", &["activity"]).await;
        assert!(!wearer.sees("activity").iter().any(|seen| seen.starts_with("heart-rate")));
    }
}

#[tokio::test]
async fn only_a_no_makes_anything_go() {
    let wearer = three_days(Stored::InMemory).await;
    let held = wearer.held();
    let off = Said::Feature("activity".to_owned(), false);
    wearer.world.says(About::Device(wearer.device), "watch", off).await;
    assert!(wearer.sees("activity").is_empty());
    assert_eq!((clean_up(&wearer).await, wearer.held()), (0, held));
    let on = Said::Feature("activity".to_owned(), true);
    wearer.world.says(About::Device(wearer.device), "watch", on).await;
    assert_eq!(wearer.sees("activity").len(), 6);
    // What the users of the device refuse, for whomever it is about.
    let refused = Said::Refused("usage-statistics".to_owned());
    wearer.world.says(About::Device(wearer.device), "watch", refused).await;
    assert_eq!(clean_up(&wearer).await, 3, "the battery was for nothing else");
    assert_eq!(wearer.sees("activity").len(), 6);
}

#[tokio::test]
async fn what_was_inferred_from_it_goes_too_and_is_unread_at_once() {
    let crash = "from = \"inferred\"\ninferred_from = [\"heart-rate\"]\nmodel = \"fitness\"\nleaves = { prefix = 120 }";
    let manifest = WATCH.replace("from = \"sensor\"\nleaves = { prefix = 120 }", crash);
    assert_ne!(manifest, WATCH);
    for stored in STORES {
        let mut wearer = Wearer::with(stored, &manifest).await;
        wearer.world.agrees(About::Device(wearer.device), "watch", &["crash-reports"]).await;
        wearer.world.agrees(About::Person(wearer.person), "watch", &["crash-reports"]).await;
        let sent = vitals(1, 71).replace("\"seq\"", r#""crash": {"trace": "at 7"}, "seq""#);
        wearer.send(&sent).await;
        assert_eq!(wearer.sees("crash-reports"), ["battery 75", "crash-trace at 7"]);
        wearer.says(Said::Refused("activity".to_owned())).await;
        assert_eq!(wearer.sees("crash-reports"), ["battery 75"], "at once");
        wearer.restart();
        assert_eq!(clean_up(&wearer).await, 2, "the heart rate, and what was inferred from it");
        let left =
            wearer.world.journey.would_erase(wearer.person.into(), &item(&wearer, "crash-trace")).unwrap();
        assert_eq!(left, 0);
        assert_eq!(wearer.sees("crash-reports"), ["battery 75"]);
    }
}

#[tokio::test]
async fn what_is_restricted_or_owed_to_a_law_is_not_cleaned_up() {
    let law =
        WATCH.replace("basis = \"legitimate-interests\"", "basis = \"legal-obligation\"\nlaw = \"an Act\"");
    let wearer = Wearer::with(Stored::InMemory, &law).await;
    wearer.send(&vitals(1, 71)).await;
    let held = wearer.held();
    wearer.says(Said::Refused("usage-statistics".to_owned())).await;
    wearer.says(restricted("activity", true)).await;
    wearer.says(Said::Refused("activity".to_owned())).await;
    assert_eq!((clean_up(&wearer).await, wearer.held()), (0, held));
    // The refusal stands when the restriction is lifted.
    wearer.says(restricted("activity", false)).await;
    assert_eq!((clean_up(&wearer).await, wearer.held()), (1, held - 1));
}

#[tokio::test]
async fn what_stays_for_another_purpose_goes_when_that_ones_period_is_over() {
    for stored in STORES {
        // Steps are for activity, 13 months, and for statistics, 30 days.
        let mut wearer = Wearer::new(stored).await;
        wearer.send(&vitals(1, 71)).await;
        wearer.world.journey.expire(wearer.world.time()).unwrap();
        wearer.says(Said::Refused("activity".to_owned())).await;
        assert_eq!(clean_up(&wearer).await, 1);
        let steps = |wearer: &Wearer| {
            wearer.world.journey.would_erase(wearer.person.into(), &item(wearer, "steps")).unwrap()
        };
        wearer.world.live(29);
        wearer.restart();
        assert_eq!((clean_up(&wearer).await, steps(&wearer)), (0, 1));
        wearer.world.live(2);
        assert_eq!((clean_up(&wearer).await, steps(&wearer)), (1, 0));
        let done = wearer.world.journey.clean_up(wearer.world.time()).await.unwrap();
        assert_eq!(done, CleanedUp::default());
    }
}

/// What is known of somebody now.
fn standing(wearer: &Wearer) -> Standing {
    wearer.world.journey.standing(wearer.person, wearer.world.product("watch").0).unwrap()
}

/// A child in a home whose parent authorised what it agreed to; its 13th year begins in March 2027.
async fn child(stored: Stored) -> Wearer {
    let world = World::new(stored, &[("watch", WATCH)]);
    world.journey.expire(world.time()).unwrap();
    let month: Month = "2027-03".parse().unwrap();
    let person = world.journey.add_child(world.home, AgeBand::To12, month, By::Housecarl, START).unwrap();
    let wearer = Wearer::of(world, person).await;
    wearer.says(Said::Authorised(wearer.world.put("watch", "activity"), act())).await;
    wearer
}

#[tokio::test]
async fn at_13_the_young_person_is_asked_again() {
    for stored in STORES {
        let mut wearer = child(stored).await;
        wearer.send(&vitals(1, 71)).await;
        assert!(wearer.sees("activity").contains(&"heart-rate 71".to_owned()));
        // January and February.
        wearer.world.live(58);
        wearer.send(&vitals(2, 72)).await;
        assert!(wearer.sees("activity").contains(&"heart-rate 72".to_owned()));
        wearer.restart();
        wearer.world.live(2);
        for _ in 0..2 {
            assert!(standing(&wearer).band == AgeBand::To15);
            assert!(wearer.sees("activity").is_empty(), "a parent's yes counts no longer");
            let lapsed = entries(&wearer, "choice").into_iter().filter(|said| said.contains("lapsed"));
            assert_eq!(lapsed.count(), 1);
            wearer.restart();
            wearer.world.journey.expire(wearer.world.time()).unwrap();
        }
        assert_eq!(clean_up(&wearer).await, 0, "nobody said no");
        wearer.says(Said::Agreed(wearer.world.put("watch", "activity"), act())).await;
        assert!(wearer.sees("activity").contains(&"heart-rate 72".to_owned()));
        wearer.send(&vitals(3, 73)).await;
        assert!(wearer.sees("activity").contains(&"heart-rate 73".to_owned()));
        // What was captured as a child is decided as then: the parent had authorised it.
        wearer.send(&at(4, &(START + 40 * DAY).to_string())).await;
        // Captured on the second day of March, before the young person was asked.
        wearer.send(&at(5, &(START + 59 * DAY + DAY / 2 + 3_600).to_string())).await;
        let seen = wearer.sees("activity");
        let has = |rate: u32| seen.contains(&format!("heart-rate {rate}"));
        assert!(has(4) && !has(5), "{seen:?}");
    }
}

#[tokio::test]
async fn a_clock_that_jumps_makes_nobody_older() {
    let wearer = child(Stored::InMemory).await;
    wearer.world.pass(20_000 * DAY);
    wearer.world.journey.expire(wearer.world.time()).unwrap();
    assert!(standing(&wearer).band == AgeBand::To12);
}

#[tokio::test]
async fn who_became_an_adult_here_is_not_one_for_what_was_captured_before() {
    for stored in STORES {
        let world = World::new(stored, &[("watch", WATCH)]);
        world.journey.expire(world.time()).unwrap();
        let month: Month = "2027-02".parse().unwrap();
        let person = world.journey.add_child(world.home, AgeBand::To17, month, By::Housecarl, START).unwrap();
        let mut wearer = Wearer::of(world, person).await;
        wearer.world.live(32);
        assert!(standing(&wearer).band == AgeBand::Adult);
        wearer.restart();
        wearer.send(&at(1, &(START + 30 * DAY).to_string())).await;
        wearer.send(&at(2, &(START + 31 * DAY).to_string())).await;
        let seen = wearer.sees("activity");
        assert!(seen.contains(&"heart-rate 2".to_owned()), "{seen:?}");
        assert!(!seen.contains(&"heart-rate 1".to_owned()), "it is not known any more what they were then");
    }
    let world = World::new(Stored::InMemory, &[]);
    let month: Month = "2027-02".parse().unwrap();
    for band in [AgeBand::Adult, AgeBand::Unknown] {
        let refused = world.journey.add_child(world.home, band, month, By::Housecarl, START);
        assert!(matches!(refused, Err(NotChanged::NoSuchAge)));
    }
}

#[tokio::test]
async fn who_is_forgotten_is_nobody_from_then_on() {
    for stored in STORES {
        let mut wearer = three_days(stored).await;
        let about = About::Person(wearer.person);
        let said = wearer.world.says(about, "watch", Said::NoMarketing(true)).await;
        let other = wearer.world.person(AgeBand::Adult);
        wearer.world.agrees(About::Person(other), "watch", &["activity"]).await;
        let held = wearer.held();
        let forgotten =
            wearer.world.journey.forget(wearer.person, By::Housecarl, wearer.world.time()).await.unwrap();
        assert_eq!(forgotten.parts, held);
        for _ in 0..2 {
            let (journey, now) = (&wearer.world.journey, wearer.world.time());
            assert_eq!((wearer.held(), journey.home_of_person(wearer.person)), (0, None));
            assert!(wearer.world.journey.standing(wearer.person, wearer.world.product("watch").0).is_none());
            let size = journey.integrate(now).unwrap().size;
            assert!(size > forgotten.done.0);
            assert!(matches!(journey.receipt(said), Err(AuditError::Destroyed)));
            let steps = entries(&wearer, "erase");
            assert_eq!(steps.len(), 3, "{steps:?}");
            // What is sent of them is about nobody who is known here.
            wearer.send(&vitals(50, 50)).await;
            assert_eq!(wearer.held(), 0);
            assert!(matches!(
                wearer.world.journey.forget(wearer.person, By::Housecarl, now).await,
                Err(NotChanged::Unknown("person"))
            ));
            wearer.restart();
        }
        // The mark is free, and somebody else's from when it is given on.
        wearer.world.journey.add_mark(other, "p1", By::Housecarl, wearer.world.time()).unwrap();
        wearer.send(&vitals(60, 60)).await;
        let seen = wearer.world.sees("watch", "activity", other);
        assert_eq!(seen, ["heart-rate 60", "steps 4210"]);
        wearer.restart();
        assert_eq!(wearer.world.sees("watch", "activity", other), seen);
    }
}
