//! `cargo xtask probe`: links the policy for a microcontroller and looks for panics in the image.
//!
//! `#![no_std]` checked on a host proves nothing: only a link without a standard library does. And
//! only the linked image, with what nobody calls thrown away, shows whether anything can panic.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::install;
use crate::shell::{self, Done, answers, command, root};

const TARGET: &str = "thumbv7em-none-eabihf";

/// Parts of the names, mangled either way, that only a call to a panic brings into the image.
const PANICS: &[&str] = &["core9panicking", "panic_fmt", "panic_bounds_check", "rust_begin_unwind"];

pub(crate) fn run() -> Done {
    let core = Core::find()?;
    // First an image that does panic: a search that finds nothing there would find nothing anywhere.
    if panics_in(&core.build(&["--features", "panics"])?)?.is_empty() {
        return Err("the search for panics missed one put there for it to find".to_owned());
    }
    let image = core.build(&[])?;
    let panics = panics_in(&image)?;
    if panics.is_empty() {
        println!("no panic is reachable");
        return Ok(());
    }
    Err(format!("the policy can panic; in {} are\n  {}", image.display(), panics.join("\n  ")))
}

/// Where the core library for the microcontroller comes from.
enum Core {
    Rustup,
    /// Debian's compiler, and its source of the core library built along; the linker is named.
    Debian(PathBuf),
}

impl Core {
    fn find() -> Result<Self, String> {
        if installed()? {
            println!("the core library for {TARGET} is installed");
            return Ok(Self::Rustup);
        }
        println!("asking rustup for {TARGET}");
        if answers("rustup", &["target", "add", TARGET]) && installed()? {
            return Ok(Self::Rustup);
        }
        println!("rustup cannot bring {TARGET}: building it with Debian's rustc-web instead");
        let compiler = answers(DEBIAN_RUSTC, &["--version"]);
        if !compiler || !Path::new(DEBIAN_CORE).exists() {
            install::packages(&["rustc-web", "rust-web-src"])?;
        }
        Ok(Self::Debian(linker()?))
    }

    /// Builds the probe and returns the image.
    fn build(&self, features: &[&str]) -> Result<PathBuf, String> {
        let target_dir = root().join("examples/probe/target");
        let mut cargo = Command::new("cargo");
        // The probe's own directory has the configuration for its target.
        cargo.current_dir(root().join("examples/probe"));
        cargo.args(["build", "--release", "--target-dir"]);
        cargo.arg(&target_dir).args(features);
        if let Self::Debian(linker) = self {
            cargo
                .arg("-Zbuild-std=core")
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_TARGET_THUMBV7EM_NONE_EABIHF_LINKER", linker);
        }
        shell::run(&mut cargo)?;
        Ok(target_dir.join(TARGET).join("release/housecarl-probe"))
    }
}

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CORE: &str = "/usr/lib/rustlib/src/rust/library/core/src/lib.rs";

/// Whether the compiler in use already has a core library for the target.
fn installed() -> Result<bool, String> {
    let mut rustc = command("rustc", &["--print", "target-libdir", "--target", TARGET]);
    let lib = shell::output(&mut rustc)?;
    let Ok(entries) = std::fs::read_dir(lib.trim()) else {
        return Ok(false);
    };
    let mut names = entries.flatten().map(|entry| entry.file_name());
    Ok(names.any(|name| name.to_string_lossy().starts_with("libcore-")))
}

/// The linker of the compiler in use, else Debian's: `rustc-web` brings none for this target.
fn linker() -> Result<PathBuf, String> {
    let sysroot = shell::output(&mut command("rustc", &["--print", "sysroot"]))?;
    let bundled = Path::new(sysroot.trim()).join("lib/rustlib").join(shell::host()?).join("bin/rust-lld");
    if bundled.exists() {
        return Ok(bundled);
    }
    if !answers("ld.lld", &["--version"]) {
        install::packages(&["lld"])?;
    }
    Ok(PathBuf::from("ld.lld"))
}

/// The names in an image that a panic brought there.
fn panics_in(image: &Path) -> Result<Vec<String>, String> {
    let symbols = shell::output(command("readelf", &["--symbols", "--wide"]).arg(image))?;
    if !symbols.lines().any(|line| line.ends_with(" start")) {
        return Err(format!("{} has lost its symbols", image.display()));
    }
    let names = symbols.lines().filter_map(|line| line.split_whitespace().last());
    Ok(names.filter(|name| PANICS.iter().any(|panic| name.contains(panic))).map(str::to_owned).collect())
}
