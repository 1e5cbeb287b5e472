//! Every store does the same, and what its methods promise.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod commits;
mod no_traces;
mod one_script;
mod power;
mod promises;

use std::sync::Arc;

use tempfile::TempDir;

use super::memory::Memory;
use super::records::Records;
use super::{Batch, Bucket, Identity, Place, Row, Store, StreamNumber, Wanted};
use crate::testing::{NOW, subject};

/// A store that can be closed and opened again.
pub(super) enum Kept {
    Memory(Arc<Memory>),
    Records(TempDir, Option<Arc<Records>>),
}

impl Kept {
    pub(super) fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    pub(super) fn records() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(&folder.path().join("records"), 0).unwrap();
        Self::Records(folder, Some(Arc::new(records)))
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(memory) => Arc::clone(memory) as Arc<dyn Store>,
            Self::Records(_, records) => Arc::clone(records.as_ref().unwrap()) as Arc<dyn Store>,
        }
    }

    /// Nothing is called before it is closed, as nobody does whose power fails.
    pub(super) fn reopen(&mut self) {
        if let Self::Records(folder, records) = self {
            *records = None;
            *records = Some(Arc::new(Records::open(&folder.path().join("records"), 0).unwrap()));
        }
    }
}

/// Asks the same of every store.
fn every(check: impl Fn(&mut Kept)) {
    for mut kept in [Kept::memory(), Kept::records()] {
        check(&mut kept);
    }
}

fn row(bucket: Bucket, place: Place, sealed: &[u8]) -> Row {
    Row { bucket, place, sealed: sealed.to_vec() }
}

fn rows(rows: impl IntoIterator<Item = Row>) -> Batch {
    Batch { rows: rows.into_iter().collect(), identities: Vec::new() }
}

fn identity(number: u8) -> Identity {
    Identity([number; 16])
}

fn all_of(number: u8) -> Wanted {
    Wanted::all_of(subject(number))
}

/// What a scan hands on, all of it.
type Found = Vec<(Bucket, Place, Vec<u8>)>;

fn found(store: &dyn Store, wanted: &Wanted) -> Found {
    let mut found = Vec::new();
    store
        .scan(wanted, &mut |stored| {
            let Row { bucket, place, sealed } = stored.row().clone();
            found.push((bucket, place, sealed));
            true
        })
        .unwrap();
    found
}

fn stream(wanted: &Wanted, number: u16) -> Wanted {
    Wanted { stream: Some(StreamNumber(number)), ..wanted.clone() }
}

fn put(store: &dyn Store, bucket: Bucket, place: Place, sealed: &[u8]) {
    store.commit(rows([row(bucket, place, sealed)]), NOW).unwrap();
}
