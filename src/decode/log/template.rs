//! What a log says again and again: lines at warning or above, without what differs from one time to the next.

use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::wrap::Unwrapped;
use super::{Level, json};
use crate::time;

/// Templates kept of a log. Further ones are not counted.
const MOST: usize = 128;
/// Bytes of a message that are looked at.
const READ: usize = 600;
/// Bytes kept of a template.
const KEPT: usize = 240;

/// Lines that say the same but for numbers, names and stamps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The message with `<n>`, `<ip>`, `<uuid>`, `<hex>`, `<time>` and `<*>` for what varies.
    pub text: String,
    /// The level of the first of them.
    pub level: Level,
    /// How many there are.
    pub count: u32,
    /// When the first was written.
    pub first: Option<Timestamp>,
    /// When the last was written.
    pub last: Option<Timestamp>,
    /// The line of the first, from 1.
    pub line: u32,
}

/// The templates of a log so far.
#[derive(Debug, Default)]
pub(super) struct Templates {
    all: Vec<Template>,
    by_text: FxHashMap<String, usize>,
    message: Vec<u8>,
    masked: String,
}

impl Templates {
    /// Counts a line at warning or above.
    pub(super) fn add(&mut self, line: &Unwrapped<'_>, level: Level, number: u32) {
        self.message.clear();
        message(line.payload, &mut self.message);
        self.masked.clear();
        mask(&String::from_utf8_lossy(&self.message[..self.message.len().min(READ)]), &mut self.masked);
        let at = line.at();
        match self.by_text.get(&self.masked) {
            Some(&known) => {
                let known = &mut self.all[known];
                known.count = known.count.saturating_add(1);
                known.first = known.first.or(at);
                known.last = at.or(known.last);
            }
            None if self.all.len() < MOST && !self.masked.is_empty() => {
                self.by_text.insert(self.masked.clone(), self.all.len());
                self.all.push(Template { text: self.masked.clone(), level, count: 1, first: at, last: at, line: number });
            }
            None => {}
        }
    }

    pub(super) fn finish(self) -> Vec<Template> {
        self.all
    }
}

/// The templates of two parts of a log.
pub(super) fn join(mut all: Vec<Template>, next: Vec<Template>) -> Vec<Template> {
    let by_text: FxHashMap<String, usize> = all.iter().enumerate().map(|(i, t)| (t.text.clone(), i)).collect();
    for template in next {
        match by_text.get(&template.text) {
            Some(&known) => {
                let known = &mut all[known];
                known.count = known.count.saturating_add(template.count);
                known.first = known.first.or(template.first);
                known.last = template.last.or(known.last);
            }
            None if all.len() < MOST => all.push(template),
            None => {}
        }
    }
    all
}

/// The words of a line: of a structured one its message and its error, else what follows stamp, level and source.
fn message(line: &[u8], out: &mut Vec<u8>) {
    if line.first() == Some(&b'{') {
        of_fields(json::fields(line).map(|(key, raw)| (key, json::bare(raw))), out);
    } else if let Some(words) = of_klog(line) {
        out.extend_from_slice(words);
    } else if memchr::memmem::find(&line[..line.len().min(READ)], b"msg=").is_some() {
        of_fields(logfmt(line), out);
    } else if let Some((words, context)) = of_zap_console(line) {
        out.extend_from_slice(words);
        of_fields(json::fields(context).filter(|(key, _)| *key == b"error").map(|(key, raw)| (key, json::bare(raw))), out);
    } else {
        out.extend_from_slice(after_stamp(line));
    }
    if out.is_empty() {
        out.extend_from_slice(line);
    }
}

/// Message, then error, from the fields of a structured line.
fn of_fields<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>, out: &mut Vec<u8>) {
    let (mut message, mut error) = (None, None);
    for (key, value) in fields {
        match key {
            b"msg" | b"message" | b"log" | b"event" => message = message.or(Some(value)),
            b"error" | b"err" | b"exception" | b"cause" => error = error.or(Some(value)),
            _ => {}
        }
    }
    for part in [message, error].into_iter().flatten().filter(|p| !p.is_empty()) {
        if !out.is_empty() {
            out.extend_from_slice(b": ");
        }
        out.extend_from_slice(part);
    }
}

/// `E0102 15:04:05.000000  1 file.go:12] words`
fn of_klog(line: &[u8]) -> Option<&[u8]> {
    if !super::level::starts_like_klog(line) {
        return None;
    }
    let at = memchr::memmem::find(&line[..line.len().min(120)], b"] ")?;
    Some(&line[at + 2..])
}

/// `stamp\tLEVEL\tlogger\twords\t{json}`: the words and the JSON.
fn of_zap_console(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let cells: Vec<&[u8]> = line.splitn(5, |b| *b == b'\t').collect();
    let [_, _, rest @ ..] = &cells[..] else { return None };
    let context = rest.iter().position(|cell| cell.starts_with(b"{")).unwrap_or(rest.len());
    let words = rest[..context].last()?;
    Some((words, rest.get(context).copied().unwrap_or_default()))
}

/// `key=value key="quoted value"`.
fn logfmt(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let eq = memchr::memchr(b'=', rest)?;
        let key = rest[..eq].rsplit(|b| *b == b' ').next().unwrap_or_default();
        let value = &rest[eq + 1..];
        let (value, len) = match value.first() {
            Some(b'"') => {
                let mut escaped = false;
                let end = value.iter().skip(1).position(|b| {
                    let closes = *b == b'"' && !escaped;
                    escaped = *b == b'\\' && !escaped;
                    closes
                });
                let end = end.map_or(value.len(), |i| i + 1);
                (&value[1..end.max(1)], (end + 1).min(value.len()))
            }
            _ => {
                let end = memchr::memchr(b' ', value).unwrap_or(value.len());
                (&value[..end], end)
            }
        };
        rest = &rest[eq + 1 + len..];
        Some((key, value))
    })
}

fn after_stamp(line: &[u8]) -> &[u8] {
    let start = usize::from(line.first() == Some(&b'['));
    let len = time::leading(&line[start..]).map_or(0, |(_, len)| start + len);
    line[len..].trim_ascii_start().strip_prefix(b"]").unwrap_or(&line[len..]).trim_ascii()
}

/// `text` with placeholders for what varies; blanks are one.
fn mask(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() && out.len() < KEPT {
        if bytes[at].is_ascii_digit()
            && let Some((_, len)) = time::leading(&bytes[at..])
        {
            out.push_str("<time>");
            at += len;
            continue;
        }
        let len = bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')).count();
        if len > 0 {
            word(&text[at..at + len], out);
            at += len;
            continue;
        }
        let c = text[at..].chars().next().expect("there is text left");
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
        at += c.len_utf8();
    }
    out.truncate(out.trim_end().len());
}

/// A word with placeholders for what varies in it.
fn word(word: &str, out: &mut String) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let hex = word.bytes().filter(|b| b.is_ascii_hexdigit() || *b == b'-').count();
    if digits == 0 {
        out.push_str(word);
    } else if word.len() == 36 && hex == 36 {
        out.push_str("<uuid>");
    } else if is_address(word) {
        out.push_str("<ip>");
    } else {
        let mut masked_before = false;
        for (i, part) in word.split('-').enumerate() {
            if i > 0 {
                out.push('-');
            }
            masked_before = piece(part, masked_before, out);
        }
    }
}

fn is_address(word: &str) -> bool {
    let mut parts = word.split('.');
    let sound = |p: &str| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
    parts.by_ref().take(4).filter(|p| sound(p)).count() == 4 && parts.next().is_none()
}

/// A part of a word between dashes; tells whether it was masked.
fn piece(part: &str, masked_before: bool, out: &mut String) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    let is_number = part.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits > 0;
    let leading = part.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    // Status codes tell one failure from another.
    let is_status = part.len() == 3 && is_number && matches!(part.as_bytes()[0], b'4' | b'5');
    let placeholder = if is_status || part.is_empty() {
        None
    } else if is_number || (leading > 0 && part.len() - leading <= 3) {
        Some("<n>")
    } else if part.len() >= 8 && digits > 0 && part.bytes().all(|b| b.is_ascii_hexdigit()) {
        Some("<hex>")
    } else if digits > 0 && (part.len() >= 5 && !is_term(part)) {
        Some("<*>")
    } else {
        // The random end of a pod's name need not hold a digit.
        (masked_before && part.len() == 5 && !part.bytes().any(|b| b"aeiou".contains(&b))).then_some("<*>")
    };
    out.push_str(placeholder.unwrap_or(part));
    placeholder.is_some()
}

/// `http2`, `sha256`, `x509`, `OAuth2.0`: letters with a few digits behind.
fn is_term(part: &str) -> bool {
    let letters = part.bytes().take_while(u8::is_ascii_alphabetic).count();
    let rest = &part[letters..];
    letters > 0 && rest.len() <= 3 && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::super::wrap;
    use super::*;

    fn template(line: &str) -> String {
        let mut templates = Templates::default();
        templates.add(&wrap::unwrap(line.as_bytes()), Level::Error, 1);
        templates.finish().pop().map(|t| t.text).unwrap_or_default()
    }

    #[test]
    fn keeps_what_is_said_and_masks_what_varies() {
        let cases = [
            (
                r#"{"level":"error","ts":1.7e9,"msg":"get order 17","error":"dial tcp 10.0.0.1:5432: refused"}"#,
                "get order <n>: dial tcp <ip>:<n>: refused",
            ),
            ("E0102 15:04:05.000000       1 a.go:12] sync pod web-5d8f7c9b4-x2kqz took 3.5s", "sync pod web-<hex>-<*> took <n>"),
            (
                "2024-01-02T15:04:05Z\tERROR\tcontroller.Runner\tReconcile failed\t{\"n\": 1, \"error\": \"boom 7\"}",
                "Reconcile failed: boom <n>",
            ),
            (
                r#"time="2024-01-02T15:04:05Z" level=error msg="cannot read \"x\"" err="EOF at 12""#,
                r#"cannot read \"x\": EOF at <n>"#,
            ),
            ("[2024-01-02 15:04:05] ERROR   failed  with status 503 in 12ms", "ERROR failed with status 503 in <n>"),
            ("panic: id 0d1c2b3a-0000-4000-8000-0123456789ab at 2024-01-02T15:04:05Z", "panic: id <uuid> at <time>"),
            ("ERROR x509 v1 http2 utf8 sha256", "ERROR x509 v1 http2 utf8 sha256"),
            ("ERROR é\u{1}", "ERROR é\u{1}"),
        ];
        for (line, expected) in cases {
            assert_eq!(template(line), expected, "{line}");
        }
    }

    #[test]
    fn counts_and_joins() {
        let mut templates = Templates::default();
        for (i, second) in [(1, "05"), (2, "06")] {
            let line = format!("2024-01-02T15:04:{second}Z ERROR try {i} failed");
            templates.add(&wrap::unwrap(line.as_bytes()), Level::Error, i);
        }
        let all = templates.finish();
        assert_eq!((all.len(), all[0].count, all[0].line, all[0].text.as_str()), (1, 2, 1, "ERROR try <n> failed"));
        assert_eq!(all[0].last, "2024-01-02T15:04:06Z".parse().ok());
        let joined = join(all.clone(), all);
        assert_eq!((joined.len(), joined[0].count), (1, 4));
    }

    #[test]
    fn many_different_lines_are_kept_in_bounds() {
        let mut templates = Templates::default();
        let word = |i: usize| String::from_utf8(vec![b'a' + (i % 26) as u8; 1 + i / 26]).unwrap();
        (0..1_000).for_each(|i| templates.add(&wrap::unwrap(format!("ERROR {}", word(i)).as_bytes()), Level::Error, 1));
        assert_eq!(templates.finish().len(), MOST);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(line in proptest::collection::vec(proptest::num::u8::ANY, 0..80), text in "\\PC{0,40}") {
            let mut templates = Templates::default();
            templates.add(&wrap::unwrap(&line), Level::Error, 1);
            templates.add(&wrap::unwrap(format!("msg=\"{text} err={text}").as_bytes()), Level::Error, 1);
            templates.add(&wrap::unwrap(format!("a\tb\t{text}").as_bytes()), Level::Error, 1);
        }
    }
}
