//! Builds the binary again when an example product changes: they travel in it.

fn main() {
    println!("cargo::rerun-if-changed=../../products");
}
