//! The gateway under test: `housecarl serve`, the program as it is shipped, and those who speak to it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::{Client, Event, MqttOptions};

/// A wait that only a fault makes as long as this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The program at work; everything that it prints goes to files in `printed`.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) mqtt: SocketAddr,
    pub(crate) http: SocketAddr,
}

/// Waits until something is there.
#[expect(clippy::disallowed_methods, reason = "another process tells nobody when it has done something")]
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE.as_millis() / 20 {
        if let Some(found) = look() {
            return found;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("still waiting for {what}");
}

impl Gateway {
    pub(crate) fn start(settings: &Path, printed: &Path) -> Self {
        let append = |name: &str| File::options().create(true).append(true).open(printed.join(name)).unwrap();
        let said = || fs::read_to_string(printed.join("stdout")).unwrap_or_default();
        let before = said().len();
        let mut child = Command::new(env!("CARGO_BIN_EXE_housecarl"))
            .args(["serve", "--settings"])
            .arg(settings)
            .stdin(Stdio::null())
            .stdout(append("stdout"))
            .stderr(append("stderr"))
            .spawn()
            .unwrap();
        let (mqtt, http) = wait_for("the gateway to serve", || {
            if let Some(status) = child.try_wait().unwrap() {
                panic!(
                    "the gateway ended: {status}\n{}",
                    fs::read_to_string(printed.join("stderr")).unwrap()
                );
            }
            let text = said();
            let addresses = text[before..].lines().find_map(|line| line.strip_prefix("MQTT on "));
            addresses?
                .split_once(", HTTP on ")
                .map(|(mqtt, http)| (mqtt.parse().unwrap(), http.parse().unwrap()))
        });
        Self { child, mqtt, http }
    }

    /// Ends it as a service manager does.
    pub(crate) fn stop(mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    /// Asks over HTTP: the status and the body, or what came of it.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, String) {
        let mut socket = TcpStream::connect(self.http).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        socket.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8(answer).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// Publishes a message over MQTT 5, with a client that we did not write: how it was answered, or
    /// `None` where the connection was refused or ended.
    pub(crate) fn publish(
        &self,
        id: &str,
        secret: &str,
        topic: &str,
        payload: &[u8],
    ) -> Option<PubAckReason> {
        let mut options = MqttOptions::new(id, self.mqtt.ip().to_string(), self.mqtt.port());
        options.set_credentials(id, secret);
        let (client, mut connection) = Client::new(options, 4);
        client.try_publish(topic, QoS::AtLeastOnce, false, payload.to_vec()).unwrap();
        loop {
            match connection.recv_timeout(PATIENCE).unwrap() {
                Ok(Event::Incoming(Packet::PubAck(answer))) => return Some(answer.reason),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
