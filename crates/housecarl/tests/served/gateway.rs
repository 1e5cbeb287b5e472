//! A gateway in a process of its own, and what is needed to ask it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// A wait that only a fault makes as long as this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with settings and a manifest, and the gateway that has it open.
pub(crate) struct Gateway {
    pub(crate) folder: TempDir,
    child: Child,
    pub(crate) mqtt: SocketAddr,
    pub(crate) http: SocketAddr,
    /// What it printed until it served.
    pub(crate) printed: Vec<String>,
    complained: Arc<Mutex<String>>,
    hearing: Option<JoinHandle<()>>,
}

/// A folder with the watch, and settings with these lines after what every test wants.
pub(crate) fn folder(more: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let watch = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../products/watch");
    std::fs::create_dir(folder.path().join("watch")).unwrap();
    for file in ["privacy.toml", "privacy.lock"] {
        std::fs::copy(watch.join(file), folder.path().join("watch").join(file)).unwrap();
    }
    let path = folder.path().display();
    let settings = format!(
        "data = \"{path}/data\"\nkeep_free_mib = 0\nlog_name = \"example.com/home\"\nproducts = [\"{path}/watch\"]\n\
         [mqtt]\naddress = \"127.0.0.1:0\"\n[http]\naddress = \"127.0.0.1:0\"\n{more}"
    );
    std::fs::write(folder.path().join("settings.toml"), settings).unwrap();
    folder
}

impl Gateway {
    pub(crate) fn start(folder: TempDir) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_housecarl"))
            .args(["serve", "--settings"])
            .arg(folder.path().join("settings.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let complained = Arc::new(Mutex::new(String::new()));
        let (stderr, heard) = (child.stderr.take().unwrap(), Arc::clone(&complained));
        let hearing = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                *heard.lock().unwrap() += &format!("{line}\n");
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut printed = Vec::new();
        loop {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                panic!("it does not serve: {}", complained.lock().unwrap());
            }
            printed.push(line.trim_end().to_owned());
            let Some(addresses) = line.trim_end().strip_prefix("MQTT on ") else { continue };
            let (mqtt, http) = addresses.split_once(", HTTP on ").unwrap();
            let (mqtt, http) = (mqtt.parse().unwrap(), http.parse().unwrap());
            let hearing = Some(hearing);
            return Self { folder, child, mqtt, http, printed, complained, hearing };
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the process.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has complained of this.
    pub(crate) fn complains(&self, of: &str) {
        let from = Instant::now();
        while !self.complaints().contains(of) {
            assert!(from.elapsed() < PATIENCE, "it never said `{of}`, but: {}", self.complaints());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn complaints(&self) -> String {
        self.complained.lock().unwrap().clone()
    }

    /// Ends it as systemd does: its exit status, what it complained of, and the folder.
    pub(crate) fn end(mut self) -> (i32, String, TempDir) {
        self.signal("TERM");
        self.wait()
    }

    /// Ends it as a loss of power does, but for what the system has in its memory.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.kill().unwrap();
        self.wait().2
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> (i32, String, TempDir) {
        let from = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(from.elapsed() < PATIENCE, "it does not end: {}", self.complaints());
            std::thread::sleep(Duration::from_millis(10));
        };
        self.hearing.take().unwrap().join().unwrap();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        (status.code().unwrap_or(-1), self.complaints(), folder)
    }

    /// Runs a command that asks it, as the operator whose token is in the file `token`.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_housecarl"))
            .args(arguments)
            .env("HOUSECARL_GATEWAY", format!("http://{}", self.http))
            .env("HOUSECARL_TOKEN_FILE", self.path("token"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who needs none does not read it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// The same, which has to work: the first line of what it prints.
    pub(crate) fn does(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complained}");
        String::from_utf8(output.stdout).unwrap().lines().next().unwrap_or("").to_owned()
    }

    /// Exchanges the first operator's token, so that commands have one.
    pub(crate) fn take_over(&self) {
        std::fs::copy(self.path("data/first-operator"), self.path("token")).unwrap();
        let save = self.path("token").display().to_string();
        self.does(&["operator", "renew", "--save", &save], "");
    }

    /// The status and the body of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(self.http).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// The operator's token.
    pub(crate) fn token(&self) -> String {
        std::fs::read_to_string(self.path("token")).unwrap().trim().to_owned()
    }

    /// A home with a wearer who agreed to what the watch is for.
    pub(crate) fn wearer(&self) -> Wearer {
        let home = self.does(&["home", "add"], "");
        let person = self.does(&["home", "person", &home, "--age", "adult"], "");
        self.does(&["home", "mark", &home, &person, "-"], "p1\n");
        let claim = self.does(&["home", "claim", &home, "--product", "watch", "--holder", &person], "");
        let enrolled = self.run(&["device", "enrol", "-", "--format", "json"], &claim);
        let enrolled: Json = serde_json::from_slice(&enrolled.stdout).unwrap();
        let text = |member: &str| enrolled[member].as_str().unwrap().to_owned();
        let wearer = Wearer { home, person, device: text("device"), secret: text("secret") };
        let device = format!("/v1/homes/{}/devices/{}", wearer.home, wearer.device);
        self.says(&device, json!([{ "said": "feature", "feature": "activity", "on": true }]));
        self.agrees(&wearer);
        wearer
    }

    /// The wearer is told of everything as it is now, and agrees to activity.
    pub(crate) fn agrees(&self, wearer: &Wearer) {
        let product: Json =
            serde_json::from_str(&self.ask("GET", "/v1/products/watch", &self.token(), "").1).unwrap();
        let act = json!({
            "request": "activity", "shown": "07".repeat(32), "surface": "app", "method": "tap", "language": "en"
        });
        let told = json!({ "said": "told", "purposes": product["purposes"], "act": act });
        let purposes = product["purposes"].as_array().unwrap();
        let activity = purposes.iter().find(|purpose| purpose["purpose"] == "activity").unwrap();
        let agreed = json!({
            "said": "agreed", "purpose": "activity", "fingerprint": activity["fingerprint"], "act": act
        });
        self.says(&format!("/v1/homes/{}/devices/{}", wearer.home, wearer.device), json!([told]));
        self.says(&format!("/v1/homes/{}/persons/{}", wearer.home, wearer.person), json!([told, agreed]));
    }

    fn says(&self, about: &str, choices: Json) {
        let body = json!({ "product": "watch", "choices": choices }).to_string();
        let (status, answer) = self.ask("POST", &format!("{about}/choices"), &self.token(), &body);
        assert_eq!(status, 200, "{answer}");
    }

    /// Sends a message of the watch by HTTP: its outcome.
    pub(crate) fn send(&self, wearer: &Wearer, number: u32) -> String {
        let credential = format!("{}.{}", wearer.device, wearer.secret);
        let (_, answer) = self.ask("POST", "/v1/ingest/vitals", &credential, &vitals(number));
        let answer: Json = serde_json::from_str(&answer).unwrap();
        answer["outcome"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // A test that failed leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) struct Wearer {
    pub(crate) home: String,
    pub(crate) person: String,
    pub(crate) device: String,
    pub(crate) secret: String,
}

/// A message of the watch; `number` makes it itself.
pub(crate) fn vitals(number: u32) -> String {
    format!(r#"{{"profile": "p1", "seq": {number}, "hr": 71, "steps": 4217}}"#)
}
