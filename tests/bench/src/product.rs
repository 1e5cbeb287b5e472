//! A made-up product of any size, whose mix of purposes is the same at every size.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use housecarl_manifest::{Compiled, Manifest, Ordinals, compile, read};
use housecarl_policy::Table;

/// How many purposes use each item.
pub(crate) const PURPOSES_PER_ITEM: usize = 4;
/// As many items as there are choices of precision.
const CHOICES_MAX: usize = 16;

/// How large a product is.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) items: usize,
    pub(crate) purposes: usize,
}

impl Shape {
    /// How many pairs of an item and a purpose the table has.
    pub(crate) const fn pairs(self) -> usize {
        self.items * PURPOSES_PER_ITEM
    }
}

/// A product: its manifest, read and compiled.
pub(crate) struct Product {
    pub(crate) shape: Shape,
    pub(crate) manifest: Manifest,
    pub(crate) compiled: Compiled,
}

impl Product {
    pub(crate) fn of(shape: Shape) -> Self {
        let text = text(shape);
        let reading = read(&text);
        assert!(reading.problems.is_empty(), "the made-up manifest has {:?}", reading.problems);
        let compiled = compile(&reading.manifest, &text, &Ordinals::default(), &BTreeSet::new());
        assert!(compiled.problems.is_empty(), "the made-up manifest has {:?}", compiled.problems);
        Self { shape, manifest: reading.manifest, compiled }
    }

    pub(crate) fn table(&self) -> Table<'_> {
        Table::read(&self.compiled.table).unwrap()
    }
}

const HEAD: &str = r#"manifest = 1

[product]
name = "A product"
release = "1.0"
kind = "smart-watch"
market = "consumer"
connection = "direct"
interfaces = ["phone-app"]

[people]
children = { likely = true }
accounts = "main-and-additional"
guests = false
bystanders = false

[organisation.maker]
name = "A maker"
kind = "manufacturer"

[stream.readings]
topic = "made-up/{device}/readings"
about = "wearer"
"#;

fn text(shape: Shape) -> String {
    let mut text = HEAD.to_owned();
    for item in 0..shape.items {
        let leaves = if item % 5 == 0 && item / 5 < CHOICES_MAX {
            r#"precision = ["off", { name = "tens", leaves = { bucket = 10 } }, "exact"]"#
        } else {
            "leaves = { bucket = 10 }"
        };
        let _ = write!(
            text,
            r#"
[item.item-{item}]
title = "An item"
kind = "other"
stream = "readings"
at = "/item-{item}"
from = "sensor"
{leaves}
"#
        );
    }
    for purpose in 0..shape.purposes {
        // An item and the next ones are used by purposes that stand beside each other.
        let uses = (0..shape.items)
            .filter(|item| (0..PURPOSES_PER_ITEM).any(|next| (item + next) % shape.purposes == purpose));
        let uses: Vec<String> = uses.map(|item| format!("\"item-{item}\"")).collect();
        // (kind, basis and what goes with it, what the access is excepted as)
        let (kind, basis, exception) = match purpose % 5 {
            0 => ("core-function", "basis = \"contract\"", "strictly-necessary"),
            1 => ("feature", "basis = \"contract\"\ncondition = \"explicit-consent\"", "strictly-necessary"),
            2 => ("statistics", "basis = \"legitimate-interests\"", "statistics"),
            3 => ("marketing", "basis = \"consent\"\nends = 2031-06-30", "none"),
            _ => ("safety", "basis = \"vital-interests\"", "emergency"),
        };
        let _ = write!(
            text,
            r#"
[purpose.purpose-{purpose}]
kind = "{kind}"
why = "To do something"
uses = [{}]
decided_by = {{ why = "maker", what = "maker", whose = "maker", how_long = "maker" }}
{basis}
keep = {{ for = "90 days", from = "receipt", then = "erase" }}
runs = "cloud"
countries = "GB"

[access.access-{purpose}]
on = "product"
does = "reads"
technology = "firmware"
serves = "purpose-{purpose}"
exception = "{exception}"
"#,
            uses.join(", ")
        );
        if kind == "feature" {
            let _ = write!(
                text,
                "\n[feature.feature-{purpose}]\ntitle = \"A feature\"\ncore = false\nstarts = [\"purpose-{purpose}\"]\n"
            );
        }
    }
    text
}
