//! Who is connected under which client identifier, so that the same one is there once.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// A device's name and a client identifier. Devices cannot push each other out by choosing the same one.
type Key = (String, String);

/// Whoever is connected.
#[derive(Debug)]
pub(super) struct Connected {
    seats: Arc<Mutex<Seats>>,
    per_device_max: usize,
}

#[derive(Debug, Default)]
struct Seats {
    /// Who sits where, and how to tell them that the seat was taken.
    taken: BTreeMap<Arc<Key>, (u64, oneshot::Sender<()>)>,
    /// The number of the next who sits down.
    next: u64,
}

/// A connection's seat, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Mutex<Seats>>,
    key: Arc<Key>,
    number: u64,
    /// Done when another connection has taken the seat.
    pub(super) lost: oneshot::Receiver<()>,
}

/// The device has as many connections as it may.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeviceFull;

impl Connected {
    pub(super) fn new(per_device_max: usize) -> Self {
        Self { seats: Arc::default(), per_device_max }
    }

    /// Takes a seat, from another connection if need be, and says whether it was.
    pub(super) fn sit(&self, device: &str, client_id: &str) -> Result<(Seat, bool), DeviceFull> {
        let key = Arc::new((device.to_owned(), client_id.to_owned()));
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if !seats.taken.contains_key(&*key) {
            let first = (device.to_owned(), String::new());
            let onwards = seats.taken.range::<Key, _>((Bound::Included(&first), Bound::Unbounded));
            if onwards.take_while(|(key, _)| key.0 == device).count() >= self.per_device_max {
                return Err(DeviceFull);
            }
        }
        let number = seats.next;
        seats.next += 1;
        let (tell, lost) = oneshot::channel();
        let before = seats.taken.insert(Arc::clone(&key), (number, tell));
        let was_taken = before.is_some_and(|(_, tell)| tell.send(()).is_ok());
        Ok((Seat { seats: Arc::clone(&self.seats), key, number, lost }, was_taken))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever took the seat keeps it.
        if seats.taken.get(&*self.key).is_some_and(|(number, _)| *number == self.number) {
            seats.taken.remove(&*self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

    use super::*;

    #[test]
    fn the_last_to_come_has_the_seat() {
        let connected = Connected::new(2);
        let (mut first, was_taken) = connected.sit("kettle", "a").unwrap();
        assert!(!was_taken);
        assert!(first.lost.try_recv().is_err());
        let (second, was_taken) = connected.sit("kettle", "a").unwrap();
        assert!(was_taken);
        assert!(first.lost.try_recv().is_ok());
        drop(first);
        let (_third, was_taken) = connected.sit("kettle", "a").unwrap();
        assert!(was_taken, "the seat of the second was not freed by the first");
        drop(second);
        assert!(!connected.sit("lamp", "a").unwrap().1, "another device, another seat");
    }

    #[test]
    fn a_device_has_so_many_seats() {
        let connected = Connected::new(2);
        let held = [connected.sit("kettle", "a").unwrap(), connected.sit("kettle", "b").unwrap()];
        let _other = connected.sit("kettle2", "a").unwrap();
        assert!(connected.sit("kettle", "c").is_err());
        assert!(connected.sit("kettle", "b").is_ok(), "one of its own it may take");
        drop(held);
        assert!(connected.sit("kettle", "c").is_ok());
    }
}
