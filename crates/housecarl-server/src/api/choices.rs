//! What people said, as operators pass it on: in their words, never as a verdict.

use housecarl_journey::people::{About, Act, Put, Said};
use housecarl_journey::product::ProductNumber;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Handle;

use super::answer::{Answer, Problem, json};
use super::asked::Asked;
use crate::hex;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choices {
    product: String,
    choices: Vec<Choice>,
}

/// One thing that somebody said: see [`Said`].
#[derive(Deserialize)]
#[serde(tag = "said", rename_all = "kebab-case", deny_unknown_fields)]
enum Choice {
    Agreed { purpose: String, fingerprint: String, act: HowSaid },
    Refused { purpose: String },
    Told { purposes: Vec<Shown>, act: HowSaid },
    Authorised { purpose: String, fingerprint: String, act: HowSaid },
    Restricted { purpose: String, restricted: bool },
    Precision { item: String, step: String },
    NoMarketing { objects: bool },
    Feature { feature: String, on: bool },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    purpose: String,
    fingerprint: String,
}

/// How it was asked and answered: see [`Act`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HowSaid {
    request: String,
    /// SHA-256 in hexadecimal digits.
    shown: String,
    surface: String,
    method: String,
    language: String,
}

impl HowSaid {
    fn act(self) -> Result<Act, Problem> {
        let Self { request, shown, surface, method, language } = self;
        let not_a_hash = || {
            let what = "`shown` is the SHA-256 of the exact text that was shown, in 64 hexadecimal digits";
            Problem::body(StatusCode::BAD_REQUEST, what)
        };
        Ok(Act { request, shown: hex::read(&shown).ok_or_else(not_a_hash)?, surface, method, language })
    }
}

impl Choice {
    fn said(self) -> Result<Said, Problem> {
        let put = |purpose, fingerprint| Put { purpose, fingerprint };
        Ok(match self {
            Self::Agreed { purpose, fingerprint, act } => Said::Agreed(put(purpose, fingerprint), act.act()?),
            Self::Refused { purpose } => Said::Refused(purpose),
            Self::Told { purposes, act } => {
                let puts = purposes.into_iter().map(|shown| put(shown.purpose, shown.fingerprint));
                Said::Told(puts.collect(), act.act()?)
            }
            Self::Authorised { purpose, fingerprint, act } => {
                Said::Authorised(put(purpose, fingerprint), act.act()?)
            }
            Self::Restricted { purpose, restricted } => Said::Restricted(purpose, restricted),
            Self::Precision { item, step } => Said::Precision(item, step),
            Self::NoMarketing { objects } => Said::NoMarketing(objects),
            Self::Feature { feature, on } => Said::Feature(feature, on),
        })
    }
}

/// `POST /v1/homes/{home}/persons/{person}/choices`.
pub(super) async fn of_person(asked: Asked) -> Result<Answer, Problem> {
    let person = asked.person()?;
    choose(asked, About::Person(person), None).await
}

/// `POST /v1/homes/{home}/devices/{device}/choices`.
pub(super) async fn of_device(asked: Asked) -> Result<Answer, Problem> {
    let device = asked.device_of_home()?;
    let product = asked.house.journey.product_of(device);
    choose(asked, About::Device(device), product).await
}

/// Writes down what was said, one after the other, and answers when all of it is in force. `only` is
/// the product that it can be about.
async fn choose(mut asked: Asked, about: About, only: Option<ProductNumber>) -> Result<Answer, Problem> {
    let Choices { product, choices } = asked.json().await?;
    if choices.len() > asked.house.limits.choices_max {
        let what = format!("there are more than {} choices", asked.house.limits.choices_max);
        return Err(Problem::body(StatusCode::PAYLOAD_TOO_LARGE, what));
    }
    let said = choices.into_iter().map(Choice::said).collect::<Result<Vec<_>, _>>()?;
    let product = asked.house.journey.product_named(&product).map(|(number, _)| number);
    let product = product.filter(|product| only.is_none_or(|only| only == *product));
    let product = product.ok_or_else(|| Problem::unknown("product"))?;
    let (by, now) = (asked.by, asked.house.now());
    let chosen = asked.house.ask(move |journey| {
        for (at, said) in said.iter().enumerate() {
            let chosen = Handle::current().block_on(journey.choose(about, product, said, by, now));
            chosen.map_err(|error| Problem::from(error).done("in_force", at))?;
        }
        Ok(said.len())
    });
    let in_force: Result<usize, Problem> = chosen.await?;
    Ok(json(StatusCode::OK, &json!({ "in_force": in_force? })))
}
