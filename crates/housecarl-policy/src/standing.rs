//! What people and homes have said, in the form a decision reads.
//!
//! A standing is rebuilt from the log of choices; it is never the record of them. Both kinds are
//! small enough to be read as one consistent version (at most 96 bytes each).

use crate::set::{PurposeId, PurposeSet};
use crate::vocabulary::AgeBand;

/// How many items of a product can have a precision that a person chooses.
pub const PRECISION_SLOTS: u8 = 16;
/// How many steps such a choice has at most; the first is where everybody starts.
pub const PRECISION_STEPS: u8 = 8;

/// The steps of precision that a person has chosen, three bits a slot.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps(u64);

impl Steps {
    /// How many bytes it takes where bytes are counted.
    pub const BYTES: usize = 6;

    /// Those bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        let [a, b, c, d, e, f, _, _] = self.0.to_le_bytes();
        [a, b, c, d, e, f]
    }

    /// From those bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f] = bytes;
        Self(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }
}

const _: () = assert!(PRECISION_SLOTS as usize * 3 <= Steps::BYTES * 8);

impl core::fmt::Debug for Steps {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Steps")
    }
}

/// What one person has said about one product, and what is known about that person.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Purposes that the person (for a child, the parent or the child) has agreed to by an act.
    pub agreed: PurposeSet,
    /// Purposes that the person has refused, withdrawn from or objected to. It wins over `agreed`.
    pub refused: PurposeSet,
    /// Purposes that the person has been told about, in the wording that is in force.
    pub told: PurposeSet,
    /// Purposes that are restricted: what is there is kept, and nothing else is done.
    pub restricted: PurposeSet,
    /// Purposes that a parent has authorised for a child under 13.
    pub authorised: PurposeSet,
    /// The chosen steps of precision.
    pub steps: Steps,
    /// When the person last changed anything: seconds since 1970, for the history of late messages.
    pub changed_at: u32,
    /// The age band, as far as it is known.
    pub band: AgeBand,
    /// Whether the person has objected to all direct marketing.
    pub no_marketing: bool,
}

const _: () = assert!(size_of::<Standing>() <= 96);

impl Standing {
    /// A person of whom nothing is known and who has been asked nothing.
    #[must_use]
    pub const fn unasked(band: AgeBand) -> Self {
        Self {
            agreed: PurposeSet::NONE,
            refused: PurposeSet::NONE,
            told: PurposeSet::NONE,
            restricted: PurposeSet::NONE,
            authorised: PurposeSet::NONE,
            steps: Steps(0),
            changed_at: 0,
            band,
            no_marketing: false,
        }
    }

    /// The chosen step of a slot; the first where nothing was chosen or there is no such slot.
    #[must_use]
    pub const fn precision(&self, slot: u8) -> u8 {
        if slot >= PRECISION_SLOTS {
            return 0;
        }
        (self.steps.0.wrapping_shr((slot as u32).wrapping_mul(3)) & 7) as u8
    }

    /// Chooses a step of a slot. A slot or step that cannot exist changes nothing.
    pub const fn choose_precision(&mut self, slot: u8, step: u8) {
        if slot < PRECISION_SLOTS && step < PRECISION_STEPS {
            let shift = (slot as u32).wrapping_mul(3);
            self.steps = Steps(self.steps.0 & !7_u64.wrapping_shl(shift) | (step as u64).wrapping_shl(shift));
        }
    }

    /// Records a yes. It takes back an earlier refusal of the same purpose.
    pub fn agree(&mut self, purpose: PurposeId) {
        self.agreed.insert(purpose);
        self.refused.remove(purpose);
    }

    /// Records a no, a withdrawal or an objection.
    pub fn refuse(&mut self, purpose: PurposeId) {
        self.refused.insert(purpose);
        self.agreed.remove(purpose);
        self.authorised.remove(purpose);
    }

    /// The standing under a new version of the manifest. `changed` are the purposes that became
    /// wider or different: what was agreed and told about them no longer counts. A refusal stays,
    /// on whatever basis the purpose now rests. Slots and steps of precision belong to one table, so
    /// each goes back to where everybody starts until it is chosen again by name.
    #[must_use]
    pub const fn carried_over(mut self, changed: PurposeSet) -> Self {
        self.agreed = self.agreed.without(changed);
        self.authorised = self.authorised.without(changed);
        self.told = self.told.without(changed);
        self.steps = Steps(0);
        self
    }
}

impl core::fmt::Debug for Standing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Choices are personal information: a standing prints its name and nothing else.
        f.write_str("Standing")
    }
}

/// What the users of one device have settled for it.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceStanding {
    /// Purposes for which the user or subscriber agreed that the device is read or written.
    pub agreed: PurposeSet,
    /// Purposes for which they refused, withdrew or objected. It wins over `agreed`.
    pub refused: PurposeSet,
    /// Purposes about which the people here could learn: sign, light, QR code, listing.
    pub available: PurposeSet,
    /// Features that are switched on, one bit each.
    pub features: u32,
    /// When anything last changed: seconds since 1970.
    pub changed_at: u32,
}

const _: () = assert!(size_of::<DeviceStanding>() <= 96);

impl DeviceStanding {
    /// The standing under a new version of the manifest; see [`Standing::carried_over`].
    #[must_use]
    pub const fn carried_over(mut self, changed: PurposeSet) -> Self {
        self.agreed = self.agreed.without(changed);
        self.available = self.available.without(changed);
        self
    }
}

impl core::fmt::Debug for DeviceStanding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DeviceStanding")
    }
}
