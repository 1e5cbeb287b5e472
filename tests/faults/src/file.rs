//! A file in its two states: what every program reads, and what is on the disk for certain. Between them lie the
//! changes that nobody has synced.

use std::ops::Range;

use crate::content::{Content, SECTOR, Sector, sectors_of};
use crate::dice::Dice;
use crate::faults::Counts;

/// With more unsynced changes than this the kernel writes the older half back by itself.
const PENDING_MAX: usize = 1024;

#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    now: Content,
    disk: Content,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    /// Sectors as they were left by the write, and where the write ended.
    Write {
        sectors: Vec<(u64, Sector)>,
        end: u64,
    },
    SetLen(u64),
    Allocate {
        sectors: Range<u64>,
        len: u64,
    },
}

impl File {
    pub(crate) fn now(&self) -> &Content {
        &self.now
    }

    /// How many sectors of room a write would need that it does not have.
    pub(crate) fn room_for(&self, offset: u64, len: u64) -> u64 {
        self.now.missing(sectors_of(offset, len))
    }

    pub(crate) fn write(&mut self, offset: u64, data: &[u8]) {
        let sectors = self.now.overlaid(offset, data);
        let end = if data.is_empty() { 0 } else { offset + data.len() as u64 };
        self.change(Change::Write { sectors, end });
    }

    pub(crate) fn set_len(&mut self, len: u64) {
        if len != self.now.len() || self.now.has_beyond(len) {
            self.change(Change::SetLen(len));
        }
    }

    /// Gives room to the bytes, and makes the file at least `len` long.
    pub(crate) fn allocate(&mut self, offset: u64, bytes: u64, len: u64) {
        self.change(Change::Allocate { sectors: sectors_of(offset, bytes), len });
    }

    fn change(&mut self, change: Change) {
        change.reach(&mut self.now);
        self.pending.push(change);
        if self.pending.len() > PENDING_MAX {
            self.pending.drain(..PENDING_MAX / 2).for_each(|change| change.reach(&mut self.disk));
        }
    }

    /// A sync that succeeds: every change reaches the disk. What a failed sync lost is no change any more.
    pub(crate) fn sync(&mut self) {
        self.pending.drain(..).for_each(|change| change.reach(&mut self.disk));
    }

    /// A cut: chance decides what reached the disk, and that is what is read from now on.
    pub(crate) fn cut(&mut self, dice: &mut Dice, counts: &mut Counts) {
        self.resolve(dice, counts);
        self.now = self.disk.clone();
    }

    /// A sync that fails, or the part of a cut that befalls the disk: the changes are over, wherever they got to.
    pub(crate) fn resolve(&mut self, dice: &mut Dice, counts: &mut Counts) {
        let noted = dice.prefix(self.pending.len());
        // With one chance for all cuts, long histories would never be lost or kept as a whole.
        let chance = [0, 10, 50, 90, 100].get(dice.below(5)).copied().unwrap_or(50);
        let mut gap = false;
        // A truncation that was lost frees no room: what was written after it was written elsewhere.
        let mut elsewhere = false;
        for (at, change) in self.pending.drain(..).enumerate() {
            let noted = at < noted;
            let Change::Write { sectors, end } = change else {
                if noted {
                    change.reach(&mut self.disk);
                } else {
                    counts.lengths_lost += 1;
                    elsewhere |= matches!(change, Change::SetLen(len) if self.disk.has_beyond(len));
                }
                continue;
            };
            let tear = Tear::throw(dice, sectors.len(), chance);
            let mut kept = 0;
            let mut kept_end = 0;
            for (place, (index, sector)) in sectors.iter().enumerate() {
                let can = !elsewhere && (noted || self.disk.has(*index));
                if can && tear.keeps(place, dice) {
                    self.disk.put(*index, sector);
                    kept += 1;
                    kept_end = end.min((index + 1) * SECTOR);
                }
            }
            if noted {
                // Either the length was noted before the bytes were there, or it went along with them.
                self.disk.grow(if dice.percent(50) { end } else { kept_end });
            }
            let lost = sectors.len() - kept;
            counts.bytes_lost += lost as u64 * SECTOR;
            counts.writes_lost += u64::from(kept == 0 && lost > 0);
            counts.writes_torn += u64::from(kept > 0 && lost > 0);
            counts.writes_reordered += u64::from(kept > 0 && gap);
            gap |= lost > 0;
        }
        self.disk.clear_tail();
    }
}

impl Change {
    fn reach(&self, content: &mut Content) {
        match self {
            Self::Write { sectors, end } => {
                sectors.iter().for_each(|(index, sector)| content.put(*index, sector));
                content.grow(*end);
            }
            Self::SetLen(len) => content.set_len(*len),
            Self::Allocate { sectors, len } => {
                content.allocate(sectors.clone());
                content.grow(*len);
            }
        }
    }
}

/// Which sectors of one write reach the disk.
enum Tear {
    Nothing,
    First(usize),
    Each,
}

impl Tear {
    /// One write in four is torn, the others are kept with so many chances of a hundred.
    fn throw(dice: &mut Dice, sectors: usize, chance: usize) -> Self {
        match dice.below(8) {
            0 => Self::Each,
            1 => Self::First(dice.below(sectors + 1)),
            _ if dice.percent(chance) => Self::First(sectors),
            _ => Self::Nothing,
        }
    }

    fn keeps(&self, place: usize, dice: &mut Dice) -> bool {
        match self {
            Self::Nothing => false,
            Self::First(count) => place < *count,
            Self::Each => dice.percent(50),
        }
    }
}
