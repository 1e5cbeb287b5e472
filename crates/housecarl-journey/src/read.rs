//! Read: a reader names a purpose, and gets what that purpose may see now.

use std::fmt;
use std::ops::Range;
use std::sync::PoisonError;

use housecarl_audit::Act as Audited;
use housecarl_policy::{
    Act, Decimal, ItemId, Operator, Outcome, PurposeId, Question, Value, decide, minimise,
};

use crate::audit::{self, AuditError, By, EntryNumber};
use crate::decide::{Home as _, subject};
use crate::journey::Journey;
use crate::kept::lost_its_source;
use crate::minimise::Kept;
use crate::people::homes::View;
use crate::people::{DeviceId, OperatorId, SubjectId};
use crate::product::{ProductNumber, Version};
use crate::seal::{self, NotAPart, Part, Said};
use crate::store::{Place, StoreError, Stored, StreamNumber, Wanted};

/// A value that was released for a purpose.
#[derive(Clone, PartialEq)]
pub struct Released {
    /// For which.
    pub purpose: PurposeId,
    /// The stream it came by.
    pub stream: StreamNumber,
    /// When it was received: seconds since 1970.
    pub received: u64,
    /// The item.
    pub item: ItemId,
    /// The record of its message.
    pub record: u32,
    /// Whether a model guessed it (statement ACY-12).
    pub guess: bool,
    /// How certain the guess is, if the device said.
    pub certainty: Option<Decimal>,
    /// What is left of it.
    pub value: ReleasedValue,
}

/// What is left of a released value.
#[derive(Clone, PartialEq, Eq)]
pub enum ReleasedValue {
    /// Nothing was there to measure.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A text.
    Text(String),
    /// A code that stands for the same thing each time, for this person.
    Code([u8; 16]),
    /// That there was one.
    Counted,
}

impl fmt::Display for ReleasedValue {
    /// Only what was released for a purpose can be printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(bool) => bool.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Code(code) => code.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Counted => f.write_str("1"),
        }
    }
}

impl fmt::Debug for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Released")
    }
}

impl fmt::Debug for ReleasedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReleasedValue")
    }
}

/// What somebody wants to read.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Who asks, for the log.
    pub reader: OperatorId,
    /// For which purpose of which product.
    pub product: ProductNumber,
    /// See [`Ask::product`].
    pub purpose: PurposeId,
    /// About whom.
    pub subject: SubjectId,
    /// By which stream; `None` is every one.
    pub stream: Option<StreamNumber>,
    /// Received when: seconds since 1970.
    pub received: Range<u64>,
}

/// Why a read ended before its end.
#[derive(Debug)]
pub enum NotRead {
    /// There is no such product, or nobody of this id.
    Unknown(&'static str),
    /// The records failed.
    Store(StoreError),
    /// A row is not what was stored.
    Damaged(NotAPart),
    /// What lies there was moved meanwhile, as an erasure of some of it does: what was handed on may
    /// not be all, or twice the same. Read again.
    Moved,
    /// It could not be written into the audit log, and so was not read.
    Audit(AuditError),
}

impl fmt::Display for NotRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(what) => write!(f, "there is no such {what}"),
            Self::Store(error) => error.fmt(f),
            Self::Damaged(error) => error.fmt(f),
            Self::Moved => f.write_str("what was to be read was moved meanwhile; read again"),
            Self::Audit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for NotRead {}

impl From<AuditError> for NotRead {
    fn from(error: AuditError) -> Self {
        Self::Audit(error)
    }
}

impl Journey {
    /// Hands on every value that the purpose may see at this moment, in the order of buckets and
    /// receipt, until `each` says `false`. It is decided for each part again: what somebody takes
    /// back while this runs ends it for the next part, and whoever takes it back waits for the
    /// present one to be handed on. The entry of the audit log is on the disk before the first value
    /// is handed on, and stays whatever becomes of the read; its number is returned.
    ///
    /// # Errors
    /// [`NotRead`].
    pub fn read(
        &self,
        ask: &Ask,
        now: u64,
        mut each: impl FnMut(Released) -> bool,
    ) -> Result<EntryNumber, NotRead> {
        let product = self.product(ask.product).ok_or(NotRead::Unknown("product"))?;
        let wanted =
            Wanted { stream: ask.stream, received: ask.received.clone(), ..Wanted::all_of(ask.subject) };
        let home = self.homes.of(ask.subject).ok_or(NotRead::Unknown("person or household"))?;
        let entry = self.log_read(ask, &wanted, &product.version(), now)?;
        let moves = home.moves.so_far().ok_or(NotRead::Moved)?;
        let mut damaged = None;
        let mut seen: Option<(DeviceId, View<'_>)> = None;
        let mut hand_on = |stored: Stored| {
            let part = match seal::open(&stored, &self.keys) {
                Ok(Some(part)) => part,
                // Erased or expired while this runs.
                Ok(None) => return true,
                Err(error) => {
                    damaged = Some(error);
                    return false;
                }
            };
            if !part.purposes.contains(ask.purpose) || part.ends <= now {
                return true;
            }
            let Some(device) = self.homes.device(DeviceId(part.device)) else { return true };
            if device.row.product != ask.product {
                return true;
            }
            // Held until the part is handed on: whoever withdraws waits for it.
            let _reading = device.home.reading.read().unwrap_or_else(PoisonError::into_inner);
            // Looked at again for another device, and when anybody has changed their mind.
            let view = match seen.take() {
                Some((id, view)) if id == device.row.id && view.moment.is_present() => view,
                _ => View::of(&device, product, self),
            };
            let (_, view) = seen.insert((device.row.id, view));
            let place = stored.row().place;
            release(&part, place.received, place.stream, ask, view, now).into_iter().all(&mut each)
        };
        self.store.scan(&wanted, &mut hand_on).map_err(NotRead::Store)?;
        if home.moves.so_far() != Some(moves) {
            return Err(NotRead::Moved);
        }
        damaged.map_or(Ok(entry), |error| Err(NotRead::Damaged(error)))
    }

    /// Counts the parts that are there to be decided about, and writes the entry of the read.
    fn log_read(
        &self,
        ask: &Ask,
        wanted: &Wanted,
        version: &Version,
        now: u64,
    ) -> Result<EntryNumber, NotRead> {
        let whom = self.homes.whom(ask.subject).ok_or(NotRead::Unknown("person or household"))?;
        let purpose = version.table.purpose(ask.purpose).ok_or(NotRead::Unknown("purpose"))?;
        let product = audit::name(version.name())?;
        let purpose = audit::name(version.table.text(purpose.name))?;
        let mut parts = 0_u64;
        let mut count = |_, place: Place| {
            let known = version.stream_of(place.stream).is_some();
            parts = parts.saturating_add(u64::from(known));
            true
        };
        self.store.scan_places(wanted, &mut count).map_err(NotRead::Store)?;
        let request = audit::random_id().map_err(AuditError::from)?;
        let act = Audited::Read { request, whom, product, purpose, parts };
        let entry = self.entry(Some(ask.subject), By::Consumer(ask.reader), now, &[], |_| act)?;
        Ok(self.register.log(&entry).map_err(AuditError::from)?)
    }
}

/// What a purpose may see of a part now.
fn release(
    part: &Part,
    received: u64,
    stream: StreamNumber,
    ask: &Ask,
    view: &View<'_>,
    now: u64,
) -> Vec<Released> {
    let Some(whose) = view.whose(ask.subject) else { return Vec::new() };
    let subject = subject(view.people(), whose);
    let one = |said: &Said| {
        let question = Question { item: ItemId(said.item), act: Act::Use, received, now };
        let decision = decide(&view.version.table, view.device(), subject, question);
        if !decision.permitted.contains(ask.purpose)
            || lost_its_source(&view.version, view.device(), subject, ItemId(said.item), now)
        {
            return None;
        }
        // What was chosen since applies to what is there already.
        let value = leave(&said.value, decision.operator)?;
        let certainty = match said.certainty {
            Some(Kept::Number(certainty)) => Some(certainty),
            _ => None,
        };
        let item = ItemId(said.item);
        Some(Released {
            purpose: ask.purpose,
            stream,
            received,
            item,
            record: said.record,
            guess: said.guess,
            certainty,
            value,
        })
    };
    part.values.iter().filter_map(one).collect()
}

/// What an operator leaves of a value that was minimised before.
fn leave(kept: &Kept, operator: Operator) -> Option<ReleasedValue> {
    let value = match kept {
        Kept::Code(code) => return (!operator.drops()).then_some(ReleasedValue::Code(*code)),
        Kept::Counted => return (!operator.drops()).then_some(ReleasedValue::Counted),
        // What is left of a number of which was asked whether it reached a limit: it is not asked again.
        Kept::Bool(bool) if matches!(operator, Operator::Reached(_)) => {
            return Some(ReleasedValue::Bool(*bool));
        }
        Kept::Null => Value::Null,
        Kept::Bool(bool) => Value::Bool(*bool),
        Kept::Number(number) => Value::Number(*number),
        Kept::Text(text) => Value::Text(text),
    };
    match minimise(operator, value) {
        Outcome::Kept(Value::Null) => Some(ReleasedValue::Null),
        Outcome::Kept(Value::Bool(bool)) => Some(ReleasedValue::Bool(bool)),
        Outcome::Kept(Value::Number(number)) => Some(ReleasedValue::Number(number)),
        Outcome::Kept(Value::Text(text)) => Some(ReleasedValue::Text(text.to_owned())),
        Outcome::Counted => Some(ReleasedValue::Counted),
        // It was stored before a code was asked for: nothing that is not a code goes out.
        Outcome::ToPseudonymise(_) | Outcome::Dropped | Outcome::Unfit => None,
    }
}
