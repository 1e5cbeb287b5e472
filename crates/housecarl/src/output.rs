//! Printing, and what a command ends with.

use std::io::{self, IsTerminal as _, Write as _};

/// How a command that could do its work ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// Nothing to act on: exit status 0.
    Clean,
    /// Something to act on: exit status 1.
    Findings,
}

/// What kept a command from its work: exit status 2.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// Whether to colour what is printed: a terminal, and nobody said `NO_COLOR`.
#[expect(clippy::disallowed_methods, reason = "NO_COLOR is a convention of the environment")]
pub(crate) fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints to standard output. A reader that stopped listening is not a problem.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot print: {error}")),
        _ => Ok(()),
    }
}

/// Prints JSON to standard output.
pub(crate) fn print_json(json: &serde_json::Value) -> Result<()> {
    print(&format!("{json:#}\n"))
}

/// Prints to standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "housecarl: {text}");
}
