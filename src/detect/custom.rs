//! Any custom resource, read by the conventions operators share: `status.phase/state/reason/message`, conditions, counters
//! against wishes, counters against the children that are really there.

use super::symptom::{is_custom, stamp};
use super::{Detector, Evidence, EvidenceKind, Finding, Symptom};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Resource, Value};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "custom_resource", run: failed_resources }];

/// Custom resources whose operator says what it cannot do. Why it cannot is for others to find.
fn failed_resources(cluster: &Cluster, out: &mut Vec<Finding>) {
    for resource in cluster.resources().filter(|r| is_custom(r)) {
        let Some(symptom) = phase(resource).or_else(|| condition(resource)) else { continue };
        let error = match words(resource) {
            said if said.is_empty() => symptom.what.clone(),
            said => said,
        };
        let finding = Finding::new("operator-crd-cr-invalid", resource.reference.clone(), symptom.evidence.clone());
        out.push(finding.fact("error", error).fact("condition", symptom.evidence.excerpt));
    }
}

const BAD_PHASES: &[&str] = &[
    "failed",
    "error",
    "degraded",
    "invalid",
    "crashed",
    "stalled",
    "syncfailed",
    "failure",
    "unhealthy",
    "rejected",
    "errored",
];

/// Conditions that are good when true.
const GOOD_CONDITIONS: &[&str] = &[
    "Ready",
    "Available",
    "Healthy",
    "Reconciled",
    "Synced",
    "Succeeded",
    "Accepted",
    "Programmed",
    "ResolvedRefs",
    "Established",
];

/// Conditions that are bad when true.
const BAD_CONDITIONS: &[&str] = &["Failed", "Degraded", "Stalled", "ComparisonError", "SyncError", "InvalidSpecError", "Error"];

/// What a custom resource says hurts.
pub(super) fn symptoms(cluster: &Cluster, resource: &Resource, out: &mut Vec<Symptom>) {
    if let Some(symptom) = phase(resource).or_else(|| condition(resource)) {
        out.push(symptom);
    }
    if let Some(symptom) = counters(cluster, resource) {
        out.push(symptom);
    }
}

/// What a status says in words, for people: reason and message, wherever they stand.
pub(crate) fn words(resource: &Resource) -> String {
    let parts = ["status.reason", "status.message"].map(|p| resource.at(p).text());
    parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(": ")
}

fn phase(resource: &Resource) -> Option<Symptom> {
    const PATHS: [&str; 6] = [
        "status.phase",
        "status.state",
        "status.status",
        "status.health.status",
        "status.sync.status",
        "status.operationState.phase",
    ];
    let path = PATHS.into_iter().find(|p| BAD_PHASES.contains(&resource.at(p).text().to_ascii_lowercase().as_str()))?;
    let words = words(resource);
    let sep = if words.is_empty() { "" } else { ": " };
    Some(Symptom {
        resource: resource.reference.clone(),
        kind: "custom-resource-failed",
        what: format!("{} {} is {}{sep}{words}", resource.kind(), resource.name(), resource.at(path).text()),
        since: stamp(resource.at("metadata.creationTimestamp")),
        weight: 0.6,
        evidence: Evidence::field(resource, path, Strength::Statement, "its own status"),
    })
}

fn condition(resource: &Resource) -> Option<Symptom> {
    let bad = |c: &Value<'_>| {
        let (kind, status) = (c.get("type").text(), c.get("status").text());
        GOOD_CONDITIONS.contains(&kind) && status == "False"
            || BAD_CONDITIONS.contains(&kind) && (status == "True" || status.is_empty())
    };
    let c = resource.at("status.conditions").items().find(bad)?;
    let what = format!(
        "{} {}: {} is {} ({}) {}",
        resource.kind(),
        resource.name(),
        c.get("type").text(),
        c.get("status").text(),
        c.get("reason").text(),
        c.get("message").text()
    );
    Some(Symptom {
        resource: resource.reference.clone(),
        kind: "custom-resource-failed",
        what,
        since: stamp(c.get("lastTransitionTime")),
        weight: 0.5,
        evidence: Evidence::value(resource, c, "condition", Strength::Statement, "its own condition")
            .of_kind(EvidenceKind::Condition),
    })
}

/// Counts that say "there are N" where there are none: the counter, its path, the children of the kind that should run.
fn counters(cluster: &Cluster, resource: &Resource) -> Option<Symptom> {
    let status = resource.at("status");
    let (name, counted) = status
        .fields()
        .filter(|(k, _)| k.starts_with("current") || k.starts_with("ready") || *k == "replicas")
        .find_map(|(k, v)| v.as_i64().filter(|n| *n > 0).map(|n| (k, n)))?;
    let below = cluster.descendants(&resource.reference);
    let children = below.iter().filter(|r| r.kind() != "Pod").count();
    let pods = below.iter().filter(|r| r.kind() == "Pod").count();
    // Only where the bundle shows pods at all, and this object's own children, can their absence mean anything.
    if children == 0 || pods > 0 || cluster.kind("Pod").next().is_none() {
        return None;
    }
    let failed = below.iter().filter(|r| BAD_PHASES.contains(&r.at("status.phase").text().to_ascii_lowercase().as_str())).count();
    (failed > 0).then(|| Symptom {
        resource: resource.reference.clone(),
        kind: "counted-but-absent",
        what: format!(
            "{} {} counts {counted} ({name}), and not one pod exists; {failed} of its children are failed",
            resource.kind(),
            resource.name()
        ),
        since: stamp(resource.at("metadata.creationTimestamp")),
        weight: 1.0,
        evidence: Evidence::value(resource, status.get(name), name, Strength::Statement, "what it counts")
            .of_kind(EvidenceKind::Status),
    })
}
