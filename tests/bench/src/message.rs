//! What a message costs on its way through receive, decide and minimise, beside a bare JSON decode.

use std::collections::BTreeSet;
use std::hint::black_box;

use housecarl_journey::{Home, Minimised, PseudonymKey, decide, minimise, receive};
use housecarl_manifest::{Ordinals, compile, read};
use housecarl_measure::figures::{figure, grouped};
use housecarl_measure::machine;
use housecarl_measure::rounds::{Contestant, race};
use housecarl_policy::{AgeBand, DeviceStanding, PurposeSet, Standing, StreamId, Table};

const ROUNDS: usize = 31;
const A_TURN: usize = 1_000;
const NOW: u64 = 1_798_761_600;

const MANIFEST: &str = include_str!("../../../products/watch/privacy.toml");
const LOCK: &str = include_str!("../../../products/watch/privacy.lock");
const PAYLOAD: &[u8] = include_bytes!("../../../products/watch/payloads/vitals.json");

/// A home of one, who agreed to everything.
struct One {
    device: DeviceStanding,
    people: [Standing; 1],
}

impl One {
    fn of(table: &Table<'_>) -> Self {
        let all = table.purposes();
        let mut standing = Standing::unasked(AgeBand::Adult);
        (standing.agreed, standing.told) = (all, all);
        for (_, item) in table.items() {
            standing.choose_precision(item.slot, item.steps.saturating_sub(1));
        }
        let device = DeviceStanding {
            agreed: all,
            refused: PurposeSet::NONE,
            available: all,
            features: u32::MAX,
            changed_at: 0,
        };
        Self { device, people: [standing] }
    }
}

impl Home for One {
    fn at(&self, _: u64) -> Option<housecarl_journey::Past> {
        Some(housecarl_journey::Past { device: self.device, people: self.people.to_vec() })
    }

    fn device(&self) -> &DeviceStanding {
        &self.device
    }

    fn people(&self) -> &[Standing] {
        &self.people
    }

    fn person(&self, _: Option<&str>) -> Option<usize> {
        Some(0)
    }
}

fn journey(table: &Table<'_>, stream: StreamId, home: &One, key: &PseudonymKey) -> Minimised {
    let permitted = decide(receive(PAYLOAD).unwrap(), table, stream, home, NOW).unwrap();
    minimise(permitted, table, |_| Some(key))
}

pub(crate) fn run() {
    let reading = read(MANIFEST);
    let ordinals = Ordinals::read(LOCK).unwrap();
    let compiled = compile(&reading.manifest, MANIFEST, &ordinals, &BTreeSet::new());
    let table = Table::read(&compiled.table).unwrap();
    let named = |name: &str| table.streams().find(|(_, stream)| table.text(stream.name) == name);
    let (stream, _) = named("vitals").unwrap();
    let (home, key) = (One::of(&table), PseudonymKey::new([7; 32]));

    let minimised = journey(&table, stream, &home, &key);
    let values = minimised.fates().count();
    let kept = minimised.fates().filter(|fate| fate.left.is_kept()).count();
    assert!(kept > 0, "nothing is kept of the payload");

    let times = race(
        ROUNDS,
        &mut [
            Contestant::new(A_TURN, || {
                for _ in 0..A_TURN {
                    drop(black_box(serde_json::from_slice::<serde_json::Value>(black_box(PAYLOAD)).unwrap()));
                }
            }),
            Contestant::new(A_TURN, || {
                for _ in 0..A_TURN {
                    drop(black_box(receive(black_box(PAYLOAD)).unwrap()));
                }
            }),
            Contestant::new(A_TURN, || {
                for _ in 0..A_TURN {
                    let received = receive(black_box(PAYLOAD)).unwrap();
                    drop(black_box(decide(received, &table, stream, &home, NOW).unwrap()));
                }
            }),
            Contestant::new(A_TURN, || {
                for _ in 0..A_TURN {
                    drop(black_box(journey(&table, stream, &home, &key)));
                }
            }),
        ],
    );

    println!(
        "\nMESSAGE  the watch's vitals, {} bytes, {values} declared values of which {kept} are kept; one thread, \
         medians of {ROUNDS} rounds\n",
        PAYLOAD.len()
    );
    println!("  {:<34}{:>16}{:>16}{:>16}", "", "CPU ns", "messages / s", "x serde_json");
    let bare = format!("serde_json {} alone, to a Value", machine::version("serde_json"));
    let names = [bare.as_str(), "receive", "receive, decide", "receive, decide, minimise"];
    for (name, times_of) in names.iter().zip(&times) {
        let ns = times_of.median();
        println!(
            "  {name:<34}{:>16}{:>16}{:>16}",
            grouped(ns),
            grouped(1e9 / ns),
            figure(times_of.ratio(&times[0]))
        );
    }
}
