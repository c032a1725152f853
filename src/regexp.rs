//! Regular expressions that are text first and compiled when first needed.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer};

/// A regular expression that is compiled when it is first used: of the hundreds in a catalogue a run needs a few, and
/// compiling all of them costs more than scanning a bundle.
#[derive(Debug, Clone)]
pub struct Regexp {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

/// Compiled programs above this many bytes are refused: counted repetitions of large classes multiply.
const MOST_BYTES: usize = 4 << 20;

impl Regexp {
    /// The expression `text`, not yet compiled.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), compiled: OnceLock::new() }
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
        self.get().is_some_and(|r| r.is_match(text))
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

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(MOST_BYTES).build()
}

impl<'de> Deserialize<'de> for Regexp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
