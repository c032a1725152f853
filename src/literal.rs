//! Literal text that every match of a regular expression must hold, so that a cheap search for all literals at once
//! decides which expressions are worth trying.
//!
//! It is taken from the syntax tree. The compiler's next form has the same, but making it expands `\w` and `(?i)` to
//! tables of Unicode, which costs more than scanning a small bundle.

use std::cmp::Reverse;

use regex_syntax::ast::{Ast, ClassBracketed, ClassSet, ClassSetItem, RepetitionKind, RepetitionRange};

/// A literal shorter than this occurs on too many lines to be of use.
pub const SHORTEST: usize = 3;

/// Strings in a set: an alternation of many words is still cheaper to search for than to try.
const SET: usize = 128;
/// Strings that parts in a row are put together to. More would be longer, but not seen less often.
const PRODUCT: usize = 16;
/// Bytes of a string that are followed up.
const LENGTH: usize = 48;

type Set = Vec<Vec<u8>>;

/// Literals, in ASCII lower case, of which every match of `regex` holds one in some spelling. `None` when there is no set
/// of usable ones. Letters that Unicode folds to ASCII (`K`, `ſ`) do not count as spellings. Errors: the expression does
/// not parse.
pub fn required(regex: &str) -> Result<Option<Vec<Vec<u8>>>, Box<regex_syntax::Error>> {
    let tree = regex_syntax::ast::parse::Parser::new().parse(regex).map_err(|e| Box::new(e.into()))?;
    Ok(of(&tree).best())
}

/// What is known of the texts an expression matches.
struct Known {
    /// All of them, when they are few.
    exact: Option<Set>,
    /// Strings of which every one holds one.
    required: Option<Set>,
}

impl Known {
    const NOTHING: Self = Self { exact: None, required: None };

    fn exactly(set: Set) -> Self {
        Self { exact: Some(set), required: None }
    }

    fn best(self) -> Option<Set> {
        better(self.exact.filter(usable), self.required)
    }
}

fn of(tree: &Ast) -> Known {
    match tree {
        Ast::Empty(_) | Ast::Flags(_) | Ast::Assertion(_) => Known::exactly(vec![Vec::new()]),
        Ast::Literal(literal) if literal.c.is_ascii() => Known::exactly(vec![vec![literal.c.to_ascii_lowercase() as u8]]),
        Ast::ClassBracketed(class) => members(class).map_or(Known::NOTHING, Known::exactly),
        Ast::Group(group) => of(&group.ast),
        Ast::Repetition(repetition) => {
            let once = of(&repetition.ast);
            match &repetition.op.kind {
                RepetitionKind::ZeroOrOne => optional(once),
                RepetitionKind::Range(RepetitionRange::Exactly(1)) => once,
                RepetitionKind::OneOrMore => Known { exact: None, required: once.best() },
                RepetitionKind::Range(range) if least(range) > 0 => Known { exact: None, required: once.best() },
                _ => Known::NOTHING,
            }
        }
        Ast::Concat(concat) => of_concat(&concat.asts),
        Ast::Alternation(alternation) => of_alternation(&alternation.asts),
        Ast::Literal(_) | Ast::Dot(_) | Ast::ClassUnicode(_) | Ast::ClassPerl(_) => Known::NOTHING,
    }
}

fn least(range: &RepetitionRange) -> u32 {
    match range {
        RepetitionRange::Exactly(n) | RepetitionRange::AtLeast(n) | RepetitionRange::Bounded(n, _) => *n,
    }
}

/// The characters of a small class, each a string.
fn members(class: &ClassBracketed) -> Option<Set> {
    const MOST: usize = 10;
    let ClassSet::Item(item) = &class.kind else { return None };
    let items = match item {
        ClassSetItem::Union(union) => union.items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut set: Set = Vec::new();
    for item in items {
        let range = match item {
            ClassSetItem::Literal(literal) => literal.c..=literal.c,
            ClassSetItem::Range(range) => range.start.c..=range.end.c,
            _ => return None,
        };
        if !range.end().is_ascii() {
            return None;
        }
        set.extend(range.take(MOST + 1).map(|c| vec![c.to_ascii_lowercase() as u8]));
    }
    set.sort();
    set.dedup();
    (!class.negated && !set.is_empty() && set.len() <= MOST).then_some(set)
}

fn optional(known: Known) -> Known {
    match known.exact {
        Some(mut set) if set.len() < PRODUCT => {
            set.push(Vec::new());
            Known::exactly(set)
        }
        _ => Known::NOTHING,
    }
}

fn of_concat(parts: &[Ast]) -> Known {
    let mut run: Set = vec![Vec::new()];
    let mut is_whole = true;
    let mut best: Option<Set> = None;
    for part in parts {
        let known = of(part);
        if let Some(longer) = known.exact.as_ref().and_then(|set| product(&run, set)) {
            run = longer;
            continue;
        }
        is_whole = false;
        let ended = std::mem::replace(&mut run, vec![Vec::new()]);
        best = better(best, Some(ended).filter(usable));
        best = better(best, known.best());
    }
    if is_whole {
        return Known::exactly(run);
    }
    Known { exact: None, required: better(best, Some(run).filter(usable)) }
}

/// Every string of `left` followed by every one of `right`, when those are few and short.
fn product(left: &Set, right: &Set) -> Option<Set> {
    let longest = |set: &Set| set.iter().map(Vec::len).max().unwrap_or(0);
    if left.len() * right.len() > PRODUCT || longest(left) + longest(right) > LENGTH {
        return None;
    }
    Some(left.iter().flat_map(|l| right.iter().map(move |r| [l.as_slice(), r].concat())).collect())
}

fn of_alternation(parts: &[Ast]) -> Known {
    let known: Vec<Known> = parts.iter().map(of).collect();
    let n_exact: Option<usize> = known.iter().map(|k| k.exact.as_ref().map(Vec::len)).sum();
    if n_exact.is_some_and(|n| n <= PRODUCT) {
        return Known::exactly(known.into_iter().filter_map(|k| k.exact).flatten().collect());
    }
    let mut all = Vec::new();
    for part in known {
        match part.best() {
            Some(set) => all.extend(set),
            None => return Known::NOTHING,
        }
    }
    Known { exact: None, required: (all.len() <= SET).then_some(all) }
}

fn usable(set: &Set) -> bool {
    !set.is_empty() && set.iter().all(|s| s.len() >= SHORTEST)
}

/// The set that is seen less often: its shortest string is longer, or it has fewer.
fn better(a: Option<Set>, b: Option<Set>) -> Option<Set> {
    let quality = |set: &Set| (set.iter().map(Vec::len).min().unwrap_or(0).min(12), Reverse(set.len()));
    match (a, b) {
        (Some(a), Some(b)) => Some(if quality(&b) > quality(&a) { b } else { a }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::required;

    fn literals(regex: &str) -> Option<Vec<String>> {
        required(regex).unwrap().map(|set| set.into_iter().map(|s| String::from_utf8(s).unwrap()).collect())
    }

    #[test]
    fn finds_the_text_every_match_holds() {
        let cases: &[(&str, &[&str])] = &[
            (r"(?i)Connection refused: (?<x>\S+)", &["connection refused: "]),
            (r"\d+ (foo bar|quux)", &[" foo bar", " quux"]),
            (r"exit (code|status) \d+", &["exit code ", "exit status "]),
            (r"^\s*panic: (?<why>.*)$", &["panic: "]),
            (r"(?i)task sk[iy]p", &["task skip", "task skyp"]),
            (r"colou?r \w+ missing", &[" missing"]),
            (r"(foo|bar)+ \d", &["foo", "bar"]),
            (r"dial tcp .*: i/o timeout", &[": i/o timeout"]),
            (r"(?:fail(?:ed|ure)|error) 5\d\d", &["failed 5", "failure 5", "error 5"]),
            (r"\(111\)|errno[ =:]{1,2}111\b", &["(111)", "errno"]),
        ];
        for (regex, expected) in cases {
            assert_eq!(literals(regex).unwrap(), *expected, "{regex}");
        }
    }

    #[test]
    fn nothing_required_is_nothing() {
        for regex in [r"\d+.*\w", "(boom)?", "(boom|.)", "ab", "é+", "[^abc]+", "(?:boom){0,3}", r"[a-z]{3}"] {
            assert_eq!(literals(regex), None, "{regex}");
        }
        assert!(required("(").is_err());
    }

    #[test]
    fn text_that_matches_holds_a_literal() {
        let cases = [
            (r"(?i)port(?:\(s\))? ?(?<port>\d+) (?:already )?in use", "PORT(s) 80 in use"),
            (r"x{2}abc|[ab]{1,3}-end", "b-end"),
            (r"(?:a|bb|ccc)(?:dd|e?)f{1}gh", "ccefgh"),
        ];
        for (regex, text) in cases {
            let matched = regex::Regex::new(regex).unwrap().find(text).map(|m| m.as_str().to_lowercase());
            let held = literals(regex).is_none_or(|set| matched.clone().is_none_or(|m| set.iter().any(|l| m.contains(l))));
            assert!(held, "{regex}");
        }
    }
}
