//! How much of anything a device may have.

use std::time::Duration;

/// The bounds of the listener. Every wait and every buffer has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once, over all doors.
    pub connections_max: usize,
    /// Connections at once from one address (IPv6: one /64) of which nobody knows yet whose they are.
    pub callers_per_address_max: u32,
    /// Connections and sessions of one device at once, under different client identifiers.
    pub connections_per_device_max: usize,
    /// How long somebody may take to say who they are, TLS handshake and answer included.
    pub login_time: Duration,
    /// Bytes that somebody may have sent before it is known who they are.
    pub login_bytes_max: usize,
    /// Bytes of a payload.
    pub payload_bytes_max: usize,
    /// Bytes of a PUBLISH beside its payload (topic and properties), and of any other packet.
    pub packet_bytes_max: usize,
    /// Messages of one connection that were taken and not answered yet; MQTT 5's Receive Maximum.
    pub in_flight_max: u16,
    /// Bytes of those messages. At either bound the connection is not read from until there is room.
    pub in_flight_bytes_max: usize,
    /// Bytes that wait to be sent on one connection; beyond, it is not read from either.
    pub unsent_bytes_max: usize,
    /// The longest keep-alive of MQTT 5, in seconds; also taken where a client wants none.
    pub keep_alive_seconds_max: u16,
    /// How long a session is kept for a client that is away.
    pub session_seconds_max: u32,
    /// Sessions of clients that are away, over all devices.
    pub sessions_max: usize,
    /// How long a connection rests, unread, before it is closed because a message was put off.
    pub put_off_time: Duration,
    /// How long messages already taken may still be waited for when a connection ends.
    pub leave_time: Duration,
    /// How long the other side may take to read the last bytes.
    pub parting_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            callers_per_address_max: 64,
            connections_per_device_max: 16,
            login_time: Duration::from_secs(10),
            login_bytes_max: 8 << 10,
            payload_bytes_max: 1 << 20,
            packet_bytes_max: 8 << 10,
            in_flight_max: 64,
            in_flight_bytes_max: 2 << 20,
            unsent_bytes_max: 32 << 10,
            keep_alive_seconds_max: 3_600,
            session_seconds_max: 86_400,
            sessions_max: 100_000,
            put_off_time: Duration::from_secs(1),
            leave_time: Duration::from_secs(10),
            parting_time: Duration::from_secs(1),
        }
    }
}

impl Limits {
    /// The largest PUBLISH, whole, in bytes.
    pub(super) fn publish_bytes_max(&self) -> usize {
        self.payload_bytes_max.saturating_add(self.packet_bytes_max)
    }
}
