//! The audit log as others find it: what is done leaves one entry, and nobody sees whose.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use housecarl_audit::entry::{Digest, Id, Who, Whom};
use housecarl_audit::{Act, Entry, Receipt, Tiles, VerifierKey, tile, verify};
use housecarl_journey::audit::{AuditError, By, EntryNumber};
use housecarl_journey::journey::Stored;
use housecarl_journey::people::credentials::Role;
use housecarl_journey::people::{About, DeviceId, PersonId, Said};
use housecarl_journey::read::Ask;
use housecarl_journey_tests::{DAY, READER, START, WATCH, World, vitals};
use housecarl_policy::AgeBand;

const HOUR: u64 = 3_600;

/// The published folder, and nothing of the journey.
struct Folder<'f>(&'f Path);

impl Tiles for Folder<'_> {
    type Error = std::io::Error;

    fn read(&self, path: tile::Path) -> std::io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(path.to_string())) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }
}

fn key(world: &World) -> VerifierKey {
    world.journey.verifier_key().parse().unwrap()
}

/// Integrates, and verifies the folder as a stranger does: its size.
fn verified(world: &World, since: Option<&str>) -> u64 {
    world.journey.integrate(world.time()).unwrap();
    let folder = world.journey.log_folder();
    let checkpoint = fs::read(folder.join("checkpoint")).unwrap();
    let verdict = verify::log(&Folder(folder), &checkpoint, &key(world), since.map(str::as_bytes)).unwrap();
    verdict.checkpoint.size()
}

fn entry(world: &World, number: u64) -> Entry {
    let receipt = world.journey.receipt(EntryNumber(number)).unwrap();
    let receipt = Receipt::parse(receipt.as_bytes()).unwrap();
    let key = key(world);
    let proven = receipt.verify(&key).unwrap();
    assert_eq!(proven.index, number);
    proven.entry.clone()
}

/// Every entry from one on.
fn entries(world: &World, from: u64) -> Vec<Entry> {
    (from..verified(world, None)).map(|number| entry(world, number)).collect()
}

/// What an entry says after when and by whom, but for ids and commitments.
fn says(entry: &Entry) -> String {
    let rows = entry.rows().into_iter();
    let said = rows.filter(|(name, _)| {
        !["at", "by", "home", "whom", "record", "meaning", "case", "key", "target"].contains(name)
    });
    said.map(|(_, value)| value).collect::<Vec<_>>().join(" / ")
}

fn watch() -> (World, PersonId, DeviceId) {
    let world = World::new(Stored::OnDisk, &[("watch", WATCH)]);
    let person = world.person(AgeBand::Adult);
    let device = world.device("watch", Some(person));
    world.journey.add_mark(person, "p1", By::Housecarl, START).unwrap();
    (world, person, device)
}

#[tokio::test]
async fn every_change_leaves_one_entry_that_says_what_was_done() {
    let (world, person, device) = watch();
    let first = entries(&world, 0);
    let actions = ["home-added", "person-added", "device-added", "mark-added"];
    let said: Vec<String> = first.iter().skip(1).map(says).collect();
    assert_eq!(said, actions.map(|action| format!("operator-action / {action}")));
    assert!(says(&first[0]).starts_with("product-applied / watch / 00000000"), "{}", says(&first[0]));
    let target = |entry: &Entry| match &entry.act {
        Act::OperatorAction { target, .. } => *target,
        _ => Id([0; 16]),
    };
    let targets: Vec<Id> = first.iter().skip(1).map(target).collect();
    assert_eq!(targets, [Id(world.home.0), Id(person.0), Id(device.0), Id(person.0)]);

    let from = first.len() as u64;
    let about = About::Person(person);
    world.agrees(about, "watch", &["activity"]).await;
    for said in [
        Said::Refused("activity".to_owned()),
        Said::Refused("coaching".to_owned()),
        Said::Restricted("sleep".to_owned(), true),
        Said::Restricted("sleep".to_owned(), false),
        Said::Precision("position".to_owned(), "town".to_owned()),
        Said::NoMarketing(true),
        Said::NoMarketing(false),
    ] {
        world.says(about, "watch", said).await;
    }
    world.says(About::Device(device), "watch", Said::Feature("routes".to_owned(), true)).await;
    let choices = entries(&world, from);
    let said: Vec<String> = choices.iter().map(says).collect();
    assert_eq!(
        said,
        [
            "notice / watch / delivered",
            "choice / watch / agreed / activity / 0",
            "choice / watch / withdrew / activity / 0",
            "choice / watch / refused / coaching / 0",
            "choice / watch / restricted / sleep / 0",
            "choice / watch / restriction lifted / sleep / 0",
            "choice / watch / chose a precision / position / 1",
            "choice / watch / objected / direct-marketing / 0",
            "choice / watch / restriction lifted / direct-marketing / 0",
            "choice / watch / switched on / routes / 0",
        ]
    );
    assert!(choices.iter().take(9).all(|entry| entry.by == Who::Person(Id(person.0))));
    let Act::Choice { home, whom, meaning, .. } = &choices[1].act else { unreachable!() };
    assert_eq!((*home, *whom), (Id(world.home.0), Whom::Person(Id(person.0))));
    let put = world.put("watch", "activity");
    let hex: String = meaning.0.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, put.fingerprint, "the purpose as it was shown");
}

#[tokio::test]
async fn credentials_leave_entries_by_those_who_acted_and_failures_leave_none() {
    let (world, ..) = watch();
    let (product, journey, now) = (world.product("watch").0, &world.journey, START);
    let from = verified(&world, None);
    let first = journey.first_operator(now).unwrap().unwrap();
    let token = journey.renew_operator(first.reveal(), now).unwrap();
    let operator = journey.operator_with(token.reveal()).unwrap().unwrap();
    let by = operator.by();
    let consumer = Role::Consumer { product: "watch".to_owned(), purposes: vec!["activity".to_owned()] };
    let (_, reader) = journey.add_operator(&consumer, by, now).unwrap();
    journey.revoke_operator(reader.reveal(), by, now).unwrap();
    let code = journey.issue_claim(world.home, product, None, by, now).unwrap();
    let (device, _) = journey.enrol(code.reveal(), now).unwrap();
    journey.renew_device_secret(device, by, now).unwrap();
    journey.revoke_device(device, by, now).unwrap();
    // Nothing of this is done.
    assert!(journey.first_operator(now).unwrap().is_none());
    assert!(journey.renew_operator(first.reveal(), now).is_err());
    assert!(journey.revoke_operator(reader.reveal(), by, now).is_err());
    assert!(journey.enrol(code.reveal(), now).is_err());
    assert!(journey.revoke_device(DeviceId([1; 16]), by, now).is_err());
    let left = entries(&world, from);
    let said: Vec<String> = left.iter().map(|entry| says(entry).replace("operator-action / ", "")).collect();
    assert_eq!(
        said,
        [
            "operator-added",
            "operator-renewed",
            "consumer-added",
            "operator-revoked",
            "claim-issued",
            "device-enrolled",
            "device-renewed",
            "device-revoked",
        ]
    );
    let acted: Vec<Who> = left.iter().map(|entry| entry.by).collect();
    let operator = Who::from(by);
    assert_eq!(acted[..5], [Who::Housecarl, operator, operator, operator, operator]);
    assert_eq!(acted[5], Who::Device(Id(device.0)));
}

#[tokio::test]
async fn a_read_is_in_the_outbox_before_its_first_value_and_survives_a_crash() {
    let (mut world, person, device) = watch();
    world.says(About::Device(device), "watch", Said::Feature("activity".to_owned(), true)).await;
    world.agrees(About::Person(person), "watch", &["activity"]).await;
    for number in 0..5 {
        world.send(device, "watch", "vitals", &vitals(number, 70)).await.unwrap();
    }
    let next = EntryNumber(verified(&world, None));
    assert!(matches!(world.journey.receipt(next), Err(AuditError::NoSuchEntry)));
    let (product, in_force) = world.product("watch");
    let ask = Ask {
        reader: READER,
        product,
        purpose: in_force.version().purpose("activity").unwrap(),
        subject: person.into(),
        stream: None,
        received: 0..u64::MAX,
    };
    let mut values = 0;
    let each = |_| {
        values += 1;
        assert!(matches!(world.journey.receipt(next), Err(AuditError::Pending)), "not written down yet");
        // The reader goes away.
        false
    };
    assert_eq!(world.journey.read(&ask, START, each).unwrap(), next);
    assert_eq!(values, 1);
    let held = world.journey.held(person.into()).unwrap();
    world = world.restarted();
    let left = entries(&world, next.0);
    assert_eq!(left.len(), 1);
    let [Entry { by, act: Act::Read { whom, parts, .. }, .. }] = left.as_slice() else { unreachable!() };
    assert_eq!((*by, *whom), (Who::Consumer(Id(READER.0)), Whom::Person(Id(person.0))));
    assert_eq!(*parts, held);
    assert_eq!(says(&left[0]).split(" / ").nth(3), Some("activity"), "{}", says(&left[0]));
    // Whoever is not here is not read, and there is nothing to write down.
    let nobody = Ask { subject: PersonId([4; 16]).into(), ..ask };
    assert!(world.journey.read(&nobody, START, |_| true).is_err());
    assert_eq!(verified(&world, None), next.0 + 1);
}

#[tokio::test]
async fn an_erasure_leaves_each_of_its_steps_and_expiry_what_went() {
    let (world, person, device) = watch();
    world.says(About::Device(device), "watch", Said::Feature("activity".to_owned(), true)).await;
    world.agrees(About::Person(person), "watch", &["activity"]).await;
    world.journey.expire(START).unwrap();
    world.send(device, "watch", "vitals", &vitals(1, 70)).await.unwrap();
    let from = verified(&world, None);
    let by = By::Person(person);
    let erased = world.journey.erase_person(person, by, START).await.unwrap();
    let left = entries(&world, from);
    let said: Vec<String> = left.iter().map(says).collect();
    let horizon = "2027-01-01T00:00:00.000Z";
    assert_eq!(
        said,
        [
            format!("erase / asked for / {horizon} / 0"),
            "key-destroyed / a person".to_owned(),
            format!("erase / unreadable / {horizon} / 0"),
            format!("erase / removed / {horizon} / {}", erased.parts),
        ]
    );
    assert_eq!((erased.asked.0, erased.done.0), (from, from + 3));
    assert_eq!((left[0].by, left[3].by), (Who::Person(Id(person.0)), Who::Housecarl));
    let case = |entry: &Entry| entry.rows().into_iter().find(|(name, _)| *name == "case").map(|(_, id)| id);
    assert!(case(&left[0]).is_some() && case(&left[0]) == case(&left[2]) && case(&left[0]) == case(&left[3]));

    // Day by day, as a clock that does not jump.
    let mut gone = 0;
    let from = verified(&world, None);
    let mut told = 0;
    for _ in 0..40 {
        world.pass(DAY);
        let expired = world.journey.expire(world.time()).unwrap();
        gone += expired.buckets;
        told += usize::from(expired.entry.is_some());
        assert_eq!(expired.entry.is_some(), expired.buckets > 0);
    }
    let buckets = |entry: Entry| match entry.act {
        Act::Expiry { buckets, .. } => Some(buckets),
        _ => None,
    };
    let left: Vec<u64> = entries(&world, from).into_iter().filter_map(buckets).collect();
    assert!(gone > 0);
    assert_eq!(left.len(), told);
    assert_eq!(left.iter().sum::<u64>(), gone as u64);
}

#[tokio::test]
async fn refusals_are_one_sum_for_each_stream_and_hour() {
    let (mut world, _, device) = watch();
    let from = verified(&world, None);
    // Nobody has agreed to anything.
    for number in 0..3 {
        world.send(device, "watch", "vitals", &vitals(number, 70)).await.unwrap();
    }
    assert_eq!(verified(&world, None), from, "an hour that is not over has no entry");
    world.pass(HOUR);
    world.send(device, "watch", "vitals", &vitals(3, 70)).await.unwrap();
    let left = entries(&world, from);
    assert_eq!(left.len(), 1);
    let Act::Refused { product, stream, hour, reasons } = &left[0].act else { unreachable!() };
    assert_eq!((product.as_str(), stream.as_str(), hour.as_millis()), ("watch", "vitals", START * 1_000));
    let three: Vec<u64> = reasons.iter().map(|(_, times)| times).collect();
    assert!(three.iter().all(|times| times % 3 == 0), "{three:?}");
    world.journey.close_log(world.time()).unwrap();
    let running = entries(&world, from + 1);
    let Act::Refused { hour, reasons, .. } = &running[0].act else { unreachable!() };
    assert_eq!((running.len(), hour.as_millis()), (1, (START + HOUR) * 1_000));
    assert_eq!(reasons.iter().map(|(_, times)| times * 3).collect::<Vec<_>>(), three);
    // What is counted is counted once, also by a start.
    world = world.restarted();
    world.pass(2 * HOUR);
    assert_eq!(verified(&world, None), from + 2);
}

#[tokio::test]
async fn a_restart_goes_on_with_the_same_log() {
    let (mut world, person, _) = watch();
    let key = world.journey.verifier_key();
    let mut since = Vec::new();
    let mut size = 0;
    for _ in 0..4 {
        world.says(About::Person(person), "watch", Said::NoMarketing(true)).await;
        // Once before the restart, and once after it.
        if since.len() % 2 == 0 {
            world.journey.integrate(world.time()).unwrap();
        }
        world = world.restarted();
        let now = verified(&world, since.last().map(String::as_str));
        assert_eq!(now, if size == 0 { 6 } else { size + 1 }, "the same product is not applied again");
        size = now;
        since.push(world.journey.checkpoint().unwrap().unwrap());
    }
    for earlier in &since {
        assert_eq!(verified(&world, Some(earlier)), size);
    }
    assert_eq!(world.journey.verifier_key(), key);
}

#[tokio::test]
async fn a_record_can_be_shown_to_be_the_one_that_was_logged() {
    let (world, person, _) = watch();
    let number = world.says(About::Person(person), "watch", Said::NoMarketing(true)).await;
    verified(&world, None);
    let Act::Choice { record, .. } = entry(&world, number.0).act else { unreachable!() };
    // An array of the variant's number and its fields, as the log of choices keeps it.
    let kept = [0x82, 6, 0x81, 0xf5];
    let salt = world.journey.record_salt(number).unwrap();
    assert_eq!(Digest(salt.commit(&kept)), record);
    assert_ne!(Digest(salt.commit(b"another")), record);
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let below = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    below.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn what_is_published_tells_of_nobody() {
    let (world, person, device) = watch();
    world.agrees(About::Person(person), "watch", &["activity"]).await;
    let sent = vitals(1, 70).replace("p1", "planted-mark");
    world.journey.add_mark(person, "planted-mark", By::Person(person), START).unwrap();
    world.send(device, "watch", "vitals", &sent).await.unwrap();
    let _ = world.sees("watch", "activity", person);
    world.journey.close_log(START).unwrap();
    let mut planted: Vec<Vec<u8>> = [person.0, device.0, world.home.0, READER.0].map(|id| id.to_vec()).into();
    planted.extend(["planted-mark", "activity", "watch", "choice"].map(|word| word.as_bytes().to_vec()));
    let hides = |bytes: &[u8]| {
        planted.iter().all(|plain| {
            let hex: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
            // Without the last sign or two, which depend on what follows, from each of three places.
            let base64 = (0..3).map(|shift| {
                let shifted = [&vec![0; shift][..], plain].concat();
                let text = BASE64_STANDARD.encode(&shifted);
                let (from, to) = ((shift * 8).div_ceil(6), shifted.len() * 8 / 6);
                text.get(from..to).unwrap().as_bytes().to_vec()
            });
            let forms = [plain.clone(), hex.to_uppercase().into_bytes(), hex.into_bytes()].into_iter();
            forms.chain(base64).all(|form| !bytes.windows(form.len()).any(|window| window == form))
        })
    };
    let published = files(world.journey.log_folder());
    assert!(published.len() >= 3, "{published:?}");
    for file in published {
        assert!(hides(&fs::read(&file).unwrap()), "{}", file.display());
    }
    // It can find them: the receipt of a choice is in base64, and says whose it was.
    let about_them = world.journey.receipt(EntryNumber(6)).unwrap();
    assert!(!hides(about_them.as_bytes()));
    // What opens an entry about somebody is under that person's key, in the register too.
    let register = fs::read(world.folder.path().join("register.sqlite-wal")).unwrap();
    let opening = Receipt::parse(about_them.as_bytes()).unwrap().opening.to_bytes();
    assert!(!register.windows(opening.len()).any(|window| window == opening));
}

#[test]
fn the_name_of_a_log_is_for_good() {
    use housecarl_journey::journey::{Journey, Settings};
    let folder = tempfile::tempdir().unwrap();
    let open = |name: Option<&str>| {
        let settings = Settings { log_name: name.map(str::to_owned), ..Settings::in_folder(folder.path()) };
        Journey::open(&settings, Vec::new(), || START, |_| ()).map(|journey| journey.verifier_key())
    };
    assert!(open(Some("two words")).is_err());
    let key = open(Some("example.com/home")).unwrap();
    assert!(key.starts_with("example.com/home+"));
    assert_eq!(open(None).unwrap(), key);
    assert!(open(Some("example.com/other")).is_err());
    assert_eq!(open(Some("example.com/home")).unwrap(), key);
}
