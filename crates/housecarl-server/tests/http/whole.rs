//! From an empty gateway to a reader and to erasure, by HTTP alone.

use serde_json::json;

use crate::client::Reply;
use crate::house::{House, vitals};

/// How something was said, where it does not matter.
fn act() -> serde_json::Value {
    json!({
        "request": "activity", "shown": "07".repeat(32), "surface": "phone-app", "method": "tap", "language": "en"
    })
}

#[test]
fn from_an_empty_gateway_to_a_reader_and_to_erasure() {
    let house = House::new();
    let home = format!("/v1/homes/{}", house.operate("/v1/homes", "").text("home"));
    let person = house.operate(&format!("{home}/persons"), r#"{"age_band": "adult"}"#).text("person");
    house.operate(&format!("{home}/persons/{person}/marks"), r#"{"mark": "p1"}"#);
    let claim = json!({ "product": "watch", "holder": person }).to_string();
    let claim = house.operate(&format!("{home}/claims"), &claim).text("claim");
    let claim = json!({ "claim": claim }).to_string();
    let enrolled = house.post("/v1/enrol", "", &claim);
    let (device, secret) = (enrolled.text("device"), enrolled.text("secret"));
    assert_eq!(house.post("/v1/enrol", "", &claim).status, 404, "a claim is used up");
    let credential = format!("Bearer {device}.{secret}");

    // Before anybody was asked nothing is kept.
    let send = |number| house.post("/v1/ingest/vitals", &credential, &vitals(number, 71));
    let first = send(1);
    assert_eq!((first.status, first.text("outcome").as_str()), (202, "nothing-kept"));

    let product = house.get("/v1/products/watch", &house.operator()).json();
    let fingerprint = |purpose: &str| {
        let purposes = product["purposes"].as_array().unwrap().iter();
        purposes.clone().find(|known| known["purpose"] == purpose).unwrap()["fingerprint"].clone()
    };
    let choose = |of: &str, choices: serde_json::Value| -> Reply {
        let body = json!({ "product": "watch", "choices": choices }).to_string();
        house.post(&format!("{home}/{of}/choices"), &house.operator(), &body)
    };
    let chosen = choose(
        &format!("devices/{device}"),
        json!([
            { "said": "feature", "feature": "activity", "on": true },
            { "said": "told", "purposes": product["purposes"], "act": act() },
        ]),
    );
    assert_eq!((chosen.status, &chosen.json()["in_force"]), (200, &json!(2)));
    let agreed = json!({
        "said": "agreed", "purpose": "activity", "fingerprint": fingerprint("activity"), "act": act()
    });
    let people = format!("persons/{person}");
    let chosen =
        choose(&people, json!([{ "said": "told", "purposes": product["purposes"], "act": act() }, agreed]));
    assert_eq!(chosen.status, 200);
    assert!(house.get("/v1/policy", &credential).json()["wanted"].get("heart-rate").is_some());

    let kept = send(2);
    assert_eq!((kept.status, kept.text("outcome").as_str()), (200, "kept"));
    let again = send(2);
    assert_eq!((again.status, again.text("outcome").as_str()), (200, "again"));

    let consumer = json!({ "role": "consumer", "product": "watch", "purposes": ["activity"] }).to_string();
    let consumer = format!("Bearer {}", house.operate("/v1/operators", &consumer).text("token"));
    let read = || house.get(&format!("/v1/data/activity?person={person}"), &consumer);
    assert_eq!(
        read().body,
        "{\"item\":\"heart-rate\",\"received\":\"2027-01-01T00:00:00Z\",\"record\":0,\"value\":71}\n\
         {\"item\":\"steps\",\"received\":\"2027-01-01T00:00:00Z\",\"record\":0,\"value\":4210}\n"
    );

    // Withdrawn: answered when it is in force.
    assert_eq!(choose(&people, json!([{ "said": "refused", "purpose": "activity" }])).status, 200);
    assert_eq!(read().body, "");

    let parts = house.get(&format!("{home}/persons/{person}/held"), &house.operator()).json();
    assert!(parts["parts"].as_u64().unwrap() > 0);
    let erase = |query: &str| {
        house.with_credential(
            "DELETE",
            &format!("{home}/persons/{person}/data{query}"),
            &house.operator(),
            "",
        )
    };
    assert_eq!(erase("?all=true&preview=true").json(), parts);
    assert_eq!(erase("?all=true&preview=true").json(), parts, "a preview removes nothing");
    for nothing_named in [
        "",
        "?preview=true",
        "?all=false",
        "?all=true&from=2027-01-01T00:00:00Z",
        "?all=true&preview=yes",
        "?product=watch",
        "?item=steps",
        "?from=2027-01-02T00:00:00Z&to=2027-01-01T00:00:00Z",
        "?from=yesterday",
    ] {
        assert_eq!(erase(nothing_named).status, 400, "{nothing_named}");
    }
    assert_eq!(erase("?product=watch&item=nothing").status, 404);
    assert_eq!(erase("?to=2027-01-01T00:00:00Z").json()["parts"], 0, "nothing was received before");
    let steps = erase("?product=watch&stream=vitals&item=steps&preview=true").json();
    assert_eq!(erase("?product=watch&stream=vitals&item=steps").json()["parts"], steps["parts"]);
    assert_eq!(erase("?product=watch&item=steps&preview=true").json()["parts"], 0);
    let left = erase("?all=true&preview=true").json();
    assert_eq!(erase("?from=2027-01-01T00:00:00Z").json()["parts"], left["parts"]);
    assert_eq!(erase("?all=true").json()["parts"], 0);
    let of_home = |query: &str| {
        let path = format!("{home}/data{query}");
        house.with_credential("DELETE", &path, &house.operator(), "")
    };
    assert_eq!(of_home("?all=true").status, 400, "it is not said whose");
    for about in ["household", "bystanders"] {
        assert_eq!(of_home(&format!("?about={about}&all=true")).json()["parts"], 0);
    }

    // Rotated, and revoked.
    let secret = house.operate(&format!("/v1/devices/{device}/secret"), "").text("secret");
    assert_eq!(send(3).status, 401);
    let renewed = format!("Bearer {device}.{secret}");
    let send = || house.post("/v1/ingest/vitals", &renewed, &vitals(4, 71)).status;
    assert_eq!(send(), 200);
    let path = format!("/v1/devices/{device}/secret");
    assert_eq!(house.with_credential("DELETE", &path, &house.operator(), "").status, 200);
    assert_eq!(send(), 401);
    house.close();
}

#[test]
fn what_cannot_be_said_is_told_and_what_was_said_before_it_holds() {
    let house = House::new();
    let wearer = house.wearer();
    let path = format!("{}/persons/{}/choices", house.home_path(), crate::house::hex(&wearer.person.0));
    let cases = [
        (
            json!({ "said": "agreed", "purpose": "sleep", "fingerprint": "old", "act": act() }),
            409,
            "out-of-date",
        ),
        (json!({ "said": "refused", "purpose": "everything" }), 422, "not-sayable"),
        (json!({ "said": "feature", "feature": "sleep", "on": true }), 422, "not-sayable"),
        (json!({ "said": "precision", "item": "position", "step": "nowhere" }), 422, "not-sayable"),
    ];
    for (wrong, status, code) in cases {
        let body = json!({ "product": "watch", "choices": [
            { "said": "no-marketing", "objects": true },
            { "said": "precision", "item": "position", "step": "town" },
            wrong,
        ] });
        let reply = house.post(&path, &house.operator(), &body.to_string());
        let error = &reply.json()["error"];
        assert_eq!((reply.status, error["code"].as_str().unwrap()), (status, code), "{wrong}");
        assert_eq!(error["in_force"], 2, "{wrong}");
    }
    // What no type has a place for changes nothing.
    for wrong in [
        json!({ "said": "refused", "purpose": "activity", "why": "x" }),
        json!({ "said": "agreed", "purpose": "sleep", "fingerprint": "x" }),
        json!({ "said": "granted", "purpose": "sleep" }),
        json!({ "said": "told", "purposes": [], "act": { "request": "r" } }),
    ] {
        let body =
            json!({ "product": "watch", "choices": [{ "said": "refused", "purpose": "activity" }, wrong] });
        assert_eq!(house.post(&path, &house.operator(), &body.to_string()).status, 400, "{wrong}");
    }
    house.post("/v1/ingest/vitals", &wearer.credential, &vitals(1, 71));
    assert_eq!(house.sees("activity", wearer.person), ["heart-rate 71", "steps 4210"], "nothing was refused");
    house.close();
}

#[test]
fn a_token_is_renewed_and_revoked() {
    let house = House::new();
    let token = json!({ "token": house.operator }).to_string();
    let renewed = house.operate("/v1/operators/renew", &token).text("token");
    assert_eq!(house.post("/v1/homes", &house.operator(), "").status, 401, "the old one is worth nothing");
    let renewed_header = format!("Bearer {renewed}");
    assert_eq!(house.post("/v1/operators/revoke", &renewed_header, &token).status, 404);
    let own = json!({ "token": renewed }).to_string();
    assert_eq!(house.post("/v1/operators/revoke", &renewed_header, &own).status, 200);
    assert_eq!(house.post("/v1/homes", &renewed_header, "").status, 401);
    house.close();
}
