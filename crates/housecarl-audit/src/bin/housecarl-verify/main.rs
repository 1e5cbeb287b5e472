//! `housecarl-verify`: verifies a log or a receipt, without a network and without the server.
//!
//! Exit status 0: it holds. 1: it does not. 2: it could not be checked.

mod arguments;

use std::io::{self, Write as _};
use std::process::ExitCode;

use housecarl_audit::folder;

use arguments::{Arguments, What};

fn main() -> ExitCode {
    let done = Arguments::parse(lexopt::Parser::from_env()).and_then(|arguments| match arguments {
        Some(arguments) => run(&arguments),
        None => Ok((arguments::HELP.to_owned(), true)),
    });
    match done {
        Ok((text, holds)) => match print(&text) {
            Err(problem) => complain(&problem),
            Ok(()) => ExitCode::from(u8::from(!holds)),
        },
        Err(problem) => complain(&problem),
    }
}

/// The verdict in words, and whether it is good.
fn run(arguments: &Arguments) -> Result<(String, bool), String> {
    let verdict = match &arguments.what {
        What::Receipt(file) => folder::receipt(file, &arguments.key),
        What::Log { folder, since } => folder::log(folder, &arguments.key, since.as_deref()),
    }?;
    Ok((verdict.words, verdict.holds))
}

/// A reader that stopped listening is not a problem.
fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot print: {error}")),
        _ => Ok(()),
    }
}

fn complain(problem: &str) -> ExitCode {
    let _ = writeln!(io::stderr().lock(), "housecarl-verify: {problem}");
    ExitCode::from(2)
}
