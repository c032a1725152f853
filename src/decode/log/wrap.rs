//! What collectors and runtimes put around a line: stamps, CRI's stream marks, docker's JSON, colours.

use std::borrow::Cow;

use jiff::Timestamp;
use memchr::memmem;

use super::json;
use crate::time;

/// Text of which every line that [`piece`] changes holds one: colours, docker's JSON, lines that CRI cut.
pub(super) const MARKS: &[&str] = &["\u{1b}", "{\"log\":", "stdout p", "stderr p"];

/// A line as the program wrote it, and the stamp of whoever kept it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unwrapped<'a> {
    /// The stamp's text, or empty.
    stamp: &'a [u8],
    /// The program's own words.
    pub(super) payload: &'a [u8],
}

impl Unwrapped<'_> {
    /// When it was written: by the wrapper, else by the line itself.
    pub(super) fn at(&self) -> Option<Timestamp> {
        time::leading(self.stamp).map(|(stamp, _)| stamp).or_else(|| time::of_line(self.payload))
    }
}

/// Takes the prefix of `kubectl logs --timestamps`, of CRI (`<stamp> stdout F `), of a journal (`<stamp> host unit[pid]: `)
/// or of GitHub Actions off a line.
pub(super) fn unwrap(line: &[u8]) -> Unwrapped<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let len = stamp_len(line).or_else(|| journal_stamp_len(line));
    match len {
        Some(len) => Unwrapped { stamp: &line[..len], payload: without_stream(without_unit(&line[len + 1..])) },
        None => Unwrapped { stamp: &[], payload: line },
    }
}

/// Length of the `Jan 02 15:04:05` or `Jan 02 15:04:05.000000` that a journal's line starts with.
fn journal_stamp_len(line: &[u8]) -> Option<usize> {
    let shaped = line.len() > 16 && line[0].is_ascii_uppercase() && line[3] == b' ' && line[6] == b' ' && line[9] == b':';
    if !shaped {
        return None;
    }
    let (_, len) = time::leading(line)?;
    (line.get(len) == Some(&b' ')).then_some(len)
}

/// A journal's line after its stamp, without `host unit[pid]: `.
fn without_unit(text: &[u8]) -> &[u8] {
    let unit = || {
        let head = &text[..text.len().min(320)];
        let colon = memmem::find(head, b"]: ").map(|i| i + 1).or_else(|| memmem::find(head, b" kernel: ").map(|i| i + 7))?;
        let (before, payload) = (&text[..colon], &text[colon + 2..]);
        let words = before.iter().filter(|b| **b == b' ').count();
        (words == 1 && !before.iter().any(|b| matches!(b, b'"' | b'{' | b':'))).then_some(payload)
    };
    unit().unwrap_or(text)
}

/// Length of the RFC 3339 stamp that a blank follows, at the start of a line.
fn stamp_len(line: &[u8]) -> Option<usize> {
    let shaped = line.len() > 20 && line[4] == b'-' && line[7] == b'-' && line[10] == b'T' && line[13] == b':';
    if !shaped || !line[0].is_ascii_digit() {
        return None;
    }
    let len = memchr::memchr(b' ', &line[..line.len().min(40)])?;
    (matches!(line[len - 1], b'Z' | b'0'..=b'9') && len >= 20).then_some(len)
}

fn without_stream(text: &[u8]) -> &[u8] {
    stream(text).map_or(text, |(_, payload)| payload)
}

/// CRI's `stdout F `: whether the line goes on in the next one, and what follows.
fn stream(text: &[u8]) -> Option<(bool, &[u8])> {
    let rest = text.strip_prefix(b"stdout ").or_else(|| text.strip_prefix(b"stderr "))?;
    match rest {
        [b'F', b' ', payload @ ..] => Some((false, payload)),
        [b'P', b' ', payload @ ..] => Some((true, payload)),
        b"F" => Some((false, b"")),
        b"P" => Some((true, b"")),
        _ => None,
    }
}

/// A line's content in the form [`unwrap`] reads, and whether it goes on in the next line.
pub(super) struct Piece<'a> {
    /// The stamp and what follows it of a first piece; of a later piece the payload alone is joined.
    pub(super) text: Cow<'a, [u8]>,
    /// Where the payload starts in `text`.
    pub(super) payload: usize,
    /// The next line continues this one.
    pub(super) goes_on: bool,
}

/// Undoes what must be undone before a line can be searched: docker's JSON, colours, and lines the runtime cut.
pub(super) fn piece(line: &[u8]) -> Piece<'_> {
    if let Some(piece) = docker(line) {
        return piece;
    }
    let text = without_colours(line);
    let payload = text.len() - unwrap(&text).payload.len();
    let goes_on = stamp_len(&text).and_then(|len| stream(&text[len + 1..])).is_some_and(|(partial, _)| partial);
    Piece { text, payload, goes_on }
}

/// `{"log":"boom\n","stream":"stderr","time":"2006-01-02T15:04:05.000000000Z"}`
fn docker(line: &[u8]) -> Option<Piece<'_>> {
    if !line.starts_with(b"{\"log\":") {
        return None;
    }
    let (mut log, mut time) = (None, None);
    for (key, raw) in json::fields(line) {
        match key {
            b"log" => log = Some(json::text(raw)),
            b"time" => time = Some(json::bare(raw)),
            b"stream" | b"attrs" => {}
            _ => return None,
        }
    }
    let (log, time) = (log?, time?);
    let mut text = time.to_vec();
    text.push(b' ');
    let payload = text.len();
    text.extend_from_slice(&without_colours(log.trim_end_matches('\n').as_bytes()));
    // A line feed inside would be taken for the end of the line.
    text[payload..].iter_mut().filter(|b| **b == b'\n').for_each(|b| *b = b' ');
    Some(Piece { text: Cow::Owned(text), payload, goes_on: !log.ends_with('\n') })
}

/// A line without ANSI escape sequences.
fn without_colours(line: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0x1b, line).is_none() {
        return Cow::Borrowed(line);
    }
    let mut text = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = memchr::memchr(0x1b, rest) {
        text.extend_from_slice(&rest[..at]);
        rest = &rest[at + escape_len(&rest[at..])..];
    }
    text.extend_from_slice(rest);
    Cow::Owned(text)
}

/// Length of the escape sequence that `text` starts with: CSI (`ESC [ … letter`), OSC (`ESC ] … BEL`), or two bytes.
fn escape_len(text: &[u8]) -> usize {
    match text.get(1) {
        Some(b'[') => {
            let parameters = text[2..].iter().take(32).take_while(|b| (0x20..0x40).contains(*b)).count();
            (2 + parameters + 1).min(text.len())
        }
        Some(b']') => text.iter().take(256).position(|b| *b == 0x07).map_or(2, |end| end + 1),
        _ => text.len().min(2),
    }
}

/// `text` with quotes as they were before a logger escaped them: `User \"web\"` is `User "web"` again.
pub(in crate::decode) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("\\\"") {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for part in text.split_inclusive('"') {
        match part.strip_suffix('"') {
            Some(before) => {
                plain.push_str(before.trim_end_matches('\\'));
                plain.push('"');
            }
            None => plain.push_str(part),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(line: &str) -> String {
        String::from_utf8_lossy(unwrap(line.as_bytes()).payload).into_owned()
    }

    #[test]
    fn takes_prefixes_off() {
        assert_eq!(payload("2024-01-02T15:04:05.000000000Z boom"), "boom");
        assert_eq!(payload("2024-01-02T15:04:05.000000000+08:00 boom"), "boom");
        assert_eq!(payload("2024-01-02T15:04:05.000000000Z stderr F boom"), "boom");
        assert_eq!(payload("2024-01-02T15:04:05Z\tERROR\tboom\r"), "2024-01-02T15:04:05Z\tERROR\tboom");
        assert_eq!(payload("Jan 02 15:04:05 n1 kubelet[12]: E0102 boom"), "E0102 boom");
        assert_eq!(payload("Jan 02 15:04:05 n1 kernel: Out of memory: x"), "Out of memory: x");
        assert_eq!(payload("2024-01-02T15:04:05+0000 n1 kubelet[12]: boom"), "boom");
        assert_eq!(payload("2024-01-02T15:04:05Z list[12]: boom"), "list[12]: boom");
        assert_eq!(payload("boom"), "boom");
        assert_eq!(payload("2024-01-02T15:04:05"), "2024-01-02T15:04:05");
    }

    #[test]
    fn the_wrappers_stamp_wins() {
        let line = unwrap(b"2024-01-02T15:04:05.5Z stdout F E0101 00:00:00.000000 1 x.go:1] boom");
        assert_eq!(line.at(), "2024-01-02T15:04:05.5Z".parse().ok());
    }

    #[test]
    fn docker_and_colours_are_undone() {
        let docker = piece(br#"{"log":"\u001b[31mboom\u001b[0m\n","stream":"stderr","time":"2024-01-02T15:04:05Z"}"#);
        assert_eq!((docker.text.as_ref(), docker.goes_on), (&b"2024-01-02T15:04:05Z boom"[..], false));
        let cut = piece(br#"{"log":"bo","stream":"stderr","time":"2024-01-02T15:04:05Z"}"#);
        assert!(cut.goes_on);
        assert_eq!(piece(b"\x1b[1;31mERR\x1b[0mOR\x1b").text.as_ref(), b"ERROR");
        assert!(piece(b"2024-01-02T15:04:05.000000000Z stdout P boo").goes_on);
        let not_docker = br#"{"log":"x","time":"y","level":"info"}"#;
        assert_eq!(piece(not_docker).text.as_ref(), not_docker);
    }
}
