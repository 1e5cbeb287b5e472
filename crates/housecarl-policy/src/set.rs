//! Purposes as numbers, and sets of them as bits.

use core::fmt;
use core::ops::{BitAnd, BitOr, BitOrAssign};

/// The number of a purpose. Given once per product and name, and never used again for another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PurposeId(u8);

impl PurposeId {
    /// How many purposes one product may ever have had.
    pub const MAX: usize = 128;

    /// The purpose with this number, if a product can have one.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if (number as usize) < Self::MAX { Some(Self(number)) } else { None }
    }

    /// Its number, below [`PurposeId::MAX`].
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for PurposeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "purpose {}", self.0)
    }
}

/// A set of purposes, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct PurposeSet(u128);

impl PurposeSet {
    /// No purpose: what everything starts from.
    pub const NONE: Self = Self(0);
    /// Every purpose a product could have.
    pub const ALL: Self = Self(u128::MAX);

    /// The set whose members are the bits of `bits`.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// One bit per member.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// The set of one purpose.
    #[must_use]
    pub const fn of(purpose: PurposeId) -> Self {
        // The number is below 128, so the shift never wraps.
        Self(1_u128.wrapping_shl(purpose.0 as u32))
    }

    /// Whether the purpose is a member.
    #[must_use]
    pub const fn contains(self, purpose: PurposeId) -> bool {
        self.0 & Self::of(purpose).0 != 0
    }

    /// Whether there is no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many members there are.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The members that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The set itself, or none: without a branch that depends on what somebody said.
    #[must_use]
    pub(crate) const fn only_if(self, condition: bool) -> Self {
        Self(self.0 & 0_u128.wrapping_sub(condition as u128))
    }

    /// Whether every member is in `other`.
    #[must_use]
    pub const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Adds a purpose.
    pub fn insert(&mut self, purpose: PurposeId) {
        *self |= Self::of(purpose);
    }

    /// Takes a purpose out.
    pub fn remove(&mut self, purpose: PurposeId) {
        *self = self.without(Self::of(purpose));
    }

    /// The members, smallest number first.
    pub fn iter(self) -> impl Iterator<Item = PurposeId> {
        let mut left = self.0;
        core::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let number = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            u8::try_from(number).ok().and_then(PurposeId::new)
        })
    }
}

impl BitAnd for PurposeSet {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for PurposeSet {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for PurposeSet {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl FromIterator<PurposeId> for PurposeSet {
    fn from_iter<I: IntoIterator<Item = PurposeId>>(purposes: I) -> Self {
        purposes.into_iter().fold(Self::NONE, |set, purpose| set | Self::of(purpose))
    }
}

impl fmt::Debug for PurposeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(PurposeId::number)).finish()
    }
}
