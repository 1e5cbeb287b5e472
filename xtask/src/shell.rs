//! Starting other programs, always from the root of the tree.

use std::path::Path;
use std::process::{Command, Stdio};

/// Nothing, or a sentence that says what went wrong.
pub(crate) type Done = Result<(), String>;

/// The root of the tree.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// A program with its arguments, to be started at the root.
pub(crate) fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// `cargo` with its arguments.
pub(crate) fn cargo(args: &[&str]) -> Command {
    command("cargo", args)
}

/// Runs a program with its output passed through.
pub(crate) fn run(command: &mut Command) -> Done {
    let status = command.status().map_err(|e| format!("could not start {}: {e}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

/// Runs a program and returns what it wrote to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("could not start {}: {e}", shown(command)))?;
    if !output.status.success() {
        return Err(format!("{} ended with {}", shown(command), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program runs at all with these arguments.
pub(crate) fn answers(program: &str, args: &[&str]) -> bool {
    command(program, args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The triple of this machine.
pub(crate) fn host() -> Result<String, String> {
    let version = output(&mut command("rustc", &["-vV"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "`rustc -vV` names no host".to_owned())
}

/// A command as it would be typed, its long lists cut.
fn shown(command: &Command) -> String {
    const ARGS_SHOWN_MAX: usize = 8;
    let mut text = format!("`{}", command.get_program().to_string_lossy());
    for (at, arg) in command.get_args().enumerate() {
        if at == ARGS_SHOWN_MAX {
            text.push_str(" …");
            break;
        }
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text.push('`');
    text
}
