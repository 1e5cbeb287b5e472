//! Bytes to packets and back, in both versions: the one folder that knows `mqtt-protocol-core`.
//!
//! The library takes packets apart and puts them together. Of its connection nothing is used: what an
//! endpoint that routes nothing has to remember is a packet identifier or two, and when an
//! acknowledgement goes out is for us alone to say. Nor do its types get out of here, for their `Debug`
//! prints payloads. What the specification asks for and the library does not look at is looked at in
//! `read`.

mod read;
mod write;

use bytes::Bytes;

use crate::ingest::Message;

pub use self::read::{BadConnect, connect, packet};
pub use self::write::{Promises, Writer};

/// A `Debug` that prints the type's name, for what came from a device or is secret.
macro_rules! say_only_the_name {
    ($($name:ty),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}

say_only_the_name!(Connect, Packet, Publish, Filter, Delivery<'_>, Promises<'_>, Writer);

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Protocol level 4.
    V3_1_1,
    /// Protocol level 5.
    V5,
}

/// Why a packet or a connection is refused, by MQTT 5's number. MQTT 3.1.1 has no words for most of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the specification's, in its section 2.4")]
pub enum Reason {
    MalformedPacket = 0x81,
    ProtocolError = 0x82,
    ImplementationSpecificError = 0x83,
    UnsupportedProtocolVersion = 0x84,
    ClientIdentifierNotValid = 0x85,
    BadUserNameOrPassword = 0x86,
    NotAuthorized = 0x87,
    ServerUnavailable = 0x88,
    ServerBusy = 0x89,
    ServerShuttingDown = 0x8B,
    BadAuthenticationMethod = 0x8C,
    KeepAliveTimeout = 0x8D,
    SessionTakenOver = 0x8E,
    TopicFilterInvalid = 0x8F,
    TopicNameInvalid = 0x90,
    TopicAliasInvalid = 0x94,
    PacketTooLarge = 0x95,
    QuotaExceeded = 0x97,
    AdministrativeAction = 0x98,
    QosNotSupported = 0x9B,
    SharedSubscriptionsNotSupported = 0x9E,
    SubscriptionIdentifiersNotSupported = 0xA1,
    WildcardSubscriptionsNotSupported = 0xA2,
}

/// The first packet of a connection.
pub struct Connect {
    /// What is spoken from here on.
    pub version: Version,
    /// Whether an earlier session is to be forgotten.
    pub is_clean: bool,
    /// Empty where the server is to find one.
    pub client_id: String,
    pub(super) user_name: Option<String>,
    pub(super) password: Option<Vec<u8>>,
    /// Seconds; 0 is none.
    pub keep_alive_seconds: u16,
    pub(super) will: Option<Publish>,
    /// How many seconds the client would have its session kept after the connection.
    pub session_seconds: u32,
    /// What the client takes at most, in bytes.
    pub packet_max: Option<u32>,
}

/// A packet after the first.
pub enum Packet {
    /// A message.
    Publish(Publish),
    /// A message of ours has arrived, by its identifier.
    Puback(u16),
    /// The client wants messages.
    Subscribe {
        /// Comes back in the answer.
        id: u16,
        /// At least one.
        filters: Vec<Filter>,
    },
    /// The client wants no more of them.
    Unsubscribe {
        /// Comes back in the answer.
        id: u16,
        /// At least one.
        filters: Vec<String>,
    },
    /// The client is still there.
    Pingreq,
    /// The client leaves.
    Disconnect {
        /// Whether its will is to be published even so.
        publishes_will: bool,
        /// For how many seconds its session is to be kept, where that has changed.
        session_seconds: Option<u32>,
    },
}

/// A message from a device.
pub struct Publish {
    pub(super) topic: String,
    /// The identifier to acknowledge it by; none at `QoS` 0.
    pub id: Option<u16>,
    pub(super) message: Message,
}

/// What a client subscribes to.
pub struct Filter {
    pub(super) topic: String,
    /// 0 or 1: what was asked for, as far as we go.
    pub qos: u8,
    /// When the retained message comes along.
    pub retained: Retained,
    /// Whether messages keep their retain flag later on.
    pub keeps_retain: bool,
}

/// When a subscription brings the retained message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retained {
    /// Each time.
    Always,
    /// Where there was no such subscription before.
    IfNew,
    /// Not at all.
    Never,
}

/// The answer to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    /// Kept, or dropped without anybody having to know.
    Success,
    /// Received, and nothing of it was kept. Not an error to any client.
    NothingKept,
    /// Never to be accepted: another device's topic.
    NotAuthorized,
    /// Never to be accepted: not what was declared.
    PayloadFormatInvalid,
}

/// The answer to one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Granted {
    /// Subscribed, at this `QoS`.
    Qos(u8),
    /// Not subscribed.
    Refused(Reason),
}

/// A message to a device.
pub struct Delivery<'d> {
    /// Where it belongs.
    pub topic: &'d str,
    /// The identifier that the device acknowledges; none at `QoS` 0.
    pub id: Option<u16>,
    /// Whether it stood before the subscription.
    pub is_retained: bool,
    pub(super) payload: Bytes,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

    use bytes::BytesMut;

    use super::*;

    #[test]
    fn what_a_device_sends_is_not_printed() {
        let mut input = BytesMut::from(&b"\x10\x16\0\x04MQTT\x04\xC2\0\x3C\0\x01c\0\x03hal\0\x02pw"[..]);
        let connect = connect(&mut input, 100).unwrap().unwrap();
        assert_eq!(
            (connect.user_name.as_deref(), connect.password.as_deref()),
            (Some("hal"), Some(&b"pw"[..]))
        );
        assert_eq!(format!("{connect:?}"), "Connect");
        let mut input = BytesMut::from(&b"\x30\x04\0\x01tx"[..]);
        let publish = packet(&mut input, Version::V3_1_1, 100, 100).unwrap();
        assert_eq!(format!("{publish:?}"), "Some(Packet)");
    }
}
