//! A simulated device: it publishes over MQTT, and leaves out what it was told is not wanted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use housecarl_journey::people::DeviceId;
use housecarl_journey::product::Version;
use housecarl_policy::path::Found;
use housecarl_policy::{Matcher, StreamId};
use housecarl_server::house::to_hex;
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
    pub(crate) obeys: bool,
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
        let name = to_hex(id.0);
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

    /// Publishes a payload, or what is wanted of it. `false` where nothing was wanted.
    pub(crate) async fn publish(&self, stream: StreamId, payload: &[u8]) -> bool {
        let table = &self.version.table;
        let Some(record) = table.stream(stream) else { return false };
        let payload = if self.obeys {
            let Some(pruned) = self.pruned(stream, payload) else { return false };
            pruned
        } else {
            payload.to_vec()
        };
        let topic = match table.text(record.topic) {
            "" => format!("housecarl/v1/{}/{}", self.name, table.text(record.name)),
            topic => topic.replace("{device}", &self.name),
        };
        self.client.publish(topic, QoS::AtLeastOnce, false, payload).await.is_ok()
    }

    /// The payload without what is not wanted; `None` where no item is left.
    fn pruned(&self, stream: StreamId, payload: &[u8]) -> Option<Vec<u8>> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = told.as_ref()?;
        let mut json: Json = serde_json::from_slice(payload).ok()?;
        let table = &self.version.table;
        let mut items = 0;
        prune(&mut json, &mut Matcher::new(table, stream), &mut |item| {
            // What belongs to no item is how the message says whom and when it is about.
            let Some(record) = item.and_then(|item| table.item(item)) else { return true };
            let send = wanted.contains_key(table.text(record.name));
            items += usize::from(send);
            send
        });
        (items > 0).then(|| json.to_string().into_bytes())
    }
}

fn wanted(policy: &[u8]) -> Option<BTreeMap<String, String>> {
    let policy: Json = serde_json::from_slice(policy).ok()?;
    serde_json::from_value(policy.get("wanted")?.clone()).ok()
}

/// Takes out of a payload what was not declared and what is not to be sent. `false` where nothing
/// of this value is left.
fn prune(
    json: &mut Json,
    matcher: &mut Matcher<'_, '_>,
    send: &mut impl FnMut(Option<housecarl_policy::ItemId>) -> bool,
) -> bool {
    let found = match &*json {
        Json::Object(members) => matcher.begin_object(|name| members.get(name).and_then(housecarl_journey::receive::value)),
        Json::Array(_) => matcher.begin_array(),
        other => matcher.scalar(other.is_string()),
    };
    match found {
        Err(_) | Ok(Found::Undeclared(_)) => false,
        Ok(Found::Leaf(item, _)) => send(item),
        Ok(Found::Inside(_)) => {
            match json {
                Json::Object(members) => members.retain(|name, member| {
                    matcher.key(name);
                    prune(member, matcher, send)
                }),
                Json::Array(items) => items.retain_mut(|item| prune(item, matcher, send)),
                _ => {}
            }
            matcher.end();
            true
        }
        Ok(Found::Json(_)) => {
            let inner = json.as_str().and_then(|text| serde_json::from_str::<Json>(text).ok());
            let left = inner.map(|mut inner| {
                let left = prune(&mut inner, matcher, send);
                *json = Json::String(inner.to_string());
                left
            });
            matcher.end();
            left.unwrap_or(false)
        }
    }
}
