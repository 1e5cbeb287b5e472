//! The trial: the same cases before all judges, and what they did not agree on.

use std::fmt;

use housecarl_policy::{Gate, Operator};

use crate::cedar::Cedar;
use crate::dice::Dice;
use crate::facts::Case;
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

/// Asks questions about one product after the other, from `seed` in steps of `step`, until there
/// were so many cases. Counts what decided; stops early after ten disagreements.
#[must_use]
pub fn run(mut seed: u64, step: u64, cases: u64) -> (Gates, Vec<Disagreement>) {
    let (mut gates, mut disagreements) = (Gates::default(), Vec::new());
    while gates.cases < cases && disagreements.len() < 10 {
        let size = size(seed);
        let product = Product::of(seed, size);
        let mut dice = Dice::of(seed ^ 0xFEED);
        let reference = Reference::of(&product.manifest, &product.shut);
        let cedar = Cedar::of(&product.manifest, &product.shut);
        // A large product has ten times the purposes, and Cedar reads all policies each time.
        let questions = if size == Size::Full { 4 } else { QUESTIONS_A_PRODUCT };
        for _ in 0..questions {
            let case = product.case(&mut dice);
            for (purpose, what) in judge(&product, &reference, &cedar, &case, &mut gates) {
                disagreements.push(Disagreement { seed, what, purpose, case: case.clone() });
            }
        }
        seed += step;
    }
    (gates, disagreements)
}

/// Puts one case before all judges.
fn judge(
    product: &Product,
    reference: &Reference<'_>,
    cedar: &Cedar,
    case: &Case,
    gates: &mut Gates,
) -> Vec<(Option<String>, String)> {
    let table = product.table();
    let decision = product.translator(&table).decide(case);
    let answer = reference.answer(case);
    let allowed = cedar.permitted(case);
    let mut found = Vec::new();
    for (purpose, verdict) in &answer.verdicts {
        gates.count(verdict);
        let mut differs = |what: String| found.push((Some(purpose.clone()), what));
        let number = product.compiled.ordinals.purpose(purpose).unwrap();
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
    if decision.operator != answer.operator {
        found.push((None, format!("table: {:?}, reference: {:?}", decision.operator, answer.operator)));
    }
    if u64::from(decision.keep_seconds) != answer.keep_seconds {
        found.push((
            None,
            format!("table keeps {}, reference {}", decision.keep_seconds, answer.keep_seconds),
        ));
    }
    let nothing = decision.permitted.is_empty();
    if nothing && (decision.operator != Operator::Drop || decision.keep_seconds != 0) {
        found.push((None, "nothing is permitted and something is left".to_owned()));
    }
    found
}

/// The gates that alone decide less than one in a hundred cases.
#[must_use]
pub fn too_rare(gates: &Gates) -> Vec<Gate> {
    Gate::EVERY.iter().copied().filter(|gate| gates.percent_alone(*gate) < 1.0).collect()
}
