//! The patterns logs are scanned for: one pass over the required literals of all, regexes on hits only.

use regex::Regex;

use super::search::{Found, Literals};
use super::{level, wrap};
use crate::literal;
use crate::regexp::Regexp;

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

/// What a literal is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The pattern of that number may match.
    Pattern(u32),
    /// The line may be at warning or above.
    Level,
    /// The line may be wrapped in a way that must be undone first.
    Wrapping,
}

/// A compiled set of patterns.
#[derive(Debug)]
pub struct Patterns {
    patterns: Vec<Pattern>,
    compiled: Vec<Regexp>,
    literals: Literals,
    /// What each literal is searched for.
    owners: Vec<Owner>,
}

impl Patterns {
    /// Compiles `patterns`. Regexes are compiled when their literal is first seen.
    pub fn new(patterns: Vec<Pattern>) -> Result<Self, PatternError> {
        let marks = level::MARKS.iter().map(|m| (*m, Owner::Level)).chain(wrap::MARKS.iter().map(|m| (*m, Owner::Wrapping)));
        let (mut literals, mut owners): (Vec<Vec<u8>>, Vec<Owner>) = marks.map(|(m, o)| (m.as_bytes().to_vec(), o)).unzip();
        for (i, pattern) in patterns.iter().enumerate() {
            for literal in required_literals(pattern)? {
                literals.push(literal);
                owners.push(Owner::Pattern(i as u32));
            }
        }
        let literals =
            Literals::new(&literals).map_err(|e| PatternError::Regex { name: "all".to_owned(), reason: e.to_string() })?;
        let compiled = patterns.iter().map(|p| Regexp::new(p.regex.as_str())).collect();
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
        self.compiled[index as usize].get()
    }

    /// Where literals occur in `text`, by where they end; see [`Patterns::owner`].
    pub(super) fn candidates(&self, text: &[u8], out: &mut Vec<Found>) {
        self.literals.find_all(text, out);
    }

    /// What a literal is searched for.
    pub(super) fn owner(&self, literal: usize) -> Owner {
        self.owners[literal]
    }
}

/// See [`literal::required`].
fn required_literals(pattern: &Pattern) -> Result<Vec<Vec<u8>>, PatternError> {
    let found = literal::required(&pattern.regex)
        .map_err(|e| PatternError::Regex { name: pattern.name.clone(), reason: e.to_string() })?;
    let literals = found.map(|found| found.iter().map(|literal| between_quotes(literal)).collect::<Vec<_>>());
    literals
        .filter(|l| l.iter().all(|l| l.len() >= literal::SHORTEST))
        .ok_or_else(|| PatternError::NoLiteral { name: pattern.name.clone() })
}

/// The longest part of a literal without a quote: loggers escape quotes, and the search sees the line as it stands.
fn between_quotes(literal: &[u8]) -> Vec<u8> {
    literal.split(|b| *b == b'"').max_by_key(|part| part.len()).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(regex: &str) -> Pattern {
        Pattern { name: "p".to_owned(), regex: regex.to_owned() }
    }

    #[test]
    fn literals_are_searched_for_without_quotes() {
        assert_eq!(
            required_literals(&pattern(r#"is forbidden: User "(\w+)" cannot"#)).unwrap(),
            [b"is forbidden: user ".to_vec()]
        );
    }

    #[test]
    fn what_requires_no_literal_is_refused() {
        assert!(matches!(Patterns::new(vec![pattern(r"\d+.*\w")]), Err(PatternError::NoLiteral { .. })));
        assert!(matches!(Patterns::new(vec![pattern("(")]), Err(PatternError::Regex { .. })));
        assert!(Patterns::new(vec![pattern(r"(?i)connection refused: (?<peer>\S+)")]).is_ok());
    }
}
