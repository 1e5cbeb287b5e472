//! Packets as one can read them.

/// Bytes as two digits each.
pub(crate) fn show(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X} ")).collect::<String>().trim_end().to_owned()
}

/// The CONNACK of MQTT 5 that lets somebody in who asked for nothing unusual, with what it promises:
/// 64 messages under way, QoS 1, packets of 1 MiB and 8 KiB, and no wildcards, subscription identifiers or
/// shared subscriptions.
const ACCEPTED: &str = "20( 00 00 { 21 0040 24 01 27 00102000 28 00 29 00 2A 00 } )";

/// Reads the notation of packets: hexadecimal digits, text in `'…'`, a length before `(…)` and `{…}` as
/// MQTT writes those of packets and properties, and one of two bytes before `[…]`, as for strings.
pub(crate) fn bytes(notation: &str) -> Vec<u8> {
    let mut open: Vec<(char, Vec<u8>)> = vec![('\n', Vec::new())];
    let notation = notation.replace("ACCEPTED", ACCEPTED);
    let mut rest = notation.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\n' => {}
            '\'' => {
                let text: String = rest.by_ref().take_while(|c| *c != '\'').collect();
                open.last_mut().unwrap().1.extend(text.bytes());
            }
            '(' | '{' | '[' => open.push((c, Vec::new())),
            ')' | '}' | ']' => {
                let (kind, inner) = open.pop().unwrap();
                let outer = &mut open.last_mut().unwrap().1;
                if kind == '[' {
                    outer.extend(u16::try_from(inner.len()).unwrap().to_be_bytes());
                } else {
                    let mut length = inner.len();
                    loop {
                        let more = if length > 127 { 0x80 } else { 0 };
                        outer.push(u8::try_from(length % 128).unwrap() | more);
                        length /= 128;
                        if length == 0 {
                            break;
                        }
                    }
                }
                outer.extend(inner);
            }
            high => {
                let digits: String = [high, rest.next().unwrap()].iter().collect();
                open.last_mut().unwrap().1.push(u8::from_str_radix(&digits, 16).unwrap());
            }
        }
    }
    let (_, bytes) = open.pop().unwrap();
    assert!(open.is_empty(), "a bracket is left open in {notation}");
    bytes
}
