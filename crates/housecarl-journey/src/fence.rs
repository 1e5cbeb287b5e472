//! The fence: when a withdrawal returns, everything that was begun before it is done or dropped.
//!
//! It has three parts, and each alone is not enough:
//! - the **past ends**: what was decided before and is not in a group yet is decided again;
//! - the **readers** of the home hand on what they have in hand, and decide again for the next part;
//! - the **barrier** passes the queue of those who write: the group that was being written has been.

use std::sync::PoisonError;

use crate::journey::Journey;
use crate::people::homes::HomeAtWork;
use crate::store::commit::Failed;

/// A part of the fence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// What was decided before is decided again.
    Past,
    /// Whoever reads has handed on what is in hand.
    Readers,
    /// Whoever writes has written the group that was under way.
    Barrier,
}

/// Which of its parts the fence has.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    #[cfg(feature = "testing")]
    without: std::sync::Mutex<Option<Part>>,
}

impl Fence {
    /// All of them, but in a test that wants to see what becomes of it without one.
    #[cfg(feature = "testing")]
    fn has(&self, part: Part) -> bool {
        *self.without.lock().unwrap_or_else(PoisonError::into_inner) != Some(part)
    }

    #[cfg(not(feature = "testing"))]
    const fn has(&self, _: Part) -> bool {
        true
    }
}

impl Journey {
    /// Ends the past of a home: memory says already what holds from now on.
    pub(crate) fn end_past(&self, home: &HomeAtWork) {
        if self.fence.has(Part::Past) {
            home.epoch.end();
        }
    }

    /// Waits until everything that was begun in the past of a home is done or dropped.
    pub(crate) async fn wait_for_past(&self, home: &HomeAtWork) -> Result<(), Failed> {
        if self.fence.has(Part::Readers) {
            drop(home.reading.write().unwrap_or_else(PoisonError::into_inner));
        }
        if self.fence.has(Part::Barrier) {
            self.commits.barrier().await?;
        }
        Ok(())
    }

    /// How many groups were being written while somebody changed their mind about something in them.
    #[must_use]
    pub fn groups_overtaken(&self) -> u64 {
        self.commits.overtaken()
    }
}

#[cfg(feature = "testing")]
impl Journey {
    /// Takes a part out of the fence, so that a test sees that it is missed.
    pub fn without(&self, part: Part) {
        *self.fence.without.lock().unwrap_or_else(PoisonError::into_inner) = Some(part);
    }

    /// How many parts lie here about a subject that were received from a moment on, readable or not.
    ///
    /// # Errors
    /// [`crate::store::StoreError`].
    pub fn held_since(
        &self,
        subject: crate::people::SubjectId,
        since: u64,
    ) -> Result<u64, crate::store::StoreError> {
        let mut parts = 0_u64;
        let wanted =
            crate::store::Wanted { received: since..u64::MAX, ..crate::store::Wanted::all_of(subject) };
        self.store.scan(&wanted, &mut |_| {
            parts = parts.saturating_add(1);
            true
        })?;
        Ok(parts)
    }
}
