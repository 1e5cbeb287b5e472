//! The products of a history: two that ship with the project, one that children play with, and the
//! lodge, whose times are short. Each as the journey gets it, and as its manifest reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use housecarl_journey::product::Product as Compiled;
use housecarl_manifest::fingerprint::Facets;
use housecarl_manifest::model::{Item, Stream};
use housecarl_manifest::path::Path;
use housecarl_manifest::span::Named;
use housecarl_manifest::{Manifest, Ordinals, compile, read};
use housecarl_oracle::reading::Reading;
use housecarl_oracle::reference::Reference;
use housecarl_policy::SubjectKind;

const WATCH: &str = include_str!("../../../products/watch/privacy.toml");
const DOORBELL: &str = include_str!("../../../products/doorbell/privacy.toml");
const TOY: &str = include_str!("../../../products/toy-player/privacy.toml");
const LODGE: &str = include_str!("lodge.toml");

/// The streams that a history sends by. Those whose conditions settle the value itself are left out:
/// a message that is put together item by item cannot keep them.
const STREAMS: [(&str, &str, &[&str]); 4] = [
    ("lodge", LODGE, &["log", "room", "door", "voice"]),
    ("watch", WATCH, &["vitals", "day", "night", "diary", "readings"]),
    ("doorbell", DOORBELL, &["ring", "updates", "clips", "status", "triggers"]),
    ("toy-player", TOY, &["playing", "status", "recordings"]),
];

/// Every product.
pub static PRODUCTS: LazyLock<Vec<Product>> =
    LazyLock::new(|| STREAMS.iter().map(|(name, text, streams)| Product::of(name, text, streams)).collect());

/// One product.
#[derive(Debug)]
pub struct Product {
    /// Its name.
    pub name: &'static str,
    /// As the journey takes it.
    pub compiled: Compiled,
    /// As it reads.
    pub manifest: &'static Manifest,
    /// What should be decided by it.
    pub reference: Reference<'static>,
    /// The streams that a history sends by.
    pub streams: Vec<&'static Named<Stream>>,
}

fn inferred_from(manifest: &Manifest) -> BTreeMap<String, Vec<String>> {
    let sources = |item: &Item| item.inferred_from.iter().map(|source| source.value.0.clone()).collect();
    manifest.item.iter().map(|item| (item.name.value.clone(), sources(item))).collect()
}

static NOTHING: BTreeSet<String> = BTreeSet::new();

impl Product {
    fn of(name: &'static str, text: &str, streams: &[&str]) -> Self {
        let reading = read(text);
        assert!(reading.problems.is_empty(), "{name}: {:#?}", reading.problems);
        // For the whole process: a handful of manifests.
        let manifest: &'static Manifest = Box::leak(Box::new(reading.manifest));
        let ordinals = Ordinals::default().extended(manifest);
        let compiled = compile(manifest, text, &ordinals, &NOTHING);
        let features = manifest.feature.iter().map(|feature| {
            let number = compiled.ordinals.feature(&feature.name.value).unwrap();
            (feature.name.value.clone(), u8::try_from(number).unwrap())
        });
        let fingerprint = |purpose| vec![Facets::of(manifest, purpose).fingerprint().to_string()];
        let fingerprints: BTreeMap<_, _> = manifest
            .purpose
            .iter()
            .map(|purpose| (purpose.name.value.clone(), fingerprint(purpose)))
            .collect();
        let compiled = Compiled {
            name: name.to_owned(),
            table: compiled.table,
            features: features.collect(),
            inferred_from: inferred_from(manifest),
            fingerprints,
        };
        let named =
            |wanted: &&str| manifest.stream.iter().find(|stream| stream.name.value == **wanted).unwrap();
        Self {
            name,
            compiled,
            manifest,
            reference: Reference::of(manifest, &NOTHING),
            streams: streams.iter().map(named).collect(),
        }
    }

    /// The items that an item was inferred from, by however many steps.
    #[must_use]
    pub fn sources(&self, item: &str) -> BTreeSet<String> {
        let direct = inferred_from(self.manifest);
        let mut found = BTreeSet::new();
        let mut to_see = vec![item.to_owned()];
        while let Some(seen) = to_see.pop() {
            for source in direct.get(&seen).into_iter().flatten() {
                if found.insert(source.clone()) {
                    to_see.push(source.clone());
                }
            }
        }
        found
    }

    /// The purposes as they read.
    #[must_use]
    pub fn purposes(&self) -> &[Reading] {
        self.reference.purposes()
    }

    /// A purpose by name.
    #[must_use]
    pub fn purpose(&self, name: &str) -> &Reading {
        self.purposes().iter().find(|purpose| purpose.name == name).unwrap()
    }

    /// The items that arrive by a stream.
    pub fn items_of<'p>(&'p self, stream: &'p str) -> impl Iterator<Item = &'static Named<Item>> + 'p {
        self.manifest
            .item
            .iter()
            .filter(move |item| item.stream.as_ref().is_some_and(|of| of.value.0 == stream))
    }

    /// An item by name.
    #[must_use]
    pub fn item(&self, name: &str) -> &'static Named<Item> {
        self.manifest.item.iter().find(|item| item.name.value == name).unwrap()
    }

    /// Whom an item is about: by its own word, else by its stream's.
    #[must_use]
    pub fn about(&self, item: &Item) -> SubjectKind {
        let of_stream = || {
            let name = &item.stream.as_ref()?.value.0;
            let stream = self.manifest.stream.iter().find(|stream| stream.name.value == *name)?;
            stream.about.as_ref()
        };
        match item.about.as_ref().or_else(of_stream).map(|about| about.value.word()) {
            Some("account-holder" | "wearer" | "speaker") => SubjectKind::Person,
            Some("household") => SubjectKind::Household,
            _ => SubjectKind::Bystander,
        }
    }

    /// The paths at which an item's values stand.
    pub fn paths(item: &Item) -> impl Iterator<Item = &Path> {
        item.at.iter().map(|path| &path.value)
    }
}
