//! What can happen: a history is a list of these, and nothing else.
//!
//! An operation names people and devices by position, taken modulo how many there are, and everything
//! else by a seed; so any operation can be left out of a history and the rest still mean something.

use housecarl_oracle::dice::Dice;

/// One thing that happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Somebody moves into a home.
    Person {
        /// Which home.
        home: usize,
        /// Which age band, by position.
        band: usize,
    },
    /// A device is added to a home, with a holder or without.
    Device {
        /// Which home.
        home: usize,
        /// Which product.
        product: usize,
        /// Who holds it.
        holder: Option<usize>,
    },
    /// Messages of the home can name a person.
    Mark {
        /// Who.
        person: usize,
    },
    /// A person is told of everything about a product and asked about all of it.
    Welcome {
        /// Who.
        person: usize,
        /// Which product.
        product: usize,
        /// What they answer.
        seed: u64,
    },
    /// What has to be settled for a device is settled.
    SetUp {
        /// Which.
        device: usize,
        /// How.
        seed: u64,
    },
    /// A person says one thing.
    Say {
        /// Who.
        person: usize,
        /// About which product.
        product: usize,
        /// What.
        seed: u64,
    },
    /// One thing is settled for a device.
    Settle {
        /// Which.
        device: usize,
        /// What.
        seed: u64,
    },
    /// A device sends a message.
    Send {
        /// Which.
        device: usize,
        /// What.
        seed: u64,
    },
    /// A device sends several at once, some of them twice.
    Together {
        /// Which.
        device: usize,
        /// What.
        seed: u64,
    },
    /// A device sends again what it sent so many messages ago.
    Resend {
        /// How many.
        ago: usize,
    },
    /// A device sends what is no message.
    Garbage {
        /// Which.
        device: usize,
        /// What.
        seed: u64,
    },
    /// Everything about somebody is erased.
    Erase {
        /// Whom, among people, households and bystanders.
        whom: usize,
    },
    /// A span of time, a stream or an item of what is there about somebody is erased.
    EraseSome {
        /// Whom, likewise.
        whom: usize,
        /// What.
        seed: u64,
    },
    /// Time passes, in seconds.
    Pass(u64),
    /// The clock is set, forward or back, in seconds.
    Jump(i64),
    /// An expiry run.
    Expire,
    /// The files are turned over.
    TurnOver,
    /// The gateway ends and starts again.
    Restart,
}

impl Op {
    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Person { .. } => "person",
            Self::Device { .. } => "device",
            Self::Mark { .. } => "mark",
            Self::Welcome { .. } => "welcome",
            Self::SetUp { .. } => "set-up",
            Self::Say { .. } => "say",
            Self::Settle { .. } => "settle",
            Self::Send { .. } => "send",
            Self::Together { .. } => "together",
            Self::Resend { .. } => "resend",
            Self::Garbage { .. } => "garbage",
            Self::Erase { .. } => "erase",
            Self::EraseSome { .. } => "erase some",
            Self::Pass(_) => "pass",
            Self::Jump(_) => "jump",
            Self::Expire => "expire",
            Self::TurnOver => "turn-over",
            Self::Restart => "restart",
        }
    }
}

/// How many homes a history has; nobody moves into the last.
pub const HOMES: usize = 3;
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// A history from a seed. `length` is how many operations follow those that furnish the homes.
#[must_use]
pub fn history(seed: u64, length: usize) -> Vec<Op> {
    let mut dice = Dice::of(seed);
    let mut ops = furnish(&mut dice);
    // In every other history nobody touches the clock, so that things come to their end.
    let jumps = if seed.is_multiple_of(2) { 12 } else { 0 };
    ops.extend(std::iter::repeat_with(|| next(&mut dice, jumps)).take(length));
    ops
}

fn furnish(dice: &mut Dice) -> Vec<Op> {
    let mut ops = Vec::new();
    for home in [0, 0, 1, dice.place(2)] {
        ops.push(Op::Person { home, band: dice.place(100) });
    }
    for home in 0..HOMES {
        let product = dice.place(100);
        ops.extend((0..2).map(|more| Op::Device { home, product: product + more, holder: Some(home) }));
    }
    ops.push(Op::Device { home: dice.place(HOMES), product: dice.place(100), holder: None });
    ops.extend((0..4).map(|person| Op::Mark { person }));
    ops.extend((0..7).map(|device| Op::SetUp { device, seed: dice.bits() }));
    for person in 0..4 {
        ops.extend((0..4).map(|product| Op::Welcome { person, product, seed: dice.bits() }));
    }
    ops
}

fn next(dice: &mut Dice, jumps: u64) -> Op {
    let (who, which) = (dice.place(1000), dice.place(1000));
    let (seed, product) = (dice.bits(), dice.place(100));
    match dice.weighted(&[
        (430, 0),
        (20, 1),
        (60, 2),
        (15, 3),
        (150, 4),
        (60, 5),
        (25, 6),
        (15, 7),
        (12, 8),
        (15, 17),
        (110, 9),
        (jumps, 10),
        (55, 11),
        (6, 12),
        (8, 13),
        (6, 14),
        (5, 15),
        (5, 16),
    ]) {
        0 => Op::Send { device: which, seed },
        1 => Op::Together { device: which, seed },
        2 => Op::Resend { ago: dice.place(30) },
        3 => Op::Garbage { device: which, seed },
        4 => Op::Say { person: who, product, seed },
        5 => Op::Settle { device: which, seed },
        6 => Op::Welcome { person: who, product, seed },
        7 => Op::SetUp { device: which, seed },
        8 => Op::Erase { whom: who },
        17 => Op::EraseSome { whom: who, seed },
        9 => Op::Pass(match dice.below(10) {
            0..=3 => dice.below(120),
            4..=7 => dice.below(6 * HOUR),
            8 => dice.below(2 * DAY),
            _ => dice.below(12 * DAY),
        }),
        10 => {
            let most = if dice.percent(70) { 3 * DAY } else { 500 * DAY };
            let far = i64::try_from(dice.below(most)).unwrap();
            // More often back than forward, so that a history does not end in the next century.
            Op::Jump(if dice.percent(40) { far } else { -far })
        }
        11 => Op::Expire,
        12 => Op::TurnOver,
        13 => Op::Restart,
        14 => Op::Person { home: dice.place(2), band: which },
        15 => {
            let holder = dice.percent(60).then_some(who);
            Op::Device { home: dice.place(HOMES), product, holder }
        }
        _ => Op::Mark { person: who },
    }
}
