//! Copies of what is kept, made while the gateway is at work.

use std::path::PathBuf;

use hyper::StatusCode;
use serde_json::json;

use super::answer::{Answer, Problem, json};
use super::asked::Asked;

/// `POST /v1/backups`.
pub(super) async fn make(asked: Asked) -> Result<Answer, Problem> {
    let (by, now) = (asked.by, asked.house.now());
    let copied = asked.house.ask(move |journey| journey.back_up(by, now)).await??;
    let name = |path: Option<PathBuf>| {
        path.and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()))
    };
    Ok(json(StatusCode::OK, &json!({ "records": name(copied.records), "keys": name(copied.keys) })))
}
