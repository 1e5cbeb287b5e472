//! How much one device may send, over all its connections and whichever protocol it speaks: a
//! device in a loop takes up its own share and nobody else's.
//!
//! Each message is paid for with time: one of two a second costs half of one. A device that has
//! paid further ahead than [`SAVED`] has to wait. What it is let in with may be more than is left,
//! and is then waited for afterwards, so that a batch of any size is taken sooner or later.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use housecarl_journey::people::DeviceId;
use tokio::time::Instant;

/// What a device has not sent for so long it may send at once.
pub const SAVED: Duration = Duration::from_secs(10);

/// How much a device may send in the long run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rates {
    /// Messages a second.
    pub messages_per_second: u32,
    /// Bytes of payload a second.
    pub bytes_per_second: u32,
}

/// The quotas of all devices. Where there are no rates, there is no bound.
#[derive(Default)]
pub struct Quotas {
    rates: Option<Rates>,
    /// One for each device that has sent something, so at most as many as are enrolled.
    devices: Mutex<BTreeMap<DeviceId, Arc<Mutex<Paid>>>>,
}

/// Until when a device has paid; `None` before its first message.
#[derive(Clone, Copy, Default)]
struct Paid {
    messages: Option<Instant>,
    bytes: Option<Instant>,
}

/// The quota of one device.
#[derive(Clone)]
pub struct Quota {
    rates: Option<Rates>,
    paid: Arc<Mutex<Paid>>,
}

/// A device sends more than it may, and may send again after so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OverQuota(pub Duration);

impl Quotas {
    /// Quotas of so much.
    #[must_use]
    pub fn new(rates: Rates) -> Self {
        Self { rates: Some(rates), devices: Mutex::default() }
    }

    /// The quota of a device.
    #[must_use]
    pub fn of(&self, device: DeviceId) -> Quota {
        Quota { rates: self.rates, paid: Arc::clone(lock(&self.devices).entry(device).or_default()) }
    }
}

impl Quota {
    /// Whether the device may send something now.
    ///
    /// # Errors
    /// [`OverQuota`].
    pub fn check(&self) -> Result<(), OverQuota> {
        self.take(0, 0)
    }

    /// Takes so many messages, with so many bytes of payload all together, or none of them.
    ///
    /// # Errors
    /// [`OverQuota`].
    pub fn take(&self, messages: usize, bytes: usize) -> Result<(), OverQuota> {
        let Some(rates) = self.rates else { return Ok(()) };
        let (now, mut paid) = (Instant::now(), lock(&self.paid));
        let ahead = [paid.messages, paid.bytes].into_iter().flatten().max();
        let ahead = ahead.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if ahead > SAVED {
            return Err(OverQuota(ahead.saturating_sub(SAVED)));
        }
        pay(&mut paid.messages, messages, rates.messages_per_second, now);
        pay(&mut paid.bytes, bytes, rates.bytes_per_second, now);
        Ok(())
    }
}

impl OverQuota {
    /// Whole seconds to wait, as HTTP says it.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0.as_secs().saturating_add(1)
    }
}

/// Pays for so much at so much a second.
fn pay(until: &mut Option<Instant>, number: usize, per_second: u32, now: Instant) {
    let one = Duration::from_secs(1) / per_second.max(1);
    let cost = one.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
    let from = until.map_or(now, |until| until.max(now));
    *until = from.checked_add(cost).or(*until);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Quotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quotas").field("rates", &self.rates).finish_non_exhaustive()
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota").field("rates", &self.rates).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const RATES: Rates = Rates { messages_per_second: 2, bytes_per_second: 100 };

    fn device(number: u8) -> DeviceId {
        DeviceId([number; 16])
    }

    /// How many of these are taken before one is not.
    fn until_over(quota: &Quota, messages: usize, bytes: usize) -> usize {
        (0..1_000).take_while(|_| quota.take(messages, bytes).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_saved_goes_at_once_and_the_rest_at_its_rate() {
        let quotas = Quotas::new(RATES);
        let quota = quotas.of(device(1));
        // Ten seconds' worth, and one that is waited for afterwards.
        assert_eq!(until_over(&quota, 1, 0), 21);
        assert_eq!(quota.take(1, 0), Err(OverQuota(Duration::from_millis(500))));
        assert_eq!(until_over(&quotas.of(device(2)), 1, 0), 21, "another device has its own");
        assert_eq!(until_over(&quotas.of(device(1)), 1, 0), 0, "another connection has the same");
        advance(Duration::from_secs(3)).await;
        assert_eq!(until_over(&quota, 1, 0), 6);
        advance(Duration::from_secs(3_600)).await;
        assert_eq!(until_over(&quota, 1, 0), 21, "no more than that is saved");
    }

    #[tokio::test(start_paused = true)]
    async fn either_of_the_two_is_a_bound() {
        let quota = Quotas::new(RATES).of(device(1));
        assert_eq!(until_over(&quota, 1, 500), 3);
        assert_eq!(quota.check(), Err(OverQuota(Duration::from_secs(5))));
        assert_eq!(quota.check().map_err(OverQuota::seconds), Err(6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_of_any_size_is_taken_and_waited_for() {
        let quota = Quotas::new(RATES).of(device(1));
        assert_eq!(quota.take(1_000, 10), Ok(()));
        assert_eq!(quota.check(), Err(OverQuota(Duration::from_secs(490))));
        advance(Duration::from_secs(490)).await;
        assert_eq!(quota.take(1_000, 10), Ok(()));
        assert_eq!(quota.take(usize::MAX, usize::MAX), Err(OverQuota(Duration::from_secs(500))));
    }

    #[test]
    fn without_rates_there_is_no_bound() {
        let quota = Quotas::default().of(device(1));
        assert_eq!(until_over(&quota, usize::MAX, usize::MAX), 1_000);
    }
}
