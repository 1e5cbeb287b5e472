//! Every normative statement of both versions: bytes in and bytes out, a test by name, or why it is not ours.

use std::collections::BTreeSet;

use crate::house::House;
use crate::notation::bytes;
use crate::{statements_3, statements_5};

/// What shows that a statement is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof {
    /// What a stranger sends first, what is answered, and what then.
    Before(&'static str, &'static str, Then),
    /// The same, for a device that was let in as `kettle`.
    After(&'static str, &'static str, Then),
    /// The test of this name, in this folder.
    Test(&'static str),
    /// It does not apply here, and why.
    NotOurs(&'static str),
}

/// How a connection stands after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It goes on, and nothing else was sent.
    Alive,
    /// It is closed, and nothing else was sent.
    Ended,
}

#[tokio::test]
async fn mqtt_3_1_1() {
    prove(4, statements_3::STATEMENTS, statements_3::PROOFS).await;
}

#[tokio::test]
async fn mqtt_5() {
    prove(5, statements_5::STATEMENTS, statements_5::PROOFS).await;
}

async fn prove(version: u8, statements: &[(&str, u32)], proofs: &[(&str, Proof)]) {
    let expected: BTreeSet<String> = statements
        .iter()
        .flat_map(|(chapter, number)| (1..=*number).map(move |number| format!("{chapter}-{number}")))
        .filter(|id| !(version == 5 && id == "2.2.1-1"))
        .collect();
    let proven: BTreeSet<String> = proofs.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(proven, expected, "the statements that have a proof (left) are not those there are (right)");

    let house = House::open().await;
    let mut failed = Vec::new();
    for (id, proof) in proofs {
        let (sent, answer, then, mut raw) = match *proof {
            Proof::Before(sent, answer, then) => (sent, answer, then, house.raw().await),
            Proof::After(sent, answer, then) => (sent, answer, then, house.login(version, "row").await),
            Proof::Test(name) => {
                assert!(is_a_test(name), "[MQTT-{id}] names `{name}`, and there is no such test");
                continue;
            }
            Proof::NotOurs(why) => {
                assert!(!why.is_empty());
                continue;
            }
        };
        raw.send(sent).await;
        let mut told = raw.hears(&bytes(answer)).await;
        if told.is_ok() {
            told = match then {
                Then::Alive => raw.is_alive().await,
                Then::Ended => raw.ends().await,
            };
        }
        if let Err(why) = told {
            failed.push(format!("[MQTT-{id}] {sent}\n{why}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(
        house.calls().iter().all(|call| call.payload != "never"),
        "something was taken from somebody who was not let in"
    );
    assert_eq!(house.counters.panics(), 0);
    house.close().await;
}

/// The last column of each table of the document is a test.
#[test]
fn the_document_names_tests_that_exist() {
    let document = include_str!("../../../../docs/ingest.md");
    let last_cells = document.lines().filter(|line| line.starts_with('|')).filter_map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        cells.last().copied().filter(|cell| cell.starts_with('`'))
    });
    let mut number = 0;
    for cell in last_cells {
        number += 1;
        assert!(is_a_test(cell.trim_matches('`')), "docs/ingest.md names {cell}, and there is no such test");
    }
    assert!(number > 30, "only {number} rows were found");
}

fn is_a_test(name: &str) -> bool {
    // Their names are held against what this folder holds.
    const SOURCES: &[&str] = &[
        include_str!("answers.rs"),
        include_str!("bad_days.rs"),
        include_str!("clients.rs"),
        include_str!("conformance.rs"),
        include_str!("policy.rs"),
        include_str!("tls.rs"),
    ];
    SOURCES.iter().any(|source| source.contains(&format!("async fn {name}(")))
}
