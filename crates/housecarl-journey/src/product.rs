//! The products whose messages travel here: each a compiled manifest, with what a table leaves out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use housecarl_policy::table::TableError;
use housecarl_policy::{DeviceStanding, ItemId, PurposeId, StreamId, Table};

use crate::people::{DeviceId, Standings};
use crate::store::StreamNumber;

/// A compiled manifest.
#[derive(Clone, Debug)]
pub struct Product {
    /// The product's name.
    pub name: String,
    /// The policy table.
    pub table: Vec<u8>,
    /// The number of each feature.
    pub features: BTreeMap<String, u8>,
    /// The fingerprints of each purpose, which stand for what it means apart from its words: the
    /// present one first, then those from which it only became narrower. What was said about one of
    /// them counts; a purpose that became wider or different has the present one alone.
    pub fingerprints: BTreeMap<String, Vec<String>>,
    /// The items that each inferred item was inferred from.
    pub inferred_from: BTreeMap<String, Vec<String>>,
}

/// A product's number within one deployment: given once per name, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProductNumber(pub u16);

/// One version of a product's manifest, in force.
pub struct Version {
    /// What everything is decided by.
    pub table: Table<'static>,
    product: Product,
    streams: Vec<StreamNumber>,
    sources: BTreeMap<ItemId, BTreeSet<ItemId>>,
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Version").field("product", &self.product.name).finish_non_exhaustive()
    }
}

impl Version {
    /// `number` gives the number of each stream by name.
    pub(crate) fn new<E: From<TableError>>(
        product: Product,
        mut number: impl FnMut(&str) -> Result<StreamNumber, E>,
    ) -> Result<Self, E> {
        // A product is applied a handful of times in a process, and its table then lives as long as
        // any decision by it may: for good.
        let table = Table::read(product.table.clone().leak())?;
        let names = table.streams().map(|(_, stream)| table.text(stream.name));
        let streams = names.map(&mut number).collect::<Result<_, E>>()?;
        let sources = sources(&table, &product.inferred_from);
        Ok(Self { table, product, streams, sources })
    }

    /// The items that an item was inferred from, by however many steps.
    pub(crate) fn sources(&self, item: ItemId) -> impl Iterator<Item = ItemId> {
        self.sources.get(&item).into_iter().flatten().copied()
    }

    /// The stream of this name.
    #[must_use]
    pub fn stream(&self, name: &str) -> Option<StreamId> {
        self.table.streams().find(|(_, stream)| self.table.text(stream.name) == name).map(|(id, _)| id)
    }

    /// Its number in this deployment.
    #[must_use]
    pub fn stream_number(&self, stream: StreamId) -> Option<StreamNumber> {
        self.streams.get(usize::from(stream.0)).copied()
    }

    /// The stream with this number in this deployment, if the manifest still has it.
    #[must_use]
    pub fn stream_of(&self, number: StreamNumber) -> Option<StreamId> {
        let at = self.streams.iter().position(|known| *known == number)?;
        u16::try_from(at).ok().map(StreamId)
    }

    /// The purpose of this name.
    #[must_use]
    pub fn purpose(&self, name: &str) -> Option<PurposeId> {
        let named = |id: &PurposeId| {
            self.table.purpose(*id).is_some_and(|purpose| self.table.text(purpose.name) == name)
        };
        self.table.purposes().iter().find(named)
    }

    /// The item of this name.
    #[must_use]
    pub fn item(&self, name: &str) -> Option<ItemId> {
        self.table.items().find(|(_, item)| self.table.text(item.name) == name).map(|(id, _)| id)
    }

    /// The bit of a feature.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<u32> {
        1_u32.checked_shl((*self.product.features.get(name)?).into())
    }

    /// The names of its features.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        self.product.features.keys().map(String::as_str)
    }

    /// The fingerprints under which what was said about a purpose counts; the present one first.
    #[must_use]
    pub fn fingerprints(&self, purpose: &str) -> &[String] {
        self.product.fingerprints.get(purpose).map_or(&[], Vec::as_slice)
    }

    /// The policy table as it was compiled.
    pub(crate) fn table_bytes(&self) -> &[u8] {
        &self.product.table
    }

    /// The product's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.product.name
    }
}

/// From which items each item was inferred, by however many steps.
fn sources(
    table: &Table<'_>,
    inferred_from: &BTreeMap<String, Vec<String>>,
) -> BTreeMap<ItemId, BTreeSet<ItemId>> {
    let named: BTreeMap<&str, ItemId> = table.items().map(|(id, item)| (table.text(item.name), id)).collect();
    let of = |item: &str| inferred_from.get(item).into_iter().flatten().map(String::as_str);
    let all = |item: &String| {
        let mut found = BTreeSet::new();
        let mut to_see: Vec<&str> = of(item).collect();
        while let Some(source) = to_see.pop() {
            // Each is seen once, also where a manifest goes round in a circle.
            if let Some(id) = named.get(source)
                && found.insert(*id)
            {
                to_see.extend(of(source));
            }
        }
        Some((*named.get(item.as_str())?, found))
    };
    inferred_from.keys().filter_map(all).collect()
}

/// A product at work.
#[derive(Debug)]
pub struct InForce {
    state: ArcSwap<State>,
}

impl InForce {
    pub(crate) fn new(version: Version) -> Self {
        Self { state: ArcSwap::from_pointee(State::new(version)) }
    }

    /// The version in force at this moment.
    #[must_use]
    pub fn version(&self) -> Arc<Version> {
        Arc::clone(&self.state.load().version)
    }

    /// The version in force at this moment, with what was said, for as long as it is needed.
    pub(crate) fn state(&self) -> Arc<State> {
        self.state.load_full()
    }

    /// Another version is in force, for whoever asks from now on.
    pub(crate) fn put(&self, state: State) {
        self.state.store(Arc::new(state));
    }
}

/// One version and everything that was said, summed under it. The two change together: whoever
/// decides takes both from one state, and never one of each.
pub(crate) struct State {
    pub(crate) version: Arc<Version>,
    /// What people have said about it.
    pub(crate) standings: Standings,
    /// What is settled for its devices, where something is.
    devices: RwLock<BTreeMap<DeviceId, DeviceStanding>>,
}

impl State {
    pub(crate) fn new(version: Version) -> Self {
        Self { version: Arc::new(version), standings: Standings::default(), devices: RwLock::default() }
    }

    pub(crate) fn device(&self, device: DeviceId) -> DeviceStanding {
        let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        devices.get(&device).copied().unwrap_or_default()
    }

    pub(crate) fn settle(&self, device: DeviceId, standing: DeviceStanding) {
        self.devices.write().unwrap_or_else(PoisonError::into_inner).insert(device, standing);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("version", &self.version).finish_non_exhaustive()
    }
}
