//! A manifest, checked before anything is decided by it, and compiled.

use std::fmt;

use housecarl_check::Report;
use housecarl_check::problems::is_problem;
use housecarl_journey::product::Product;
use housecarl_manifest::fingerprint::Facets;
use housecarl_manifest::scalar::Date;
use housecarl_manifest::{Ordinals, compile, read};

/// A product, ready to be put in force.
#[derive(Debug)]
pub struct Loaded {
    /// What the journey is given.
    pub product: Product,
    /// What was found; the purposes that an open `must` is about are compiled shut.
    pub report: Report,
}

/// A manifest that cannot be read in full: nothing is decided by it, because what was misread could
/// open something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotLoaded {
    /// How many problems there are.
    pub problems: usize,
}

impl fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it cannot be read in full ({} problems), so nothing is decided by it", self.problems)
    }
}

impl std::error::Error for NotLoaded {}

/// Checks and compiles a manifest. `name` is the product's for good: people's choices are kept by it.
///
/// # Errors
/// [`NotLoaded`].
pub fn load(name: &str, text: &str, ordinals: &Ordinals, today: Date) -> Result<Loaded, NotLoaded> {
    let reading = read(text);
    let report = housecarl_check::check(&reading, text, today);
    let problems = report.findings.iter().filter(|finding| is_problem(finding.code)).count();
    if problems > 0 {
        return Err(NotLoaded { problems });
    }
    let manifest = &reading.manifest;
    let compiled = compile(manifest, text, ordinals, &report.shut());
    let features = manifest.feature.iter().filter_map(|feature| {
        let number = compiled.ordinals.feature(&feature.name.value)?;
        Some((feature.name.value.clone(), u8::try_from(number).ok()?))
    });
    let fingerprints = manifest.purpose.iter().map(|purpose| {
        let present = Facets::of(manifest, purpose).fingerprint().to_string();
        (purpose.name.value.clone(), vec![present])
    });
    let inferred_from = manifest.item.iter().filter(|item| !item.inferred_from.is_empty()).map(|item| {
        let from = item.inferred_from.iter().map(|from| from.value.0.clone());
        (item.name.value.clone(), from.collect())
    });
    let product = Product {
        name: name.to_owned(),
        features: features.collect(),
        fingerprints: fingerprints.collect(),
        inferred_from: inferred_from.collect(),
        table: compiled.table,
    };
    Ok(Loaded { product, report })
}
