//! Reads arbitrary bytes as a policy table, then asks of it all that a device asks.
#![no_main]

#[path = "../../../examples/probe/src/exercise.rs"]
mod exercise;

use housecarl_fuzz::mutate::Dice;
use housecarl_fuzz::{success, tables};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

/// The first bytes are what is asked, and the others are the table.
const ASKED: usize = 512;

fuzz_target!(|data: &[u8]| {
    let (asked, table) = data.split_at_checked(ASKED).unwrap_or((data, &[]));
    success::count(exercise::all(table, asked));
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut dice = Dice::new(seed);
    match dice.below(8) {
        // A new table under the same questions.
        0 | 1 => {
            let table = tables::table(&mut dice);
            match data.get_mut(ASKED..ASKED + table.len()) {
                Some(place) if ASKED + table.len() <= max_size => place.copy_from_slice(&table),
                _ => return fuzzer_mutate(data, size, max_size),
            }
            ASKED + table.len()
        }
        // Other questions of the same table.
        2..=5 if size > ASKED => {
            if let Some(asked) = data.get_mut(..ASKED) {
                fuzzer_mutate(asked, ASKED, ASKED);
            }
            size
        }
        // One byte of the table.
        6 if size > ASKED => {
            let at = ASKED + dice.below(size - ASKED);
            let new = u8::try_from(dice.below(256)).unwrap_or(0);
            if let Some(byte) = data.get_mut(at) {
                *byte = new;
            }
            size
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});
