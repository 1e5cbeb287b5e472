//! Who somebody is, here: random numbers that mean nothing elsewhere.

use std::fmt;

use crate::keys::Unavailable;

/// Defines an id of sixteen random bytes, which is never printed.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )+};
}

ids! {
    /// A person.
    PersonId,
    /// A home: the people who live together and the devices there.
    HomeId,
    /// A device.
    DeviceId,
    /// Whom a part is about and whose key it is sealed under: a person; a home, for what is about
    /// all who live there; or the people in a home whom nobody identified.
    SubjectId,
    /// Who is not a device: an operator, or a consumer of data.
    OperatorId,
}

/// New ids are random.
macro_rules! random {
    ($($name:ident),+) => {$(
        impl $name {
            /// An id that nobody has.
            ///
            /// # Errors
            /// [`Unavailable`] where the system gives no random bytes.
            pub fn random() -> Result<Self, Unavailable> {
                let mut bytes = [0; 16];
                aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Unavailable)?;
                Ok(Self(bytes))
            }
        }
    )+};
}
random!(PersonId, HomeId, DeviceId, SubjectId, OperatorId);

impl From<PersonId> for SubjectId {
    fn from(person: PersonId) -> Self {
        Self(person.0)
    }
}
