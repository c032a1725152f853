//! A report → bytes, in the format asked for. Knows presentation; nothing of Kubernetes.

pub mod model;

pub use model::Report;

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
    /// ANSI colours (terminal only).
    pub color: bool,
    /// Columns (terminal only).
    pub width: usize,
    /// -1 quiet, 0 normal, 1 verbose (terminal only).
    pub verbosity: i8,
}

/// Renders `report`.
pub fn render(report: &Report, format: Format, style: &Style) -> Vec<u8> {
    let _ = style;
    match format {
        Format::Json => {
            let mut bytes = serde_json::to_vec_pretty(report).unwrap_or_default();
            bytes.push(b'\n');
            bytes
        }
        _ => Vec::new(),
    }
}
