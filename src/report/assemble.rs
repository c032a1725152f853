//! Diagnosis → report: internal types become the frozen ones, and secrets are masked on the way.

use super::model::{
    BlindSpot, Bundle, Component, Evidence, Finding, Fix, Link, Location, LogPattern, Moment, Patch, Problem, Ref, Report, Stock,
    Surroundings, Symptom, Tool,
};
use crate::bundle::Summary;
use crate::catalog::{PatchKind, Severity, Strength};
use crate::cluster::Cluster;
use crate::decode::{self, Level};
use crate::detect::{self, EvidenceKind};
use crate::diagnose::{self, Diagnosis, Judged, Role, Verdict};
use crate::location;
use crate::redact::Redactor;

impl Report {
    /// The report of a diagnosis.
    pub fn new(
        summary: &Summary,
        cluster: &Cluster,
        problems: Vec<location::Problem>,
        diagnosis: Diagnosis,
        redactor: &Redactor,
    ) -> Self {
        let Diagnosis { verdict, findings, symptoms, timeline, log_patterns, inventory, blind_spots, problems: failed } =
            diagnosis;
        let mut bundle = bundle(summary, cluster, problems);
        bundle.problems.extend(failed.into_iter().map(Problem::from));
        bundle.blind_spots = blind_spots.into_iter().map(BlindSpot::from).collect();
        let findings: Vec<Finding> = findings.into_iter().map(Finding::from).collect();
        let report = Self {
            schema: "coroner.report/v1".to_owned(),
            tool: Tool { name: "coroner".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
            bundle,
            verdict: match verdict {
                Verdict::RootCause => "root-cause",
                Verdict::Healthy => "healthy",
                Verdict::Inconclusive => "inconclusive",
            }
            .to_owned(),
            root_cause: findings.first().filter(|_| verdict == Verdict::RootCause).cloned(),
            findings,
            symptoms: symptoms.into_iter().enumerate().map(|(i, (s, by))| symptom(i, s, by)).collect(),
            timeline: timeline.into_iter().map(Moment::from).collect(),
            log_patterns: log_patterns.into_iter().map(LogPattern::from).collect(),
            inventory: inventory.into_iter().map(Stock::from).collect(),
        };
        masked(report, redactor)
    }
}

/// Every text of the report goes through the redactor: there is no way around it for a field added later.
fn masked(report: Report, redactor: &Redactor) -> Report {
    let Ok(mut tree) = serde_json::to_value(&report) else { return report };
    mask(&mut tree, redactor);
    let mut masked: Report = serde_json::from_value(tree).unwrap_or(report);
    masked.bundle.redacted = redactor.count();
    masked
}

fn mask(value: &mut serde_json::Value, redactor: &Redactor) {
    match value {
        serde_json::Value::String(text) => {
            if let std::borrow::Cow::Owned(masked) = redactor.redact(text) {
                *text = masked;
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|v| mask(v, redactor)),
        serde_json::Value::Object(map) => map.iter_mut().filter(|(k, _)| *k != "sha256").for_each(|(_, v)| mask(v, redactor)),
        _ => {}
    }
}

fn bundle(summary: &Summary, cluster: &Cluster, problems: Vec<location::Problem>) -> Bundle {
    let mut all: Vec<_> = summary.problems.iter().cloned().chain(problems).collect();
    all.sort();
    all.dedup();
    Bundle {
        name: summary.name.clone(),
        sha256: summary.sha256.clone(),
        layout: summary.layout.clone(),
        bytes_packed: summary.bytes_packed,
        bytes_unpacked: summary.bytes_unpacked,
        files: summary.files,
        collected_at: cluster.now.map(|t| t.to_string()),
        kubernetes_version: cluster.kubernetes_version().map(|v| v.to_string()),
        components: components(cluster),
        problems: all.into_iter().map(Problem::from).collect(),
        blind_spots: Vec::new(),
        redacted: 0,
    }
}

fn components(cluster: &Cluster) -> Vec<Component> {
    cluster.components().into_iter().map(|(name, version)| Component { name, version }).collect()
}

fn symptom(i: usize, symptom: detect::Symptom, explained_by: Vec<usize>) -> Symptom {
    Symptom {
        id: format!("s{}", i + 1),
        resource: symptom.resource.into(),
        what: symptom.what,
        since: symptom.since.map(|t| t.to_string()),
        explained_by,
    }
}

impl From<decode::Ref> for Ref {
    fn from(r: decode::Ref) -> Self {
        Self { api_version: r.api_version, kind: r.kind, namespace: r.namespace, name: r.name }
    }
}

impl From<location::Location> for Location {
    fn from(l: location::Location) -> Self {
        Self { path: l.path.to_string(), line: l.line }
    }
}

impl From<location::Problem> for Problem {
    fn from(p: location::Problem) -> Self {
        Self { path: p.location.path.to_string(), line: p.location.line, what: p.what }
    }
}

impl From<diagnose::BlindSpot> for BlindSpot {
    fn from(b: diagnose::BlindSpot) -> Self {
        Self { what: b.what, why_it_matters: b.why_it_matters, collect: b.collect }
    }
}

impl From<diagnose::Moment> for Moment {
    fn from(m: diagnose::Moment) -> Self {
        Self {
            at: m.at.to_string(),
            resource: m.resource.map(Ref::from),
            what: m.what,
            source: m.source.into(),
            finding: m.finding,
        }
    }
}

impl From<diagnose::LogPattern> for LogPattern {
    fn from(p: diagnose::LogPattern) -> Self {
        Self {
            template: p.template,
            count: p.count,
            level: p.level.map(|l| level(l).to_owned()),
            first: p.first.map(|t| t.to_string()),
            last: p.last.map(|t| t.to_string()),
            sources: p.sources.into_iter().map(Location::from).collect(),
            novel: p.novel,
        }
    }
}

impl From<diagnose::Stock> for Stock {
    fn from(s: diagnose::Stock) -> Self {
        Self { kind: s.kind, namespace: s.namespace, count: s.count, unhealthy: s.unhealthy }
    }
}

impl From<detect::Link> for Link {
    fn from(l: detect::Link) -> Self {
        Self { resource: l.resource.into(), what: l.what, evidence: l.evidence }
    }
}

impl From<detect::Evidence> for Evidence {
    fn from(e: detect::Evidence) -> Self {
        let alone = e.before.is_empty() && e.after.is_empty();
        Self {
            location: e.location.into(),
            kind: match e.kind {
                EvidenceKind::Spec => "spec",
                EvidenceKind::Status => "status",
                EvidenceKind::Condition => "condition",
                EvidenceKind::Event => "event",
                EvidenceKind::Log => "log",
                EvidenceKind::File => "file",
            }
            .to_owned(),
            strength: match e.strength {
                Strength::Proof => "proof",
                Strength::Statement => "statement",
                Strength::Hint => "hint",
            }
            .to_owned(),
            excerpt: e.excerpt,
            says: e.says,
            context: (!alone).then_some(Surroundings { before: e.before, after: e.after }),
        }
    }
}

impl From<diagnose::Patch> for Patch {
    fn from(p: diagnose::Patch) -> Self {
        Self {
            resource: p.target.into(),
            kind: match p.kind {
                PatchKind::Merge => "merge",
                PatchKind::Json => "json",
                PatchKind::Strategic => "strategic",
            }
            .to_owned(),
            yaml: p.yaml,
            diff: p.diff,
            verified: match p.verified {
                diagnose::Verified::Cleared => "cleared",
                diagnose::Verified::NotCleared => "not-cleared",
                diagnose::Verified::NotChecked => "not-checked",
            }
            .to_owned(),
        }
    }
}

impl From<diagnose::Fix> for Fix {
    fn from(f: diagnose::Fix) -> Self {
        Self {
            summary: f.summary,
            steps: f.steps,
            commands: f.commands,
            patches: f.patches.into_iter().map(Patch::from).collect(),
            verify: f.verify,
            prevent: f.prevent,
            alerts: f.alerts,
            avoid: f.avoid,
            docs: f.docs,
        }
    }
}

impl From<Judged> for Finding {
    fn from(j: Judged) -> Self {
        Self {
            id: j.cause,
            title: j.title,
            summary: j.summary,
            severity: match j.severity {
                Severity::Critical => "critical",
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "info",
            }
            .to_owned(),
            role: match j.role {
                Role::RootCause => "root-cause",
                Role::Contributing => "contributing",
                Role::Consequence => "consequence",
                Role::Independent => "independent",
            }
            .to_owned(),
            confidence: j.confidence,
            confidence_why: j.confidence_why,
            resource: j.culprit.into(),
            affected: j.affected.into_iter().map(Ref::from).collect(),
            chain: j.chain.into_iter().map(Link::from).collect(),
            evidence: j.evidence.into_iter().map(Evidence::from).collect(),
            fix: j.fix.into(),
        }
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
        Level::Fatal => "fatal",
    }
}
