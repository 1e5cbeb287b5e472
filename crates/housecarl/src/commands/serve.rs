//! `housecarl serve`: the gateway.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use housecarl_check::Level;
use housecarl_server::boot::{Came, Named, Served, Serving, Settings, look_at_certificates};
use housecarl_server::house::Clock;
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Place;
use crate::output::{Exit, Result, complain, print};
use crate::{clock, gateway, remote};

/// Run the gateway: take devices' messages, and enforce the manifests on each of them
///
/// Before anything is served the manifests are checked; what has an open finding of level must is
/// shut. The first start puts the manifests named here in force; from then on it is what `housecarl product apply`
/// put in force last. Ends on SIGTERM or Ctrl-C when everything that was taken is on the disk and acknowledged.
/// SIGHUP reads the certificates again.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// A product to put in force beside those in the settings: a manifest's path or its folder, or the name
    /// of an example product. May be given several times
    #[arg(long, short)]
    product: Vec<String>,
    /// Look at settings, certificates and manifests, and serve nobody
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let mut settings = arguments.place.settings()?;
    settings.products.extend(arguments.product.iter().cloned());
    if settings.products.is_empty() {
        return Err("no product is named, so nothing could be decided\n  name one with `--product`, or in `products` \
                    of the settings"
            .to_owned());
    }
    let named = settings.products.iter().map(|name| gateway::named(name)).collect::<Result<Vec<_>>>()?;
    if arguments.check {
        return check(&settings, &named);
    }
    keep_to_itself();
    gateway::runtime()?.block_on(async {
        let clock: Clock = Arc::new(clock::now);
        let serving = Serving::begin_with(&settings, named, clock).await.map_err(|error| error.to_string())?;
        for came in serving.came() {
            tell_how_it_came(came);
        }
        tell_first_operator(&serving, &settings.data)?;
        let mqtt = serving.mqtt_address().map_err(|error| error.to_string())?;
        let http = serving.http_address().map_err(|error| error.to_string())?;
        // For whoever verifies the log, and whoever publishes the key.
        print(&format!("The audit log is verified with {}\n", serving.journey().verifier_key()))?;
        print(&format!("MQTT on {mqtt}, HTTP on {http}\n"))?;
        let mut end = Signals::new(&[SignalKind::terminate(), SignalKind::interrupt()])?;
        let hang_up = Arc::new(tokio::sync::Mutex::new(on(SignalKind::hangup())?));
        let renew = move || {
            let hang_up = Arc::clone(&hang_up);
            async move {
                let _ = hang_up.lock().await.recv().await;
            }
        };
        match serving.telling(|told| complain(&told.to_string())).serve(end.any(), renew).await {
            Served::Stopped => Ok(Exit::Clean),
            Served::DiskFailed => {
                complain("the disk has failed; nothing is acknowledged any more. Start again to find out what is there");
                Ok(Exit::Findings)
            }
        }
    })
}

/// Looks at everything that can be looked at without serving.
fn check(settings: &Settings, named: &[Named]) -> Result<Exit> {
    look_at_certificates(settings).map_err(|error| error.to_string())?;
    let mut exit = Exit::Clean;
    for Named { name, path, source } in named {
        let loaded = source.load(name, clock::today());
        let loaded = loaded
            .map_err(|error| format!("{path}: {error}\n  `housecarl check {path}` says what and where"))?;
        if loaded.report.count(Level::Must) > 0 {
            exit = Exit::Findings;
        }
        print(&format!(
            "{path}: `{name}`, {} purposes, {} of them shut by open findings of level must\n",
            loaded.product.fingerprints.len(),
            loaded.report.shut().len()
        ))?;
    }
    print("settings, certificates and manifests can be served\n")?;
    Ok(exit)
}

fn tell_how_it_came(came: &Came) {
    let Came { path, version, differs, must } = came;
    if *must > 0 {
        complain(&format!(
            "{path}: open findings of level must: {must}; the purposes they are about are shut\n  `housecarl check \
             {path}` prints them"
        ));
    }
    if *differs {
        complain(&format!(
            "{path}: this is not what is in force, which is version {version}, applied before\n  `housecarl product \
             apply {path}` shows what it changes and puts it in force"
        ));
    }
}

/// Hands over the first operator's token: at a terminal it is shown, and otherwise it is in a file,
/// because what is printed ends up in logs.
fn tell_first_operator(serving: &Serving, data: &Path) -> Result<()> {
    let token = serving.journey().first_operator(clock::now()).map_err(|error| error.to_string())?;
    let Some(token) = token else { return Ok(()) };
    let exchange = "exchange it before you rely on it: `housecarl operator renew`";
    if std::io::stdout().is_terminal() {
        return print(&format!(
            "The token of the first operator, shown this once; {exchange}\n  {}\n",
            token.reveal()
        ));
    }
    let file = data.join("first-operator");
    remote::save(&file, token.reveal())?;
    print(&format!("The token of the first operator is in {}; {exchange}\n", file.display()))
}

/// No memory of this process comes into a core dump, nor into the hands of another process of this
/// user. Where the system refuses, it serves all the same: the unit file asks for it too.
fn keep_to_itself() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let refused = [
        setrlimit(Resource::Core, none).is_err(),
        set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err(),
    ];
    if refused.contains(&true) {
        complain("core dumps could not be switched off; switch them off for this service (`LimitCORE=0`)");
    }
}

/// Several signals of which any will do.
struct Signals(Vec<Signal>);

impl Signals {
    fn new(kinds: &[SignalKind]) -> Result<Self> {
        Ok(Self(kinds.iter().map(|kind| on(*kind)).collect::<Result<_>>()?))
    }

    async fn any(&mut self) {
        std::future::poll_fn(|context| {
            let any = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if any { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

fn on(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(|error| format!("cannot listen for signals: {error}"))
}
