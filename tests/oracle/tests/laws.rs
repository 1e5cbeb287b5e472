//! The laws of the decision, each under its own name.
//!
//! A law is asked of thousands of made-up homes. Each test also counts how often its law was the
//! reason for anything: a law that never bites would hold for a decision that says no to all.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;

use housecarl_manifest::words::Basis;
use housecarl_manifest::{Ordinals, compile, read};
use housecarl_oracle::dice::Dice;
use housecarl_oracle::facts::{Case, Subject as Said};
use housecarl_oracle::generate::{Draft, Product, Size};
use housecarl_oracle::reading::{Asks, Reading};
use housecarl_oracle::trial::size;
use housecarl_policy::decide::Question;
use housecarl_policy::standing::Steps;
use housecarl_policy::{
    Act, AgeBand, Decision, DeviceStanding, Gate, Operator, PurposeId, PurposeSet, Standing, Subject,
    SubjectKind, Table, decide,
};

const PRODUCTS: u64 = 128;
const QUESTIONS: u64 = 30;
const CHILDREN: [AgeBand; 5] = [AgeBand::To5, AgeBand::To9, AgeBand::To12, AgeBand::To15, AgeBand::To17];
const UNDER_13: [AgeBand; 3] = [AgeBand::To5, AgeBand::To9, AgeBand::To12];

/// A question in the numbers of a table, whose parts a law can change one at a time.
#[derive(Clone)]
struct Home<'p> {
    product: &'p Product,
    table: &'p Table<'p>,
    kind: SubjectKind,
    device: DeviceStanding,
    people: Vec<Standing>,
    question: Question,
}

impl<'p> Home<'p> {
    fn of(product: &'p Product, table: &'p Table<'p>, case: &Case) -> Self {
        let by = product.translator(table);
        let kind = match case.subject {
            Said::Person(_) => SubjectKind::Person,
            Said::Household(_) => SubjectKind::Household,
            Said::Bystander => SubjectKind::Bystander,
        };
        Self {
            product,
            table,
            kind,
            device: by.device(&case.device),
            people: case.subject.people().iter().map(|person| by.person(person)).collect(),
            question: by.question(&case.question),
        }
    }

    fn decide(&self) -> Decision {
        let subject = match self.kind {
            SubjectKind::Person => Subject::Person(&self.people[0]),
            SubjectKind::Household => Subject::Household(&self.people),
            SubjectKind::Bystander => Subject::Bystander,
        };
        decide(self.table, &self.device, subject, self.question)
    }

    /// The same home after something changed.
    fn after(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut home = self.clone();
        change(&mut home);
        home
    }

    /// The purposes of which the manifest says this.
    fn purposes(&self, are: impl Fn(&Reading) -> bool) -> PurposeSet {
        let named = self.product.purposes.iter().filter(|purpose| are(purpose));
        named.filter_map(|purpose| self.number(&purpose.name)).collect()
    }

    fn number(&self, name: &str) -> Option<PurposeId> {
        self.product.compiled.ordinals.purpose(name)
    }

    fn reading(&self, id: PurposeId) -> &Reading {
        self.product.purposes.iter().find(|purpose| self.number(&purpose.name) == Some(id)).unwrap()
    }

    /// The purposes that use the item.
    fn uses(&self) -> PurposeSet {
        let item = |item: &str| self.product.compiled.ordinals.item(item) == Some(self.question.item.0);
        self.purposes(|purpose| purpose.items.iter().any(|used| item(used)))
    }

    /// What is kept whatever else is said: Article 18.
    fn kept(&self) -> PurposeSet {
        let restricted = self.people.iter().fold(PurposeSet::NONE, |set, person| set | person.restricted);
        if self.question.act == Act::Keep { restricted & self.uses() } else { PurposeSet::NONE }
    }

    /// The kind of person whom a decision sees.
    fn seen_as(&self) -> SubjectKind {
        if self.people.is_empty() { SubjectKind::Bystander } else { self.kind }
    }
}

/// Asks a law of many homes. The law returns how often it bit; in all that has to be often enough.
fn everywhere(law: impl Fn(&Home<'_>, &mut Dice) -> u32) {
    let mut bites = 0;
    for seed in 0..PRODUCTS {
        let product = Product::of(seed, size(seed));
        let table = product.table();
        let mut dice = Dice::of(seed ^ 0x1A3);
        for _ in 0..QUESTIONS {
            let home = Home::of(&product, &table, &product.case(&mut dice));
            bites += law(&home, &mut dice);
        }
    }
    assert!(bites >= 100, "the law decided {bites} times only: nothing is shown");
}

fn everybody(people: &mut [Standing], mut change: impl FnMut(&mut Standing)) {
    people.iter_mut().for_each(&mut change);
}

#[test]
fn default_deny() {
    everywhere(|home, _| {
        let unasked = home.after(|home| {
            home.device = DeviceStanding::default();
            everybody(&mut home.people, |person| *person = Standing::unasked(person.band));
        });
        let consent = home.purposes(|p| p.needs_consent || p.access == Asks::Consent);
        let vital = home.purposes(|p| p.vital);
        let permitted = unasked.decide().permitted;
        assert!((permitted & consent).is_empty(), "nobody agreed to anything");
        assert!(permitted.is_subset(vital), "nobody was told of anything");

        // However much else speaks for it, silence is no yes.
        let open =
            home.after(|home| everybody(&mut home.people, |person| person.restricted = PurposeSet::NONE));
        let silent =
            open.after(|home| everybody(&mut home.people, |person| person.agreed = PurposeSet::NONE));
        let needs = home.purposes(|p| p.needs_consent);
        assert!((silent.decide().permitted & needs).is_empty());
        let silent = open.after(|home| home.device.agreed = PurposeSet::NONE);
        let asks = home.purposes(|p| p.access == Asks::Consent);
        assert!((silent.decide().permitted & asks).is_empty());

        // What was never declared is never permitted.
        let undeclared = home.after(|home| home.question.item.0 = 1000);
        assert!(undeclared.decide().permitted.is_empty());
        assert!(home.decide().permitted.is_subset(home.uses()));
        (open.decide().permitted & (needs | asks)).len()
    });
}

#[test]
fn refusal_wins() {
    everywhere(|home, dice| {
        let before = home.decide().permitted;
        let mut bites = 0;
        for purpose in home.uses().iter() {
            if !home.people.is_empty() {
                let refused = home.after(|home| {
                    let one = dice.place(home.people.len());
                    home.people[one].refused.insert(purpose);
                    everybody(&mut home.people, |person| person.agreed.insert(purpose));
                });
                let permitted = refused.decide().permitted.without(refused.kept());
                assert!(!permitted.contains(purpose), "somebody refused it");
                bites += u32::from(before.contains(purpose));
            }
            if home.reading(purpose).access != Asks::Nothing {
                let refused = home.after(|home| {
                    home.device.refused.insert(purpose);
                    home.device.agreed.insert(purpose);
                });
                let permitted = refused.decide().permitted.without(refused.kept());
                assert!(!permitted.contains(purpose), "the access was refused");
                bites += u32::from(before.contains(purpose));
            }
        }
        bites
    });
}

#[test]
fn withdrawal_never_permits_more() {
    everywhere(|home, dice| {
        let before = home.decide();
        let mut bites = 0;
        for purpose in home.purposes(|_| true).iter() {
            let mut fewer: Vec<Home<'_>> = vec![
                home.after(|home| home.device.refused.insert(purpose)),
                home.after(|home| home.device.agreed.remove(purpose)),
                home.after(|home| home.device.features &= !(1 << dice.below(32))),
            ];
            if !home.people.is_empty() {
                let one = dice.place(home.people.len());
                fewer.push(home.after(|home| home.people[one].refuse(purpose)));
                fewer.push(home.after(|home| home.people[one].agreed.remove(purpose)));
                fewer.push(home.after(|home| home.people[one].authorised.remove(purpose)));
                fewer.push(home.after(|home| home.people[one].no_marketing = true));
                let kept = fewer[3].kept();
                assert!(!fewer[3].decide().permitted.without(kept).contains(purpose));
            }
            for fewer in fewer {
                let after = fewer.decide();
                assert!(after.permitted.is_subset(before.permitted), "a no opened something");
                assert!(after.keep_seconds <= before.keep_seconds, "a no made it be kept longer");
                bites += u32::from(after.permitted != before.permitted);
            }
        }
        bites
    });
}

#[test]
fn objection_to_marketing_is_absolute() {
    let closed_on = std::cell::RefCell::new(BTreeSet::new());
    everywhere(|home, dice| {
        if home.people.is_empty() {
            return 0;
        }
        let objected = home.after(|home| {
            let one = dice.place(home.people.len());
            home.people[one].no_marketing = true;
            everybody(&mut home.people, |person| person.agreed = PurposeSet::ALL);
        });
        let marketing = home.purposes(|p| p.marketing);
        assert!((objected.decide().permitted.without(objected.kept()) & marketing).is_empty());
        let closed = home.decide().permitted & marketing;
        closed_on.borrow_mut().extend(closed.iter().map(|id| home.table.purpose(id).unwrap().basis));
        closed.len()
    });
    assert!(closed_on.borrow().len() >= 6, "marketing was closed on {:?} only", closed_on.borrow());
}

#[test]
fn restriction_only_stores() {
    everywhere(|home, dice| {
        if home.people.is_empty() {
            return 0;
        }
        let mut bites = 0;
        for purpose in home.uses().iter() {
            let one = dice.place(home.people.len());
            let restricted = home.after(|home| home.people[one].restricted.insert(purpose));
            for act in [Act::Collect, Act::Use] {
                let before = home.after(|home| home.question.act = act).decide().permitted;
                let after = restricted.after(|home| home.question.act = act).decide().permitted;
                assert!(!after.contains(purpose), "restricted, and still taken in or used");
                assert_eq!(after, before.without(PurposeSet::of(purpose)), "it concerns no other purpose");
                bites += u32::from(before.contains(purpose));
            }
            // Stored it stays, past every date.
            let late = restricted.after(|home| {
                home.question.act = Act::Keep;
                home.question.now = u64::MAX;
            });
            assert!(late.decide().permitted.contains(purpose), "restricted, and not kept");
        }
        bites
    });
}

#[test]
fn child_defaults_are_private() {
    everywhere(|home, dice| {
        let optional = home.purposes(|p| !p.core);
        if home.people.is_empty() {
            // A passer-by may be a child where children are likely.
            let likely = home.table.children_likely();
            assert!(!likely || (home.decide().permitted & optional).is_empty(), "how old are they?");
            return 0;
        }
        let one = dice.place(home.people.len());
        let child = *dice.pick(&CHILDREN);
        let grown = home.after(|home| {
            everybody(&mut home.people, |person| {
                person.band = AgeBand::Adult;
                person.agreed = PurposeSet::ALL;
                person.authorised = PurposeSet::ALL;
            });
        });
        let alone = grown.after(|home| {
            home.people[one].band = child;
            home.people[one].agreed = PurposeSet::NONE;
        });
        let permitted = alone.decide().permitted.without(alone.kept());
        assert!((permitted & optional).is_empty(), "nobody switched it on for the child");

        // Under 13 a yes without a parent's is none, and at 13 it is the young person's own.
        let unauthorised = grown.after(|home| {
            home.people[one].band = child;
            home.people[one].authorised = PurposeSet::NONE;
        });
        let permitted = unauthorised.decide().permitted.without(unauthorised.kept());
        let needs = optional | home.purposes(|p| p.needs_consent);
        if UNDER_13.contains(&child) {
            assert!((permitted & needs).is_empty(), "no parent authorised it");
        } else {
            assert_eq!(permitted, grown.decide().permitted.without(grown.kept()));
        }

        // An age that nobody knows is a small child's where children are likely, else an adult's.
        let stands_for = if home.table.children_likely() { AgeBand::To5 } else { AgeBand::Adult };
        let of_band = |band| home.after(|home| home.people[one].band = band).decide();
        assert_eq!(of_band(AgeBand::Unknown), of_band(stands_for));
        (grown.decide().permitted & optional).len()
    });
}

#[test]
fn untold_is_unused() {
    let alarms = std::cell::Cell::new(0);
    everywhere(|home, dice| {
        let before = home.decide().permitted;
        let mut bites = 0;
        for purpose in home.uses().iter() {
            let untold = home.after(|home| match home.people.len() {
                0 => home.device.available.remove(purpose),
                count => home.people[dice.place(count)].told.remove(purpose),
            });
            let after = untold.decide();
            if home.reading(purpose).vital {
                // An alarm is never dropped for being untold, and never silently let pass.
                assert_eq!(after.permitted.contains(purpose), before.contains(purpose));
                assert_eq!(after.untold_alarms.contains(purpose), after.permitted.contains(purpose));
                alarms.set(alarms.get() + u32::from(after.untold_alarms.contains(purpose)));
            } else {
                assert!(!after.permitted.without(untold.kept()).contains(purpose), "used, and untold");
                assert!(!after.untold_alarms.contains(purpose));
                bites += u32::from(before.contains(purpose));
            }
        }
        // What a sign at the door says suffices for those who pass it, not for those who live here.
        if !home.people.is_empty() {
            let signs = home.after(|home| home.device.available = PurposeSet::ALL);
            assert_eq!(signs.decide(), home.decide());
        }
        bites
    });
    assert!(alarms.get() >= 20, "only {} alarms were untold", alarms.get());
}

#[test]
fn nobody_consents_for_another_adult() {
    everywhere(|home, dice| {
        if home.people.is_empty() {
            // Where nobody is known nobody can have consented.
            let needs = home.purposes(|p| p.needs_consent);
            let agreeable = home.after(|home| home.device.agreed = PurposeSet::ALL);
            assert!((agreeable.decide().permitted & needs).is_empty());
            return 0;
        }
        let one = dice.place(home.people.len());
        let needs = home.purposes(|p| p.needs_consent);
        let agreeable = home.after(|home| {
            home.device.agreed = PurposeSet::ALL;
            everybody(&mut home.people, |person| {
                person.agreed = PurposeSet::ALL;
                person.authorised = PurposeSet::ALL;
            });
        });
        // The holder's settings, the others' yes, a parent's authorisation: none is this one's yes.
        let silent = agreeable.after(|home| {
            home.people[one].agreed = PurposeSet::NONE;
            home.people[one].band = AgeBand::Adult;
        });
        let permitted = silent.decide().permitted.without(silent.kept());
        assert!((permitted & needs).is_empty(), "somebody else consented");
        // Who joins a home opens nothing for those who are there.
        if home.kind == SubjectKind::Household && home.question.act != Act::Keep {
            let newcomer = home.people[dice.place(home.people.len())];
            let joined = agreeable.after(|home| home.people.insert(0, newcomer));
            assert!(joined.decide().permitted.is_subset(agreeable.decide().permitted));
        }
        (agreeable.decide().permitted & needs).len()
    });
}

#[test]
fn a_wider_purpose_needs_a_new_consent() {
    everywhere(|home, dice| {
        let before = home.decide().permitted;
        let changed = PurposeSet::from_bits(u128::from(dice.bits()) << 64 | u128::from(dice.bits()));
        let carried = home.after(|home| {
            home.device = home.device.carried_over(changed);
            everybody(&mut home.people, |person| *person = person.carried_over(changed));
        });
        let after = carried.decide();
        let fresh = after.permitted.without(carried.kept()) & changed;
        let consent = home.purposes(|p| p.needs_consent || p.access == Asks::Consent);
        assert!((fresh & consent).is_empty(), "the old consent was for less");
        assert!(fresh.is_subset(home.purposes(|p| p.vital)), "nobody was told of it as it is now");
        // Steps go back to where everybody starts, until they are chosen again by name.
        let unchosen =
            home.after(|home| everybody(&mut home.people, |person| person.steps = Steps::default()));
        let others = unchosen.decide().permitted.without(changed);
        assert_eq!(after.permitted.without(changed), others, "the others stay as they were");
        for (now, then) in carried.people.iter().zip(&home.people) {
            assert_eq!((now.refused, now.restricted), (then.refused, then.restricted));
        }
        assert_eq!(carried.device.refused, home.device.refused);
        (before & changed & consent).len()
    });
}

#[test]
fn a_refusal_survives_a_change_of_basis() {
    let mut bites = 0;
    for seed in 0..16 {
        let mut dice = Dice::of(seed);
        let product = Product::of(seed, Size::Usual);
        let draft = Draft::of(seed, Size::Usual);
        let name = &dice.pick(&product.purposes).name;
        for basis in Basis::EVERY {
            let rebased = draft.with(&format!("purpose.{name}"), "basis", basis.word());
            let rebased = product.rewritten(rebased.text());
            let table = rebased.table();
            for _ in 0..40 {
                let home = Home::of(&rebased, &table, &rebased.case(&mut dice));
                let purpose = home.number(name).unwrap();
                if home.people.is_empty() {
                    continue;
                }
                let one = dice.place(home.people.len());
                let willing = home.after(|home| everybody(&mut home.people, |person| person.agree(purpose)));
                let refused = willing.after(|home| home.people[one].refuse(purpose));
                // Another basis makes it another purpose: what was agreed is gone, the no stays.
                let carried = refused.after(|home| {
                    everybody(&mut home.people, |person| {
                        *person = person.carried_over(PurposeSet::of(purpose));
                        person.told.insert(purpose);
                    });
                });
                assert!(!carried.decide().permitted.without(carried.kept()).contains(purpose), "{basis:?}");
                assert!(!refused.decide().permitted.without(refused.kept()).contains(purpose), "{basis:?}");
                bites += u32::from(willing.decide().permitted.contains(purpose));
            }
        }
    }
    assert!(bites >= 100, "the law decided {bites} times only");
}

#[test]
fn a_purpose_whose_period_is_over_is_closed() {
    everywhere(|home, _| {
        let mut bites = 0;
        for purpose in home.uses().iter() {
            let reading = home.reading(purpose);
            let keep = reading.keep_for(home.seen_as());
            let received = home.question.received;
            let at = |act: Act, now: u64| {
                let home = home.after(|home| {
                    home.question.act = act;
                    home.question.now = now;
                    everybody(&mut home.people, |person| person.restricted = PurposeSet::NONE);
                });
                home.decide()
            };
            let open = |decision: &Decision| decision.permitted.contains(purpose);
            let over = |decision: &Decision| decision.closed_by(Gate::PeriodOver).contains(purpose);
            // To the second: at its end it is over, before it is not.
            let last = received + keep;
            for act in [Act::Use, Act::Keep] {
                for now in [last, last + 1, last + (1 << 40), u64::MAX] {
                    assert!(!open(&at(act, now)), "kept for longer than said");
                }
                if reading.ends.is_none_or(|end| last - 1 < end) {
                    assert!(!over(&at(act, last - 1)), "closed before its time");
                    assert!(!over(&at(act, received.saturating_sub(60))), "closed by a clock that is slow");
                    bites += u32::from(open(&at(act, last - 1)));
                }
            }
            if let Some(end) = reading.ends {
                for act in [Act::Collect, Act::Use, Act::Keep] {
                    assert!(!open(&at(act, end)) && !open(&at(act, u64::MAX)), "it has ended");
                }
                assert!(!over(&at(Act::Collect, end - 1)), "closed before its end");
            } else {
                // The very last second may stand for never.
                assert!(!over(&at(Act::Collect, u64::MAX - 1)), "it has no end");
            }
        }
        bites
    });
}

#[test]
fn what_no_purpose_permits_is_not_kept() {
    everywhere(|home, _| {
        let decision = home.decide();
        let keeps = decision.permitted.iter().map(|id| home.reading(id).keep_for(home.seen_as()));
        let said = u64::from(decision.keep_seconds);
        if home.seen_as() == SubjectKind::Bystander {
            // The shortest of all that use the item, be they permitted or not.
            assert!(said <= keeps.min().unwrap_or(0), "longer than a permitted purpose keeps it");
        } else {
            assert_eq!(said, keeps.max().unwrap_or(0), "not what the purposes say");
        }
        if decision.permitted.is_empty() {
            assert_eq!((decision.keep_seconds, decision.operator), (0, Operator::Drop));
            assert!(decision.untold_alarms.is_empty());
            return 1;
        }
        // What is only kept because it is restricted may never have had a length.
        assert!(decision.keep_seconds > 0 || home.question.act == Act::Keep);
        0
    });
}

#[test]
fn order_and_duplicates_change_nothing() {
    // Of persons, and of what they said.
    everywhere(|home, dice| {
        let mut choices: Vec<(PurposeId, bool)> =
            home.purposes(|_| true).iter().map(|purpose| (purpose, dice.percent(50))).collect();
        let said = |choices: &[(PurposeId, bool)]| {
            let mut standing = Standing::unasked(AgeBand::Adult);
            for (purpose, yes) in choices {
                if *yes { standing.agree(*purpose) } else { standing.refuse(*purpose) }
            }
            standing
        };
        let in_order = said(&choices);
        choices.extend(choices.clone());
        dice.shuffle(&mut choices);
        assert_eq!(said(&choices), in_order);

        if home.kind != SubjectKind::Household || home.people.is_empty() {
            return 0;
        }
        let shuffled = home.after(|home| {
            let again = home.people[dice.place(home.people.len())];
            home.people.push(again);
            dice.shuffle(&mut home.people);
        });
        assert_eq!(shuffled.decide(), home.decide());
        1
    });
    // Of lines in the manifest.
    for seed in 0..48 {
        let mut dice = Dice::of(seed ^ 0x0D);
        let product = Product::of(seed, size(seed));
        let shuffled = product.rewritten(Draft::of(seed, size(seed)).shuffled(&mut dice).text());
        assert_ne!(product.text, shuffled.text);
        assert_eq!(product.compiled.ordinals, shuffled.compiled.ordinals);
        let (table, other) = (product.table(), shuffled.table());
        for _ in 0..QUESTIONS {
            let case = product.case(&mut dice);
            let one = product.translator(&table).decide(&case);
            assert_eq!(one, shuffled.translator(&other).decide(&case), "seed {seed}: {case:?}");
        }
    }
}

#[test]
fn same_answer_on_device_and_server() {
    for seed in 0..48 {
        let product = Product::of(seed, size(seed));
        // The server compiles; so does another one, from the lock file that the first wrote.
        let manifest = read(&product.text).manifest;
        let again = compile(&manifest, &product.text, &product.before, &product.shut);
        assert_eq!(again.table, product.compiled.table);
        let lock = Ordinals::read(&product.compiled.ordinals.write()).unwrap();
        assert_eq!(lock, product.compiled.ordinals);
        assert_eq!(compile(&manifest, &product.text, &lock, &product.shut).table, product.compiled.table);
        // The device has the bytes somewhere else, at any address.
        let mut flash = vec![0xA5; 13];
        flash.extend_from_slice(&product.compiled.table);
        flash.push(0x5A);
        let (server, device) = (product.table(), Table::read(&flash[13..flash.len() - 1]).unwrap());
        assert!(Table::read(&flash[13..]).is_err(), "a byte too many is not a table");
        let mut dice = Dice::of(seed);
        for _ in 0..QUESTIONS {
            let case = product.case(&mut dice);
            let here = Home::of(&product, &server, &case);
            let there = Home { table: &device, ..here.clone() };
            assert_eq!(here.decide(), there.decide());
            for purpose in here.purposes(|_| true).iter() {
                assert_eq!(here.decide().gate(purpose), there.decide().gate(purpose));
            }
        }
    }
}
