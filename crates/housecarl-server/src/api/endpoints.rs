//! Every address there is: who may call it, what it may answer, and what is behind it.
//!
//! What is not in the table is not there, and a row without a caller cannot be written.

use std::fmt::Write as _;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use housecarl_journey::audit::By;
use housecarl_journey::people::DeviceId;
use hyper::body::Incoming;
use hyper::{Method, Request};

use super::answer::{Answer, Problem};
use super::asked::Asked;
use super::caller::{Caller, Consumer, recognise};
use super::{House, backups, choices, data, devices, erase, health, homes, messages, operators, products};

/// What a function behind an address does.
type Doing = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;

/// Who may call, and what is then done.
#[derive(Clone, Copy)]
enum For {
    /// Whoever can reach it.
    Anyone(fn(Asked) -> Doing),
    /// Whoever is on this machine, and operators.
    Watcher(fn(Asked) -> Doing),
    /// A device, for itself.
    Device(fn(Asked, DeviceId) -> Doing),
    /// An operator.
    Operator(fn(Asked) -> Doing),
    /// A consumer, for its own purposes.
    Consumer(fn(Asked, Consumer) -> Doing),
}

pub(super) struct Endpoint {
    method: Method,
    /// A part in braces stands for any one part.
    path: &'static str,
    who: For,
    /// What it may answer, beside what everybody does ([`Endpoint::statuses`]).
    own: &'static [u16],
}

const fn endpoint(method: Method, path: &'static str, who: For, own: &'static [u16]) -> Endpoint {
    Endpoint { method, path, who, own }
}

/// A body was expected.
macro_rules! with_body {
    ($($status:literal),*) => { &[$($status,)* 400, 408, 413, 415] };
}

use For::{Anyone, Consumer as ForConsumer, Device, Operator, Watcher};

/// The whole interface.
pub(super) static ENDPOINTS: &[Endpoint] = &[
    endpoint(Method::GET, "/healthz", Anyone(|asked| Box::pin(health::up(asked))), &[200]),
    endpoint(Method::GET, "/readyz", Anyone(|asked| Box::pin(health::ready(asked))), &[200, 503]),
    endpoint(Method::GET, "/metrics", Watcher(|asked| Box::pin(health::metrics(asked))), &[200]),
    endpoint(
        Method::POST,
        "/v1/enrol",
        Anyone(|asked| Box::pin(devices::enrol(asked))),
        with_body!(200, 404, 503),
    ),
    endpoint(
        Method::POST,
        "/v1/ingest/{stream}",
        Device(|asked, device| Box::pin(messages::take(asked, device))),
        with_body!(200, 202, 404, 422, 429, 503),
    ),
    endpoint(
        Method::GET,
        "/v1/policy",
        Device(|asked, device| Box::pin(devices::policy(asked, device))),
        &[200],
    ),
    endpoint(
        Method::GET,
        "/v1/data/{purpose}",
        ForConsumer(|asked, consumer| Box::pin(data::read(asked, consumer))),
        &[200, 400, 404, 503],
    ),
    endpoint(
        Method::GET,
        "/v1/products/{product}",
        Operator(|asked| Box::pin(products::product(asked))),
        &[200, 404],
    ),
    endpoint(
        Method::GET,
        "/v1/products/{product}/manifest",
        Operator(|asked| Box::pin(products::manifest(asked))),
        &[200, 404, 503],
    ),
    endpoint(
        Method::PUT,
        "/v1/products/{product}/manifest",
        Operator(|asked| Box::pin(products::apply(asked))),
        with_body!(200, 404, 409, 422, 503),
    ),
    endpoint(Method::POST, "/v1/homes", Operator(|asked| Box::pin(homes::add(asked))), &[200, 503]),
    endpoint(
        Method::POST,
        "/v1/homes/{home}/persons",
        Operator(|asked| Box::pin(homes::add_person(asked))),
        with_body!(200, 404, 503),
    ),
    endpoint(
        Method::DELETE,
        "/v1/homes/{home}/persons/{person}",
        Operator(|asked| Box::pin(erase::forget(asked))),
        &[200, 404, 503],
    ),
    endpoint(
        Method::POST,
        "/v1/homes/{home}/persons/{person}/marks",
        Operator(|asked| Box::pin(homes::add_mark(asked))),
        with_body!(200, 404, 503),
    ),
    endpoint(
        Method::POST,
        "/v1/homes/{home}/persons/{person}/choices",
        Operator(|asked| Box::pin(choices::of_person(asked))),
        with_body!(200, 404, 409, 422, 503),
    ),
    endpoint(
        Method::GET,
        "/v1/homes/{home}/persons/{person}/held",
        Operator(|asked| Box::pin(homes::held(asked))),
        &[200, 404, 503],
    ),
    endpoint(
        Method::DELETE,
        "/v1/homes/{home}/persons/{person}/data",
        Operator(|asked| Box::pin(erase::of_person(asked))),
        &[200, 400, 404, 503],
    ),
    endpoint(
        Method::DELETE,
        "/v1/homes/{home}/data",
        Operator(|asked| Box::pin(erase::of_home(asked))),
        &[200, 400, 404, 503],
    ),
    endpoint(
        Method::POST,
        "/v1/homes/{home}/claims",
        Operator(|asked| Box::pin(homes::issue_claim(asked))),
        with_body!(200, 404, 503),
    ),
    endpoint(
        Method::POST,
        "/v1/homes/{home}/devices/{device}/choices",
        Operator(|asked| Box::pin(choices::of_device(asked))),
        with_body!(200, 404, 409, 422, 503),
    ),
    endpoint(
        Method::POST,
        "/v1/devices/{device}/secret",
        Operator(|asked| Box::pin(devices::renew_secret(asked))),
        &[200, 404, 503],
    ),
    endpoint(
        Method::DELETE,
        "/v1/devices/{device}/secret",
        Operator(|asked| Box::pin(devices::revoke(asked))),
        &[200, 404, 503],
    ),
    endpoint(Method::POST, "/v1/backups", Operator(|asked| Box::pin(backups::make(asked))), &[200, 404, 503]),
    endpoint(
        Method::POST,
        "/v1/operators",
        Operator(|asked| Box::pin(operators::add(asked))),
        with_body!(200, 404, 503),
    ),
    endpoint(
        Method::POST,
        "/v1/operators/renew",
        Operator(|asked| Box::pin(operators::renew(asked))),
        with_body!(200, 404, 503),
    ),
    endpoint(
        Method::POST,
        "/v1/operators/revoke",
        Operator(|asked| Box::pin(operators::revoke(asked))),
        with_body!(200, 404, 503),
    ),
];

impl Endpoint {
    /// Its method and path.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn who(&self) -> &'static str {
        match self.who {
            For::Anyone(_) => "anyone",
            For::Watcher(_) => "this machine, or an operator",
            For::Device(_) => "a device",
            For::Operator(_) => "an operator",
            For::Consumer(_) => "a consumer, for its purposes",
        }
    }

    /// Whatever it may answer.
    pub(super) fn statuses(&self) -> Vec<u16> {
        let callers: &[u16] = if matches!(self.who, For::Anyone(_)) { &[] } else { &[401, 403, 503] };
        let mut statuses = [self.own, callers, &[500]].concat();
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    /// What the parts in braces stand for, if this is the path.
    fn places(&self, path: &str) -> Option<Vec<String>> {
        let (mut patterns, mut parts) = (self.path.split('/'), path.split('/'));
        let mut places = Vec::new();
        loop {
            match (patterns.next(), parts.next()) {
                (None, None) => return Some(places),
                (Some(pattern), Some(part)) if pattern.starts_with('{') && !part.is_empty() => {
                    places.push(part.to_owned());
                }
                (Some(pattern), Some(part)) if pattern == part => {}
                _ => return None,
            }
        }
    }
}

/// The whole interface as text: a line for each method and address, who may call it, and every
/// status it may answer.
#[must_use]
pub fn interface() -> String {
    let mut text = String::new();
    for endpoint in ENDPOINTS {
        let statuses: Vec<String> = endpoint.statuses().iter().map(u16::to_string).collect();
        // A text takes whatever is written to it.
        let _ = writeln!(text, "{}\n    {}\n    {}", endpoint.name(), endpoint.who(), statuses.join(" "));
    }
    text
}

/// Answers a request.
pub(super) async fn answer(house: Arc<House>, peer: SocketAddr, request: Request<Incoming>) -> Answer {
    let found = ENDPOINTS
        .iter()
        .enumerate()
        .filter_map(|(at, endpoint)| Some((at, endpoint, endpoint.places(request.uri().path())?)));
    let found: Vec<_> = found.collect();
    let Some((at, endpoint, places)) =
        found.iter().find(|(_, endpoint, _)| endpoint.method == *request.method()).cloned()
    else {
        house.counts.astray();
        let allowed: Vec<&str> = found.iter().map(|(_, endpoint, _)| endpoint.method.as_str()).collect();
        return match allowed.as_slice() {
            [] => Problem::unknown("address").into(),
            allowed => Problem::method(allowed.join(", ")).into(),
        };
    };
    let asked = Asked::new(Arc::clone(&house), peer, places, request);
    let answer = admit(endpoint, asked).await.unwrap_or_else(Answer::from);
    house.counts.answered(at, answer.status());
    answer
}

/// Does what is behind an address for whom it is for, and for nobody else.
async fn admit(endpoint: &Endpoint, asked: Asked) -> Result<Answer, Problem> {
    match endpoint.who {
        For::Anyone(does) => return does(asked).await,
        For::Watcher(does) if asked.peer.ip().to_canonical().is_loopback() => return does(asked).await,
        _ => {}
    }
    let caller = recognise(&asked.house, asked.headers()).await?;
    match (endpoint.who, caller) {
        (_, Caller::Nobody) => Err(Problem::no_credential("a credential is needed here")),
        (For::Watcher(does) | For::Operator(does), Caller::Operator(id)) => {
            does(asked.by(By::Operator(id))).await
        }
        (For::Device(does), Caller::Device(credential)) => {
            tokio::select! {
                biased;
                () = credential.revoked() => Err(Problem::no_credential("the credential is not known")),
                done = does(asked, credential.device()) => done,
            }
        }
        (For::Consumer(does), Caller::Consumer(consumer)) => does(asked, consumer).await,
        (For::Device(_), _) => {
            Err(Problem::not_allowed("this is for devices", "send the device's own credential"))
        }
        (For::Consumer(_), _) => Err(Problem::not_allowed(
            "this is for consumers",
            "an operator can add one, for purposes by name",
        )),
        _ => Err(Problem::not_allowed("this is for operators", "send an operator's token")),
    }
}
