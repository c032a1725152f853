//! Workflow commands of GitHub's runner, which become annotations of the run. Places in a bundle are no files of the
//! repository, so none is named; excerpts are not printed at all.

use super::escape::{command_data, command_property};
use super::model::{Finding, Report};
use super::words;
use crate::language::Language;
use crate::visible::visible_line;

/// A step may give ten warnings; the last is kept for what is missing.
const WARNINGS: usize = 9;

/// One line per annotation.
pub(super) fn render(report: &Report, language: Language) -> String {
    let mut out = String::new();
    match (&report.root_cause, report.verdict.as_str()) {
        (Some(cause), _) => {
            let title = language.say("annotation-root-cause", &[("id", &cause.id)]);
            out.push_str(&command("error", &title, &told(cause, language)));
        }
        (None, "healthy") => {
            let examined = language.say("examined-only", &[("examined", &words::examined(language, report))]);
            let text = format!("{} {examined}", words::headline(language, report));
            out.push_str(&command("notice", language.text("healthy"), &text));
        }
        (None, _) => {
            let hurts: Vec<String> =
                report.symptoms.iter().take(3).map(|s| format!("{}: {}", words::object(&s.resource), s.what)).collect();
            let text = format!("{} {}", words::headline(language, report), hurts.join("; "));
            out.push_str(&command("error", language.text("inconclusive"), &text));
        }
    }
    let others = words::others(report).map(|(_, finding)| finding).filter(|finding| finding.role != "consequence");
    for finding in others.take(WARNINGS) {
        out.push_str(&command(
            "warning",
            &format!("{}: {}", words::role(language, &finding.role), finding.id),
            &told(finding, language),
        ));
    }
    if !report.bundle.blind_spots.is_empty() {
        let missing: Vec<&str> = report.bundle.blind_spots.iter().map(|spot| spot.what.as_str()).collect();
        out.push_str(&command("notice", language.text("annotation-missing"), &missing.join("; ")));
    }
    out
}

/// What later steps of a workflow may ask for, as lines of `GITHUB_OUTPUT`: `verdict`, `cause`, `object`, `confidence` and
/// `title`, empty where no root cause is named.
pub fn outputs(report: &Report) -> String {
    let of_cause = |told: &dyn Fn(&Finding) -> String| report.root_cause.as_ref().map(told).unwrap_or_default();
    let outputs = [
        ("verdict", report.verdict.clone()),
        ("cause", of_cause(&|cause| cause.id.clone())),
        ("object", of_cause(&|cause| words::object(&cause.resource))),
        ("confidence", of_cause(&|cause| format!("{:.2}", cause.confidence))),
        ("title", of_cause(&|cause| cause.title.clone())),
    ];
    outputs.into_iter().map(|(name, value)| format!("{name}={}\n", visible_line(&value))).collect()
}

fn told(finding: &Finding, language: Language) -> String {
    let object = words::object(&finding.resource);
    let confidence = words::confidence(language, finding.confidence);
    let change = language.say("change-sure", &[("object", &object), ("confidence", &confidence)]);
    format!("{}\n{change}\n{}", finding.title, finding.fix.summary)
}

fn command(name: &str, title: &str, text: &str) -> String {
    format!("::{name} title={}::{}\n", command_property(title), command_data(text))
}
