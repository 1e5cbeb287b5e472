//! How many connections come from where, until it is known whose they are.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

type Numbers = Arc<Mutex<BTreeMap<IpAddr, u32>>>;

/// The connections whose owner is not known, by address.
pub(super) struct Callers {
    numbers: Numbers,
    per_address_max: u32,
}

/// One of them, counted until it is dropped.
pub(super) struct Caller {
    numbers: Numbers,
    address: IpAddr,
}

impl Callers {
    pub(super) fn new(per_address_max: u32) -> Self {
        Self { numbers: Numbers::default(), per_address_max }
    }

    /// Counts one more, where there is room.
    pub(super) fn come(&self, address: IpAddr) -> Option<Caller> {
        let address = network(address);
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let number = numbers.entry(address).or_default();
        if *number >= self.per_address_max {
            return None;
        }
        *number += 1;
        Some(Caller { numbers: Arc::clone(&self.numbers), address })
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = numbers.get_mut(&self.address) {
            *number = number.saturating_sub(1);
            if *number == 0 {
                numbers.remove(&self.address);
            }
        }
    }
}

/// What one subscriber has: an address of IPv4, a /64 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

    use super::*;

    #[test]
    fn each_address_has_its_own_number_and_gets_it_back() {
        let callers = Callers::new(2);
        let come = |address: &str| callers.come(address.parse().unwrap());
        let (first, second) = (come("192.0.2.1"), come("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(come("192.0.2.1").is_none(), "a mapped address is the same address");
        assert!(come("192.0.2.2").is_some());
        let held = [come("2001:db8::1"), come("2001:db8::ffff:2")];
        assert!(held.iter().all(Option::is_some));
        assert!(come("2001:db8::3").is_none(), "a subscriber has a whole /64");
        assert!(come("2001:db8:0:1::3").is_some());
        drop((first, second, held));
        assert!(come("192.0.2.1").is_some());
        assert!(callers.numbers.lock().unwrap().is_empty(), "nobody is remembered");
    }
}
