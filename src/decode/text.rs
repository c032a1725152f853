//! Bytes → text: byte order marks, UTF-16, invalid UTF-8, NUL bytes, carriage returns.

use std::borrow::Cow;

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
/// How much of a file is looked at to tell its encoding, and text from binary content.
const HEAD: usize = 4096;

/// The text of `bytes`, lossily where it must be: invalid bytes become U+FFFD, NUL bytes go, CRLF becomes LF, so that
/// lines keep their numbers. `None` for binary content.
pub(super) fn read(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        _ => match zero_bytes(bytes) {
            Zeros::Odd => Cow::Owned(utf16(bytes, u16::from_le_bytes)),
            Zeros::Even => Cow::Owned(utf16(bytes, u16::from_be_bytes)),
            Zeros::Other if is_binary(bytes) => return None,
            Zeros::Other => lossy(bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes)),
        },
    };
    Some(without_carriage_returns(without_nul(text)))
}

/// The standard library's lossy reading takes several times as long to find that nothing is invalid.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    char::decode_utf16(bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

enum Zeros {
    /// Every other byte is zero, from the second on: UTF-16LE of Latin text.
    Odd,
    /// Every other byte is zero, from the first on: UTF-16BE of Latin text.
    Even,
    Other,
}

fn zero_bytes(bytes: &[u8]) -> Zeros {
    let head = &bytes[..bytes.len().min(HEAD)];
    let mut zeros = [0, 0];
    for (i, _) in head.iter().enumerate().filter(|(_, b)| **b == 0) {
        zeros[i % 2] += 1;
    }
    // A run of NUL, as a crash leaves in a log, has as many at even as at odd places.
    let most = |n: usize| n * 4 > head.len() && n > 4;
    match zeros {
        [even, odd] if most(odd) && even * 8 < odd => Zeros::Odd,
        [even, odd] if most(even) && odd * 8 < even => Zeros::Even,
        _ => Zeros::Other,
    }
}

/// Control characters that no text holds, or bytes that are not UTF-8, make up an eighth of the head. NUL bytes do not
/// count: a node that lost power leaves runs of them in its logs.
fn is_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD)];
    let is_control = |b: &u8| matches!(b, 1..=6 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    let n_control = head.iter().filter(|b| is_control(b)).count();
    let n_invalid: usize = head.utf8_chunks().map(|chunk| chunk.invalid().len()).sum();
    (n_control + n_invalid) * 8 > head.len()
}

fn without_nul(text: Cow<'_, str>) -> Cow<'_, str> {
    match memchr::memchr(0, text.as_bytes()) {
        None => text,
        Some(_) => Cow::Owned(text.replace('\0', "")),
    }
}

fn without_carriage_returns(text: Cow<'_, str>) -> Cow<'_, str> {
    match memchr::memmem::find(text.as_bytes(), b"\r\n") {
        None => text,
        Some(_) => Cow::Owned(text.replace("\r\n", "\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_encoding_people_attach() {
        let text = "kind: Pod\nname: \u{e9}t\u{e9}\n";
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked_be = [b"\xfe\xff", be.as_slice()].concat();
        let unmarked_le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked_le = [b"\xff\xfe", unmarked_le.as_slice()].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            [UTF8_MARK, text.as_bytes()].concat(),
            marked_le,
            marked_be,
            be,
            unmarked_le,
            text.replace('\n', "\r\n").into_bytes(),
            text.replace("Pod", "P\0od").into_bytes(),
        ] {
            assert_eq!(read(&bytes).as_deref(), Some(text), "{bytes:?}");
        }
    }

    #[test]
    fn replaces_invalid_bytes_and_refuses_binary_content() {
        assert_eq!(read(b"a valid start \xff").as_deref(), Some("a valid start \u{fffd}"));
        assert_eq!(read(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x80\x01\x02\x03\xff\xfe\xfc\xfb"), None);
        let crashed = [b"one line\n".as_slice(), &[0; 500], b"\nanother\n"].concat();
        assert_eq!(read(&crashed).as_deref(), Some("one line\n\nanother\n"));
    }
}
