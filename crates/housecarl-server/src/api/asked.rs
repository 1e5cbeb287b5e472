//! What was asked: a request, taken apart, and never more of it than may be.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use housecarl_journey::audit::By;
use housecarl_journey::people::{DeviceId, HomeId, PersonId};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::House;
use super::answer::Problem;
use crate::hex;

/// A request.
pub(super) struct Asked {
    pub(super) house: Arc<House>,
    pub(super) peer: SocketAddr,
    /// Who asks, for the log: nobody but Housecarl itself until it is known.
    pub(super) by: By,
    places: Vec<String>,
    head: Parts,
    body: Option<Incoming>,
}

impl Asked {
    pub(super) fn new(
        house: Arc<House>,
        peer: SocketAddr,
        places: Vec<String>,
        request: Request<Incoming>,
    ) -> Self {
        let (head, body) = request.into_parts();
        Self { house, peer, by: By::Housecarl, places, head, body: Some(body) }
    }

    pub(super) fn by(self, by: By) -> Self {
        Self { by, ..self }
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// What stands for a part in braces of the path, from 0.
    pub(super) fn place(&self, at: usize) -> &str {
        self.places.get(at).map_or("", String::as_str)
    }

    fn id(&self, at: usize, what: &'static str) -> Result<[u8; 16], Problem> {
        hex::read(self.place(at)).ok_or_else(|| Problem::unknown(what))
    }

    /// The home that the path names.
    pub(super) fn home(&self) -> Result<HomeId, Problem> {
        let home = HomeId(self.id(0, "home")?);
        self.house.journey.household_of(home).ok_or_else(|| Problem::unknown("home"))?;
        Ok(home)
    }

    /// The person that the path names, if they live in the home that it names.
    pub(super) fn person(&self) -> Result<PersonId, Problem> {
        let (home, person) = (self.home()?, PersonId(self.id(1, "person")?));
        let lives_there = self.house.journey.home_of_person(person) == Some(home);
        lives_there.then_some(person).ok_or_else(|| Problem::unknown("person"))
    }

    /// The device that the path names, if it stands in the home that it names.
    pub(super) fn device_of_home(&self) -> Result<DeviceId, Problem> {
        let (home, device) = (self.home()?, DeviceId(self.id(1, "device")?));
        let stands_there = self.house.journey.home_of_device(device) == Some(home);
        stands_there.then_some(device).ok_or_else(|| Problem::unknown("device"))
    }

    /// The device that the path names first.
    pub(super) fn device(&self) -> Result<DeviceId, Problem> {
        Ok(DeviceId(self.id(0, "device")?))
    }

    /// The query: each of these names once at most, and no other.
    pub(super) fn query(&self, names: &[&str]) -> Result<BTreeMap<String, String>, Problem> {
        let mut query = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(self.head.uri.query().unwrap_or("").as_bytes()) {
            if !names.contains(&name.as_ref()) {
                return Err(Problem::query("the query holds a name that is not known here"));
            }
            if query.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Problem::query("the query says the same thing twice"));
            }
        }
        Ok(query)
    }

    /// The media type, in lower case and without parameters.
    pub(super) fn media_type(&self) -> Option<String> {
        let text = self.head.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        Some(text.split(';').next().unwrap_or("").trim().to_ascii_lowercase())
    }

    /// The whole body.
    pub(super) async fn body(&mut self) -> Result<Bytes, Problem> {
        let limits = &self.house.limits;
        let too_long = || Problem::body(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 1 MiB");
        if self.head.headers.contains_key(CONTENT_ENCODING) {
            let what = "the body is compressed, and is taken as it is only";
            return Err(Problem::body(StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
        }
        let Some(body) = self.body.take() else { return Ok(Bytes::new()) };
        // Told before anything of it is read.
        if body.size_hint().lower() > limits.body_bytes_max as u64 {
            return Err(too_long());
        }
        match timeout(limits.body_time, Limited::new(body, limits.body_bytes_max).collect()).await {
            Ok(Ok(whole)) => Ok(whole.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_long()),
            Ok(Err(_)) => Err(Problem::body(StatusCode::BAD_REQUEST, "the body ends before its end")),
            Err(_) => Err(Problem::body(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
        }
    }

    /// The body, in JSON. What is wrong with it is told by its place: what it says is not repeated.
    pub(super) async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        if self.media_type().as_deref() != Some("application/json") {
            let what = "the body is taken as `application/json` only";
            return Err(Problem::body(StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
        }
        let body = self.body().await?;
        serde_json::from_slice(&body).map_err(|error| {
            let why = if error.is_data() { "is not what is expected here" } else { "is not JSON" };
            let (line, column) = (error.line(), error.column());
            Problem::body(
                StatusCode::BAD_REQUEST,
                format!("the body {why}, from line {line}, column {column}"),
            )
        })
    }
}

/// Times of receipt, the first included and the last not.
pub(super) fn received(from: Option<&String>, to: Option<&String>) -> Result<Range<u64>, Problem> {
    let moment = |text: &String| {
        let moment = text.parse::<Timestamp>().ok().and_then(|moment| u64::try_from(moment.as_second()).ok());
        moment.ok_or_else(|| Problem::query("`from` and `to` are moments as in `2027-01-31T12:00:00Z`"))
    };
    Ok(from.map_or(Ok(0), moment)?..to.map_or(Ok(u64::MAX), moment)?)
}
