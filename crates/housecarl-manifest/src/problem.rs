//! What is wrong with a manifest as a file, as data. The checker gives it its words.

use crate::span::Span;

/// Something that keeps a part of a manifest from meaning anything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// Where it stands.
    pub span: Span,
    /// Another place that it has to do with.
    pub other: Option<Span>,
}

/// What can be wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProblemKind {
    /// Not TOML.
    Syntax {
        /// What the TOML reader says.
        message: String,
    },
    /// A key that means nothing here.
    UnknownKey {
        /// The key.
        key: String,
        /// The nearest key that does.
        meant: Option<String>,
        /// The keys that do.
        known: &'static [&'static str],
    },
    /// A key that has to be here.
    Missing {
        /// The key.
        key: &'static str,
        /// What it says.
        about: String,
    },
    /// A value of another kind than this key has.
    WrongType {
        /// What the key has.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A word that is not on the closed list.
    UnknownWord {
        /// The word.
        word: String,
        /// The nearest word that is.
        meant: Option<String>,
        /// The list.
        known: Vec<&'static str>,
    },
    /// A name that nothing in this manifest has.
    UnknownName {
        /// The table that it is looked up in, such as `item`.
        table: &'static str,
        /// The name.
        name: String,
        /// The nearest name that is there.
        meant: Option<String>,
    },
    /// A text that does not have the form it needs.
    BadForm {
        /// What the form is for.
        what: &'static str,
        /// How it should look.
        expected: &'static str,
    },
    /// A path that does not lead anywhere.
    BadPath {
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two items whose values could stand at the same place of a payload.
    SamePlace {
        /// The one item.
        one: String,
        /// The other.
        other: String,
    },
    /// More entries than a product may have.
    TooMany {
        /// Of what.
        what: &'static str,
        /// The most there may be.
        most: usize,
    },
    /// The manifest says that it is of a version that this program does not read.
    UnknownVersion {
        /// The version it says.
        found: i64,
    },
}

/// Problems as they are found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    /// Adds one.
    pub fn add(&mut self, kind: ProblemKind, span: Span) {
        self.found.push(Problem { kind, span, other: None });
    }

    /// Adds one that has to do with two places.
    pub fn add_with(&mut self, kind: ProblemKind, span: Span, other: Span) {
        self.found.push(Problem { kind, span, other: Some(other) });
    }

    /// Adds one that was found elsewhere.
    pub fn push(&mut self, problem: Problem) {
        self.found.push(problem);
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| problem.span);
        self.found.dedup();
        self.found
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

/// The known word that somebody who wrote `word` most likely meant.
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let close = |candidate: &&str| {
        let longest = word.chars().count().max(candidate.chars().count());
        strsim::damerau_levenshtein(word, candidate) <= (longest / 3).max(1)
    };
    let distance = |candidate: &&str| strsim::damerau_levenshtein(word, candidate);
    known.into_iter().filter(close).min_by_key(distance).map(str::to_owned)
}
