//! The trial: the same cases before all judges, and what they did not agree on.

use std::fmt;

use housecarl_policy::{Gate, Table};

use crate::cedar::Cedar;
use crate::dice::Dice;
use crate::facts::{Case, Purposes};
use crate::gates::Gates;
use crate::generate::{Product, Size};
use crate::reference::{Reference, Verdict};

/// How many questions are asked about one made-up product.
const QUESTIONS_A_PRODUCT: u64 = 40;
/// Every so many products one is as large as a product can be.
const LARGE_EVERY: u64 = 64;

/// A case on which the judges do not agree.
#[derive(Clone, Debug)]
pub struct Disagreement {
    /// The seed of the product.
    pub seed: u64,
    /// What differs.
    pub what: String,
    /// The purpose, where it is about one.
    pub purpose: Option<String>,
    /// The case.
    pub case: Case,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, purpose {:?}: {}", self.seed, self.purpose, self.what)?;
        write!(f, "{:?}", self.case)
    }
}

/// The size of the product of a seed.
#[must_use]
pub const fn size(seed: u64) -> Size {
    if seed % LARGE_EVERY == LARGE_EVERY - 1 { Size::Full } else { Size::Usual }
}

/// The judges of one product.
#[derive(Debug)]
pub struct Bench<'p> {
    product: &'p Product,
    table: Table<'p>,
    reference: Reference<'p>,
    cedar: Cedar,
}

impl<'p> Bench<'p> {
    /// Calls the judges.
    #[must_use]
    pub fn of(product: &'p Product) -> Self {
        Self {
            product,
            table: product.table(),
            reference: Reference::of(&product.manifest, &product.shut),
            cedar: Cedar::of(&product.manifest, &product.shut),
        }
    }

    /// Puts one case before them. Returns what they do not agree on, and about which purpose.
    pub fn judge(&self, case: &Case, gates: &mut Gates) -> Vec<(Option<String>, String)> {
        let decision = self.product.translator(&self.table).decide(case);
        let answer = self.reference.answer(case);
        let allowed = self.cedar.permitted(case);
        let mut found = Vec::new();
        for (purpose, verdict) in &answer.verdicts {
            gates.count(verdict);
            let mut differs = |what: String| found.push((Some(purpose.clone()), what));
            let number = self.product.compiled.ordinals.purpose(purpose).unwrap();
            if decision.gate(number) != verdict.reason() {
                differs(format!("table: {:?}, reference: {verdict:?}", decision.gate(number)));
            }
            if allowed.contains(purpose) != verdict.is_permitted() {
                differs(format!("Cedar: {}, reference: {verdict:?}", allowed.contains(purpose)));
            }
            let alarm = *verdict == Verdict::Permitted { untold_alarm: true };
            if decision.untold_alarms.contains(number) != alarm {
                differs(format!("reference: {verdict:?}, and the table's untold alarms differ"));
            }
        }
        let named: Purposes = answer.verdicts.keys().cloned().collect();
        if !decision.permitted.is_subset(self.product.translator(&self.table).purposes(&named)) {
            found.push((None, "the table permits something that is no purpose".to_owned()));
        }
        if decision.operator != answer.operator {
            found.push((None, format!("table: {:?}, reference: {:?}", decision.operator, answer.operator)));
        }
        if u64::from(decision.keep_seconds) != answer.keep_seconds {
            let (table, reference) = (decision.keep_seconds, answer.keep_seconds);
            found.push((None, format!("the table keeps for {table} s, the reference for {reference} s")));
        }
        found
    }
}

/// Asks questions about one product after the other, from `seed` in steps of `step`, until there
/// were so many cases. Counts what decided; stops early after ten disagreements.
#[must_use]
pub fn run(mut seed: u64, step: u64, cases: u64) -> (Gates, Vec<Disagreement>) {
    let (mut gates, mut disagreements) = (Gates::default(), Vec::new());
    while gates.cases < cases && disagreements.len() < 10 {
        let size = size(seed);
        let product = Product::of(seed, size);
        let bench = Bench::of(&product);
        let mut dice = Dice::of(seed ^ 0xFEED);
        // A full product has ten times the purposes, and Cedar reads all policies each time.
        let questions = if size == Size::Full { 4 } else { QUESTIONS_A_PRODUCT };
        for _ in 0..questions {
            let case = product.case(&mut dice);
            for (purpose, what) in bench.judge(&case, &mut gates) {
                disagreements.push(Disagreement { seed, what, purpose, case: case.clone() });
            }
        }
        seed += step;
    }
    (gates, disagreements)
}

/// The gates that alone decide less than one in a hundred cases.
#[must_use]
pub fn too_rare(gates: &Gates) -> Vec<Gate> {
    Gate::EVERY.iter().copied().filter(|gate| gates.percent_alone(*gate) < 1.0).collect()
}
