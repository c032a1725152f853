//! How much of a report a page shows, and the cutting.

use super::model::Report;

/// The most that is shown of each list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limits {
    /// Rows of a table.
    pub(super) rows: usize,
    /// Findings, and pieces of evidence of one.
    findings: usize,
    /// Characters of one text of several lines.
    text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 2_000, findings: 60, text: 20_000 }
    }
}

impl Limits {
    /// The next step down; `None` when there is none.
    pub(super) fn tighter(&self) -> Option<Self> {
        (self.rows > 10).then(|| Self { rows: self.rows / 2, findings: (self.findings * 2 / 3).max(3), text: self.text / 2 })
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

/// `report` with its lists cut to `limits`; indexes stay valid, since lists are cut at their ends.
pub(super) fn limited(report: &Report, limits: &Limits) -> Report {
    let mut report = report.clone();
    report.findings.truncate(limits.findings);
    let kept = report.findings.len();
    for finding in report.findings.iter_mut().chain(report.root_cause.as_mut()) {
        finding.affected.truncate(limits.rows);
        finding.evidence.truncate(limits.findings);
        finding.chain.truncate(limits.findings);
        let pieces = finding.evidence.len();
        finding.chain.iter_mut().for_each(|link| link.evidence.retain(|i| *i < pieces));
        finding.fix.patches.truncate(limits.findings);
        for patch in &mut finding.fix.patches {
            shorten(&mut patch.diff, limits.text);
            shorten(&mut patch.yaml, limits.text);
        }
        for text in finding.fix.commands.iter_mut().chain(&mut finding.fix.alerts) {
            shorten(text, limits.text);
        }
    }
    report.symptoms.truncate(limits.rows);
    report.symptoms.iter_mut().for_each(|symptom| symptom.explained_by.retain(|i| *i < kept));
    report.timeline.truncate(limits.rows);
    report.timeline.iter_mut().for_each(|moment| moment.finding = moment.finding.filter(|i| *i < kept));
    report.log_patterns.truncate(limits.rows);
    report.inventory.truncate(limits.rows);
    report.bundle.problems.truncate(limits.rows);
    report.bundle.blind_spots.truncate(limits.rows);
    report
}

/// Cuts `text` at a line's end.
fn shorten(text: &mut String, most: usize) {
    if text.len() <= most {
        return;
    }
    let end = text.floor_char_boundary(most);
    let end = text[..end].rfind('\n').unwrap_or(end);
    text.truncate(end);
    text.push_str("\n… cut");
}
