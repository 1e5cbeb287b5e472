//! A simulated device: it publishes over MQTT, and leaves out what it was told is not wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use housecarl_journey::people::DeviceId;
use housecarl_journey::product::Version;
use housecarl_journey::receive::value;
use housecarl_policy::path::{Found, Marks};
use housecarl_policy::{ItemId, Matcher, StreamId};
use housecarl_server::hex;
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, QoS};
use serde_json::Value as Json;

/// How many messages a client holds that have not been sent.
const QUEUED: usize = 16;

/// What a device was told it is wanted to send: items by name; `None` before it was told anything.
type Told = Arc<Mutex<Option<BTreeMap<String, String>>>>;

/// One device.
pub(crate) struct Device {
    client: AsyncClient,
    told: Told,
    /// Whether it heeds what it is told.
    obeys: bool,
    version: Arc<Version>,
    name: String,
}

impl Device {
    /// Connects it.
    pub(crate) async fn connect(
        to: SocketAddr,
        id: DeviceId,
        secret: &str,
        version: Arc<Version>,
        obeys: bool,
    ) -> Self {
        let name = hex::print(&id.0);
        let mut options = MqttOptions::new(name.clone(), to.ip().to_string(), to.port());
        options.set_credentials(name.clone(), secret).set_keep_alive(Duration::from_secs(30));
        let (client, mut events) = AsyncClient::new(options, QUEUED);
        let told = Told::default();
        let _ = client.subscribe(format!("housecarl/v1/{name}/policy"), QoS::AtLeastOnce).await;
        let heard = Arc::clone(&told);
        tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Incoming::Publish(publish))) => {
                        *heard.lock().unwrap_or_else(PoisonError::into_inner) = wanted(&publish.payload);
                    }
                    Ok(_) => {}
                    // The client connects again at the next poll.
                    Err(rumqttc::ConnectionError::RequestsDone) => return,
                    Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
                }
            }
        });
        Self { client, told, obeys, version, name }
    }

    /// Publishes a payload as if it had just been captured, or what is wanted of it. `false` where
    /// nothing was wanted.
    pub(crate) async fn publish(&self, stream: StreamId, payload: &[u8], now: u64) -> bool {
        let table = &self.version.table;
        let Some(record) = table.stream(stream) else { return false };
        let Some(payload) = self.payload(stream, payload, now) else { return false };
        let topic = match table.text(record.topic) {
            "" => format!("housecarl/v1/{}/{}", self.name, table.text(record.name)),
            topic => topic.replace("{device}", &self.name),
        };
        self.client.publish(topic, QoS::AtLeastOnce, false, payload).await.is_ok()
    }

    /// What it sends; `None` where no item of it is wanted.
    fn payload(&self, stream: StreamId, payload: &[u8], now: u64) -> Option<Vec<u8>> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = if self.obeys { Some(told.as_ref()?) } else { None };
        let mut json: Json = serde_json::from_slice(payload).ok()?;
        let table = &self.version.table;
        let mut items = 0;
        walk(&mut json, &mut Matcher::new(table, stream), &mut |item, marks, value| {
            if marks.has(Marks::CAPTURED) {
                stamp(value, now);
            }
            // What belongs to no item is how the message says whom and when it is about.
            let Some(record) = item.and_then(|item| table.item(item)) else { return true };
            let send = wanted.is_none_or(|wanted| wanted.contains_key(table.text(record.name)));
            items += usize::from(send);
            send
        });
        (items > 0).then(|| json.to_string().into_bytes())
    }
}

/// By which marks a payload names people.
pub(crate) fn marks(version: &Version, stream: StreamId, payload: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let Ok(mut json) = serde_json::from_slice::<Json>(payload) {
        walk(&mut json, &mut Matcher::new(&version.table, stream), &mut |_, marks, value| {
            if marks.has(Marks::SUBJECT) {
                found.extend(
                    value.as_str().map(str::to_owned).or_else(|| Some(value.as_number()?.to_string())),
                );
            }
            true
        });
    }
    found
}

/// Writes the present time in the form of another.
fn stamp(value: &mut Json, now: u64) {
    const MILLISECONDS_FROM: f64 = 1e11;
    match value {
        Json::String(text) => {
            let at = i64::try_from(now).ok().and_then(|now| jiff::Timestamp::from_second(now).ok());
            *text = at.map(|at| at.to_string()).unwrap_or_default();
        }
        Json::Number(number) if number.as_f64().is_some_and(|number| number >= MILLISECONDS_FROM) => {
            *value = now.saturating_mul(1_000).into();
        }
        Json::Number(_) => *value = now.into(),
        _ => {}
    }
}

fn wanted(policy: &[u8]) -> Option<BTreeMap<String, String>> {
    let policy: Json = serde_json::from_slice(policy).ok()?;
    serde_json::from_value(policy.get("wanted")?.clone()).ok()
}

/// Walks a payload, and takes out of it each declared value for which `keep` says `false`. What is
/// not declared stays: no device that is sold knows what its manifest leaves out.
fn walk(
    json: &mut Json,
    matcher: &mut Matcher<'_, '_>,
    keep: &mut impl FnMut(Option<ItemId>, Marks, &mut Json) -> bool,
) -> bool {
    let found = match &*json {
        Json::Object(members) => matcher.begin_object(|name| members.get(name).and_then(value)),
        Json::Array(_) => matcher.begin_array(),
        other => matcher.scalar(other.is_string()),
    };
    match found {
        Err(_) | Ok(Found::Undeclared(_)) => true,
        Ok(Found::Leaf(item, marks)) => keep(item, marks, json),
        Ok(Found::Inside(_)) => {
            match json {
                Json::Object(members) => members.retain(|name, member| {
                    matcher.key(name);
                    walk(member, matcher, keep)
                }),
                Json::Array(items) => items.retain_mut(|item| walk(item, matcher, keep)),
                _ => {}
            }
            matcher.end();
            true
        }
        Ok(Found::Json(_)) => {
            if let Some(mut inner) = json.as_str().and_then(|text| serde_json::from_str::<Json>(text).ok()) {
                walk(&mut inner, matcher, keep);
                *json = Json::String(inner.to_string());
            }
            matcher.end();
            true
        }
    }
}
