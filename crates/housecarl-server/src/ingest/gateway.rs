//! What a listener asks of the rest of the house.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;
use tokio::sync::watch;

/// The rest of the house, as a listener sees it.
///
/// Every future may be dropped before it is done, because a connection may end at any moment.
pub trait Gateway: Send + Sync + 'static {
    /// A device that has shown who it is.
    type Device: Send + Sync + 'static;

    /// Finds out whose credential this is. Asked once a connection.
    ///
    /// # Errors
    /// Why the connection is refused. The device is told no more than that.
    fn authenticate(&self, who: Credential<'_>) -> impl Future<Output = Result<Self::Device, Denied>> + Send;

    /// The device's name in its own topics, `housecarl/v1/{name}/…`. Two credentials of one device have one name.
    fn name<'d>(&self, device: &'d Self::Device) -> &'d str;

    /// Takes one message and returns when its outcome is durable.
    ///
    /// Several may be asked at once for one device. Where the future is dropped the device has had no
    /// answer and sends the message again, whether it was kept or not.
    fn admit(
        &self,
        device: &Self::Device,
        topic: &str,
        message: Message,
    ) -> impl Future<Output = Admission> + Send;

    /// What this device is wanted to send. Each change is pushed to a device that subscribed.
    ///
    /// The bytes are sent as they are. None at all is MQTT's way to say that there is no such message, and
    /// a new subscriber then gets none.
    fn policy(&self, device: &Self::Device) -> watch::Receiver<Bytes>;

    /// Returns when the credential has been revoked: the connection ends then and there.
    fn revoked(&self, device: &Self::Device) -> impl Future<Output = ()> + Send;
}

/// What a device shows to be let in. Its `Debug` prints the type's name only.
#[derive(Clone, Copy)]
pub struct Credential<'c> {
    /// How the client calls itself, or how the listener called it because it did not.
    pub client_id: &'c str,
    /// The user name, where one was sent.
    pub user_name: Option<&'c str>,
    /// The password or token, where one was sent.
    pub password: Option<&'c [u8]>,
    /// Where the connection comes from.
    pub peer: SocketAddr,
}

/// Why a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Nobody has this credential.
    Unknown,
    /// The credential was good once, and is not any more.
    Revoked,
    /// Nobody can be authenticated at present: the fault is ours, and the device may try again.
    Unavailable,
}

/// A message before anybody has decided about it. Its `Debug` prints the type's name only.
pub struct Message {
    /// What was sent, undecoded.
    pub payload: Bytes,
    /// What the device calls this message, so that sent twice it is kept once: the MQTT 5 user property or
    /// HTTP header `idempotency-key`, else MQTT 5's correlation data.
    pub idempotency_key: Option<Bytes>,
    /// The media type that the device claims for the payload.
    pub content_type: Option<String>,
    /// Whether the device waits for an answer (`QoS` 1), or will never learn what became of it (`QoS` 0, a will).
    pub is_answered: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Something of it was kept, and is durable.
    Kept,
    /// It was understood, and no purpose permits any of it.
    NothingKept,
    /// The topic or stream is another device's.
    NotThisDevices,
    /// It is not what the manifest declares for this stream: it can never be accepted as it is.
    NotAsDeclared,
    /// The device's own topic, and the manifest does not know it.
    Undeclared,
    /// This device sends more than it may. Sent again later it can be accepted.
    OverQuota,
    /// Nothing can be kept at present: the fault is ours. Sent again later it can be accepted.
    Unavailable,
}

impl Admission {
    /// Whether the message has to come again, because nothing was decided about it.
    pub fn is_put_off(self) -> bool {
        matches!(self, Self::OverQuota | Self::Unavailable)
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Message")
    }
}
