//! Regular expressions that are text first and compiled when first needed.

use std::iter::Peekable;
use std::str::Chars;
use std::sync::OnceLock;

use regex::{Captures, Regex, RegexBuilder};
use serde::{Deserialize, Deserializer};

/// A regular expression that is compiled when it is first used: of the hundreds in a catalogue a run needs a few, and
/// compiling all of them costs more than scanning a bundle.
#[derive(Debug, Clone)]
pub struct Regexp {
    text: String,
    /// What every text it matches holds.
    literal: OnceLock<Option<String>>,
    compiled: OnceLock<Option<Regex>>,
}

/// Compiled programs above this many bytes are refused: counted repetitions of large classes multiply.
const MOST_BYTES: usize = 4 << 20;

impl Regexp {
    /// The expression `text`, not yet compiled.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), literal: OnceLock::new(), compiled: OnceLock::new() }
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The compiled expression; `None` when it does not compile, which [`Regexp::check`] tells beforehand.
    pub fn get(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| compile(&self.text).ok()).as_ref()
    }

    /// Does `text` match?
    pub fn is_match(&self, text: &str) -> bool {
        self.may_match(text) && self.get().is_some_and(|r| r.is_match(text))
    }

    /// What it captures in `text`, when that matches.
    pub fn read<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        if self.may_match(text) { self.get()?.captures(text) } else { None }
    }

    /// `false` spares compiling it: the text lacks what it must hold.
    fn may_match(&self, text: &str) -> bool {
        let literal = self.literal.get_or_init(|| longest_literal(&self.text));
        literal.as_ref().is_none_or(|literal| text.contains(literal.as_str()))
    }

    /// Why it does not compile, in the compiler's words.
    pub fn check(&self) -> Result<(), regex::Error> {
        compile(&self.text).map(drop)
    }

    /// Names of the captures.
    pub fn captures(&self) -> Vec<&str> {
        self.get().into_iter().flat_map(Regex::capture_names).flatten().collect()
    }
}

/// The longest literal text that every match of an expression holds, as far as a glance at its characters tells: groups
/// and classes are passed over. [`crate::literal`] is thorough and takes a hundred times as long.
fn longest_literal(expression: &str) -> Option<String> {
    let (mut longest, mut run) = (String::new(), String::new());
    let mut rest = expression.chars().peekable();
    while let Some(c) = rest.next() {
        let literal = match c {
            '|' => return None,
            '(' => {
                pass_group(&mut rest)?;
                None
            }
            '[' => {
                pass_class(&mut rest);
                None
            }
            // A character by its number, or a class by its name.
            '\\' if matches!(rest.peek(), Some('x' | 'u' | 'U' | 'p' | 'P')) => return None,
            '\\' => rest.next().filter(char::is_ascii_punctuation),
            '{' => {
                rest.find(|c| *c == '}')?;
                None
            }
            '.' | '^' | '$' | '?' | '*' | '+' | '}' | ')' => None,
            c => Some(c),
        };
        match rest.peek() {
            // The last character may be missing, or come again.
            Some('?' | '*' | '{') => {}
            Some('+') => run.extend(literal),
            _ if literal.is_some() => {
                run.extend(literal);
                continue;
            }
            _ => {}
        }
        if run.len() > longest.len() {
            longest.clone_from(&run);
        }
        run.clear();
    }
    if run.len() > longest.len() {
        longest = run;
    }
    (!longest.is_empty()).then_some(longest)
}

/// Passes over a group that was opened; `None` when it may set flags, which change the meaning of what follows.
fn pass_group(rest: &mut Peekable<Chars<'_>>) -> Option<()> {
    if rest.next_if_eq(&'?').is_some() && !rest.next().is_some_and(|c| matches!(c, '<' | 'P' | ':')) {
        return None;
    }
    let mut depth = 1;
    while depth > 0 {
        match rest.next()? {
            '(' => depth += 1,
            ')' => depth -= 1,
            '[' => pass_class(rest),
            '\\' => drop(rest.next()),
            _ => {}
        }
    }
    Some(())
}

/// Passes over a class that was opened, classes inside it included.
fn pass_class(rest: &mut Peekable<Chars<'_>>) {
    rest.next_if_eq(&'^');
    // The first bracket stands for itself.
    rest.next_if_eq(&']');
    let mut depth = 1;
    while depth > 0 {
        match rest.next() {
            Some('[') => depth += 1,
            Some(']') => depth -= 1,
            Some('\\') => drop(rest.next()),
            Some(_) => {}
            None => return,
        }
    }
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(MOST_BYTES).build()
}

impl<'de> Deserialize<'de> for Regexp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_finds_what_every_match_holds() {
        for (expression, literal) in [
            ("connection refused", Some("connection refused")),
            (r#"pull image "(?<image>[^"]+)": not found"#, Some("pull image \"")),
            (r"a(b|c)de+f?gh", Some("de")),
            (r"\d+ of \d+ nodes\.", Some(" nodes.")),
            (r"^x{2}yz$", Some("yz")),
            (r"[]a[:digit:]]+abc", Some("abc")),
            (r"é+ß", Some("é")),
            (r"\d{12}a{22}bc", Some("bc")),
            (r"\x41abc", None),
            ("one|two", None),
            ("(?i)refused", None),
            ("a(?i)refused", None),
            (r"\S+", None),
            ("(", None),
        ] {
            assert_eq!(longest_literal(expression).as_deref(), literal, "{expression}");
        }
    }
}
