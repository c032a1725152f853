//! A rules file's text: where its entries stand, and faults shown there.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Error;
use crate::visible::visible;

/// What is wrong at one place of a rules file.
#[derive(Debug)]
pub(super) struct Fault {
    /// Bytes of the file.
    pub(super) span: Range<usize>,
    /// What is wrong, in one line.
    pub(super) what: String,
    /// How to mend it.
    pub(super) help: Option<String>,
}

/// One step of the way to an entry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// A member of a table.
    Key(&'a str),
    /// An item of an array.
    Item(usize),
}

/// The text with the places of its entries.
pub(super) struct Source<'t> {
    text: &'t str,
    entries: Spanned<DeTable<'t>>,
}

impl<'t> Source<'t> {
    /// Errors: the text is no TOML.
    pub(super) fn parse(text: &'t str) -> Result<Self, Fault> {
        let entries = DeTable::parse(text).map_err(|e| Fault::of_toml(&e))?;
        Ok(Self { text, entries })
    }

    /// Where the entry at the end of `way` stands, or the last one on it that is there. A table is shown by the key that
    /// opens it, for its own place may be all of a file.
    pub(super) fn place(&self, way: &[Step<'_>]) -> Range<usize> {
        let mut place = 0..0;
        let mut table = Some(self.entries.get_ref());
        let mut array = None;
        for step in way {
            let next: Option<&Spanned<DeValue<'_>>> = match step {
                Step::Key(key) => table.and_then(|t: &DeTable<'_>| {
                    let (key, value) = t.iter().find(|(k, _)| k.get_ref() == key)?;
                    place = if value.get_ref().is_table() { key.span() } else { value.span() };
                    Some(value)
                }),
                Step::Item(i) => array.and_then(|a: &toml::de::DeArray<'_>| a.get(*i)).inspect(|v| place = self.opening(v)),
            };
            let Some(next) = next else { break };
            table = next.get_ref().as_table();
            array = next.get_ref().as_array();
        }
        place
    }

    /// The place of an array's item; of a table its header's line only.
    fn opening(&self, item: &Spanned<DeValue<'_>>) -> Range<usize> {
        let span = item.span();
        let line = self.text[span.clone()].find('\n').unwrap_or(span.len());
        span.start..span.start + line
    }
}

impl Fault {
    /// A fault the TOML reader found.
    pub(super) fn of_toml(error: &toml::de::Error) -> Self {
        Self { span: error.span().unwrap_or(0..0), what: error.message().lines().collect::<Vec<_>>().join(", "), help: None }
    }
}

/// All faults of the file `path` as one message: each a block with file, line, column and a caret under the place.
pub(super) fn error(path: &str, text: &str, mut faults: Vec<Fault>) -> Error {
    faults.sort_by_key(|f| (f.span.start, f.span.end));
    let renderer = Renderer::plain();
    let blocks: Vec<String> = faults
        .iter()
        .map(|fault| {
            let place = AnnotationKind::Primary.span(within(text, &fault.span));
            let snippet = Snippet::source(text).path(path).annotation(place);
            let mut block = Level::ERROR.primary_title(fault.what.as_str()).element(snippet);
            if let Some(help) = &fault.help {
                block = block.element(Level::HELP.message(help.as_str()));
            }
            renderer.render(&[block])
        })
        .collect();
    Error { message: visible(&blocks.join("\n\n")).into_owned() }
}

/// `span` cut to its first line, so that a long entry is not printed whole.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = span.start.min(text.len());
    let end = span.end.clamp(start, text.len());
    let first = text.get(start..end).unwrap_or("");
    // An opening `"""` says nothing: the first line of what it opens does.
    let skipped = ["\"\"\"\n", "'''\n"].iter().find(|open| first.starts_with(**open)).map_or(0, |open| open.len());
    let line = first[skipped..].find('\n').unwrap_or(first.len() - skipped);
    start + skipped..start + skipped + line
}
