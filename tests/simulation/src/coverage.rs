//! How often what happened: no kind of operation and no outcome may silently not occur.

use std::collections::BTreeMap;
use std::fmt;

/// What has to have happened at least once where histories are many.
pub const REQUIRED: &[&str] = &[
    // Operations that were carried out.
    "person",
    "device",
    "mark",
    "welcome",
    "set-up",
    "say",
    "settle",
    "send",
    "together",
    "resend",
    "garbage",
    "erase",
    "erase some",
    "pass",
    "jump",
    "expire",
    "turn-over",
    "restart",
    // What became of messages.
    "message kept",
    "message kept by its key",
    "message again",
    "message again within a group",
    "message kept or again: either is right",
    "message with nothing kept",
    "message unreadable",
    "value late",
    "person not recognised",
    "part of a person",
    "part of a household",
    "part of bystanders",
    // What was said.
    "said yes",
    "said no",
    "took back a yes",
    "said told",
    "said authorised",
    "said restricted",
    "said unrestricted",
    "said precision",
    "said no marketing",
    "said feature",
    // What was seen.
    "read with values",
    "read with nothing although parts are there",
    "read of a household",
    "read of bystanders",
    "read of a code",
    "read of a guess",
    "read of a guess with its certainty",
    "wanted something",
    "wanted nothing",
    // What ended.
    "erased parts",
    "erased nothing",
    "erased some parts",
    "erased no span",
    "expired parts",
    "expired nothing",
    "expiry held back by the clock",
    "records lost with a store in memory",
];

/// Counts by name.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Coverage(BTreeMap<&'static str, u64>);

impl Coverage {
    /// It happened.
    pub fn count(&mut self, what: &'static str) {
        self.add_some(what, 1);
    }

    /// It happened so often.
    pub fn add_some(&mut self, what: &'static str, times: u64) {
        *self.0.entry(what).or_default() += times;
    }

    /// Adds what others counted.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, times)| self.add_some(what, *times));
    }

    /// How often it happened.
    #[must_use]
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// What never happened and should have.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        REQUIRED.iter().copied().filter(|what| self.of(what) == 0).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, times)| writeln!(f, "{times:>9}  {what}"))
    }
}
