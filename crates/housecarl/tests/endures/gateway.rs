//! The gateway under test: `housecarl serve`, the program as it is shipped, in a process of its own.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::PATIENCE;

/// The program at work.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    complaints: File,
    /// Held so that what it still says finds somebody who listens.
    _said: Receiver<String>,
    pub(crate) mqtt: SocketAddr,
    pub(crate) http: SocketAddr,
}

/// A start that did not come to serving.
#[derive(Debug)]
pub(crate) struct NotServed {
    /// What it said of it.
    pub(crate) why: String,
}

impl Gateway {
    /// Starts it and waits until it serves. `ends` is asked now and then whether the start is to be cut short.
    pub(crate) fn start(settings: &Path, mut ends: impl FnMut() -> bool) -> Result<Self, NotServed> {
        let mut complaints = tempfile::tempfile().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_housecarl"))
            .args(["serve", "--settings"])
            .arg(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(complaints.try_clone().unwrap())
            .spawn()
            .unwrap();
        let (line, said) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|text| line.send(text)));
        let mut waited = Duration::ZERO;
        let tick = Duration::from_millis(1);
        let why = loop {
            match said.recv_timeout(tick) {
                Ok(text) => {
                    let addresses =
                        text.strip_prefix("MQTT on ").and_then(|text| text.split_once(", HTTP on "));
                    if let Some((mqtt, http)) = addresses {
                        let (mqtt, http) = (mqtt.parse().unwrap(), http.parse().unwrap());
                        return Ok(Self { child, complaints, _said: said, mqtt, http });
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break String::new(),
                Err(RecvTimeoutError::Timeout) => {
                    waited += tick;
                    if ends() {
                        break "it was cut short".to_owned();
                    }
                    if waited > PATIENCE {
                        break "it neither serves nor ends".to_owned();
                    }
                }
            }
        };
        end(&mut child);
        Err(NotServed { why: format!("{why}{}", text_of(&mut complaints)) })
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Kills it, with no moment to put anything in order.
    pub(crate) fn kill(&mut self) {
        end(&mut self.child);
    }

    /// What it complained about, after its end.
    pub(crate) fn complaints(&mut self) -> String {
        text_of(&mut self.complaints)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills, and waits until nothing of it holds a file.
fn end(child: &mut Child) {
    let _ = child.kill();
    child.wait().unwrap();
}

fn text_of(file: &mut File) -> String {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}
