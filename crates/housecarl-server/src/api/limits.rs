//! How much and how long, at most.

use std::time::Duration;

/// The bounds of the HTTP listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections, over all.
    pub connections_max: usize,
    /// Bytes of a request's line and headers.
    pub head_bytes_max: usize,
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// Messages in one body of JSON Lines.
    pub lines_max: usize,
    /// Entries in one body of choices.
    pub choices_max: usize,
    /// Reads that run at once; each holds a thread.
    pub reads_max: usize,
    /// How long a TLS handshake may take, and a request's head, from the moment it is waited for: a
    /// connection on which nothing comes ends then.
    pub head_time: Duration,
    /// How long a body may take, from the head to its last byte.
    pub body_time: Duration,
    /// How long the other side may take no byte of an answer. Whoever withdraws waits as long at
    /// most for a reader that has stopped reading.
    pub unread_time: Duration,
    /// How long whoever writes to the disk may take to answer before they are said to have stopped.
    pub ready_time: Duration,
    /// How long requests that are under way may take when the house closes.
    pub leave_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 2_000,
            head_bytes_max: 16 << 10,
            body_bytes_max: 1 << 20,
            lines_max: 10_000,
            choices_max: 100,
            reads_max: 64,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            unread_time: Duration::from_secs(5),
            ready_time: Duration::from_secs(5),
            leave_time: Duration::from_secs(10),
        }
    }
}
