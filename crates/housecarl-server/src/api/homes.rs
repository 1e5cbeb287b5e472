//! Homes, the people in them, and what is held about them.

use housecarl_journey::people::PersonId;
use housecarl_journey::people::birthdays::Month;
use housecarl_policy::AgeBand;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, Problem, json};
use super::asked::Asked;
use crate::hex;

/// `POST /v1/homes`.
pub(super) async fn add(asked: Asked) -> Result<Answer, Problem> {
    let (by, now) = (asked.by, asked.house.now());
    let home = asked.house.ask(move |journey| journey.add_home(by, now)).await??;
    Ok(json(StatusCode::OK, &json!({ "home": hex::print(&home.0) })))
}

/// The Children's code's bands.
#[derive(Deserialize, Clone, Copy)]
enum Band {
    #[serde(rename = "unknown")]
    Unknown,
    #[serde(rename = "0-5")]
    To5,
    #[serde(rename = "6-9")]
    To9,
    #[serde(rename = "10-12")]
    To12,
    #[serde(rename = "13-15")]
    To15,
    #[serde(rename = "16-17")]
    To17,
    #[serde(rename = "adult")]
    Adult,
}

impl From<Band> for AgeBand {
    fn from(band: Band) -> Self {
        match band {
            Band::Unknown => Self::Unknown,
            Band::To5 => Self::To5,
            Band::To9 => Self::To9,
            Band::To12 => Self::To12,
            Band::To15 => Self::To15,
            Band::To17 => Self::To17,
            Band::Adult => Self::Adult,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPerson {
    age_band: Band,
    /// The first month that is in the next band as a whole, such as `2031-05`.
    next_band_from: Option<String>,
}

/// `POST /v1/homes/{home}/persons`.
pub(super) async fn add_person(mut asked: Asked) -> Result<Answer, Problem> {
    let home = asked.home()?;
    let NewPerson { age_band, next_band_from } = asked.json().await?;
    let not_a_month =
        |()| Problem::body(StatusCode::BAD_REQUEST, "`next_band_from` is a month as in `2031-05`");
    let from: Option<Month> = next_band_from.map(|month| month.parse()).transpose().map_err(not_a_month)?;
    let (by, now, band) = (asked.by, asked.house.now(), age_band.into());
    let added = asked.house.ask(move |journey| match from {
        Some(month) => journey.add_child(home, band, month, by, now),
        None => journey.add_person(home, band, by, now),
    });
    let person = added.await??;
    Ok(json(StatusCode::OK, &json!({ "person": hex::print(&person.0) })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMark {
    mark: String,
}

/// `POST /v1/homes/{home}/persons/{person}/marks`.
pub(super) async fn add_mark(mut asked: Asked) -> Result<Answer, Problem> {
    let person = asked.person()?;
    let NewMark { mark } = asked.json().await?;
    let (by, now) = (asked.by, asked.house.now());
    asked.house.ask(move |journey| journey.add_mark(person, &mark, by, now)).await??;
    Ok(json(StatusCode::OK, &json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewClaim {
    product: String,
    holder: Option<String>,
}

/// `POST /v1/homes/{home}/claims`.
pub(super) async fn issue_claim(mut asked: Asked) -> Result<Answer, Problem> {
    let home = asked.home()?;
    let NewClaim { product, holder } = asked.json().await?;
    let holder = match holder {
        None => None,
        Some(holder) => {
            let person = hex::read(&holder).map(PersonId);
            let lives_there = |person: &PersonId| asked.house.journey.home_of_person(*person) == Some(home);
            Some(person.filter(lives_there).ok_or_else(|| Problem::unknown("person"))?)
        }
    };
    let (product, _) =
        asked.house.journey.product_named(&product).ok_or_else(|| Problem::unknown("product"))?;
    let (by, now) = (asked.by, asked.house.now());
    let claim = asked.house.ask(move |journey| journey.issue_claim(home, product, holder, by, now)).await??;
    Ok(json(StatusCode::OK, &json!({ "claim": claim.reveal() })))
}

/// `GET /v1/homes/{home}/persons/{person}/held`.
pub(super) async fn held(asked: Asked) -> Result<Answer, Problem> {
    let person = asked.person()?;
    let parts = asked.house.ask(move |journey| journey.held(person.into())).await?;
    let parts = parts.map_err(|_| Problem::later("not-read", "the records cannot be read at present"))?;
    Ok(json(StatusCode::OK, &json!({ "parts": parts })))
}
