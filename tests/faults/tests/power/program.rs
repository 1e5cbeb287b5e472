//! A program under test is this test binary, started once more: told on its standard input what to do and where, it
//! says on its standard output what it holds for done.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use housecarl_faults::{Disk, Mount};
use tempfile::TempDir;

use crate::{databases, kernel, protocols};

/// Before each thing that a program says: the test harness prints beside it.
const SAYS: &str = "says ";

/// Where a disk is mounted.
pub(crate) struct Place(TempDir);

impl Place {
    /// `None`, and said aloud, where there is no FUSE.
    pub(crate) fn new() -> Option<Self> {
        if Path::new("/dev/fuse").exists() {
            return Some(Self(tempfile::tempdir().unwrap()));
        }
        eprintln!("NOT RUN: there is no /dev/fuse to mount the disk with");
        None
    }

    pub(crate) fn mount(&self, disk: &Disk) -> Mount {
        disk.mount(self.0.path()).unwrap()
    }
}

/// What a program said until it ended, and whether it ended well.
pub(crate) struct Run {
    pub(crate) said: Vec<String>,
    pub(crate) well: bool,
}

impl Run {
    /// The numbers in what it said behind this word, in their order.
    pub(crate) fn numbers(&self, word: &str) -> Vec<u64> {
        let said = self.said.iter().filter_map(|said| said.strip_prefix(word)?.strip_prefix(' '));
        said.map(|number| number.parse().unwrap()).collect()
    }
}

/// Runs a program on the mount until it ends.
pub(crate) fn run(name: &str, mount: &Mount) -> Run {
    run_and(name, mount, |_, _| ())
}

/// Runs a program until it has said so many things, cuts the power, and kills it.
pub(crate) fn run_until(name: &str, mount: &Mount, things: usize) -> Run {
    run_and(name, mount, |said, child| {
        if said == things {
            mount.cut();
            child.kill().unwrap();
        }
    })
}

/// Runs a program, and does something each time that it has said so many things.
pub(crate) fn run_and(name: &str, mount: &Mount, act: impl Fn(usize, &mut Child)) -> Run {
    let mut said = Vec::new();
    let mut child = start(name, mount.path());
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some(what) = line.unwrap().strip_prefix(SAYS) {
            said.push(what.to_owned());
            act(said.len(), &mut child);
        }
    }
    Run { said, well: child.wait().unwrap().success() }
}

/// Starts a program. Its standard input stays open: what is written there it hears by [`listen`].
pub(crate) fn start(name: &str, at: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "program::as_a_program", "--include-ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    tell(&mut child, &format!("{name}\n{}", at.display()));
    child
}

/// Says something to a program.
pub(crate) fn tell(child: &mut Child, what: &str) {
    writeln!(child.stdin.as_mut().unwrap(), "{what}").unwrap();
}

/// Waits until this program is told something.
pub(crate) fn listen() -> Option<String> {
    std::io::stdin().lines().next().map(Result::unwrap)
}

#[test]
#[ignore = "this is the program that the others start"]
fn as_a_program() {
    let (Some(name), Some(at)) = (listen(), listen()) else { return };
    let at = PathBuf::from(at);
    let done = protocols::program(&name, &at)
        .or_else(|| databases::program(&name, &at))
        .or_else(|| kernel::program(&name, &at));
    if let Err(error) = done.unwrap() {
        say(&format!("failed: {error}"));
        std::process::exit(1);
    }
}

/// Says something to whoever started this program.
pub(crate) fn say(what: &str) {
    println!("{SAYS}{what}");
}
