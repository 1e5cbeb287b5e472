//! A history carried out: the journey does it, the model says what should be, and both are compared.
//!
//! A history fails where the journey admits, keeps, erases, shows or wants anything else than the model,
//! where a law is broken by what is seen, and where anything fails that should not. It does not fail
//! where a message is recognised between seven and fourteen days after it came, nor where it is not:
//! a store may remember for so long.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use housecarl_journey::audit::By;
use housecarl_journey::erase::Selector;
use housecarl_journey::journey::{Admitted, Journey, Message, NotAdmitted, NotChanged, Settings, Stored};
use housecarl_journey::people::{DeviceId, HomeId, PersonId};
use housecarl_journey::product::ProductNumber;
use housecarl_oracle::dice::Dice;
use housecarl_policy::AgeBand;
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::coverage::Coverage;
use crate::message;
use crate::model::{About, Device, Judged, Model, Person, Selected, Whom};
use crate::moments::DAY;
use crate::ops::{HOMES, Op};
use crate::products::PRODUCTS;
use crate::said::{about_a_device, about_a_person};

/// 1 January 2027.
const START: u64 = 1_798_761_600;

/// What a history failed at. It says nothing of what anybody sent.
pub type Fault = String;

/// How a history is carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct How {
    /// Where the records are kept.
    pub stored: Stored,
    /// Whether everything is compared after each operation, or something, and everything at the end.
    pub thorough: bool,
}

/// Carries a history out.
///
/// # Errors
/// The number of the operation after which the journey was not what the model says, and in what.
pub fn run(ops: &[Op], how: How, coverage: &mut Coverage) -> Result<(), (usize, Fault)> {
    let mut world = World::new(how);
    for (number, op) in ops.iter().enumerate() {
        world.carry_out(*op).and_then(|()| world.look(number)).map_err(|fault| (number, fault))?;
    }
    world.look_at_everything().map_err(|fault| (ops.len().saturating_sub(1), fault))?;
    coverage.add(&world.coverage);
    Ok(())
}

struct Sent {
    device: usize,
    stream: usize,
    payload: Json,
    key: Option<String>,
}

pub(crate) struct World {
    pub(crate) how: How,
    pub(crate) runtime: Runtime,
    folder: TempDir,
    now: Arc<AtomicU64>,
    /// `None` only while the gateway starts again.
    journey: Option<Journey>,
    pub(crate) homes: Vec<HomeId>,
    pub(crate) people: Vec<PersonId>,
    pub(crate) devices: Vec<DeviceId>,
    sent: Vec<Sent>,
    /// Whose each code is: the same thing has another code for the next person.
    pub(crate) codes: BTreeMap<String, Whom>,
    /// By how many purposes being over all devices were last told what is wanted of them; `None` where
    /// some were told by one number and some by another, as the clock was set.
    pub(crate) wanted_by: Option<usize>,
    /// How many were over at the last expiry run.
    over_before: usize,
    pub(crate) model: Model,
    pub(crate) coverage: Coverage,
}

impl World {
    fn new(how: How) -> Self {
        // Where records are not to be on the disk, nothing else needs to be either.
        let memory = Path::new("/dev/shm");
        let folder = if how.stored == Stored::InMemory && memory.exists() {
            TempDir::new_in(memory).unwrap()
        } else {
            TempDir::new().unwrap()
        };
        let now = Arc::new(AtomicU64::new(START));
        let journey = open(folder.path(), how.stored, &now);
        let homes = (0..HOMES).map(|_| journey.add_home(By::Housecarl, START).unwrap()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut model = Model::default();
        model.now = START;
        Self {
            how,
            runtime,
            folder,
            now,
            journey: Some(journey),
            homes,
            people: Vec::new(),
            devices: Vec::new(),
            sent: Vec::new(),
            codes: BTreeMap::new(),
            wanted_by: Some(0),
            over_before: 0,
            model,
            coverage: Coverage::default(),
        }
    }

    pub(crate) fn journey(&self) -> &Journey {
        self.journey.as_ref().unwrap()
    }

    fn carry_out(&mut self, op: Op) -> Result<(), Fault> {
        let (people, devices) = (self.people.len(), self.devices.len());
        let done = match op {
            Op::Person { home, band } => {
                let (home, band) = (home % HOMES, AgeBand::EVERY[band % AgeBand::EVERY.len()]);
                let id = self.journey().add_person(self.homes[home], band, By::Housecarl, self.model.now);
                self.people.push(id.map_err(failed)?);
                self.model.people.push(Person { home, band });
                true
            }
            Op::Device { home, product, holder } => {
                let (home, product) = (home % HOMES, product % PRODUCTS.len());
                let here: Vec<usize> = self.model.people_of(home).collect();
                let holder = holder.filter(|_| !here.is_empty()).map(|holder| here[holder % here.len()]);
                let id = self.journey().add_device(
                    self.homes[home],
                    self.number(product),
                    holder.map(|holder| self.people[holder]),
                    By::Housecarl,
                    self.model.now,
                );
                self.devices.push(id.map_err(failed)?);
                self.model.devices.push(Device { home, product, holder });
                true
            }
            Op::Mark { person } if people > 0 => {
                let person = person % people;
                let mark = format!("p{person}");
                self.journey()
                    .add_mark(self.people[person], &mark, By::Housecarl, self.model.now)
                    .map_err(failed)?;
                self.model.marks.insert((self.model.people[person].home, mark), person);
                true
            }
            Op::Welcome { person, product, seed } if people > 0 => {
                let (person, product) = (person % people, product % PRODUCTS.len());
                self.welcome(person, product, &mut Dice::of(seed))?;
                true
            }
            Op::SetUp { device, seed } if devices > 0 => {
                self.set_up(device % devices, &mut Dice::of(seed))?;
                true
            }
            Op::Say { person, product, seed } if people > 0 => {
                let (person, product) = (person % people, product % PRODUCTS.len());
                let word = about_a_person(product, &mut Dice::of(seed));
                self.say_and_compare(person, product, word, seed)?;
                true
            }
            Op::Settle { device, seed } if devices > 0 => {
                let device = device % devices;
                let product = self.model.devices[device].product;
                self.say(About::Device(device), product, about_a_device(product, &mut Dice::of(seed)))?;
                true
            }
            Op::Send { device, seed } if devices > 0 => {
                let sent = self.made_up(device % devices, &mut Dice::of(seed));
                self.send(&[sent])?;
                true
            }
            Op::Together { device, seed } if devices > 0 => {
                let mut dice = Dice::of(seed);
                let mut sent: Vec<Sent> =
                    (0..dice.from_to(2, 6)).map(|_| self.made_up(device % devices, &mut dice)).collect();
                let twice = dice.place(sent.len());
                sent.push(sent[twice].again());
                self.send(&sent)?;
                true
            }
            Op::Resend { ago } if !self.sent.is_empty() => {
                let at = self.sent.len() - 1 - ago % self.sent.len();
                let sent = self.sent[at].again();
                self.send(&[sent])?;
                true
            }
            Op::Garbage { device, seed } if devices > 0 => {
                self.garbage(device % devices, &mut Dice::of(seed))?;
                true
            }
            Op::Erase { whom } => {
                let everybody = self.everybody();
                self.erase(everybody[whom % everybody.len()], &Selected::default())?;
                true
            }
            Op::EraseSome { whom, seed } => {
                let everybody = self.everybody();
                self.erase(
                    everybody[whom % everybody.len()],
                    &selected(self.model.now, &mut Dice::of(seed)),
                )?;
                true
            }
            Op::Pass(seconds) => {
                self.set_clock(self.model.now + seconds);
                true
            }
            Op::Jump(seconds) => {
                // No clock is set to before there were any.
                self.set_clock(self.model.now.saturating_add_signed(seconds).max(20 * DAY));
                true
            }
            Op::Expire => {
                self.expire()?;
                true
            }
            Op::TurnOver => {
                self.journey().turn_over(self.model.now).map_err(failed)?;
                self.model.turn_over();
                true
            }
            Op::Restart => {
                self.journey = None;
                self.journey = Some(open(self.folder.path(), self.how.stored, &self.now));
                if self.how.stored == Stored::InMemory {
                    self.coverage.count("records lost with a store in memory");
                    self.model.lose_records();
                }
                true
            }
            _ => false,
        };
        if done {
            self.coverage.count(op.kind());
        }
        self.wanted_by = match op {
            Op::Restart => Some(self.model.purposes_over()),
            Op::Expire if self.over_before != self.model.purposes_over() => Some(self.model.purposes_over()),
            Op::Pass(_) | Op::Jump(_) => self.wanted_by,
            _ => self.wanted_by.filter(|over| *over == self.model.purposes_over()),
        };
        if op == Op::Expire {
            self.over_before = self.model.purposes_over();
        }
        Ok(())
    }

    fn set_clock(&mut self, now: u64) {
        self.model.now = now;
        self.now.store(now, Ordering::SeqCst);
    }

    pub(crate) fn number(&self, product: usize) -> ProductNumber {
        self.journey().product_named(PRODUCTS[product].name).unwrap().0
    }

    fn made_up(&self, device: usize, dice: &mut Dice) -> Sent {
        let product = self.model.product_of(device);
        let stream = dice.place(product.streams.len());
        let home = self.model.devices[device].home;
        let marks: Vec<&str> =
            self.model.marks.keys().filter(|(of, _)| *of == home).map(|(_, mark)| mark.as_str()).collect();
        let payload = message::write(product, product.streams[stream], &marks, dice, self.model.now);
        let key = dice.percent(12).then(|| format!("key {}", dice.below(40)));
        Sent { device, stream, payload, key }
    }

    /// Sends messages at once, and compares what became of each. They come to the store in their order.
    fn send(&mut self, sent: &[Sent]) -> Result<(), Fault> {
        let payloads: Vec<String> = sent.iter().map(|sent| sent.payload.to_string()).collect();
        let journey = self.journey.as_ref().unwrap();
        let mut outcomes = Vec::new();
        self.runtime.block_on(async {
            let mut waiting = Vec::new();
            for (sent, payload) in sent.iter().zip(&payloads) {
                let product = self.model.product_of(sent.device);
                let (_, in_force) = journey.product_named(product.name).unwrap();
                let stream = in_force.version().stream(&product.streams[sent.stream].name.value).unwrap();
                let message = Message {
                    payload: payload.as_bytes(),
                    idempotency_key: sent.key.as_ref().map(String::as_bytes),
                };
                waiting.push(journey.admit(self.devices[sent.device], stream, message, self.model.now));
            }
            outcomes = together(waiting).await;
        });
        let mut group = Vec::new();
        for (sent, outcome) in sent.iter().zip(outcomes) {
            let judged = self.model.judge(sent.device, sent.stream, &sent.payload, sent.key.as_deref());
            self.compare_admitted(judged, &outcome, sent.key.is_some())?;
            let again = outcome == Ok(Admitted::Again) && group.contains(&(&sent.payload, &sent.key));
            self.coverage.add_some("message again within a group", u64::from(again));
            group.push((&sent.payload, &sent.key));
            self.sent.push(sent.again());
        }
        Ok(())
    }

    fn compare_admitted(
        &mut self,
        judged: Judged,
        outcome: &Result<Admitted, NotAdmitted>,
        keyed: bool,
    ) -> Result<(), Fault> {
        self.coverage.add_some("value late", judged.late);
        self.coverage.add_some("person not recognised", judged.unrecognised);
        let parts = judged.rows.len();
        match outcome {
            Ok(Admitted::Nothing) if parts == 0 => self.coverage.count("message with nothing kept"),
            Ok(Admitted::Again) if parts > 0 && judged.may_be_known => {
                self.coverage.count(if judged.may_be_new {
                    "message kept or again: either is right"
                } else {
                    "message again"
                })
            }
            Ok(Admitted::Kept(kept)) if *kept == parts && parts > 0 && judged.may_be_new => {
                self.coverage.count("message kept");
                self.coverage.add_some("message kept by its key", u64::from(keyed));
                for row in &judged.rows {
                    self.coverage.count(match row.whom {
                        Whom::Person(_) => "part of a person",
                        Whom::Household(_) => "part of a household",
                        Whom::Bystanders(_) => "part of bystanders",
                    });
                }
                self.model.keep(judged);
            }
            outcome => {
                return Err(format!(
                    "a message became {outcome:?}, and should have {parts} parts (new: {}, known: {})",
                    judged.may_be_new, judged.may_be_known
                ));
            }
        }
        Ok(())
    }

    fn garbage(&mut self, device: usize, dice: &mut Dice) -> Result<(), Fault> {
        let product = self.model.product_of(device);
        let (_, in_force) = self.journey().product_named(product.name).unwrap();
        let name = &dice.pick(&product.streams).name.value;
        let stream = in_force.version().stream(name).unwrap();
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let payloads = ["", " \n", "{\"hr\": ", "{\"hr\": NaN}", "hello", deep.as_str(), "\u{feff}{}"];
        let message = Message { payload: dice.pick(&payloads).as_bytes(), idempotency_key: None };
        let device = self.devices[device];
        match self.runtime.block_on(self.journey().admit(device, stream, message, self.model.now)) {
            Err(NotAdmitted::Unreadable(_)) => self.coverage.count("message unreadable"),
            outcome => return Err(format!("what is no message became {outcome:?}")),
        }
        Ok(())
    }

    fn erase(&mut self, whom: Whom, what: &Selected) -> Result<(), Fault> {
        let version =
            |product: usize| self.journey().product_named(PRODUCTS[product].name).unwrap().1.version();
        let selector = Selector {
            received: what.span.map_or(0..u64::MAX, |(from, until)| from..until),
            stream: what.stream.as_ref().map(|(product, name)| {
                let version = version(*product);
                version.stream_number(version.stream(name).unwrap()).unwrap()
            }),
            item: what
                .item
                .as_ref()
                .map(|(product, name)| (self.number(*product), version(*product).item(name).unwrap())),
        };
        let (subject, now) = (self.subject(whom), self.model.now);
        let preview = self.journey().would_erase(subject, &selector);
        let erased = self.runtime.block_on(self.journey().erase(subject, &selector, By::Housecarl, now));
        if what.span.is_some_and(|(from, until)| from >= until) {
            self.coverage.count("erased no span");
            return match (preview, erased) {
                (Err(NotChanged::Unselected), Err(NotChanged::Unselected)) => Ok(()),
                other => Err(format!("an empty selector became {other:?}")),
            };
        }
        let (preview, erased) = (preview.map_err(failed)?, erased.map_err(failed)?);
        let parts = self.model.erase(whom, what);
        self.coverage.count(match (parts, *what == Selected::default()) {
            (0, _) => "erased nothing",
            (_, true) => "erased parts",
            (_, false) => "erased some parts",
        });
        if (preview, erased.parts) != (parts as u64, parts as u64) {
            return Err(format!(
                "{} parts were erased, {preview} were to be, and should have been {parts}",
                erased.parts
            ));
        }
        self.compare_held(whom)
    }

    fn expire(&mut self) -> Result<(), Fault> {
        let expired = self.journey().expire(self.model.now).map_err(failed)?;
        let destroyed = self.model.expire();
        self.coverage.count(match destroyed {
            Some(0) => "expired nothing",
            Some(_) => "expired parts",
            None => "expiry held back by the clock",
        });
        if expired.clock_jumped != destroyed.is_none() {
            return Err(format!("the expiry run saw a jump of the clock: {}", expired.clock_jumped));
        }
        self.everybody().into_iter().try_for_each(|whom| self.compare_held(whom))
    }
}

impl Sent {
    fn again(&self) -> Self {
        let Self { device, stream, payload, key } = self;
        Self { device: *device, stream: *stream, payload: payload.clone(), key: key.clone() }
    }
}

/// A span, a stream or an item, or several of them at once.
fn selected(now: u64, dice: &mut Dice) -> Selected {
    let product = dice.place(PRODUCTS.len());
    let of = &PRODUCTS[product];
    let from = now.saturating_sub(dice.below(5 * DAY));
    // Now and then there is no moment in it.
    let until = if dice.percent(10) { from } else { from + 1 + dice.below(2 * DAY) };
    let stream = Some((product, dice.pick(&of.streams).name.value.clone()));
    let item = Some((product, dice.pick(&of.manifest.item).name.value.clone()));
    let span = Some((from, until));
    match dice.below(4) {
        0 => Selected { span, ..Selected::default() },
        1 => Selected { stream, ..Selected::default() },
        2 => Selected { item, ..Selected::default() },
        _ => Selected { span, stream, item: None },
    }
}

/// Waits for all of them, each begun in its turn.
async fn together<F: Future>(waiting: Vec<F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = waiting.into_iter().map(Box::pin).collect();
    let mut outcomes: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, outcome) in waiting.iter_mut().zip(&mut outcomes) {
            if outcome.is_none()
                && let std::task::Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *outcome = Some(ready);
            }
        }
        if outcomes.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}

fn open(folder: &Path, stored: Stored, now: &Arc<AtomicU64>) -> Journey {
    let settings = Settings { stored, keep_free: 0, ..Settings::in_folder(folder) };
    let products = PRODUCTS.iter().map(|product| product.compiled.clone()).collect();
    let clock = Arc::clone(now);
    let broken = |error: &dyn std::error::Error| panic!("the store broke: {error}");
    Journey::open(&settings, products, move || clock.load(Ordering::SeqCst), broken).unwrap()
}

pub(crate) fn failed(error: impl std::fmt::Display) -> Fault {
    format!("it failed: {error}")
}
