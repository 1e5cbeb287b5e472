//! What listeners count.
//!
//! A figure's name and label are `&'static str`: nothing that came from a device can get into one.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Admission;

/// Counts since the start, shared by all listeners.
#[derive(Debug, Default)]
pub struct Counters {
    opened: AtomicU64,
    closed: AtomicU64,
    authenticated: AtomicU64,
    panics: AtomicU64,
    taken_over: AtomicU64,
    accept_faults: AtomicU64,
    refused: [AtomicU64; Refusal::ALL.len()],
    messages: [AtomicU64; ADMISSIONS.len()],
}

/// One count, ready to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// What is counted.
    pub name: &'static str,
    /// Which kind of it: the label's name and its value.
    pub label: Option<(&'static str, &'static str)>,
    /// How many.
    pub value: u64,
}

/// Why a connection ended before anybody was authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// As many connections are open as may be.
    Full,
    /// As many unauthenticated connections come from this address as may.
    AddressFull,
    /// The device has as many connections as it may.
    DeviceFull,
    /// It took too long.
    Late,
    /// It sent too much.
    TooMuch,
    /// It did not speak the protocol.
    NotMqtt,
    /// The TLS handshake failed.
    Tls,
    /// It left of itself.
    Left,
    /// The credential is not known, or was revoked.
    Credential,
    /// Nobody could be authenticated.
    Unavailable,
}

impl Refusal {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Full, "full"),
        (Self::AddressFull, "address_full"),
        (Self::DeviceFull, "device_full"),
        (Self::Late, "late"),
        (Self::TooMuch, "too_much"),
        (Self::NotMqtt, "not_mqtt"),
        (Self::Tls, "tls"),
        (Self::Left, "left"),
        (Self::Credential, "credential"),
        (Self::Unavailable, "unavailable"),
    ];
}

const ADMISSIONS: [(Admission, &str); 7] = [
    (Admission::Kept, "kept"),
    (Admission::NothingKept, "nothing_kept"),
    (Admission::NotThisDevices, "not_this_devices"),
    (Admission::NotAsDeclared, "not_as_declared"),
    (Admission::Undeclared, "undeclared"),
    (Admission::OverQuota, "over_quota"),
    (Admission::Unavailable, "unavailable"),
];

impl Counters {
    /// Every figure, in an order that does not change.
    pub fn figures(&self) -> Vec<Figure> {
        let plain = [
            ("connections_opened_total", &self.opened),
            ("connections_closed_total", &self.closed),
            ("connections_authenticated_total", &self.authenticated),
            ("connections_taken_over_total", &self.taken_over),
            ("connections_panicked_total", &self.panics),
            ("accept_faults_total", &self.accept_faults),
        ];
        let refused = Refusal::ALL.iter().zip(&self.refused).map(|((_, label), count)| Figure {
            name: "connections_refused_total",
            label: Some(("reason", label)),
            value: count.load(Relaxed),
        });
        let messages = ADMISSIONS.iter().zip(&self.messages).map(|((_, label), count)| Figure {
            name: "messages_total",
            label: Some(("outcome", label)),
            value: count.load(Relaxed),
        });
        let plain = plain.map(|(name, count)| Figure { name, label: None, value: count.load(Relaxed) });
        plain.into_iter().chain(refused).chain(messages).collect()
    }

    /// How many messages had this outcome.
    pub fn messages(&self, admission: Admission) -> u64 {
        of(&ADMISSIONS, &self.messages, admission).map_or(0, |count| count.load(Relaxed))
    }

    /// How many connections were refused for this reason.
    pub fn refused(&self, reason: Refusal) -> u64 {
        of(&Refusal::ALL, &self.refused, reason).map_or(0, |count| count.load(Relaxed))
    }

    /// How many connections it became known of whose they are.
    pub fn authenticated(&self) -> u64 {
        self.authenticated.load(Relaxed)
    }

    /// How many connections ended by a fault of ours that unwound.
    pub fn panics(&self) -> u64 {
        self.panics.load(Relaxed)
    }

    /// How many connections there are now.
    pub fn open(&self) -> u64 {
        let closed = self.closed.load(Relaxed);
        self.opened.load(Relaxed).saturating_sub(closed)
    }

    pub(crate) fn count_opened(&self) {
        self.opened.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_closed(&self) {
        self.closed.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_authenticated(&self) {
        self.authenticated.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_panic(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_taken_over(&self) {
        self.taken_over.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_accept_fault(&self) {
        self.accept_faults.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_refused(&self, reason: Refusal) {
        if let Some(count) = of(&Refusal::ALL, &self.refused, reason) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn count_message(&self, admission: Admission) {
        if let Some(count) = of(&ADMISSIONS, &self.messages, admission) {
            count.fetch_add(1, Relaxed);
        }
    }
}

/// The count that belongs to a kind.
fn of<'c, K: PartialEq + Copy>(
    kinds: &[(K, &str)],
    counts: &'c [AtomicU64],
    kind: K,
) -> Option<&'c AtomicU64> {
    kinds.iter().zip(counts).find(|((one, _), _)| *one == kind).map(|(_, count)| count)
}
