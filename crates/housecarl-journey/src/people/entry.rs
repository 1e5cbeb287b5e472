//! One person's standing, packed to be found with as few looks at memory as possible.

use std::fmt;

use housecarl_policy::{AgeBand, PurposeSet, Standing, Steps};

use super::PersonId;

/// A standing with whom it is of, whose sets of purposes are packed as `Set`. `Line` is a type
/// without a size that says on what boundary an entry starts.
#[derive(Clone, Copy)]
pub(super) struct Entry<Set, Line> {
    person: PersonId,
    agreed: Set,
    refused: Set,
    told: Set,
    restricted: Set,
    authorised: Set,
    steps: [u8; Steps::BYTES],
    changed_at: [u8; 4],
    band: u8,
    no_marketing: bool,
    _starts: Line,
}

const _: () = assert!(size_of::<Option<Entry<[u8; 7], CacheLine>>>() == 64);
const _: () = assert!(size_of::<Option<Entry<[u8; 16], ()>>>() == 108);

/// Where a line of the cache starts.
#[derive(Clone, Copy, Default, Debug)]
#[repr(align(64))]
pub(super) struct CacheLine;

impl<Set: Pack, Line: Default> Entry<Set, Line> {
    /// The entry, unless the standing speaks of a purpose whose number is too high for it.
    pub(super) fn of(person: PersonId, standing: &Standing) -> Option<Self> {
        Some(Self {
            person,
            agreed: Set::pack(standing.agreed)?,
            refused: Set::pack(standing.refused)?,
            told: Set::pack(standing.told)?,
            restricted: Set::pack(standing.restricted)?,
            authorised: Set::pack(standing.authorised)?,
            steps: standing.steps.to_bytes(),
            changed_at: standing.changed_at.to_le_bytes(),
            band: standing.band.byte(),
            no_marketing: standing.no_marketing,
            _starts: Line::default(),
        })
    }

    pub(super) const fn person(&self) -> PersonId {
        self.person
    }

    pub(super) fn standing(&self) -> Standing {
        Standing {
            agreed: self.agreed.unpack(),
            refused: self.refused.unpack(),
            told: self.told.unpack(),
            restricted: self.restricted.unpack(),
            authorised: self.authorised.unpack(),
            steps: Steps::from_bytes(self.steps),
            changed_at: u32::from_le_bytes(self.changed_at),
            band: AgeBand::from_byte(self.band).unwrap_or(AgeBand::Unknown),
            no_marketing: self.no_marketing,
        }
    }
}

impl<Set, Line> fmt::Debug for Entry<Set, Line> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry")
    }
}

/// A set of purposes in fewer bytes than any set could need.
pub(super) trait Pack: Copy {
    /// `None` where it does not fit.
    fn pack(purposes: PurposeSet) -> Option<Self>;
    fn unpack(self) -> PurposeSet;
}

impl Pack for [u8; 16] {
    fn pack(purposes: PurposeSet) -> Option<Self> {
        Some(purposes.bits().to_le_bytes())
    }

    fn unpack(self) -> PurposeSet {
        PurposeSet::from_bits(u128::from_le_bytes(self))
    }
}

impl Pack for [u8; 7] {
    fn pack(purposes: PurposeSet) -> Option<Self> {
        let bits = u64::try_from(purposes.bits()).ok()?;
        let [low @ .., high] = bits.to_le_bytes();
        (high == 0).then_some(low)
    }

    fn unpack(self) -> PurposeSet {
        let [a, b, c, d, e, f, g] = self;
        PurposeSet::from_bits(u64::from_le_bytes([a, b, c, d, e, f, g, 0]).into())
    }
}
