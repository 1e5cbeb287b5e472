//! The words an entry may use. A word keeps its byte for ever; a new one gets the next.

use super::field::{Digest, Field, Id, Malformed};

/// Defines words: a byte, and how each is printed.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident $type:literal {
        $($(#[$doc:meta])* $byte:literal $word:literal $variant:ident,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// Every word with its byte.
            pub const WORDS: &[(u8, &str)] = &[$(($byte, $word),)+];
        }

        impl Field for $name {
            const TYPE: &str = $type;
            fn put(&self, bytes: &mut Vec<u8>) {
                bytes.push(match self { $(Self::$variant => $byte,)+ });
            }
            fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
                match u8::take(bytes)? {
                    $($byte => Ok(Self::$variant),)+
                    _ => Err(Malformed::Word),
                }
            }
            fn words(&self) -> String {
                match self { $(Self::$variant => $word,)+ }.to_owned()
            }
        }
    };
}

words! {
    /// What somebody said.
    Answer "answer" {
        /// A yes to a purpose.
        1 "agreed" Agreed,
        /// A no to a purpose.
        2 "refused" Refused,
        /// A yes taken back.
        3 "withdrew" Withdrew,
        /// An objection to a purpose.
        4 "objected" Objected,
        /// A parent's authorisation for a child.
        5 "authorised" Authorised,
        /// A restriction: kept, and nothing else done.
        6 "restricted" Restricted,
        /// A restriction taken back.
        7 "restriction lifted" Lifted,
        /// A step of precision of an item.
        8 "chose a precision" Precision,
        /// A feature switched on.
        9 "switched on" SwitchedOn,
        /// A feature switched off.
        10 "switched off" SwitchedOff,
        /// Consents of a child that count no longer: the young person is asked.
        11 "lapsed at 13" Lapsed,
    }
}

words! {
    /// How somebody was told.
    Means "means" {
        /// Shown or sent to the person.
        1 "delivered" Delivered,
        /// Put where the people here can learn of it: a sign, a light, a code, a listing.
        2 "made available" MadeAvailable,
    }
}

words! {
    /// How far an erasure has come.
    Erasure "erasure" {
        /// Asked for, and its extent shown.
        1 "asked for" Asked,
        /// Nothing of it can be read any more.
        2 "unreadable" Unreadable,
        /// The rows are gone too.
        3 "removed" Removed,
        /// A recipient confirmed that it erased its own copy.
        4 "confirmed by a recipient" Confirmed,
        /// The person took it back before it began.
        5 "called off" CalledOff,
    }
}

words! {
    /// What a key opened.
    KeyOf "key-of" {
        /// What one person has in one stream.
        1 "a person's stream" Stream,
        /// What ends at one time, of everybody.
        2 "an expiry bucket" Bucket,
        /// Everything of one person.
        3 "a person" Person,
    }
}

/// Who did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Housecarl, of itself.
    Housecarl,
    /// A person of the home.
    Person(Id),
    /// An operator, by the id of the credential.
    Operator(Id),
    /// A reader of data, by the id of the credential.
    Consumer(Id),
    /// A device, by its id.
    Device(Id),
}

impl Field for Who {
    const TYPE: &str = "who";
    fn put(&self, bytes: &mut Vec<u8>) {
        let (tag, id) = match self {
            Self::Housecarl => return bytes.push(0),
            Self::Person(id) => (1, id),
            Self::Operator(id) => (2, id),
            Self::Consumer(id) => (3, id),
            Self::Device(id) => (4, id),
        };
        bytes.push(tag);
        id.put(bytes);
    }
    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(match u8::take(bytes)? {
            0 => Self::Housecarl,
            1 => Self::Person(Id::take(bytes)?),
            2 => Self::Operator(Id::take(bytes)?),
            3 => Self::Consumer(Id::take(bytes)?),
            4 => Self::Device(Id::take(bytes)?),
            _ => return Err(Malformed::Word),
        })
    }
    fn words(&self) -> String {
        match self {
            Self::Housecarl => "Housecarl itself".to_owned(),
            Self::Person(id) => format!("person {}", id.words()),
            Self::Operator(id) => format!("operator {}", id.words()),
            Self::Consumer(id) => format!("consumer {}", id.words()),
            Self::Device(id) => format!("device {}", id.words()),
        }
    }
}

/// Whom it was about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whom {
    /// Nobody who was identified.
    Bystanders,
    /// One person.
    Person(Id),
    /// Everybody of one home.
    Household(Id),
    /// Several people.
    Several {
        /// How many.
        people: u32,
        /// The commitment to the list of their ids.
        list: Digest,
    },
}

impl Field for Whom {
    const TYPE: &str = "whom";
    fn put(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Bystanders => bytes.push(0),
            Self::Person(id) => {
                bytes.push(1);
                id.put(bytes);
            }
            Self::Household(id) => {
                bytes.push(2);
                id.put(bytes);
            }
            Self::Several { people, list } => {
                bytes.push(3);
                people.put(bytes);
                list.put(bytes);
            }
        }
    }
    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(match u8::take(bytes)? {
            0 => Self::Bystanders,
            1 => Self::Person(Id::take(bytes)?),
            2 => Self::Household(Id::take(bytes)?),
            3 => Self::Several { people: Field::take(bytes)?, list: Field::take(bytes)? },
            _ => return Err(Malformed::Word),
        })
    }
    fn words(&self) -> String {
        match self {
            Self::Bystanders => "nobody identified".to_owned(),
            Self::Person(id) => format!("person {}", id.words()),
            Self::Household(id) => format!("household {}", id.words()),
            Self::Several { people, list } => format!("{people} people, list {}", list.words()),
        }
    }
}
