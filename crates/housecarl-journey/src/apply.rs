//! Apply: another version of a product is put in force, for everybody in one step.
//!
//! What people have said stays; what of it counts is summed again under the new version, by names and
//! fingerprints. Most of the log of choices is summed while the old version is still at work; only
//! what was said meanwhile is added while nobody may say more. Then the version and all standings
//! change places with the old ones at once, so that a message is decided under one or the other and
//! never under something of each.
//!
//! The order of durable steps, and what a crash after each leaves:
//! 1. the numbers of new streams: numbers of streams that nobody uses;
//! 2. what the version was compiled from and its entry in the audit log, in one transaction: the next
//!    start puts the new version in force, and sums the log under it;
//! 3. memory: every decision from now on is made by it, and what was decided before is written or
//!    decided again;
//! 4. what each device is wanted to send is told.

use std::fmt;
use std::sync::PoisonError;

use housecarl_audit::Act;
use housecarl_audit::entry::Digest;
use housecarl_policy::Standing;

use crate::audit::{self, AuditError, By, EntryNumber};
use crate::journey::{Journey, NotChanged};
use crate::people::RegisterError;
use crate::product::{InForce, Product, ProductNumber, State, Version};

/// How many entries of the log of choices are read at once; others may write in between.
const PAGE: usize = 10_000;

/// What a product was put in force from the last time.
#[derive(Clone)]
pub struct Applied {
    /// The product's name.
    pub product: String,
    /// What it was compiled from, as it was given then.
    pub source: Vec<u8>,
}

/// A product that is to be in force.
#[derive(Clone)]
pub struct Putting {
    /// As it is compiled.
    pub product: Product,
    /// What it is compiled from, to be handed back at the next start; the journey does not read it.
    /// `None` leaves what is there.
    pub source: Option<Vec<u8>>,
}

impl fmt::Debug for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applied").field("product", &self.product).finish_non_exhaustive()
    }
}

impl fmt::Debug for Putting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Putting").field("product", &self.product.name).finish_non_exhaustive()
    }
}

impl Journey {
    /// Puts another version of a product that is at work in force, and returns when everything is as
    /// it says: on the disk, what every decision and every read from now on is made by, and everything
    /// begun under the old version written, handed on or dropped. The number is that of its entry in
    /// the audit log. One at a time.
    ///
    /// # Errors
    /// [`NotChanged`]; after [`NotChanged::Stopped`] it is in force at the next start.
    pub async fn apply(&self, new: Putting, by: By, now: u64) -> Result<EntryNumber, NotChanged> {
        let Putting { product, source } = new;
        let (number, in_force) =
            self.product_named(&product.name).ok_or(NotChanged::Unknown("product at work"))?;
        let table = audit::sha256(&product.table);
        // 1.
        let version =
            Version::new(product, |name| self.register.stream(number, name).map_err(NotChanged::from))?;
        let state = State::new(version);
        let people = self.register.people()?;
        for person in &people {
            state.standings.set(person.id, Standing::unasked(person.age.band));
        }
        let summed = self.sum(&state, number, 0)?;
        let entry = {
            let _alone = self.applying.write().unwrap_or_else(PoisonError::into_inner);
            self.take_in_newcomers(&state, in_force);
            // Who was forgotten meanwhile is not remembered by this.
            let present = in_force.state();
            let gone = people.iter().filter(|person| present.standings.get(person.id).is_none());
            gone.for_each(|person| state.standings.remove(person.id));
            self.sum(&state, number, summed)?;
            // 2.
            let entry =
                self.write_version(number, state.version.name(), table, source.as_deref(), by, now)?;
            // 3. What ends at this moment goes by what is restricted now.
            let _expiring = self.expiring.lock().unwrap_or_else(PoisonError::into_inner);
            in_force.put(state);
            let state = in_force.state();
            self.homes.people().into_iter().for_each(|person| self.note_restricted(&state, number, person));
            self.homes.each(|home| home.epoch.end());
            entry
        };
        // 4.
        self.homes.each(|home| self.want(home, now));
        // Whoever was being handed something has it.
        self.homes.each(|home| drop(home.reading.write().unwrap_or_else(PoisonError::into_inner)));
        self.commits.barrier().await?;
        Ok(entry)
    }

    /// What the version in force of a product was compiled from, where that is known.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub fn source(&self, product: ProductNumber) -> Result<Option<Vec<u8>>, RegisterError> {
        self.register.source(product)
    }

    /// Adds what was said about a product after an entry of the log; the last entry there is.
    fn sum(&self, state: &State, product: ProductNumber, mut after: i64) -> Result<i64, RegisterError> {
        loop {
            let (choices, last) = self.register.choices_after(product, after, PAGE)?;
            choices.iter().for_each(|choice| self.add_to(state, choice));
            let Some(last) = last else { return Ok(after) };
            after = last;
        }
    }

    /// Whoever has moved in since the people were read, and who has come into another age band.
    fn take_in_newcomers(&self, state: &State, present: &InForce) {
        let present = present.state();
        for person in self.homes.people() {
            let Some(band) = present.standings.get(person).map(|standing| standing.band) else { continue };
            match state.standings.get(person) {
                None => state.standings.set(person, Standing::unasked(band)),
                Some(standing) if standing.band != band => {
                    state.standings.set(person, Standing { band, ..standing });
                }
                Some(_) => {}
            }
        }
    }

    /// Writes down which version is in force after a start, where it is another one than the last
    /// time: the products are the same, and the program or the day is another one.
    pub(crate) fn log_version(
        &self,
        product: ProductNumber,
        source: Option<&[u8]>,
        now: u64,
    ) -> Result<(), AuditError> {
        let Some(version) = self.product(product).map(InForce::version) else { return Ok(()) };
        let table = audit::sha256(version.table_bytes());
        let same_source = source.is_none() || self.register.source(product)?.as_deref() == source;
        if self.register.applied(product)? == Some(table) && same_source {
            return Ok(());
        }
        self.write_version(product, version.name(), table, source, By::Housecarl, now)?;
        Ok(())
    }

    fn write_version(
        &self,
        number: ProductNumber,
        name: &str,
        table: [u8; 32],
        source: Option<&[u8]>,
        by: By,
        now: u64,
    ) -> Result<EntryNumber, AuditError> {
        let before = self.register.applied(number)?;
        let act = Act::ProductApplied {
            product: audit::name(name)?,
            from: before.map_or(audit::NOTHING, Digest),
            to: Digest(table),
        };
        let entry = self.entry(None, by, now, &[], |_| act)?;
        Ok(self.register.apply(number, table, source, &entry)?)
    }
}
