//! What one person costs in memory, index and allocator included.

use std::process::Command;

use housecarl_policy::{Standing, Table};

use crate::decision::{SHAPES, grouped};
use crate::machine;
use crate::people::{self, PEOPLE};
use crate::product::Product;

/// What tells this program to fill the memory and say what it took.
pub(crate) const CHILD: &str = "--fill-standings";

const BYTES_A_PERSON_MAX: f64 = 256.0;

/// In a process of its own, where nothing else has been in the memory before.
pub(crate) fn fill() {
    let before = machine::resident();
    let standings = people::standings();
    let after = machine::resident();
    assert_eq!(standings.len(), PEOPLE as usize);
    println!("{}", after - before);
}

pub(crate) fn run() {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).arg(CHILD).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    println!("\nMEMORY  growth of the resident memory of a fresh process, in bytes\n");
    let row = |name: &str, bytes: f64, note: &str| println!("  {name:<34}{:>16}  {note}", grouped(bytes));
    row(
        "a person and product",
        bytes / f64::from(PEOPLE),
        &format!(
            "of {} people, index included; {} of it is the standing; bound {BYTES_A_PERSON_MAX}",
            grouped(f64::from(PEOPLE)),
            size_of::<Standing>()
        ),
    );
    for shape in SHAPES {
        let product = Product::of(shape);
        let name = format!("a table of {} pairs", grouped(shape.pairs() as f64));
        row(
            &name,
            product.compiled.table.len() as f64,
            &format!(
                "compiled, once for all people; {} more when read",
                grouped(size_of::<Table<'_>>() as f64)
            ),
        );
    }
}
