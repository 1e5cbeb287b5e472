//! Reads arbitrary text as a manifest, and compiles whatever of it could be read.
#![no_main]

use std::collections::BTreeSet;

use housecarl_fuzz::{mutate, success};
use housecarl_manifest::{Ordinals, compile, read};
use housecarl_policy::Table;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|text: &str| {
    let reading = read(text);
    let compiled = compile(&reading.manifest, text, &Ordinals::default(), &BTreeSet::new());
    let whole = reading.problems.is_empty() && compiled.problems.is_empty();
    let table = Table::read(&compiled.table);
    assert!(table.is_ok(), "a compiled table does not read: {:?}", table.err());
    success::count(whole);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::toml(
        mutate::Input { data, size, max_size, seed },
        &[include_str!("../../seeds/manifest/watch.toml")],
    )
});
