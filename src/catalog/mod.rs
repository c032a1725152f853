//! The catalogue of causes: `rules.toml`, compiled into the binary, and the user's files in the same format.
//!
//! One entry is one cause: what it is called, how it is seen, what it leads to, how it is mended. Where seeing it takes a
//! computation, the entry names a detector of `src/detect/`; else its signs say it all.

mod check;
pub mod describe;
mod expression;
pub mod prose;
mod schema;
mod source;
mod translation;

pub use expression::{Expression, Object};
pub use schema::{
    Cause, Condition, Culprit, Fix, Layer, PatchKind, PatchTemplate, Severity, Sign, Signal, Standing, Strength, Test,
};

use check::Known;
use schema::File;
use source::{Fault, Source};

/// The built-in catalogue's text.
pub const BUILT_IN: &str = include_str!("../../rules.toml");

/// The same as JSON, which takes a third of the time to read; see `build.rs`.
const PREPARED: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.json"));

/// All causes and signals, by order of the files.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    causes: Vec<Cause>,
    signals: Vec<Signal>,
}

/// A rules file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The whole message, with file, line, column and a caret under the place.
    pub message: String,
}

impl Catalog {
    /// The built-in catalogue. It is not checked at every start: the tests do.
    pub fn built_in() -> Result<Self, Error> {
        let mut catalog = Self::default();
        catalog.add(serde_json::from_str(PREPARED).map_err(|e| Error { message: e.to_string() })?);
        Ok(catalog)
    }

    /// Adds the entries of a rules file; an entry with a known id replaces it. Gives the number of causes in the file.
    ///
    /// `detectors` are the names entries may give. Errors: the file is no TOML, has fields the format lacks, or fails a
    /// check; the message shows every fault with its line.
    pub fn extend(&mut self, path: &str, text: &str, detectors: &[&str]) -> Result<usize, Error> {
        let file = parse(path, text)?;
        let source = Source::parse(text).map_err(|fault| source::error(path, text, vec![fault]))?;
        let causes = self.causes.iter().flat_map(|c| c.aliases.iter().chain([&c.id])).map(String::as_str).collect();
        let faults = check::faults(&file, &source, &Known { causes, detectors });
        if !faults.is_empty() {
            return Err(source::error(path, text, faults));
        }
        let n_causes = file.cause.len();
        self.add(file);
        Ok(n_causes)
    }

    fn add(&mut self, file: File) {
        for cause in file.cause {
            match self.causes.iter_mut().find(|c| c.id == cause.id) {
                Some(known) => *known = cause,
                None => self.causes.push(cause),
            }
        }
        for signal in file.signal {
            match self.signals.iter_mut().find(|s| s.id == signal.id) {
                Some(known) => *known = signal,
                None => self.signals.push(signal),
            }
        }
    }

    /// The cause called `id`, also by a former name.
    pub fn cause(&self, id: &str) -> Option<&Cause> {
        self.causes.iter().find(|c| c.id == id || c.aliases.iter().any(|a| a == id))
    }

    /// All causes.
    pub fn causes(&self) -> &[Cause] {
        &self.causes
    }

    /// What logs must be searched for, as (name, expression): every signal under its id, and every log sign under
    /// [`sign_pattern`]'s name.
    pub fn patterns(&self) -> Vec<(String, String)> {
        let signals = self.signals.iter().map(|s| (s.id.clone(), s.regex.as_str().to_owned()));
        let signs = self.causes.iter().flat_map(|cause| {
            let numbered = cause.signs.iter().enumerate().filter(|(_, sign)| sign.on == "log");
            numbered.filter_map(|(i, sign)| Some((sign_pattern(cause, i), sign.take.as_ref()?.as_str().to_owned())))
        });
        signals.chain(signs).collect()
    }

    /// All named log patterns.
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }
}

fn parse(path: &str, text: &str) -> Result<File, Error> {
    toml::from_str(text).map_err(|e| source::error(path, text, vec![Fault::of_toml(&e)]))
}

/// The name under which the pattern of the `index`-th sign (from 0) of a cause is searched for: `cause-id/0`.
pub fn sign_pattern(cause: &Cause, index: usize) -> String {
    format!("{}/{index}", cause.id)
}
