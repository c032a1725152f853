//! The patterns logs are scanned for: one pass over the required literals of all, regexes on hits only.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Repetition};

/// What a log is searched for.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The name it is asked for by: a signal's id, or `cause-id/sign-number`.
    pub name: String,
    /// The expression.
    pub regex: String,
}

/// A pattern that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// The expression does not compile.
    #[error("pattern {name} does not compile: {reason}")]
    Regex {
        /// The pattern's name.
        name: String,
        /// The compiler's words.
        reason: String,
    },
    /// No literal text is required by the expression, so every line would have to be tried.
    #[error(
        "pattern {name} requires no literal text of at least 3 characters, so every line of every log would have to be tried"
    )]
    NoLiteral {
        /// The pattern's name.
        name: String,
    },
}

/// A compiled set of patterns.
#[derive(Debug)]
pub struct Patterns {
    patterns: Vec<Pattern>,
    compiled: Vec<OnceLock<Option<Regex>>>,
    literals: AhoCorasick,
    /// Literal number → pattern number.
    owners: Vec<u32>,
}

impl Patterns {
    /// Compiles `patterns`. Regexes are compiled when their literal is first seen.
    pub fn new(patterns: Vec<Pattern>) -> Result<Self, PatternError> {
        let mut literals: Vec<Vec<u8>> = Vec::new();
        let mut owners = Vec::new();
        for (i, pattern) in patterns.iter().enumerate() {
            for literal in required_literals(pattern)? {
                literals.push(literal);
                owners.push(i as u32);
            }
        }
        let literals = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&literals)
            .map_err(|e| PatternError::Regex { name: "all".to_owned(), reason: e.to_string() })?;
        let compiled = patterns.iter().map(|_| OnceLock::new()).collect();
        Ok(Self { patterns, compiled, literals, owners })
    }

    /// The number of the pattern called `name`.
    pub fn index(&self, name: &str) -> Option<u32> {
        self.patterns.iter().position(|p| p.name == name).map(|i| i as u32)
    }

    /// The name of pattern `index`.
    pub fn name(&self, index: u32) -> &str {
        &self.patterns[index as usize].name
    }

    /// The expression of pattern `index`, compiled; `None` when it does not compile.
    pub fn regex(&self, index: u32) -> Option<&Regex> {
        self.compiled[index as usize]
            .get_or_init(|| RegexBuilder::new(&self.patterns[index as usize].regex).size_limit(1 << 20).build().ok())
            .as_ref()
    }

    /// Patterns whose literal occurs in `text`, with the offset where it ends; candidates only.
    pub(super) fn candidates<'s, 't: 's>(&'s self, text: &'t [u8]) -> impl Iterator<Item = (u32, usize)> + 's {
        self.literals.find_overlapping_iter(text).map(|m| (self.owners[m.pattern().as_usize()], m.end()))
    }
}

/// Literals of which every match holds one. The longest usable set of prefixes or suffixes, else inner ones.
fn required_literals(pattern: &Pattern) -> Result<Vec<Vec<u8>>, PatternError> {
    let hir = regex_syntax::ParserBuilder::new()
        .build()
        .parse(&pattern.regex)
        .map_err(|e| PatternError::Regex { name: pattern.name.clone(), reason: e.to_string() })?;
    best_literals(&case_folded(&hir)).ok_or_else(|| PatternError::NoLiteral { name: pattern.name.clone() })
}

/// The expression with `[Cc]`, which `(?i)` makes of every letter, put back to `c`: the search ignores case anyway.
fn case_folded(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => match one_letter(class) {
            Some(letter) => Hir::literal([letter]),
            None => hir.clone(),
        },
        HirKind::Capture(c) => case_folded(&c.sub),
        HirKind::Repetition(r) if r.min > 0 => Hir::repetition(Repetition { sub: Box::new(case_folded(&r.sub)), ..r.clone() }),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(case_folded).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(case_folded).collect()),
        _ => hir.clone(),
    }
}

/// The letter all characters of a class are spellings of (`S`, `s` and `ſ` of `s`).
fn one_letter(class: &ClassUnicode) -> Option<u8> {
    let mut letter = None;
    for range in class.ranges() {
        for c in range.start()..=range.end() {
            let mut folded = c.to_lowercase().flat_map(char::to_uppercase);
            let this = folded.next().filter(|f| f.is_ascii_alphabetic() && folded.next().is_none())?;
            if letter.is_some_and(|known| known != this) {
                return None;
            }
            letter = Some(this);
        }
    }
    letter.map(|l| l.to_ascii_lowercase() as u8)
}

fn best_literals(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Capture(c) => best_literals(&c.sub),
        HirKind::Repetition(r) if r.min > 0 => best_literals(&r.sub),
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(best_literals(part)?);
            }
            (all.len() <= 64).then_some(all)
        }
        HirKind::Concat(parts) => {
            // Runs of parts that are literal enough are tried together, so that `a(b|c)d` gives `abd`, `acd`.
            let whole = extracted(hir);
            parts.iter().filter_map(best_literals).chain(whole).max_by_key(|set| quality(set))
        }
        _ => extracted(hir),
    }
}

fn extracted(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let mut extractor = Extractor::new();
    extractor.limit_class(4).limit_total(64);
    let seq = extractor.extract(hir);
    // Case-insensitive matching needs one spelling only: fold, then drop the duplicates.
    let mut set: Vec<Vec<u8>> = seq.literals()?.iter().map(|l| l.as_bytes().to_ascii_lowercase()).collect();
    set.sort();
    set.dedup();
    let usable = !set.is_empty() && set.iter().all(|l| l.len() >= 3 && l.is_ascii());
    usable.then_some(set)
}

fn quality(set: &[Vec<u8>]) -> (usize, std::cmp::Reverse<usize>) {
    (set.iter().map(Vec::len).min().unwrap_or(0).min(12), std::cmp::Reverse(set.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(regex: &str) -> Pattern {
        Pattern { name: "p".to_owned(), regex: regex.to_owned() }
    }

    #[test]
    fn finds_the_literals_every_match_must_hold() {
        let spelled = required_literals(&pattern(r"(?i)Connection refused: (?<x>\S+)")).unwrap();
        assert_eq!(spelled, [b"connection refused: ".to_vec()]);
        assert_eq!(required_literals(&pattern(r"\d+ (foo bar|quux)")).unwrap(), [b"foo bar".to_vec(), b"quux".to_vec()]);
        assert!(matches!(required_literals(&pattern(r"\d+.*\w")), Err(PatternError::NoLiteral { .. })));
    }
}
