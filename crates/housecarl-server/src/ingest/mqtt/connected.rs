//! Who is connected under which client identifier, and who was and will be back.
//!
//! A client that finds no session from before has to forget what it sent and saw no answer to. So a session
//! is remembered for who asks for it, though it holds next to nothing, or a message that was put off would
//! be lost at a careful client. It is in memory only: a house that closes answers what it took first.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::policy::Subscription;

/// A device's name and a client identifier. Devices cannot push each other out by choosing the same one.
type Key = (String, String);

/// Whoever is connected, or away.
pub(super) struct Connected {
    seats: Arc<Mutex<Seats>>,
    per_device_max: usize,
}

struct Seats {
    all: BTreeMap<Arc<Key>, Session>,
    /// How many are away.
    away: usize,
    away_max: usize,
    /// The number of the next who sits down.
    next: u64,
}

struct Session {
    holder: Holder,
    subscription: Option<Subscription>,
    /// How long it outlives the connection.
    kept_for: Duration,
}

enum Holder {
    /// Somebody by a number, and how to tell them that the seat was taken.
    Here(u64, oneshot::Sender<()>),
    /// Nobody, and until when somebody is expected.
    Away(Instant),
}

/// A connection's seat.
pub(super) struct Seat {
    pub(super) held: Held,
    /// Done when another connection has taken the seat.
    pub(super) lost: oneshot::Receiver<()>,
}

/// The seat is free again when this is dropped.
pub(super) struct Held {
    seats: Arc<Mutex<Seats>>,
    key: Arc<Key>,
    number: u64,
}

/// What was there before somebody sat down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Before {
    /// Whether another connection had the seat.
    pub(super) was_taken: bool,
    /// Whether there is a session from before.
    pub(super) is_present: bool,
    /// What it consists of.
    pub(super) subscription: Option<Subscription>,
}

/// The device has as many seats as it may.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeviceFull;

impl Connected {
    pub(super) fn new(per_device_max: usize, away_max: usize) -> Self {
        let seats = Seats { all: BTreeMap::new(), away: 0, away_max, next: 0 };
        Self { seats: Arc::new(Mutex::new(seats)), per_device_max }
    }

    /// Takes a seat, from another connection if need be. The session from before is forgotten where the
    /// client wants that (`is_clean`); the new one will outlive the connection by `kept_seconds`.
    pub(super) fn sit(
        &self,
        device: &str,
        client_id: &str,
        is_clean: bool,
        kept_seconds: u32,
    ) -> Result<(Seat, Before), DeviceFull> {
        let mut seats = lock(&self.seats);
        let before = seats.all.get(&(device.to_owned(), client_id.to_owned()));
        if before.is_none() && !seats.make_room(device, self.per_device_max) {
            return Err(DeviceFull);
        }
        let number = seats.next;
        seats.next += 1;
        let (tell, lost) = oneshot::channel();
        let key = Arc::new((device.to_owned(), client_id.to_owned()));
        let kept_for = Duration::from_secs(kept_seconds.into());
        let fresh = Session { holder: Holder::Here(number, tell), subscription: None, kept_for };
        let left = seats.all.insert(Arc::clone(&key), fresh);
        let mut before = Before { was_taken: false, is_present: false, subscription: None };
        if let Some(left) = left {
            let mut is_there = !left.kept_for.is_zero();
            match left.holder {
                Holder::Here(_, tell) => before.was_taken = tell.send(()).is_ok(),
                Holder::Away(until) => {
                    seats.away = seats.away.saturating_sub(1);
                    is_there &= Instant::now() < until;
                }
            }
            if is_there && !is_clean {
                before.is_present = true;
                before.subscription = left.subscription;
            }
        }
        if let Some(session) = seats.all.get_mut(&*key) {
            session.subscription = before.subscription;
        }
        Ok((Seat { held: Held { seats: Arc::clone(&self.seats), key, number }, lost }, before))
    }
}

impl Held {
    /// What the session consists of from now on.
    pub(super) fn remember(&self, subscription: Option<Subscription>) {
        self.change(|session| session.subscription = subscription);
    }

    /// How long the session outlives the connection after all.
    pub(super) fn keep_for(&self, seconds: u32) {
        self.change(|session| session.kept_for = Duration::from_secs(seconds.into()));
    }

    fn change(&self, change: impl FnOnce(&mut Session)) {
        if let Some(session) = lock(&self.seats).mine(&self.key, self.number) {
            change(session);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut seats = lock(&self.seats);
        // Whoever took the seat keeps it.
        let Some(session) = seats.mine(&self.key, self.number) else { return };
        let now = Instant::now();
        let until = now + session.kept_for;
        if until > now && seats.has_room_for_one_away(now) {
            seats.away += 1;
            if let Some(session) = seats.mine(&self.key, self.number) {
                session.holder = Holder::Away(until);
            }
        } else {
            seats.all.remove(&*self.key);
        }
    }
}

impl Seats {
    fn mine(&mut self, key: &Key, number: u64) -> Option<&mut Session> {
        let session = self.all.get_mut(key)?;
        matches!(session.holder, Holder::Here(holder, _) if holder == number).then_some(session)
    }

    /// Whether a device has fewer than so many seats, after the one was given up, if need be, whose client
    /// is away and expected the least long.
    fn make_room(&mut self, device: &str, max: usize) -> bool {
        let first = (device.to_owned(), String::new());
        let onwards = self.all.range::<Key, _>((Bound::Included(&first), Bound::Unbounded));
        let mut number = 0;
        let mut least = None;
        for (key, session) in onwards.take_while(|(key, _)| key.0 == device) {
            number += 1;
            if let Holder::Away(until) = session.holder
                && least.as_ref().is_none_or(|(earliest, _)| until < *earliest)
            {
                least = Some((until, Arc::clone(key)));
            }
        }
        if number < max {
            return true;
        }
        let Some((_, key)) = least else { return false };
        self.all.remove(&*key);
        self.away = self.away.saturating_sub(1);
        number == max
    }

    fn has_room_for_one_away(&mut self, now: Instant) -> bool {
        if self.away >= self.away_max {
            self.all.retain(|_, session| !session.is_overdue(now));
            self.away = self.all.values().filter(|session| matches!(session.holder, Holder::Away(_))).count();
        }
        self.away < self.away_max
    }
}

impl Session {
    fn is_overdue(&self, now: Instant) -> bool {
        matches!(self.holder, Holder::Away(until) if until <= now)
    }
}

fn lock(seats: &Mutex<Seats>) -> MutexGuard<'_, Seats> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

    use super::*;

    fn sit(connected: &Connected, device: &str, client_id: &str) -> Result<(Seat, Before), DeviceFull> {
        connected.sit(device, client_id, false, 0)
    }

    #[test]
    fn the_last_to_come_has_the_seat() {
        let connected = Connected::new(2, 10);
        let (mut first, before) = sit(&connected, "kettle", "a").unwrap();
        assert!(!before.was_taken);
        assert!(first.lost.try_recv().is_err());
        let (second, before) = sit(&connected, "kettle", "a").unwrap();
        assert!(before.was_taken && !before.is_present);
        assert!(first.lost.try_recv().is_ok());
        drop(first);
        let (_third, before) = sit(&connected, "kettle", "a").unwrap();
        assert!(before.was_taken, "the seat of the second was not freed by the first");
        drop(second);
        assert!(!sit(&connected, "lamp", "a").unwrap().1.was_taken, "another device, another seat");
    }

    #[test]
    fn a_device_has_so_many_seats() {
        let connected = Connected::new(2, 10);
        let held = [sit(&connected, "kettle", "a").unwrap(), sit(&connected, "kettle", "b").unwrap()];
        let _other = sit(&connected, "kettle2", "a").unwrap();
        assert!(sit(&connected, "kettle", "c").is_err());
        assert!(sit(&connected, "kettle", "b").is_ok(), "one of its own it may take");
        drop(held);
        assert!(sit(&connected, "kettle", "c").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_found_again_in_time_and_by_who_wants_it() {
        let connected = Connected::new(1, 10);
        let sit = |is_clean| connected.sit("kettle", "a", is_clean, 60).unwrap();
        let is_present = |is_clean| sit(is_clean).1.is_present;
        assert!(!is_present(false), "the first time there is none");
        assert!(is_present(false));
        assert!(!is_present(true));
        assert!(is_present(false), "the clean one was a session too");
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(is_present(false));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(!is_present(false), "too late");
        assert!(connected.sit("kettle", "b", false, 0).is_ok(), "who is away gives way to who is here");
        assert!(!is_present(false));
        let (seat, _) = sit(false);
        seat.held.keep_for(0);
        drop(seat);
        assert!(lock(&connected.seats).all.is_empty() && lock(&connected.seats).away == 0);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_are_expected_back() {
        let connected = Connected::new(1, 2);
        let is_present = |device: &str| connected.sit(device, "a", false, 60).unwrap().1.is_present;
        assert!(!is_present("one") && !is_present("two") && !is_present("three"));
        assert!(is_present("one") && is_present("two") && !is_present("three"));
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(!is_present("three"));
        assert!(is_present("three"), "the overdue make room");
        assert_eq!(lock(&connected.seats).all.len(), 1);
    }
}
