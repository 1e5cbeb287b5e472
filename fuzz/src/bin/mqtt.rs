//! Feeds arbitrary bytes to the boundary of MQTT, as a stranger and then as a device would.
//!
//! The first bit says which version a device speaks, the rest is what it sends. Packets are taken until one
//! is refused; what is taken must have come out of the input, and only whole packets may.
#![no_main]

use bytes::BytesMut;
use housecarl_fuzz::mutate::Dice;
use housecarl_fuzz::success;
use housecarl_server::ingest::mqtt::wire::{Version, connect, packet};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

const PUBLISH_MAX: usize = 4096;
const OTHER_MAX: usize = 1024;

/// What reads to the end as it is.
const WHOLE: &[&[u8]] = &[
    include_bytes!("../../seeds/mqtt/connect_3"),
    include_bytes!("../../seeds/mqtt/connect_5"),
    include_bytes!("../../seeds/mqtt/connect_5_password_alone"),
    include_bytes!("../../seeds/mqtt/device_3"),
    include_bytes!("../../seeds/mqtt/device_5"),
];

fuzz_target!(|data: &[u8]| {
    let mut stranger = BytesMut::from(data);
    let is_connect = matches!(connect(&mut stranger, OTHER_MAX), Ok(Some(_)));

    let Some((first, sent)) = data.split_first() else { return };
    let version = if first & 1 == 0 { Version::V3_1_1 } else { Version::V5 };
    let mut input = BytesMut::from(sent);
    let mut number = 0;
    loop {
        let before = input.len();
        match packet(&mut input, version, PUBLISH_MAX, OTHER_MAX) {
            Ok(Some(_)) => {
                number += 1;
                assert!(input.len() + 2 <= before, "a packet takes two bytes at least");
            }
            Ok(None) => {
                assert_eq!(input.len(), before, "half a packet is left where it is");
                break;
            }
            Err(_) => break,
        }
    }
    success::count(is_connect || number > 0);
});

// Half of the inputs are whole ones with a byte changed, so that they mostly stay whole.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut dice = Dice::new(seed);
    let whole = WHOLE.get(dice.below(2 * WHOLE.len()));
    match whole.and_then(|whole| Some((whole, data.get_mut(..whole.len())?))) {
        Some((whole, place)) if whole.len() <= max_size => {
            place.copy_from_slice(whole);
            let at = dice.below(place.len());
            if let (Some(byte), Ok(new)) = (place.get_mut(at), u8::try_from(dice.below(256))) {
                *byte = new;
            }
            whole.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
});
