//! Where the value of a name ends, and whether it may be a secret.

use std::ops::Range;

use super::encoded;
use super::names::Certainty;

/// How a value stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Between quotes.
    Quoted,
    /// A plain scalar of YAML, to the end of the line, or a block scalar below it.
    Yaml,
    /// To the end of the line.
    Line,
    /// To the next blank or delimiter.
    Word,
    /// A word of a sentence: `the token: expired`.
    Prose,
}

/// A value is followed this far; what is longer is cut.
const LONGEST: usize = 64 << 10;

/// The value that begins at `start`. `quote` is the one it stands in, `column` that of its key.
pub(super) fn extent(text: &str, start: usize, shape: Shape, quote: &str, column: usize) -> Range<usize> {
    let window = &text[start..text.floor_char_boundary(text.len().min(start + LONGEST))];
    let length = match shape {
        Shape::Quoted => quoted_length(window, quote),
        Shape::Yaml => {
            return block(window, column).map_or(start..start + line_length(window), |b| start + b.start..start + b.end);
        }
        Shape::Line => line_length(window),
        Shape::Word | Shape::Prose => word_length(window),
    };
    start..start + length
}

/// Up to the next such quote with exactly as many backslashes before it; to the end of the line when there is none.
fn quoted_length(window: &str, quote: &str) -> usize {
    let (backslashes, mark) = quote.split_at(quote.len() - 1);
    let mark = mark.as_bytes()[0];
    let bytes = window.as_bytes();
    let mut run = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match *byte {
            b'\\' => run += 1,
            b'\n' | b'\r' => return at,
            byte if byte == mark && run == backslashes.len() => return at - run,
            _ => run = 0,
        }
    }
    bytes.len()
}

/// Up to the end of the line, without a comment and blanks.
fn line_length(window: &str) -> usize {
    let line = window.lines().next().unwrap_or("");
    let line = line.find(" #").map_or(line, |comment| &line[..comment]);
    line.trim_end().len()
}

/// Up to the next blank, quote or closing bracket, or a delimiter behind which something else begins.
fn word_length(window: &str) -> usize {
    let bytes = window.as_bytes();
    let mut open = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' if open == 0 => return at,
            b')' | b']' | b'}' => open -= 1,
            b'"' | b'\'' | b'`' | b'<' | b'>' | b'&' | b';' => return at,
            b',' if starts_anew(&bytes[at + 1..]) => return at,
            b'\\' if bytes.get(at + 1).is_some_and(|next| b"\"'nrt".contains(next)) => return at,
            byte if byte.is_ascii_whitespace() => return at,
            _ => {}
        }
    }
    bytes.len()
}

/// Behind a comma: a blank, the end, a quote, or the next name with its separator.
fn starts_anew(rest: &[u8]) -> bool {
    let name = rest.iter().take(64).take_while(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b)).count();
    match rest.get(name) {
        None => true,
        Some(b':' | b'=') => name > 0,
        Some(byte) => name == 0 && (byte.is_ascii_whitespace() || b"\"'\\-".contains(byte)),
    }
}

/// The lines of a block scalar (`|`, `>-`): those below its header that are indented deeper than the key.
fn block(window: &str, column: usize) -> Option<Range<usize>> {
    let (header, body) = window.split_once('\n')?;
    if !header.starts_with(['|', '>']) || header.trim_end().len() > 3 {
        return None;
    }
    let is_inside = |line: &&str| line.trim().is_empty() || line.len() - line.trim_start_matches(' ').len() > column;
    let length: usize = body.split_inclusive('\n').take_while(is_inside).map(str::len).sum();
    let lines = &body[..length];
    let start = header.len() + 1;
    Some(
        start + lines.len() - lines.trim_start().len()
            ..start + lines.trim_end().len().max(lines.len() - lines.trim_start().len()),
    )
}

/// Whether a value behind a name of that certainty may be a secret.
pub(super) fn may_be_secret(value: &str, certainty: Certainty, shape: Shape) -> bool {
    let value = value.trim();
    // Signs of YAML: a tag, an alias, an anchor, a block, a collection. No plain scalar begins so.
    if shape == Shape::Yaml && value.starts_with(['!', '*', '&', '|', '>', '{', '[', '%', '@']) && !value.contains('\n') {
        return false;
    }
    if is_placeholder(value) || encoded::decode(value).is_some_and(|plain| is_placeholder(&plain)) {
        return false;
    }
    let is_open = matches!(shape, Shape::Yaml | Shape::Line) && !value.contains('\n');
    match certainty {
        Certainty::IfUserInfo => encoded::decode(value).is_some_and(|plain| plain.contains(':')),
        _ if shape == Shape::Prose => is_random(value) && !value.contains('/'),
        // A sentence, such as a log line that begins with "token:".
        _ if is_open && value.split_whitespace().count() > 2 => false,
        Certainty::IfRandom => is_random(value),
        Certainty::Sure => !is_measure(value),
    }
}

/// Values that stand for something else, or for nothing.
fn is_placeholder(value: &str) -> bool {
    const WORDS: [&str; 17] = [
        "true",
        "false",
        "null",
        "none",
        "nil",
        "yes",
        "no",
        "on",
        "off",
        "~",
        "undefined",
        "redacted",
        "hidden",
        "masked",
        "required",
        "optional",
        "string",
    ];
    value.is_empty()
        || WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
        || ["<", "$(", "${", "{{", "%(", "***", "...", "xxx", "XXX"].iter().any(|start| value.starts_with(start))
        || (value.starts_with(['{', '[', '%']) && value.len() <= 2)
        || value.starts_with("file:")
        || value.contains("://")
        || is_file(value)
        // What `kubectl describe` tells of the data of a Secret.
        || value.strip_suffix(" bytes").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        || (value.starts_with('$') && value[1..].bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
}

/// `/var/run/secrets/token`, `./key.pem`: base64 has capitals.
fn is_file(value: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/._-".contains(&b);
    (value.starts_with("./") || value.starts_with('/')) && value.bytes().all(is_part)
}

/// `3600`, `24h`, `10s`: a number of something that is called after a token or key.
fn is_measure(value: &str) -> bool {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_lowercase());
    value.len() < 6 && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Letters and digits mixed as nobody names an object. Parts of up to ten characters may be the suffixes Kubernetes makes.
fn is_random(value: &str) -> bool {
    let mixes = |part: &str| part.bytes().any(|b| b.is_ascii_digit()) && part.bytes().any(|b| b.is_ascii_alphabetic());
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./_:".contains(&b);
    let is_reference =
        value.bytes().all(is_name) && value.split(['-', '.', '/', '_', ':']).all(|part| part.len() <= 10 || !mixes(part));
    value.len() >= 8 && mixes(value) && !is_reference
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_not_random() {
        for value in ["my-secret", "default-token-x7k2p", "kube-system/web-tls-v2", "sh.helm.release.v1.web.v3", "MY_SECRET"] {
            assert!(!is_random(value), "{value}");
        }
        for value in ["9f86d081884c7d659a2feaa0c55ad015", "Xk29vQ7pLm", "3b241101-e2bb-4255-8caf-4136c566a962"] {
            assert!(is_random(value), "{value}");
        }
    }

    #[test]
    fn values_end_where_something_else_begins() {
        let word = |text: &'static str| &text[..word_length(text)];
        assert_eq!(word("a,b;Database=x"), "a,b");
        assert_eq!(word("a,user=b"), "a");
        assert_eq!(word("a(b)c) tail"), "a(b)c");
        assert_eq!(quoted_length(r#"a\"b" tail"#, "\""), 4);
        assert_eq!(quoted_length(r#"ab\", \"c\""#, "\\\""), 2);
    }
}
