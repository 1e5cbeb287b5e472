//! The JSON Schema that is checked in is the one that the types give.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

#[test]
fn the_schema_in_docs_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/privacy-manifest.schema.json");
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(
        kept == housecarl_manifest::schema(),
        "run `cargo run -- schema > docs/privacy-manifest.schema.json` and look at what changed"
    );
}

#[test]
fn every_property_of_the_schema_says_what_it_is() {
    fn look(value: &serde_json::Value, at: &str) {
        if let Some(properties) = value.get("properties").and_then(|properties| properties.as_object()) {
            for (name, property) in properties {
                // The keys of small forms such as { round = 5 } are said where the form is used.
                let form = properties.len() <= 2;
                assert!(form || property.get("description").is_some(), "{at}.{name} has no description");
            }
        }
        match value {
            serde_json::Value::Object(members) => {
                members.iter().for_each(|(name, value)| look(value, &format!("{at}.{name}")))
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| look(item, at)),
            _ => {}
        }
    }
    look(&serde_json::from_str(&housecarl_manifest::schema()).unwrap(), "");
}
