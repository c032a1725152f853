//! Renders a kept JSON report again: `cargo run --example render -- report.json report.html` (or `.md`, `.txt`, `.sarif`, `.xml`).

use std::path::Path;

use coroner::report::{Format, Report, Style, render};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        anyhow::bail!("usage: render REPORT.json OUTPUT.{{html,md,txt,sarif,xml}}")
    };
    let mut report: Report = serde_json::from_slice(&std::fs::read(input)?)?;
    if report.verdict == "root-cause" && report.root_cause.is_none() {
        report.root_cause = report.findings.first().cloned();
    }
    let format = match Path::new(output).extension().and_then(|e| e.to_str()) {
        Some("html") => Format::Html,
        Some("md") => Format::Markdown,
        Some("sarif") => Format::Sarif,
        Some("xml") => Format::Junit,
        _ => Format::Terminal,
    };
    #[allow(clippy::disallowed_methods)] // the output is what the caller names
    std::fs::write(output, render(&report, format, &Style::default()))?;
    Ok(())
}
