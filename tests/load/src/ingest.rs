//! QoS 1 over loopback: what privacy costs of it, and how it compares to a broker that keeps nothing.

use std::path::Path;

use housecarl_measure::clock;
use housecarl_measure::figures::{Bound, figure, grouped, verdict};
use housecarl_measure::rounds::Times;
use tempfile::TempDir;

use crate::broker::{self, Broker};
use crate::gateway::{self, Credential, Gateway, Homes, mark};
use crate::house::Sends;
use crate::publisher::{Publisher, WINDOW};

const ROUNDS: usize = 15;
const CONNECTIONS: usize = 20;
const A_TURN: usize = 20_000;

/// Nanoseconds a message in each round.
#[derive(Default)]
struct Measured {
    wall: Vec<f64>,
    /// Of the server, with what it does in the background.
    cpu: Vec<f64>,
    /// Of the devices.
    devices: Vec<f64>,
}

impl Measured {
    fn wall(&self) -> Times {
        Times::of(self.wall.clone())
    }

    fn cpu(&self) -> Times {
        Times::of(self.cpu.clone())
    }
}

/// A server, its devices, and what was measured.
struct Contestant {
    name: &'static str,
    server: Server,
    publisher: Publisher,
    measured: Measured,
    _folder: TempDir,
}

enum Server {
    Ours(Gateway),
    Broker(Broker),
}

impl Contestant {
    fn ours(name: &'static str, program: &Path, sends: Sends) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let gateway = Gateway::start(program, folder.path(), CONNECTIONS, Homes::Agreed);
        let publisher = Publisher::connect(gateway.address, &gateway.devices, sends);
        let server = Server::Ours(gateway);
        Self { name, server, publisher, measured: Measured::default(), _folder: folder }
    }

    fn broker(program: &Path, sends: Sends) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = Broker::start(program, folder.path());
        // Names as long as ours, so that topics are.
        let device = |number| Credential { name: format!("{number:032x}"), secret: String::new() };
        let devices: Vec<Credential> = (0..CONNECTIONS).map(device).collect();
        let publisher = Publisher::connect(broker.address, &devices, sends);
        let server = Server::Broker(broker);
        Self { name: MOSQUITTO, server, publisher, measured: Measured::default(), _folder: folder }
    }

    fn id(&self) -> u32 {
        match &self.server {
            Server::Ours(gateway) => gateway.id(),
            Server::Broker(broker) => broker.id(),
        }
    }
}

const OURS: &str = "housecarl";
const BARE: &str = "the same, bare";
const MOSQUITTO: &str = "mosquitto";

pub(crate) fn run() {
    println!(
        "\nINGEST  a watch's messages at QoS 1 over loopback, {CONNECTIONS} connections with {WINDOW} messages under \
         way on each;\n        {ROUNDS} interleaved rounds of {} messages; ours are on the disk when they are \
         acknowledged\n",
        grouped(A_TURN as f64)
    );
    let (program, bare) = gateway::programs();
    let mosquitto = broker::program();
    for (sends, with_broker) in [(Sends::Day, true), (Sends::Vitals, false)] {
        let mut contestants = vec![Contestant::ours(OURS, &program, sends)];
        if bare.is_file() {
            contestants.push(Contestant::ours(BARE, &bare, sends));
        }
        if with_broker && let Some(mosquitto) = &mosquitto {
            contestants.push(Contestant::broker(mosquitto, sends));
        }
        race(&mut contestants);
        print(&contestants, sends);
        let named = |name: &str| contestants.iter().find(|one| one.name == name).map(|one| &one.measured);
        let Some(ours) = named(OURS) else { return };
        match named(BARE) {
            Some(bare) => {
                let tax = |ours: &Times, bare: &Times| (ours.ratio(bare) - 1.0) * 100.0;
                let bound = Bound::AtMost(15.0);
                verdict("privacy tax, of time on the wall", bound, tax(&ours.wall(), &bare.wall()), "%");
                verdict("privacy tax, of the server's CPU time", bound, tax(&ours.cpu(), &bare.cpu()), "%");
            }
            None => println!("  NOT RUN: {} is not there (`cargo xtask bench` builds it)", bare.display()),
        }
        match (named(MOSQUITTO), &mosquitto) {
            (Some(theirs), Some(program)) => {
                let what = format!("rate beside {}", Broker::version(program));
                verdict(&what, Bound::AtLeast(0.5), theirs.wall().ratio(&ours.wall()), "x");
            }
            (None, None) if with_broker => {
                println!("  NOT RUN: mosquitto is not installed (Debian package `mosquitto`)");
            }
            _ => {}
        }
        println!();
    }
}

fn print(contestants: &[Contestant], sends: Sends) {
    let bytes = sends.payload(0, gateway::now(), &mark(0)).len();
    let what = format!("the `{}` of {bytes} bytes", sends.stream());
    println!("  {what:<24}{:>14}{:>18}{:>20}", "messages / s", "server CPU us", "devices' CPU us");
    for Contestant { name, measured, .. } in contestants {
        println!(
            "  {name:<24}{:>14}{:>18}{:>20}",
            grouped(1e9 / measured.wall().median()),
            figure(measured.cpu().median() / 1e3),
            figure(Times::of(measured.devices.clone()).median() / 1e3)
        );
    }
}

/// Everybody takes a turn in each round, begun by another one each time; the first is not counted.
fn race(contestants: &mut [Contestant]) {
    for round in 0..=ROUNDS {
        let captured = gateway::now();
        let cpu: Vec<u64> = contestants.iter().map(|one| clock::cpu_of(one.id())).collect();
        for turn in 0..contestants.len() {
            let at = (turn + round) % contestants.len();
            let contestant = &mut contestants[at];
            let took = contestant.publisher.publish(A_TURN, captured);
            if round > 0 {
                contestant.measured.wall.push(took.wall as f64 / A_TURN as f64);
                contestant.measured.devices.push(took.cpu as f64 / A_TURN as f64);
            }
        }
        for (contestant, before) in contestants.iter_mut().zip(cpu) {
            if round > 0 {
                let took = clock::cpu_of(contestant.id()) - before;
                contestant.measured.cpu.push(took as f64 / A_TURN as f64);
            }
        }
    }
    for contestant in contestants {
        if let Server::Ours(gateway) = &mut contestant.server {
            let sent = ((ROUNDS + 1) * A_TURN) as u64;
            assert_eq!(gateway.kept(), sent, "{} did not keep every message", contestant.name);
        }
    }
}
