//! Withdrawal under load: eight devices send as fast as they are answered, a consumer reads, and somebody takes a yes
//! back. When that returns, nothing of it is committed and nothing of it is handed on any more.
//!
//! What is looked at, for each withdrawal: how many parts about the person lie in the store when it returns, and how
//! many after the device has gone on sending for a while; how many values the reader's connection had taken when it
//! returned, and how many came to the reader in all; whether a message that was sent after it was kept; and when the
//! device was told its new policy. Without any one of the three parts of the fence this is noticed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test may fail loudly, says what it saw, and is told by the environment how long to run"
)]

mod town;
mod device;
mod export;

use std::time::Duration;

use housecarl_journey::fence::Part;
use oorandom::Rand64;
use tokio::time::{Instant, sleep};
use town::Town;

/// A wait that only a fault makes as long as this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// So many withdrawals of one data directory: what comes in meanwhile fills the disk.
const WITHDRAWALS: u64 = 100;

/// How many data directories there are in the long runs; one in every test run.
fn towns() -> u64 {
    if std::env::var_os("HOUSECARL_TORTURE").is_some() { 10 } else { 1 }
}

/// How many messages a device has to have had answered after a withdrawal before it is looked at what became of them.
const AFTER: u64 = 100;

/// What was seen in many withdrawals.
#[derive(Debug, Default)]
struct Seen {
    withdrawals: u64,
    /// How many returned from within the writing of a group with messages of their home.
    in_a_commit: u64,
    /// Parts that were committed after the return.
    committed_after: u64,
    /// Values that the reader's connection took after the return.
    delivered_after: u64,
    /// Messages that were sent after the return and kept.
    kept_after: u64,
    /// The longest until a device was told its new policy, from when the withdrawal was begun.
    policy_worst: Duration,
    /// The longest withdrawal.
    worst: Duration,
    answered: u64,
    lasted: Duration,
}

impl Seen {
    const fn after(&self) -> u64 {
        self.committed_after + self.delivered_after + self.kept_after
    }

    fn add(&mut self, other: &Self) {
        self.withdrawals += other.withdrawals;
        self.in_a_commit += other.in_a_commit;
        self.policy_worst = self.policy_worst.max(other.policy_worst);
        self.worst = self.worst.max(other.worst);
        self.answered += other.answered;
        self.lasted += other.lasted;
    }
}

/// So many withdrawals, or fewer where `enough` has been seen.
async fn withdraw(town: &Town, seed: u64, number: u64, enough: impl Fn(&Seen) -> bool) -> Seen {
    let mut dice = Rand64::new(u128::from(seed));
    let mut seen = Seen::default();
    let (began, answered) = (Instant::now(), town.answered());
    while seen.withdrawals < number && !enough(&seen) {
        let house = &town.houses[usize::try_from(dice.rand_range(0..town.houses.len() as u64)).unwrap()];
        town.tick();
        let since = town.now();
        town.agree(house).await;
        let delivered = town.handed_on();
        let export = town.export(house).await;
        export.until(dice.rand_range(1..60)).await;
        house.device.until_answered(house.device.sent() + dice.rand_range(1..40)).await;

        let overtaken = town.journey().groups_overtaken();
        let begun = Instant::now();
        town.withdraw(house).await;
        // It has returned: from here on nothing may follow.
        let (taken, held) = (town.handed_on() - delivered, town.held(house, since));
        let from = house.device.sent() + 1;
        seen.worst = seen.worst.max(begun.elapsed());
        seen.in_a_commit += u64::from(town.journey().groups_overtaken() > overtaken);

        let told = house.device.told_that_nothing_is_wanted().await;
        seen.policy_worst = seen.policy_worst.max(told - begun);
        seen.delivered_after += export.whole().await - taken;
        house.device.until_answered(from + AFTER).await;
        seen.committed_after += town.held(house, since).saturating_sub(held);
        seen.kept_after += house.device.kept_from(from);
        seen.withdrawals += 1;
    }
    seen.lasted = began.elapsed();
    seen.answered = town.answered() - answered;
    seen
}

#[test]
fn nothing_follows_a_withdrawal() {
    let mut all = Seen::default();
    for seed in 0..towns() {
        town::run(async {
            let town = Town::open().await;
            let seen = withdraw(&town, seed, WITHDRAWALS, |_| false).await;
            assert_eq!(seen.after(), 0, "{seen:?}");
            all.add(&seen);
            town.close().await;
        });
    }
    let rate = all.answered as f64 / all.lasted.as_secs_f64();
    eprintln!("{rate:.0} messages/s: {all:?}");
    // So many of them came while a group with messages of their home was being written.
    assert!(all.in_a_commit >= all.withdrawals / 10, "{all:?}");
}

/// Each part of the fence alone is missed when it is taken out: what would have been the past goes on, or the group
/// under way is written after the return, or the value in hand is handed on after it.
#[test]
fn without_any_part_of_the_fence_something_follows() {
    /// In which something is sure to have been seen.
    const MANY: u64 = 2_000;
    for part in [Part::Past, Part::Readers, Part::Barrier] {
        town::run(async move {
            let town = Town::open().await;
            town.journey().without(part);
            let seen = withdraw(&town, 1, MANY, |seen| seen.after() > 0).await;
            eprintln!("without {part:?}: {seen:?}");
            let noticed = match part {
                // A reader too goes on as before until the past has ended.
                Part::Past => seen.after(),
                Part::Barrier => seen.committed_after + seen.kept_after,
                Part::Readers => seen.delivered_after,
            };
            assert!(noticed > 0, "nobody misses {part:?}: {seen:?}");
            town.close().await;
        });
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited for nothing: {what}");
        sleep(Duration::from_millis(1)).await;
    }
}
