//! What goes, as the register knows it: what was promised to be erased, and whose parts are to be looked
//! through because something was taken back.

use std::collections::BTreeSet;

use housecarl_policy::ItemId;
use rusqlite::{OptionalExtension as _, Row, params};

use super::SubjectId;
use super::register::{Register, RegisterError, Result, seconds};
use crate::audit::{EntryNumber, Outgoing, add};
use crate::erase::Selector;
use crate::product::ProductNumber;
use crate::store::StreamNumber;

/// Something that was promised to be erased.
#[derive(Clone, Debug)]
pub(crate) struct ErasureRow {
    pub(crate) number: i64,
    pub(crate) subject: SubjectId,
    pub(crate) what: Selector,
    pub(crate) before: u64,
    /// The streams whose keys are destroyed; `None` is every one that the subject has a key of.
    pub(crate) streams: Option<BTreeSet<StreamNumber>>,
    /// What its entries in the audit log share.
    pub(crate) case: [u8; 16],
    /// Whether the audit log says already that nothing of it can be read.
    pub(crate) unreadable: bool,
    /// Whether the person is forgotten with it.
    pub(crate) forgets: bool,
}

/// Somebody whose parts are to be looked through, because something was taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) subject: SubjectId,
    /// What was said after it is for another look.
    pub(crate) until: i64,
    /// Whether the audit log tells already what goes.
    pub(crate) told: bool,
}

impl Register {
    /// Writes down what is to be erased; its number is given now.
    pub(crate) fn add_erasure(
        &self,
        erasure: ErasureRow,
        now: u64,
        also: Option<&Outgoing>,
        entry: &Outgoing,
    ) -> Result<(ErasureRow, EntryNumber)> {
        let ErasureRow { subject, what, before, streams, case, forgets, .. } = &erasure;
        let numbers = |streams: &BTreeSet<StreamNumber>| -> Vec<String> {
            streams.iter().map(|stream| stream.0.to_string()).collect()
        };
        let streams = streams.as_ref().map(|streams| numbers(streams).join(" "));
        let (product, item) = what.item.unzip();
        let added = self.change(entry, |transaction| {
            also.map_or(Ok(()), |entry| add(transaction, entry).map(|_| ()))?;
            transaction.execute(
                "INSERT INTO erasure (subject, before, asked_at, erasure_case, since, until, stream, product, item, streams, forgets)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                params![
                    subject,
                    seconds(*before),
                    seconds(now),
                    case,
                    seconds(what.received.start),
                    seconds(what.received.end),
                    what.stream.map(|stream| stream.0),
                    product.map(|product| product.0),
                    item.map(|item| item.0),
                    streams,
                    forgets,
                ],
            )?;
            Ok(Some(transaction.last_insert_rowid()))
        })?;
        let (number, entry) = added.ok_or(RegisterError::Broken(rusqlite::Error::QueryReturnedNoRows))?;
        Ok((ErasureRow { number, ..erasure }, entry))
    }

    /// Writes down that nothing of it can be read any more, and that the keys are destroyed.
    pub(crate) fn erasure_is_unreadable(
        &self,
        erasure: &ErasureRow,
        now: u64,
        destroyed: Option<&Outgoing>,
        unreadable: &Outgoing,
    ) -> Result<()> {
        self.changed(unreadable, |transaction| {
            destroyed.map_or(Ok(()), |entry| add(transaction, entry).map(|_| ()))?;
            let values = params![seconds(now), erasure.number];
            transaction.execute("UPDATE erasure SET unreadable_at = ?1 WHERE number = ?2", values)
        })?;
        Ok(())
    }

    pub(crate) fn finish_erasure(
        &self,
        erasure: &ErasureRow,
        now: u64,
        entry: &Outgoing,
    ) -> Result<EntryNumber> {
        self.changed(entry, |transaction| {
            if erasure.forgets {
                // With the person go their marks, what they hold, and codes for devices of theirs.
                for of in ["choice WHERE person", "look WHERE subject", "person WHERE id"] {
                    transaction.execute(&format!("DELETE FROM {of} = ?1"), [erasure.subject])?;
                }
            }
            let done = params![seconds(now), erasure.number];
            transaction.execute("UPDATE erasure SET done_at = ?1 WHERE number = ?2", done)
        })
    }

    /// What was ever promised to be erased; or only what may not be erased yet.
    pub(crate) fn erasures(&self, unfinished: bool) -> Result<Vec<ErasureRow>> {
        let only = if unfinished { "WHERE done_at IS NULL" } else { "" };
        let query = format!(
            "SELECT number, subject, before, erasure_case, unreadable_at IS NOT NULL, since, until, stream,
                    product, item, streams, forgets FROM erasure {only} ORDER BY number"
        );
        self.all(&query, erasure)
    }

    /// Whose parts are to be looked through next, if anybody's.
    pub(crate) fn next_look(&self, now: u64) -> Result<Option<Look>> {
        let query = "SELECT subject, max(number), min(told) FROM look WHERE due <= ?1
                     GROUP BY subject ORDER BY min(number) LIMIT 1";
        let row = |row: &Row<'_>| Ok(Look { subject: row.get(0)?, until: row.get(1)?, told: row.get(2)? });
        Ok(self.connection().query_one(query, [seconds(now)], row).optional()?)
    }

    /// Writes down that the audit log tells what goes.
    pub(crate) fn tell_look(&self, look: &Look, entry: &Outgoing) -> Result<EntryNumber> {
        self.changed(entry, |transaction| {
            let values = params![look.subject, look.until];
            transaction.execute("UPDATE look SET told = 1 WHERE subject = ?1 AND number <= ?2", values)
        })
    }

    /// Writes down that somebody's parts were looked through, and when it is to be done again.
    pub(crate) fn end_look(&self, look: &Look, again: Option<u64>) -> Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let values = params![look.subject, look.until];
        transaction.execute("DELETE FROM look WHERE subject = ?1 AND number <= ?2", values)?;
        if let Some(again) = again {
            let values = params![look.subject, seconds(again)];
            transaction.execute("INSERT INTO look (subject, due) VALUES (?1, ?2)", values)?;
        }
        Ok(transaction.commit()?)
    }
}

fn erasure(row: &Row<'_>) -> rusqlite::Result<ErasureRow> {
    let numbers = |streams: String| {
        streams.split(' ').filter_map(|stream| stream.parse().ok().map(StreamNumber)).collect()
    };
    let product = row.get::<_, Option<u16>>(8)?.map(ProductNumber);
    Ok(ErasureRow {
        number: row.get(0)?,
        subject: row.get(1)?,
        before: row.get::<_, i64>(2)?.unsigned_abs(),
        case: row.get(3)?,
        unreadable: row.get(4)?,
        what: Selector {
            received: moment(row.get(5)?)..moment(row.get(6)?),
            stream: row.get::<_, Option<u16>>(7)?.map(StreamNumber),
            item: product.zip(row.get::<_, Option<u16>>(9)?.map(ItemId)),
        },
        streams: row.get::<_, Option<String>>(10)?.map(numbers),
        forgets: row.get(11)?,
    })
}

/// The moment that [`seconds`] wrote: the last of all is the last of all.
fn moment(at: i64) -> u64 {
    if at == i64::MAX { u64::MAX } else { at.unsigned_abs() }
}
