//! `cargo xtask fmt`: rustfmt, file by file.
//!
//! `cargo fmt` follows `mod` lines, and modules declared by a macro have none.

use crate::shell::{self, Done, command, root};

#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Write,
    Check,
}

pub(crate) fn run(mode: Mode) -> Done {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.rs"];
    let files = shell::output(&mut command("git", &list))?;
    // A file deleted but not yet committed is still listed.
    let files = files.split_terminator('\0').filter(|file| root().join(file).exists());
    let mut rustfmt = command("rustfmt", &["--edition", "2024"]);
    if matches!(mode, Mode::Check) {
        rustfmt.arg("--check");
    }
    shell::run(rustfmt.args(files))
}
