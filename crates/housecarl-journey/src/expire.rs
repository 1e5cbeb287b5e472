//! Expire: past its end date nothing can be read, in backups neither.
//!
//! A read refuses a part from its end date on. When its bucket is over, the bucket's key is
//! overwritten, and with it go all copies; then the bucket is dropped.

use crate::journey::{Journey, NotChanged};
use crate::keys::KeyName;

/// A clock that differs by more than this from when it was last looked at has jumped, or the
/// gateway was off for long. In seconds.
const JUMP_MAX: u64 = 2 * 86_400;
/// For so long a clock has to move on without a jump before anything is destroyed on its word: a
/// wrong one is set right or noticed by then. In seconds.
const STEADY_MIN: u64 = 86_400;

/// What an expiry run did.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Expired {
    /// How many buckets are over and gone.
    pub buckets: usize,
    /// Whether the clock has jumped lately, so that nothing was destroyed.
    pub clock_jumped: bool,
}

impl Journey {
    /// Destroys every bucket that is over. To be called every few minutes.
    ///
    /// # Errors
    /// [`NotChanged`]; what is not destroyed yet is destroyed by the next run.
    pub fn expire(&self, now: u64) -> Result<Expired, NotChanged> {
        let (seen, steady) = self.register.clock()?;
        let passed = now.checked_sub(seen).filter(|passed| *passed <= JUMP_MAX);
        let steady = match passed {
            Some(passed) => steady.saturating_add(passed),
            // The first look of all: there is nothing yet that could be destroyed too early.
            None if seen == 0 => STEADY_MIN,
            None => 0,
        };
        self.register.set_clock(now, steady)?;
        if steady < STEADY_MIN {
            return Ok(Expired { buckets: 0, clock_jumped: true });
        }
        let over: Vec<_> =
            self.store.buckets().into_iter().filter(|bucket| bucket.ends_at() <= now).collect();
        // The keys first: from here on nothing can be read. A crash leaves buckets that nothing opens.
        self.keys.destroy(|name| matches!(name, KeyName::Bucket(bucket) if bucket.ends_at() <= now))?;
        for bucket in &over {
            self.store.drop_bucket(*bucket)?;
        }
        Ok(Expired { buckets: over.len(), clock_jumped: false })
    }
}
