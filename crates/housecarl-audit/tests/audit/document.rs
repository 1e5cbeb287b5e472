//! `docs/audit-log.md` is what others implement: its tables and vectors are those of the code.

use housecarl_audit::entry::{Answer, Erasure, KeyOf, Means};
use housecarl_audit::{Act, Salt};

use crate::log::{choice, key, with_receipt};

const DOCUMENT: &str = include_str!("../../../../docs/audit-log.md");

fn holds(text: &str) {
    assert!(DOCUMENT.contains(text), "docs/audit-log.md lacks\n{text}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_table_of_kinds_is_that_of_the_code() {
    let mut table = String::from("| kind | name | fields |\n|---|---|---|\n");
    for (kind, name, fields) in Act::KINDS {
        let field = |(field, of): &(&str, &str)| {
            if field == of { format!("`{of}`") } else { format!("{field} `{of}`") }
        };
        let fields: Vec<String> = fields.iter().map(field).collect();
        table.push_str(&format!("| {kind} | {name} | {} |\n", fields.join(", ")));
    }
    holds(&format!("{table}\n"));
}

#[test]
fn every_word_is_in_the_document() {
    for (of, words) in [
        ("answer", Answer::WORDS),
        ("means", Means::WORDS),
        ("erasure", Erasure::WORDS),
        ("key-of", KeyOf::WORDS),
    ] {
        let words: Vec<String> = words.iter().map(|(byte, word)| format!("{byte} {word}")).collect();
        holds(&format!("| `{of}` | one byte: {} |", words.join(", ")));
    }
}

#[test]
fn the_vectors_are_those_of_the_code() {
    let (_, checkpoint, receipt) = with_receipt(4, 7);
    let body = choice().to_bytes();
    let record = Salt::from_random([9; 32]).commit(b"the request as it was shown");
    holds(&format!("record  {}\n", hex(&record)));
    // The document breaks the body where its fields end.
    let joined: String = DOCUMENT.split_whitespace().collect();
    assert!(joined.contains(&hex(&body)), "docs/audit-log.md lacks the body\n{}", hex(&body));
    holds(&format!("leaf    {}\n", hex(&receipt.opening.leaf().to_bytes())));
    holds(&format!("hash    {}\n", hex(receipt.opening.leaf().hash().as_bytes())));
    holds(&format!("\n{}\n", key().verifier()));
    holds(&checkpoint);
    holds(&receipt.to_string());
}
