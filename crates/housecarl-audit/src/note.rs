//! Signed notes and the keys of them: C2SP signed-note, with Ed25519.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::hash::Hash;

/// The longest note that is read, in bytes: room for many more signatures than any log has.
pub const NOTE_BYTES_MAX: usize = 1 << 16;

/// The byte that says Ed25519 in a key.
const ED25519: u8 = 1;

/// Why a note, or a key, is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    TooLong,
    /// Not UTF-8, or with control characters.
    NotText,
    /// Without a blank line and signatures below it, or with a signature line of another form.
    NoSignatures,
    /// Nothing in it was signed by the key that was given.
    NotByThisKey,
    /// It says it was signed by the key, and was not.
    WrongSignature,
    /// The name of a key is empty, or has a space, a plus sign or a control character.
    KeyName,
    /// A verifier key is not `name+id+base64`.
    KeyForm,
    /// The id in a verifier key is not that of its name and key: one of them was mistyped.
    KeyId,
    /// A key of another kind than Ed25519, or no point of its curve.
    KeyKind,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "it is longer than any note this log makes",
            Self::NotText => "it is not plain text",
            Self::NoSignatures => "it is not a text, a blank line and signatures",
            Self::NotByThisKey => "it is not signed by the key that was given",
            Self::WrongSignature => {
                "its signature is wrong: it was changed after it was signed, or never signed"
            }
            Self::KeyName => "the name of a key is one word without a plus sign",
            Self::KeyForm => "a verifier key has the form `name+id+base64`",
            Self::KeyId => "the parts of the verifier key do not belong together: one was mistyped",
            Self::KeyKind => "the key is not an Ed25519 key",
        })
    }
}

impl std::error::Error for NoteError {}

fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c == '+' || c.is_whitespace() || c.is_control();
    if name.is_empty() || name.contains(bad) { Err(NoteError::KeyName) } else { Ok(()) }
}

/// Who signs, as everybody may know it: written `name+id+base64`, printed and parsed so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, key: &[u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| NoteError::KeyKind)?;
        // Under a weak key one signature fits many texts.
        if key.is_weak() {
            return Err(NoteError::KeyKind);
        }
        Ok(Self { name: name.to_owned(), key })
    }

    /// The name, which is the origin of the log too.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of a hash of name and key: an identifier, not a proof.
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let hash = Hash::of(&[self.name.as_bytes(), b"\n", &[ED25519], self.key.as_bytes()]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        [a, b, c, d]
    }

    /// The text of a note, once a signature of this key over it was verified.
    ///
    /// Signatures of other keys are passed over, as the specification asks.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn open<'n>(&self, note: &'n [u8]) -> Result<&'n str, NoteError> {
        let (text, signatures) = parse(note)?;
        let id = self.id();
        let mut verified = false;
        for Signed { name, bytes } in signatures {
            let Some(signature) = bytes.strip_prefix(&id).filter(|_| name == self.name) else {
                continue;
            };
            let signature = Signature::from_slice(signature).map_err(|_| NoteError::WrongSignature)?;
            self.key.verify_strict(text.as_bytes(), &signature).map_err(|_| NoteError::WrongSignature)?;
            verified = true;
        }
        if verified { Ok(text) } else { Err(NoteError::NotByThisKey) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        let id = u32::from_be_bytes(self.id());
        write!(f, "{}+{id:08x}+{}", self.name, BASE64_STANDARD.encode(key))
    }
}

impl FromStr for VerifierKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        // The key itself may have plus signs in it.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::KeyForm);
        };
        let key = BASE64_STANDARD.decode(key).map_err(|_| NoteError::KeyForm)?;
        let key = key.strip_prefix(&[ED25519]).ok_or(NoteError::KeyKind)?;
        let key = Self::new(name, key.try_into().map_err(|_| NoteError::KeyKind)?)?;
        let found = u32::from_be_bytes(key.id());
        if id == format!("{found:08x}") { Ok(key) } else { Err(NoteError::KeyId) }
    }
}

/// Who signs, as only the log may know it. It is wiped from memory when dropped.
pub struct SignerKey {
    public: VerifierKey,
    key: SigningKey,
}

impl SignerKey {
    /// From a name and 32 secret bytes of a cryptographic random generator.
    ///
    /// # Errors
    /// [`NoteError::KeyName`].
    pub fn new(name: &str, secret: &[u8; 32]) -> Result<Self, NoteError> {
        let key = SigningKey::from_bytes(secret);
        Ok(Self { public: VerifierKey::new(name, key.verifying_key().as_bytes())?, key })
    }

    /// What others verify with.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.public
    }

    /// Signs a text that ends in a line feed. The same text gives the same note.
    ///
    /// # Errors
    /// [`NoteError::NotText`] for a text that no note may have.
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        check_text(text)?;
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        let bytes = [self.public.id().as_slice(), &signature].concat();
        Ok(format!("{text}\n— {} {}\n", self.public.name, BASE64_STANDARD.encode(bytes)))
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignerKey")
    }
}

fn check_text(text: &str) -> Result<(), NoteError> {
    let control = |c: char| c < ' ' && c != '\n';
    if text.contains(control) || !text.ends_with('\n') { Err(NoteError::NotText) } else { Ok(()) }
}

/// A signature as it stands in a note.
struct Signed<'n> {
    name: &'n str,
    /// The id of the key, then the signature itself.
    bytes: Vec<u8>,
}

/// The text of a note, and what is signed below it.
fn parse(note: &[u8]) -> Result<(&str, Vec<Signed<'_>>), NoteError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong);
    }
    let note = str::from_utf8(note).map_err(|_| NoteError::NotText)?;
    check_text(note)?;
    // The last blank line: the text may have others.
    let blank = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
    let (text, signatures) = note.split_at_checked(blank + 1).ok_or(NoteError::NoSignatures)?;
    let signatures: Option<Vec<_>> = signatures.lines().skip(1).map(Signed::parse).collect();
    match signatures {
        Some(signatures) if !signatures.is_empty() => Ok((text, signatures)),
        _ => Err(NoteError::NoSignatures),
    }
}

impl<'n> Signed<'n> {
    fn parse(line: &'n str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("— ")?.split_once(' ')?;
        check_name(name).ok()?;
        let bytes = BASE64_STANDARD.decode(base64).ok()?;
        (bytes.len() > 4).then_some(Self { name, bytes })
    }
}
