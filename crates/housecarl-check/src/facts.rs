//! What several rules ask of a product, so that each question has one answer.

use housecarl_manifest::model::{Feature, Item, Purpose, Request};
use housecarl_manifest::scalar::Name;
use housecarl_manifest::span::{Named, Spanned, by_name};
use housecarl_manifest::words::{About, Basis, Condition, DataKind, PurposeKind, Touches};

use crate::rule::Product;

impl<'m> Product<'m> {
    /// The items that a purpose uses, each with the place where the purpose names it.
    pub fn used(&self, purpose: &'m Purpose) -> impl Iterator<Item = (&'m Spanned<Name>, &'m Named<Item>)> {
        let items = &self.manifest.item;
        purpose.uses.iter().filter_map(|used| by_name(items, &used.value.0).map(|item| (used, item)))
    }

    /// Whom an item is about: its own word, else its stream's. Where it has neither, nobody is
    /// identified; where its stream does not say, that is a missing key and nothing is known.
    #[must_use]
    pub fn about(&self, item: &Item) -> Option<About> {
        let word = match (&item.about, &item.stream) {
            (Some(about), _) => Some(about),
            (None, Some(stream)) => by_name(&self.manifest.stream, &stream.value.0)?.about.as_ref(),
            (None, None) => return Some(About::Bystander),
        };
        word.map(|about| about.value)
    }

    /// The features that start a purpose.
    pub fn features_of(&self, purpose: &'m Named<Purpose>) -> impl Iterator<Item = &'m Named<Feature>> {
        self.manifest.feature.iter().filter(|feature| names(&feature.starts, purpose).is_some())
    }

    /// The requests that ask about a purpose, each with the place where it names it.
    pub fn requests_for(
        &self,
        purpose: &'m Named<Purpose>,
    ) -> impl Iterator<Item = (&'m Named<Request>, &'m Spanned<Name>)> {
        self.manifest.request.iter().filter_map(|request| Some((request, names(&request.purposes, purpose)?)))
    }
}

/// The place in a list where a purpose is named.
#[must_use]
pub fn names<'l>(list: &'l [Spanned<Name>], purpose: &Named<Purpose>) -> Option<&'l Spanned<Name>> {
    list.iter().find(|name| name.value.0 == purpose.name.value)
}

/// Whether a purpose is the household's own, so that nothing reaches the maker. SCOPE-29.
#[must_use]
pub fn is_household(purpose: &Purpose) -> bool {
    purpose.basis.as_ref().is_some_and(|basis| basis.value == Basis::Household)
}

/// Whether a purpose rests on consent as its lawful basis.
#[must_use]
pub fn rests_on_consent(purpose: &Purpose) -> bool {
    purpose.basis.as_ref().is_some_and(|basis| basis.value == Basis::Consent)
}

/// Whether a purpose rests on explicit consent as its Article 9 condition.
#[must_use]
pub fn rests_on_explicit_consent(purpose: &Purpose) -> bool {
    purpose.condition.as_ref().is_some_and(|condition| condition.value == Condition::ExplicitConsent)
}

/// Whether an item is special category information when this purpose uses it. SPEC-19 to SPEC-34.
#[must_use]
pub fn is_special(item: &Item, purpose: &Purpose) -> bool {
    let Some(kind) = item.kind.as_ref().map(|kind| kind.value) else { return false };
    let purpose_kind = purpose.kind.as_ref().map(|kind| kind.value);
    let guesses_health = purpose_kind == Some(PurposeKind::Pricing)
        || purpose.profiles.iter().any(|profile| profile.value.to_lowercase().contains("health"))
        || purpose
            .decides
            .iter()
            .flat_map(|decides| &decides.touches)
            .any(|touch| touch.value == Touches::Health);
    match kind {
        DataKind::HeartRate
        | DataKind::Sleep
        | DataKind::BodyMassIndex
        | DataKind::BodyTemperature
        | DataKind::BloodPressure
        | DataKind::Oxygen
        | DataKind::Glucose
        | DataKind::MenstrualCycle
        | DataKind::HealthScore => true,
        DataKind::VoiceId | DataKind::FaceId | DataKind::FingerprintId => true,
        // A query that is matched against templates is biometric too, whoever spoke it.
        DataKind::Voice | DataKind::Image | DataKind::Video => {
            purpose_kind == Some(PurposeKind::Identification)
        }
        DataKind::Steps | DataKind::Activity | DataKind::Height | DataKind::Weight => guesses_health,
        _ => false,
    }
}

/// How many names a message lists before it counts the rest.
const NAMES_MAX: usize = 4;

/// Names for a message: `` `a`, `b` and `c` ``, or `` `a`, `b`, `c` and 6 more ``.
pub fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(NAMES_MAX - 1);
    let last = if names.len() > NAMES_MAX {
        names.truncate(NAMES_MAX - 1);
        format!("{more} more")
    } else {
        let Some(last) = names.pop() else { return String::new() };
        last
    };
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn a_long_list_of_names_is_cut_and_counted() {
        let names = ["a", "b", "c", "d", "e"];
        let list = |many: usize| listed(names.into_iter().take(many));
        assert_eq!(list(0), "");
        assert_eq!(list(1), "`a`");
        assert_eq!(list(2), "`a` and `b`");
        assert_eq!(list(4), "`a`, `b`, `c` and `d`");
        assert_eq!(list(5), "`a`, `b`, `c` and 2 more");
    }
}
