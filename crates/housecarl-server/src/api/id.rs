//! Ids as they stand in addresses and bodies: 32 hexadecimal digits, in lower case.

use std::fmt::Write as _;

/// Prints an id.
pub(super) fn print(id: &[u8; 16]) -> String {
    hex(id)
}

/// Reads an id.
pub(super) fn parse(text: &str) -> Option<[u8; 16]> {
    bytes(text)
}

/// Prints bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // A text takes whatever is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads so many bytes, no more and no fewer. Each has one spelling.
pub(super) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    let bytes: Vec<u8> = pairs.iter().map(byte).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let text = "000102030405060708090a0b0c0d0eff";
        assert_eq!(parse(text).map(|id| print(&id)).as_deref(), Some(text));
        for wrong in [
            "",
            "00",
            &text.to_uppercase(),
            &format!("{text}0"),
            &format!("{text}00"),
            &text.replace('f', "g"),
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
