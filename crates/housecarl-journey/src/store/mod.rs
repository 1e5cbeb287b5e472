//! Store: the message has reached the disk, and only now is the device told so.
//!
//! A store keeps rows that mean nothing to it: a place (subject, stream, time, sequence), an expiry
//! bucket and sealed bytes. [`memory`] is the reference; [`records`] is what a gateway runs on. Each
//! method says what is true when it returns.

mod bucket;
mod blocks;
pub mod commit;
pub mod memory;
pub mod records;
mod torn;
mod turn_over;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::Path;

pub use bucket::Bucket;

use crate::people::SubjectId;

/// A stream's number within one deployment: given once per product and name, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamNumber(pub u16);

/// Where a part lies. Rows of one subject and stream lie together, in the order of receipt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) subject: SubjectId,
    pub(crate) stream: StreamNumber,
    /// When its message was received: seconds since 1970.
    pub(crate) received: u64,
    /// What makes it unique: a place is given to one row only.
    pub(crate) sequence: u64,
}

impl Place {
    /// How many bytes it takes.
    pub(crate) const LEN: usize = 34;

    /// Big endian, so that the order of the bytes is the order of the places.
    pub(crate) fn bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let mut left = bytes.as_mut_slice();
        let mut put = |field: &[u8]| {
            if let Some(to) = left.split_off_mut(..field.len()) {
                to.copy_from_slice(field);
            }
        };
        put(&self.subject.0);
        put(&self.stream.0.to_be_bytes());
        put(&self.received.to_be_bytes());
        put(&self.sequence.to_be_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (subject, rest) = bytes.split_first_chunk()?;
        let (stream, rest) = rest.split_first_chunk()?;
        let (received, rest) = rest.split_first_chunk()?;
        Some(Self {
            subject: SubjectId(*subject),
            stream: StreamNumber(u16::from_be_bytes(*stream)),
            received: u64::from_be_bytes(*received),
            sequence: u64::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

/// One sealed part on its way to the disk.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) bucket: Bucket,
    pub(crate) place: Place,
    pub(crate) sealed: Vec<u8>,
}

/// What a message is recognised by when it comes again: a MAC, so that it says nothing itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity(pub(crate) [u8; 16]);

/// For how long a message is recognised, in seconds; a store may remember for up to twice as long.
pub(crate) const REMEMBERED_SECONDS: u64 = 7 * 86_400;

/// What goes to the disk together or not at all.
#[derive(Clone, Default)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<Row>,
    pub(crate) identities: Vec<Identity>,
}

/// A part that is on the disk. It is made by a commit and by a scan, here and nowhere else.
pub struct Stored {
    row: Row,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored")
    }
}

impl Stored {
    #[cfg(test)]
    pub(crate) const fn of(row: Row) -> Self {
        Self { row }
    }

    pub(crate) const fn row(&self) -> &Row {
        &self.row
    }
}

/// Which rows somebody wants.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) subject: SubjectId,
    /// `None` is every stream.
    pub(crate) stream: Option<StreamNumber>,
    /// `None` is every bucket.
    pub(crate) bucket: Option<Bucket>,
    /// The times of receipt, in seconds since 1970.
    pub(crate) received: Range<u64>,
}

impl Wanted {
    /// Everything about a subject.
    pub(crate) const fn all_of(subject: SubjectId) -> Self {
        Self { subject, stream: None, bucket: None, received: 0..u64::MAX }
    }

    /// Whether what is wanted can be in a bucket.
    fn has_bucket(&self, bucket: Bucket) -> bool {
        self.bucket.is_none_or(|wanted| wanted == bucket)
    }

    /// Whether a place is among them, wherever it lies.
    pub(crate) fn has(&self, place: &Place) -> bool {
        place.subject == self.subject
            && self.stream.is_none_or(|stream| stream == place.stream)
            && self.received.contains(&place.received)
    }

    /// From which place to which one has to look, the second not included: one stream's rows lie
    /// together in the order of time, and several streams' one stream after the other.
    fn range(&self) -> Range<[u8; Place::LEN]> {
        let place = |stream: u16, received: u64| {
            Place { subject: self.subject, stream: StreamNumber(stream), received, sequence: 0 }.bytes()
        };
        match self.stream {
            Some(StreamNumber(stream)) => {
                place(stream, self.received.start)..place(stream, self.received.end)
            }
            None => place(0, 0)..place(u16::MAX, u64::MAX),
        }
    }
}

/// Why a store did not do what it was asked.
#[derive(Debug)]
pub enum StoreError {
    /// The disk is full. Nothing of the batch is there, and erasing still works.
    Full,
    /// A write or a sync failed: nobody knows what is on the disk. Stop acknowledging, end the
    /// process, and find out by starting again.
    Broken(Box<dyn std::error::Error + Send + Sync>),
    /// Something else has the data directory.
    InUse,
    /// What lies on the disk was written by a program that this one does not know, or is damaged.
    Unreadable(&'static str),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the disk is full"),
            Self::Broken(error) => write!(f, "the disk failed under the records: {error}"),
            Self::InUse => f.write_str("another gateway has the data directory open"),
            Self::Unreadable(what) => write!(f, "the records cannot be read: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// What is done with each row of a scan: `false` ends it.
pub(crate) type Each<'e> = &'e mut dyn FnMut(Stored) -> bool;

/// Where sealed parts are kept.
///
/// Everything is as it says when the method has returned `Ok`, and survives the loss of power from
/// then on. After [`StoreError::Broken`] a store promises nothing more than what it had promised.
pub(crate) trait Store: Send + Sync + 'static {
    /// The bucket can be written to. Asking again changes nothing.
    fn create_bucket(&self, bucket: Bucket) -> Result<(), StoreError>;

    /// The buckets that there are.
    fn buckets(&self) -> Vec<Bucket>;

    /// All of the batch is on the disk and will be found, or none of it. Buckets that are missing
    /// are made. `now` is in seconds since 1970.
    fn commit(&self, batch: Batch, now: u64) -> Result<Vec<Stored>, StoreError>;

    /// Whether a message of this identity was committed in the last [`REMEMBERED_SECONDS`].
    fn knows(&self, identity: &Identity, now: u64) -> Result<bool, StoreError>;

    /// Hands on every wanted row that was committed before the scan began and not removed, by
    /// bucket and within it in the order of places. `each` may use the store: what it removes ahead
    /// of the scan may still be handed on.
    fn scan(&self, wanted: &Wanted, each: Each<'_>) -> Result<(), StoreError>;

    /// Whose rows a bucket has.
    fn subjects(&self, bucket: Bucket) -> Result<BTreeSet<SubjectId>, StoreError>;

    /// The same without what is sealed, for whoever counts.
    fn scan_places(
        &self,
        wanted: &Wanted,
        each: &mut dyn FnMut(Bucket, Place) -> bool,
    ) -> Result<(), StoreError> {
        self.scan(wanted, &mut |stored| each(stored.row().bucket, stored.row().place))
    }

    /// These rows will not be found again, and the new ones will be: all of it is on the disk or
    /// nothing. The bytes of what is gone leave the files with the next [`Store::turn_over`]. It is for
    /// those who erase, and uses what is left free for them. Buckets that are missing are made.
    fn replace(&self, gone: &[(Bucket, Place)], new: Vec<Row>) -> Result<(), StoreError>;

    /// These rows will not be found again; likewise.
    fn remove(&self, rows: &[(Bucket, Place)]) -> Result<(), StoreError> {
        self.replace(rows, Vec::new())
    }

    /// The bucket and all its rows will not be found again; likewise.
    fn drop_bucket(&self, bucket: Bucket) -> Result<(), StoreError>;

    /// A store in this folder, which is not there yet, has every row and identity that was committed
    /// before and not removed. It is on the disk, and nobody has to wait for it meanwhile but a
    /// [`Store::turn_over`].
    fn copy_to(&self, folder: &Path) -> Result<(), StoreError>;

    /// The store still works. After a failure in the background a commit may wait for ever, so
    /// whoever watches over the process asks now and then, and ends it after an error.
    fn check(&self) -> Result<(), StoreError>;

    /// There is room for what comes in; [`StoreError::Full`] where there is not.
    fn has_room(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// No file holds any byte of a row that was removed before, nor of a bucket that was dropped,
    /// nor an identity older than twice [`REMEMBERED_SECONDS`]. It writes much: once a day is often enough.
    /// After [`StoreError::Full`] nothing has changed.
    fn turn_over(&self, now: u64) -> Result<(), StoreError>;
}
