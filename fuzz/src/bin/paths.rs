//! Takes arbitrary payloads along the stages of a device's message: received, decided, minimised.
#![no_main]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use housecarl_fuzz::{mutate, success};
use housecarl_journey::{Home, Past, PseudonymKey, decide, minimise, receive};
use housecarl_manifest::{Ordinals, compile, read};
use housecarl_policy::{AgeBand, DeviceStanding, PurposeSet, Standing, Table};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

const MANIFEST: &str = include_str!("../../../products/watch/privacy.toml");
const PAYLOADS: &[&str] = &[
    include_str!("../../../products/watch/payloads/vitals.json"),
    include_str!("../../../products/watch/payloads/night.json"),
    include_str!("../../../products/watch/payloads/scale.json"),
];

/// Somebody who agreed to everything lives here alone.
struct Agreed {
    device: DeviceStanding,
    people: [Standing; 1],
}

impl Agreed {
    fn new() -> Self {
        let mut person = Standing::unasked(AgeBand::Adult);
        (person.agreed, person.told) = (PurposeSet::ALL, PurposeSet::ALL);
        (0..16).for_each(|slot| person.choose_precision(slot, 1));
        let device =
            DeviceStanding { agreed: PurposeSet::ALL, features: u32::MAX, ..DeviceStanding::default() };
        Self { device, people: [person] }
    }
}

impl Home for Agreed {
    fn device(&self) -> &DeviceStanding {
        &self.device
    }
    fn people(&self) -> &[Standing] {
        &self.people
    }
    fn at(&self, _: u64) -> Option<Past> {
        Some(Past { device: self.device, people: self.people.to_vec() })
    }
    fn person(&self, mark: Option<&str>) -> Option<usize> {
        mark.is_none_or(|mark| !mark.is_empty()).then_some(0)
    }
}

fuzz_target!(|payload: &[u8]| {
    static TABLE: OnceLock<Vec<u8>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let manifest = read(MANIFEST).manifest;
        compile(&manifest, MANIFEST, &Ordinals::default(), &BTreeSet::new()).table
    });
    let Ok(table) = Table::read(table) else { panic!("the product's table does not read") };
    let (home, key) = (Agreed::new(), PseudonymKey::new([7; 32]));
    let mut kept = 0;
    for (stream, _) in table.streams() {
        let Ok(received) = receive(payload) else { break };
        let Ok(declared) = received.declared_values(&table, stream) else { break };
        let Ok(permitted) = decide(received, &table, stream, &home, 1_800_000_000) else {
            panic!("what could be walked once could not be walked again")
        };
        let minimised = minimise(permitted, &table, |_| Some(&key));
        assert!(minimised.fates().count() >= declared, "a declared value was lost on the way");
        for fate in minimised.fates() {
            assert!(!fate.decision.permitted.is_empty() || !fate.left.is_kept(), "kept for no purpose");
            kept += usize::from(fate.left.is_kept());
        }
        for shape in minimised.undeclared().keys() {
            // A shape is the manifest's own words, or says that a text held no JSON.
            assert!(shape.starts_with('/') || shape == "(json)", "a shape that no manifest declared");
        }
    }
    success::count(kept > 0);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json(mutate::Input { data, size, max_size, seed }, PAYLOADS)
});
