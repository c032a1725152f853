//! How much of a report a page shows, and the cutting.

use serde_json::Value;

use super::model::Report;
use crate::visible::bytes;

/// The most that is shown of each list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limits {
    /// Rows of a table, and entries of any list that has no limit of its own.
    pub(super) rows: usize,
    /// Symptoms in their list; the table of affected resources has all of them.
    symptoms: usize,
    /// Findings, and pieces of evidence of one.
    findings: usize,
    /// Bytes of one text.
    text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 2_000, symptoms: 200, findings: 60, text: 20_000 }
    }
}

impl Limits {
    /// The next step down; `None` when there is none.
    pub(super) fn tighter(&self) -> Option<Self> {
        (self.rows > 10).then(|| Self {
            rows: self.rows / 4,
            symptoms: (self.symptoms / 4).max(10),
            findings: (self.findings / 2).max(3),
            text: self.text / 4,
        })
    }
}

/// How long the lists were before they were cut.
#[derive(Debug, serde::Serialize)]
pub(super) struct Totals {
    symptoms: usize,
    timeline: usize,
    evidence: usize,
    affected: usize,
    findings: usize,
    log_patterns: usize,
    problems: usize,
    inventory: usize,
}

impl Totals {
    pub(super) fn of(report: &Report, affected: usize) -> Self {
        Self {
            symptoms: report.symptoms.len(),
            timeline: report.timeline.len(),
            evidence: report.findings.first().map_or(0, |f| f.evidence.len()),
            affected,
            findings: report.findings.len(),
            log_patterns: report.log_patterns.len(),
            problems: report.bundle.problems.len(),
            inventory: report.inventory.len(),
        }
    }
}

/// `report` with its lists and texts cut to `limits`; indexes stay valid, since lists are cut at their ends.
pub(super) fn limited(report: &Report, limits: &Limits) -> Report {
    let mut tree = serde_json::to_value(report).expect("a report has string keys and finite numbers");
    shorten(&mut tree, limits);
    let mut report: Report = serde_json::from_value(tree).expect("shorter lists and texts are still a report");
    report.findings.truncate(limits.findings);
    report.symptoms.truncate(limits.symptoms);
    let kept = report.findings.len();
    for finding in report.findings.iter_mut().chain(report.root_cause.as_mut()) {
        finding.evidence.truncate(limits.findings);
        finding.chain.truncate(limits.findings);
        let pieces = finding.evidence.len();
        finding.chain.iter_mut().for_each(|link| link.evidence.retain(|i| *i < pieces));
    }
    report.symptoms.iter_mut().for_each(|symptom| symptom.explained_by.retain(|i| *i < kept));
    report.timeline.iter_mut().for_each(|moment| moment.finding = moment.finding.filter(|i| *i < kept));
    report
}

fn shorten(value: &mut Value, limits: &Limits) {
    match value {
        Value::String(text) if text.len() > limits.text => {
            let end = text.floor_char_boundary(limits.text);
            let missing = bytes((text.len() - end) as u64);
            text.truncate(end);
            text.push_str(&format!("… {missing} more"));
        }
        Value::Array(items) => {
            items.truncate(limits.rows);
            items.iter_mut().for_each(|item| shorten(item, limits));
        }
        Value::Object(map) => map.values_mut().for_each(|member| shorten(member, limits)),
        _ => {}
    }
}
