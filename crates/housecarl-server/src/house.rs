//! The journey, as listeners ask it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use housecarl_journey::journey::{Admitted, Journey, Message as Sent, NotAdmitted};
use housecarl_journey::people::DeviceId;
use housecarl_journey::people::credentials;
use tokio::sync::watch;

use crate::ingest::{Admission, Credential, Denied, Gateway, Message};
use crate::topics::{self, Topic};

/// The one clock of a gateway: seconds since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What listeners have behind them.
#[derive(Clone)]
pub struct House {
    journey: Arc<Journey>,
    clock: Clock,
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
}

impl House {
    /// Listeners will ask this journey.
    #[must_use]
    pub fn new(journey: Arc<Journey>, clock: Clock) -> Self {
        Self { journey, clock, undeclared: Arc::default() }
    }

    /// How many messages came by topics that no manifest knows.
    #[must_use]
    pub fn undeclared(&self) -> u64 {
        self.undeclared.load(Ordering::Relaxed)
    }
}

/// The text of an id: 32 hexadecimal digits.
#[must_use]
pub fn to_hex(id: [u8; 16]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The id of such a text.
#[must_use]
pub fn from_hex(text: &str) -> Option<[u8; 16]> {
    let mut id = [0; 16];
    if text.len() != 2 * id.len() || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (byte, digits) in id.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(id)
}

impl Gateway for House {
    type Device = Visitor;

    async fn authenticate(&self, who: Credential<'_>) -> Result<Visitor, Denied> {
        let id = who.user_name.and_then(from_hex).ok_or(Denied::Unknown)?;
        let secret = who.password.ok_or(Denied::Unknown)?;
        let credential = self.journey.device_with(DeviceId(id), secret).ok_or(Denied::Unknown)?;
        Ok(Visitor { credential, name: to_hex(id) })
    }

    fn name<'d>(&self, device: &'d Visitor) -> &'d str {
        &device.name
    }

    async fn admit(&self, device: &Visitor, topic: &str, message: Message) -> Admission {
        let id = device.credential.device();
        let Some(version) = self.journey.version_of(id) else { return Admission::Undeclared };
        let stream = match topics::topic(&version, &device.name, topic) {
            Topic::Of(stream) => stream,
            Topic::AnotherDevices => return Admission::NotThisDevices,
            Topic::Undeclared => {
                self.undeclared.fetch_add(1, Ordering::Relaxed);
                return Admission::Undeclared;
            }
        };
        let sent = Sent { payload: &message.payload, idempotency_key: message.idempotency_key.as_deref() };
        match self.journey.admit(id, stream, sent, (self.clock)()).await {
            Ok(Admitted::Kept(_) | Admitted::Again) => Admission::Kept,
            Ok(Admitted::Nothing) => Admission::NothingKept,
            Err(NotAdmitted::Unreadable(_)) => Admission::NotAsDeclared,
            Err(NotAdmitted::NoSuchDevice) => Admission::NotThisDevices,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_32_digits_and_nothing_else() {
        let id = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 171, 205, 239, 16, 255];
        assert_eq!(to_hex(id), "000102030405060708090aabcdef10ff");
        assert_eq!(from_hex(&to_hex(id)), Some(id));
        for text in [
            "",
            "00",
            "000102030405060708090AABCDEF10FF",
            "000102030405060708090aabcdef10f",
            "+00102030405060708090aabcdef10ff",
        ] {
            assert_eq!(from_hex(text), None, "{text}");
        }
    }
}
