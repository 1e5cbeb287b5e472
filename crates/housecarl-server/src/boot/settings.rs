//! The settings of `housecarl serve`: one file, every key in `docs/settings.md`.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use housecarl_journey::journey::Settings as Opened;
use serde::Deserialize;

use crate::ingest::Rates;

/// The settings file. What it leaves out is as documented.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The data directory.
    pub data: PathBuf,
    /// The root key's file; beside the data directory where it is not named.
    pub root_key: Option<PathBuf>,
    /// How much of the disk is left free by what comes in, in MiB.
    pub keep_free_mib: u64,
    /// How often it is looked for what is past its end date, in seconds.
    pub expire_seconds: NonZeroU32,
    /// How often the files are rid of what was removed from the records, in seconds.
    pub turn_over_seconds: NonZeroU32,
    /// What the audit log is called.
    pub log_name: Option<String>,
    /// Manifests: paths, or names of example products.
    pub products: Vec<String>,
    /// How much each device may send.
    pub device: PerDevice,
    /// Where backups go.
    pub backup: Backup,
    /// Where devices publish.
    pub mqtt: At,
    /// Where devices, operators and consumers ask.
    pub http: At,
}

/// Where backups go, and for how long those of the keys may be used.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// The folder for copies of records and register.
    pub records: Option<PathBuf>,
    /// The folder for copies of the keys and the list of erasures.
    pub keys: Option<PathBuf>,
    /// For how many days a copy of the keys may be used.
    pub keys_days: u32,
}

impl Default for Backup {
    fn default() -> Self {
        let housecarl_journey::backup::Backup { records, keys, keys_days } = Default::default();
        Self { records, keys, keys_days }
    }
}

/// How much each device may send, over all its connections.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PerDevice {
    /// Messages a second, in the long run.
    pub messages_per_second_max: u32,
    /// KiB of payload a second, in the long run.
    pub kib_per_second_max: u32,
}

impl Default for PerDevice {
    fn default() -> Self {
        Self { messages_per_second_max: 100, kib_per_second_max: 1024 }
    }
}

impl PerDevice {
    /// As quotas want them.
    #[must_use]
    pub const fn rates(&self) -> Rates {
        Rates {
            messages_per_second: self.messages_per_second_max,
            bytes_per_second: self.kib_per_second_max.saturating_mul(1024),
        }
    }
}

/// An address and how it is protected.
#[derive(Clone, PartialEq, Eq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct At {
    /// Address and port; where it is not named, loopback and the port of the protocol.
    pub address: Option<SocketAddr>,
    /// A chain of certificates and its private key, in PEM; without both there is no TLS.
    pub certificate: Option<PathBuf>,
    /// See [`At::certificate`].
    pub key: Option<PathBuf>,
    /// Whether to let other machines come without TLS.
    pub plain_beyond_loopback: bool,
}

/// The port of MQTT without TLS.
pub const MQTT_PORT: u16 = 1883;
/// The port of HTTP where others have the first.
pub const HTTP_PORT: u16 = 8080;

/// Every five minutes.
const EXPIRE_EVERY: NonZeroU32 = NonZeroU32::MIN.saturating_add(299);
/// Once a day.
const TURN_OVER_EVERY: NonZeroU32 = NonZeroU32::MIN.saturating_add(86_399);

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("housecarl-data"),
            root_key: None,
            keep_free_mib: 128,
            expire_seconds: EXPIRE_EVERY,
            turn_over_seconds: TURN_OVER_EVERY,
            log_name: None,
            products: Vec::new(),
            device: PerDevice::default(),
            backup: Backup::default(),
            mqtt: At::default(),
            http: At::default(),
        }
    }
}

/// Why a settings file cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingsError(String);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads a settings file.
    ///
    /// # Errors
    /// [`SettingsError`] with the line and what was expected there.
    pub fn read(text: &str) -> Result<Self, SettingsError> {
        let settings: Self = toml::from_str(text).map_err(|error| SettingsError(error.to_string()))?;
        let half =
            |certificate: &Option<PathBuf>, key: &Option<PathBuf>| certificate.is_some() != key.is_some();
        if half(&settings.mqtt.certificate, &settings.mqtt.key)
            || half(&settings.http.certificate, &settings.http.key)
        {
            return Err(SettingsError(
                "`certificate` and `key` go together: name both or neither".to_owned(),
            ));
        }
        Ok(settings)
    }

    /// Where everything lies, as the journey is told.
    #[must_use]
    pub fn opened(&self) -> Opened {
        let mut opened = Opened::in_folder(&self.data);
        opened.log_name.clone_from(&self.log_name);
        opened.keep_free = self.keep_free_mib.saturating_mul(1 << 20);
        if let Some(root_key) = &self.root_key {
            opened.root_key.clone_from(root_key);
        }
        let Backup { records, keys, keys_days } = self.backup.clone();
        opened.backup = housecarl_journey::backup::Backup { records, keys, keys_days };
        opened
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    #[test]
    fn an_empty_file_is_the_defaults_and_a_slip_is_named() {
        assert_eq!(Settings::read("").unwrap(), Settings::default());
        let error = Settings::read("daat = \"x\"").unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("daat") && error.contains("`data`"), "{error}");
        let error = Settings::read("[mqtt]\ncertificate = \"a.pem\"").unwrap_err().to_string();
        assert!(error.contains("go together"), "{error}");
    }

    #[test]
    fn every_setting_is_documented_and_nothing_else_is() {
        let page = include_str!("../../../../docs/settings.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let mut documented: Vec<&str> = rows.map(|(key, _)| key).collect();
        documented.sort_unstable();
        let at = |name: &str| {
            ["address", "certificate", "key", "plain_beyond_loopback"].map(|key| format!("{name}.{key}"))
        };
        let mut keys: Vec<String> = [
            "data",
            "root_key",
            "keep_free_mib",
            "expire_seconds",
            "turn_over_seconds",
            "log_name",
            "products",
        ]
        .map(str::to_owned)
        .into();
        keys.extend(["records", "keys", "keys_days"].map(|key| format!("backup.{key}")));
        keys.extend(["messages_per_second_max", "kib_per_second_max"].map(|key| format!("device.{key}")));
        keys.extend(at("mqtt").into_iter().chain(at("http")));
        keys.sort_unstable();
        assert_eq!(documented, keys);
        // The list above is that of the types: a struct without one of its fields does not compile.
        let Settings {
            data: _,
            root_key: _,
            keep_free_mib: _,
            expire_seconds: _,
            turn_over_seconds: _,
            log_name: _,
            products: _,
            device,
            backup,
            mqtt,
            http: _,
        } = Settings::default();
        let Backup { records: _, keys: _, keys_days: _ } = backup;
        let PerDevice { messages_per_second_max: _, kib_per_second_max: _ } = device;
        let At { address: _, certificate: _, key: _, plain_beyond_loopback: _ } = mqtt;
    }
}
