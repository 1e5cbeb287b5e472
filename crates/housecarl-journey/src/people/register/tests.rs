//! A register of any layout that there was is read, and one of any other is not touched.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::erase::Selector;

/// A register as the first so many steps leave it, with somebody in it and a promise to erase.
fn of_version(path: &Path, version: usize) {
    let connection = Connection::open(path).unwrap();
    for step in STEPS.iter().take(version) {
        connection.execute_batch(step).unwrap();
    }
    connection.pragma_update(None, "user_version", i64::try_from(version).unwrap()).unwrap();
    connection
        .execute_batch(
            "INSERT INTO home VALUES (x'01010101010101010101010101010101', x'02', x'03');
             INSERT INTO person (id, home, band)
                 VALUES (x'04040404040404040404040404040404', x'01010101010101010101010101010101', 4);
             INSERT INTO erasure (subject, before, asked_at, erasure_case)
                 VALUES (x'04040404040404040404040404040404', 77, 78, x'05050505050505050505050505050505');",
        )
        .unwrap();
}

#[test]
fn a_register_of_every_earlier_layout_is_read_and_has_the_present_one_then() {
    let folder = tempfile::tempdir().unwrap();
    for version in 1..=STEPS.len() {
        let path = folder.path().join(version.to_string());
        of_version(&path, version);
        for _ in 0..2 {
            let register = Register::open(&path).unwrap();
            let people = register.people().unwrap();
            assert_eq!(people.len(), 1);
            assert!(people.iter().all(|person| person.age == Age::of(AgeBand::To15)), "version {version}");
            let erasures = register.erasures(true).unwrap();
            let whole = |erasure: &crate::people::erasures::ErasureRow| {
                (erasure.what == Selector::ALL, erasure.before, erasure.streams.clone(), erasure.forgets)
            };
            // Of an old promise it is not known which streams it was about: all of them.
            let expected = (true, 77, None::<BTreeSet<_>>, false);
            assert_eq!(erasures.iter().map(whole).collect::<Vec<_>>(), [expected], "version {version}");
            assert!(register.next_look(u64::MAX).unwrap().is_none());
            let now: i64 =
                register.connection().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
            assert_eq!(usize::try_from(now), Ok(STEPS.len()));
        }
    }
}

#[test]
fn a_layout_of_another_program_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for version in [-1, i64::try_from(STEPS.len()).unwrap() + 1, 1_000] {
        let path = folder.path().join(version.to_string());
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        drop(connection);
        let refused = Register::open(&path);
        assert!(matches!(refused, Err(RegisterError::UnknownVersion(found)) if found == version));
        let connection = Connection::open(&path).unwrap();
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 0);
    }
}
