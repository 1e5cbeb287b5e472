//! The program under test: the gateway as `serve` runs it, in a process of its own.
//!
//! This program is the gateway too, when it is started with [`CHILD`]. Built with `--cfg
//! housecarl_bare` it is the one that the privacy tax is measured against.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use housecarl_server::boot::{At, PerDevice, Serving, Settings};
use housecarl_server::hex;
use housecarl_server::house::Clock;
use housecarl_server::ingest::Admission;
use tokio::sync::oneshot;

use crate::house;

/// What tells this program to be a gateway.
pub(crate) const CHILD: &str = "--gateway";

/// The time by the machine's clock, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the gateway under test goes by the machine's clock")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What is said in the homes of a gateway.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Homes {
    /// Nothing.
    Empty,
    /// Yes to everything.
    Agreed,
}

impl Homes {
    const fn word(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Agreed => "agreed",
        }
    }
}

/// Is the gateway: prints its address and the credentials of so many devices, then how many messages
/// it has kept whenever it is asked, until nobody asks any more.
pub(crate) fn run(folder: &Path, devices: usize, homes: &str) {
    let free = At { address: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), ..At::default() };
    // A device may send as much as it can: how much that is, is what is measured.
    let device = PerDevice { messages_per_second_max: 1_000_000, kib_per_second_max: 1_000_000 };
    let settings =
        Settings { data: folder.to_owned(), mqtt: free.clone(), http: free, device, ..Settings::default() };
    let clock: Clock = Arc::new(now);
    runtime().block_on(async {
        let serving = Serving::begin(&settings, vec![house::watch()], clock).await.unwrap();
        println!("{}", serving.mqtt_address().unwrap());
        for number in 0..devices {
            let wearer = if homes == Homes::Agreed.word() {
                house::home(serving.journey(), &mark(number), now()).await
            } else {
                house::empty_home(serving.journey(), now())
            };
            println!("{} {}", hex::print(&wearer.device.0), wearer.secret);
        }
        let counters = Arc::clone(serving.counters());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serving.serve(async move { drop(stopped.await) }, std::future::pending));
        let asked = tokio::task::spawn_blocking(move || {
            for _ in std::io::stdin().lines() {
                println!("{}", counters.messages(Admission::Kept));
            }
        });
        asked.await.unwrap();
        drop(stop);
        served.await.unwrap();
    });
}

/// The threads that `serve` runs on.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

/// How messages name the wearer of a device: of one length, so that all messages have one.
pub(crate) fn mark(device: usize) -> String {
    format!("wearer-{device:04}")
}

/// How a device comes in.
pub(crate) struct Credential {
    pub(crate) name: String,
    pub(crate) secret: String,
}

/// A gateway that runs, until this is dropped.
pub(crate) struct Gateway {
    process: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    pub(crate) devices: Vec<Credential>,
}

impl Gateway {
    /// Starts one on this folder, with so many devices.
    pub(crate) fn start(program: &Path, folder: &Path, devices: usize, homes: Homes) -> Self {
        let mut process = Command::new(program)
            .args([CHILD, folder.to_str().unwrap(), &devices.to_string(), homes.word()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let asks = process.stdin.take();
        let mut answers = BufReader::new(process.stdout.take().unwrap());
        let address = line(&mut answers).parse().unwrap();
        let credential = |text: String| {
            let (name, secret) = text.split_once(' ').unwrap();
            Credential { name: name.to_owned(), secret: secret.to_owned() }
        };
        let devices = (0..devices).map(|_| credential(line(&mut answers))).collect();
        Self { process, asks, answers, address, devices }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// How many messages it has kept since it started.
    pub(crate) fn kept(&mut self) -> u64 {
        writeln!(self.asks.as_mut().unwrap()).unwrap();
        line(&mut self.answers).parse().unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.asks = None;
        let _ = self.process.wait();
    }
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "the gateway under test has ended");
    line.trim_end().to_owned()
}

/// This program, and the same built with `--cfg housecarl_bare`, where `cargo xtask bench` puts it.
pub(crate) fn programs() -> (PathBuf, PathBuf) {
    let this = std::env::current_exe().unwrap();
    let release = this.parent().unwrap();
    let bare = release.with_file_name("bare").join(release.file_name().unwrap());
    (this.clone(), bare.join(this.file_name().unwrap()))
}
