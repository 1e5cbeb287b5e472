//! One file a command.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod rules;
pub(crate) mod diff;
pub(crate) mod lock;
pub(crate) mod schema;
pub(crate) mod replay;
pub(crate) mod demo;
pub(crate) mod serve;

/// How a command prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}
