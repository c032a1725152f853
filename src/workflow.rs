//! Inside a workflow of GitHub: the step's summary and its outputs, which the runner reads from files it names in the
//! environment.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use coroner::report::{Format, Report, Style, outputs, render};

/// The files of the step.
pub(crate) struct Step {
    summary: PathBuf,
    output: PathBuf,
}

impl Step {
    /// Errors: this is no step of a workflow.
    pub(crate) fn of_environment() -> anyhow::Result<Self> {
        let file = |name: &str| {
            let path = std::env::var_os(name).filter(|path| !path.is_empty());
            path.map(PathBuf::from).ok_or_else(|| anyhow!("--github-actions is for a workflow of GitHub: {name} is not set"))
        };
        Ok(Self { summary: file("GITHUB_STEP_SUMMARY")?, output: file("GITHUB_OUTPUT")? })
    }

    /// Adds the Markdown report to the summary, and verdict, cause, object and confidence to the outputs.
    pub(crate) fn write(&self, report: &Report, style: &Style) -> anyhow::Result<()> {
        append(&self.summary, &render(report, Format::Markdown, style))?;
        append(&self.output, outputs(report).as_bytes())
    }
}

fn append(path: &PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    let written = file.and_then(|mut file| file.write_all(bytes));
    written.with_context(|| format!("cannot write {}", path.display()))
}
