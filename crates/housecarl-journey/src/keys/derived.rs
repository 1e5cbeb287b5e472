//! The keys of parts that were used last. To derive one takes ten times as long as to seal with it.

use std::collections::BTreeMap;
use std::mem;

use super::KeyName;
use super::file::PartKey;
use crate::store::Bucket;

/// Under which secret of a subject and stream, and in which bucket.
pub(super) type Of = (KeyName, Bucket);

/// How many keys each half holds at most. A key takes about a kilobyte.
const HALF: usize = 2_048;

/// What was used since the halves were last changed, and what before.
#[derive(Default)]
pub(super) struct Derived {
    recent: BTreeMap<Of, PartKey>,
    before: BTreeMap<Of, PartKey>,
}

impl Derived {
    pub(super) fn get(&mut self, of: Of) -> Option<PartKey> {
        if let Some(key) = self.recent.get(&of) {
            return Some(PartKey::clone(key));
        }
        let key = self.before.remove(&of)?;
        self.put(of, PartKey::clone(&key));
        Some(key)
    }

    pub(super) fn put(&mut self, of: Of, key: PartKey) {
        if self.recent.len() >= HALF {
            self.before = mem::take(&mut self.recent);
        }
        self.recent.insert(of, key);
    }

    /// Forgets all of them, which is what a destroyed secret asks for.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.recent.len() + self.before.len()
    }
}
