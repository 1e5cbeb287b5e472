//! What one person costs in memory, index and allocator included.

use std::process::Command;

use housecarl_measure::figures::grouped;
use housecarl_measure::machine;
use housecarl_policy::Table;

use crate::decision::SHAPES;
use crate::people::{self, PEOPLE};
use crate::product::Product;

/// What tells this program to fill the memory and say what it took.
pub(crate) const CHILD: &str = "--fill-standings";

const BYTES_A_PERSON_MAX: f64 = 256.0;

/// So many people that nearly all of the 64 shards have just grown: when they keep the most free.
const JUST_GROWN: u32 = 798_000;

/// In a process of its own, where nothing else has been in the memory before.
pub(crate) fn fill(people: &str, purposes: &str) {
    let people = people.parse().unwrap();
    let before = machine::resident();
    let standings = people::standings(people, purposes.parse().unwrap());
    let after = machine::resident();
    assert_eq!(standings.len(), people as usize);
    println!("{}", (after - before) as f64 / f64::from(people));
}

fn bytes_a_person(people: u32, purposes: usize) -> f64 {
    let this = std::env::current_exe().unwrap();
    let output =
        Command::new(this).args([CHILD, &people.to_string(), &purposes.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

pub(crate) fn run() {
    println!("\nMEMORY  growth of the resident memory of a fresh process, in bytes\n");
    let row = |name: &str, bytes: f64, note: &str| println!("  {name:<34}{:>16}  {note}", grouped(bytes));
    for shape in SHAPES {
        for (people, note) in [(PEOPLE, ""), (JUST_GROWN, "the worst fill; ")] {
            row(
                &format!("a person, of {} purposes", shape.purposes),
                bytes_a_person(people, shape.purposes),
                &format!(
                    "of {} people, index included; {note}bound {BYTES_A_PERSON_MAX}",
                    grouped(f64::from(people))
                ),
            );
        }
    }
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
