//! `housecarl serve`: the gateway.

use std::sync::Arc;

use housecarl_server::boot::{Served, Serving};
use housecarl_server::house::Clock;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Place;
use crate::output::{Exit, Result, complain, print};
use crate::{clock, gateway};

/// Run the gateway: take devices' messages, and enforce the manifests on each of them
///
/// Before anything is served the manifests are checked; what has an open finding of level must is
/// shut. Ends on SIGTERM or Ctrl-C when everything that was taken is on the disk and acknowledged.
/// SIGHUP reads the certificates again.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// A product to put in force beside those in the settings: a manifest's path or its folder, or the name
    /// of an example product. May be given several times
    #[arg(long, short)]
    product: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    let mut settings = arguments.place.settings()?;
    settings.products.extend(arguments.product.iter().cloned());
    if settings.products.is_empty() {
        return Err("no product is named, so nothing could be decided\n  name one with `--product`, or in `products` \
                    of the settings"
            .to_owned());
    }
    let products = settings.products.iter().map(|name| gateway::load(name)).collect::<Result<Vec<_>>>()?;
    let products = products.into_iter().map(|(product, _)| product).collect();
    gateway::runtime()?.block_on(async {
        let clock: Clock = Arc::new(clock::now);
        let serving = Serving::begin(&settings, products, clock).await.map_err(|error| error.to_string())?;
        if let Some(token) = serving.journey().first_operator(clock::now()).map_err(|error| error.to_string())? {
            print(&format!(
                "The token of the first operator, shown this once; exchange it before you rely on it:\n  {}\n",
                token.reveal()
            ))?;
        }
        let mqtt = serving.mqtt_address().map_err(|error| error.to_string())?;
        let http = serving.http_address().map_err(|error| error.to_string())?;
        print(&format!("MQTT on {mqtt}, HTTP on {http}\n"))?;
        let mut end = Signals::new(&[SignalKind::terminate(), SignalKind::interrupt()])?;
        let hang_up = Arc::new(tokio::sync::Mutex::new(on(SignalKind::hangup())?));
        let renew = move || {
            let hang_up = Arc::clone(&hang_up);
            async move {
                let _ = hang_up.lock().await.recv().await;
            }
        };
        match serving.serve(end.any(), renew).await {
            Served::Stopped => Ok(Exit::Clean),
            Served::DiskFailed => {
                complain("the disk has failed; nothing is acknowledged any more. Start again to find out what is there");
                Ok(Exit::Findings)
            }
        }
    })
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
