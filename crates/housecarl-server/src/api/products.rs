//! Products: what they mean now, and another version of one.

use std::sync::PoisonError;

use housecarl_check::render::{Source as File, diff};
use housecarl_journey::apply::Putting;
use housecarl_journey::audit::By;
use housecarl_manifest::scalar::Date;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::runtime::Handle;

use super::House;
use super::answer::{Answer, Problem, json};
use super::asked::Asked;
use crate::boot::{NotNext, Source};

/// `GET /v1/products/{product}`: the purposes, and the fingerprint that stands for what each means now.
pub(super) async fn product(asked: Asked) -> Result<Answer, Problem> {
    let name = asked.place(0);
    let (_, product) = asked.house.journey.product_named(name).ok_or_else(|| Problem::unknown("product"))?;
    let version = product.version();
    let table = &version.table;
    let purposes = table.purposes().iter().filter_map(|id| {
        let name = table.text(table.purpose(id)?.name);
        Some(json!({ "purpose": name, "fingerprint": version.fingerprints(name).first()? }))
    });
    let purposes: Vec<Json> = purposes.collect();
    Ok(json(StatusCode::OK, &json!({ "product": name, "purposes": purposes })))
}

/// `GET /v1/products/{product}/manifest`: the version in force.
pub(super) async fn manifest(asked: Asked) -> Result<Answer, Problem> {
    let source = in_force(&asked.house, asked.place(0))?;
    let Source { version, manifest, lock, .. } = source;
    Ok(json(StatusCode::OK, &json!({ "version": version, "manifest": manifest, "lock": lock })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewVersion {
    /// The version that whoever asks has seen what changes against.
    replaces: u64,
    manifest: String,
    lock: String,
}

/// `PUT /v1/products/{product}/manifest`: answered when it is in force for everybody.
pub(super) async fn apply(mut asked: Asked) -> Result<Answer, Problem> {
    let product = asked.place(0).to_owned();
    let new: NewVersion = asked.json().await?;
    let (by, now) = (asked.by, asked.house.now());
    let house = asked.house.clone();
    let applied = asked.house.ask(move |_| put(&house, &product, &new, by, now)).await??;
    Ok(json(StatusCode::OK, &applied))
}

/// Checks a version and puts it in force; what it changes.
fn put(house: &House, product: &str, new: &NewVersion, by: By, now: u64) -> Result<Json, Problem> {
    let _alone = house.applying.lock().unwrap_or_else(PoisonError::into_inner);
    let present = in_force(house, product)?;
    let (next, changes) = present.next(&new.manifest, &new.lock).map_err(not_next)?;
    let today = Date::from_unix_day(u32::try_from(now / 86_400).unwrap_or(u32::MAX));
    let loaded = next.load(product, today).map_err(not_next)?;
    let shut = loaded.report.shut();
    let (old, file) = (
        File { path: "in-force", text: &present.manifest },
        File { path: "privacy.toml", text: &next.manifest },
    );
    let mut answer = diff::json(&changes, old, file);
    // Sent again, it is what it is.
    let is_in_force = (&present.manifest, &present.lock) == (&next.manifest, &next.lock);
    if !is_in_force && new.replaces != present.version {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "out-of-date",
            "another version has come in force since",
            "see what changes against the present one, and ask again",
        ));
    }
    let version = if is_in_force { present.version } else { next.version };
    if !is_in_force {
        let putting = Putting { product: loaded.product, source: Some(next.to_bytes()) };
        Handle::current().block_on(house.journey.apply(putting, by, now))?;
    }
    if let Some(members) = answer.as_object_mut() {
        members.insert("version".to_owned(), version.into());
        members.insert("shut".to_owned(), json!(shut));
    }
    Ok(answer)
}

/// What the version in force is compiled from.
fn in_force(house: &House, product: &str) -> Result<Source, Problem> {
    let (number, _) = house.journey.product_named(product).ok_or_else(|| Problem::unknown("product"))?;
    let unread = |_| Problem::later("not-known-now", "the version in force cannot be read at present");
    let source = house.journey.source(number).map_err(unread)?;
    source.and_then(|bytes| Source::from_bytes(&bytes)).ok_or_else(|| Problem::unknown("manifest"))
}

fn not_next(error: NotNext) -> Problem {
    let what = format!("the manifest cannot be put in force: {error}");
    match error {
        NotNext::NotLoaded(_) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "manifest",
            what,
            "`housecarl check` says what and where",
        ),
        NotNext::Lock(_) | NotNext::Renumbered(_) => Problem::new(
            StatusCode::CONFLICT,
            "lock",
            what,
            "restore `privacy.lock` from version control, and add to it with `housecarl lock`",
        ),
        NotNext::Unnumbered => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "lock",
            what,
            "`housecarl lock` gives each its number, once",
        ),
    }
}
