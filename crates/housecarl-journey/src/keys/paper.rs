//! The root key on paper: few enough signs to type in again, and a slip in them is noticed and found.
//!
//! `docs/formats.md` has it sign by sign.

use std::fmt::{self, Write as _};

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use super::root::LEN;

/// What stands above the lines, before the version.
const TITLE: &str = "housecarl-root-key-on-paper-";
const VERSION: &str = "1";
/// What the checks of the lines are of, before the key.
const CHECKED: &[u8] = b"housecarl root key on paper 1";

/// A line has eight bytes of the key and two that check them and all before them.
const LINES: usize = 4;
const KEY_A_LINE: usize = LEN / LINES;
const CHECK_A_LINE: usize = 2;
const SIGNS_A_LINE: usize = (KEY_A_LINE + CHECK_A_LINE) * 8 / 5;

/// Base32 as Crockford has it: without I, L, O and U, which are taken for others.
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a text is not a root key on paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotOnPaper {
    /// The line above the key is missing.
    NoTitle,
    /// Written by a program that this one does not know.
    UnknownVersion,
    /// This line is missing, or has more or fewer than sixteen signs.
    Incomplete(usize),
    /// There is a slip in this line.
    Slip(usize),
}

impl fmt::Display for NotOnPaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTitle => write!(f, "this is not a root key: it has to begin with `{TITLE}{VERSION}`"),
            Self::UnknownVersion => {
                f.write_str("the root key has a version that this program does not know; use a newer one")
            }
            Self::Incomplete(line) => {
                write!(f, "line {line} of the root key has not its {SIGNS_A_LINE} letters and digits")
            }
            Self::Slip(line) => write!(f, "there is a slip in line {line} of the root key; read it again"),
        }
    }
}

impl std::error::Error for NotOnPaper {}

/// The lines to print.
pub(super) fn write(key: &[u8; LEN]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(256));
    // A text takes whatever is written to it.
    let _ = writeln!(text, "{TITLE}{VERSION}");
    for (number, (part, check)) in (1..).zip(key.chunks(KEY_A_LINE).zip(checks(key))) {
        let line = part.iter().chain(&check).fold(0_u128, |line, byte| line << 8 | u128::from(*byte));
        let _ = write!(text, "{number}.");
        for at in (0..SIGNS_A_LINE).rev() {
            if at % 4 == 3 {
                text.push(' ');
            }
            let sign = usize::try_from(line >> (5 * at) & 31).ok().and_then(|sign| SIGNS.get(sign));
            text.extend(sign.copied().map(char::from));
        }
        text.push('\n');
    }
    text
}

/// The key in such lines, whatever else stands on the page.
pub(super) fn read(text: &str) -> Result<Zeroizing<[u8; LEN]>, NotOnPaper> {
    let version = text.lines().find_map(|line| line.trim().strip_prefix(TITLE));
    match version {
        None => return Err(NotOnPaper::NoTitle),
        Some(VERSION) => {}
        Some(_) => return Err(NotOnPaper::UnknownVersion),
    }
    let mut key = Zeroizing::new([0; LEN]);
    let mut found = Zeroizing::new([[0; CHECK_A_LINE]; LINES]);
    for ((number, part), check) in (1..).zip(key.chunks_mut(KEY_A_LINE)).zip(found.iter_mut()) {
        let start = format!("{number}.");
        let line = text.lines().find_map(|line| line.trim().strip_prefix(&start));
        let line = line.and_then(bits).ok_or(NotOnPaper::Incomplete(number))?;
        let bytes = line.to_be_bytes().into_iter().skip(size_of::<u128>() - KEY_A_LINE - CHECK_A_LINE);
        part.iter_mut().chain(check).zip(bytes).for_each(|(to, byte)| *to = byte);
    }
    match (1..).zip(checks(&key).iter().zip(found.iter())).find(|(_, (right, found))| right != found) {
        Some((line, _)) => Err(NotOnPaper::Slip(line)),
        None => Ok(key),
    }
}

/// The bits of a line; `None` where it has other signs, or not so many.
fn bits(line: &str) -> Option<u128> {
    let signs = line.chars().filter(|sign| !sign.is_whitespace() && *sign != '-');
    let (mut bits, mut count) = (0, 0);
    for sign in signs {
        let sign = match sign.to_ascii_uppercase() {
            'I' | 'L' => '1',
            'O' => '0',
            sign => sign,
        };
        let value = SIGNS.iter().position(|known| char::from(*known) == sign)?;
        bits = bits << 5 | u128::try_from(value).ok()?;
        count += 1;
    }
    (count == SIGNS_A_LINE).then_some(bits)
}

/// The check of each line: of all of the key up to its end, so that no line goes to another's place.
fn checks(key: &[u8; LEN]) -> [[u8; CHECK_A_LINE]; LINES] {
    std::array::from_fn(|line| {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(CHECKED);
        key.chunks(KEY_A_LINE).take(line + 1).for_each(|part| hash.update(part));
        hash.finish().as_ref().first_chunk().copied().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

    use super::*;
    use crate::testing::{Dice, vector};

    #[test]
    fn what_was_printed_reads_back_however_it_was_typed() {
        assert_eq!(write(&[1; LEN]).as_bytes(), vector("root-key-on-paper"));
        let mut dice = Dice(1);
        for _ in 0..200 {
            let key: [u8; LEN] = dice.bytes(LEN as u64).try_into().unwrap();
            let text = write(&key);
            assert_eq!(*read(&text).unwrap(), key);
            let typed = text.to_lowercase().replace('0', "o").replace(' ', "").replace("1.", "1. - ");
            let typed =
                typed.replacen("housecarl-root-key-on-paper-1", "A page\nhousecarl-root-key-on-paper-1", 1);
            assert_eq!(*read(&typed).unwrap(), key);
        }
    }

    #[test]
    fn every_slip_of_one_sign_is_found_in_its_line() {
        let key: [u8; LEN] = Dice(2).bytes(LEN as u64).try_into().unwrap();
        let text = write(&key);
        for (at, line) in [1, 2, 3, 4].map(|line| (text.find(&format!("\n{line}. ")).unwrap() + 4, line)) {
            for sign in (at..at + 19).filter(|at| !text[*at..].starts_with(' ')) {
                for other in SIGNS.iter().filter(|other| **other != text.as_bytes()[sign]) {
                    let mut wrong = text.to_string().into_bytes();
                    wrong[sign] = *other;
                    let wrong = String::from_utf8(wrong).unwrap();
                    assert_eq!(read(&wrong), Err(NotOnPaper::Slip(line)), "{wrong}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let text = write(&[7; LEN]).to_string();
        let lines: Vec<&str> = text.lines().collect();
        let swapped =
            [lines[0], &lines[2].replace("2.", "1."), &lines[1].replace("1.", "2."), lines[3], lines[4]];
        // Bytes that are all the same are the same in every line, and its check is not.
        let cases = [
            (String::new(), NotOnPaper::NoTitle),
            (lines[1..].join("\n"), NotOnPaper::NoTitle),
            (text.replace("paper-1", "paper-2"), NotOnPaper::UnknownVersion),
            (lines[..4].join("\n"), NotOnPaper::Incomplete(4)),
            (text.replacen(' ', " U", 1), NotOnPaper::Incomplete(1)),
            (text.trim_end().to_owned() + "0", NotOnPaper::Incomplete(4)),
            (swapped.join("\n"), NotOnPaper::Slip(1)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(&text), Err(expected), "{text}");
        }
    }
}
