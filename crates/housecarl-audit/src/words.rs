//! The verdicts in words: what was checked, what was found, and what that does not show.

use std::fmt;

use crate::note::VerifierKey;
use crate::receipt::{Invalid, Proven};
use crate::verify::{Fault, Verdict};

/// What a log that holds is told to be.
#[must_use]
pub fn log(verdict: &Verdict, key: &VerifierKey) -> String {
    let Verdict { checkpoint, since, bundles, tiles } = verdict;
    let (size, root) = (checkpoint.size(), checkpoint.root());
    let mut checked = vec![
        format!("the checkpoint is signed by the key `{key}`"),
        format!("every hash was computed anew from the entries, from the first on (bundles: {bundles})"),
        format!("the published tiles have these hashes and no others (tiles: {tiles})"),
        format!("together they are the signed root hash {root}"),
    ];
    let mut not_shown = vec![
        "what the entries say: they are sealed, and opened one by one, by receipts",
        "that everything that happened was logged: a log shows what is in it",
        "that the times in it are right: they are the word of whoever runs it",
        "that others are shown the same log: compare the checkpoint with theirs",
    ];
    match since {
        Some(since) => checked.push(format!(
            "the first {} entries are unchanged since the earlier checkpoint {}",
            since.size(),
            since.root()
        )),
        None => not_shown
            .push("that nothing was changed before: keep this checkpoint and give it as `--since` next time"),
    }
    let found = format!("verified: the log `{}` with {size} entries", key.name());
    page(&found, &[("what was checked", &list(&checked)), (NOT_SHOWN, &list(&not_shown))])
}

/// What a log that does not hold is told to be.
#[must_use]
pub fn log_fault<E: fmt::Display>(fault: &Fault<E>, key: &VerifierKey) -> String {
    page(
        &format!("not verified: the log `{}`", key.name()),
        &[
            ("the first thing that does not hold", &list(&[fault])),
            (
                NOT_SHOWN,
                &list(&[
                    "whether somebody changed it or a disk did: take a second copy and try again",
                    "what lies behind it: nothing after the first fault was checked",
                ]),
            ),
        ],
    )
}

/// What a receipt that holds is told to be. It tells of the person whose receipt it is.
#[must_use]
pub fn receipt(proven: &Proven<'_>, key: &VerifierKey) -> String {
    let rows = proven.entry.rows();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let says: Vec<String> = rows.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect();
    let (index, size) = (proven.index, proven.size);
    page(
        &format!("verified: an entry of the log `{}`", key.name()),
        &[
            ("what the entry says", &list(&says)),
            (
                "what was checked",
                &list(&[
                    format!("a state of the log with {size} entries is signed by the key `{key}`"),
                    format!("exactly this entry is number {index} of them, counted from 0"),
                ]),
            ),
            (
                NOT_SHOWN,
                &list(&[
                    "that the entry is true: it was recorded so, and that cannot be undone unseen",
                    "that it is the last word: a later entry may have changed what it says",
                    "who is behind an id: only whoever runs the log can tell",
                    "that the log of today still begins so: give this receipt as `--since` to verify that",
                ]),
            ),
        ],
    )
}

/// What a receipt that does not hold is told to be.
#[must_use]
pub fn receipt_fault(invalid: &Invalid, key: &VerifierKey) -> String {
    page(
        &format!("not verified: a receipt of the log `{}`", key.name()),
        &[
            ("the first thing that does not hold", &list(&[invalid])),
            (NOT_SHOWN, &list(&["whether somebody changed it or it was copied wrongly: ask for it again"])),
        ],
    )
}

const NOT_SHOWN: &str = "what this does not show";

fn list(lines: &[impl fmt::Display]) -> String {
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

fn page(found: &str, sections: &[(&str, &str)]) -> String {
    let sections = sections.iter().map(|(title, lines)| format!("\n{title}\n{lines}"));
    format!("{found}\n{}", sections.collect::<String>())
}
