//! The same promises as Cedar policies: a decision procedure by other people as a second oracle.
//!
//! A question becomes a request for each purpose: the principal is the person, the household or
//! nobody known; the action is `collect`, `use` or `keep`; the resource is the item, a member of
//! the purposes that use it; the context has the purpose, the device and the times. Each purpose
//! has a `permit` for each kind of person it is for; what closes any purpose is a `forbid`.
//!
//! Cedar has no quantifiers, so "each one" and "anyone" of a household are written out over
//! [`SEATS`] seats. Where fewer people live, the last of them sits on all that are left: the same
//! person twice changes nothing. What a purpose says of itself ([`crate::reading`]) is shared with
//! the reference; how a decision follows from it is not.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression,
};
use housecarl_manifest::Manifest;
use housecarl_policy::{Act, AgeBand, Operator, SubjectKind};

use crate::facts::{Case, Device, Person, Purposes};
use crate::reading::{Asks, Reading, purposes};
use crate::reference::{children_likely, kind_of};

/// How many people of one household the policies can speak of.
pub const SEATS: usize = 4;

const ACTS: [(Act, &str); 3] = [(Act::Collect, "collect"), (Act::Use, "use"), (Act::Keep, "keep")];
const BANDS: [(AgeBand, &str); 7] = [
    (AgeBand::Unknown, "unknown"),
    (AgeBand::To5, "0-5"),
    (AgeBand::To9, "6-9"),
    (AgeBand::To12, "10-12"),
    (AgeBand::To15, "13-15"),
    (AgeBand::To17, "16-17"),
    (AgeBand::Adult, "adult"),
];

fn word<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> &'static str {
    words.iter().find(|(known, _)| known == value).unwrap().1
}

/// The policies of one manifest.
#[derive(Debug)]
pub struct Cedar {
    policies: PolicySet,
    authorizer: Authorizer,
    uses: Vec<(String, BTreeSet<String>)>,
}

/// A question made ready: what Cedar reads of the home, and one request for each purpose.
#[derive(Debug)]
pub struct Prepared {
    /// The person or household, the device and the item.
    pub entities: Entities,
    /// The purposes by name, each with its request.
    pub requests: Vec<(String, Request)>,
}

impl Cedar {
    /// Writes and reads the policies of a manifest. `shut` names the purposes that are not to open.
    #[must_use]
    pub fn of(manifest: &Manifest, shut: &BTreeSet<String>) -> Self {
        let policies = PolicySet::from_str(&policies(manifest, shut)).unwrap();
        let uses = purposes(manifest).into_iter().map(|purpose| (purpose.name, purpose.items)).collect();
        Self { policies, authorizer: Authorizer::new(), uses }
    }

    /// The policies, for a measure of Cedar alone.
    #[must_use]
    pub const fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// Makes a question ready.
    #[must_use]
    pub fn prepare(&self, case: &Case) -> Prepared {
        let device = entity("Device", "device", device_facts(&case.device), &[]);
        let using: Vec<EntityUid> = self
            .uses
            .iter()
            .filter(|(_, items)| items.contains(&case.question.item))
            .map(|(purpose, _)| uid("Purpose", purpose))
            .collect();
        let mut entities = vec![device, entity("Item", &case.question.item, Vec::new(), &using)];
        let people = case.subject.people();
        let principal = match kind_of(&case.subject) {
            SubjectKind::Person => {
                entities.push(entity("Person", "somebody", person_facts(&people[0]), &[]));
                uid("Person", "somebody")
            }
            SubjectKind::Household => {
                assert!(people.len() <= SEATS, "the policies have no seat for everybody");
                let mut seats = Vec::new();
                for seat in 0..SEATS {
                    let person = &people[seat.min(people.len() - 1)];
                    let name = format!("seat{seat}");
                    entities.push(entity("Person", &name, person_facts(person), &[]));
                    seats.push((name.clone(), RestrictedExpression::new_entity_uid(uid("Person", &name))));
                }
                entities.push(entity("Household", "home", seats, &[]));
                uid("Household", "home")
            }
            SubjectKind::Bystander => uid("Bystander", "nobody"),
        };
        let request = |purpose: &String| {
            let long =
                |time: u64| RestrictedExpression::new_long(i64::try_from(time).unwrap_or(i64::MAX / 4));
            let context = Context::from_pairs([
                ("purpose".to_owned(), RestrictedExpression::new_entity_uid(uid("Purpose", purpose))),
                ("device".to_owned(), RestrictedExpression::new_entity_uid(uid("Device", "device"))),
                ("received".to_owned(), long(case.question.received)),
                ("now".to_owned(), long(case.question.now)),
            ]);
            let action = uid("Action", word(&ACTS, &case.question.act));
            let item = uid("Item", &case.question.item);
            Request::new(principal.clone(), action, item, context.unwrap(), None).unwrap()
        };
        let requests = self.uses.iter().map(|(purpose, _)| (purpose.clone(), request(purpose))).collect();
        Prepared { entities: Entities::from_entities(entities, None).unwrap(), requests }
    }

    /// Whether Cedar permits one request.
    ///
    /// # Panics
    /// Where a policy could not be evaluated: Cedar leaves such a policy out, and an oracle that
    /// leaves things out is none.
    #[must_use]
    pub fn permits(&self, request: &Request, entities: &Entities) -> bool {
        let response = self.authorizer.is_authorized(request, &self.policies, entities);
        let errors: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
        assert!(errors.is_empty(), "{errors:?}");
        response.decision() == Decision::Allow
    }

    /// The purposes for which the act is permitted.
    #[must_use]
    pub fn permitted(&self, case: &Case) -> Purposes {
        let Prepared { entities, requests } = self.prepare(case);
        let permitted = requests.into_iter().filter(|(_, request)| self.permits(request, &entities));
        permitted.map(|(purpose, _)| purpose).collect()
    }
}

fn uid(kind: &str, name: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(EntityTypeName::from_str(kind).unwrap(), EntityId::new(name))
}

fn entity(
    kind: &str,
    name: &str,
    facts: Vec<(String, RestrictedExpression)>,
    within: &[EntityUid],
) -> Entity {
    Entity::new_with_tags(uid(kind, name), facts, within.iter().cloned(), []).unwrap()
}

fn set(names: &Purposes) -> RestrictedExpression {
    let purposes = names.iter().map(|name| RestrictedExpression::new_entity_uid(uid("Purpose", name)));
    RestrictedExpression::new_set(purposes)
}

fn device_facts(device: &Device) -> Vec<(String, RestrictedExpression)> {
    let features = device.features.iter().cloned().map(RestrictedExpression::new_string);
    vec![
        ("agreed".to_owned(), set(&device.agreed)),
        ("refused".to_owned(), set(&device.refused)),
        ("available".to_owned(), set(&device.available)),
        ("features".to_owned(), RestrictedExpression::new_set(features)),
    ]
}

fn person_facts(person: &Person) -> Vec<(String, RestrictedExpression)> {
    let steps = person
        .precision
        .iter()
        .map(|(item, step)| (item.clone(), RestrictedExpression::new_string(step.clone())));
    vec![
        ("agreed".to_owned(), set(&person.agreed)),
        ("refused".to_owned(), set(&person.refused)),
        ("told".to_owned(), set(&person.told)),
        ("restricted".to_owned(), set(&person.restricted)),
        ("authorised".to_owned(), set(&person.authorised)),
        ("precision".to_owned(), RestrictedExpression::new_record(steps).unwrap()),
        ("band".to_owned(), RestrictedExpression::new_string(word(&BANDS, &person.band).to_owned())),
        ("noMarketing".to_owned(), RestrictedExpression::new_bool(person.no_marketing)),
    ]
}

/// A kind of principal and the places at which its people stand.
struct Principal {
    kind: SubjectKind,
    name: &'static str,
    people: Vec<String>,
}

impl Principal {
    fn every() -> [Self; 3] {
        let seats = (0..SEATS).map(|seat| format!("principal.seat{seat}")).collect();
        [
            Self { kind: SubjectKind::Person, name: "Person", people: vec!["principal".to_owned()] },
            Self { kind: SubjectKind::Household, name: "Household", people: seats },
            Self { kind: SubjectKind::Bystander, name: "Bystander", people: Vec::new() },
        ]
    }

    /// A condition that everybody meets.
    fn each(&self, condition: impl Fn(&str) -> String) -> String {
        let each: Vec<String> = self.people.iter().map(|person| format!("({})", condition(person))).collect();
        if each.is_empty() { "false".to_owned() } else { each.join(" && ") }
    }

    /// A condition that somebody meets.
    fn any(&self, condition: impl Fn(&str) -> String) -> String {
        let any: Vec<String> = self.people.iter().map(|person| format!("({})", condition(person))).collect();
        if any.is_empty() { "false".to_owned() } else { format!("({})", any.join(" || ")) }
    }
}

/// The policies of a manifest, as text.
#[must_use]
pub fn policies(manifest: &Manifest, shut: &BTreeSet<String>) -> String {
    let purposes = purposes(manifest);
    let likely = children_likely(manifest);
    let mut text = String::new();
    for principal in Principal::every() {
        for purpose in &purposes {
            permit(&mut text, purpose, &principal, likely);
        }
        forbid(&mut text, &purposes, shut, &principal);
        for item in &manifest.item {
            let Some(condition) = off(item, &principal) else { continue };
            let _ = writeln!(
                text,
                "forbid(principal is {}, action in [Action::\"collect\", Action::\"use\"], resource == {}) {condition};",
                principal.name,
                quoted("Item", &item.name.value),
            );
        }
    }
    text
}

fn quoted(kind: &str, name: &str) -> String {
    format!("{kind}::{name:?}")
}

fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("{name:?}")).collect();
    format!("[{}]", names.join(", "))
}

/// What one purpose asks before it opens for one kind of person.
fn permit(text: &mut String, purpose: &Reading, principal: &Principal, children_likely: bool) {
    let nobody = principal.kind == SubjectKind::Bystander;
    let never = !(purpose.kinds.contains(&principal.kind) || purpose.vital)
        || nobody && (purpose.identifies || purpose.needs_consent || !purpose.core && children_likely);
    if never {
        return;
    }
    let name = quoted("Purpose", &purpose.name);
    let child_words: &[&str] = &["0-5", "6-9", "10-12", "13-15", "16-17", "unknown"];
    let young_words: &[&str] = &["0-5", "6-9", "10-12", "unknown"];
    let known = |words: &[&'static str]| {
        listed(words.iter().copied().filter(|word| children_likely || *word != "unknown"))
    };
    let (children, young) = (known(child_words), known(young_words));

    let mut asks = vec![format!("context.purpose == {name}")];
    if let Some(end) = purpose.ends {
        asks.push(format!("context.now < {end}"));
    }
    let keep = purpose.keep_for(principal.kind);
    asks.push(format!("action == Action::\"collect\" || context.now - context.received < {keep}"));
    if !purpose.features.is_empty() {
        let features = listed(purpose.features.iter().map(String::as_str));
        asks.push(format!("context.device.features.containsAny({features})"));
    }
    if purpose.access == Asks::Consent {
        asks.push(format!("context.device.agreed.contains({name})"));
    }
    if !purpose.vital {
        asks.push(if nobody {
            format!("context.device.available.contains({name})")
        } else {
            principal.each(|person| format!("{person}.told.contains({name})"))
        });
    }
    if purpose.needs_consent {
        asks.push(principal.each(|person| format!("{person}.agreed.contains({name})")));
    } else if !purpose.core && !nobody {
        asks.push(principal.each(|person| {
            format!("!{children}.contains({person}.band) || {person}.agreed.contains({name})")
        }));
    }
    if (purpose.needs_consent || !purpose.core) && !nobody {
        asks.push(principal.each(|person| {
            format!("!{young}.contains({person}.band) || {person}.authorised.contains({name})")
        }));
    }
    let _ = writeln!(text, "permit(principal is {}, action, resource in {name})", principal.name);
    for ask in asks {
        let _ = writeln!(text, "  when {{ {ask} }}");
    }
    text.push_str(";\n");
}

/// What closes purposes of any kind, and the one thing that none of it can close.
fn forbid(text: &mut String, purposes: &[Reading], shut: &BTreeSet<String>, principal: &Principal) {
    let named = |chosen: &dyn Fn(&Reading) -> bool| {
        let names: Vec<String> =
            purposes.iter().filter(|p| chosen(p)).map(|p| quoted("Purpose", &p.name)).collect();
        format!("[{}].contains(context.purpose)", names.join(", "))
    };
    let restricted = principal.any(|person| format!("{person}.restricted.contains(context.purpose)"));
    let refused = principal.any(|person| format!("{person}.refused.contains(context.purpose)"));
    let no_marketing = principal.any(|person| format!("{person}.noMarketing"));
    let asking = named(&|purpose| purpose.access != Asks::Nothing);
    let marketing = named(&|purpose| purpose.marketing);
    let kept = format!("action == Action::\"keep\" && {restricted}");
    let mut close = |condition: String| {
        let _ = writeln!(
            text,
            "forbid(principal is {}, action, resource) when {{ {condition} }} unless {{ {kept} }};",
            principal.name
        );
    };
    close(named(&|purpose| !purpose.complete || shut.contains(&purpose.name)));
    close(format!("{asking} && context.device.refused.contains(context.purpose)"));
    close(restricted.clone());
    close(refused);
    close(format!("{marketing} && {no_marketing}"));
    let _ = writeln!(
        text,
        "permit(principal is {}, action == Action::\"keep\", resource) when {{ resource in context.purpose && {restricted} }};",
        principal.name
    );
}

/// When nothing of an item is left; `None` where something always is.
fn off(
    item: &housecarl_manifest::span::Named<housecarl_manifest::model::Item>,
    principal: &Principal,
) -> Option<String> {
    let Some(start) = item.precision.first() else {
        let drops = item.leaves.as_ref().is_some_and(|leaves| leaves.value.0 == Operator::Drop);
        return drops.then(String::new);
    };
    let name = &item.name.value;
    let steps = |off: bool| {
        listed(
            item.precision
                .iter()
                .filter(|step| (step.value.leaves.0 == Operator::Drop) == off)
                .map(|step| step.value.name.as_str()),
        )
    };
    let chose = |person: &str, steps: &str| {
        format!("{person}.precision has {name:?} && {steps}.contains({person}.precision[{name:?}])")
    };
    if start.value.leaves.0 == Operator::Drop {
        // Off until somebody switches it on, and a household is on when each one did.
        let on = steps(false);
        Some(format!("unless {{ {} }}", principal.each(|person| chose(person, &on))))
    } else {
        let off = steps(true);
        Some(format!("when {{ {} }}", principal.any(|person| chose(person, &off))))
    }
}
