//! Secrets inside base64.

use super::{Secret, anchored};

/// Shorter runs hold no secret that could be told.
const SHORTEST: usize = 20;

/// Longer runs are not looked into: they are files.
const LONGEST: usize = 1 << 20;

/// The values of every 6 bits, and what is no digit of base64. The alphabet of URLs differs in two characters.
const INVALID: u8 = 64;

/// Adds the runs of base64 that hold a secret when decoded. One level: what is encoded twice is data of a `Secret`.
pub(super) fn find(text: &str, secrets: &mut Vec<Secret>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|b| digit(**b) != INVALID).count();
        if (SHORTEST..=LONGEST).contains(&length) {
            let padding = bytes[at + length..].iter().take(2).take_while(|b| **b == b'=').count();
            let range = at..at + length + padding;
            if let Some(secret) = decode(&text[range.clone()]).and_then(|plain| anchored(&plain).into_iter().next()) {
                secrets.push(Secret::new(range, secret.kind));
            }
        }
        at += length + 1;
    }
}

/// The text that `encoded` stands for; `None` when it is no base64, or not of a text.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let digits = encoded.trim_end_matches('=');
    let is_whole =
        digits.len() % 4 != 1 && digits.len() >= 4 && (digits.len() == encoded.len() || encoded.len().is_multiple_of(4));
    if !is_whole {
        return None;
    }
    let mut plain = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let (mut bits, mut n_bits) = (0u32, 0);
    for byte in digits.bytes() {
        let digit = digit(byte);
        if digit == INVALID {
            return None;
        }
        bits = bits << 6 | u32::from(digit);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            plain.push((bits >> n_bits) as u8);
        }
    }
    let plain = String::from_utf8(plain).ok()?;
    let is_text = plain.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    is_text.then_some(plain)
}

fn digit(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => INVALID,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_texts_only() {
        assert_eq!(decode("aHVudGVyMg==").as_deref(), Some("hunter2"));
        assert_eq!(decode("aHVudGVyMg").as_deref(), Some("hunter2"));
        assert_eq!(decode("AAECAw=="), None);
        assert_eq!(decode("not base64"), None);
    }
}
