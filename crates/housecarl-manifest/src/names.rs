//! Every name that something in the manifest uses has to be the name of something in it.

use crate::model::Manifest;
use crate::problem::{ProblemKind, Problems, did_you_mean};
use crate::scalar::Name;
use crate::span::{Map, Span, Spanned};

/// The names of one table, and what the table is called.
struct Known<'m> {
    table: &'static str,
    names: Vec<&'m str>,
}

impl<'m> Known<'m> {
    fn of<T>(table: &'static str, map: &'m Map<T>) -> Self {
        Self { table, names: map.iter().map(|entry| entry.name.value.as_str()).collect() }
    }

    fn look_up(&self, name: &str, span: Span, problems: &mut Problems) {
        if !self.names.contains(&name) {
            let meant = did_you_mean(name, self.names.iter().copied());
            let kind = ProblemKind::UnknownName { table: self.table, name: name.to_owned(), meant };
            problems.add(kind, span);
        }
    }

    fn all<'n>(&self, names: impl IntoIterator<Item = &'n Spanned<Name>>, problems: &mut Problems) {
        for name in names {
            self.look_up(&name.value.0, name.span, problems);
        }
    }
}

/// The people who live with the product, where a purpose says who decides.
pub const HOUSEHOLD: &str = "household";

/// Looks every used name up.
pub(crate) fn check(manifest: &Manifest, problems: &mut Problems) {
    let streams = Known::of("stream", &manifest.stream);
    let items = Known::of("item", &manifest.item);
    let models = Known::of("model", &manifest.model);
    let purposes = Known::of("purpose", &manifest.purpose);
    let mut organisations = Known::of("organisation", &manifest.organisation);
    // Those who live there decide about the household's own purposes.
    organisations.names.push(HOUSEHOLD);

    for stream in &manifest.stream {
        purposes.all(stream.identify.iter().flat_map(|identify| &identify.purpose), problems);
    }
    for item in &manifest.item {
        streams.all(&item.stream, problems);
        models.all(&item.model, problems);
        items.all(&item.inferred_from, problems);
    }
    for feature in &manifest.feature {
        purposes.all(&feature.starts, problems);
    }
    for purpose in &manifest.purpose {
        items.all(&purpose.uses, problems);
        for reason in &purpose.needed_because {
            items.look_up(&reason.name.value, reason.name.span, problems);
        }
        if let Some(by) = &purpose.decided_by {
            organisations.all(by.why.iter().chain(&by.what).chain(&by.whose).chain(&by.how_long), problems);
        }
        organisations.all(&purpose.acts_for, problems);
        organisations.all(purpose.own_use.iter().flat_map(|own| &own.by), problems);
        organisations.all(purpose.shares.iter().flat_map(|share| &share.with), problems);
    }
    for access in &manifest.access {
        purposes.all(&access.serves, problems);
    }
    for contract in &manifest.contract {
        organisations.all(&contract.with, problems);
    }
    for request in &manifest.request {
        purposes.all(&request.purposes, problems);
    }
    for signal in &manifest.signal {
        streams.all(&signal.shows, problems);
    }
    purposes.all(manifest.dpia.iter().flat_map(|dpia| &dpia.covers), problems);
}
