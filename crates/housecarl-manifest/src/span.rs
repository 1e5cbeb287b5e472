//! Where in the file a value stands, so that every finding and every sentence can point there.

use std::ops::Deref;

/// A stretch of the manifest, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// A value and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Deref for Spanned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A value that has a name in a table of the manifest, such as `[purpose.coaching]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named<T> {
    /// The name, where it is first written.
    pub name: Spanned<String>,
    /// The value.
    pub value: T,
    /// Where the whole value stands.
    pub span: Span,
}

impl<T> Deref for Named<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// A value that may be absent.
pub type Field<T> = Option<Spanned<T>>;
/// Values in the order of the file.
pub type List<T> = Vec<Spanned<T>>;
/// Named values in the order of the file.
pub type Map<T> = Vec<Named<T>>;

/// Looks a name up in a map.
pub fn by_name<'m, T>(map: &'m [Named<T>], name: &str) -> Option<&'m Named<T>> {
    map.iter().find(|entry| entry.name.value == name)
}

/// The lines of a text, for turning bytes into what an editor shows.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Counts the lines of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { starts }
    }

    /// The 1-based line that a byte stands on.
    #[must_use]
    pub fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte).max(1)
    }

    /// The 1-based line and column, in characters, of a byte.
    #[must_use]
    pub fn position(&self, text: &str, byte: usize) -> (usize, usize) {
        let line = self.line(byte);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = text.get(start..byte).map_or(0, |before| before.chars().count());
        (line, column + 1)
    }
}
