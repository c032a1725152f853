//! Literal text that every match of a regular expression must hold, so that a cheap search for all literals at once
//! decides which expressions are worth trying.

use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Repetition};

/// A literal shorter than this occurs on too many lines to be of use.
pub const SHORTEST: usize = 3;

/// Literals, in ASCII lower case, of which every match of `regex` holds one in some spelling. `None` when there is no set
/// of usable ones. Errors: the expression does not parse.
pub fn required(regex: &str) -> Result<Option<Vec<Vec<u8>>>, Box<regex_syntax::Error>> {
    regex_syntax::ParserBuilder::new().build().parse(regex).map(|hir| best(&case_folded(&hir))).map_err(Box::new)
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

/// The longest usable set of prefixes or suffixes, else inner ones.
fn best(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Capture(c) => best(&c.sub),
        HirKind::Repetition(r) if r.min > 0 => best(&r.sub),
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(best(part)?);
            }
            (all.len() <= 64).then_some(all)
        }
        HirKind::Concat(parts) => {
            // Runs of parts that are literal enough are tried together, so that `a(b|c)d` gives `abd`, `acd`.
            let whole = extracted(hir);
            parts.iter().filter_map(best).chain(whole).max_by_key(|set| quality(set))
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
    let usable = !set.is_empty() && set.iter().all(|l| l.len() >= SHORTEST && l.is_ascii());
    usable.then_some(set)
}

fn quality(set: &[Vec<u8>]) -> (usize, std::cmp::Reverse<usize>) {
    (set.iter().map(Vec::len).min().unwrap_or(0).min(12), std::cmp::Reverse(set.len()))
}

#[cfg(test)]
mod tests {
    use super::required;

    #[test]
    fn finds_the_literals_every_match_must_hold() {
        assert_eq!(required(r"(?i)Connection refused: (?<x>\S+)").unwrap().unwrap(), [b"connection refused: ".to_vec()]);
        assert_eq!(required(r"\d+ (foo bar|quux)").unwrap().unwrap(), [b"foo bar".to_vec(), b"quux".to_vec()]);
        assert_eq!(required(r"\d+.*\w").unwrap(), None);
    }
}
