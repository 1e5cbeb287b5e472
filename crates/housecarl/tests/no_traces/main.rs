//! No traces: what was not permitted is in no byte of anything that the gateway writes or prints, and what is
//! destroyed opens nothing, here or in a copy of the records.
//!
//! The program is the one that is shipped, those who speak to it are real clients, and what can be read is told by
//! an opener that knows the page about the formats and nothing of the gateway.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

mod gateway;
mod home;
mod opener;
mod traces;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use memchr::memmem;
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::Value;

use gateway::{Gateway, wait_for};
use home::{Home, hex, now};
use opener::{Keys, Records, Said, Secret};
use traces::{Haystack, forms, number_forms, text_forms};

/// By which messages name Anna and Ben: kept as codes, never as they are.
const MARKS: [&str; 2] = ["annas-own-mark-5Kq", "bens-own-mark-8Wd"];

/// Texts that nobody may keep, whoever sends them.
const FORBIDDEN: &[&str] = &[
    MARKS[0],
    MARKS[1],
    "undeclared-member-3Vt",
    "undeclared-value-9Hx",
    "end-of-a-trace-that-is-cut-off-2Rm",
    "bens-trace-7Jz",
    "bens-exercise-4Ny",
    "idempotency-key-6Lp",
    "topic-of-nobody-1Gc",
    "not-a-message-0Sb",
    "wrong-secret-5Fu",
    "client-of-nobody-8Ew",
    "path-of-nobody-3Da",
    "query-of-nobody-7Tk",
];
/// Numbers likewise: a place that is switched off, what Ben measured, what is kept as less than it was.
const FORBIDDEN_NUMBERS: &[&str] = &["51.5073519274", "-0.1277582999851", "64.2918281828", "8351.27193845"];

/// What Anna agreed to be kept, in the form in which the opener says it.
const KEPT_TEXT: &str = "a-swim-in-the-morning-9Qo";
const KEPT_NUMBER: &str = "71.1828374655";

/// A world of files: the data directory, what is printed, and copies.
struct Ground {
    folder: tempfile::TempDir,
    home: Home,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = home::begin(&folder.path().join("data"), MARKS);
        fs::create_dir(folder.path().join("printed")).unwrap();
        let products = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../products/watch");
        let settings = format!(
            "data = {:?}\nproducts = [{products:?}]\nkeep_free_mib = 0\nmqtt.address = \"127.0.0.1:0\"\nhttp.address = \
             \"127.0.0.1:0\"\nbackup.records = {:?}\nbackup.keys = {:?}\n",
            folder.path().join("data"),
            folder.path().join("copies-of-records"),
            folder.path().join("copies-of-keys"),
        );
        fs::write(folder.path().join("settings.toml"), settings).unwrap();
        Self { folder, home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn gateway(&self) -> Gateway {
        Gateway::start(&self.path("settings.toml"), &self.path("printed"))
    }

    fn keys(&self) -> Keys {
        Keys::read(&self.path("data/root.key"), &self.path("data/keys"))
    }

    /// A copy of the records as they are; nobody may be writing.
    fn records(&self, name: &str) -> Records {
        let copy = self.path(name);
        assert!(
            Command::new("cp")
                .arg("-r")
                .args([self.path("data/records"), copy.clone()])
                .status()
                .unwrap()
                .success()
        );
        Records::read(&copy)
    }

    /// Restores what the gateway copied into a folder, as a program, and says what can be opened there.
    fn restored(&self, name: &str, copies: &Value, more: &[&str]) -> BTreeSet<Said> {
        let data = self.path(name);
        fs::create_dir(&data).unwrap();
        fs::copy(self.path("data/root.key"), data.join("root.key")).unwrap();
        let copy = |of: &str| self.path(&format!("copies-of-{of}")).join(copies[of].as_str().unwrap());
        let output = Command::new(env!("CARGO_BIN_EXE_housecarl"))
            .args(["restore", "--data"])
            .arg(&data)
            .arg("--records")
            .arg(copy("records"))
            .arg("--keys")
            .arg(copy("keys"))
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Records::read(&data.join("records")).opened(&Keys::read(&data.join("root.key"), &data.join("keys")))
    }

    /// Everything that was written and printed.
    fn everything(&self) -> Haystack {
        let printed = |name: &str| fs::read_to_string(self.path("printed").join(name)).unwrap();
        Haystack::of(&self.path("data")).and("stdout", &printed("stdout")).and("stderr", &printed("stderr"))
    }

    /// Everything that Anna, Ben and others send.
    fn send(&self, gateway: &Gateway, slept_at: u64) {
        let (anna, ben) = (&self.home.anna, &self.home.ben);
        let message = |mark: &str, number: u32, heart_rate: &str, trace: &str| {
            format!(
                r#"{{"profile": "{mark}", "seq": {number}, "hr": {heart_rate}, "steps": 4217, "battery": 83,
                "gps": {{"lat": {}, "lon": {}}}, "crash": {{"trace": "{trace}"}},
                "{}": {{"lux": "{}", "n": {}}}}}"#,
                FORBIDDEN_NUMBERS[0], FORBIDDEN_NUMBERS[1], FORBIDDEN[2], FORBIDDEN[3], FORBIDDEN_NUMBERS[3],
            )
        };
        let diary = |exercise: &str| format!(r#"{{"activities": [{{"activityParentName": "{exercise}"}}]}}"#);
        let night = format!(
            r#"{{"body": {{"series": [{{"id": 1, "startdate": {slept_at}, "snoring": {{"a": {}}}}}]}}}}"#,
            FORBIDDEN_NUMBERS[3]
        );
        let of_anna = |stream: &str, payload: &str| {
            gateway.publish(
                &anna.device,
                &anna.secret,
                &format!("pulse/{}/{stream}", anna.device),
                payload.as_bytes(),
            )
        };
        // What Anna may have cut off stands behind the 120 signs that stay.
        let trace = format!("{}{}", "t".repeat(120), FORBIDDEN[4]);
        let vitals = message(MARKS[0], 1, KEPT_NUMBER, &trace);
        for (stream, payload) in
            [("vitals", vitals.as_str()), ("diary", &diary(KEPT_TEXT)), ("night", &night)]
        {
            assert_eq!(of_anna(stream, payload), Some(PubAckReason::Success), "{stream}");
        }
        let credential = format!("Bearer {}.{}", ben.device, ben.secret);
        let of_ben = [
            ("authorization", credential.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", FORBIDDEN[7]),
        ];
        for (stream, payload) in [
            ("vitals", message(MARKS[1], 1, FORBIDDEN_NUMBERS[2], FORBIDDEN[5])),
            ("diary", diary(FORBIDDEN[6])),
        ] {
            let (status, body) =
                gateway.ask("POST", &format!("/v1/ingest/{stream}"), &of_ben, payload.as_bytes());
            assert_eq!(status, 202, "{body}");
        }
        // What is nobody's business at all, by every way in.
        of_anna(FORBIDDEN[8], &vitals.replace("\"seq\": 1", "\"seq\": 2"));
        of_anna("vitals", FORBIDDEN[9]);
        of_anna("vitals", &message(FORBIDDEN[2], 3, FORBIDDEN_NUMBERS[2], FORBIDDEN[5]));
        gateway.publish(
            &anna.device,
            FORBIDDEN[10],
            &format!("pulse/{}/vitals", anna.device),
            vitals.as_bytes(),
        );
        gateway.publish(FORBIDDEN[11], FORBIDDEN[10], FORBIDDEN[8], vitals.as_bytes());
        gateway.ask("POST", "/v1/ingest/vitals", &of_ben, FORBIDDEN[9].as_bytes());
        gateway.ask("POST", &format!("/v1/{}", FORBIDDEN[12]), &of_ben, vitals.as_bytes());
        gateway.ask("GET", &format!("/v1/data/activity?person={}", FORBIDDEN[13]), &of_ben, b"");
        gateway.ask("GET", "/v1/policy", &[("authorization", &format!("Bearer {}", FORBIDDEN[10]))], b"");
    }
}

/// Everything of somebody that is among what could be read, as values.
fn of(who: [u8; 16], said: &BTreeSet<Said>) -> BTreeSet<&str> {
    said.iter().filter(|said| said.of == who).map(|said| said.value.as_str()).collect()
}

#[test]
fn nothing_is_left_of_what_was_not_permitted_or_is_destroyed() {
    let ground = Ground::new();
    let anna = ground.home.anna.id;
    let first = (ground.keys(), ground.records("records-of-a-month-ago"));
    assert_eq!(of(anna, &first.1.opened(&first.0)), BTreeSet::from(["true"]), "a fall, a month ago");

    // Expiry: the bucket's secret goes when the gateway finds it over.
    let over = first.0.over(now());
    assert!(!over.is_empty());
    let gateway = ground.gateway();
    let slept_at = now() - 100;
    ground.send(&gateway, slept_at);
    wait_for("what is over to be destroyed", || {
        let file = fs::read(ground.path("data/keys")).unwrap();
        over.iter().all(|secret| memmem::find(&file, &secret.wrapped).is_none()).then_some(())
    });
    let (status, metrics) = gateway.ask("GET", "/metrics", &[], b"");
    assert_eq!(status, 200);
    gateway.stop();

    // (i) What was not permitted is nowhere, and what was permitted is nowhere in the clear.
    let everything = ground.everything().and("metrics", &metrics);
    for text in FORBIDDEN.iter().chain([&KEPT_TEXT]) {
        assert_eq!(everything.find(&text_forms(text)), BTreeSet::new(), "{text}");
    }
    for number in FORBIDDEN_NUMBERS.iter().chain([&KEPT_NUMBER]) {
        assert_eq!(everything.find(&number_forms(number)), BTreeSet::new(), "{number}");
    }
    // It would be found: an id may stand there, and does.
    assert!(!everything.find(&forms(&anna)).is_empty());

    // (ii) What was permitted opens, and nothing else; what was over does not, in the copy of then either.
    let (keys, records) = (ground.keys(), ground.records("records-before"));
    let opened = records.opened(&keys);
    let (trace, hour) = ("t".repeat(120), format!("{}e0", slept_at / 3_600 * 3_600));
    let expected = ["711828374655e-10", "4210e0", "75e0", KEPT_TEXT, "true", &hour, &trace];
    let of_anna = of(anna, &opened);
    assert_eq!(of_anna, BTreeSet::from(expected));
    assert_eq!(of(ground.home.ben.id, &opened), BTreeSet::new());
    assert_eq!(of(anna, &first.1.opened(&keys)), BTreeSet::new());
    let mut destroyed = first.0.without(&keys);
    assert!(!destroyed.is_empty());
    for secret in keys.0.values() {
        assert_eq!(everything.find(&forms(&secret.plain)), BTreeSet::new(), "a secret as it is");
        assert_eq!(everything.find(&forms(&secret.wrapped)).len(), 1, "wrapped, and in the key file alone");
    }

    // Erasure, of one kind and then of everything: at the answer it is gone from the files, while the gateway goes on.
    let erase = |gateway: &Gateway, what: &str| {
        let path = format!("/v1/homes/{}/persons/{}/data?{what}", ground.home.id, hex(&anna));
        let operator = format!("Bearer {}", ground.home.operator);
        let (status, body) = gateway.ask("DELETE", &path, &[("authorization", &operator)], b"");
        assert_eq!(status, 200, "{body}");
        Haystack::of(&ground.path("data"))
    };
    let is_gone = |haystack: &Haystack, destroyed: &[Secret]| {
        for secret in destroyed {
            assert_eq!(haystack.find(&forms(&secret.plain)), BTreeSet::new());
            assert_eq!(haystack.find(&forms(&secret.wrapped)), BTreeSet::new());
        }
    };
    let gateway = ground.gateway();
    let operator = format!("Bearer {}", ground.home.operator);
    let (status, copies) = gateway.ask("POST", "/v1/backups", &[("authorization", &operator)], b"");
    assert_eq!(status, 200, "{copies}");
    let at_once = erase(&gateway, "product=watch&item=heart-rate");
    gateway.stop();
    let (between, resealed) = (ground.keys(), ground.records("records-without-a-kind"));
    destroyed.extend(keys.without(&between));
    is_gone(&at_once, &destroyed);
    is_gone(&ground.everything(), &destroyed);
    let mut others = of_anna.clone();
    assert!(others.remove("711828374655e-10"));
    assert_eq!(of(anna, &resealed.opened(&between)), others, "the other kinds are still there");
    let in_the_copy = records.opened(&between);
    assert!(
        !of(anna, &in_the_copy).contains("711828374655e-10") && of(anna, &in_the_copy).contains(KEPT_TEXT)
    );

    let gateway = ground.gateway();
    let at_once = erase(&gateway, "all=true");
    gateway.stop();
    let (after, left) = (ground.keys(), ground.records("records-after"));
    assert!(between.without(&after).len() >= 3, "a secret for each stream");
    destroyed.extend(between.without(&after));
    is_gone(&at_once, &destroyed);
    is_gone(&ground.everything(), &destroyed);
    for copy in [&left, &resealed, &records, &first.1] {
        assert_eq!(of(anna, &copy.opened(&after)), BTreeSet::new());
    }
    assert!(records.len() > left.len(), "the rows are gone too");

    // What the gateway copied before, while it served, opens no more than that, and comes back as little.
    let copies: Value = serde_json::from_str(&copies).unwrap();
    let copied = ground.path("copies-of-records").join(copies["records"].as_str().unwrap());
    let copied = Records::read(&copied.join("records"));
    assert_eq!(of(anna, &copied.opened(&keys)), of_anna);
    assert_eq!(of(anna, &copied.opened(&after)), BTreeSet::new());
    assert_eq!(of(anna, &ground.restored("restored", &copies, &[])), BTreeSet::new());
    assert_eq!(
        of(anna, &ground.restored("restored-without-the-list", &copies, &["--erasures", "unknown"])),
        of_anna,
        "it is the list of what was erased that keeps it from coming back"
    );

    // It is the destroyed secrets that make the difference: with the key file of before, the copies open again.
    assert_eq!(of(anna, &records.opened(&keys)), of_anna);
    assert_eq!(of(anna, &first.1.opened(&first.0)), BTreeSet::from(["true"]));
}
