//! Who belongs where: what a listener has to know before it lets somebody act on somebody.

use super::{DeviceId, HomeId, PersonId, SubjectId};
use crate::journey::Journey;
use crate::product::ProductNumber;
use crate::store::StoreError;
use crate::store::commit::Failed;

impl Journey {
    /// The home where a person lives.
    #[must_use]
    pub fn home_of_person(&self, person: PersonId) -> Option<HomeId> {
        Some(self.homes.home_of(person)?.row.id)
    }

    /// The home where a device stands.
    #[must_use]
    pub fn home_of_device(&self, device: DeviceId) -> Option<HomeId> {
        Some(self.homes.device(device)?.home.row.id)
    }

    /// What about a home is about all who live there together.
    #[must_use]
    pub fn household_of(&self, home: HomeId) -> Option<SubjectId> {
        Some(self.homes.home(home)?.row.household)
    }

    /// What about a home is about people whom nobody identified.
    #[must_use]
    pub fn bystanders_of(&self, home: HomeId) -> Option<SubjectId> {
        Some(self.homes.home(home)?.row.bystanders)
    }

    /// The product that a device is one of.
    #[must_use]
    pub fn product_of(&self, device: DeviceId) -> Option<ProductNumber> {
        Some(self.homes.device(device)?.row.product)
    }

    /// Returns when whoever writes messages to the disk has answered, the store works, and the disk
    /// has room.
    ///
    /// # Errors
    /// [`Failed`]: the next message would not be taken.
    pub async fn writes(&self) -> Result<(), Failed> {
        self.commits.barrier().await?;
        if !self.reserve.is_whole() {
            return Err(Failed::Full);
        }
        match self.store.check().and_then(|()| self.store.has_room()) {
            Ok(()) => Ok(()),
            Err(StoreError::Full) => Err(Failed::Full),
            Err(_) => Err(Failed::Stopped),
        }
    }
}
