//! The shape of a rule: one file with a doc comment under fixed headings, a struct that is the
//! finding, and one function. CONTRIBUTING says how to add one.

use housecarl_manifest::Manifest;
use housecarl_manifest::model::Purpose;
use housecarl_manifest::scalar::Date;
use housecarl_manifest::span::{Named, Span};
use housecarl_manifest::words::OrganisationKind;

use crate::diagnostic::{Diagnostic, Level};

/// A rule, as its file declares it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The code, which never changes its meaning.
    pub code: &'static str,
    /// How much weight a finding has.
    pub level: Level,
    /// Where in its life the rule is.
    pub status: Status,
    /// The statements that it decides, wholly or in part.
    pub statements: &'static [&'static str],
    /// Looks at a product and reports what it finds.
    pub check: fn(&Product<'_>, &mut Findings<'_>),
}

/// Where in its life a rule is, and since which release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// New; its verdict may still change.
    Preview {
        /// Since this release.
        since: &'static str,
    },
    /// Settled.
    Stable {
        /// Since this release.
        since: &'static str,
    },
}

/// What a rule sees: one product, on one day.
#[derive(Clone, Copy, Debug)]
pub struct Product<'m> {
    /// The manifest, as far as it could be read.
    pub manifest: &'m Manifest,
    /// The day on which dates are judged.
    pub as_of: Date,
}

impl<'m> Product<'m> {
    /// Whether children are aimed at or said to be likely. Where nothing is said, that is a missing
    /// key, and no rule turns on it.
    #[must_use]
    pub fn children_likely(&self) -> bool {
        let children = self.manifest.people.as_ref().and_then(|people| people.children.as_ref());
        let said =
            |field: &housecarl_manifest::span::Field<bool>| field.as_ref().is_some_and(|said| said.value);
        children.is_some_and(|children| said(&children.aimed) || said(&children.likely))
    }

    /// The organisation that answers for a purpose: the first that decides why.
    #[must_use]
    pub fn controller_of(&self, purpose: &Purpose) -> Option<String> {
        let by = purpose.decided_by.as_ref()?;
        by.why.first().map(|name| name.value.0.clone()).or_else(|| self.maker())
    }

    /// The organisation that makes the product: the first manufacturer, else the first that is named.
    #[must_use]
    pub fn maker(&self) -> Option<String> {
        let everybody = &self.manifest.organisation;
        let maker = everybody.iter().find(|organisation| {
            organisation.kind.as_ref().is_some_and(|kind| kind.value == OrganisationKind::Manufacturer)
        });
        maker.or_else(|| everybody.first()).map(|maker| maker.name.value.clone())
    }

    /// Where to point when something is missing from the product as a whole.
    #[must_use]
    pub fn product_span(&self) -> Span {
        self.manifest.product.as_ref().map(|product| product.span).unwrap_or_default()
    }
}

/// What is found: the words for a person who has to act on it.
pub trait Finding {
    /// What is the case, and why it matters.
    fn message(&self) -> String;
    /// What to do.
    fn help(&self) -> String;
}

/// Where a rule puts its findings.
#[derive(Debug)]
pub struct Findings<'f> {
    rule: &'static Rule,
    name: &'static str,
    product: Product<'f>,
    found: Vec<Diagnostic>,
}

impl<'f> Findings<'f> {
    /// An empty list for one rule.
    #[must_use]
    pub const fn new(rule: &'static Rule, name: &'static str, product: Product<'f>) -> Self {
        Self { rule, name, product, found: Vec::new() }
    }

    /// Adds a finding at a place. The maker has to act, unless the rule says who.
    pub fn report(&mut self, finding: &impl Finding, span: Span) -> &mut Diagnostic {
        self.found.push(Diagnostic {
            code: self.rule.code,
            name: self.name.replace('_', "-"),
            level: self.rule.level,
            statements: self.rule.statements,
            message: finding.message(),
            span,
            label: String::new(),
            also: Vec::new(),
            help: finding.help(),
            organisation: self.product.maker(),
            purposes: Vec::new(),
        });
        let last = self.found.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the entry was pushed two lines above")]
        &mut self.found[last]
    }

    /// Adds a finding about a purpose: its controller has to act, and it is shut while a `must` is open.
    pub fn report_purpose(
        &mut self,
        finding: &impl Finding,
        purpose: &Named<Purpose>,
        span: Span,
    ) -> &mut Diagnostic {
        let controller = self.product.controller_of(purpose);
        let found = self.report(finding, span);
        found.purpose(purpose.name.value.clone());
        if let Some(controller) = controller {
            found.organisation(controller);
        }
        found
    }

    /// What was found.
    #[must_use]
    pub fn into_found(self) -> Vec<Diagnostic> {
        self.found
    }
}

/// What every rule file imports.
pub mod prelude {
    pub use super::{Finding, Findings, Product, Rule, Status};
    pub use crate::diagnostic::Level;
    pub use crate::facts::{
        is_household, is_special, listed, names, rests_on_consent, rests_on_explicit_consent,
    };
    pub use housecarl_manifest::model::*;
    pub use housecarl_manifest::span::{Named, by_name};
    pub use housecarl_manifest::words;
}
