//! The words for what is wrong with a manifest as a file.

use housecarl_manifest::problem::{Problem, ProblemKind};

use crate::diagnostic::{Diagnostic, Label, Level};

/// Whether a code is one of these, not of a rule.
#[must_use]
pub fn is_problem(code: &str) -> bool {
    code.starts_with("HC0")
}

/// What `housecarl explain` says of one of these codes.
#[must_use]
pub fn explain(code: &str) -> Option<String> {
    let (code, _, title) =
        PAGES.iter().find(|(known, name, _)| known.eq_ignore_ascii_case(code) || *name == code)?;
    Some(format!(
        "{title}\n{code} · a problem of the file itself\n\nWhat cannot be read cannot be checked or enforced, so this \
         cannot be waived, and nothing\nis decided by a manifest that has it. The finding says where it stands and \
         what to write instead.\n"
    ))
}

/// The codes, names and titles of the problems of a file.
pub const PAGES: [(&str, &str, &str); 11] = [
    ("HC0001", "not-toml", "Not TOML"),
    ("HC0002", "unknown-key", "A key that means nothing here"),
    ("HC0003", "missing-key", "A key that has to be there and is not"),
    ("HC0004", "wrong-type", "A value of another kind than its key has"),
    ("HC0005", "unknown-word", "A word that is not on the closed list"),
    ("HC0006", "unknown-name", "A name that nothing in the manifest has"),
    ("HC0007", "bad-form", "A text that does not have the form it needs"),
    ("HC0008", "bad-path", "A path that leads nowhere"),
    ("HC0009", "same-place", "Two items at one place of a payload"),
    ("HC0010", "too-many", "More entries than a product may have"),
    ("HC0011", "unknown-version", "A version of the manifest that this program does not read"),
];

/// Code, name, message, what stands there, and what to do.
type Words = (&'static str, &'static str, String, String, String);

/// A problem in words. It is always of level `must`: what cannot be read cannot be checked.
#[must_use]
pub fn diagnostic(problem: &Problem) -> Diagnostic {
    let (code, name, message, label, help) = words(&problem.kind);
    let other = match &problem.kind {
        ProblemKind::SamePlace { other, .. } => format!("`{other}` stands here too"),
        _ => "the other place".to_owned(),
    };
    Diagnostic {
        code,
        name: name.to_owned(),
        level: Level::Must,
        statements: &[],
        message,
        span: problem.span,
        label,
        also: problem.other.map(|span| Label { span, text: other }).into_iter().collect(),
        help,
        organisation: None,
        purposes: Vec::new(),
    }
}

fn words(kind: &ProblemKind) -> Words {
    match kind {
        ProblemKind::Syntax { message } => (
            "HC0001",
            "not-toml",
            format!("this is not TOML: {message}"),
            String::new(),
            "mend this line first; what follows it may read differently then".to_owned(),
        ),
        ProblemKind::UnknownKey { key, meant, known } => (
            "HC0002",
            "unknown-key",
            format!("`{key}` means nothing here"),
            "not a key of this table".to_owned(),
            meant_or_known(meant.as_deref(), known),
        ),
        ProblemKind::Missing { key, about } => (
            "HC0003",
            "missing-key",
            format!("`{key}` is missing"),
            "it belongs here".to_owned(),
            format!("add `{key}`: {}", lower(about)),
        ),
        ProblemKind::WrongType { expected, found } => (
            "HC0004",
            "wrong-type",
            format!("{} cannot stand here", in_words(found)),
            String::new(),
            format!("write {expected}"),
        ),
        ProblemKind::UnknownWord { word, meant, known } => (
            "HC0005",
            "unknown-word",
            format!("`{word}` is not one of the words that can stand here"),
            "not on the list".to_owned(),
            meant_or_known(meant.as_deref(), known),
        ),
        ProblemKind::UnknownName { table, name, meant } => (
            "HC0006",
            "unknown-name",
            format!("there is no {table} named `{name}`"),
            format!("no `[{table}.{name}]` in this manifest"),
            match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("declare `[{table}.{name}]`, or use the name of one that is declared"),
            },
        ),
        ProblemKind::BadForm { what, expected } => (
            "HC0007",
            "bad-form",
            format!("this does not have the form of {what}"),
            String::new(),
            format!("write {expected}"),
        ),
        ProblemKind::BadPath { why } => (
            "HC0008",
            "bad-path",
            format!("this path leads nowhere: {why}"),
            String::new(),
            "write it like \"/samples/*/bpm\"; quotes keep `*`, `/` and `[` literal: '/\"a/b\"/c'".to_owned(),
        ),
        ProblemKind::SamePlace { one, other } => (
            "HC0009",
            "same-place",
            format!("a value at one place of a payload would be both `{one}` and `{other}`"),
            format!("`{one}` stands here"),
            "give each item a path of its own, or make them one item".to_owned(),
        ),
        ProblemKind::TooMany { what, most } => (
            "HC0010",
            "too-many",
            format!("more than {most} {what}"),
            "this one is not in the policy table".to_owned(),
            match *what {
                "purposes" | "items" | "features" => format!(
                    "there is room for {most} {what}, and the number of a removed one is not used again; \
                     merge some, or split the product"
                ),
                _ => format!("there is room for {most} {what}; merge some, or split the product"),
            },
        ),
        ProblemKind::UnknownVersion { found } => (
            "HC0011",
            "unknown-version",
            format!("this manifest says it is of version {found}, and this program reads version 1"),
            String::new(),
            "write `manifest = 1`, or use a newer program".to_owned(),
        ),
    }
}

/// What people call a type of TOML, under the name that its reader gives it.
fn in_words(found: &str) -> &str {
    match found {
        "string" => "a text",
        "integer" => "a whole number",
        "float" => "a number with a fraction",
        "boolean" => "`true` or `false`",
        "datetime" => "a date",
        "array" => "a list",
        "table" => "a table",
        other => other,
    }
}

fn meant_or_known(meant: Option<&str>, known: &[&str]) -> String {
    match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("one of: {}", known.join(", ")),
    }
}

/// The text with its first letter small, where the second is small too.
fn lower(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
