//! Tests, checks, benches and long runs.
fn main() {}
