//! Somebody of the home, as those outside know them: what was sent for them, and what they said.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::park_timeout;
use std::time::Duration;

use crate::device::{Device, Told};
use crate::history::Fault;

/// How many messages of a device are one turn: between turns its person can be erased.
const TURN: usize = 8;

/// What is known of a message that was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sent {
    /// It was not answered: it may be there or not, and the device sends it again.
    Unanswered,
    Kept,
}

#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) device: Device,
    /// What is or may be there, by its number.
    pub(crate) messages: BTreeMap<u64, Sent>,
    /// What an erasure that was not answered has taken with it, or has not.
    pub(crate) in_doubt: Option<BTreeSet<u64>>,
    /// Whether they agree to coaching; `None` where they were not answered.
    pub(crate) coaching: Option<bool>,
    /// How many messages were acknowledged in all.
    pub(crate) acknowledged: u64,
}

impl Person {
    pub(crate) fn new(id: String, device: Device) -> Self {
        Self { id, device, messages: BTreeMap::new(), in_doubt: None, coaching: Some(false), acknowledged: 0 }
    }

    pub(crate) fn unanswered(&self) -> Vec<u64> {
        let unanswered = self.messages.iter().filter(|(_, sent)| **sent == Sent::Unanswered);
        unanswered.map(|(number, _)| *number).collect()
    }

    /// Compares what was found with what has to be there: all that was found of them, received since the oldest of
    /// `recent`, and nothing else.
    pub(crate) fn compare(&mut self, found: &[u64], since: u64) -> Result<(), Fault> {
        let there: BTreeSet<u64> = found.iter().copied().collect();
        if there.len() < found.len() {
            return Err(Fault::Twice(format!("{} of {} messages", found.len() - there.len(), found.len())));
        }
        if let Some(doubtful) = self.in_doubt.take()
            && doubtful.is_disjoint(&there)
        {
            // It was erased after all. What was sent since is not of it.
            self.messages.retain(|number, _| !doubtful.contains(number));
        }
        let strange = there.iter().find(|number| !self.messages.contains_key(number));
        if let Some(number) = strange {
            return Err(Fault::Revived(format!(
                "message {number} was erased, or never sent for this person"
            )));
        }
        let kept = self.messages.range(since..).filter(|(_, sent)| **sent == Sent::Kept);
        let lost: Vec<u64> =
            kept.map(|(number, _)| *number).filter(|number| !there.contains(number)).collect();
        if lost.is_empty() { Ok(()) } else { Err(Fault::Lost(format!("messages {lost:?}"))) }
    }
}

/// Sends again what was not answered, then what is new, until all is answered or the life is `over`.
pub(crate) fn send(
    person: &Mutex<Person>,
    new: &[u64],
    to: SocketAddr,
    over: &AtomicBool,
    answered: &(impl Fn() + Sync),
) -> Result<(), Fault> {
    let again = person.lock().unwrap().unanswered();
    for turn in [again.as_slice(), new].concat().chunks(TURN) {
        let mut is_sent = false;
        loop {
            let mut person = person.lock().unwrap();
            if !is_sent {
                person.messages.extend(turn.iter().map(|number| (*number, Sent::Unanswered)));
                is_sent = true;
            }
            let left = turn.iter().filter(|number| person.messages.get(number) == Some(&Sent::Unanswered));
            let left: Vec<u64> = left.copied().collect();
            if left.is_empty() {
                break;
            }
            if over.load(Ordering::SeqCst) {
                return Ok(());
            }
            let mut wrong = None;
            let device = person.device.clone();
            device.publish(to, &left, |number, told| {
                answered();
                match told {
                    Told::Kept => {
                        person.messages.insert(number, Sent::Kept);
                        person.acknowledged += 1;
                    }
                    other => wrong = Some(format!("message {number} was answered with {other:?}")),
                }
            });
            if let Some(wrong) = wrong {
                return Err(Fault::Wrong(wrong));
            }
            drop(person);
            // Whoever was turned away comes again after a moment.
            park_timeout(Duration::from_millis(2));
        }
    }
    Ok(())
}
