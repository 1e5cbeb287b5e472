//! Reading for a purpose, line by line.
//!
//! A value is handed on while the journey holds the home's choices still, and counts as handed on
//! when the connection has taken its last byte: so whoever withdraws is answered when nothing more
//! goes out. What the socket, or TLS, has taken is on its way and cannot be called back. A reader who
//! stops reading is cut off after [`Limits::unread_time`](super::Limits), and holds nobody up for longer.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use bytes::Bytes;
use housecarl_journey::people::{HomeId, PersonId, SubjectId};
use housecarl_journey::product::Version;
use housecarl_journey::read::{Ask, NotRead, Released, ReleasedValue};
use housecarl_policy::ItemId;
use hyper::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::answer::{Answer, Broken, Content, Problem, of_type};
use super::asked::{Asked, received};
use super::caller::Consumer;
use crate::hex;

/// `GET /v1/data/{purpose}?person=ID|home=ID&from=&to=&stream=`.
pub(super) async fn read(asked: Asked, consumer: Consumer) -> Result<Answer, Problem> {
    let purpose = asked.place(0);
    if !consumer.purposes.iter().any(|named| named == purpose) {
        return Err(Problem::not_allowed(
            "this credential does not name this purpose",
            "an operator can add a consumer for it",
        ));
    }
    let house = Arc::clone(&asked.house);
    let (product, in_force) =
        house.journey.product_named(&consumer.product).ok_or_else(|| Problem::unknown("product"))?;
    let version = in_force.version();
    let query = asked.query(&["person", "home", "from", "to", "stream"])?;
    let stream = query.get("stream").map(|name| {
        let number = version.stream(name).and_then(|stream| version.stream_number(stream));
        number.ok_or_else(|| Problem::unknown("stream"))
    });
    let subject = match (query.get("person"), query.get("home")) {
        // Nobody of this id, or nothing that may be seen: for who reads it is the same.
        (Some(person), None) => hex::read(person).map(|id| SubjectId::from(PersonId(id))),
        (None, Some(home)) => hex::read(home).and_then(|id| house.journey.household_of(HomeId(id))),
        _ => return Err(Problem::query("the query names a person or a home, and one of them only")),
    };
    let ask = Ask {
        reader: consumer.id,
        product,
        purpose: version.purpose(purpose).ok_or_else(|| Problem::unknown("purpose"))?,
        subject: subject.ok_or_else(|| Problem::unknown("person or home"))?,
        stream: stream.transpose()?,
        received: received(query.get("from"), query.get("to"))?,
    };
    let place = Arc::clone(&house.reads)
        .try_acquire_owned()
        .map_err(|_| Problem::later("busy", "as many read at once as may"))?;
    let now = house.now();
    let (lines, taken) = mpsc::channel(1);
    spawn_blocking(move || {
        let _place = place;
        let journey = &house.journey;
        // What came in force since the request may have items that its version has not.
        let name = |item| match name_of(&version, item) {
            "" => journey
                .product_named(version.name())
                .map_or_else(String::new, |(_, product)| name_of(&product.version(), item).to_owned()),
            name => name.to_owned(),
        };
        let each = |released: Released| {
            let is_wanted = hand_on(&lines, line(&released, &name(released.item)));
            // Before whoever withdraws stops waiting.
            house.counts.handed_one_on();
            is_wanted
        };
        let ended = journey.read(&ask, now, each);
        // Nobody of this id is an answer too, and a whole one.
        if ended.is_err_and(|error| !matches!(error, NotRead::Unknown(_))) {
            // Where the reader has gone too, nobody needs to be told.
            let _ = lines.blocking_send(Err(Broken));
        }
    });
    Ok(of_type(StatusCode::OK, "application/jsonl", Content::Lines(taken)))
}

/// Bytes that say when the connection has taken them, or will not any more: they are then dropped.
struct Handed {
    line: Vec<u8>,
    _dropped: Sender<()>,
}

impl AsRef<[u8]> for Handed {
    fn as_ref(&self) -> &[u8] {
        &self.line
    }
}

/// Hands a line on, and returns when the connection has taken it; whether more is wanted.
fn hand_on(lines: &mpsc::Sender<Result<Bytes, Broken>>, line: Vec<u8>) -> bool {
    let (dropped, is_dropped) = channel();
    let is_wanted = lines.blocking_send(Ok(Bytes::from_owner(Handed { line, _dropped: dropped }))).is_ok();
    // Nothing is ever sent: it returns when the other end is dropped with the line.
    let _ = is_dropped.recv();
    is_wanted
}

/// The name of an item; none where the version has no such.
fn name_of(version: &Version, item: ItemId) -> &str {
    version.table.item(item).map_or("", |item| version.table.text(item.name))
}

/// A released value as a line of JSON.
fn line(released: &Released, item: &str) -> Vec<u8> {
    let received =
        i64::try_from(released.received).ok().and_then(|second| Timestamp::from_second(second).ok());
    let received = received.map_or_else(String::new, |moment| moment.to_string());
    let value = match &released.value {
        // A decimal is digits as JSON writes them, and no float is made of it on the way.
        ReleasedValue::Null | ReleasedValue::Bool(_) | ReleasedValue::Number(_) => released.value.to_string(),
        ReleasedValue::Text(text) => json!(text).to_string(),
        ReleasedValue::Code(code) => json!({ "code": hex::print(code) }).to_string(),
        ReleasedValue::Counted => json!({ "counted": 1 }).to_string(),
    };
    let (item, received, record) = (json!(item), json!(received), released.record);
    let mut line = format!(r#"{{"item":{item},"received":{received},"record":{record},"value":{value}"#);
    if released.guess {
        line.push_str(r#","guess":true"#);
    }
    if let Some(certainty) = released.certainty {
        line.push_str(&format!(r#","certainty":{certainty}"#));
    }
    line.push_str("}\n");
    line.into_bytes()
}
