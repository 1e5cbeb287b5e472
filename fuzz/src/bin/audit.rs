//! Reads arbitrary bytes as each thing that the log's formats know: what is accepted is written in
//! exactly one way.
#![no_main]

use std::collections::BTreeMap;

use housecarl_audit::entry::{Answer, Digest, Erasure, Id, KeyOf, Means, Moment, Name, Refusals, Who, Whom};
use housecarl_audit::{
    Act, Checkpoint, Entry, Hash, Leaf, Opening, Receipt, Salt, SignerKey, Tree, VerifierKey,
};
use housecarl_fuzz::mutate::Dice;
use housecarl_fuzz::success;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

/// The name of the key, and the origin of every checkpoint here.
const ORIGIN: &str = "example.com/home";

fn key() -> Option<SignerKey> {
    SignerKey::new(ORIGIN, &[7; 32]).ok()
}

// The first byte says what the others are to be read as.
fuzz_target!(|data: &[u8]| {
    let Some((what, data)) = data.split_first() else { return success::count(false) };
    success::count(read(*what, data).is_some());
});

/// `None` where it was refused.
fn read(what: u8, data: &[u8]) -> Option<()> {
    let same = |written: &[u8]| assert_eq!(written, data, "there are two ways to write it");
    match what % 6 {
        0 => same(&Leaf::from_bytes(data).ok()?.to_bytes()),
        1 => {
            let opening = Opening::from_bytes(data).ok()?;
            assert!(!opening.entry().rows().is_empty());
            same(&opening.to_bytes());
        }
        2 => {
            let receipt = Receipt::parse(data).ok()?;
            same(receipt.to_string().as_bytes());
            // Whatever it says, somebody without the key did not get it signed.
            let verified = receipt.verify(key()?.verifier());
            assert!(verified.is_err() || receipt.checkpoint == signed(&receipt)?);
        }
        3 => same(str::from_utf8(data).ok()?.parse::<VerifierKey>().ok()?.to_string().as_bytes()),
        // A note as it comes, which only a true signature opens.
        4 => {
            let key = key()?;
            let text = key.verifier().open(data).ok()?;
            assert!(str::from_utf8(data).ok()?.starts_with(&format!("{text}\n— ")));
        }
        // A text that the key has signed, whatever it is.
        _ => {
            let key = key()?;
            let note = key.sign(str::from_utf8(data).ok()?).ok()?;
            let checkpoint = Checkpoint::open(note.as_bytes(), key.verifier()).ok()?;
            assert_eq!(checkpoint.sign(&key).ok()?, note);
        }
    }
    Some(())
}

/// The checkpoint of the log whose one leaf is that of the receipt.
fn signed(receipt: &Receipt) -> Option<String> {
    let mut tree = Tree::new();
    let _ = tree.append(&[receipt.opening.leaf()]);
    Checkpoint::of(&tree).sign(&key()?).ok()
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut dice = Dice::new(seed);
    if dice.below(8) > 4 {
        return fuzzer_mutate(data, size, max_size);
    }
    let Some(mut new) = whole(&mut dice) else { return size };
    if dice.below(3) == 0 {
        let at = dice.below(new.len());
        if let Some(byte) = new.get_mut(at) {
            *byte = u8::try_from(dice.below(256)).unwrap_or(0);
        }
    }
    match data.get_mut(..new.len()) {
        Some(place) if new.len() <= max_size => place.copy_from_slice(&new),
        _ => return size,
    }
    new.len()
});

/// Something that reads, behind the byte that says what it is.
fn whole(dice: &mut Dice) -> Option<Vec<u8>> {
    let what = u8::try_from(dice.below(6)).ok()?;
    let opening = Opening::seal(entry(dice)?, Salt::from_random(bytes(dice)));
    let hash = |dice: &mut Dice| Hash::from_bytes(bytes(dice));
    let bytes = match what {
        0 => opening.leaf().to_bytes().to_vec(),
        1 => opening.to_bytes(),
        2 => {
            let index = u64::try_from(dice.below(2)).ok()?;
            let proof = (0..dice.below(4)).map(|_| hash(dice)).collect();
            let mut receipt = Receipt { opening, index, proof, checkpoint: String::new() };
            receipt.checkpoint = signed(&receipt)?;
            receipt.to_string().into_bytes()
        }
        3 => SignerKey::new("x", &bytes(dice)).ok()?.verifier().to_string().into_bytes(),
        4 => key()?.sign(&format!("{}\n\n{}\n", hash(dice), hash(dice))).ok()?.into_bytes(),
        _ => format!("{ORIGIN}\n{}\n{}\n", dice.below(1 << 20), hash(dice)).into_bytes(),
    };
    Some([&[what], bytes.as_slice()].concat())
}

fn bytes<const N: usize>(dice: &mut Dice) -> [u8; N] {
    [(); N].map(|()| u8::try_from(dice.below(256)).unwrap_or(0))
}

fn entry(dice: &mut Dice) -> Option<Entry> {
    let id = Id(bytes(dice));
    let digest = Digest(bytes(dice));
    let number = u64::try_from(dice.below(1 << 30)).ok()?;
    let moment = Moment::from_millis(number << dice.below(18))?;
    let mut name = || Name::new(["a", "watch", "heart-rate", "x1-2-y"].get(dice.below(4))?);
    let (product, about) = (name()?, name()?);
    let whom = match dice.below(4) {
        0 => Whom::Bystanders,
        1 => Whom::Person(id),
        2 => Whom::Household(id),
        _ => Whom::Several { people: u32::try_from(number).ok()?, list: digest },
    };
    let by = match dice.below(5) {
        0 => Who::Housecarl,
        1 => Who::Person(id),
        2 => Who::Operator(id),
        3 => Who::Consumer(id),
        _ => Who::Device(id),
    };
    let act = match dice.below(10) {
        0 => Act::Choice {
            home: id,
            whom,
            product,
            answer: Answer::Objected,
            about,
            step: u8::try_from(dice.below(8)).ok()?,
            meaning: digest,
            record: digest,
        },
        1 => Act::Notice { home: id, whom, product, means: Means::Delivered, record: digest },
        2 => Act::Read { request: id, whom, product, purpose: about, parts: number },
        3 => {
            let recipient = product.clone();
            Act::Share { request: id, whom, product, purpose: about, recipient, parts: number }
        }
        4 => Act::Erase { case: id, whom, step: Erasure::Removed, horizon: moment, parts: number },
        5 => Act::KeyDestroyed { key: id, of: KeyOf::Bucket },
        6 => Act::Expiry { before: moment, buckets: number, parts: number },
        7 => Act::OperatorAction { action: about, target: id, record: digest },
        8 => {
            let reasons = BTreeMap::from([(product.clone(), 1 + number), (about.clone(), 1)]);
            Act::Refused { product, stream: about, hour: moment, reasons: Refusals::new(reasons)? }
        }
        _ => Act::ProductApplied { product, from: digest, to: digest },
    };
    Some(Entry { at: moment, by, act })
}
