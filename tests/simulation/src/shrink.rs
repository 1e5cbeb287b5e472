//! Makes a history that fails shorter, as long as it fails.

use crate::coverage::Coverage;
use crate::ops::Op;
use crate::world::{Fault, How, run};

/// A short history that fails, after which of its operations, and in what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failing {
    /// The history.
    pub ops: Vec<Op>,
    /// The fault after the last of them.
    pub fault: Fault,
}

/// Shortens a failing history: to its end, then by leaving out half of it, a quarter, and so on to one
/// operation. `None` where it does not fail. With each try everything is compared after each operation.
#[must_use]
pub fn shrink(ops: &[Op], how: How) -> Option<Failing> {
    let how = How { thorough: true, ..how };
    let fails = |ops: &[Op]| {
        let (at, fault) = run(ops, how, &mut Coverage::default()).err()?;
        Some(Failing { ops: ops[..=at].to_vec(), fault })
    };
    let (at, _) = run(ops, How { thorough: false, ..how }, &mut Coverage::default()).err()?;
    let mut failing = fails(&ops[..=at])?;
    let mut size = failing.ops.len().div_ceil(2);
    loop {
        let (mut at, before) = (0, failing.ops.len());
        while at < failing.ops.len() {
            let end = (at + size).min(failing.ops.len());
            let without: Vec<Op> = failing.ops[..at].iter().chain(&failing.ops[end..]).copied().collect();
            match fails(&without) {
                Some(shorter) => failing = shorter,
                None => at += size,
            }
        }
        if size == 1 && failing.ops.len() == before {
            return Some(failing);
        }
        size = (size / 2).max(1);
    }
}
