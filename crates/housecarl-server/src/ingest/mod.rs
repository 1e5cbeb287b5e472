//! How messages of devices come in.
//!
//! `docs/ingest.md` says which situation gets which answer, in every protocol, and names the test of each.

mod gateway;
mod counters;
mod quota;
mod door;
mod tls;
pub mod mqtt;

pub use self::counters::{Counters, Figure, Refusal};
pub use self::door::{BindError, Door, Transport};
pub use self::gateway::{Admission, Credential, Denied, Gateway, Message};
pub use self::quota::{OverQuota, Quota, Quotas, Rates, SAVED};
pub use self::tls::{Tls, TlsError};
