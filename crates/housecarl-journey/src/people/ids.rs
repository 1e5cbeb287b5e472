//! Who somebody is, here: random numbers that mean nothing elsewhere.

use std::fmt;

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
    /// Whom a part is about and whose key it is sealed under: a person; a home, for what is about
    /// all who live there; or the people in a home whom nobody identified.
    SubjectId,
}

impl From<PersonId> for SubjectId {
    fn from(person: PersonId) -> Self {
        Self(person.0)
    }
}
