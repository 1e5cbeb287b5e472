//! What a manifest says of one purpose, read off the types once more.
//!
//! The compiler of tables works the same out for itself. Nothing here calls it: where the two
//! read a manifest differently, the oracles and the table disagree, and that is to be seen.

use std::collections::BTreeSet;

use housecarl_manifest::Manifest;
use housecarl_manifest::model::{Item, Purpose};
use housecarl_manifest::scalar::{Date, Duration};
use housecarl_manifest::span::Named;
use housecarl_policy::SubjectKind;

/// What PECR asks before a purpose may have the device read or written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// Nothing, unless somebody objects.
    Objection,
    /// Consent.
    Consent,
}

/// One purpose, as its manifest declares it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Its name.
    pub name: String,
    /// Whether it says all that it needs to open.
    pub complete: bool,
    /// The items it uses.
    pub items: BTreeSet<String>,
    /// The kinds of person that these are about.
    pub kinds: BTreeSet<SubjectKind>,
    /// What PECR asks.
    pub access: Asks,
    /// Whether it needs a consent: as its basis or as its Article 9 condition.
    pub needs_consent: bool,
    /// Whether it protects a life.
    pub vital: bool,
    /// Direct marketing.
    pub marketing: bool,
    /// On for a child without anybody switching it on.
    pub core: bool,
    /// Recognises people.
    pub identifies: bool,
    /// The features that start it; none where it is always on.
    pub features: BTreeSet<String>,
    /// For how many seconds it keeps an item.
    pub keep: u64,
    /// The same where nobody identified the person.
    pub keep_unidentified: u64,
    /// The second from which it is over.
    pub ends: Option<u64>,
}

impl Reading {
    /// For how long it keeps an item about somebody of this kind.
    #[must_use]
    pub fn keep_for(&self, kind: SubjectKind) -> u64 {
        if kind == SubjectKind::Bystander { self.keep_unidentified } else { self.keep }
    }
}

/// Reads every purpose.
#[must_use]
pub fn purposes(manifest: &Manifest) -> Vec<Reading> {
    manifest.purpose.iter().map(|purpose| read(manifest, purpose)).collect()
}

fn read(manifest: &Manifest, purpose: &Named<Purpose>) -> Reading {
    let name = purpose.name.value.clone();
    let kind = purpose.kind.as_ref().map_or("", |kind| kind.value.word());
    let basis = purpose.basis.as_ref().map_or("", |basis| basis.value.word());
    let condition = purpose.condition.as_ref().map_or("", |condition| condition.value.word());
    let used: BTreeSet<String> = purpose.uses.iter().map(|used| used.value.0.clone()).collect();
    let items: Vec<&Named<Item>> =
        manifest.item.iter().filter(|item| used.contains(&item.name.value)).collect();

    let features: Vec<_> = manifest
        .feature
        .iter()
        .filter(|feature| feature.starts.iter().any(|started| started.value.0 == name))
        .collect();
    let by_itself = ["core-function", "safety", "security", "legal-duty", "support"].contains(&kind);
    let by_feature = features.iter().any(|feature| feature.core.as_ref().is_some_and(|core| core.value));
    let marketing = ["advertising", "marketing"].contains(&kind);
    let core = if features.is_empty() { by_itself } else { by_feature };

    let keep = kept(purpose);
    let shorter = purpose.keep.as_ref().and_then(|keep| keep.bystanders.as_ref()).map(|d| seconds(d));
    Reading {
        complete: !kind.is_empty() && !basis.is_empty() && !items.is_empty() && keep.is_some(),
        kinds: items.iter().map(|item| about(manifest, item)).collect(),
        access: access(manifest, &name, basis, &items),
        needs_consent: basis == "consent" || condition == "explicit-consent",
        vital: basis == "vital-interests",
        marketing,
        core: core && !marketing && purpose.profiles.is_empty(),
        identifies: kind == "identification",
        features: features.iter().map(|feature| feature.name.value.clone()).collect(),
        keep: keep.unwrap_or(0),
        keep_unidentified: keep.unwrap_or(0).min(shorter.unwrap_or(u64::MAX)),
        ends: purpose.ends.as_ref().map(|day| days_since_1970(day.value) * 86_400),
        items: used,
        name,
    }
}

/// Whom an item is about: its own word, else its stream's; nobody identified where both are silent.
fn about(manifest: &Manifest, item: &Named<Item>) -> SubjectKind {
    let of_stream = || {
        let name = item.stream.as_ref()?;
        let stream = manifest.stream.iter().find(|stream| stream.name.value == name.value.0)?;
        stream.about.as_ref().map(|about| about.value.word())
    };
    match item.about.as_ref().map(|about| about.value.word()).or_else(of_stream) {
        Some("account-holder" | "wearer" | "speaker") => SubjectKind::Person,
        Some("household") => SubjectKind::Household,
        _ => SubjectKind::Bystander,
    }
}

/// PECR: the most that any entry for the purpose asks. What comes off a device without an entry
/// needs consent; what stays in the household is not the maker's access at all.
fn access(manifest: &Manifest, purpose: &str, basis: &str, items: &[&Named<Item>]) -> Asks {
    if basis == "household" {
        return Asks::Nothing;
    }
    let mut most = None;
    for entry in &manifest.access {
        if !entry.serves.iter().any(|served| served.value.0 == purpose) {
            continue;
        }
        let asks = match entry.exception.as_ref().map(|exception| exception.value.word()) {
            Some("communication" | "strictly-necessary" | "emergency") => Asks::Nothing,
            Some("statistics" | "appearance") => Asks::Objection,
            _ => Asks::Consent,
        };
        most = most.max(Some(asks));
    }
    most.unwrap_or_else(|| {
        let given = ["given", "third-party"];
        let off_a_device = items.iter().any(|item| {
            item.stream.is_some()
                && !item.from.as_ref().is_some_and(|from| given.contains(&from.value.word()))
        });
        if off_a_device { Asks::Consent } else { Asks::Nothing }
    })
}

/// From receipt for its length; from any other event for the stated most.
fn kept(purpose: &Purpose) -> Option<u64> {
    let keep = purpose.keep.as_ref()?;
    let length = match keep.from.as_ref()?.value.word() {
        "receipt" => keep.length.as_ref(),
        _ => keep.at_most.as_ref(),
    };
    length.map(|length| seconds(length))
}

/// A length as people say it; a month is never less than a month, nor a year less than a year.
fn seconds(length: &Duration) -> u64 {
    let words = length.to_string();
    let (number, unit) = words.split_once(' ').unwrap();
    let one = match unit.trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 60 * 60,
        "day" => 24 * 60 * 60,
        "week" => 7 * 24 * 60 * 60,
        "month" => 31 * 24 * 60 * 60,
        _ => 366 * 24 * 60 * 60,
    };
    number.parse::<u64>().unwrap() * one
}

/// Counts the days one by one.
fn days_since_1970(date: Date) -> u64 {
    let leap = |year: u16| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut days = 0;
    for year in 1970..date.year {
        days += if leap(year) { 366 } else { 365 };
    }
    let months = [31, if leap(date.year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for length in &months[..usize::from(date.month) - 1] {
        days += length;
    }
    days + u64::from(date.day) - 1
}
