//! Who may come in: devices with a secret of their own, operators and consumers with a token.
//!
//! A secret is 32 random bytes, shown once as text and kept as its SHA-256: guessing it is hopeless,
//! so nothing slower is needed, and a message is not kept waiting for it.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use zeroize::Zeroizing;

use super::register::RegisterError;
use super::{DeviceId, HomeId, OperatorId, PersonId};
use crate::audit::By;
use crate::journey::{Journey, NotChanged};
use crate::keys::Unavailable;
use crate::product::ProductNumber;

/// For how long a claim code can be used, in seconds.
pub const CLAIM_SECONDS: u64 = 86_400;

/// A secret on its way to whoever it is for. It is shown once and kept nowhere.
pub struct Secret(Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The text to hand over.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn random() -> Result<Self, Unavailable> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| Unavailable)?;
        let mut text = Zeroizing::new(String::with_capacity(64));
        bytes.iter().for_each(|byte| text.push_str(&format!("{byte:02x}")));
        Ok(Self(text))
    }

    fn hash(&self) -> Hash {
        Hash::of(self.0.as_bytes())
    }
}

/// What is kept of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hash(pub(crate) [u8; 32]);

impl Hash {
    pub(crate) fn of(secret: &[u8]) -> Self {
        let hash = digest::digest(&digest::SHA256, secret);
        Self(hash.as_ref().first_chunk().copied().unwrap_or_default())
    }

    fn is_of(&self, secret: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &Self::of(secret).0).is_ok()
    }
}

/// What somebody who is not a device may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Role {
    /// Runs the gateway: homes, people, devices, choices on their behalf, erasure. Reads nothing.
    Operator,
    /// Reads, for these purposes of a product and no others; nothing else.
    Consumer {
        /// The product's name.
        product: String,
        /// The purposes' names.
        purposes: Vec<String>,
    },
}

/// Somebody whose token was right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// Who, for the log.
    pub id: OperatorId,
    /// What they may do.
    pub role: Role,
}

impl Operator {
    /// As the log says it.
    #[must_use]
    pub const fn by(&self) -> By {
        match self.role {
            Role::Operator => By::Operator(self.id),
            Role::Consumer { .. } => By::Consumer(self.id),
        }
    }
}

/// What a claim code is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClaimRow {
    pub(crate) home: HomeId,
    pub(crate) product: ProductNumber,
    pub(crate) holder: Option<PersonId>,
    pub(crate) until: u64,
}

impl Journey {
    /// A code with which one device of this product can be enrolled in this home, within
    /// [`CLAIM_SECONDS`].
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn issue_claim(
        &self,
        home: HomeId,
        product: ProductNumber,
        holder: Option<PersonId>,
        by: By,
        now: u64,
    ) -> Result<Secret, NotChanged> {
        self.homes.home(home).ok_or(NotChanged::Unknown("home"))?;
        self.product(product).ok_or(NotChanged::Unknown("product"))?;
        let code = Secret::random()?;
        let claim = ClaimRow { home, product, holder, until: now.saturating_add(CLAIM_SECONDS) };
        let entry = self.action("claim-issued", home.0, by, now)?;
        self.register.add_claim(code.hash(), &claim, &entry)?;
        Ok(code)
    }

    /// Enrols a device by its claim code, which is then used up: its id and its secret.
    ///
    /// # Errors
    /// [`NotChanged::Unknown`] where the code is not right, used up or too old: nobody is told which.
    pub fn enrol(&self, code: &str, now: u64) -> Result<(DeviceId, Secret), NotChanged> {
        let (device, secret) = (DeviceId::random()?, Secret::random()?);
        let entry = self.action("device-enrolled", device.0, By::Device(device), now)?;
        let enrolled = self.register.enrol(Hash::of(code.as_bytes()), device, secret.hash(), now, &entry)?;
        let row = enrolled.ok_or(NotChanged::Unknown("claim code"))?;
        self.homes.add_device(row, Some(secret.hash()));
        if let Some(home) = self.homes.home(row.home) {
            self.want_again(&home, now);
        }
        Ok((device, secret))
    }

    /// Gives a device a new secret. The old one is worth nothing from now on.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn renew_device_secret(&self, device: DeviceId, by: By, now: u64) -> Result<Secret, NotChanged> {
        let at_work = self.homes.device(device).ok_or(NotChanged::Unknown("device"))?;
        let secret = Secret::random()?;
        let entry = self.action("device-renewed", device.0, by, now)?;
        self.register.set_device_secret(device, Some(secret.hash()), &entry)?;
        at_work.set_secret(Some(secret.hash()));
        Ok(secret)
    }

    /// Shuts a device out for good, on connections that are open too.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn revoke_device(&self, device: DeviceId, by: By, now: u64) -> Result<(), NotChanged> {
        let at_work = self.homes.device(device).ok_or(NotChanged::Unknown("device"))?;
        let entry = self.action("device-revoked", device.0, by, now)?;
        self.register.set_device_secret(device, None, &entry)?;
        at_work.set_secret(None);
        Ok(())
    }

    /// Whether this is the device's secret, and how to hear that it is no longer.
    #[must_use]
    pub fn device_with(&self, device: DeviceId, secret: &[u8]) -> Option<Credential> {
        let changes = self.homes.device(device)?.secret();
        let right = changes.borrow().is_some_and(|hash| hash.is_of(secret));
        right.then_some(Credential { device, changes })
    }

    /// A token for the first operator, where there has never been one. It is to be used up by
    /// [`Journey::renew_operator`].
    ///
    /// # Errors
    /// [`RegisterError`], or no random bytes.
    pub fn first_operator(&self, now: u64) -> Result<Option<Secret>, NotChanged> {
        if self.register.has_operators()? {
            return Ok(None);
        }
        self.add_operator(&Role::Operator, By::Housecarl, now).map(|(_, token)| Some(token))
    }

    /// Somebody new who is not a device.
    ///
    /// # Errors
    /// [`NotChanged`].
    pub fn add_operator(&self, role: &Role, by: By, now: u64) -> Result<(OperatorId, Secret), NotChanged> {
        if let Role::Consumer { product, purposes } = role {
            let (_, in_force) = self.product_named(product).ok_or(NotChanged::Unknown("product"))?;
            let version = in_force.version();
            if !purposes.iter().all(|purpose| version.purpose(purpose).is_some()) {
                return Err(NotChanged::Unknown("purpose"));
            }
        }
        let (id, token) = (OperatorId::random()?, Secret::random()?);
        let action = match role {
            Role::Operator => "operator-added",
            Role::Consumer { .. } => "consumer-added",
        };
        let entry = self.action(action, id.0, by, now)?;
        self.register.add_operator(id, role, token.hash(), &entry)?;
        Ok((id, token))
    }

    /// Exchanges a token for a new one, so that whoever printed or sent the first has it no longer.
    ///
    /// # Errors
    /// [`NotChanged::Unknown`] where it is not a token.
    pub fn renew_operator(&self, token: &str, now: u64) -> Result<Secret, NotChanged> {
        let operator = self.operator_with(token)?.ok_or(NotChanged::Unknown("operator"))?;
        let new = Secret::random()?;
        let entry = self.action("operator-renewed", operator.id.0, operator.by(), now)?;
        // Who has renewed it in between finds no operator, and leaves no entry.
        let known = self.register.set_operator_token(Hash::of(token.as_bytes()), Some(new.hash()), &entry)?;
        known.then_some(new).ok_or(NotChanged::Unknown("operator"))
    }

    /// Makes a token worth nothing.
    ///
    /// # Errors
    /// [`NotChanged::Unknown`] where it is not a token.
    pub fn revoke_operator(&self, token: &str, by: By, now: u64) -> Result<(), NotChanged> {
        let operator = self.operator_with(token)?.ok_or(NotChanged::Unknown("operator"))?;
        let entry = self.action("operator-revoked", operator.id.0, by, now)?;
        let known = self.register.set_operator_token(Hash::of(token.as_bytes()), None, &entry)?;
        known.then_some(()).ok_or(NotChanged::Unknown("operator"))
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub fn operator_with(&self, token: &str) -> Result<Option<Operator>, RegisterError> {
        self.register.operator(Hash::of(token.as_bytes()))
    }
}

/// A device that has shown its secret, for as long as the secret is the one.
#[derive(Clone, Debug)]
pub struct Credential {
    device: DeviceId,
    changes: tokio::sync::watch::Receiver<Option<Hash>>,
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash")
    }
}

impl Credential {
    /// Which device.
    #[must_use]
    pub const fn device(&self) -> DeviceId {
        self.device
    }

    /// Returns when the secret is no longer the one: the connection has to end.
    pub async fn revoked(&self) {
        // It was marked as seen when it was right; an error says that the device is gone.
        let _ = self.changes.clone().changed().await;
    }
}
