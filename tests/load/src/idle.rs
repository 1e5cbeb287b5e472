//! What a connection costs that does nothing.

use std::io::{Read, Write};
use std::net::TcpStream;

use housecarl_measure::figures::{Bound, grouped, verdict};
use housecarl_measure::machine;

use crate::gateway::{self, Gateway, Homes};
use crate::publisher;

const DEVICES: usize = 125;
/// As many as one device may have.
const EACH: usize = 16;
/// The first ones, so that what is made once is not counted.
const BEFORE: usize = 5;

pub(crate) fn run() {
    let folder = tempfile::tempdir().unwrap();
    let (program, _) = gateway::programs();
    let gateway = Gateway::start(&program, folder.path(), DEVICES, Homes::Empty);
    let connect = |devices: std::ops::Range<usize>| -> Vec<TcpStream> {
        let devices = &gateway.devices[devices];
        let clients = devices.iter().flat_map(|device| (0..EACH).map(move |number| (device, number)));
        clients
            .map(|(device, number)| {
                let mut stream = TcpStream::connect(gateway.address).unwrap();
                let client = format!("{}-{number}", device.name);
                stream.write_all(&publisher::hello(&client, device)).unwrap();
                let mut answer = [0; 4];
                stream.read_exact(&mut answer).unwrap();
                assert_eq!(answer, [0x20, 0x02, 0x00, 0x00], "a device was not let in");
                stream
            })
            .collect()
    };
    let first = connect(0..BEFORE);
    let before = machine::resident_of(gateway.id());
    let others = connect(BEFORE..DEVICES);
    let cost = (machine::resident_of(gateway.id()) - before) as f64 / others.len() as f64;
    println!(
        "\nIDLE  growth of the resident memory of the gateway over {} connections that were let in and are silent\n",
        grouped(others.len() as f64)
    );
    verdict("an idle connection", Bound::AtMost(16.0), cost / 1024.0, "KiB");
    drop((first, others));
}
