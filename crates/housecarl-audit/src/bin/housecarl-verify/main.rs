//! `housecarl-verify`: verifies a log or a receipt, without a network and without the server.
//!
//! Exit status 0: it holds. 1: it does not. 2: it could not be checked.

mod arguments;
mod folder;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use housecarl_audit::tile::Lost;
use housecarl_audit::verify::Fault;
use housecarl_audit::{Receipt, verify, words};

use arguments::{Arguments, What};
use folder::Folder;

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
    let key = &arguments.key;
    match &arguments.what {
        What::Receipt(file) => {
            let bytes = named(file)?;
            let receipt = Receipt::parse(&bytes);
            let text = receipt.and_then(|receipt| Ok(words::receipt(&receipt.verify(key)?, key)));
            Ok(match text {
                Ok(text) => (text, true),
                Err(invalid) => (words::receipt_fault(&invalid, key), false),
            })
        }
        What::Log { folder, since } => {
            let checkpoint = named(&folder.join("checkpoint"))?;
            let since = since.as_deref().map(named).transpose()?.map(checkpoint_of);
            match verify::log(&Folder(folder), &checkpoint, key, since.as_deref()) {
                Ok(verdict) => Ok((words::log(&verdict, key), true)),
                // What cannot be read speaks neither for nor against the log.
                Err(Fault::Lost(lost @ Lost::Unreadable(..))) => Err(lost.to_string()),
                Err(fault) => Ok((words::log_fault(&fault, key), false)),
            }
        }
    }
}

/// The checkpoint itself, or the one in a receipt: whoever has a receipt has kept a checkpoint.
fn checkpoint_of(bytes: Vec<u8>) -> Vec<u8> {
    Receipt::parse(&bytes).map_or(bytes, |receipt| receipt.checkpoint.into_bytes())
}

/// A file without which there is nothing to verify.
fn named(file: &Path) -> Result<Vec<u8>, String> {
    folder::read(file)?.ok_or_else(|| format!("there is no {}", file.display()))
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
