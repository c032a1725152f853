//! Fields of a line of JSON, as loggers write it: one object a line. Nothing is allocated and nothing refused: duplicate
//! keys, a cut-off line and text after the object are all as good as they can be.

/// The members of the object that `line` is, in order: key and raw value (strings with their quotes).
pub(in crate::decode) fn fields(line: &[u8]) -> Fields<'_> {
    let line = line.trim_ascii_start();
    Fields { rest: line.strip_prefix(b"{").unwrap_or_default() }
}

/// See [`fields`].
pub(in crate::decode) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.rest.trim_ascii_start();
        let text = text.strip_prefix(b",").unwrap_or(text).trim_ascii_start();
        if text.first() != Some(&b'"') {
            self.rest = &[];
            return None;
        }
        let key_end = string_end(text)?;
        let value = text[key_end..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let value_end = value_end(value);
        self.rest = &value[value_end..];
        Some((&text[1..key_end - 1], &value[..value_end]))
    }
}

/// One past the closing quote of the string that `text` starts with; `None` when it does not close.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// One past the value that `text` starts with; its length when it is cut off.
fn value_end(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"') => string_end(text).unwrap_or(text.len()),
        Some(b'{' | b'[') => container_end(text),
        _ => text.iter().position(|b| matches!(b, b',' | b'}' | b']')).unwrap_or(text.len()),
    }
}

fn container_end(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => match string_end(&text[at..]) {
                Some(len) => at += len - 1,
                None => return text.len(),
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// A raw string value without its quotes, its escapes as they are; a number or word as it is.
pub(super) fn bare(raw: &[u8]) -> &[u8] {
    let raw = raw.trim_ascii_end();
    match raw.strip_prefix(b"\"") {
        Some(inner) => inner.strip_suffix(b"\"").unwrap_or(inner),
        None => raw,
    }
}

/// A raw value as text, escapes undone.
pub(super) fn text(raw: &[u8]) -> String {
    match serde_json::from_slice::<String>(raw) {
        Ok(text) => text,
        Err(_) => String::from_utf8_lossy(bare(raw)).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Vec<(String, String)> {
        fields(line.as_bytes()).map(|(k, v)| (String::from_utf8_lossy(k).into_owned(), text(v))).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn gives_every_member_in_order() {
        let line = r#"{"level":"error", "n": 3,"o":{"a":["}"]},"message":"x","message":"say \"y\"","t":true}"#;
        let expected =
            [("level", "error"), ("n", "3"), ("o", r#"{"a":["}"]}"#), ("message", "x"), ("message", r#"say "y""#), ("t", "true")];
        assert_eq!(read(line), pairs(&expected));
    }

    #[test]
    fn a_cut_off_line_gives_what_is_there() {
        assert_eq!(read(r#"{"level":"error","msg":"bo"#), pairs(&[("level", "error"), ("msg", "bo")]));
        assert_eq!(read(r#"{"level":"error","ms"#), pairs(&[("level", "error")]));
        assert_eq!(read("plain"), []);
        assert_eq!(read(r#"{"a":"\"#), pairs(&[("a", "\\")]));
    }
}
