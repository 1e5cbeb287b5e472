//! What was refused, summed by stream and hour. No message has an entry of its own.
//!
//! The sums of the running hour are in memory: a crash loses them, and nothing else of the log. A
//! gateway that is started within the hour writes a second sum of it.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

use housecarl_audit::Act;
use housecarl_audit::entry::Refusals;
use housecarl_policy::Gate;

use super::outbox::{moment, name};
use super::{AuditError, By};
use crate::journey::Journey;
use crate::minimise::{Left, Minimised};
use crate::store::StreamNumber;

/// In seconds.
const HOUR: u64 = 3_600;
/// What was permitted when it came and not when it was captured has no closed gate.
const NOT_WHEN_CAPTURED: &str = "not-permitted-when-captured";

/// Each reason, and how often.
pub(crate) type Reasons = BTreeMap<&'static str, u64>;

/// The beginning of the hour of a moment; both in seconds since 1970.
pub(super) const fn hour_of(at: u64) -> u64 {
    at / HOUR * HOUR
}

/// How often which gate was why nothing was left of a value, or why nobody was recognised. A value
/// that several gates closed to different purposes counts once for each of them.
pub(crate) fn refusals(minimised: &Minimised) -> Reasons {
    let mut reasons = Reasons::new();
    let mut count = |reason, times: u64| {
        let so_far: &mut u64 = reasons.entry(reason).or_default();
        *so_far = so_far.saturating_add(times);
    };
    for fate in minimised.fates().filter(|fate| fate.left == Left::Refused) {
        let closed = Gate::EVERY.iter().filter(|gate| !fate.decision.closed_by(**gate).is_empty());
        closed.for_each(|gate| count(gate.name(), 1));
        if !fate.late.is_empty() {
            count(NOT_WHEN_CAPTURED, 1);
        }
    }
    minimised.unrecognised().iter().for_each(|(gate, times)| count(gate.name(), *times));
    reasons
}

/// The sums that are in no entry yet, by hour and stream.
#[derive(Default)]
pub(super) struct Sums(Mutex<BTreeMap<(u64, StreamNumber), Reasons>>);

impl Sums {
    fn add(&self, hour: u64, stream: StreamNumber, reasons: Reasons) {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sums.entry((hour, stream)).or_default();
        for (reason, times) in reasons {
            let so_far = sum.entry(reason).or_default();
            *so_far = so_far.saturating_add(times);
        }
    }

    /// Takes out what is from before this hour, or everything.
    fn take(&self, before: Option<u64>) -> BTreeMap<(u64, StreamNumber), Reasons> {
        let mut sums = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stays = before.map_or_else(BTreeMap::new, |hour| sums.split_off(&(hour, StreamNumber(0))));
        mem::replace(&mut *sums, stays)
    }
}

impl Journey {
    /// Counts what was refused of a message.
    pub(crate) fn count_refusals(&self, stream: StreamNumber, reasons: Reasons, now: u64) {
        if !reasons.is_empty() {
            self.log.sums.add(hour_of(now), stream, reasons);
        }
    }

    /// Writes the sums of the hours before this one into the outbox, or all of them.
    pub(super) fn flush_sums(&self, now: u64, before: Option<u64>) -> Result<(), AuditError> {
        for ((hour, stream), reasons) in self.log.sums.take(before) {
            // What cannot be written is counted on, and written by the next flush.
            self.flush_sum(now, hour, stream, &reasons)
                .inspect_err(|_| self.log.sums.add(hour, stream, reasons))?;
        }
        Ok(())
    }

    fn flush_sum(
        &self,
        now: u64,
        hour: u64,
        stream: StreamNumber,
        reasons: &Reasons,
    ) -> Result<(), AuditError> {
        let (product_name, stream_name) = self.register.stream_names(stream)?;
        let (product, stream) = (name(&product_name)?, name(&stream_name)?);
        let mut named = BTreeMap::new();
        for (reason, times) in reasons {
            named.insert(name(reason)?, *times);
        }
        let reasons = Refusals::new(named).ok_or(AuditError::NotSayable("number of reasons"))?;
        let act = Act::Refused { product, stream, hour: moment(hour)?, reasons };
        self.register.log(&self.entry(None, By::Housecarl, now, &[], |_| act)?)?;
        Ok(())
    }
}
