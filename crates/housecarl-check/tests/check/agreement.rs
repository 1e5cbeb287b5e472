//! Where a rule says that a purpose never opens, the decision says so too: whatever a home and its
//! people have agreed to, been told and switched on.

use std::collections::BTreeSet;

use housecarl_check::problems::is_problem;
use housecarl_manifest::{Ordinals, compile};
use housecarl_policy::decide::Question;
use housecarl_policy::{
    Act, AgeBand, DeviceStanding, Gate, PurposeSet, Standing, Subject, SubjectKind, Table, decide,
};

use crate::support::{blocks, check, found, path, read};

/// The purposes of a manifest that stay closed for people whom nobody has identified, although the
/// home has agreed to everything: because nobody consented, or because people are recognised.
fn closed_for_bystanders(manifest: &str) -> BTreeSet<String> {
    let (reading, _) = check(manifest);
    let compiled = compile(&reading.manifest, manifest, &Ordinals::default(), &BTreeSet::new());
    let table = Table::read(&compiled.table).unwrap();
    let all = PurposeSet::ALL;
    let device =
        DeviceStanding { agreed: all, available: all, features: u32::MAX, ..DeviceStanding::default() };
    let mut adult = Standing::unasked(AgeBand::Adult);
    (adult.agreed, adult.told) = (all, all);

    let mut closed = BTreeSet::new();
    for (id, item) in table.items() {
        let subject = match item.subject {
            SubjectKind::Bystander => Subject::Bystander,
            SubjectKind::Household => Subject::Household(std::slice::from_ref(&adult)),
            SubjectKind::Person => Subject::Person(&adult),
        };
        let question = Question { item: id, act: Act::Collect, received: 0, now: 0 };
        let decision = decide(&table, &device, subject, question);
        for purpose in item.uses.iter() {
            let by_rule = [Gate::NotForThisPerson, Gate::ConsentMissing, Gate::ChildDefault];
            if decision.gate(purpose).is_some_and(|gate| by_rule.contains(&gate)) {
                closed.insert(table.text(table.purpose(purpose).unwrap().name).to_owned());
            }
        }
    }
    closed
}

#[test]
fn a_purpose_that_never_opens_is_never_permitted() {
    let markdown = read(&path("rules/HC3003.md"));
    let mut compared = 0;
    for block in blocks(&markdown).iter().filter(|block| block.language == "toml") {
        // What is left out because the rule does not look at it, so that the purpose can be compiled.
        let manifest =
            block.text.replace("\nbasis = ", "\nkeep = { for = \"30 days\", from = \"receipt\" }\nbasis = ");
        let (_, report) = check(&manifest);
        assert!(report.findings.iter().all(|f| !is_problem(f.code) || f.code == "HC0003"), "{manifest}");
        let never: BTreeSet<String> = found(&report, "HC3003")
            .iter()
            // A comparison of voices is not an item of its own, and the table has nothing to ask about it.
            .filter(|finding| !finding.message.contains("compares"))
            .flat_map(|finding| finding.purposes.clone())
            .collect();
        let closed = closed_for_bystanders(&manifest);
        assert!(never.is_subset(&closed), "line {}: {never:?} is not within {closed:?}", block.line);
        compared += never.len();
    }
    assert!(compared > 1, "nothing was compared");
}
