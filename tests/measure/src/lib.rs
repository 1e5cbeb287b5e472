//! What every measurement needs: clocks, interleaved rounds with their ratios, and the machine's name.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement may fail loudly")]
#![expect(clippy::print_stdout, reason = "what is measured is printed")]

pub mod clock;
pub mod rounds;
pub mod machine;
pub mod figures;
