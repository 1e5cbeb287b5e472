//! Ids, hashes and codes as they stand in topics, addresses and bodies: hexadecimal digits in lower
//! case, so that each has one spelling.

use std::fmt::Write as _;

/// Prints bytes.
#[must_use]
pub fn print(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // A text takes whatever is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads so many bytes, no more and no fewer: 16 of an id, 32 of a hash.
#[must_use]
pub fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut pairs = pairs.iter();
    let mut bytes = [0; N];
    for byte in &mut bytes {
        let [high, low] = pairs.next()?;
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    pairs.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let text = "000102030405060708090a0b0c0dabef";
        let id = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 171, 239];
        assert_eq!(print(&id), text);
        assert_eq!(read(text), Some(id));
        for wrong in [
            "",
            "00",
            &text.to_uppercase(),
            &text.replacen('0', "+", 1),
            &text.replace('f', "g"),
            &format!("{text}0"),
            &format!("{text}00"),
        ] {
            assert_eq!(read::<16>(wrong), None, "{wrong}");
        }
    }
}
