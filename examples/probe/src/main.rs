//! The policy crate linked for a microcontroller, with nothing beneath it.
//!
//! The image is never run. That it links shows that the policy needs no operating system and no
//! allocator; that no panic is left in it shows that none can happen, whatever the bytes say.
#![no_std]
#![no_main]

mod exercise;

use core::hint::black_box;
use core::panic::PanicInfo;

/// The entry point named in `device.ld`.
#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    exercise::all(unknown_bytes(), unknown_bytes());
    #[cfg(feature = "panics")]
    black_box(unknown_bytes()[black_box(usize::MAX)]);
    loop {
        core::hint::spin_loop();
    }
}

/// Bytes of which the compiler knows neither what they are nor how many.
fn unknown_bytes() -> &'static [u8] {
    static MEMORY: [u8; 4096] = [0; 4096];
    black_box(&MEMORY).get(..black_box(MEMORY.len())).unwrap_or_default()
}

/// Only a panic brings this into the image, and the image must hold none.
#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    loop {}
}
