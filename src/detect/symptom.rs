//! Where it hurts: facts that are bad for somebody whatever their cause.
//!
//! Weights say how much: 1 a workload wholly down or a node lost, 0.5 partly, 0.2 a complaint that may be noise.

use jiff::{SignedDuration, Timestamp};

use super::{Evidence, EvidenceKind, Symptom};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Origin, Resource, Value};

mod pod;
mod said;
mod unit;
mod workload;

pub(crate) use pod::pod_trouble;
pub(crate) use said::alert_subject;
pub(super) use said::{REFUSED_LOGINS, last_hit, was_an_incident};
pub(crate) use workload::replicas;

/// A container that ended this recently is still part of the incident.
const RECENT: SignedDuration = SignedDuration::from_mins(30);

/// All symptoms, heaviest first.
pub(super) fn all(cluster: &Cluster) -> Vec<Symptom> {
    let mut out = Vec::new();
    for resource in cluster.resources().filter(|r| r.origin != Origin::Manifest) {
        match resource.kind() {
            "Pod" => pod::pod(cluster, resource, &mut out),
            "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" | "DaemonSet" => {
                workload::workload(cluster, resource, &mut out);
            }
            "Job" => workload::job(cluster, resource, &mut out),
            "PersistentVolumeClaim" => claim(cluster, resource, &mut out),
            "Node" => node(resource, &mut out),
            "Service" => service(cluster, resource, &mut out),
            "HorizontalPodAutoscaler" => autoscaler(resource, &mut out),
            "Namespace" => terminating(cluster, resource, &mut out),
            _ if is_custom(resource) => {
                super::custom::symptoms(cluster, resource, &mut out);
                terminating(cluster, resource, &mut out);
            }
            _ => {}
        }
    }
    unit::units(cluster, &mut out);
    super::arc::symptoms(cluster, &mut out);
    said::refused(cluster, &mut out);
    said::alerts(cluster, &mut out);
    said::complaints(cluster, &mut out);
    out.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| (&a.resource, a.kind).cmp(&(&b.resource, b.kind))));
    out.dedup_by(|a, b| a.resource == b.resource && a.kind == b.kind);
    out
}

/// Not of Kubernetes' own groups.
pub(super) fn is_custom(resource: &Resource) -> bool {
    let group = resource.group();
    group.contains('.') && !group.ends_with(".k8s.io") && group != "apiextensions.k8s.io"
}

/// The stamp at a path.
pub(super) fn stamp(value: Value<'_>) -> Option<Timestamp> {
    value.text().parse().ok()
}

/// Is `at` no longer ago than `span`, by the bundle's clock? Unknown times count as recent.
pub(super) fn within(cluster: &Cluster, at: Option<Timestamp>, span: SignedDuration) -> bool {
    match (cluster.now, at) {
        (Some(now), Some(at)) => now.duration_since(at) <= span,
        _ => true,
    }
}

fn claim(cluster: &Cluster, claim: &Resource, out: &mut Vec<Symptom>) {
    let phase = claim.at("status.phase").text();
    if phase != "Pending" && phase != "Lost" {
        return;
    }
    let users = || {
        cluster
            .kind_in("Pod", claim.namespace())
            .filter(|p| p.at("spec.volumes").items().any(|v| v.path("persistentVolumeClaim.claimName").text() == claim.name()))
    };
    let class = cluster.find("StorageClass", None, claim.at("spec.storageClassName").text());
    let waits = class.is_some_and(|c| c.at("volumeBindingMode").text() == "WaitForFirstConsumer")
        || cluster
            .events_of(&claim.reference)
            .any(|e| matches!(e.reason.as_str(), "WaitForFirstConsumer" | "WaitForPodScheduled"));
    if phase == "Pending" && waits && users().next().is_none() {
        return;
    }
    out.push(Symptom {
        resource: claim.reference.clone(),
        kind: "claim-not-bound",
        what: format!("PersistentVolumeClaim {} is {phase}", claim.name()),
        since: stamp(claim.at("metadata.creationTimestamp")),
        weight: if waits { 0.2 } else { 0.7 },
        evidence: Evidence::field(claim, "status.phase", Strength::Statement, "its phase"),
    });
}

fn node(node: &Resource, out: &mut Vec<Symptom>) {
    let ready = node.condition("Ready");
    let mut say = |kind: &'static str, condition: Value<'_>, what: String, weight: f64| {
        out.push(Symptom {
            resource: node.reference.clone(),
            kind,
            what,
            since: stamp(condition.get("lastTransitionTime")),
            weight,
            evidence: Evidence::value(node, condition, "condition", Strength::Statement, "the node's condition")
                .of_kind(EvidenceKind::Condition),
        });
    };
    if ready.exists() && ready.get("status").as_bool() != Some(true) {
        let state = if ready.get("status").text() == "Unknown" { "does not report" } else { "is not ready" };
        say("node-not-ready", ready, format!("node {} {state}", node.name()), 1.0);
    }
    for pressure in ["DiskPressure", "MemoryPressure", "PIDPressure", "NetworkUnavailable"] {
        let condition = node.condition(pressure);
        if condition.get("status").is_true() {
            say("node-pressure", condition, format!("node {} is under {pressure}", node.name()), 0.7);
        }
    }
}

/// A service that selects pods and has none ready. (One without selector is somebody's own affair.)
fn service(cluster: &Cluster, service: &Resource, out: &mut Vec<Symptom>) {
    let selector = service.at("spec.selector");
    if selector.is_empty() || service.at("spec.type").text() == "ExternalName" || cluster.kind("Pod").next().is_none() {
        return;
    }
    let ready = ready_endpoints(cluster, service);
    let selected: Vec<_> = cluster.pods_behind(service).collect();
    let backed = match ready {
        Some(n) => n > 0,
        None if selected.is_empty() && cluster.has_untold_labels(service.namespace()) => return,
        None => selected.iter().any(|p| pod_trouble(cluster, p).is_none()),
    };
    let starting = selected.iter().any(|p| pod_trouble(cluster, p).is_none());
    if backed || starting {
        return;
    }
    let what = if selected.is_empty() && !cluster.has_untold_labels(service.namespace()) {
        format!("no pod matches the selector of Service {}", service.name())
    } else {
        format!("Service {} has no ready endpoint", service.name())
    };
    // One that nobody calls may be left over.
    let weight = if super::service::is_called(cluster, &service.reference) || cluster.is_refused(service) { 0.5 } else { 0.15 };
    // A service nobody's pods were ever collected for is no symptom in a partial dump.
    let collected = cluster.kind_in("Pod", service.namespace()).next().is_some();
    if collected {
        out.push(Symptom {
            resource: service.reference.clone(),
            kind: "service-without-endpoints",
            what,
            since: None,
            weight,
            evidence: Evidence::field(service, "spec.selector", Strength::Statement, "what it selects"),
        });
    }
}

/// Ready addresses behind a service, when Endpoints or EndpointSlices were collected.
pub(crate) fn ready_endpoints(cluster: &Cluster, service: &Resource) -> Option<usize> {
    if let Some(endpoints) = cluster.find("Endpoints", service.namespace(), service.name()) {
        return Some(endpoints.at("subsets").items().map(|s| s.get("addresses").len()).sum());
    }
    let mut slices = cluster
        .kind_in("EndpointSlice", service.namespace())
        .filter(|s| s.label("kubernetes.io/service-name") == Some(service.name()))
        .peekable();
    slices.peek()?;
    let ready = |e: &Value<'_>| e.path("conditions.ready").as_bool() != Some(false);
    Some(slices.map(|s| s.at("endpoints").items().filter(ready).count()).sum())
}

fn autoscaler(hpa: &Resource, out: &mut Vec<Symptom>) {
    for condition in ["AbleToScale", "ScalingActive"] {
        let c = hpa.condition(condition);
        if c.get("status").as_bool() == Some(false) && c.get("reason").text() != "ScalingDisabled" {
            out.push(Symptom {
                resource: hpa.reference.clone(),
                kind: "autoscaler-inactive",
                what: format!("HorizontalPodAutoscaler {} cannot scale: {}", hpa.name(), c.get("reason").text()),
                since: stamp(c.get("lastTransitionTime")),
                weight: 0.5,
                evidence: Evidence::value(hpa, c, "condition", Strength::Statement, "its condition")
                    .of_kind(EvidenceKind::Condition),
            });
            return;
        }
    }
}

/// An object whose deletion does not end.
fn terminating(cluster: &Cluster, resource: &Resource, out: &mut Vec<Symptom>) {
    let deleted = resource.at("metadata.deletionTimestamp");
    let long_ago = deleted.exists() && !within(cluster, stamp(deleted), SignedDuration::from_mins(5));
    if long_ago || resource.kind() == "Namespace" && resource.at("status.phase").text() == "Terminating" {
        out.push(Symptom {
            resource: resource.reference.clone(),
            kind: "deletion-stuck",
            what: format!("the deletion of {} {} does not end", resource.kind(), resource.name()),
            since: stamp(deleted),
            weight: 0.6,
            evidence: Evidence::field(resource, "metadata.deletionTimestamp", Strength::Statement, "deleted, and still there"),
        });
    }
}
