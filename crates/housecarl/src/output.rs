//! Printing, and what a command ends with.

use std::io::{self, IsTerminal as _, Write as _};
use std::panic::{self, PanicHookInfo};

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

/// A fault of ours that unwinds is told by its place in the code and by nothing else: what it would
/// say may be something that somebody sent.
pub(crate) fn tell_of_faults() {
    panic::set_hook(Box::new(|info| complain(&fault(info))));
}

fn fault(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or_else(
        || "an unknown place".to_owned(),
        |place| format!("{}:{}:{}", place.file(), place.line(), place.column()),
    );
    format!("a fault of ours, at {place}; please report it with this line")
}

/// Prints to standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "housecarl: {text}");
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, clippy::unwrap_used, reason = "a test may fail loudly, and this one has to")]

    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_fault_tells_its_place_and_nothing_of_what_was_in_hand() {
        let told = Arc::new(Mutex::new(String::new()));
        let here = Arc::clone(&told);
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| *here.lock().unwrap() = fault(info)));
        let pulse = 71;
        let unwound = panic::catch_unwind(|| panic!("a heart rate of {pulse}"));
        panic::set_hook(before);
        assert!(unwound.is_err());
        let told = told.lock().unwrap().clone();
        assert!(told.contains("output.rs:"), "{told}");
        assert!(!told.contains("heart") && !told.contains("71 "), "{told}");
    }
}
