//! How the gateway is.

use housecarl_journey::store::commit::Failed;
use hyper::StatusCode;
use serde_json::json;
use tokio::time::timeout;

use super::answer::{Answer, Content, Problem, json, of_type};
use super::asked::Asked;

/// `GET /healthz`: the process answers.
pub(super) async fn up(_: Asked) -> Result<Answer, Problem> {
    Ok(json(StatusCode::OK, &json!({ "up": true })))
}

/// `GET /readyz`: the next message would be written down.
pub(super) async fn ready(asked: Asked) -> Result<Answer, Problem> {
    let journey = &asked.house.journey;
    // A disk that hangs answers nobody.
    let ready = timeout(asked.house.limits.ready_time, journey.writes()).await;
    match ready.unwrap_or(Err(Failed::Stopped)) {
        Ok(()) => Ok(json(StatusCode::OK, &json!({ "ready": true }))),
        Err(failed @ Failed::Full) => Err(Problem::later("full", failed.to_string())),
        Err(failed @ Failed::Stopped) => Err(Problem::later("stopped", failed.to_string())),
    }
}

/// `GET /metrics`: what was counted, in Prometheus's text format.
pub(super) async fn metrics(asked: Asked) -> Result<Answer, Problem> {
    let text = asked.house.counts.print(asked.house.devices.as_deref());
    Ok(of_type(StatusCode::OK, "text/plain; version=0.0.4", Content::Whole(text.into())))
}
