//! Boot: from manifests and settings to a gateway that serves.

mod product;
mod source;
mod settings;
mod serve;

pub use product::{Loaded, NotLoaded, load};
pub use serve::{Came, Named, NotServed, Served, Serving, Told, look_at_certificates};
pub use settings::{At, Backup, HTTP_PORT, MQTT_PORT, PerDevice, Settings, SettingsError};
pub use source::{NotNext, Source};
