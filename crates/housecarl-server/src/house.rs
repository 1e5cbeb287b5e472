//! The journey, as listeners ask it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use housecarl_journey::journey::{Admitted, Journey, Message as Sent, NotAdmitted};
use housecarl_journey::people::DeviceId;
use housecarl_journey::people::credentials;
use tokio::sync::watch;

use crate::hex;
use crate::ingest::{Admission, Credential, Denied, Gateway, Message, Quota, Quotas};
use crate::topics::{self, Topic};

/// The one clock of a gateway: seconds since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What listeners have behind them.
#[derive(Clone)]
pub struct House {
    journey: Arc<Journey>,
    clock: Clock,
    quotas: Arc<Quotas>,
    undeclared: Arc<AtomicU64>,
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("House")
    }
}

/// A device that has come in.
#[derive(Debug)]
pub struct Visitor {
    credential: credentials::Credential,
    /// Its id in hex, as it stands in topics.
    name: String,
    quota: Quota,
}

impl House {
    /// Listeners will ask this journey, and no device sends more than its quota.
    #[must_use]
    pub fn new(journey: Arc<Journey>, clock: Clock, quotas: Arc<Quotas>) -> Self {
        Self { journey, clock, quotas, undeclared: Arc::default() }
    }

    /// How many messages came by topics that no manifest knows.
    #[must_use]
    pub fn undeclared(&self) -> u64 {
        self.undeclared.load(Ordering::Relaxed)
    }
}

impl Gateway for House {
    type Device = Visitor;

    async fn authenticate(&self, who: Credential<'_>) -> Result<Visitor, Denied> {
        let id = who.user_name.and_then(hex::read).ok_or(Denied::Unknown)?;
        let secret = who.password.ok_or(Denied::Unknown)?;
        let credential = self.journey.device_with(DeviceId(id), secret).ok_or(Denied::Unknown)?;
        let quota = self.quotas.of(credential.device());
        Ok(Visitor { credential, name: hex::print(&id), quota })
    }

    fn name<'d>(&self, device: &'d Visitor) -> &'d str {
        &device.name
    }

    async fn admit(&self, device: &Visitor, topic: &str, message: Message) -> Admission {
        if device.quota.take(1, message.payload.len()).is_err() {
            return Admission::OverQuota;
        }
        let id = device.credential.device();
        let Some(version) = self.journey.version_of(id) else { return Admission::Undeclared };
        let stream = match topics::topic(&version, &device.name, topic) {
            // By its number: another version may be in force before the message is decided.
            Topic::Of(stream) => match version.stream_number(stream) {
                Some(stream) => stream,
                None => return Admission::Undeclared,
            },
            Topic::AnotherDevices => return Admission::NotThisDevices,
            Topic::Undeclared => {
                self.undeclared.fetch_add(1, Ordering::Relaxed);
                return Admission::Undeclared;
            }
        };
        let sent = Sent { payload: &message.payload, idempotency_key: message.idempotency_key.as_deref() };
        match self.journey.admit_by(id, stream, sent, (self.clock)()).await {
            Ok(Admitted::Kept(_) | Admitted::Again) => Admission::Kept,
            Ok(Admitted::Nothing) => Admission::NothingKept,
            Err(NotAdmitted::Unreadable(_)) => Admission::NotAsDeclared,
            Err(NotAdmitted::NoSuchDevice) => Admission::NotThisDevices,
            Err(NotAdmitted::NoSuchStream) => Admission::Undeclared,
            Err(NotAdmitted::Later(_)) => Admission::Unavailable,
        }
    }

    fn policy(&self, device: &Visitor) -> watch::Receiver<Bytes> {
        let Some(mut wanted) = self.journey.wanted(device.credential.device()) else {
            return watch::channel(Bytes::new()).1;
        };
        let (told, policy) = watch::channel(Bytes::from(wanted.borrow_and_update().to_json()));
        // Ends when the connection does, or the device.
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = told.closed() => return,
                    changed = wanted.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        told.send_replace(Bytes::from(wanted.borrow_and_update().to_json()));
                    }
                }
            }
        });
        policy
    }

    async fn revoked(&self, device: &Visitor) {
        device.credential.revoked().await;
    }
}
