//! The privacy manifest in types. Each record, field and word documents itself here, and the JSON
//! Schema and the messages take their text from these comments.

use crate::path::Path;
use crate::read::record;
use crate::scalar::{Date, Duration, Leaves, Name, Step, Text};
use crate::span::{Field, List, Map};
use crate::words::{
    About, AccessOn, Accounts, Basis, Capacity, Condition, Connection, DataKind, Does, Exception, From,
    IdentifyBy, Interface, KeepFrom, Market, Moment, ObtainedFrom, OrganisationKind, Passwords, ProductKind,
    PurposeKind, Runs, Surface, Technology, Then, ToldBy, Touches, UpdatesHow,
};

record! {
    /// What one product does with personal information, as its maker declares it.
    Manifest {
        /// The version of this format, now 1.
        required manifest: Field<i64>,
        /// The product.
        required product: Field<Product>,
        /// Who lives with it.
        required people: Field<People>,
        /// Everybody who has a part in it.
        required organisation: Map<Organisation>,
        /// What arrives from the product.
        optional stream: Map<Stream>,
        /// The items of data.
        optional item: Map<Item>,
        /// The models that guess.
        optional model: Map<Model>,
        /// What a person can switch on and off.
        optional feature: Map<Feature>,
        /// What the data is used for.
        optional purpose: Map<Purpose>,
        /// What is read from or written to the product, phone or hub: PECR regulation 6.
        optional access: Map<Access>,
        /// Contracts with those who act on instructions.
        optional contract: Map<Contract>,
        /// How people are asked.
        optional request: Map<Request>,
        /// How people are told.
        optional notice: Field<Notice>,
        /// Lights and sounds that show what the product does.
        optional signal: Map<Signal>,
        /// How people use their rights.
        optional rights: Field<Rights>,
        /// How the product is kept secure.
        optional security: Field<Security>,
        /// The data protection impact assessment.
        optional dpia: Field<Dpia>,
        /// Another way taken for something the guidance says a maker should do.
        optional departure: List<Departure>,
        /// A finding that was accepted until a date. It never counts as passed.
        optional waive: List<Waive>,
    }

    /// The product.
    Product {
        /// The name people know it by.
        required name: Field<Text>,
        /// The model.
        optional model: Field<String>,
        /// The release that this manifest is about.
        required release: Field<String>,
        /// The family of product; it decides what is in scope.
        required kind: Field<ProductKind>,
        /// Who buys it.
        required market: Field<Market>,
        /// How it reaches the network.
        required connection: Field<Connection>,
        /// What people see, hear or touch.
        required interfaces: List<Interface>,
        /// What the hardware can do: which privacy-enhancing technologies could ever suit it.
        optional hardware: Field<Hardware>,
        /// The first day it was sold.
        optional sold_from: Field<Date>,
        /// How many people are expected to use it, such as `tens of thousands`.
        optional people_expected: Field<String>,
    }

    /// What the hardware can do.
    Hardware {
        /// Computing power.
        optional compute: Field<Capacity>,
        /// Memory.
        optional memory: Field<Capacity>,
        /// Whether it runs on a battery.
        optional battery: Field<bool>,
        /// Its radio, such as `ble` or `wifi`.
        optional radio: Field<String>,
    }

    /// Who lives with the product.
    People {
        /// Children: whether it is aimed at them or they are likely to use it, and how that is known.
        required children: Field<Children>,
        /// Who has an account.
        required accounts: Field<Accounts>,
        /// Whether people without an account use it.
        required guests: Field<bool>,
        /// Whether it records people who never chose to use it.
        required bystanders: Field<bool>,
    }

    /// What is known about children.
    Children {
        /// Whether the product is aimed at children.
        optional aimed: Field<bool>,
        /// Whether children are likely to use it.
        required likely: Field<bool>,
        /// The document that shows it.
        optional evidence: Field<String>,
        /// How an age is known, such as `account month of birth`.
        optional age_known_by: Field<String>,
    }

    /// Somebody who has a part in the product.
    Organisation {
        /// The name.
        required name: Field<String>,
        /// What it does.
        required kind: Field<OrganisationKind>,
        /// Where people can write to.
        optional contact: Field<String>,
        /// Where its data protection officer can be reached.
        optional dpo: Field<String>,
        /// The country it is established in, as two letters.
        optional country: Field<String>,
    }

    /// Messages of one kind.
    Stream {
        /// The MQTT topic, with `{device}` where the device's name stands.
        optional topic: Field<String>,
        /// Whom its items are about.
        required about: Field<About>,
        /// How it is known whom a message is about.
        optional identify: Field<Identify>,
        /// Where the records of a batch stand, such as `/samples/*`.
        optional each: Field<Path>,
        /// What makes a message itself, for resends.
        optional identity: List<Path>,
        /// Where the time of capture stands.
        optional captured: Field<Path>,
        /// How people here learn that it exists.
        optional told_by: List<ToldBy>,
    }

    /// How it is known whom a message is about. This is processing too.
    Identify {
        /// What marks the person: an account, the device, a voice, a face.
        required by: Field<IdentifyBy>,
        /// Where the person's mark stands in the message.
        optional at: Field<Path>,
        /// The purpose under which people are recognised; asked for voices, faces and fingerprints.
        optional purpose: Field<Name>,
    }

    /// One item of data.
    Item {
        /// What people call it.
        required title: Field<Text>,
        /// What it is, as far as the law turns on it.
        required kind: Field<DataKind>,
        /// The stream it arrives in; an inferred item may have none.
        optional stream: Field<Name>,
        /// Where it stands in the payload: one path or several.
        optional at: List<Path>,
        /// Where it comes from.
        required from: Field<From>,
        /// Whom it is about, where that is not whom its stream is about.
        optional about: Field<About>,
        /// The unit.
        optional unit: Field<String>,
        /// How a place was found.
        optional obtained_from: Field<ObtainedFrom>,
        /// What the person can choose between, from the least to the most; the first is where everybody starts.
        optional precision: List<Step>,
        /// What is left of it before it is stored, where the person has no choice of precision.
        optional leaves: Field<Leaves>,
        /// The items that it was inferred from.
        optional inferred_from: List<Name>,
        /// The model that inferred it.
        optional model: Field<Name>,
        /// Where its certainty stands in the payload.
        optional certainty: Field<Path>,
        /// How accurate it is.
        optional accuracy: Field<Accuracy>,
    }

    /// How accurate an item is.
    Accuracy {
        /// What was measured, such as `mean error`.
        required metric: Field<String>,
        /// The figure.
        required value: Field<String>,
        /// On whom it was measured.
        required population: Field<String>,
        /// When it was measured.
        required on: Field<Date>,
        /// When it will be measured again.
        optional next: Field<Date>,
    }

    /// A model that guesses.
    Model {
        /// What it was trained on.
        required trained_on: Field<String>,
        /// The document that shows how balanced the training data is.
        optional balance: Field<String>,
        /// How it was tested for bias.
        optional bias: Field<Review>,
    }

    /// A report with its date and the date of the next.
    Review {
        /// The document.
        required report: Field<String>,
        /// When it was written.
        required on: Field<Date>,
        /// When again.
        optional next: Field<Date>,
    }

    /// What a person can switch on and off.
    Feature {
        /// What people call it.
        required title: Field<Text>,
        /// Whether the product is not the product without it.
        required core: Field<bool>,
        /// The purposes it starts.
        required starts: List<Name>,
    }

    /// What data is used for, with both gates.
    Purpose {
        /// What kind of purpose it is.
        required kind: Field<PurposeKind>,
        /// The reason, in plain words.
        required why: Field<Text>,
        /// Raised by one when the meaning changes; a change of words alone does not raise it.
        optional meaning: Field<i64>,
        /// Who attests that the words changed and the meaning did not.
        optional editorial: Field<Attestation>,
        /// The items it needs.
        required uses: List<Name>,
        /// Why it needs each of them.
        optional needed_because: Map<Text>,
        /// Who decides.
        required decided_by: Field<DecidedBy>,
        /// Who only acts on instructions.
        optional acts_for: List<Name>,
        /// Who uses the data for a purpose of its own.
        optional own_use: List<OwnUse>,
        /// The lawful basis.
        required basis: Field<Basis>,
        /// The interest and how it was weighed, for legitimate interests.
        optional interest: Field<Interest>,
        /// The law, for a legal obligation or public task.
        optional law: Field<String>,
        /// The condition, where an item is special category information for this purpose.
        optional condition: Field<Condition>,
        /// The condition of Schedule 1 of the Data Protection Act 2018, such as `paragraph 2`.
        optional schedule_1: Field<String>,
        /// What is kept, for how long.
        required keep: Field<Keep>,
        /// The day from which the purpose is over.
        optional ends: Field<Date>,
        /// Where it runs.
        required runs: List<Runs>,
        /// The countries it runs in, as two letters.
        required countries: List<String>,
        /// Who receives the data, and what happens when sharing ends.
        optional shares: List<Share>,
        /// What it predicts about a person.
        optional profiles: List<String>,
        /// What it decides.
        optional decides: Field<Decides>,
        /// What the person loses without it.
        optional without: Field<Text>,
    }

    /// Who said so, by role, and when.
    Attestation {
        /// The role, never a name.
        required by_role: Field<String>,
        /// When it was said.
        required on: Field<Date>,
    }

    /// Who decides: Article 4 roles follow from it. Names of organisations, or `household` for those who live there.
    DecidedBy {
        /// Why the data is used.
        required why: List<Name>,
        /// What data.
        required what: List<Name>,
        /// Whose data.
        required whose: List<Name>,
        /// How long it is kept.
        required how_long: List<Name>,
    }

    /// A use for somebody's own purpose: that makes them more than a processor.
    OwnUse {
        /// Who uses it so.
        required by: Field<Name>,
        /// What they use it for.
        required purpose: Field<String>,
    }

    /// A legitimate interest and how it was weighed.
    Interest {
        /// The interest.
        required what: Field<Text>,
        /// The document that weighs it against the person's.
        required balanced: Field<String>,
        /// When it was weighed.
        required on: Field<Date>,
    }

    /// What is kept, for how long.
    Keep {
        /// For how long.
        required length = "for": Field<Duration>,
        /// From when the time runs.
        required from: Field<KeepFrom>,
        /// The longest it is kept in any case, where it runs from something other than receipt.
        optional at_most: Field<Duration>,
        /// For how long, where nobody identified the person.
        optional bystanders: Field<Duration>,
        /// What happens then.
        required then: Field<Then>,
        /// When the length is looked at again.
        optional review: Field<Date>,
    }

    /// Somebody who receives data, and what happens when sharing ends. Statement RET-07.
    Share {
        /// Who receives it.
        required with: Field<Name>,
        /// What they do when sharing ends.
        optional they: Field<Then>,
        /// Within which time.
        optional within: Field<Duration>,
        /// The agreement.
        optional agreement: Field<String>,
    }

    /// What is decided about a person.
    Decides {
        /// What is decided.
        required what: Field<Text>,
        /// What of a person's life it touches.
        optional touches: List<Touches>,
        /// Whether a person weighs it up before it takes effect.
        required person_reviews: Field<bool>,
        /// How a person can have it looked at again.
        optional contest_at: Field<String>,
    }

    /// What is read from or written to the product, phone or hub. Without an entry, consent is needed.
    Access {
        /// What is read or written.
        required on: Field<AccessOn>,
        /// Which of the two.
        required does: Field<Does>,
        /// By which technology.
        required technology: Field<Technology>,
        /// The purposes it serves.
        required serves: List<Name>,
        /// The paragraph of Schedule A1 it rests on.
        required exception: Field<Exception>,
        /// What the user asked for, where it is strictly necessary for that.
        optional requested: Field<Text>,
        /// Where the user can object, for statistics and appearance.
        optional object_at: Field<String>,
        /// Whether anything else is done with what is read.
        optional sole_purpose: Field<bool>,
    }

    /// A contract with somebody who acts on instructions: Article 28.
    Contract {
        /// With whom it is made.
        required with: Field<Name>,
        /// The document.
        required document: Field<String>,
    }

    /// How people are asked for consent.
    Request {
        /// The purposes asked about; one switch each.
        required purposes: List<Name>,
        /// Whether it asks for explicit consent.
        optional explicit: Field<bool>,
        /// When it is asked.
        required moment: Field<Moment>,
        /// Which step of set-up it is, and of how many.
        optional step: Field<StepOf>,
        /// Whom it asks.
        required asked_of: Field<About>,
        /// Where it is asked.
        required surface: Field<Interface>,
        /// What the person agrees to, in the first person.
        required statement: Field<Text>,
        /// Where it is taken back.
        required withdraw_at: Field<String>,
        /// A measured report on the request as it was drawn.
        optional rendered: Field<String>,
    }

    /// A step of set-up.
    StepOf {
        /// Which step it is.
        required number: Field<i64>,
        /// Of how many.
        required of: Field<i64>,
    }

    /// How people are told.
    Notice {
        /// The page where everything stands.
        required hub: Field<String>,
        /// When people are told.
        required moments: List<Moment>,
    }

    /// A light or sound.
    Signal {
        /// The stream that it shows.
        required shows: List<Name>,
        /// Whether it cannot be switched off alone.
        required wired: Field<bool>,
    }

    /// How people use their rights.
    Rights {
        /// Where they can be used.
        required surfaces: List<Surface>,
        /// How soon backups are erased too.
        optional backups_erased_within: Field<Duration>,
    }

    /// How the product is kept secure.
    Security {
        /// How passwords come about.
        required passwords: Field<Passwords>,
        /// Whether there is a second factor.
        optional second_factor: Field<bool>,
        /// How updates reach it.
        required updates: Field<Updates>,
        /// The last day of security updates.
        optional supported_until: Field<Date>,
        /// The page that says how to report a weakness.
        optional disclosure_policy: Field<String>,
        /// How the software is verified.
        optional secure_boot: Field<SecureBoot>,
        /// What is encrypted, and with what.
        optional encryption: List<Encryption>,
    }

    /// How updates reach the product.
    Updates {
        /// How they reach it.
        required how: Field<UpdatesHow>,
        /// Whether they are signed.
        optional signed: Field<bool>,
        /// Whether the product works meanwhile.
        optional works_meanwhile: Field<bool>,
        /// How often.
        optional cadence: Field<String>,
    }

    /// How the software is verified.
    SecureBoot {
        /// Whether it is.
        required verified: Field<bool>,
        /// What the product does when the software was changed.
        optional on_change: Field<String>,
    }

    /// One thing that is encrypted.
    Encryption {
        /// The flow, such as `phone-cloud`.
        optional flow: Field<String>,
        /// The place, such as `cloud`.
        optional place: Field<String>,
        /// With what it is encrypted.
        required with: Field<String>,
    }

    /// The data protection impact assessment.
    Dpia {
        /// The document.
        required document: Field<String>,
        /// Who signed it.
        optional signed: Field<Attestation>,
        /// What it covers; all purposes where nothing is said.
        optional covers: List<Name>,
    }

    /// Another way taken for something the guidance says a maker should do.
    Departure {
        /// The statement.
        required statement: Field<String>,
        /// What is done instead.
        required instead: Field<String>,
        /// Why that is enough.
        required why: Field<String>,
        /// What shows that it works.
        required evidence: Field<String>,
        /// Who decided it, by role.
        required by_role: Field<String>,
        /// Until when.
        required until: Field<Date>,
    }

    /// A finding that was accepted.
    Waive {
        /// The code.
        required code: Field<String>,
        /// The reason for accepting it.
        required reason: Field<String>,
        /// Who accepted it, by role.
        required by_role: Field<String>,
        /// Until when.
        required until: Field<Date>,
    }
}
