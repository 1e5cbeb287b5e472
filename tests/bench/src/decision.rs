//! What one decision costs: one item against all its purposes, for one person of a million.

use std::cell::RefCell;
use std::hint::black_box;

use housecarl_journey::people::{PersonId, Standings};
use housecarl_measure::figures::{figure, grouped};
use housecarl_measure::machine;
use housecarl_measure::rounds::{Contestant, Times, race};
use housecarl_oracle::dice::Dice;
use housecarl_oracle::facts::{Case, Subject as Told};
use housecarl_policy::{DeviceStanding, ItemId, Question, Standing, Subject, Table, decide};
use regorus::Value;

use crate::people::{self, Names, PEOPLE};
use crate::product::{PURPOSES_PER_ITEM, Product, Shape};
use crate::{cedar, rego};

/// The tables: 20, 200 and 2,000 pairs of an item and a purpose.
pub(crate) const SHAPES: [Shape; 3] =
    [Shape { items: 5, purposes: 5 }, Shape { items: 50, purposes: 20 }, Shape { items: 500, purposes: 100 }];

const ROUNDS: usize = 31;
/// On so many random questions for each table everybody has to agree before anything is timed.
const AGREED: usize = 2_000;
/// How many of them the peers are timed on.
const PREBUILT: usize = 256;
/// How many people are drawn for us to look up, more than any cache holds.
const DRAWN: usize = 1 << 20;

const OURS_A_TURN: usize = 50_000;
const REGO_A_TURN: usize = 256;
const CEDAR_A_TURN: usize = 48;

/// One table with everybody who decides by it.
struct Trial<'p> {
    product: &'p Product,
    table: Table<'p>,
    device: DeviceStanding,
    cedar: cedar::Peer,
    rego: RefCell<rego::Peer>,
    for_cedar: Vec<cedar::Prebuilt>,
    for_rego: Vec<Value>,
    items: Vec<ItemId>,
    permitted_percent: usize,
}

impl<'p> Trial<'p> {
    fn of(product: &'p Product, standings: &Standings) -> Self {
        let table = product.table();
        let mut dice = Dice::of(2);
        let declared: Vec<ItemId> = table.items().map(|(id, _)| id).collect();
        let mut trial = Self {
            product,
            device: people::device(&mut dice, product),
            cedar: cedar::Peer::of(product),
            rego: RefCell::new(rego::Peer::of(product, &table)),
            for_cedar: Vec::new(),
            for_rego: Vec::new(),
            items: (0..DRAWN).map(|_| *dice.pick(&declared)).collect(),
            permitted_percent: 0,
            table,
        };
        trial.agree(standings, &mut dice);
        trial
    }

    /// Everybody answers the same random questions, and has to answer them alike. The first are
    /// kept for timing: about messages that arrive.
    fn agree(&mut self, standings: &Standings, dice: &mut Dice) {
        let names = Names::of(&self.table, &self.product.manifest);
        let device = names.device(&self.device);
        let (mut asked, mut permitted) = (0, 0);
        for number in 0..PREBUILT + AGREED {
            let arrives = number < PREBUILT;
            let item = self.items[number];
            let question = if arrives { people::arrives(item) } else { people::any_question(dice, item) };
            let standing = standings.get(people::anybody(dice)).unwrap();
            let ours = self.ours(&standing, question).permitted;
            let case = Case {
                device: device.clone(),
                subject: Told::Person(names.person(&standing)),
                question: names.question(question),
            };
            let uses = self.table.item(item).unwrap().uses;
            let for_cedar = self.cedar.prebuild(&self.table, uses, &case);
            let for_rego = rego::input(&case);
            let theirs = self.cedar.decide(&for_cedar);
            assert_eq!(ours, theirs, "Cedar permits the second: {case:?}");
            let mut rego = self.rego.borrow_mut();
            let answer = rego.decide(&for_rego);
            assert_eq!(ours, rego.numbers(&answer), "Rego permits the second: {case:?}");
            drop(rego);
            if arrives {
                (asked, permitted) = (asked + uses.len(), permitted + ours.len());
                self.for_cedar.push(for_cedar);
                self.for_rego.push(for_rego);
            }
        }
        self.permitted_percent = (permitted * 100 / asked) as usize;
    }

    fn ours(&self, standing: &Standing, question: Question) -> housecarl_policy::Decision {
        decide(&self.table, &self.device, Subject::Person(standing), question)
    }
}

/// In the order of a trial's contestants.
#[derive(Clone, Copy)]
enum Who {
    Ours,
    Lookup,
    Arrives,
    IsRead,
    Rego,
    Cedar,
}

const CONTESTANTS: usize = 6;

/// What is drawn for the next turn: other people each time.
fn next<'d, T>(drawn: &'d [T], at: &mut usize, count: usize) -> &'d [T] {
    if *at + count > drawn.len() {
        *at = 0;
    }
    let from = *at;
    *at += count;
    &drawn[from..*at]
}

fn contestants<'t>(
    trial: &'t Trial<'_>,
    standings: &'t Standings,
    drawn: &'t [PersonId],
    near: &'t [Standing],
    first: usize,
) -> [Contestant<'t>; CONTESTANTS] {
    // In one round everybody draws other people: what one fetched is not near for the next.
    let (mut ours_at, mut lookup_at, mut rego_at, mut cedar_at) = (first, first + DRAWN / 6, 0, 0);
    let alone = |question: fn(ItemId) -> Question| {
        Contestant::new(OURS_A_TURN, move || {
            for (at, item) in trial.items[..OURS_A_TURN].iter().enumerate() {
                black_box(trial.ours(&near[at % near.len()], question(*item)));
            }
        })
    };
    [
        Contestant::new(OURS_A_TURN, move || {
            let people = next(drawn, &mut ours_at, OURS_A_TURN);
            for (person, item) in people.iter().zip(&trial.items) {
                let standing = standings.get(*person).unwrap();
                black_box(trial.ours(&standing, people::arrives(*item)));
            }
        }),
        Contestant::new(OURS_A_TURN, move || {
            for person in next(drawn, &mut lookup_at, OURS_A_TURN) {
                black_box(standings.get(*person));
            }
        }),
        alone(people::arrives),
        alone(people::is_read),
        Contestant::new(REGO_A_TURN, move || {
            let mut rego = trial.rego.borrow_mut();
            for input in next(&trial.for_rego, &mut rego_at, REGO_A_TURN) {
                black_box(rego.decide(input));
            }
        }),
        Contestant::new(CEDAR_A_TURN, move || {
            for question in next(&trial.for_cedar, &mut cedar_at, CEDAR_A_TURN) {
                black_box(trial.cedar.decide(question));
            }
        }),
    ]
}

pub(crate) fn run() {
    let products = SHAPES.map(Product::of);
    let standings = SHAPES.map(|shape| people::standings(PEOPLE, u32::try_from(shape.purposes).unwrap()));
    let trials: Vec<Trial<'_>> =
        products.iter().zip(&standings).map(|(product, standings)| Trial::of(product, standings)).collect();
    let mut dice = Dice::of(3);
    let drawn: Vec<PersonId> = (0..DRAWN).map(|_| people::anybody(&mut dice)).collect();
    let near = standings.each_ref().map(|standings| -> Vec<Standing> {
        drawn[..64].iter().map(|person| standings.get(*person).unwrap()).collect()
    });

    let everybody = trials.iter().enumerate().flat_map(|(table, trial)| {
        contestants(trial, &standings[table], &drawn, &near[table], table * DRAWN / SHAPES.len())
    });
    let mut everybody: Vec<Contestant<'_>> = everybody.collect();
    let times = race(ROUNDS, &mut everybody);
    let time = |table: usize, who: Who| &times[table * CONTESTANTS + who as usize];
    print(&trials, &time);
}

fn print<'t>(trials: &[Trial<'_>], time: &dyn Fn(usize, Who) -> &'t Times) {
    println!(
        "\nDECISION  one item against its {PURPOSES_PER_ITEM} purposes, as a message arrives; CPU ns, medians of \
         {ROUNDS} interleaved rounds\n"
    );
    println!(
        "  ours    {} people's standings of each product; a random one is looked up for a random item, then decided",
        grouped(f64::from(PEOPLE))
    );
    println!("  lookup  the same standings, looked up and nothing decided: the floor");
    println!(
        "  Cedar   cedar-policy {}, one request for each purpose of the item, entities and requests prebuilt",
        machine::version("cedar-policy")
    );
    println!(
        "  Rego    regorus {}, its virtual machine, one evaluation for all purposes, data and input prebuilt",
        machine::version("regorus")
    );
    println!("          The peers look nobody up: they go round {PREBUILT} prebuilt questions.");
    println!("  alone   ours without the lookup, about people already at hand: like for like with the peers");
    println!(
        "  All three gave identical answers to {} random questions for each table.\n",
        grouped((PREBUILT + AGREED) as f64)
    );

    let row = |name: &str, cell: &dyn Fn(usize) -> String| {
        let cells: String = (0..trials.len()).map(|table| format!("{:>16}", cell(table))).collect();
        println!("  {name:<34}{cells}");
    };
    let ns = |who: Who| move |table: usize| grouped(time(table, who).median());
    let ratio = |who: Who, to: Who| {
        move |table: usize| format!("{} x", figure(time(table, who).ratio(time(table, to))))
    };
    row("pairs of item and purpose", &|table| grouped(trials[table].product.shape.pairs() as f64));
    row("items / purposes", &|table| {
        let shape = trials[table].product.shape;
        format!("{} / {}", shape.items, shape.purposes)
    });
    row("Cedar policies", &|table| trials[table].cedar.policies().to_string());
    row("permitted of what was asked", &|table| format!("{} %", trials[table].permitted_percent));
    row("ours", &ns(Who::Ours));
    row("  lookup alone", &ns(Who::Lookup));
    row("  decide alone", &ns(Who::Arrives));
    row("  decide alone, of a stored value", &ns(Who::IsRead));
    row("Rego", &ns(Who::Rego));
    row("Cedar", &ns(Who::Cedar));
    row("lookup : ours", &ratio(Who::Lookup, Who::Ours));
    row("Rego : ours", &ratio(Who::Rego, Who::Ours));
    row("Cedar : ours", &ratio(Who::Cedar, Who::Ours));
    row("Rego : decide alone", &ratio(Who::Rego, Who::Arrives));
    row("Cedar : decide alone", &ratio(Who::Cedar, Who::Arrives));
    let last = trials.len() - 1;
    println!("\n  flat: the largest table takes so many times as long as the smallest");
    for (name, who) in
        [("ours", Who::Ours), ("  decide alone", Who::Arrives), ("Rego", Who::Rego), ("Cedar", Who::Cedar)]
    {
        println!("  {name:<34}{:>16}", format!("{} x", figure(time(last, who).ratio(time(0, who)))));
    }
}
