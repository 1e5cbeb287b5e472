//! Programs on the mounted disk, each in a process of its own, and the power cut under them.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail loudly")]
#![expect(clippy::print_stdout, reason = "by it a program speaks to the test that started it")]

mod program;
mod protocols;
mod databases;
mod kernel;
