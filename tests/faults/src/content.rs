//! The bytes of a file in sectors: a sector that was never written takes no room and reads as zeros.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What a disk writes wholly or not at all, in bytes.
pub(crate) const SECTOR: u64 = 512;
const BYTES: usize = SECTOR as usize;

/// Shared, so that both states of a file and its unsynced changes hold the same bytes once.
pub(crate) type Sector = Arc<[u8; BYTES]>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    len: u64,
    sectors: BTreeMap<u64, Sector>,
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// How many sectors take room.
    pub(crate) fn allocated(&self) -> u64 {
        self.sectors.len() as u64
    }

    /// How many of these sectors take no room yet.
    pub(crate) fn missing(&self, sectors: Range<u64>) -> u64 {
        let there = self.sectors.range(sectors.clone()).count() as u64;
        (sectors.end - sectors.start) - there
    }

    /// Whether a sector takes room and is not wholly past the end.
    pub(crate) fn has(&self, sector: u64) -> bool {
        sector * SECTOR < self.len && self.sectors.contains_key(&sector)
    }

    /// Whether a truncation to `len` would free a sector.
    pub(crate) fn has_beyond(&self, len: u64) -> bool {
        self.sectors.range(len.div_ceil(SECTOR)..).next().is_some()
    }

    /// Up to `size` bytes from `offset`, fewer at the end of the file.
    pub(crate) fn read(&self, offset: u64, size: u64) -> Vec<u8> {
        let end = self.len.min(offset.saturating_add(size));
        let mut bytes = vec![0; usize::try_from(end.saturating_sub(offset)).unwrap_or(0)];
        for (index, sector) in self.sectors.range(sectors_of(offset, bytes.len() as u64)) {
            let (within, of_bytes) = overlap(*index, offset, end);
            if let (Some(from), Some(to)) = (sector.get(within), bytes.get_mut(of_bytes)) {
                to.copy_from_slice(from);
            }
        }
        bytes
    }

    /// The sectors that writing `data` at `offset` would leave, whole.
    pub(crate) fn overlaid(&self, offset: u64, data: &[u8]) -> Vec<(u64, Sector)> {
        let len = data.len() as u64;
        let overlaid = |index| {
            let mut sector = self.sectors.get(&index).map_or([0; BYTES], |sector| **sector);
            let (within, of_data) = overlap(index, offset, offset + len);
            if let (Some(to), Some(from)) = (sector.get_mut(within), data.get(of_data)) {
                to.copy_from_slice(from);
            }
            (index, Arc::new(sector))
        };
        sectors_of(offset, len).map(overlaid).collect()
    }

    pub(crate) fn put(&mut self, index: u64, sector: &Sector) {
        self.sectors.insert(index, Arc::clone(sector));
    }

    /// Gives room to sectors that had none.
    pub(crate) fn allocate(&mut self, sectors: Range<u64>) {
        let zeros: Sector = Arc::new([0; BYTES]);
        for index in sectors {
            self.sectors.entry(index).or_insert_with(|| Arc::clone(&zeros));
        }
    }

    pub(crate) fn grow(&mut self, len: u64) {
        self.len = self.len.max(len);
    }

    pub(crate) fn set_len(&mut self, len: u64) {
        self.sectors.split_off(&len.div_ceil(SECTOR));
        self.len = len;
        self.clear_tail();
    }

    /// What is past the end inside the last sector has to be zeros, should the file grow.
    pub(crate) fn clear_tail(&mut self) {
        let within = (self.len % SECTOR) as usize;
        if let Some(sector) = self.sectors.get_mut(&(self.len / SECTOR)) {
            Arc::make_mut(sector).iter_mut().skip(within).for_each(|byte| *byte = 0);
        }
    }
}

/// The sectors that `len` bytes from `offset` touch.
pub(crate) fn sectors_of(offset: u64, len: u64) -> Range<u64> {
    let first = offset / SECTOR;
    if len == 0 { first..first } else { first..(offset + len).div_ceil(SECTOR) }
}

/// Where a sector and the bytes from `offset` to `end` overlap: the range within the sector, and within those bytes.
fn overlap(index: u64, offset: u64, end: u64) -> (Range<usize>, Range<usize>) {
    let start = index * SECTOR;
    let (from, to) = (start.max(offset), (start + SECTOR).min(end));
    let from_each = |base: u64| (from - base) as usize..(to.max(from) - base) as usize;
    (from_each(start), from_each(offset))
}
