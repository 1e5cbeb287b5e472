//! Boot: from manifests and settings to a gateway that serves.

mod product;
mod settings;
mod serve;

pub use product::{Loaded, NotLoaded, load};
pub use serve::{NotServed, Served, Serving};
pub use settings::{At, HTTP_PORT, MQTT_PORT, PerDevice, Settings, SettingsError};
