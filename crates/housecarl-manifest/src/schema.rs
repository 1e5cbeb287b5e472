//! The JSON Schema of a manifest: what an editor completes and checks it by.

use serde_json::{Value as Json, json};

use crate::model::Manifest;
use crate::read::Read as _;

/// The JSON Schema, as text, with a line break at its end.
#[must_use]
pub fn schema() -> String {
    let mut schema = Manifest::schema();
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".to_owned(), json!("Housecarl privacy manifest"));
    }
    let sorted: Json = schema;
    let mut text = serde_json::to_string_pretty(&sorted).unwrap_or_default();
    text.push('\n');
    text
}
