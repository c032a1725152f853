//! A report → bytes, in the format asked for. Knows presentation; nothing of Kubernetes.
//!
//! Every format is made from [`Report`] alone, so what one says the others can say too, and a kept JSON file can be
//! rendered again. Text of the bundle passes [`crate::visible`] before the escaper of the format.

use std::path::PathBuf;

use crate::language::Language;

mod affected;
mod assemble;
mod diff;
mod env;
mod escape;
mod excerpt;
mod github;
mod html;
mod json;
mod junit;
mod limits;
mod markdown;
pub mod model;
mod sarif;
mod svg;
mod terminal;
mod told;
mod translated;
mod words;
mod wrap;

pub use github::outputs;
pub use model::Report;
use told::told;
use translated::translated;

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a person at a terminal.
    Terminal,
    /// One self-contained page.
    Html,
    /// For an issue comment or a step summary.
    Markdown,
    /// `coroner.report/v1`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
    /// GitHub workflow commands.
    Github,
}

/// How to render.
#[derive(Debug, Clone)]
pub struct Style {
    /// The language of all words that are not the bundle's own.
    pub language: Language,
    /// ANSI colours (terminal only).
    pub color: bool,
    /// Columns (terminal only); taken as at least 60 and at most 120.
    pub width: usize,
    /// -1 quiet, 0 normal, 1 verbose (terminal only).
    pub verbosity: i8,
    /// OSC 8 links (terminal only).
    pub hyperlinks: bool,
    /// The directory that the paths of the bundle are in, when it is one on this machine: evidence then links to its file
    /// (terminal with `hyperlinks` only).
    pub directory: Option<PathBuf>,
    /// The most bytes to write (Markdown only); parts that are least missed go first, the verdict and the fix never.
    pub max_bytes: usize,
}

/// What a comment on GitHub holds for certain, less a line for a bot to add.
pub const MARKDOWN_BYTES: usize = 60_000;

impl Default for Style {
    fn default() -> Self {
        Self {
            language: Language::English,
            color: false,
            width: 80,
            verbosity: 0,
            hyperlinks: false,
            directory: None,
            max_bytes: MARKDOWN_BYTES,
        }
    }
}

/// Renders `report`. The same report and style give the same bytes.
pub fn render(report: &Report, format: Format, style: &Style) -> Vec<u8> {
    let language = style.language;
    let report = &*translated(report, language);
    match format {
        Format::Terminal => terminal::render(&told(report), style),
        Format::Html => html::render(&told(report), report, language),
        Format::Markdown => markdown::render(&told(report), language, style.max_bytes),
        Format::Json => json::render(report),
        Format::Sarif => sarif::render(&told(report), language),
        Format::Junit => junit::render(&told(report), language),
        Format::Github => github::render(&told(report), language),
    }
    .into_bytes()
}
