//! Which gates decided, and how often each of them alone.

use std::collections::BTreeMap;
use std::fmt;

use housecarl_policy::Gate;

use crate::reference::Verdict;

/// What many cases came to. A case is one purpose of one question.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Gates {
    /// How many cases there were.
    pub cases: u64,
    /// How many were permitted.
    pub permitted: u64,
    closed: BTreeMap<Gate, u64>,
    alone: BTreeMap<Gate, u64>,
}

impl Gates {
    /// Counts a case.
    pub fn count(&mut self, verdict: &Verdict) {
        self.cases += 1;
        match verdict {
            Verdict::Permitted { .. } => self.permitted += 1,
            Verdict::Closed(gates) => {
                for gate in gates {
                    *self.closed.entry(*gate).or_default() += 1;
                }
            }
        }
        if let Some(gate) = verdict.decided_by() {
            *self.alone.entry(gate).or_default() += 1;
        }
    }

    /// Adds what others counted.
    pub fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.permitted += other.permitted;
        for (mine, theirs) in [(&mut self.closed, &other.closed), (&mut self.alone, &other.alone)] {
            for (gate, count) in theirs {
                *mine.entry(*gate).or_default() += count;
            }
        }
    }

    /// In how many of a hundred cases this gate alone decided: were it open, the purpose would be.
    #[must_use]
    pub fn percent_alone(&self, gate: Gate) -> f64 {
        percent(self.alone.get(&gate).copied().unwrap_or(0), self.cases)
    }

    /// In how many of a hundred cases the act was permitted.
    #[must_use]
    pub fn percent_permitted(&self) -> f64 {
        percent(self.permitted, self.cases)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share to two digits needs no more")]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

impl fmt::Display for Gates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} cases, {:.1} % permitted", self.cases, self.percent_permitted())?;
        writeln!(f, "{:<22} {:>8} {:>8}", "gate", "closed %", "alone %")?;
        for gate in Gate::EVERY {
            let closed = percent(self.closed.get(gate).copied().unwrap_or(0), self.cases);
            writeln!(f, "{:<22} {closed:>8.2} {:>8.2}", gate.name(), self.percent_alone(*gate))?;
        }
        Ok(())
    }
}
