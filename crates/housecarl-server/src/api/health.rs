//! How the gateway is.

use hyper::StatusCode;
use serde_json::json;

use super::answer::{Answer, Content, Problem, json, of_type};
use super::asked::Asked;

/// `GET /healthz`: the process answers.
pub(super) async fn up(_: Asked) -> Result<Answer, Problem> {
    Ok(json(StatusCode::OK, &json!({ "up": true })))
}

/// `GET /readyz`: messages are written down.
pub(super) async fn ready(asked: Asked) -> Result<Answer, Problem> {
    let journey = &asked.house.journey;
    journey.writes().await.map_err(|failed| Problem::later("stopped", failed.to_string()))?;
    Ok(json(StatusCode::OK, &json!({ "ready": true })))
}

/// `GET /metrics`: what was counted, in Prometheus's text format.
pub(super) async fn metrics(asked: Asked) -> Result<Answer, Problem> {
    let text = asked.house.counts.print(asked.house.devices.as_deref());
    Ok(of_type(StatusCode::OK, "text/plain; version=0.0.4", Content::Whole(text.into())))
}
