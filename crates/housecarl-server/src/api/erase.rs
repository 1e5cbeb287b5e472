//! Erasing what is held about somebody: all of it, a span of time, a stream, or one kind.

use std::collections::BTreeMap;

use housecarl_journey::erase::Selector;
use housecarl_journey::people::SubjectId;
use hyper::StatusCode;
use serde_json::json;
use tokio::runtime::Handle;

use super::answer::{Answer, Problem, json};
use super::asked::{Asked, received};

/// What says what is to be erased.
const SELECTS: [&str; 6] = ["all", "from", "to", "product", "stream", "item"];

/// `DELETE /v1/homes/{home}/persons/{person}/data`.
pub(super) async fn of_person(asked: Asked) -> Result<Answer, Problem> {
    let person = asked.person()?;
    let query = asked.query(&[&SELECTS[..], &["preview"]].concat())?;
    erase(asked, person.into(), &query).await
}

/// `DELETE /v1/homes/{home}/data`: what is about nobody alone.
pub(super) async fn of_home(asked: Asked) -> Result<Answer, Problem> {
    let home = asked.home()?;
    let query = asked.query(&[&SELECTS[..], &["about", "preview"]].concat())?;
    let subject = match query.get("about").map(String::as_str) {
        Some("household") => asked.house.journey.household_of(home),
        Some("bystanders") => asked.house.journey.bystanders_of(home),
        _ => return Err(Problem::query("`about` is `household` or `bystanders`")),
    };
    erase(asked, subject.ok_or_else(|| Problem::unknown("home"))?, &query).await
}

/// `DELETE /v1/homes/{home}/persons/{person}`: everything about them, and that there was anybody.
pub(super) async fn forget(asked: Asked) -> Result<Answer, Problem> {
    let (person, by, now) = (asked.person()?, asked.by, asked.house.now());
    let forgotten =
        asked.house.ask(move |journey| Handle::current().block_on(journey.forget(person, by, now)));
    let forgotten = forgotten.await??;
    Ok(json(StatusCode::OK, &json!({ "keys": forgotten.keys, "parts": forgotten.parts })))
}

/// Erases it, or with `preview=true` only says what would go.
async fn erase(
    asked: Asked,
    subject: SubjectId,
    query: &BTreeMap<String, String>,
) -> Result<Answer, Problem> {
    let what = selector(&asked, query)?;
    let (by, now) = (asked.by, asked.house.now());
    match query.get("preview").map(String::as_str) {
        None | Some("false") => {}
        Some("true") => {
            let parts = asked.house.ask(move |journey| journey.would_erase(subject, &what)).await??;
            return Ok(json(StatusCode::OK, &json!({ "parts": parts })));
        }
        Some(_) => return Err(Problem::query("`preview` is `true` or `false`")),
    }
    let erased =
        asked.house.ask(move |journey| Handle::current().block_on(journey.erase(subject, &what, by, now)));
    let erased = erased.await??;
    Ok(json(StatusCode::OK, &json!({ "keys": erased.keys, "parts": erased.parts })))
}

/// What the query names. Nothing named is nothing meant, and never everything.
fn selector(asked: &Asked, query: &BTreeMap<String, String>) -> Result<Selector, Problem> {
    let named = |name: &str| query.get(name);
    let narrows = ["from", "to", "product", "stream", "item"].into_iter().any(|name| named(name).is_some());
    match (named("all").map(String::as_str), narrows) {
        (Some("true"), false) => return Ok(Selector::ALL),
        (None, true) => {}
        _ => {
            return Err(Problem::query(
                "say what is to be erased: `all=true` alone, or any of `from`, `to`, and `product` with `stream` or `item`",
            ));
        }
    }
    let mut what = Selector { received: received(named("from"), named("to"))?, ..Selector::ALL };
    match (named("product"), named("stream"), named("item")) {
        (None, None, None) => {}
        (Some(product), stream, item) if stream.is_some() || item.is_some() => {
            let product = asked.house.journey.product_named(product);
            let (number, product) = product.ok_or_else(|| Problem::unknown("product"))?;
            let version = product.version();
            if let Some(stream) = stream {
                let known = version.stream(stream).and_then(|stream| version.stream_number(stream));
                what.stream = Some(known.ok_or_else(|| Problem::unknown("stream"))?);
            }
            if let Some(item) = item {
                what.item = Some((number, version.item(item).ok_or_else(|| Problem::unknown("item"))?));
            }
        }
        _ => {
            return Err(Problem::query(
                "a stream or item is one of a product: `product` stands with one of them",
            ));
        }
    }
    Ok(what)
}
