//! Devices and their secrets.

use bytes::Bytes;
use housecarl_journey::people::DeviceId;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, Content, Problem, json, of_type};
use super::asked::Asked;
use crate::hex;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    claim: String,
}

/// `POST /v1/enrol`.
pub(super) async fn enrol(mut asked: Asked) -> Result<Answer, Problem> {
    let Claim { claim } = asked.json().await?;
    let now = asked.house.now();
    let (device, secret) = asked.house.ask(move |journey| journey.enrol(&claim, now)).await??;
    Ok(json(StatusCode::OK, &json!({ "device": hex::print(&device.0), "secret": secret.reveal() })))
}

/// `GET /v1/policy`: what the device is wanted to send now, as MQTT has it.
pub(super) async fn policy(asked: Asked, device: DeviceId) -> Result<Answer, Problem> {
    let wanted = asked.house.journey.wanted(device).ok_or_else(|| Problem::unknown("device"))?;
    let policy = Bytes::from(wanted.borrow().to_json());
    Ok(of_type(StatusCode::OK, "application/json", Content::Whole(policy)))
}

/// `POST /v1/devices/{device}/secret`.
pub(super) async fn renew_secret(asked: Asked) -> Result<Answer, Problem> {
    let device = asked.device()?;
    let (by, now) = (asked.by, asked.house.now());
    let secret = asked.house.ask(move |journey| journey.renew_device_secret(device, by, now)).await??;
    Ok(json(StatusCode::OK, &json!({ "secret": secret.reveal() })))
}

/// `DELETE /v1/devices/{device}/secret`.
pub(super) async fn revoke(asked: Asked) -> Result<Answer, Problem> {
    let device = asked.device()?;
    let (by, now) = (asked.by, asked.house.now());
    asked.house.ask(move |journey| journey.revoke_device(device, by, now)).await??;
    Ok(json(StatusCode::OK, &json!({})))
}
