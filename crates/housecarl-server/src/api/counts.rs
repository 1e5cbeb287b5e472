//! What the listener counts. A name and a label are ours: nothing that came in a request can get
//! into one.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hyper::StatusCode;

use super::endpoints::ENDPOINTS;
use crate::ingest;

/// What can become of a message.
const OUTCOMES: [&str; 6] = ["kept", "again", "nothing-kept", "refused", "over-quota", "not-now"];

/// Counts since the start.
#[derive(Debug)]
pub struct Counts {
    opened: AtomicU64,
    closed: AtomicU64,
    refused: AtomicU64,
    tls_failed: AtomicU64,
    panicked: AtomicU64,
    /// Requests for what is not there.
    astray: AtomicU64,
    messages: [AtomicU64; OUTCOMES.len()],
    /// Values that readers' connections have taken.
    handed_on: AtomicU64,
    /// For each endpoint, its statuses, and one for those that it should not answer.
    answers: Vec<(Vec<(u16, AtomicU64)>, AtomicU64)>,
}

impl Default for Counts {
    fn default() -> Self {
        let zero = AtomicU64::default;
        let statuses = |endpoint: &super::endpoints::Endpoint| {
            endpoint.statuses().into_iter().map(|status| (status, zero())).collect()
        };
        Self {
            opened: zero(),
            closed: zero(),
            refused: zero(),
            tls_failed: zero(),
            panicked: zero(),
            astray: zero(),
            messages: Default::default(),
            handed_on: zero(),
            answers: ENDPOINTS.iter().map(|endpoint| (statuses(endpoint), zero())).collect(),
        }
    }
}

impl Counts {
    /// How many connections there are now.
    pub fn open(&self) -> u64 {
        let closed = self.closed.load(Relaxed);
        self.opened.load(Relaxed).saturating_sub(closed)
    }

    pub(super) fn opened(&self) {
        self.opened.fetch_add(1, Relaxed);
    }

    pub(super) fn closed(&self) {
        self.closed.fetch_add(1, Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn tls_failed(&self) {
        self.tls_failed.fetch_add(1, Relaxed);
    }

    pub(super) fn panicked(&self) {
        self.panicked.fetch_add(1, Relaxed);
    }

    pub(super) fn astray(&self) {
        self.astray.fetch_add(1, Relaxed);
    }

    pub(super) fn message(&self, outcome: &'static str) {
        if let Some((_, count)) = OUTCOMES.iter().zip(&self.messages).find(|(known, _)| **known == outcome) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// How many values readers' connections have taken.
    pub fn handed_on(&self) -> u64 {
        self.handed_on.load(Relaxed)
    }

    pub(super) fn handed_one_on(&self) {
        self.handed_on.fetch_add(1, Relaxed);
    }

    pub(super) fn answered(&self, endpoint: usize, status: StatusCode) {
        let Some((statuses, other)) = self.answers.get(endpoint) else { return };
        let known = statuses.iter().find(|(known, _)| *known == status.as_u16());
        known.map_or(other, |(_, count)| count).fetch_add(1, Relaxed);
    }

    /// In Prometheus's text format, and what the listeners for devices count after it.
    pub(super) fn print(&self, devices: Option<&ingest::Counters>) -> String {
        let mut text = String::new();
        let mut series = |name: &str, labels: &str, value: u64| {
            let declared = format!("# TYPE housecarl_{name} counter\n");
            if !text.contains(&declared) {
                text.push_str(&declared);
            }
            // A text takes whatever is written to it.
            let _ = writeln!(text, "housecarl_{name}{labels} {value}");
        };
        let plain = [
            ("http_connections_opened_total", &self.opened),
            ("http_connections_closed_total", &self.closed),
            ("http_connections_refused_total", &self.refused),
            ("http_connections_panicked_total", &self.panicked),
            ("http_tls_failed_total", &self.tls_failed),
            ("http_requests_astray_total", &self.astray),
            ("http_values_handed_on_total", &self.handed_on),
        ];
        for (name, count) in plain {
            series(name, "", count.load(Relaxed));
        }
        for (outcome, count) in OUTCOMES.iter().zip(&self.messages) {
            series("http_messages_total", &format!("{{outcome=\"{outcome}\"}}"), count.load(Relaxed));
        }
        for (endpoint, (statuses, other)) in ENDPOINTS.iter().zip(&self.answers) {
            let name = endpoint.name();
            let statuses = statuses.iter().map(|(status, count)| (status.to_string(), count));
            for (status, count) in statuses.chain([("other".to_owned(), other)]) {
                let labels = format!("{{endpoint=\"{name}\",status=\"{status}\"}}");
                series("http_requests_total", &labels, count.load(Relaxed));
            }
        }
        for figure in devices.map(ingest::Counters::figures).unwrap_or_default() {
            let labels = figure.label.map(|(name, value)| format!("{{{name}=\"{value}\"}}"));
            series(&format!("mqtt_{}", figure.name), &labels.unwrap_or_default(), figure.value);
        }
        text
    }
}
