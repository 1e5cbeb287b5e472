//! The demo: a home whose devices publish to a real gateway, on this machine and nowhere else.

mod device;
mod tally;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use housecarl_journey::audit::By;
use housecarl_journey::journey::Journey;
use housecarl_journey::people::{About, Act, DeviceId, HomeId, PersonId, Put, Said};
use housecarl_journey::product::{ProductNumber, Version};
use housecarl_journey::receive::receive;
use housecarl_policy::{AgeBand, StreamId};
use housecarl_server::boot::{At, Serving, Settings};
use housecarl_server::house::Clock;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use self::device::Device;
use self::tally::{BYSTANDER, Tally, Watched};
use crate::output::{Result, print};
use crate::replay::payloads::{self, Message};
use crate::{clock, files, gateway};

/// The product whose device does not do as it is told.
const DISOBEYS: &str = "fridge";
/// How long a device rests between two messages.
const PAUSE: Duration = Duration::from_millis(150);

/// Somebody of the home: a name, an age, and what is said to every purpose.
struct Character {
    name: &'static str,
    band: AgeBand,
    says: Says,
    /// The same in words.
    told: &'static str,
}

enum Says {
    Yes,
    No,
    Nothing,
}

/// Three adults and a child. A guest is there too, whom nobody knows and of whom nothing is kept here.
const HOME: [Character; 4] = [
    Character { name: "anna", band: AgeBand::Adult, says: Says::Yes, told: "agrees to everything" },
    Character { name: "ben", band: AgeBand::Adult, says: Says::No, told: "refuses everything" },
    Character { name: "cleo", band: AgeBand::Adult, says: Says::Nothing, told: "has answered nothing yet" },
    Character {
        name: "mia",
        band: AgeBand::To9,
        says: Says::Yes,
        told: "is eight, and a parent authorised what she agrees to",
    },
];

/// Who is who, for whoever watches.
fn introduction(devices: &[&str]) -> String {
    let mut text =
        "A made-up home, and a gateway that its devices publish to by MQTT, on this machine only.\n\n"
            .to_owned();
    for (at, character) in HOME.iter().enumerate() {
        let theirs: Vec<&str> = devices.iter().copied().skip(at).step_by(HOME.len()).collect();
        text.push_str(&format!(
            "  {:<6}{}; has the {}\n",
            character.name,
            character.told,
            theirs.join(" and the ")
        ));
    }
    text.push_str(&format!(
        "  a guest is there too, whom nobody identifies: what is about her is about {BYSTANDER}\n\n\
         Each device sends only what it is told is wanted, but for the {DISOBEYS}: nobody agreed that it is read, and it\n\
         sends all the same. What is printed names the line of the manifest that decided, and never a value.\n\n"
    ));
    text
}

/// What the demo is asked.
pub(crate) struct Wish {
    /// For how long it runs.
    pub(crate) runs: Duration,
    /// Payloads to publish instead of the products' own.
    pub(crate) corpus: Option<PathBuf>,
    /// Whether each message is printed when it is decided.
    pub(crate) live: bool,
    /// Where the data lies.
    pub(crate) folder: PathBuf,
}

/// A message with the device and stream it is published by.
struct Planned {
    device: usize,
    stream: StreamId,
    payload: Vec<u8>,
}

/// Runs the demo; its sums.
pub(crate) async fn run(wish: &Wish) -> Result<Arc<Tally>> {
    let names: Vec<&str> = files::examples().collect();
    let mut products = Vec::new();
    let mut paths = Vec::new();
    for name in &names {
        let (product, path) = gateway::load(name)?;
        products.push(product);
        paths.push(path);
    }
    let settings = Settings {
        data: wish.folder.clone(),
        mqtt: anywhere(),
        http: anywhere(),
        keep_free_mib: 0,
        ..Settings::default()
    };
    if wish.live {
        print(&introduction(&names))?;
    }
    let now: Clock = Arc::new(clock::now);
    let serving = Serving::begin(&settings, products, Arc::clone(&now)).await.map_err(text)?;
    let address = serving.mqtt_address().map_err(text)?;
    let journey = Arc::clone(serving.journey());

    let home = journey.add_home(By::Housecarl, clock::now()).map_err(text)?;
    let mut people = Vec::new();
    for character in &HOME {
        people.push(journey.add_person(home, character.band, By::Housecarl, clock::now()).map_err(text)?);
    }
    let mut enrolled = Vec::new();
    for (at, name) in names.iter().enumerate() {
        // Each device has somebody whose it is, so that all of them are seen.
        let holder = people.get(at % people.len()).copied();
        enrolled.push(enrol(&journey, home, name, holder)?);
    }
    let labels = enrolled.iter().zip(names.iter().zip(&paths)).filter_map(|((id, ..), (name, path))| {
        let wanted = journey.wanted(*id)?;
        Some((*id, Watched { name: (*name).to_owned(), path: path.clone(), wanted }))
    });
    let labels = labels.collect();
    let character_names = HOME.iter().map(|character| character.name.to_owned()).collect();
    let tally = Arc::new(Tally::new(labels, character_names, wish.live));
    let watched = Arc::clone(&tally);
    journey.watch(Box::new(move |device, version, stream, minimised| {
        watched.saw(device, version, stream, minimised)
    }));

    let (stop, stopped) = oneshot::channel::<()>();
    let gateway = tokio::spawn(serving.serve(async move { drop(stopped.await) }, std::future::pending));

    let mut devices = Vec::new();
    for ((id, secret, version), name) in enrolled.iter().zip(&names) {
        devices.push(Device::connect(address, *id, secret, Arc::clone(version), *name != DISOBEYS).await);
    }
    for ((id, ..), name) in enrolled.iter().zip(&names) {
        let (number, in_force) = journey.product_named(name).ok_or("the product is not in force")?;
        settle(&journey, *id, number, &in_force.version(), &people, *name != DISOBEYS).await?;
    }
    let planned = plan(wish.corpus.as_deref(), &names, &enrolled)?;
    name_people(&journey, &planned, &enrolled, &people)?;
    // The policy reaches the devices within a moment of the choices.
    sleep(Duration::from_millis(500)).await;
    let once = wish.corpus.is_some();
    let publishing = async {
        loop {
            for message in &planned {
                if let Some(device) = devices.get(message.device) {
                    device.publish(message.stream, &message.payload, clock::now()).await;
                }
                sleep(PAUSE).await;
            }
            if once || planned.is_empty() {
                return;
            }
        }
    };
    let _ = timeout(wish.runs, publishing).await;
    // What is on its way arrives.
    sleep(Duration::from_millis(500)).await;
    drop(devices);
    drop(journey);
    let _ = stop.send(());
    gateway.await.map_err(|_| "the gateway ended by a fault of ours".to_owned())?;
    Ok(tally)
}

type Enrolled = (DeviceId, String, Arc<Version>);

/// A device comes in as any does: by a claim code.
fn enrol(journey: &Journey, home: HomeId, product: &str, holder: Option<PersonId>) -> Result<Enrolled> {
    let (number, in_force) = journey.product_named(product).ok_or("the product is not in force")?;
    let code = journey.issue_claim(home, number, holder, By::Housecarl, clock::now()).map_err(text)?;
    let (device, secret) = journey.enrol(code.reveal(), clock::now()).map_err(text)?;
    Ok((device, secret.reveal().to_owned(), in_force.version()))
}

/// Everybody says what they say to everything. Anna settles the devices.
async fn settle(
    journey: &Journey,
    device: DeviceId,
    product: ProductNumber,
    version: &Version,
    people: &[PersonId],
    device_agreed: bool,
) -> Result<()> {
    let table = &version.table;
    let names: Vec<String> = table
        .purposes()
        .iter()
        .filter_map(|id| Some(table.text(table.purpose(id)?.name).to_owned()))
        .collect();
    let put = |purpose: &String| {
        let fingerprint = version.fingerprints(purpose).first().cloned().unwrap_or_default();
        Put { purpose: purpose.clone(), fingerprint }
    };
    let says = async |about: About, said: Said| {
        let by = match about {
            About::Person(person) => By::Person(person),
            About::Device(_) => people.first().map_or(By::Housecarl, |person| By::Person(*person)),
        };
        journey.choose(about, product, &said, by, clock::now()).await.map(drop).map_err(text)
    };
    let of_device = About::Device(device);
    for feature in version.features() {
        says(of_device, Said::Feature(feature.to_owned(), true)).await?;
    }
    says(of_device, Said::Told(names.iter().map(put).collect(), act())).await?;
    for name in &names {
        let said = if device_agreed { Said::Agreed(put(name), act()) } else { Said::Refused(name.clone()) };
        says(of_device, said).await?;
    }
    for (character, person) in HOME.iter().zip(people) {
        let about = About::Person(*person);
        says(about, Said::Told(names.iter().map(put).collect(), act())).await?;
        for name in &names {
            match character.says {
                Says::Yes => {
                    says(about, Said::Agreed(put(name), act())).await?;
                    if character.band.needs_parent() {
                        says(about, Said::Authorised(put(name), act())).await?;
                    }
                }
                Says::No => says(about, Said::Refused(name.clone())).await?,
                Says::Nothing => {}
            }
        }
        if matches!(character.says, Says::Yes) {
            for (_, item) in table.items().filter(|(_, item)| item.steps > 1) {
                if let Some(step) = table.step(&item, item.steps - 1) {
                    let names = [item.name, step.name].map(|name| table.text(name).to_owned());
                    let [item, step] = names;
                    says(about, Said::Precision(item, step)).await?;
                }
            }
        }
    }
    Ok(())
}

/// Enrols each mark by which a message names somebody: the first is the holder of the device, the
/// others are the others of the home.
fn name_people(
    journey: &Journey,
    planned: &[Planned],
    enrolled: &[Enrolled],
    people: &[PersonId],
) -> Result<()> {
    let mut marks: BTreeMap<String, usize> = BTreeMap::new();
    for message in planned {
        let Some((.., version)) = enrolled.get(message.device) else { continue };
        for mark in device::marks(version, message.stream, &message.payload) {
            let next = message.device + marks.len();
            marks.entry(mark).or_insert(next % people.len().max(1));
        }
    }
    for (mark, person) in &marks {
        let Some(person) = people.get(*person) else { continue };
        journey.add_mark(*person, mark, By::Housecarl, clock::now()).map_err(text)?;
    }
    Ok(())
}

/// A free port of this machine.
fn anywhere() -> At {
    At { address: Some(([127, 0, 0, 1], 0).into()), ..At::default() }
}

fn act() -> Act {
    Act {
        request: "demo".to_owned(),
        shown: [0; 32],
        surface: "demo".to_owned(),
        method: "made up".to_owned(),
        language: "en".to_owned(),
    }
}

/// Which device publishes what: each product's own payloads, or those of a folder, each by the
/// stream that finds the most in it.
fn plan(corpus: Option<&Path>, names: &[&str], enrolled: &[Enrolled]) -> Result<Vec<Planned>> {
    let mut planned: Vec<Planned> = Vec::new();
    // Of two devices that find as much, it is the one that has said less so far, so that all are heard.
    let of = |message: &Message, devices: std::ops::Range<usize>, planned: &[Planned]| -> Option<Planned> {
        let said = |device: usize| planned.iter().filter(|planned| planned.device == device).count();
        let received = receive(&message.bytes).ok()?;
        let streams = devices.flat_map(|device| {
            let version = enrolled.get(device).map(|(.., version)| Arc::clone(version));
            let streams =
                version.map(|version| version.table.streams().map(|(id, _)| id).collect::<Vec<_>>());
            streams.into_iter().flatten().map(move |stream| (device, stream))
        });
        let found = streams.filter_map(|(device, stream)| {
            let (.., version) = enrolled.get(device)?;
            let values = received.declared_values(&version.table, stream).ok()?;
            (values > 0).then_some((values, device, stream))
        });
        let most = found.max_by_key(|(values, device, _)| (*values, std::cmp::Reverse(said(*device))));
        let (_, device, stream) = most?;
        Some(Planned { device, stream, payload: message.bytes.clone() })
    };
    if let Some(folder) = corpus {
        let messages = payloads::payloads(&[folder.display().to_string()])?;
        for message in &messages {
            planned.extend(of(message, 0..enrolled.len(), &planned));
        }
        return Ok(planned);
    }
    let own: Vec<Vec<Message>> = names.iter().map(|name| payloads::of_example(name)).collect();
    // In turn, as in a home: one of each device, then the next of each.
    for round in 0..own.iter().map(Vec::len).max().unwrap_or(0) {
        for (device, messages) in own.iter().enumerate() {
            let message = messages.get(round);
            planned.extend(message.and_then(|message| of(message, device..device + 1, &planned)));
        }
    }
    Ok(planned)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
