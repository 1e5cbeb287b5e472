//! Walks arbitrary payloads along the declared paths of a product.
#![no_main]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use housecarl_fuzz::{mutate, success};
use housecarl_manifest::{Ordinals, compile, read};
use housecarl_policy::path::{Found, Limit};
use housecarl_policy::{self as policy, Decimal, Matcher, Table};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::Value;

const MANIFEST: &str = include_str!("../../seeds/manifest/watch.toml");
const PAYLOADS: &[&str] =
    &[include_str!("../../seeds/paths/vitals.json"), include_str!("../../seeds/paths/log.json")];

fuzz_target!(|payload: &[u8]| {
    static TABLE: OnceLock<Vec<u8>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let manifest = read(MANIFEST).manifest;
        compile(&manifest, MANIFEST, &Ordinals::default(), &BTreeSet::new()).table
    });
    let Ok(table) = Table::read(table) else { panic!("the product's table does not read") };
    let mut items = 0;
    let mut within = true;
    if let Ok(payload) = serde_json::from_slice::<Value>(payload) {
        for (stream, _) in table.streams() {
            within &= walk(&mut Matcher::new(&table, stream), &payload, &mut items).is_ok();
        }
    }
    success::count(within && items > 0);
});

/// A member as a condition compares it.
fn compared(member: &Value) -> policy::Value<'_> {
    match member {
        Value::Bool(bool) => policy::Value::Bool(*bool),
        Value::Number(number) => {
            Decimal::parse(&number.to_string()).map_or(policy::Value::Null, policy::Value::Number)
        }
        Value::String(text) => policy::Value::Text(text),
        Value::Null | Value::Array(_) | Value::Object(_) => policy::Value::Null,
    }
}

/// Tells the matcher of every value of the payload that it lets pass, and counts items.
fn walk(matcher: &mut Matcher<'_, '_>, value: &Value, items: &mut u32) -> Result<(), Limit> {
    let found = match value {
        Value::Object(members) => matcher.begin_object(|key| members.get(key).map(compared))?,
        Value::Array(_) => matcher.begin_array()?,
        Value::String(_) => matcher.scalar(true)?,
        Value::Null | Value::Bool(_) | Value::Number(_) => matcher.scalar(false)?,
    };
    match (found, value) {
        (Found::Undeclared(place), _) => {
            std::hint::black_box(matcher.shape(place));
            return Ok(());
        }
        (Found::Leaf(item, _), _) => {
            *items += u32::from(item.is_some());
            return Ok(());
        }
        (Found::Json(_), Value::String(text)) => {
            if let Ok(inside) = serde_json::from_str::<Value>(text) {
                walk(matcher, &inside, items)?;
            }
        }
        (Found::Inside(_), Value::Object(members)) => {
            for (key, member) in members {
                matcher.key(key);
                walk(matcher, member, items)?;
            }
        }
        (Found::Inside(_), Value::Array(values)) => {
            for value in values {
                walk(matcher, value, items)?;
            }
        }
        (found, _) => panic!("the matcher takes one kind of value for another: {found:?}"),
    }
    matcher.end();
    Ok(())
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate::json(mutate::Input { data, size, max_size, seed }, PAYLOADS)
});
