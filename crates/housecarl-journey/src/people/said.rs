//! What somebody said: the entries of the log of choices, and how they come to a standing.
//!
//! The log is the truth, a standing its sum. Entries name purposes and items by the names of the
//! manifest, so that a standing can be summed again under each of its versions.

use std::fmt;

use housecarl_policy::{Basis, DeviceStanding, PurposeId, PurposeSet, Standing, Steps};
use minicbor::{Decode, Encode};

use crate::product::Version;

/// A purpose as it was put to somebody.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Put {
    /// Its name in the manifest.
    #[n(0)]
    pub purpose: String,
    /// Its fingerprint at the time: what it meant, apart from its words.
    #[n(1)]
    pub fingerprint: String,
}

/// How something was asked and answered: what proves a consent (UK GDPR Article 7(1)).
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Act {
    /// The request or notice that was shown: its name in the manifest.
    #[n(0)]
    pub request: String,
    /// The SHA-256 of the exact text that was shown.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub shown: [u8; 32],
    /// On which surface: app, screen, voice, paper.
    #[n(2)]
    pub surface: String,
    /// By which act: a tap, a word, a signature.
    #[n(3)]
    pub method: String,
    /// In which language (BCP 47).
    #[n(4)]
    pub language: String,
}

/// One thing that somebody said. About a person it changes that person's standing; about a device,
/// what its users have settled for it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum Said {
    /// Yes to a purpose, by an act.
    #[n(0)]
    Agreed(#[n(0)] Put, #[n(1)] Act),
    /// No to a purpose: a refusal, a withdrawal or an objection. It costs nothing and needs no reason.
    #[n(1)]
    Refused(#[n(0)] String),
    /// The person was told of these purposes; about a device, the people here could learn of them.
    #[n(2)]
    Told(#[n(0)] Vec<Put>, #[n(1)] Act),
    /// A parent authorised what a child under 13 agreed to.
    #[n(3)]
    Authorised(#[n(0)] Put, #[n(1)] Act),
    /// A purpose is restricted, or no longer: Article 18.
    #[n(4)]
    Restricted(#[n(0)] String, #[n(1)] bool),
    /// How precise an item may be: the name of the item and of its step.
    #[n(5)]
    Precision(#[n(0)] String, #[n(1)] String),
    /// An objection to all direct marketing, or its end: Article 21(2).
    #[n(6)]
    NoMarketing(#[n(0)] bool),
    /// A feature of a device is on or off.
    #[n(7)]
    Feature(#[n(0)] String, #[n(1)] bool),
    /// A child has become 13: what was agreed to until then, and authorised by a parent, no longer
    /// counts. Nobody says it; Housecarl writes it down.
    #[n(8)]
    Lapsed,
    /// Nobody said it: the log was put back from a copy, and what was said after the copy is not in it.
    /// What was agreed to may have been taken back since, so it counts no longer; what can be objected
    /// to waits until the person is told of it again. A no stays a no.
    #[n(9)]
    Restored,
}

impl Put {
    /// The purpose, unless it has become wider or different since it was put.
    fn counts(&self, version: &Version) -> Option<PurposeId> {
        let counts = version.fingerprints(&self.purpose).contains(&self.fingerprint);
        counts.then(|| version.purpose(&self.purpose)).flatten()
    }
}

impl fmt::Debug for Put {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Put")
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Said")
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Act")
    }
}

/// Why something cannot have been said about this product as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotSayable {
    /// The manifest has no such purpose, item, step or feature.
    Unknown {
        /// Which of them.
        what: &'static str,
        /// As it was written.
        name: String,
    },
    /// What was shown was about another version of the purpose: show the present one and ask again.
    OutOfDate(String),
    /// It is about a device and was said about a person, or the other way round.
    WrongSubject,
}

impl fmt::Display for NotSayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { what, name } => write!(f, "the product has no {what} `{name}`"),
            Self::OutOfDate(purpose) => write!(
                f,
                "what was shown about `{purpose}` is not what it is now; show the present request and ask again"
            ),
            Self::WrongSubject => {
                f.write_str("a feature is a device's; marketing, precision and authorisation are a person's")
            }
        }
    }
}

impl std::error::Error for NotSayable {}

impl Said {
    /// Whether it can be said now.
    pub(crate) fn check(&self, version: &Version, about_device: bool) -> Result<(), NotSayable> {
        let unknown = |what, name: &String| NotSayable::Unknown { what, name: name.clone() };
        let purpose =
            |name: &String| version.purpose(name).map(|_| ()).ok_or_else(|| unknown("purpose", name));
        let present = |put: &Put| {
            purpose(&put.purpose)?;
            let same = version.fingerprints(&put.purpose).first() == Some(&put.fingerprint);
            same.then_some(()).ok_or_else(|| NotSayable::OutOfDate(put.purpose.clone()))
        };
        let of_device = matches!(self, Self::Feature(..));
        let of_person = matches!(
            self,
            Self::Authorised(..) | Self::Restricted(..) | Self::Precision(..) | Self::NoMarketing(_)
        );
        if (of_device && !about_device) || (of_person && about_device) {
            return Err(NotSayable::WrongSubject);
        }
        match self {
            Self::Agreed(put, _) | Self::Authorised(put, _) => present(put),
            Self::Told(puts, _) => puts.iter().try_for_each(present),
            Self::Refused(name) | Self::Restricted(name, _) => purpose(name),
            Self::Precision(item, step) => {
                let id = version.item(item).ok_or_else(|| unknown("item", item))?;
                step_of(version, id, step).map(|_| ()).ok_or_else(|| unknown("step of that item", step))
            }
            Self::NoMarketing(_) => Ok(()),
            Self::Lapsed => Err(NotSayable::WrongSubject),
            Self::Restored => Err(NotSayable::WrongSubject),
            Self::Feature(name, _) => {
                version.feature(name).map(|_| ()).ok_or_else(|| unknown("feature", name))
            }
        }
    }

    /// Adds it to a person's standing. What the version no longer knows changes nothing.
    pub(crate) fn add_to(&self, standing: &mut Standing, version: &Version) {
        let one = |name: &String| version.purpose(name).map_or(PurposeSet::NONE, PurposeSet::of);
        match self {
            Self::Agreed(put, _) => put.counts(version).into_iter().for_each(|id| standing.agree(id)),
            Self::Refused(name) => version.purpose(name).into_iter().for_each(|id| standing.refuse(id)),
            Self::Told(puts, _) => {
                standing.told |= puts.iter().filter_map(|put| put.counts(version)).collect()
            }
            Self::Authorised(put, _) => standing.authorised |= put.counts(version).into_iter().collect(),
            Self::Restricted(name, true) => standing.restricted |= one(name),
            Self::Restricted(name, false) => standing.restricted = standing.restricted.without(one(name)),
            Self::Precision(item, step) => {
                let Some(id) = version.item(item) else { return };
                if let Some((slot, step)) = step_of(version, id, step) {
                    standing.choose_precision(slot, step);
                }
            }
            Self::NoMarketing(objects) => standing.no_marketing = *objects,
            Self::Lapsed => (standing.agreed, standing.authorised) = (PurposeSet::NONE, PurposeSet::NONE),
            Self::Restored => {
                standing.agreed = PurposeSet::NONE;
                standing.authorised = PurposeSet::NONE;
                standing.steps = Steps::default();
                standing.told = standing.told.without(objectable(version));
            }
            Self::Feature(..) => {}
        }
    }

    /// Adds it to what is settled for a device.
    pub(crate) fn add_to_device(&self, standing: &mut DeviceStanding, version: &Version) {
        match self {
            Self::Agreed(put, _) => put.counts(version).into_iter().for_each(|id| {
                standing.agreed.insert(id);
                standing.refused.remove(id);
            }),
            Self::Refused(name) => version.purpose(name).into_iter().for_each(|id| {
                standing.refused.insert(id);
                standing.agreed.remove(id);
            }),
            Self::Told(puts, _) => {
                standing.available |= puts.iter().filter_map(|put| put.counts(version)).collect()
            }
            Self::Feature(name, on) => {
                let bit = version.feature(name).unwrap_or(0);
                standing.features = if *on { standing.features | bit } else { standing.features & !bit };
            }
            Self::Restored => {
                standing.agreed = PurposeSet::NONE;
                standing.features = 0;
                standing.available = standing.available.without(objectable(version));
            }
            Self::Authorised(..)
            | Self::Restricted(..)
            | Self::Precision(..)
            | Self::NoMarketing(_)
            | Self::Lapsed => {}
        }
    }

    /// The number of the step of precision that was chosen.
    pub(crate) fn step(&self, version: &Version) -> Option<u8> {
        let Self::Precision(item, step) = self else { return None };
        step_of(version, version.item(item)?, step).map(|(_, step)| step)
    }

    /// Whether something may be kept for nothing any more after it.
    pub(crate) const fn takes_back(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::NoMarketing(true) | Self::Restricted(_, false))
    }

    /// Whether it takes something back or says no: then nothing begun before may be finished after.
    #[must_use]
    pub const fn closes(&self) -> bool {
        matches!(
            self,
            Self::Refused(_)
                | Self::Restricted(_, true)
                | Self::NoMarketing(true)
                | Self::Feature(_, false)
                | Self::Precision(..)
                | Self::Restored
        )
    }
}

/// The purposes that go on until somebody objects.
fn objectable(version: &Version) -> PurposeSet {
    let table = &version.table;
    let rests =
        |id: &PurposeId| table.purpose(*id).is_some_and(|found| found.basis == Basis::LegitimateInterests);
    table.purposes().iter().filter(rests).collect()
}

/// The slot of an item and the number of its step of this name.
fn step_of(version: &Version, item: housecarl_policy::ItemId, step: &str) -> Option<(u8, u8)> {
    let item = version.table.item(item)?;
    let named =
        |at: &u8| version.table.step(&item, *at).is_some_and(|found| version.table.text(found.name) == step);
    Some((item.slot, (0..item.steps).find(named)?))
}
