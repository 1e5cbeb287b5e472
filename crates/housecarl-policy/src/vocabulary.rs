//! The closed lists that a decision turns on.

/// Defines an enum that travels in a table as one byte.
macro_rules! bytes {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $byte:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $name { $($(#[$doc])* $variant = $byte,)+ }

        impl $name {
            /// Every value, in the order of the bytes.
            pub const EVERY: &'static [Self] = &[$(Self::$variant,)+];

            /// The value that a byte of a table stands for.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte { $($byte => Some(Self::$variant),)+ _ => None }
            }

            /// The byte that stands for it in a table.
            #[must_use]
            pub const fn byte(self) -> u8 {
                self as u8
            }
        }
    };
}

bytes! {
    /// The lawful basis of a purpose: UK GDPR Article 6(1). Statement LAW-01.
    Basis {
        /// The household's own purpose: nothing reaches the maker, so no basis is asked. Article 2(2)(a).
        Household = 0,
        /// 6(1)(a).
        Consent = 1,
        /// 6(1)(b).
        Contract = 2,
        /// 6(1)(c).
        LegalObligation = 3,
        /// 6(1)(d).
        VitalInterests = 4,
        /// 6(1)(e).
        PublicTask = 5,
        /// 6(1)(ea), in force since 5 February 2026.
        RecognisedInterests = 6,
        /// 6(1)(f).
        LegitimateInterests = 7,
    }
}

impl Basis {
    /// Whether a person may object to a purpose on this basis: Article 21(1).
    #[must_use]
    pub const fn can_be_objected_to(self) -> bool {
        matches!(self, Self::PublicTask | Self::RecognisedInterests | Self::LegitimateInterests)
    }
}

bytes! {
    /// What PECR regulation 6 and Schedule A1 ask before the device may be read or written.
    AccessGate {
        /// Nothing is read from or written to the device for this purpose.
        None = 0,
        /// An exception without a right to object: communication, strictly necessary, emergency.
        Exempt = 1,
        /// An exception that a user can object to: statistics (paragraph 5), appearance (paragraph 6).
        ExemptUnlessObjected = 2,
        /// Consent of the user or subscriber.
        Consent = 3,
    }
}

bytes! {
    /// Whom an item is about, as far as a message can tell.
    SubjectKind {
        /// One person whom the stream identifies: holder, wearer, enrolled speaker.
        Person = 0,
        /// Everybody who lives in the home.
        Household = 1,
        /// Somebody whom nobody identified.
        Bystander = 2,
    }
}

bytes! {
    /// The Children's code's bands, as far as they are known.
    AgeBand {
        /// Nobody has established the age.
        Unknown = 0,
        /// 0 to 5 years.
        To5 = 1,
        /// 6 to 9 years.
        To9 = 2,
        /// 10 to 12 years.
        To12 = 3,
        /// 13 to 15 years.
        To15 = 4,
        /// 16 and 17 years.
        To17 = 5,
        /// 18 years or more.
        Adult = 6,
    }
}

impl AgeBand {
    /// The band to act on: an unknown age is the youngest on a product that children are likely
    /// to use, and an adult's on any other (Children's code, standard 3).
    #[must_use]
    pub const fn assumed(self, children_likely: bool) -> Self {
        match self {
            Self::Unknown if children_likely => Self::To5,
            Self::Unknown => Self::Adult,
            known => known,
        }
    }

    /// Under 18.
    #[must_use]
    pub const fn is_child(self) -> bool {
        matches!(self, Self::To5 | Self::To9 | Self::To12 | Self::To15 | Self::To17)
    }

    /// Under 13: a consent needs a parent's authorisation (UK GDPR Article 8, statement CHI-15).
    #[must_use]
    pub const fn needs_parent(self) -> bool {
        matches!(self, Self::To5 | Self::To9 | Self::To12)
    }
}

bytes! {
    /// What somebody wants to do with an item.
    Act {
        /// Take it in: a message has arrived.
        Collect = 0,
        /// Read what is stored, for a purpose.
        Use = 1,
        /// Leave it stored.
        Keep = 2,
    }
}

bytes! {
    /// The gates of a decision, in the order in which they are asked. The first closed one is the
    /// reason that is given.
    Gate {
        /// No declared purpose uses the item, or nothing of that number is declared.
        NotDeclared = 0,
        /// The purpose was compiled shut: an open finding, or no signed DPIA where one is needed.
        Shut = 1,
        /// The purpose has ended, or the item is older than the purpose keeps it.
        PeriodOver = 2,
        /// The purpose is not for the kind of person the item is about.
        NotForThisPerson = 3,
        /// The feature that starts the purpose is off.
        FeatureOff = 4,
        /// The user of the device has refused or objected to the access (PECR).
        AccessRefused = 5,
        /// The user of the device has not been asked or has not answered (PECR).
        AccessUnanswered = 6,
        /// The person has had the purpose restricted: Article 18.
        Restricted = 7,
        /// The person has refused, withdrawn or objected.
        Refused = 8,
        /// The person has objected to direct marketing: Article 21(2), absolute.
        MarketingObjection = 9,
        /// Private by default for a child until switched on for that child.
        ChildDefault = 10,
        /// The child has agreed, but no parent's authorisation is on record.
        ParentMissing = 11,
        /// The purpose needs a consent that nobody gave.
        ConsentMissing = 12,
        /// The person has not been told.
        Untold = 13,
        /// The person has chosen that this item is not collected; what is there already is not used
        /// either.
        PrecisionOff = 14,
    }
}

impl Gate {
    /// How many gates there are.
    pub const COUNT: usize = Self::EVERY.len();

    /// The gate's name in outputs that programs read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotDeclared => "not-declared",
            Self::Shut => "shut",
            Self::PeriodOver => "period-over",
            Self::NotForThisPerson => "not-for-this-person",
            Self::FeatureOff => "feature-off",
            Self::AccessRefused => "access-refused",
            Self::AccessUnanswered => "access-unanswered",
            Self::Restricted => "restricted",
            Self::Refused => "refused",
            Self::MarketingObjection => "marketing-objection",
            Self::ChildDefault => "child-default",
            Self::ParentMissing => "parent-missing",
            Self::ConsentMissing => "consent-missing",
            Self::Untold => "untold",
            Self::PrecisionOff => "precision-off",
        }
    }

    /// Why a closed gate keeps a purpose from an item, as the end of a sentence that begins with
    /// the purpose.
    #[must_use]
    pub const fn because(self) -> &'static str {
        match self {
            Self::NotDeclared => "does not use it",
            Self::Shut => "is shut: a finding is open or something it needs is missing",
            Self::PeriodOver => "is over, or keeps it no longer",
            Self::NotForThisPerson => "is not for the kind of person it is about",
            Self::FeatureOff => "is started by a feature that is off",
            Self::AccessRefused => "was refused by the user of the device (PECR)",
            Self::AccessUnanswered => "needs a yes from the user of the device, who has not given one (PECR)",
            Self::Restricted => "is restricted by the person",
            Self::Refused => "was refused by the person (UK GDPR)",
            Self::MarketingObjection => "is marketing, to which the person has objected",
            Self::ChildDefault => "is private by default for a child",
            Self::ParentMissing => "needs a parent's authorisation, and none is on record",
            Self::ConsentMissing => "needs a consent that was not given",
            Self::Untold => "was not told to the person",
            Self::PrecisionOff => "has nothing left: the person chose that it is not collected",
        }
    }
}
