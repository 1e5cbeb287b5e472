//! Looking for what must not be there: in every file, in every form that a careless program would leave it in.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use memchr::memmem;

/// Bytes in whatever form: as they are, in hex, in base64 with whatever before them.
pub(crate) fn forms(bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    let hex = |upper: bool| -> Vec<u8> {
        let digits =
            bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        digits.collect::<String>().into_bytes()
    };
    let mut forms = BTreeSet::from([bytes.to_vec(), hex(false), hex(true)]);
    for skipped in 0..3 {
        // Of base64 what does not depend on what stands before and after.
        let whole = bytes.get(skipped..).unwrap_or_default();
        let whole = &whole[..whole.len() / 3 * 3];
        for form in [BASE64_STANDARD_NO_PAD.encode(whole), BASE64_URL_SAFE_NO_PAD.encode(whole)] {
            forms.insert(form.into_bytes());
        }
    }
    forms
}

/// A text, in the forms that bytes have, in either case, and as text is escaped.
pub(crate) fn text_forms(text: &str) -> BTreeSet<Vec<u8>> {
    let cases = [text.to_owned(), text.to_lowercase(), text.to_uppercase()];
    let mut all: BTreeSet<Vec<u8>> = cases.iter().flat_map(|text| forms(text.as_bytes())).collect();
    let percent = |byte: &u8| format!("%{byte:02X}");
    let json = |byte: &u8| format!("\\u{byte:04x}");
    let utf_16 = |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    all.insert(text.as_bytes().iter().map(percent).collect::<String>().into_bytes());
    all.insert(text.as_bytes().iter().map(percent).collect::<String>().to_lowercase().into_bytes());
    all.insert(text.as_bytes().iter().map(json).collect::<String>().into_bytes());
    all.extend([utf_16(u16::to_le_bytes), utf_16(u16::to_be_bytes)]);
    all
}

/// A number as text, and as programs keep it. It has to be long enough to stand nowhere by chance.
pub(crate) fn number_forms(number: &str) -> BTreeSet<Vec<u8>> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let (whole, real): (u64, f64) = (digits.parse().unwrap(), number.parse().unwrap());
    assert!(whole > 1 << 38, "{number} is too short");
    let significant = |bytes: [u8; 8]| bytes.into_iter().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
    let mut all = text_forms(number);
    all.extend(text_forms(&digits));
    all.extend([real.to_be_bytes().to_vec(), real.to_le_bytes().to_vec()]);
    // CBOR keeps of a negative number what it lacks to -1.
    for whole in [whole, whole - 1] {
        let (big, mut little) = (significant(whole.to_be_bytes()), significant(whole.to_be_bytes()));
        little.reverse();
        all.extend([big, little]);
    }
    all
}

/// What there is to look through.
pub(crate) struct Haystack(Vec<(String, Vec<u8>)>);

impl Haystack {
    /// Every file below a folder, as it is now. A file that goes meanwhile is not there.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for path in entries.map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(mut bytes) = fs::read(&path) {
                    // Journals end in megabytes of zeros, and what is looked for in one at most.
                    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 2));
                    // A name says something too.
                    files.push((path.display().to_string(), path.display().to_string().into_bytes()));
                    files.push((path.display().to_string(), bytes));
                }
            }
        }
        Self(files)
    }

    pub(crate) fn and(mut self, name: &str, text: &str) -> Self {
        self.0.push((name.to_owned(), text.as_bytes().to_vec()));
        self
    }

    /// Where any of these forms stands.
    pub(crate) fn find(&self, forms: &BTreeSet<Vec<u8>>) -> BTreeSet<&str> {
        let finders: Vec<_> = forms.iter().map(memmem::Finder::new).collect();
        let has = |bytes: &[u8]| finders.iter().any(|finder| finder.find(bytes).is_some());
        self.0.iter().filter(|(_, bytes)| has(bytes)).map(|(name, _)| name.as_str()).collect()
    }
}

#[test]
fn each_form_is_found_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let (text, number) = ("a planted text", "51.5073519274");
    fs::create_dir(folder.path().join("in")).unwrap();
    assert!(Haystack::of(folder.path()).find(&text_forms(text)).is_empty());
    let written: &[&[u8]] = &[
        b"before a planted text after",
        b"A PLANTED TEXT",
        b"6120706c616e7465642074657874",
        b"6120706C616E7465642074657874",
        // In base64 after nothing, one byte and two.
        b"YSBwbGFudGVkIHRleHQ",
        b"eGEgcGxhbnRlZCB0ZXh0",
        b"eHhhIHBsYW50ZWQgdGV4dA",
        b"%61%20%70%6C%61%6E%74%65%64%20%74%65%78%74",
        b"\\u0061\\u0020\\u0070\\u006c\\u0061\\u006e\\u0074\\u0065\\u0064\\u0020\\u0074\\u0065\\u0078\\u0074",
        b"a\0 \0p\0l\0a\0n\0t\0e\0d\0 \0t\0e\0x\0t\0",
    ];
    for (number, bytes) in written.iter().enumerate() {
        fs::write(folder.path().join("in/file"), bytes).unwrap();
        assert_eq!(Haystack::of(folder.path()).find(&text_forms(text)).len(), 1, "form {number}");
    }
    for bytes in [
        b"{\"lat\":51.5073519274}".as_slice(),
        b"515073519274",
        &515_073_519_274_u64.to_le_bytes(),
        // Tag 4, -10 and the digits, as CBOR has a decimal fraction.
        &[0xC4, 0x82, 0x29, 0x1B, 0, 0, 0, 0x77, 0xEC, 0xC6, 0x2E, 0xAA],
        &51.507_351_927_4_f64.to_be_bytes(),
    ] {
        fs::write(folder.path().join("in/file"), bytes).unwrap();
        assert_eq!(Haystack::of(folder.path()).find(&number_forms(number)).len(), 1, "{bytes:?}");
    }
    fs::rename(folder.path().join("in/file"), folder.path().join("in/a planted text")).unwrap();
    assert_eq!(Haystack::of(folder.path()).find(&text_forms(text)).len(), 1, "in a name");
    assert_eq!(
        Haystack::of(folder.path()).and("log", "A planted text").find(&text_forms("a PLANTED text")).len(),
        1
    );
}
