//! Workflow commands of GitHub's runner, which become annotations of the run. Places in a bundle are no files of the
//! repository, so none is named; excerpts are not printed at all.

use super::escape::{command_data, command_property};
use super::model::{Finding, Report};
use super::words;

/// A step may give ten warnings; the last is kept for what is missing.
const WARNINGS: usize = 9;

/// One line per annotation.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    match (&report.root_cause, report.verdict.as_str()) {
        (Some(cause), _) => out.push_str(&command("error", &format!("Root cause: {}", cause.id), &told(cause))),
        (None, "healthy") => {
            out.push_str(&command(
                "notice",
                "Healthy",
                &format!("{} Examined {}.", words::headline(report), words::examined(report)),
            ));
        }
        (None, _) => {
            let hurts: Vec<String> =
                report.symptoms.iter().take(3).map(|s| format!("{}: {}", words::object(&s.resource), s.what)).collect();
            out.push_str(&command("error", "Inconclusive", &format!("{} {}", words::headline(report), hurts.join("; "))));
        }
    }
    let others = words::others(report).map(|(_, finding)| finding).filter(|finding| finding.role != "consequence");
    for finding in others.take(WARNINGS) {
        out.push_str(&command("warning", &format!("{}: {}", words::role(&finding.role), finding.id), &told(finding)));
    }
    if !report.bundle.blind_spots.is_empty() {
        let missing: Vec<&str> = report.bundle.blind_spots.iter().map(|spot| spot.what.as_str()).collect();
        out.push_str(&command("notice", "Not in the bundle", &missing.join("; ")));
    }
    out
}

fn told(finding: &Finding) -> String {
    let object = words::object(&finding.resource);
    format!("{}\nChange {object} (confidence {}).\n{}", finding.title, words::confidence(finding.confidence), finding.fix.summary)
}

fn command(name: &str, title: &str, text: &str) -> String {
    format!("::{name} title={}::{}\n", command_property(title), command_data(text))
}
