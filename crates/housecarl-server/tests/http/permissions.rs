//! Who may call what: each caller before each address, as a golden file that is reviewed as a diff.

use std::fmt::Write as _;

use housecarl_journey::audit::By;
use housecarl_journey::people::credentials::Role;
use housecarl_policy::AgeBand;
use housecarl_server::api::interface;

use crate::house::{House, LOCK, START, WATCH, Wearer, hex, vitals};
use crate::interface::golden;
use crate::products::new_version;

/// The addresses of the interface.
fn addresses() -> Vec<(String, String)> {
    let split = |line: &str| line.split_once(' ').map(|(method, path)| (method.to_owned(), path.to_owned()));
    interface().lines().filter(|line| !line.starts_with(' ')).filter_map(split).collect()
}

/// A call that is right in everything but perhaps the caller.
fn call(house: &House, wearer: &Wearer, address: &(String, String), authorization: &str, home: &str) -> u16 {
    let (method, pattern) = address;
    let number = house.http.counts().open() as u32 + authorization.len() as u32;
    // What a call uses up is made for it.
    let spare = house.device(house.home, None).0;
    let token = house.journey.add_operator(&Role::Operator, By::Housecarl, START).unwrap().1;
    let device = if pattern.contains("/secret") { spare } else { wearer.device };
    let person = if pattern.ends_with("/persons/{person}") {
        house.journey.add_person(house.home, AgeBand::Adult, By::Housecarl, START).unwrap()
    } else {
        wearer.person
    };
    let path = pattern
        .replace("{stream}", "vitals")
        .replace("{purpose}", "activity")
        .replace("{product}", "watch")
        .replace("{home}", home)
        .replace("{person}", &hex(&person.0))
        .replace("{device}", &hex(&device.0));
    let path = if pattern.starts_with("/v1/data") {
        format!("{path}?person={}", hex(&wearer.person.0))
    } else {
        path
    };
    let path = match pattern.as_str() {
        "/v1/homes/{home}/data" => format!("{path}?about=household&all=true"),
        path_of_data if path_of_data.ends_with("/data") => format!("{path}?all=true"),
        _ => path,
    };
    let body = match pattern.rsplit('/').next().unwrap() {
        "enrol" => {
            let claim =
                house.journey.issue_claim(house.home, house.product(), None, By::Housecarl, START).unwrap();
            format!(r#"{{"claim": "{}"}}"#, claim.reveal())
        }
        "{stream}" => vitals(number, 71),
        "persons" => r#"{"age_band": "adult"}"#.to_owned(),
        "marks" => r#"{"mark": "p1"}"#.to_owned(),
        "claims" => r#"{"product": "watch"}"#.to_owned(),
        "choices" => r#"{"product": "watch", "choices": []}"#.to_owned(),
        "manifest" if method == "PUT" => new_version(1, WATCH, LOCK),
        "operators" => r#"{"role": "consumer", "product": "watch", "purposes": ["activity"]}"#.to_owned(),
        "renew" | "revoke" => format!(r#"{{"token": "{}"}}"#, token.reveal()),
        _ => String::new(),
    };
    house.with_credential(method, &path, authorization, &body).status
}

#[test]
fn who_may_call_what() {
    let house = House::new();
    let wearer = house.wearer();
    let other_home = house.journey.add_home(By::Housecarl, START).unwrap();
    let revoked_device = {
        let (device, credential) = house.device(house.home, None);
        house.journey.revoke_device(device, By::Housecarl, START).unwrap();
        credential
    };
    let revoked = |authorization: String| {
        house
            .journey
            .revoke_operator(authorization.strip_prefix("Bearer ").unwrap(), By::Housecarl, START)
            .unwrap();
        authorization
    };
    let operator = || {
        format!(
            "Bearer {}",
            house.journey.add_operator(&Role::Operator, By::Housecarl, START).unwrap().1.reveal()
        )
    };
    let callers = [
        ("nobody", String::new()),
        ("a token of nobody", format!("Bearer {}", "0".repeat(64))),
        ("the device", wearer.credential.clone()),
        ("a device of another home", house.device(other_home, None).1),
        ("the device, wrong secret", format!("Bearer {}.{}", hex(&wearer.device.0), "0".repeat(64))),
        ("a revoked device", revoked_device),
        ("an operator", house.operator()),
        ("a revoked operator", revoked(operator())),
        ("a consumer of the purpose", house.consumer(&["activity"])),
        ("a consumer of another purpose", house.consumer(&["sleep"])),
        ("a revoked consumer", revoked(house.consumer(&["activity"]))),
    ];
    let home = hex(&house.home.0);
    let mut table = String::from(
        "Each caller before each address. The request is right in everything else: home, person and device are\n\
         there and belong together. Calls come from this machine.\n",
    );
    for address in addresses() {
        writeln!(table, "\n{} {}", address.0, address.1).unwrap();
        for (who, authorization) in &callers {
            let status = call(&house, &wearer, &address, authorization, &home);
            writeln!(table, "  {who:<30} {status}").unwrap();
        }
        if address.1.contains("{home}") {
            let elsewhere = call(&house, &wearer, &address, &house.operator(), &hex(&other_home.0));
            writeln!(table, "  {:<30} {elsewhere}", "an operator, of another home").unwrap();
            let nowhere = call(&house, &wearer, &address, &house.operator(), &"0".repeat(32));
            writeln!(table, "  {:<30} {nowhere}", "an operator, of no home").unwrap();
        }
    }
    golden("permissions.txt", &table);
    house.close();
}
