//! The closed lists of a manifest. Their words are the law's and the field's.

use crate::read::words;

words! {
    /// The families of product that the guidance names. Statements SCOPE-05 to SCOPE-11.
    ProductKind {
        /// A speaker, alone or with a voice assistant.
        SmartSpeaker = "smart-speaker",
        /// A television.
        SmartTv = "smart-tv",
        /// A toy or player made for children.
        ConnectedToy = "connected-toy",
        /// A lamp, bulb, plug or switch.
        SmartPlug = "smart-plug",
        /// A heating or cooling control.
        Thermostat = "thermostat",
        /// A hub that other products of the home connect to.
        HomeHub = "home-hub",
        /// A refrigerator.
        SmartFridge = "smart-fridge",
        /// An oven, washing machine, vacuum cleaner or another domestic appliance.
        DomesticAppliance = "domestic-appliance",
        /// A watch.
        SmartWatch = "smart-watch",
        /// A band or clip that follows activity.
        FitnessTracker = "fitness-tracker",
        /// A scale for people.
        SmartScale = "smart-scale",
        /// A mat, band or lamp that follows sleep.
        SleepMonitor = "sleep-monitor",
        /// A security camera.
        SecurityCamera = "security-camera",
        /// A doorbell.
        SmartDoorbell = "smart-doorbell",
        /// A lock.
        SmartLock = "smart-lock",
        /// A baby monitor.
        BabyMonitor = "baby-monitor",
        /// A tracker that a child or a thing carries.
        Tracker = "tracker",
        /// A fertility tracker with a device.
        FertilityTracker = "fertility-tracker",
        /// A blood pressure monitor.
        BloodPressureMonitor = "blood-pressure-monitor",
        /// A pulse oximeter.
        PulseOximeter = "pulse-oximeter",
        /// Another over-the-counter medical device.
        MedicalDevice = "medical-device",
        /// Headphones.
        Headphones = "headphones",
        /// A keyboard, mouse, printer or another peripheral.
        Peripheral = "peripheral",
        /// A phone, tablet or computer: outside the guidance (SCOPE-16 to SCOPE-18).
        PhoneOrComputer = "phone-or-computer",
        /// A vehicle: outside the guidance (SCOPE-12).
        Vehicle = "vehicle",
        /// A smart meter: outside the guidance (SCOPE-13).
        SmartMeter = "smart-meter",
    }

    /// Who buys it.
    Market {
        /// People, for their homes.
        Consumer = "consumer",
        /// Enterprises and industry: outside the guidance (SCOPE-15).
        Business = "business",
    }

    /// How the product reaches the network. Statements PECR-10, PECR-12 and PECR-13.
    Connection {
        /// By itself.
        Direct = "direct",
        /// Through a phone.
        ThroughPhone = "through-phone",
        /// Through a hub.
        ThroughHub = "through-hub",
        /// Not at all.
        None = "none",
    }

    /// What people see, hear or touch. Statement TRA-71.
    Interface {
        /// A screen too small for a page of text.
        SmallScreen = "small-screen",
        /// A screen that can show a page of text.
        LargeScreen = "large-screen",
        /// It listens and speaks.
        Voice = "voice",
        /// It makes sounds.
        Sound = "sound",
        /// Lights.
        Light = "light",
        /// Buttons without a screen.
        Buttons = "buttons",
        /// The app on a phone.
        PhoneApp = "phone-app",
        /// An account in a browser.
        WebAccount = "web-account",
    }

    /// How much of something a device has. Which privacy-enhancing technologies can suit it turns on this.
    Capacity {
        /// Little.
        Low = "low",
        /// Some.
        Medium = "medium",
        /// Much.
        High = "high",
    }

    /// What an organisation does. Statements SCOPE-01, ACC-33.
    OrganisationKind {
        /// Makes the product.
        Manufacturer = "manufacturer",
        /// Writes the app.
        AppDeveloper = "app-developer",
        /// Supplies a software development kit.
        SdkProvider = "sdk-provider",
        /// Supplies the operating system.
        OsProvider = "os-provider",
        /// Runs an app store.
        AppStore = "app-store",
        /// Supplies storage or computing.
        CloudProvider = "cloud-provider",
        /// Supplies an IoT platform.
        IotPlatform = "iot-platform",
        /// Sells advertising.
        AdNetwork = "ad-network",
        /// Insures.
        Insurer = "insurer",
        /// Supplies AI.
        AiProvider = "ai-provider",
        /// Supplies biometric recognition.
        BiometricsProvider = "biometrics-provider",
        /// Another supplier or recipient.
        Other = "other",
    }

    /// Who has an account.
    Accounts {
        /// Nobody.
        None = "none",
        /// One person.
        One = "one",
        /// A main holder and others.
        MainAndAdditional = "main-and-additional",
        /// Several, with equal control.
        Equal = "equal",
    }

    /// Whom a stream or item is about.
    About {
        /// Whoever holds the account.
        AccountHolder = "account-holder",
        /// Whoever wears or uses the product.
        Wearer = "wearer",
        /// Whoever speaks and is recognised.
        Speaker = "speaker",
        /// Everybody who lives there.
        Household = "household",
        /// Somebody whom nobody identified.
        Bystander = "bystander",
    }

    /// How a stream knows whom it is about.
    IdentifyBy {
        /// A profile or account in the message.
        Account = "account",
        /// The person the device was given to.
        Device = "device",
        /// A voice match.
        Voice = "voice",
        /// A face match.
        Face = "face",
        /// A fingerprint.
        Fingerprint = "fingerprint",
    }

    /// How people here learn that a stream exists. Only the phone app and the web account need an account.
    ToldBy {
        /// A light that cannot be switched off alone.
        Light = "light",
        /// A sound.
        Sound = "sound",
        /// A sign or QR code at the product.
        Sign = "sign",
        /// The shop's listing.
        Listing = "listing",
        /// The app store's page.
        AppStore = "app-store",
        /// The phone app.
        PhoneApp = "phone-app",
        /// The screen of the product.
        Screen = "screen",
        /// The account in a browser.
        WebAccount = "web-account",
    }

    /// Where an item comes from. Statements SCOPE-23 to SCOPE-27.
    From {
        /// The person gave it.
        Given = "given",
        /// A third party gave it.
        ThirdParty = "third-party",
        /// It was observed how the person uses the product.
        Observed = "observed",
        /// A sensor or the device's software measured it.
        Sensor = "sensor",
        /// It was inferred: a guess.
        Inferred = "inferred",
    }

    /// What an item is, as far as the law turns on it.
    DataKind {
        /// Heart rate or heart rhythm.
        HeartRate = "heart-rate",
        /// Steps.
        Steps = "steps",
        /// Movement, exercise, calories.
        Activity = "activity",
        /// Sleep.
        Sleep = "sleep",
        /// Body weight.
        Weight = "weight",
        /// Body height.
        Height = "height",
        /// Body mass index or fat composition.
        BodyMassIndex = "body-mass-index",
        /// Body temperature.
        BodyTemperature = "body-temperature",
        /// Blood pressure.
        BloodPressure = "blood-pressure",
        /// Oxygen saturation.
        Oxygen = "oxygen",
        /// Blood glucose.
        Glucose = "glucose",
        /// Periods, fertility.
        MenstrualCycle = "menstrual-cycle",
        /// A score or condition of health.
        HealthScore = "health-score",
        /// What somebody said, or its sound.
        Voice = "voice",
        /// A template of a voice, or a match against one.
        VoiceId = "voice-id",
        /// A picture.
        Image = "image",
        /// Moving pictures.
        Video = "video",
        /// Sound other than speech to the product.
        Audio = "audio",
        /// A template of a face, or a match against one.
        FaceId = "face-id",
        /// A template of a fingerprint, or a match against one.
        FingerprintId = "fingerprint-id",
        /// A vehicle's number plate.
        NumberPlate = "number-plate",
        /// Where somebody or something is.
        Location = "location",
        /// Somebody is there, moves, or opens a door.
        Presence = "presence",
        /// Who called or passed, and when.
        Visit = "visit",
        /// What was watched, heard, read or played.
        Media = "media",
        /// How the product is used.
        Usage = "usage",
        /// Energy or water used.
        Energy = "energy",
        /// Temperature, light, air.
        Environment = "environment",
        /// The state of a lamp, lock, door or appliance.
        DeviceState = "device-state",
        /// Faults, versions, battery.
        Diagnostics = "diagnostics",
        /// A number or name that stands for a device or person.
        Identifier = "identifier",
        /// A name or nickname.
        PersonName = "person-name",
        /// A date or month of birth, or an age.
        Age = "age",
        /// An address, e-mail address or telephone number.
        Contact = "contact",
        /// Payment details.
        Payment = "payment",
        /// What somebody wrote to somebody.
        Messages = "messages",
        /// The network, its name, other devices on it.
        Network = "network",
        /// When something happened.
        Time = "time",
        /// Something else.
        Other = "other",
    }

    /// How a place was found. PECR regulation 14 turns on it (PECR-36).
    ObtainedFrom {
        /// Satellites.
        Gnss = "gnss",
        /// Wi-Fi nearby.
        Wifi = "wifi",
        /// Bluetooth or ultra-wideband nearby.
        Bluetooth = "bluetooth",
        /// The network's cells.
        CellNetwork = "cell-network",
        /// The internet address.
        Ip = "ip",
        /// The person typed it.
        Typed = "typed",
    }

    /// What a purpose is for.
    PurposeKind {
        /// What the product is bought for.
        CoreFunction = "core-function",
        /// A feature that a person can have or not.
        Feature = "feature",
        /// Recognising a person.
        Identification = "identification",
        /// An alarm that protects somebody's life.
        Safety = "safety",
        /// Keeping the product and the data secure.
        Security = "security",
        /// Finding and mending faults.
        FaultFinding = "fault-finding",
        /// Statistics on how the service is used.
        Statistics = "statistics",
        /// Adapting how the service looks or works.
        Appearance = "appearance",
        /// Recommending content or products.
        Recommendation = "recommendation",
        /// Showing or measuring advertising.
        Advertising = "advertising",
        /// Offering the maker's own products to a person.
        Marketing = "marketing",
        /// Research.
        Research = "research",
        /// Training a model.
        Training = "training",
        /// Setting a price, or insurance.
        Pricing = "pricing",
        /// A duty in law.
        LegalDuty = "legal-duty",
        /// Support when a person asks for it.
        Support = "support",
    }

    /// The lawful basis: UK GDPR Article 6(1). Statement LAW-01.
    Basis {
        /// The household's own purpose; nothing reaches the maker. Article 2(2)(a).
        Household = "household",
        /// 6(1)(a).
        Consent = "consent",
        /// 6(1)(b).
        Contract = "contract",
        /// 6(1)(c).
        LegalObligation = "legal-obligation",
        /// 6(1)(d).
        VitalInterests = "vital-interests",
        /// 6(1)(e).
        PublicTask = "public-task",
        /// 6(1)(ea), in force since 5 February 2026.
        RecognisedInterests = "recognised-legitimate-interests",
        /// 6(1)(f).
        LegitimateInterests = "legitimate-interests",
    }

    /// The condition for special category information: Article 9(2). Statement SPEC-16.
    Condition {
        /// 9(2)(a).
        ExplicitConsent = "explicit-consent",
        /// 9(2)(b).
        Employment = "employment-and-social-protection",
        /// 9(2)(c).
        VitalInterests = "vital-interests",
        /// 9(2)(d).
        NotForProfit = "not-for-profit-body",
        /// 9(2)(e).
        MadePublic = "made-public",
        /// 9(2)(f).
        LegalClaims = "legal-claims",
        /// 9(2)(g).
        SubstantialPublicInterest = "substantial-public-interest",
        /// 9(2)(h).
        HealthCare = "health-or-social-care",
        /// 9(2)(i).
        PublicHealth = "public-health",
        /// 9(2)(j).
        Research = "research-and-statistics",
    }

    /// From when the time of keeping runs.
    KeepFrom {
        /// The receipt of each message.
        Receipt = "receipt",
        /// The end of the account.
        AccountClosed = "account-closed",
        /// The last time the product was used.
        LastUse = "last-use",
    }

    /// What happens when the time is over. Statement RET-09.
    Then {
        /// It is erased.
        Erase = "erase",
        /// It is made anonymous.
        Anonymise = "anonymise",
    }

    /// Where the processing runs.
    Runs {
        /// On the product.
        Device = "device",
        /// On a hub in the home.
        Home = "home",
        /// On the phone.
        Phone = "phone",
        /// On servers.
        Cloud = "cloud",
    }

    /// What of a person's life a decision touches. Statements ADM-15 to ADM-20.
    Touches {
        /// Money, prices, credit.
        Money = "money",
        /// Health.
        Health = "health",
        /// What others think of them.
        Reputation = "reputation",
        /// Work.
        Work = "work",
        /// How they behave.
        Behaviour = "behaviour",
        /// What they can choose.
        Choices = "choices",
        /// Whether they have a service at all.
        Access = "access",
    }

    /// What is read or written. Statements PECR-10 and PECR-13.
    AccessOn {
        /// The product.
        Product = "product",
        /// The phone that the product's app runs on.
        Phone = "phone",
        /// The hub.
        Hub = "hub",
    }

    /// Which of the two.
    Does {
        /// Information is read.
        Reads = "reads",
        /// Information is written.
        Writes = "writes",
        /// Both.
        Both = "reads-and-writes",
    }

    /// By which technology. Statements PECR-02 to PECR-09.
    Technology {
        /// Cookies.
        Cookies = "cookies",
        /// Tracking pixels.
        Pixels = "tracking-pixels",
        /// Local storage.
        LocalStorage = "local-storage",
        /// Device fingerprinting.
        Fingerprinting = "fingerprinting",
        /// Scripts and tags.
        Scripts = "scripts",
        /// An application programming interface.
        Api = "api",
        /// Automatic content recognition.
        Acr = "acr",
        /// A software development kit.
        Sdk = "sdk",
        /// The product's own firmware.
        Firmware = "firmware",
        /// Signals that the product sends out by itself.
        Emitted = "emitted-signals",
    }

    /// The paragraph of PECR Schedule A1 that the access rests on.
    Exception {
        /// None: consent is asked (paragraph 2).
        None = "none",
        /// Paragraph 3: the sole purpose is to transmit.
        Communication = "communication",
        /// Paragraph 4: strictly necessary for what the user asked for.
        StrictlyNecessary = "strictly-necessary",
        /// Paragraph 5: the sole purpose is statistics to improve the service.
        Statistics = "statistics",
        /// Paragraph 6: the sole purpose is to adapt look or function.
        Appearance = "appearance",
        /// Paragraph 7: the sole purpose is to locate somebody who asked for help.
        Emergency = "emergency",
    }

    /// When a person is asked or told. Statements CON-73 to CON-78, TRA-51 to TRA-58.
    Moment {
        /// In the shop or on the product's page.
        Listing = "listing",
        /// On the app store's page.
        AppStore = "app-store",
        /// While the product is set up.
        SetUp = "set-up",
        /// When a person is added.
        NewPerson = "new-person",
        /// When a feature is switched on.
        FeatureEnabled = "feature-enabled",
        /// At an update that changes what is done.
        Update = "update",
        /// When a child grows into the next band.
        ComesOfAge = "comes-of-age",
        /// When the information is collected.
        Collection = "collection",
    }

    /// Where a right can be used.
    Surface {
        /// The product itself.
        Product = "product",
        /// The phone app.
        PhoneApp = "phone-app",
        /// The account in a browser.
        WebAccount = "web-account",
        /// A page that needs no account.
        Guest = "guest-page",
        /// E-mail.
        Email = "email",
        /// A letter.
        Letter = "letter",
        /// The telephone.
        Telephone = "telephone",
    }

    /// How passwords come about. Statement SEC-24.
    Passwords {
        /// There are none.
        None = "none",
        /// Each product has its own.
        UniquePerProduct = "unique-per-product",
        /// The user sets them.
        UserDefined = "user-defined",
        /// Every product of the model has the same.
        SharedDefault = "shared-default",
    }

    /// How updates reach the product.
    UpdatesHow {
        /// By themselves.
        Automatic = "automatic",
        /// The user starts them.
        Manual = "manual",
        /// Not at all.
        None = "none",
    }
}

impl PurposeKind {
    /// Direct marketing in the sense of Article 21(2): advertising counts where it is aimed at a person.
    #[must_use]
    pub const fn is_marketing(self) -> bool {
        matches!(self, Self::Advertising | Self::Marketing)
    }

    /// Whether the product is not the product without it.
    #[must_use]
    pub const fn is_core(self) -> bool {
        matches!(self, Self::CoreFunction | Self::Safety | Self::Security | Self::LegalDuty | Self::Support)
    }
}
