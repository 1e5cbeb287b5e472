//! Which name leads to which file: what every program finds, what is on the disk, and the journal between them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use crate::dice::Dice;
use crate::faults::Counts;

/// With more unsynced changes than this the kernel writes the older half back by itself.
const JOURNAL_MAX: usize = 1024;

/// A directory, by its number, and a name in it.
pub(crate) type Name = (u64, OsString);

/// A name, and the number it leads to from now on, if any.
pub(crate) type Edit = (Name, Option<u64>);

#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    now: BTreeMap<Name, u64>,
    disk: BTreeMap<Name, u64>,
    /// In order; the edits of one entry happen together or not at all.
    journal: Vec<Vec<Edit>>,
}

impl Names {
    pub(crate) fn get(&self, directory: u64, name: &OsStr) -> Option<u64> {
        self.now.get(&(directory, name.to_owned())).copied()
    }

    /// The names in a directory, in their order.
    pub(crate) fn within(&self, directory: u64) -> impl Iterator<Item = (&OsStr, u64)> {
        let names = self.now.range((directory, OsString::new())..);
        names
            .take_while(move |((parent, _), _)| *parent == directory)
            .map(|((_, name), number)| (name.as_os_str(), *number))
    }

    /// What each name leads to.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.now.values().copied()
    }

    pub(crate) fn change(&mut self, edits: Vec<Edit>) {
        reach(&edits, &mut self.now);
        self.journal.push(edits);
        if self.journal.len() > JOURNAL_MAX {
            self.write_journal(JOURNAL_MAX / 2);
        }
    }

    /// A sync of a directory.
    pub(crate) fn sync(&mut self, directory: u64) {
        let touches = |edits: &Vec<Edit>| edits.iter().any(|((parent, _), _)| *parent == directory);
        let last = self.journal.iter().rposition(touches);
        self.write_journal(last.map_or(0, |last| last + 1));
    }

    /// A cut: chance decides how far the journal got.
    pub(crate) fn cut(&mut self, dice: &mut Dice, counts: &mut Counts) {
        let kept = dice.prefix(self.journal.len());
        counts.names_lost += (self.journal.len() - kept) as u64;
        self.write_journal(kept);
        self.journal.clear();
        self.now = self.disk.clone();
    }

    fn write_journal(&mut self, count: usize) {
        self.journal.drain(..count).for_each(|edits| reach(&edits, &mut self.disk));
    }

    /// Everything that a name leads to or could lead to after a cut.
    pub(crate) fn reachable(&self) -> BTreeSet<u64> {
        let edited = self.journal.iter().flatten().filter_map(|(_, number)| *number);
        self.now.values().chain(self.disk.values()).copied().chain(edited).collect()
    }
}

fn reach(edits: &[Edit], names: &mut BTreeMap<Name, u64>) {
    for (name, number) in edits {
        match number {
            Some(number) => names.insert(name.clone(), *number),
            None => names.remove(name),
        };
    }
}
