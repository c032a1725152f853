//! The languages of the prose. What reports say stands in message files, of which the English one is the source; what
//! another language lacks is said in English.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A language of reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// The source.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

/// Key → message.
type Messages = BTreeMap<String, String>;

static ENGLISH: LazyLock<Messages> = LazyLock::new(|| read(include_str!("../templates/messages.en.toml")));
static CHINESE: LazyLock<Messages> = LazyLock::new(|| read(include_str!("../templates/messages.zh.toml")));
static PHRASES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let phrases: toml::Table = toml::from_str(include_str!("../templates/phrases.zh.toml")).expect("tests/language.rs reads it");
    phrases.into_iter().filter_map(|(english, own)| Some((english, own.as_str()?.to_owned()))).collect()
});

fn read(text: &str) -> Messages {
    toml::from_str(text).expect("tests/language.rs reads it")
}

impl Language {
    /// Its tag for the `lang` attribute of a page (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-Hans",
        }
    }

    /// The message `key`, or `None` when not even English has it.
    pub fn message(self, key: &str) -> Option<&'static str> {
        let own = match self {
            Self::English => None,
            Self::Chinese => CHINESE.get(key),
        };
        own.or_else(|| ENGLISH.get(key)).map(String::as_str)
    }

    /// The message `key` that needs no facts.
    pub fn text(self, key: &'static str) -> &'static str {
        self.message(key).unwrap_or(key)
    }

    /// The message `key`, filled with `facts`; a fact `n` decides between one and many.
    pub fn say(self, key: &'static str, facts: &[(&str, &str)]) -> String {
        let fact = |name: &str| facts.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let mut out = String::new();
        for piece in pieces(form(self.text(key), fact("n"))) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Fact(name) => out.push_str(fact(name).unwrap_or_default()),
            }
        }
        out
    }

    /// A sentence that detectors put together from `English with {facts}`, in this language; as it is where no phrase of
    /// the language fits.
    pub fn phrase(self, english: &str) -> String {
        // A fact may be a sentence itself, but not one within one.
        const DEPTH: usize = 2;
        match self {
            Self::English => english.to_owned(),
            Self::Chinese => phrase(english, DEPTH).unwrap_or_else(|| english.to_owned()),
        }
    }
}

fn phrase(english: &str, depth: usize) -> Option<String> {
    let (facts, own) = PHRASES.iter().find_map(|(pattern, own)| Some((matched(pattern, english)?, own)))?;
    let fill = |piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Fact(name) => {
            let value = facts.get(name).copied().unwrap_or_default();
            let inner = if depth > 1 { phrase(value, depth - 1) } else { None };
            inner.unwrap_or_else(|| value.to_owned())
        }
    };
    Some(pieces(own).map(fill).collect())
}

/// The facts of `text`, when it is `pattern` filled in.
fn matched<'p, 't>(pattern: &'p str, text: &'t str) -> Option<BTreeMap<&'p str, &'t str>> {
    let mut facts = BTreeMap::new();
    let mut rest = text;
    let mut open = None;
    let mut pieces = pieces(pattern).peekable();
    while let Some(piece) = pieces.next() {
        match (piece, open.take()) {
            (Piece::Fact(name), _) => open = Some(name),
            (Piece::Text(words), None) => rest = rest.strip_prefix(words)?,
            (Piece::Text(words), Some(name)) => {
                let at = if pieces.peek().is_some() { rest.find(words) } else { rest.strip_suffix(words).map(str::len) };
                let at = at.filter(|at| *at > 0)?;
                facts.insert(name, &rest[..at]);
                rest = &rest[at + words.len()..];
            }
        }
    }
    match open {
        Some(name) if !rest.is_empty() => facts.insert(name, rest),
        Some(_) => return None,
        None => return rest.is_empty().then_some(facts),
    };
    Some(facts)
}

/// A part of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'m> {
    /// Words as they are.
    Text(&'m str),
    /// The name of what is filled in.
    Fact(&'m str),
}

/// The form of a message for `n`: of `one|many` the first when it is 1.
pub fn form<'m>(message: &'m str, n: Option<&str>) -> &'m str {
    match message.split_once('|') {
        Some((one, _)) if n == Some("1") => one,
        Some((_, many)) => many,
        None => message,
    }
}

/// The pieces of a message.
pub fn pieces(message: &str) -> impl Iterator<Item = Piece<'_>> {
    let parts = message.split('{').enumerate().flat_map(|(i, part)| match part.split_once('}') {
        Some((name, text)) if i > 0 => [Piece::Fact(name), Piece::Text(text)],
        _ => [Piece::Text(part), Piece::Text("")],
    });
    parts.filter(|piece| *piece != Piece::Text(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_filled_and_counted() {
        assert_eq!(Language::English.say("files", &[("n", "1")]), "1 file");
        assert_eq!(Language::English.say("files", &[("n", "2,000")]), "2,000 files");
        assert_eq!(Language::Chinese.say("files", &[("n", "1")]), "1 个文件");
    }

    #[test]
    fn a_pattern_gives_its_facts() {
        let facts = |pattern, text| matched(pattern, text).map(|facts| facts.into_values().collect::<Vec<_>>().join("/"));
        for (pattern, text, found) in [
            ("{ready} of {all} are ready", "0 of 5 are ready", Some("5/0")),
            ("{ready} of {all} are ready", "0 of 5 are not", None),
            ("pod {name} has no {what}", "pod a has no b has no c", Some("a/b has no c")),
            ("{what} ends here", "a ends here, b ends here", Some("a ends here, b")),
            ("its status", "its status", Some("")),
            ("its status", "its status.phase", None),
            ("{what} is", " is", None),
        ] {
            assert_eq!(facts(pattern, text).as_deref(), found, "{pattern} {text}");
        }
    }

    #[test]
    fn what_has_no_phrase_stays_english() {
        assert_eq!(Language::Chinese.phrase("the words of a stranger"), "the words of a stranger");
        assert_eq!(Language::English.phrase("its status"), "its status");
    }
}
