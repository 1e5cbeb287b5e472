//! Another version of a product, put in force by HTTP.

use serde_json::json;

use crate::client::Reply;
use crate::house::{House, LOCK, WATCH, vitals};

const AT: &str = "/v1/products/watch/manifest";

pub(crate) fn new_version(replaces: u64, manifest: &str, lock: &str) -> String {
    json!({ "replaces": replaces, "manifest": manifest, "lock": lock }).to_string()
}

fn put(house: &House, replaces: u64, manifest: &str, lock: &str) -> Reply {
    let body = new_version(replaces, manifest, lock);
    house.with_credential("PUT", AT, &house.operator(), &body)
}

fn fingerprint(house: &House, purpose: &str) -> String {
    let product = house.get("/v1/products/watch", &house.operator()).json();
    let purposes = product["purposes"].as_array().unwrap().clone();
    purposes.iter().find(|known| known["purpose"] == purpose).unwrap()["fingerprint"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn another_version_is_told_put_in_force_and_there_to_be_replaced() {
    let house = House::new();
    let wearer = house.wearer();
    house.post("/v1/ingest/vitals", &wearer.credential, &vitals(1, 71));
    assert!(!house.sees("activity", wearer.person).is_empty());
    let present = house.get(AT, &house.operator()).json();
    assert_eq!(present["version"], 1);
    // Not compared for equality, which would print all of it.
    assert!(present["manifest"] == WATCH && present["lock"] == LOCK, "it is what was put in force");
    let before = fingerprint(&house, "activity");

    // Kept for longer: whoever had agreed is asked again.
    let longer = WATCH.replacen(r#"for = "13 months""#, r#"for = "14 months""#, 1);
    let applied = put(&house, 1, &longer, LOCK);
    assert_eq!(applied.status, 200, "{applied:?}");
    let applied = applied.json();
    assert_eq!((&applied["version"], &applied["shut"]), (&json!(2), &json!([])));
    let change = &applied["changes"][0];
    assert_eq!(
        (change["purpose"].as_str(), change["change"].as_str(), change["ask"].as_str(), &change["tell"]),
        (Some("activity"), Some("wider"), Some("who-had-agreed"), &json!(true))
    );
    assert!(house.sees("activity", wearer.person).is_empty());
    assert!(house.get("/v1/policy", &wearer.credential).json()["wanted"].get("heart-rate").is_none());
    assert!(house.get(AT, &house.operator()).json()["manifest"] == longer, "it is the new one");

    // Sent again it is what it is, and what nobody has seen the changes of is not put in force.
    let again = put(&house, 1, &longer, LOCK).json();
    assert_eq!((&again["version"], &again["changes"]), (&json!(2), &json!([])));
    let late = put(&house, 1, WATCH, LOCK);
    assert_eq!((late.status, late.json()["error"]["code"].as_str()), (409, Some("out-of-date")));

    // Put back as it was, it does not bring back what was agreed to then.
    let back = put(&house, 2, WATCH, LOCK).json();
    assert_eq!(back["changes"][0]["change"], "narrower");
    assert!(house.sees("activity", wearer.person).is_empty());
    assert_ne!(fingerprint(&house, "activity"), before);
    house.close();
}

#[test]
fn what_cannot_follow_is_refused_with_a_way_on() {
    let house = House::new();
    let renumbered = LOCK.replacen("activity = 0", "activity = 99", 1);
    let unnumbered =
        WATCH.replace("[purpose.offers]", "[purpose.extras]").replace(r#""offers""#, r#""extras""#);
    for (what, manifest, lock, status, code) in [
        ("no TOML", "[purpose", LOCK, 422, "manifest"),
        ("an unknown member", &format!("{WATCH}\n[surprise]\nx = 1\n"), LOCK, 422, "manifest"),
        ("another number", WATCH, &renumbered, 409, "lock"),
        ("a lost number", WATCH, "version = 1\n", 409, "lock"),
        ("no lock", WATCH, "x = [", 409, "lock"),
        ("no number yet", &unnumbered, LOCK, 422, "lock"),
    ] {
        let reply = put(&house, 1, manifest, lock);
        assert_eq!(
            (reply.status, reply.json()["error"]["code"].as_str()),
            (status, Some(code)),
            "{what}: {reply:?}"
        );
    }
    assert_eq!(house.get(AT, &house.operator()).json()["version"], 1, "nothing has changed");
    let unknown = house.with_credential(
        "PUT",
        &AT.replace("watch", "kettle"),
        &house.operator(),
        &new_version(1, WATCH, LOCK),
    );
    assert_eq!(unknown.status, 404);
    house.close();
}

#[test]
fn what_has_an_open_must_is_shut_as_at_a_start() {
    let house = House::new();
    let wearer = house.wearer();
    // Special category data without an Article 9 condition.
    let at = WATCH.find("[purpose.activity]").unwrap();
    let open = [&WATCH[..at], &WATCH[at..].replacen("condition = \"explicit-consent\"\n", "", 1)].concat();
    let applied = put(&house, 1, &open, LOCK);
    assert_eq!((applied.status, &applied.json()["shut"]), (200, &json!(["activity"])), "{applied:?}");
    // Nobody's yes opens it.
    let agreed = json!({ "product": "watch", "choices": [{
        "said": "agreed", "purpose": "activity", "fingerprint": fingerprint(&house, "activity"),
        "act": { "request": "activity", "shown": "07".repeat(32), "surface": "app", "method": "tap", "language": "en" }
    }] });
    let person = format!("{}/persons/{}/choices", house.home_path(), crate::house::hex(&wearer.person.0));
    house.operate(&person, &agreed.to_string());
    house.post("/v1/ingest/vitals", &wearer.credential, &vitals(1, 71));
    assert!(house.sees("activity", wearer.person).is_empty());
    house.close();
}
