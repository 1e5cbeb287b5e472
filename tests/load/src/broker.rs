//! The peer: mosquitto, as Debian ships it, with its persistence on.
//!
//! It takes what is published to it and writes down sessions and what is queued for them every half
//! an hour. What it acknowledges is not on any disk.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A broker that runs, until this is dropped.
pub(crate) struct Broker {
    process: Child,
    pub(crate) address: SocketAddr,
}

/// Where the program is; Debian puts it where only administrators look.
pub(crate) fn program() -> Option<PathBuf> {
    ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.is_file())
}

impl Broker {
    /// Starts one that keeps its data in this folder.
    pub(crate) fn start(program: &Path, folder: &Path) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut settings = String::new();
        let _ = write!(
            settings,
            "listener {} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\n\
             log_type none\nset_tcp_nodelay true\n",
            address.port(),
            folder.display()
        );
        // Started by an administrator it would become somebody else, who may not write here.
        settings.push_str("user root\n");
        let file = folder.join("mosquitto.conf");
        std::fs::write(&file, settings).unwrap();
        let process = Command::new(program)
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        await_listening(address);
        Self { process, address }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The version that it says it is.
    pub(crate) fn version(program: &Path) -> String {
        let output = Command::new(program).arg("-h").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().next().unwrap_or("mosquitto").to_owned()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "a program that is not ours tells nobody when it listens")]
fn await_listening(address: SocketAddr) {
    for _ in 0..500 {
        if TcpStream::connect(address).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("mosquitto does not listen at {address}");
}
