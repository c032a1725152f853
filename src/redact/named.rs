//! Values of names that speak of secrets: `password: x`, `DB_TOKEN=x`, `"clientSecret": "x"`, `--api-key x`, and pairs such
//! as an environment variable's `name: DB_PASSWORD`, `value: x`.

use std::ops::Range;

use super::names::classify;
use super::values::{Shape, may_be_secret};
use super::{Secret, values};

/// Parts of names that are looked for.
pub(super) const WORDS: &[&str] = &["pass", "pwd", "secret", "token", "key", "cred", "auth", "cookie", "sig"];

/// Names longer than this are none.
const LONGEST_NAME: usize = 128;

/// A longer word that is no secret is not looked into again: it could be one name after the other.
const LONGEST_WORD: usize = 256;

/// The search for named values, front to back.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Where the last name or value ended: a name is looked at once, and not inside of a value.
    passed: usize,
}

impl Names {
    /// The value of the name around the byte `at`, when the name speaks of a secret and the value may be one.
    pub(super) fn value(&mut self, text: &str, at: usize) -> Option<Secret> {
        if at < self.passed {
            return None;
        }
        let name = name_around(text, at, self.passed)?;
        self.passed = name.end;
        let (certainty, kind) = classify(&text[name.clone()])?;
        let Value { range, shape } = paired(text, &name).or_else(|| argument(text, &name)).or_else(|| assigned(text, &name))?;
        if !may_be_secret(&text[range.clone()], certainty, shape) {
            if matches!(shape, Shape::Word | Shape::Prose) && range.len() > LONGEST_WORD {
                self.passed = range.end;
            }
            return None;
        }
        self.passed = range.end;
        Some(Secret { range, kind, quoted: shape == Shape::Yaml })
    }
}

/// The name around a byte: letters, digits, `_`, `-` and `.`, from `floor` on.
fn name_around(text: &str, at: usize, floor: usize) -> Option<Range<usize>> {
    let is_part = |b: &&u8| b.is_ascii_alphanumeric() || b"_-.".contains(b);
    let bytes = text.as_bytes();
    let before = bytes[floor..at].iter().rev().take(LONGEST_NAME).take_while(is_part).count();
    let after = bytes[at..].iter().take(LONGEST_NAME).take_while(is_part).count();
    (before < LONGEST_NAME && after < LONGEST_NAME).then_some(at - before..at + after)
}

/// A value and how it stands in the text.
struct Value {
    range: Range<usize>,
    shape: Shape,
}

/// The argument behind a flag: on the command line, or as the next item of a list of arguments.
fn argument(text: &str, name: &Range<usize>) -> Option<Value> {
    if !text[name.clone()].starts_with("--") {
        return None;
    }
    let mut cursor = Cursor { text, at: name.end };
    cursor.quote();
    if cursor.skip(&[' ', '\t', ',', '\r', '\n']) == 0 {
        return None;
    }
    if text[name.end..cursor.at].contains('\n') {
        cursor.word("- ")?;
    }
    let quote = cursor.quote();
    let shape = if quote.is_empty() { Shape::Word } else { Shape::Quoted };
    let range = values::extent(text, cursor.at, shape, quote, 0);
    (!text[range.clone()].starts_with('-')).then_some(Value { range, shape })
}

/// The value behind a name and a separator.
fn assigned(text: &str, name: &Range<usize>) -> Option<Value> {
    let head = line_head(text, name.start);
    let starts_line = head.trim_end_matches(['"', '\'']).trim_matches([' ', '\t', '-', '\u{feff}']).is_empty();
    let mut cursor = Cursor { text, at: name.end };
    let name_quote = cursor.quote();
    let gap = cursor.blanks();
    let separator = cursor.separator();
    let space = cursor.blanks();
    if separator.is_empty() {
        return None;
    }
    let quote = cursor.quote();
    let is_line = starts_line && name_quote.is_empty() && quote.is_empty();
    // The end of a longer string, such as a URL, is no key.
    let is_tail = !name_quote.is_empty() && !head.ends_with(['"', '\'']);
    let opens_flow = head.trim_end().ends_with(['{', ',', '[', '(']);
    let shape = if is_tail {
        Shape::Prose
    } else if is_line && separator == ":" && gap == 0 && space == 1 {
        Shape::Yaml
    } else if is_line && gap + space > 0 {
        Shape::Line
    } else if !quote.is_empty() {
        Shape::Quoted
    } else if !name_quote.is_empty() || opens_flow || separator == "=" || (gap == 0 && space == 0) {
        Shape::Word
    } else {
        Shape::Prose
    };
    Some(Value { range: values::extent(text, cursor.at, shape, quote, column(head)), shape })
}

/// The value of the pair whose `name` is the name: an environment variable, a parameter.
fn paired(text: &str, name: &Range<usize>) -> Option<Value> {
    let head = line_head(text, name.start).trim_end_matches(['"', '\'', '\\']);
    let label = head.trim_end().strip_suffix([':', '='])?.trim_end_matches(['"', '\'', '\\', ' ']);
    if !["name", "Name", "key"].iter().any(|word| label.ends_with(word)) {
        return None;
    }
    let mut cursor = Cursor { text, at: name.end };
    let name_quote = cursor.quote();
    cursor.skip(&[' ', '\t', '\r', '\n', ',']);
    cursor.quote();
    cursor.word("value")?;
    cursor.quote();
    cursor.blanks();
    if cursor.separator().is_empty() {
        return None;
    }
    cursor.blanks();
    let quote = cursor.quote();
    let is_plain = quote.is_empty() && name_quote.is_empty();
    let shape = match (quote.is_empty(), is_plain && text[name.end..cursor.at].contains('\n')) {
        (false, _) => Shape::Quoted,
        (true, true) => Shape::Yaml,
        (true, false) => Shape::Word,
    };
    Some(Value { range: values::extent(text, cursor.at, shape, quote, column(head)), shape })
}

/// What stands before `at` on its line, as far as it matters.
fn line_head(text: &str, at: usize) -> &str {
    let window = &text[text.ceil_char_boundary(at.saturating_sub(2 * LONGEST_NAME))..at];
    window.rfind('\n').map_or(window, |newline| &window[newline + 1..])
}

/// The column of the key that follows `head`, past the dashes of list items.
fn column(head: &str) -> usize {
    head.len() - head.trim_start_matches([' ', '-']).len()
}

/// A place in a text that moves on over what it recognises.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Passes over `chars`; gives the bytes passed.
    fn skip(&mut self, chars: &[char]) -> usize {
        let length = self.rest().len() - self.rest().trim_start_matches(chars).len();
        self.at += length;
        length
    }

    fn blanks(&mut self) -> usize {
        self.skip(&[' ', '\t'])
    }

    /// Passes over a quote with the backslashes before it, as it stands in a string inside a string; gives it, or nothing.
    fn quote(&mut self) -> &'t str {
        let rest = self.rest();
        let backslashes = rest.len() - rest.trim_start_matches('\\').len();
        let is_quote = rest[backslashes..].starts_with(['"', '\'']);
        let length = if is_quote { backslashes + 1 } else { 0 };
        self.at += length;
        &rest[..length]
    }

    fn separator(&mut self) -> &'static str {
        let found = ["=>", ":=", ":", "="].into_iter().find(|separator| self.rest().starts_with(separator)).unwrap_or("");
        self.at += found.len();
        found
    }

    /// Passes over a word, its first letter in either case.
    fn word(&mut self, word: &str) -> Option<()> {
        let head = self.rest().get(..word.len())?;
        head.eq_ignore_ascii_case(word).then(|| self.at += word.len())
    }
}
