//! What the log speaks of. The body of an entry is encoded byte by byte as `docs/audit-log.md`
//! says, in one way only: what reads is what would have been written.
//!
//! An entry holds random ids, times, words of the manifest and commitments. There is nothing that
//! came out of a payload in it, and no field that could hold a name or an address of a person.

mod field;
mod vocabulary;

use std::fmt;

use field::Field;

pub use field::{Digest, Id, Malformed, Moment, Name, REASONS_MAX, Refusals};
pub use vocabulary::{Answer, Erasure, KeyOf, Means, Who, Whom};

/// One entry: what happened, when, and who did it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Moment,
    /// Who did it.
    pub by: Who,
    /// What.
    pub act: Act,
}

impl Entry {
    /// Its body: what the leaf commits to, with the salt.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.act.kind()];
        self.at.put(&mut bytes);
        self.by.put(&mut bytes);
        self.act.put(&mut bytes);
        bytes
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`Malformed`], which says nothing of what the body holds.
    pub fn from_bytes(mut bytes: &[u8]) -> Result<Self, Malformed> {
        let kind = u8::take(&mut bytes)?;
        let at = Moment::take(&mut bytes)?;
        let by = Who::take(&mut bytes)?;
        let act = Act::take(kind, &mut bytes)?;
        if bytes.is_empty() { Ok(Self { at, by, act }) } else { Err(Malformed::Long) }
    }

    /// What it says, as rows of a name and a value. For the person it was disclosed to.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("what", self.act.name().to_owned())];
        rows.push(("at", self.at.words()));
        rows.push(("by", self.by.words()));
        rows.extend(self.act.rows());
        rows
    }
}

/// The kind and nothing else: who and when is personal information.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({})", self.act.name())
    }
}

/// Defines the kinds of act: number, name and fields, from which follow both ways of the encoding,
/// the rows that are printed and the table in the documentation.
macro_rules! acts {
    ($($(#[$meta:meta])* $kind:literal $name:literal $act:ident {
        $($(#[$doc:meta])* $field:ident: $ty:ty,)+
    })+) => {
        /// What happened. The published log does not tell which of these an entry is.
        #[derive(Clone, PartialEq, Eq)]
        pub enum Act {
            $($(#[$meta])* $act { $($(#[$doc])* $field: $ty,)+ },)+
        }

        impl Act {
            /// Every kind: its number, its name, and its fields with their types, in order.
            pub const KINDS: &[(u8, &str, &[(&str, &str)])] =
                &[$(($kind, $name, &[$((stringify!($field), <$ty as Field>::TYPE),)+]),)+];

            /// What it is called where it is printed.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$act { .. } => $name,)+ }
            }

            const fn kind(&self) -> u8 {
                match self { $(Self::$act { .. } => $kind,)+ }
            }

            fn put(&self, bytes: &mut Vec<u8>) {
                match self { $(Self::$act { $($field,)+ } => { $($field.put(bytes);)+ })+ }
            }

            fn take(kind: u8, bytes: &mut &[u8]) -> Result<Self, Malformed> {
                Ok(match kind {
                    $($kind => Self::$act { $($field: Field::take(bytes)?,)+ },)+
                    other => return Err(Malformed::Kind(other)),
                })
            }

            fn rows(&self) -> Vec<(&'static str, String)> {
                match self {
                    $(Self::$act { $($field,)+ } => vec![$((stringify!($field), $field.words()),)+],)+
                }
            }
        }
    };
}

acts! {
    /// Somebody settled something: a consent, a refusal, an objection, a switch.
    1 "choice" Choice {
        /// The home it was settled in.
        home: Id,
        /// For whom.
        whom: Whom,
        /// Of which product.
        product: Name,
        /// What was said.
        answer: Answer,
        /// Of which purpose, item or feature.
        about: Name,
        /// The step of precision that was chosen, from 0; 0 for every other answer.
        step: u8,
        /// The fingerprint of the purpose as it was shown; zeros where it is not about a purpose.
        meaning: Digest,
        /// The commitment to the request exactly as it was shown: words, surface, language.
        record: Digest,
    }
    /// Somebody was told.
    2 "notice" Notice {
        /// The home.
        home: Id,
        /// Who was told.
        whom: Whom,
        /// Of which product.
        product: Name,
        /// By which means.
        means: Means,
        /// The commitment to the notice exactly as it was shown.
        record: Digest,
    }
    /// A reader asked once for data, and got what its purpose may see.
    3 "read" Read {
        /// The request.
        request: Id,
        /// Whose data was in the answer.
        whom: Whom,
        /// Of which product.
        product: Name,
        /// For which purpose.
        purpose: Name,
        /// How many parts lay there when it was asked, to be decided about one by one: at most so
        /// many were handed out. The entry is written before the first of them is.
        parts: u64,
    }
    /// Data went to somebody else.
    4 "share" Share {
        /// The handing over.
        request: Id,
        /// Whose data.
        whom: Whom,
        /// Of which product.
        product: Name,
        /// For which purpose.
        purpose: Name,
        /// The organisation, by its name in the manifest.
        recipient: Name,
        /// How many parts.
        parts: u64,
    }
    /// An erasure went a step further.
    5 "erase" Erase {
        /// The case: all steps of one erasure share it.
        case: Id,
        /// Whose data.
        whom: Whom,
        /// How far it has come.
        step: Erasure,
        /// What was captured before this moment goes, also when it arrives later.
        horizon: Moment,
        /// How many parts this step took away.
        parts: u64,
    }
    /// A key was destroyed, and what it opened can be read no more, in no copy.
    6 "key-destroyed" KeyDestroyed {
        /// The key.
        key: Id,
        /// What it opened.
        of: KeyOf,
    }
    /// What had reached its end date went.
    7 "expiry" Expiry {
        /// Everything whose time of keeping ended before this moment.
        before: Moment,
        /// How many buckets' secrets were destroyed.
        buckets: u64,
        /// How many parts went with them; 0 where they were not counted, since a bucket goes as a
        /// whole.
        parts: u64,
    }
    /// An operator did something by hand.
    8 "operator-action" OperatorAction {
        /// What, such as `device-revoked`.
        action: Name,
        /// To what.
        target: Id,
        /// The commitment to what was asked and why.
        record: Digest,
    }
    /// How much of what a stream sent in one hour was refused.
    9 "refusals" Refused {
        /// Of which product.
        product: Name,
        /// Of which stream.
        stream: Name,
        /// The beginning of the hour.
        hour: Moment,
        /// Each reason and how often.
        reasons: Refusals,
    }
    /// A manifest came into force.
    10 "product-applied" ProductApplied {
        /// The product.
        product: Name,
        /// The SHA-256 of the policy table that was in force; zeros where there was none.
        from: Digest,
        /// The SHA-256 of the policy table that is in force now.
        to: Digest,
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Act({})", self.name())
    }
}
