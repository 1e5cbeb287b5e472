//! Which gateway a command asks, and as whom: the one place that reads the environment for it, and
//! the one place that reads secrets.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use housecarl_server::ask::{Method, Remote};
use serde_json::Value as Json;

use crate::commands::Format;
use crate::gateway;
use crate::output::{Result, print, print_json};

/// Where `housecarl serve` listens where nobody says otherwise.
const HERE: &str = "http://127.0.0.1:8080";
/// The certificates that a Debian machine trusts.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";
/// No secret is longer than this, in bytes.
const SECRET_MAX: u64 = 1_024;

/// Which gateway, and as whom.
#[derive(Debug, clap::Args)]
pub(crate) struct To {
    /// Where the gateway is; without it what HOUSECARL_GATEWAY says, or http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
    /// A file with the operator's token; without it the file that HOUSECARL_TOKEN_FILE names, or the token in
    /// HOUSECARL_TOKEN
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Certificates in PEM that may vouch for a gateway at https; without it the file that HOUSECARL_TRUST names, or
    /// the system's
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// How to print what comes of it
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: Format,
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment for commands"
)]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl To {
    /// The gateway, asked by nobody in particular.
    pub(crate) fn anybody(&self) -> Result<Remote> {
        let address = self.gateway.clone().or_else(|| environment("HOUSECARL_GATEWAY"));
        let trust = self.trust.clone().or_else(|| environment("HOUSECARL_TRUST").map(PathBuf::from));
        let trusted = || fs::read(trust.unwrap_or_else(|| SYSTEM.into()));
        Remote::at(address.as_deref().unwrap_or(HERE), trusted).map_err(|error| error.to_string())
    }

    /// The gateway, asked by the operator whose token is there.
    pub(crate) fn operator(&self) -> Result<Remote> {
        Ok(self.anybody()?.with_token(&self.token()?))
    }

    /// The operator's token.
    pub(crate) fn token(&self) -> Result<String> {
        let file = self.token_file.clone().or_else(|| environment("HOUSECARL_TOKEN_FILE").map(PathBuf::from));
        if let Some(file) = file {
            return secret(&file);
        }
        environment("HOUSECARL_TOKEN").ok_or_else(|| {
            "nobody said whose token it is\n  name a file that holds it with `--token-file`, or in \
             HOUSECARL_TOKEN_FILE; a token on the command line could be read by everybody on this machine"
                .to_owned()
        })
    }

    /// Asks, and prints what comes of it: as JSON, or the text that `words` makes of it.
    pub(crate) fn ask_and_print(
        &self,
        remote: &Remote,
        (method, path): (Method, &str),
        body: Option<&Json>,
        words: impl FnOnce(&Json) -> String,
    ) -> Result<()> {
        let answer = ask(remote, method, path, body)?;
        match self.format {
            Format::Text => print(&words(&answer)),
            Format::Json => print_json(&answer),
        }
    }
}

/// Asks and waits for the answer.
pub(crate) fn ask(remote: &Remote, method: Method, path: &str, body: Option<&Json>) -> Result<Json> {
    gateway::runtime()?.block_on(remote.ask(method, path, body)).map_err(|error| error.to_string())
}

/// A text that an answer holds.
pub(crate) fn text<'j>(answer: &'j Json, member: &str) -> &'j str {
    answer.get(member).and_then(Json::as_str).unwrap_or("")
}

/// One line from a file, or from standard input where the file is called `-`.
pub(crate) fn secret(file: &Path) -> Result<String> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        io::stdin().lock().take(SECRET_MAX).read_to_string(&mut text)
    } else {
        fs::File::open(file).and_then(|file| file.take(SECRET_MAX).read_to_string(&mut text))
    };
    // What stands in it is a secret, and the error does not say it.
    read.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let line = text.trim();
    if line.is_empty() || line.contains(char::is_whitespace) {
        return Err(format!("{} does not hold one line with one word", file.display()));
    }
    Ok(line.to_owned())
}

/// Puts a secret into a file that only its owner can read, in the place of one that is there.
pub(crate) fn save(file: &Path, secret: &str) -> Result<()> {
    let unfinished = file.with_extension("unfinished");
    let write = || {
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        new.write_all(format!("{secret}\n").as_bytes())?;
        new.sync_all()?;
        fs::rename(&unfinished, file)
    };
    write().map_err(|error| format!("cannot write {}: {error}", file.display()))
}
