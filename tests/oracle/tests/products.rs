//! The products that ship with the project, before the same judges.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::path::Path;

use housecarl_manifest::ordinals::LOCK_FILE;
use housecarl_manifest::{MANIFEST_FILE, Ordinals};
use housecarl_oracle::dice::Dice;
use housecarl_oracle::gates::Gates;
use housecarl_oracle::generate::Product;
use housecarl_oracle::trial::Bench;

const QUESTIONS: u64 = 60;

fn shipped() -> Vec<Product> {
    let products = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../products");
    let Ok(folders) = std::fs::read_dir(products) else { return Vec::new() };
    let mut folders: Vec<_> = folders.map(|folder| folder.unwrap().path()).collect();
    folders.sort();
    let product = |folder: &std::path::PathBuf| {
        let text = std::fs::read_to_string(folder.join(MANIFEST_FILE)).ok()?;
        let lock = std::fs::read_to_string(folder.join(LOCK_FILE));
        let before = lock.map_or_else(|_| Ordinals::default(), |lock| Ordinals::read(&lock).unwrap());
        let product = Product::from_text(text, before, BTreeSet::new(), Vec::new());
        // A manifest in the middle of being written has nothing to ask about yet.
        let ready = !product.purposes.is_empty() && !product.manifest.item.is_empty();
        ready.then_some(product)
    };
    folders.iter().filter_map(product).collect()
}

/// The same file with its tables in another order. What stands before the first table stays there.
fn shuffled(text: &str, dice: &mut Dice) -> String {
    let mut blocks: Vec<String> = vec![String::new()];
    for line in text.lines() {
        let code = line.split('#').next().unwrap_or_default().trim_end();
        let begins = line.starts_with('[') && code.ends_with(']') && !code.contains([',', '"', '{']);
        if begins {
            blocks.push(String::new());
        }
        let last = blocks.last_mut().unwrap();
        last.push_str(line);
        last.push('\n');
    }
    let mut tables = blocks.split_off(1);
    dice.shuffle(&mut tables);
    blocks.into_iter().chain(tables).collect()
}

#[test]
fn shuffled_manifest_changes_no_decision() {
    for (seed, product) in (0..).zip(shipped()) {
        let mut dice = Dice::of(seed);
        let other = product.rewritten(shuffled(&product.text, &mut dice));
        assert_eq!(product.compiled.ordinals, other.compiled.ordinals);
        let (table, shuffled) = (product.table(), other.table());
        for _ in 0..QUESTIONS {
            let case = product.case(&mut dice);
            let here = product.translator(&table).decide(&case);
            assert_eq!(here, other.translator(&shuffled).decide(&case), "{case:?}");
        }
    }
}

#[test]
fn shipped_products_are_judged_alike() {
    for (seed, product) in (0..).zip(shipped()) {
        let bench = Bench::of(&product);
        let (mut dice, mut gates) = (Dice::of(seed), Gates::default());
        for _ in 0..QUESTIONS {
            let case = product.case(&mut dice);
            let found = bench.judge(&case, &mut gates);
            assert!(found.is_empty(), "{found:?}\n{case:?}");
        }
    }
}
