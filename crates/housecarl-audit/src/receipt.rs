//! A receipt: all that one person needs to show that an entry is in the log. C2SP tlog-proof.
//!
//! The opening travels in the `extra` line. The specification does not vouch for that line, and
//! need not: it has to hash to the leaf that the proof leads from.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::checkpoint::{Checkpoint, Untrusted, number};
use crate::entry::{Entry, Malformed};
use crate::hash::Hash;
use crate::leaf::Opening;
use crate::note::VerifierKey;
use crate::proof::{self, HASHES_MAX};

/// The longest receipt that is read, in bytes.
pub const RECEIPT_BYTES_MAX: usize = 1 << 17;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// An entry with the proof that it is in the log. Prints as the text that is handed out.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The entry and its salt.
    pub opening: Opening,
    /// Where in the log it is, from 0.
    pub index: u64,
    /// From [`proof::inclusion`], for the size of the checkpoint.
    pub proof: Vec<Hash>,
    /// The signed note of a checkpoint.
    pub checkpoint: String,
}

/// What a receipt that holds shows.
#[derive(Clone, Copy, Debug)]
pub struct Proven<'r> {
    /// What was logged.
    pub entry: &'r Entry,
    /// As which entry of the log, from 0.
    pub index: u64,
    /// How many entries the log had when the receipt was made.
    pub size: u64,
}

impl Receipt {
    /// Reads a receipt. It shows nothing until [`Receipt::verify`] has been asked.
    ///
    /// # Errors
    /// [`Invalid`], which says nothing of what is in the receipt.
    pub fn parse(bytes: &[u8]) -> Result<Self, Invalid> {
        if bytes.len() > RECEIPT_BYTES_MAX {
            return Err(Invalid::TooLong);
        }
        let text = str::from_utf8(bytes).map_err(|_| Invalid::Line(1))?;
        // The checkpoint has a blank line of its own, and what stands above the first has none.
        let (head, checkpoint) = text.split_once("\n\n").ok_or(Invalid::NoCheckpoint)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(Invalid::Line(1));
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra "));
        let extra = extra.and_then(|base64| BASE64_STANDARD.decode(base64).ok()).ok_or(Invalid::Line(2))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(number).ok_or(Invalid::Line(3))?;
        let mut proof = Vec::new();
        for (at, line) in lines.enumerate() {
            let hash = Hash::parse(line).filter(|_| at < HASHES_MAX).ok_or(Invalid::Line(at + 4))?;
            proof.push(hash);
        }
        let opening = Opening::from_bytes(&extra).map_err(Invalid::Opening)?;
        Ok(Self { opening, index, proof, checkpoint: checkpoint.to_owned() })
    }

    /// What the receipt shows to somebody who has the log's verifier key, and nothing else.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn verify(&self, key: &VerifierKey) -> Result<Proven<'_>, Invalid> {
        let checkpoint = Checkpoint::open(self.checkpoint.as_bytes(), key).map_err(Invalid::Checkpoint)?;
        let leaf = self.opening.leaf().hash();
        proof::verify_inclusion(leaf, self.index, checkpoint.size(), &self.proof, checkpoint.root())
            .map_err(|_| Invalid::NotInLog)?;
        Ok(Proven { entry: self.opening.entry(), index: self.index, size: checkpoint.size() })
    }
}

/// The text that is handed out. It tells of the person whose receipt it is.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        writeln!(f, "extra {}", BASE64_STANDARD.encode(self.opening.to_bytes()))?;
        writeln!(f, "index {}", self.index)?;
        for hash in &self.proof {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

/// Why a receipt shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Invalid {
    /// Longer than [`RECEIPT_BYTES_MAX`].
    TooLong,
    /// A line, from 1, is not what belongs there.
    Line(usize),
    /// There is no blank line with a checkpoint below it.
    NoCheckpoint,
    /// What should open the leaf does not read.
    Opening(Malformed),
    /// The checkpoint is not to be believed.
    Checkpoint(Untrusted),
    /// The entry is not in the log that the checkpoint signs, or not at this index.
    NotInLog,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("it is longer than any receipt of this log"),
            Self::Line(line) => write!(f, "line {line} is not what belongs there in a receipt"),
            Self::NoCheckpoint => f.write_str("it has no checkpoint: the file may have been cut short"),
            Self::Opening(why) => write!(f, "its entry does not read: {why}"),
            Self::Checkpoint(why) => write!(f, "its checkpoint does not hold: {why}"),
            Self::NotInLog => f.write_str("its entry is not in the log that its checkpoint signs"),
        }
    }
}

impl std::error::Error for Invalid {}
