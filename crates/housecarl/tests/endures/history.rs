//! One data directory through many ends of its gateway.
//!
//! In each life the devices send, the operator and the consumer ask, and at a moment drawn from the seed the gateway
//! comes to its end. Then it starts again, and what those outside were told has to hold:
//! - a message that was acknowledged is there, and once; one that was not answered is there once or not at all, and
//!   its device sends it again;
//! - nothing is there that was erased, and an erasure that was not answered has taken all or nothing;
//! - a choice that was answered is in force;
//! - the log has one entry for each read, choice and erasure that was answered, in their order, none for what was not
//!   asked, and goes on from every checkpoint that somebody kept;
//! - the gateway serves again, whatever was cut.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::{park_timeout, scope};
use std::time::Duration;

use housecarl_faults::Faults;
use oorandom::Rand64;

use crate::PATIENCE;
use crate::gateway::Gateway;
use crate::ground::Ground;
use crate::home::{self, Home, now};
use crate::log::{self, Step};
use crate::operator::Operator;
use crate::person::{Person, send};

/// After so many lives the log is read and everything that was ever kept is looked for.
const LIVES_A_CHECK: u64 = 10;
/// How many new messages a device sends in a life at most.
const MESSAGES_MAX: u64 = 24;
/// The files are rid of what was removed as often as they are where nothing else is set, in seconds.
pub(crate) const ONCE_A_DAY: u64 = 86_400;
const TICK: Duration = Duration::from_millis(1);

/// What did not hold.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It does not serve again.
    NotServed(String),
    /// It was acknowledged and is not there.
    Lost(String),
    /// It is there more than once.
    Twice(String),
    /// It is there and should not be.
    Revived(String),
    /// What the log says is not what was done.
    Log(String),
    /// It neither works nor ends.
    Hangs(String),
    /// It answered what nobody may be answered.
    Wrong(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotServed(what) => write!(f, "it does not serve again: {what}"),
            Self::Lost(what) => write!(f, "acknowledged and lost: {what}"),
            Self::Twice(what) => write!(f, "stored twice: {what}"),
            Self::Revived(what) => write!(f, "there and should not be: {what}"),
            Self::Log(what) => write!(f, "the log: {what}"),
            Self::Hangs(what) => write!(f, "it hangs: {what}"),
            Self::Wrong(what) => write!(f, "a wrong answer: {what}"),
        }
    }
}

/// In which part of a life its end falls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum When {
    /// While it starts and recovers, or integrates and expires, which it does first.
    Start,
    /// While messages are committed.
    Work,
    /// While somebody is erased.
    Erasure,
    /// While the files are rid of what was removed.
    TurnOver,
    /// A sync fails, and it has to end itself.
    SyncFails,
    /// Somebody else fills the disk; the power goes later.
    Full,
}

const WHENS: usize = 6;

/// The end of a life: when, and in the midst of which change of the disk from then on. Where it is killed: after how
/// many answers, or milliseconds.
#[derive(Clone, Copy, Debug)]
struct End {
    when: When,
    n: u64,
}

impl End {
    fn draw(dice: &mut Rand64, is_disk: bool) -> Self {
        // So many in a hundred, and how far from there the end is at most.
        let table: &[(u64, When, u64)] = if is_disk {
            &[
                (25, When::Start, 60),
                (43, When::Work, 160),
                (12, When::Erasure, 24),
                (5, When::TurnOver, 900),
                (10, When::SyncFails, 40),
                (5, When::Full, 60),
            ]
        } else {
            &[
                (30, When::Start, 120),
                (50, When::Work, 90),
                (15, When::Erasure, 12),
                (5, When::TurnOver, 1_500),
            ]
        };
        let mut drawn = dice.rand_range(0..100);
        for (chance, when, far) in table {
            if drawn < *chance {
                return Self { when: *when, n: dice.rand_range(1..far + 1) };
            }
            drawn -= chance;
        }
        unreachable!("the chances add up to a hundred")
    }
}

/// What was met on the way.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Seen {
    ends: [u64; WHENS],
    /// Starts that were cut short.
    unserved: u64,
    kept: u64,
    /// Messages whose device was not answered.
    unanswered: u64,
    /// Choices, reads and erasures.
    confirmed: u64,
    unconfirmed: u64,
    erased: u64,
    checkpoints: u64,
    expired: u64,
    writes_lost: u64,
    writes_torn: u64,
    syncs_failed: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        self.ends.iter_mut().zip(other.ends).for_each(|(to, more)| *to += more);
        self.unserved += other.unserved;
        self.kept += other.kept;
        self.unanswered += other.unanswered;
        self.confirmed += other.confirmed;
        self.unconfirmed += other.unconfirmed;
        self.erased += other.erased;
        self.checkpoints += other.checkpoints;
        self.expired += other.expired;
        self.writes_lost += other.writes_lost;
        self.writes_torn += other.writes_torn;
        self.syncs_failed += other.syncs_failed;
    }

    /// That there was something to survive.
    pub(crate) fn must_have_met(&self, ends: u64) {
        assert_eq!(self.ends.iter().sum::<u64>(), ends, "{self}");
        assert!(self.kept > 5 * ends && self.confirmed > ends && self.checkpoints > 0, "{self}");
        assert!(self.unanswered > 0 && self.unconfirmed > 0 && self.erased > 0, "{self}");
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [start, work, erasure, turn_over, sync, full] = self.ends;
        write!(
            f,
            "{start} while it started or integrated, {work} in group commits, {erasure} in an erasure, {turn_over} in a \
             turn-over, {sync} by a failed sync, {full} on a full disk; {} starts cut short; {} messages \
             kept, {} not answered; {} choices, reads and erasures confirmed, {} not; {} erased; {} buckets expired; \
             {} checkpoints kept; the disk lost {} writes, tore {} and failed {} syncs",
            self.unserved,
            self.kept,
            self.unanswered,
            self.confirmed,
            self.unconfirmed,
            self.erased,
            self.expired,
            self.checkpoints,
            self.writes_lost,
            self.writes_torn,
            self.syncs_failed,
        )
    }
}

/// The settings of a gateway on this ground, in a file. `turn_over` is in seconds.
pub(crate) fn settings(ground: &Ground, turn_over: u64) -> PathBuf {
    let settings = ground.beside("settings.toml");
    let text = format!(
        "data = {:?}\nkeep_free_mib = 0\nproducts = [\"watch\"]\nturn_over_seconds = {turn_over}\n\
         mqtt.address = \"127.0.0.1:0\"\nhttp.address = \"127.0.0.1:0\"\n",
        ground.data()
    );
    fs::write(&settings, text).unwrap();
    settings
}

/// A data directory and what those outside know of it.
#[derive(Debug)]
pub(crate) struct History {
    dice: Rand64,
    ground: Ground,
    home: Home,
    people: Vec<Mutex<Person>>,
    asked: Vec<Step>,
    log: log::Seen,
    /// Checkpoints that somebody kept.
    kept: Vec<Vec<u8>>,
    /// The number of the next message, and of the first one of the last life.
    next: u64,
    recent: u64,
    /// When the work of the last life began: seconds since 1970.
    began: u64,
    seen: Seen,
}

impl History {
    pub(crate) fn begin(seed: u64, mut ground: Ground) -> Self {
        ground.up();
        let (home, people) = home::begin(&ground.data());
        ground.down();
        Self {
            dice: Rand64::new(u128::from(seed) + 1),
            ground,
            home,
            people: people.into_iter().map(Mutex::new).collect(),
            asked: Vec::new(),
            log: log::Seen::default(),
            kept: Vec::new(),
            next: 1,
            recent: 1,
            began: now(),
            seen: Seen::default(),
        }
    }

    /// One life from a start to an end.
    pub(crate) fn live(&mut self, number: u64) -> Result<(), Fault> {
        let end = End::draw(&mut self.dice, self.ground.is_disk());
        self.seen.ends[end.when as usize] += 1;
        let all = number.is_multiple_of(LIVES_A_CHECK);
        if all {
            self.check_log()?;
        }
        self.ground.up();
        self.ground.faults(Faults::default());
        if end.when == When::Start {
            self.ground.cut_at(end.n);
        }
        let lived = self.live_until(end, all);
        self.ground.down();
        lived
    }

    fn live_until(&mut self, end: End, all: bool) -> Result<(), Fault> {
        let Some(mut gateway) = self.start(end)? else { return Ok(()) };
        self.verify(&gateway, all)?;
        self.keep_checkpoint();
        self.work(&mut gateway, end)
    }

    /// `None` where the start was cut short.
    fn start(&mut self, end: End) -> Result<Option<Gateway>, Fault> {
        let turn_over = if end.when == When::TurnOver { 1 } else { ONCE_A_DAY };
        let settings = settings(&self.ground, turn_over);
        let mut ticks = 0;
        let killed_at = (!self.ground.is_disk() && end.when == When::Start).then_some(end.n);
        let started = Gateway::start(&settings, || {
            ticks += 1;
            !self.ground.has_power() || killed_at.is_some_and(|tick| ticks > tick)
        });
        match started {
            Ok(gateway) => Ok(Some(gateway)),
            Err(_) if !self.ground.has_power() || killed_at.is_some() => {
                self.seen.unserved += 1;
                Ok(None)
            }
            Err(not) => Err(Fault::NotServed(not.why)),
        }
    }

    /// Looks for what has to be there; `all` of it, or what came in the last life.
    fn verify(&mut self, gateway: &Gateway, all: bool) -> Result<(), Fault> {
        let mut operator = Operator { home: &self.home, http: gateway.http, asked: Vec::new() };
        let compared = self.people.iter().try_for_each(|person| {
            let mut person = person.lock().unwrap();
            let all = all || person.in_doubt.is_some();
            // A moment before: the clock of the gateway is read in seconds.
            let (since, from) = if all { (0, 0) } else { (self.recent, self.began.saturating_sub(2)) };
            let from = jiff::Timestamp::from_second(i64::try_from(from).unwrap()).unwrap().to_string();
            if let Some(found) = operator.read(&person.id, "activity", &from)? {
                person.compare(&found, since)?;
            }
            if let Some(false) = person.coaching
                && let Some(found) = operator.read(&person.id, "coaching", &from)?
                && !found.is_empty()
            {
                return Err(Fault::Revived(format!(
                    "{} messages for a purpose that was refused",
                    found.len()
                )));
            }
            Ok(())
        });
        self.asked.append(&mut operator.asked);
        compared
    }

    /// Somebody keeps the checkpoint that is published now, if there is one yet.
    fn keep_checkpoint(&mut self) {
        if let Ok(checkpoint) = fs::read(self.ground.data().join("log/checkpoint")) {
            self.kept.push(checkpoint);
            self.seen.checkpoints += 1;
        }
    }

    /// Everybody is at work until the end.
    fn work(&mut self, gateway: &mut Gateway, end: End) -> Result<(), Fault> {
        (self.recent, self.began) = (self.next, now());
        let (ground, people) = (&self.ground, &self.people);
        let mut operator = Operator { home: &self.home, http: gateway.http, asked: Vec::new() };
        let (over, answers, erasing) = (AtomicBool::new(false), AtomicU64::new(0), AtomicBool::new(false));
        let failed_before = ground.counts().syncs_failed;
        let mut news = Vec::new();
        for _ in people {
            let count = self.dice.rand_range(0..MESSAGES_MAX + 1);
            news.push((self.next..self.next + count).collect::<Vec<u64>>());
            self.next += count;
        }
        let tasks: Vec<u64> = (0..3).map(|_| self.dice.rand_range(0..100)).collect();
        let whom: Vec<usize> =
            (0..3).map(|_| usize::try_from(self.dice.rand_range(0..people.len() as u64)).unwrap()).collect();
        let mqtt = gateway.mqtt;
        if end.when == When::Full {
            // Nothing is under way for the one who is erased, or it would wait for room.
            news[whom[0]].clear();
            ground.fill(true);
        }
        match end.when {
            When::Work | When::TurnOver => ground.cut_at(end.n),
            When::SyncFails => ground.faults(Faults { fail_sync_after: Some(end.n), ..Faults::default() }),
            _ => {}
        }
        let (over, answers, erasing) = (&over, &answers, &erasing);
        let done = scope(|scope| {
            let answered = || {
                answers.fetch_add(1, SeqCst);
            };
            let mut devices = Vec::new();
            for (person, new) in people.iter().zip(&news) {
                devices.push(scope.spawn(move || send(person, new, mqtt, over, &answered)));
            }
            let operator = &mut operator;
            let asking = scope.spawn(move || -> Result<(), Fault> {
                let erase = |operator: &mut Operator<'_>, at: usize| {
                    operator.erase(&people[at], || {
                        erasing.store(true, SeqCst);
                        if end.when == When::Erasure {
                            ground.cut_at(end.n);
                        }
                    })
                };
                if end.when == When::Full {
                    let withdrawn = operator.choose(&people[whom[0]])?;
                    let erased = erase(operator, whom[0])?;
                    let refused = !withdrawn || erased == Some(false);
                    ground.fill(false);
                    if refused {
                        return Err(Fault::Wrong(format!("a full disk blocks: {withdrawn} {erased:?}")));
                    }
                    ground.cut_at(end.n);
                }
                if end.when == When::Erasure {
                    erase(operator, whom[0])?;
                }
                for (task, at) in tasks.iter().zip(whom) {
                    match task {
                        0..50 => drop(operator.choose(&people[at])?),
                        50..95 => {
                            let id = people[at].lock().unwrap().id.clone();
                            operator.read(&id, "coaching", "2027-01-01T00:00:00Z")?;
                        }
                        _ => drop(erase(operator, at)?),
                    }
                    answered();
                }
                Ok(())
            });
            let (mut ticks, mut since_erasure) = (0_u64, 0_u64);
            let limit = u64::try_from(PATIENCE.as_millis()).unwrap();
            loop {
                park_timeout(TICK);
                ticks += 1;
                since_erasure += u64::from(erasing.load(SeqCst));
                let all_done = asking.is_finished() && devices.iter().all(|device| device.is_finished());
                let sync_failed = ground.counts().syncs_failed > failed_before;
                let is_over = match end.when {
                    _ if !ground.has_power() || gateway.ended().is_some() => true,
                    // It has to end of itself.
                    When::SyncFails if sync_failed && ticks < limit => false,
                    When::TurnOver if ticks < 4_000 => !ground.is_disk() && ticks > 1_000 + end.n,
                    When::Work if !ground.is_disk() => all_done || answers.load(SeqCst) >= end.n,
                    When::Erasure if !ground.is_disk() => all_done || since_erasure > end.n,
                    _ => all_done || ticks > limit,
                };
                if is_over {
                    break;
                }
            }
            let hangs = ticks > limit;
            let ended = gateway.ended();
            over.store(true, SeqCst);
            ground.cut();
            gateway.kill();
            let mut done = asking.join().unwrap();
            for device in devices {
                done = done.and(device.join().unwrap());
            }
            if hangs && done.is_ok() {
                done = Err(Fault::Hangs(format!("after {ticks} ticks in {:?}", end.when)));
            }
            done.map(|()| ended)
        });
        let failed = ground.counts().syncs_failed > failed_before;
        self.seen.unanswered +=
            people.iter().map(|person| person.lock().unwrap().unanswered().len() as u64).sum::<u64>();
        self.asked.append(&mut operator.asked);
        match done? {
            Some(status) if failed && status.code() != Some(1) => Err(Fault::Wrong(format!(
                "after a failed sync it ended with {status}: {}",
                gateway.complaints()
            ))),
            _ => Ok(()),
        }
    }

    /// Reads the log as whoever holds the data directory can.
    fn check_log(&mut self) -> Result<(), Fault> {
        self.ground.up();
        self.ground.faults(Faults::default());
        let journey = home::open(&self.ground.data());
        let checked = self.log.check(&journey, &self.home, &self.asked, &self.kept);
        drop(journey);
        self.kept.clear();
        self.ground.down();
        checked
    }

    /// A last life that nothing ends, in which everything is answered and looked at.
    pub(crate) fn finish(mut self) -> Result<Seen, Fault> {
        self.ground.up();
        self.ground.faults(Faults::default());
        let end = End { when: When::Full, n: 0 };
        let gateway = self.start(end)?.ok_or_else(|| Fault::NotServed("nobody cut it short".to_owned()))?;
        let mut seen = self.seen;
        self.verify(&gateway, true)?;
        for person in &self.people {
            send(person, &[], gateway.mqtt, &AtomicBool::new(false), &|| ())?;
        }
        self.verify(&gateway, true)?;
        drop(gateway);
        self.ground.down();
        self.check_log()?;
        for person in &self.people {
            seen.kept += person.lock().unwrap().acknowledged;
        }
        seen.expired = self.log.expired;
        if seen.expired != 1 {
            return Err(Fault::Log(format!("one bucket was over, and {} expired", seen.expired)));
        }
        seen.confirmed = self.asked.iter().filter(|step| step.confirmed).count() as u64;
        seen.unconfirmed = self.asked.len() as u64 - seen.confirmed;
        let erased = self.asked.iter().filter(|step| step.confirmed && step.what.starts_with("erase"));
        seen.erased = erased.count() as u64;
        let counts = self.ground.counts();
        (seen.writes_lost, seen.writes_torn, seen.syncs_failed) =
            (counts.writes_lost, counts.writes_torn, counts.syncs_failed);
        Ok(seen)
    }
}
