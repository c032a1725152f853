//! Symptoms and findings → a diagnosis: who explains what, which one is the root, how sure, and how it is mended.
//!
//! Knows causality; knows nothing of YAML.

use jiff::Timestamp;
use rustc_hash::FxHashSet;

use crate::catalog::{self, Catalog, PatchKind, Severity, Standing, Strength};
use crate::cluster::Cluster;
use crate::decode::{Level, Ref};
use crate::detect::{self, Evidence, Facts, Finding, Link, Symptom};
use crate::location::{Location, Problem};

mod chain;
mod explain;
mod fix;
mod rank;
mod survey;

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// One cause is proved enough: the first finding.
    RootCause,
    /// Nothing hurts.
    Healthy,
    /// Something hurts and no cause is proved enough.
    Inconclusive,
}

/// What a finding is to the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The one to mend first.
    RootCause,
    /// It worsens the incident, or could also explain some of it.
    Contributing,
    /// It is a consequence of another finding.
    Consequence,
    /// It is true and has nothing to do with the incident, or is an incident of its own.
    Independent,
}

/// A finding with its place in the incident.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The cause's id.
    pub cause: String,
    /// One line that names the object and the fault.
    pub title: String,
    /// Two or three sentences.
    pub summary: String,
    /// How bad.
    pub severity: Severity,
    /// 0 to 1, calibrated.
    pub confidence: f64,
    /// Why that sure: one line per signal.
    pub confidence_why: Vec<String>,
    /// What it is to the incident.
    pub role: Role,
    /// The object a person must change.
    pub culprit: Ref,
    /// Objects that suffer, nearest first.
    pub affected: Vec<Ref>,
    /// From the culprit to the symptom.
    pub chain: Vec<Link>,
    /// Why it is believed.
    pub evidence: Vec<Evidence>,
    /// How it is mended.
    pub fix: Fix,
}

/// How a finding is mended, rendered for the object at hand.
#[derive(Debug, Clone, Default)]
pub struct Fix {
    /// One or two sentences.
    pub summary: String,
    /// Steps in order.
    pub steps: Vec<String>,
    /// Commands.
    pub commands: Vec<String>,
    /// Changes of objects.
    pub patches: Vec<Patch>,
    /// Commands that show whether it worked.
    pub verify: Vec<String>,
    /// How not to get there again.
    pub prevent: Vec<String>,
    /// PrometheusRule YAML.
    pub alerts: Vec<String>,
    /// Advice that does harm, and why.
    pub avoid: Vec<String>,
    /// Links.
    pub docs: Vec<String>,
}

/// A change of one object.
#[derive(Debug, Clone)]
pub struct Patch {
    /// The object.
    pub target: Ref,
    /// How it is applied.
    pub kind: PatchKind,
    /// The patch.
    pub yaml: String,
    /// The object before and after, as a unified diff.
    pub diff: String,
    /// Whether the finding is gone when the patch is applied in memory.
    pub verified: Verified,
}

/// What applying a patch in memory showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// The detectors no longer find the cause.
    Cleared,
    /// They still find it.
    NotCleared,
    /// It could not be tried: the cause was stated, not computed, or the object is not in the bundle.
    NotChecked,
}

/// Something the bundle does not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindSpot {
    /// What is not there.
    pub what: String,
    /// What it would decide.
    pub why_it_matters: String,
    /// The command that collects it.
    pub collect: String,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// To what.
    pub resource: Option<Ref>,
    /// What.
    pub what: String,
    /// Where it stands.
    pub source: Location,
    /// The finding it belongs to.
    pub finding: Option<usize>,
}

/// Lines of logs that differ in numbers and names only.
#[derive(Debug, Clone)]
pub struct LogPattern {
    /// The line with its variable parts masked.
    pub template: String,
    /// How often it came.
    pub count: u64,
    /// Its level.
    pub level: Option<Level>,
    /// First and last time.
    pub first: Option<Timestamp>,
    /// See `first`.
    pub last: Option<Timestamp>,
    /// Some places.
    pub sources: Vec<Location>,
    /// It began only around the incident.
    pub novel: bool,
}

/// Number of objects of a kind in a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: Option<String>,
    /// How many.
    pub count: usize,
    /// How many of them hurt.
    pub unhealthy: usize,
}

/// The whole diagnosis; everything sorted, nothing random.
#[derive(Debug)]
pub struct Diagnosis {
    /// The answer.
    pub verdict: Verdict,
    /// Ranked; the root cause first when there is one.
    pub findings: Vec<Judged>,
    /// Where it hurts, the heaviest first, each with the findings that explain it.
    pub symptoms: Vec<(Symptom, Vec<usize>)>,
    /// What happened when.
    pub timeline: Vec<Moment>,
    /// Frequent and novel log lines.
    pub log_patterns: Vec<LogPattern>,
    /// What the bundle holds.
    pub inventory: Vec<Stock>,
    /// What it does not show.
    pub blind_spots: Vec<BlindSpot>,
    /// Detectors that failed.
    pub problems: Vec<Problem>,
}

/// Settings of a diagnosis.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Look for causes in these namespaces only (and in cluster-scoped objects); empty = everywhere.
    pub namespaces: Vec<String>,
}

/// Patches of this many findings are tried; trying one runs all detectors again.
const TRIED_PATCHES: usize = 3;

/// Diagnoses a cluster.
pub fn run(cluster: &Cluster, catalog: &Catalog, scope: &Scope) -> Diagnosis {
    let mut detected = detect::run(cluster, catalog);
    detected.symptoms.retain(|s| scope.covers(&s.resource));
    detected.findings.retain(|f| scope.covers(&f.culprit));
    let mut symptoms = detected.symptoms;
    symptoms.extend(broken(catalog, &detected.findings, &symptoms));
    let cases = explain::explain(cluster, catalog, &detected.findings, &symptoms);
    let places = rank::rank(&cases, &symptoms);
    let findings: Vec<Judged> = places
        .iter()
        .enumerate()
        .filter_map(|(i, place)| judged(cluster, catalog, &cases[place.case], place, &symptoms, i < TRIED_PATCHES))
        .collect();
    let verdict = match places.first() {
        Some(first) if first.role == Role::RootCause => Verdict::RootCause,
        _ if rank::hurts(&symptoms) => Verdict::Inconclusive,
        _ => Verdict::Healthy,
    };
    let mut symptoms: Vec<(Symptom, Vec<usize>)> = symptoms.into_iter().map(|s| (s, Vec::new())).collect();
    for (i, place) in places.iter().enumerate().filter(|(_, place)| place.role != Role::Consequence) {
        cases[place.case].symptoms.iter().for_each(|explained| symptoms[*explained].1.push(i));
    }
    Diagnosis {
        verdict,
        timeline: survey::timeline(cluster, &findings, &symptoms),
        log_patterns: survey::log_patterns(cluster),
        inventory: survey::inventory(cluster, &symptoms),
        blind_spots: survey::blind_spots(cluster, &symptoms),
        findings,
        symptoms,
        problems: detected.problems,
    }
}

impl Scope {
    fn covers(&self, object: &Ref) -> bool {
        let Some(ns) = &object.namespace else { return true };
        self.namespaces.is_empty() || self.namespaces.contains(ns)
    }
}

/// How much something hurts that is proved broken and of which nobody complains.
const BROKEN: f64 = 0.3;

/// What is proved to be broken hurts, also where nobody complains of it: an Ingress without its class, a Service that selects
/// nothing.
fn broken(catalog: &Catalog, findings: &[Finding], symptoms: &[Symptom]) -> Vec<Symptom> {
    let hurting: FxHashSet<&Ref> = symptoms.iter().filter(|s| s.weight >= BROKEN).map(|s| &s.resource).collect();
    let hurts = |object: &Ref| hurting.contains(object);
    findings
        .iter()
        .filter(|f| f.strength() == Strength::Proof && !hurts(&f.culprit) && !f.affected.iter().any(hurts))
        .filter_map(|finding| {
            let cause =
                catalog.cause(&finding.cause).filter(|c| c.severity >= Severity::Error && c.standing == Standing::Cause)?;
            Some(Symptom {
                resource: finding.culprit.clone(),
                kind: "broken",
                what: prose(&cause.title, &finding.facts),
                since: None,
                weight: BROKEN,
                evidence: finding.evidence.first()?.clone(),
            })
        })
        .collect()
}

fn judged(
    cluster: &Cluster,
    catalog: &Catalog,
    case: &explain::Case<'_>,
    place: &rank::Place,
    symptoms: &[Symptom],
    verify: bool,
) -> Option<Judged> {
    let finding = case.finding;
    let cause = catalog.cause(&finding.cause)?;
    let facts = &finding.facts;
    let title = prose(&cause.title, facts);
    let mut affected = finding.affected.clone();
    let mut known: FxHashSet<&Ref> = finding.affected.iter().chain([&finding.culprit]).collect();
    let more = case.symptoms.iter().map(|i| &symptoms[*i].resource).filter(|object| known.insert(object));
    affected.extend(more.cloned());
    Some(Judged {
        cause: cause.id.clone(),
        summary: prose(&cause.because, facts),
        severity: cause.severity,
        confidence: place.confidence,
        confidence_why: place.why.clone(),
        role: place.role,
        culprit: finding.culprit.clone(),
        chain: chain::chain(cluster, case, &title, symptoms),
        title,
        affected,
        evidence: finding.evidence.clone(),
        fix: fix::fix(cluster, catalog, cause, finding, verify),
    })
}

/// A template over the facts. One that fails still says its own words: a report never breaks on an entry's mistake.
fn prose(template: &str, facts: &Facts) -> String {
    catalog::prose::render(template, facts).unwrap_or_else(|_| catalog::prose::plain(template))
}
