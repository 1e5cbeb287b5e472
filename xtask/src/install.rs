//! What the phases need from the system, installed where that is possible and named where not.

use crate::shell::{self, Done, answers, command};

/// Programs, and the Debian package that brings each.
const FOR_TESTS: &[(&str, &str)] = &[
    ("git", "git"),
    ("cc", "gcc"),
    // libFuzzer is written in C++.
    ("c++", "g++"),
    // Reads the symbols of the microcontroller's image.
    ("readelf", "binutils"),
    // Mounts the disk that loses power, for whoever is not root.
    ("fusermount3", "fuse3"),
    // A client of MQTT that the listener is tested with.
    ("mosquitto_pub", "mosquitto-clients"),
];

/// More such clients, in `target/clients`: how to look for one, and how to install it.
const CLIENTS: &[(&str, &[&str])] = &[
    ("python/paho", &["pip3", "install", "-q", "--target", "target/clients/python", "paho-mqtt==2.2.0"]),
    ("node_modules/mqtt", &["npm", "install", "--silent", "--prefix", "target/clients", "mqtt@5.16.0"]),
];

pub(crate) fn for_tests() -> Done {
    let missing: Vec<&str> = FOR_TESTS
        .iter()
        // Not by its version, which some programs print and call a failure.
        .filter(|(program, _)| !answers("which", &[program]))
        .map(|(_, package)| *package)
        .collect();
    clients();
    if missing.is_empty() {
        println!("nothing to install");
        return Ok(());
    }
    packages(&missing)
}

/// Installs what their languages are here for. A test that misses one says so.
fn clients() {
    for (folder, install) in CLIENTS {
        let Some((program, args)) = install.split_first() else { continue };
        let is_here = shell::root().join("target/clients").join(folder).exists();
        if is_here || !answers(program, &["--version"]) {
            continue;
        }
        if let Err(why) = shell::run(command(program, args).current_dir(shell::root())) {
            println!("{folder} could not be installed: {why}");
        }
    }
}

/// Installs Debian packages.
pub(crate) fn packages(names: &[&str]) -> Done {
    let list = names.join(" ");
    if !answers("apt-get", &["--version"]) {
        return Err(format!(
            "there is no apt-get here to install {list} with; install what your system calls them"
        ));
    }
    let user = shell::output(&mut command("id", &["-u"]))?;
    if user.trim() != "0" {
        return Err(format!("run `sudo apt-get install {list}`"));
    }
    println!("installing {list}");
    let install = || {
        // Never at the price of something the user has.
        let args = ["install", "-y", "-q", "--no-install-recommends", "--no-remove"];
        shell::run(command("apt-get", &args).args(names).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    install().or_else(|_| {
        // A fresh machine has no list of packages yet.
        shell::run(&mut command("apt-get", &["update", "-q"]))?;
        install()
    })
}
