//! One person's 10,000 records, read for a purpose, beside what the parts of that cost alone: the same
//! engine scanned, the same cipher opened, the same CBOR decoded, and nothing decided.

use std::hint::black_box;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use fjall::{Database, KeyspaceCreateOptions};
use housecarl_journey::journey::{Journey, Settings};
use housecarl_journey::people::OperatorId;
use housecarl_journey::read::Ask;
use housecarl_measure::figures::{Bound, figure, grouped, verdict};
use housecarl_measure::rounds::{Contestant, race};

use minicbor::bytes::ByteVec;

use crate::gateway::now;
use crate::house::{self, Sends, WATCH};

const ROUNDS: usize = 21;
const MESSAGES: usize = 5_000;
/// Each message has two parts, of which one is of the purpose that is read for.
const RECORDS: usize = 2 * MESSAGES;

pub(crate) fn run() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let settings = Settings::in_folder(folder.path());
    let journey = Arc::new(Journey::open(&settings, vec![house::watch()], now, |_| ()).unwrap());
    let wearer = runtime.block_on(house::home(&journey, "wearer", now()));
    runtime.block_on(house::send(&journey, &wearer, Sends::Day, MESSAGES));
    assert_eq!(journey.held(wearer.person.into()).unwrap(), RECORDS as u64);

    let (product, in_force) = journey.product_named(WATCH).unwrap();
    let purpose = in_force.version().purpose("activity").unwrap();
    let ask = Ask {
        reader: OperatorId([9; 16]),
        product,
        purpose,
        subject: wearer.person.into(),
        stream: None,
        received: 0..u64::MAX,
    };
    let read = || {
        let mut values = 0_usize;
        journey
            .read(&ask, now(), |released| {
                black_box(released);
                values += 1;
                true
            })
            .unwrap();
        values
    };
    let values = read();
    assert!(values >= RECORDS, "{values} values of {RECORDS} records were released");

    let bare = Bare::new();
    let times = race(
        ROUNDS,
        &mut [
            Contestant::new(RECORDS, || {
                read();
            }),
            Contestant::new(RECORDS, || bare.read()),
        ],
    );
    println!(
        "\nREAD  one person's {} records, {} values released; CPU ns a record, medians of {ROUNDS} interleaved rounds\n",
        grouped(RECORDS as f64),
        grouped(values as f64)
    );
    println!("  read for a purpose, decided now, logged    {:>10}", figure(times[0].median()));
    println!("  fjall scan, AES-GCM open, CBOR decode      {:>10}", figure(times[1].median()));
    verdict("rate beside a bare scan plus opening", Bound::AtLeast(0.5), times[1].ratio(&times[0]), "x");
}

/// Records in a keyspace of their own, sealed under one key.
struct Bare {
    _folder: tempfile::TempDir,
    keyspace: fjall::Keyspace,
    key: LessSafeKey,
}

impl Bare {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::builder(folder.path()).open().unwrap();
        let keyspace = database.keyspace("records", KeyspaceCreateOptions::default).unwrap();
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
        for number in 0..RECORDS as u64 {
            let place = place(number);
            let mut sealed = record(number);
            let nonce = nonce(number);
            key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
                .unwrap();
            keyspace.insert(place, [nonce.as_slice(), &sealed].concat()).unwrap();
        }
        Self { _folder: folder, keyspace, key }
    }

    fn read(&self) {
        for row in self.keyspace.range(place(0)..=place(u64::MAX)) {
            let (place, sealed) = row.into_inner().unwrap();
            let (nonce, sealed) = sealed.split_first_chunk().unwrap();
            let mut plain = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let plain = self.key.open_in_place(nonce, Aad::from(&place[..]), &mut plain).unwrap();
            black_box(minicbor::decode::<Record>(plain).unwrap());
        }
    }
}

/// As long as a part of the message, and with as many values.
type Record = (ByteVec, u64, ByteVec, Vec<(u32, u16, bool, Option<u64>, (i8, i64))>);

fn record(number: u64) -> Vec<u8> {
    let ids = || ByteVec::from(vec![5; 16]);
    let value = |item| (0_u32, item, false, None::<u64>, (-1_i8, 7_410_i64));
    let values = vec![value(3), value(4), value(5)];
    minicbor::to_vec((ids(), number, ids(), values)).unwrap()
}

fn place(number: u64) -> [u8; 34] {
    let mut place = [0xAB; 34];
    place[26..].copy_from_slice(&number.to_be_bytes());
    place
}

fn nonce(number: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    nonce
}
