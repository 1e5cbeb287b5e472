//! One binary, thin: arguments, exit codes, printing.
fn main() {}
