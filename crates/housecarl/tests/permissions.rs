//! The whole permission table of each example product, as a golden file that is reviewed as a diff:
//! person × item × purpose × act.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use housecarl_manifest::{Ordinals, compile, read};
use housecarl_policy::{
    Act, AgeBand, DeviceStanding, ItemId, PurposeSet, Question, Standing, Subject, SubjectKind, Table, decide,
};

/// The people of the table: what each stands for, and what they said.
fn people() -> Vec<(&'static str, Option<Standing>)> {
    let said = |band: AgeBand, change: fn(&mut Standing)| {
        let mut person = Standing::unasked(band);
        person.told = PurposeSet::ALL;
        (0..16).for_each(|slot| person.choose_precision(slot, 1));
        change(&mut person);
        Some(person)
    };
    let yes = |person: &mut Standing| person.agreed = PurposeSet::ALL;
    vec![
        ("agreed", said(AgeBand::Adult, yes)),
        ("refused", said(AgeBand::Adult, |person| person.refused = PurposeSet::ALL)),
        ("not asked", said(AgeBand::Adult, |_| {})),
        (
            "not told",
            said(AgeBand::Adult, |person| (person.agreed, person.told) = (PurposeSet::ALL, PurposeSet::NONE)),
        ),
        (
            "no marketing",
            said(AgeBand::Adult, |person| (person.agreed, person.no_marketing) = (PurposeSet::ALL, true)),
        ),
        (
            "restricted",
            said(AgeBand::Adult, |person| {
                (person.agreed, person.restricted) = (PurposeSet::ALL, PurposeSet::ALL)
            }),
        ),
        ("child, agreed", said(AgeBand::To9, yes)),
        (
            "child, parent too",
            said(AgeBand::To9, |person| {
                (person.agreed, person.authorised) = (PurposeSet::ALL, PurposeSet::ALL)
            }),
        ),
        ("child, not asked", said(AgeBand::To9, |_| {})),
        ("teenager, agreed", said(AgeBand::To15, yes)),
        ("nobody identified", None),
    ]
}

fn table_of(product: &Path) -> String {
    let text = std::fs::read_to_string(product.join("privacy.toml")).unwrap();
    let lock = std::fs::read_to_string(product.join("privacy.lock")).unwrap();
    let compiled = compile(&read(&text).manifest, &text, &Ordinals::read(&lock).unwrap(), &BTreeSet::new());
    let table = Table::read(&compiled.table).unwrap();
    // The user of the device has agreed to every access and switched every feature on.
    let device = DeviceStanding {
        agreed: PurposeSet::ALL,
        available: PurposeSet::ALL,
        features: u32::MAX,
        ..DeviceStanding::default()
    };
    let mut out = String::from(
        "Who can have which item taken in, used and kept for which purpose. The device's user has agreed to every\n\
         access and switched every feature on. A reason stands where nothing is permitted; `kept` after it says that\n\
         what is there already stays.\n",
    );
    // Items for which a purpose has the same answers stand together.
    let mut answers: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for (id, item) in table.items() {
        for purpose in item.uses.iter() {
            let name = table.text(table.purpose(purpose).unwrap().name);
            let mut column = String::new();
            for (who, person) in people() {
                let everybody = person.map(|person| [person]);
                let subject = match (&everybody, item.subject) {
                    (Some([person]), SubjectKind::Person) => Subject::Person(person),
                    (Some(people), SubjectKind::Household) => Subject::Household(people),
                    _ => Subject::Bystander,
                };
                let gate = |act: Act| {
                    let question =
                        Question { item: ItemId(id.0), act, received: 1_800_000_000, now: 1_800_000_000 };
                    decide(&table, &device, subject, question).gate(purpose)
                };
                let [collect, read, keep] = [Act::Collect, Act::Use, Act::Keep].map(gate);
                assert_eq!(collect, read, "what may be taken in now may be used now");
                let kept = if collect.is_some() && keep.is_none() { ", kept" } else { "" };
                let result = collect.map_or("yes", |gate| gate.name());
                writeln!(column, "  {who:<18} {result}{kept}").unwrap();
            }
            answers.entry((name, column)).or_default().push(table.text(item.name));
        }
    }
    for ((purpose, column), items) in answers {
        write!(out, "\n{purpose}: {}\n{column}", items.join(", ")).unwrap();
    }
    out
}

#[test]
#[expect(clippy::disallowed_methods, reason = "rewriting the tables is asked for by the environment")]
fn the_permission_tables_are_as_they_were_reviewed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bless = std::env::var_os("HOUSECARL_BLESS").is_some();
    let mut stale = Vec::new();
    for entry in std::fs::read_dir(root.join("../../products")).unwrap() {
        let product = entry.unwrap().path();
        if !product.is_dir() {
            continue;
        }
        let golden = root.join("tests/permissions").join(product.file_name().unwrap()).with_extension("txt");
        let table = table_of(&product);
        if bless {
            std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
            std::fs::write(&golden, &table).unwrap();
        } else if std::fs::read_to_string(&golden).ok().as_ref() != Some(&table) {
            stale.push(golden.file_name().unwrap().to_owned());
        }
    }
    assert!(stale.is_empty(), "{stale:?} differ; write them with HOUSECARL_BLESS=1 and review the diff");
}
