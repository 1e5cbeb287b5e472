//! The audit log against what was asked: each thing that was confirmed has its entry, and one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use housecarl_audit::entry::{Answer, Erasure, Id, Whom};
use housecarl_audit::{Act, Receipt, Tiles, VerifierKey, tile, verify};
use housecarl_journey::audit::EntryNumber;
use housecarl_journey::journey::Journey;
use housecarl_server::hex;

use crate::history::Fault;
use crate::home::{Home, now};

/// Something that was asked and leaves an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Step {
    pub(crate) what: String,
    /// Whether whoever asked was told that it is done. If not, the entry may be there or not.
    pub(crate) confirmed: bool,
}

/// The log as far as it has been looked at.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    entries: u64,
    /// What was asked from outside, in the words of [`Step::what`].
    asked: Vec<String>,
    /// How far each erasure has come: each step once.
    erasures: BTreeMap<[u8; 16], BTreeSet<u8>>,
    /// How many buckets expired.
    pub(crate) expired: u64,
}

/// The published folder.
struct Folder<'f>(&'f Path);

impl Tiles for Folder<'_> {
    type Error = io::Error;

    fn read(&self, path: tile::Path) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(path.to_string())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }
}

impl Seen {
    /// Reads what the log has come to, verifies it as a stranger would, against every checkpoint that somebody kept,
    /// and compares it with what was asked.
    pub(crate) fn check(
        &mut self,
        journey: &Journey,
        home: &Home,
        asked: &[Step],
        kept: &[Vec<u8>],
    ) -> Result<(), Fault> {
        let size = journey.integrate(now()).map_err(|error| Fault::Log(error.to_string()))?.size;
        let folder = journey.log_folder();
        let checkpoint = fs::read(folder.join("checkpoint")).unwrap();
        let key: VerifierKey = home.log_key.parse().unwrap();
        for since in kept {
            verify::log(&Folder(folder), &checkpoint, &key, Some(since))
                .map_err(|fault| Fault::Log(format!("{fault}")))?;
        }
        for number in self.entries..size {
            let receipt =
                journey.receipt(EntryNumber(number)).map_err(|error| Fault::Log(error.to_string()))?;
            let receipt = Receipt::parse(receipt.as_bytes()).unwrap();
            let proven = receipt.verify(&key).map_err(|invalid| Fault::Log(invalid.to_string()))?;
            self.take_in(&proven.entry.act)?;
        }
        self.entries = size;
        let unfinished = self.erasures.values().any(|steps| steps.len() != 3);
        if unfinished {
            return Err(Fault::Log("an erasure has not all of its entries".to_owned()));
        }
        compare(asked, &self.asked)
    }

    fn take_in(&mut self, act: &Act) -> Result<(), Fault> {
        let person = |whom: &Whom| match whom {
            Whom::Person(Id(id)) => hex::print(id),
            _ => "somebody".to_owned(),
        };
        match act {
            Act::Read { whom, purpose, .. } => {
                self.asked.push(format!("read {} {}", purpose.as_str(), person(whom)))
            }
            Act::Choice { whom, about, answer, .. } if about.as_str() == "coaching" => {
                let word = match answer {
                    Answer::Agreed => "agreed",
                    // Whether it takes something back depends on a yes that was perhaps not answered.
                    Answer::Refused | Answer::Withdrew => "refused",
                    // The feature of that name.
                    _ => return Ok(()),
                };
                self.asked.push(format!("choice {word} coaching {}", person(whom)));
            }
            Act::Erase { case, whom, step, .. } => {
                if *step == Erasure::Asked {
                    self.asked.push(format!("erase {}", person(whom)));
                }
                if !self.erasures.entry(case.0).or_default().insert(*step as u8) {
                    return Err(Fault::Log("a step of an erasure has two entries".to_owned()));
                }
            }
            Act::Expiry { buckets, .. } => self.expired += buckets,
            _ => {}
        }
        Ok(())
    }
}

/// Whether the log is what was asked, in the same order, without what was not confirmed where that is missing.
fn compare(asked: &[Step], log: &[String]) -> Result<(), Fault> {
    // After each step: how many entries it and those before it may have come to.
    let mut lengths = BTreeSet::from([0]);
    for step in asked {
        let with =
            lengths.iter().filter(|length| log.get(**length) == Some(&step.what)).map(|length| length + 1);
        let with: BTreeSet<usize> = with.collect();
        let without = if step.confirmed { BTreeSet::new() } else { lengths };
        lengths = &with | &without;
        if lengths.is_empty() {
            return Err(Fault::Log(format!(
                "`{}` was confirmed, and has not one entry in its place",
                step.what
            )));
        }
    }
    if lengths.contains(&log.len()) {
        Ok(())
    } else {
        Err(Fault::Log(format!("{} entries are of nothing that was asked", log.len())))
    }
}

#[test]
fn a_log_with_an_entry_too_few_or_too_many_is_noticed() {
    let step = |what: &str, confirmed| Step { what: what.to_owned(), confirmed };
    let asked = [step("a", true), step("b", false), step("b", true), step("c", false)];
    let check = |log: &[&str]| compare(&asked, &log.iter().map(|&what| what.to_owned()).collect::<Vec<_>>());
    for right in [["a", "b"].as_slice(), &["a", "b", "b"], &["a", "b", "c"], &["a", "b", "b", "c"]] {
        assert!(check(right).is_ok(), "{right:?}");
    }
    for wrong in [[].as_slice(), &["a"], &["b"], &["a", "c"], &["a", "a", "b"], &["a", "b", "b", "b"]] {
        assert!(check(wrong).is_err(), "{wrong:?}");
    }
}
