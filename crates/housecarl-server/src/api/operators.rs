//! Operators and consumers, and their tokens.

use housecarl_journey::people::credentials::Role;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, Problem, json};
use super::asked::Asked;

#[derive(Deserialize)]
#[serde(tag = "role", rename_all = "kebab-case", deny_unknown_fields)]
enum NewOperator {
    Operator {},
    Consumer { product: String, purposes: Vec<String> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: String,
}

/// `POST /v1/operators`.
pub(super) async fn add(mut asked: Asked) -> Result<Answer, Problem> {
    let role = match asked.json().await? {
        NewOperator::Operator {} => Role::Operator,
        NewOperator::Consumer { product, purposes } => Role::Consumer { product, purposes },
    };
    let (by, now) = (asked.by, asked.house.now());
    let (_, token) = asked.house.ask(move |journey| journey.add_operator(&role, by, now)).await??;
    Ok(json(StatusCode::OK, &json!({ "token": token.reveal() })))
}

/// `POST /v1/operators/renew`.
pub(super) async fn renew(mut asked: Asked) -> Result<Answer, Problem> {
    let Token { token } = asked.json().await?;
    let now = asked.house.now();
    let token = asked.house.ask(move |journey| journey.renew_operator(&token, now)).await??;
    Ok(json(StatusCode::OK, &json!({ "token": token.reveal() })))
}

/// `POST /v1/operators/revoke`.
pub(super) async fn revoke(mut asked: Asked) -> Result<Answer, Problem> {
    let Token { token } = asked.json().await?;
    let (by, now) = (asked.by, asked.house.now());
    asked.house.ask(move |journey| journey.revoke_operator(&token, by, now)).await??;
    Ok(json(StatusCode::OK, &json!({})))
}
