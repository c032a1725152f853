//! Nodes that run out of disk, memory or process ids.

use jiff::SignedDuration;

use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::Resource;
use crate::detect::symptom::{stamp, within};
use crate::detect::{Evidence, EvidenceKind, Finding};

/// Condition, cause, and the kubelet's words for the resource in an eviction
/// (kubernetes `pkg/kubelet/eviction/helpers.go`).
const PRESSURES: [(&str, &str, &[&str]); 3] = [
    ("DiskPressure", "node-disk-pressure", &["ephemeral-storage", "inodes", "imagefs", "nodefs"]),
    ("MemoryPressure", "node-memory-pressure", &["memory"]),
    ("PIDPressure", "node-pid-pressure", &["pids", "pid"]),
];

/// Evictions older than this are history.
const RECENT: SignedDuration = SignedDuration::from_hours(2);

pub(super) fn node_pressure(cluster: &Cluster, out: &mut Vec<Finding>) {
    for node in cluster.kind("Node") {
        for (condition, cause, resources) in PRESSURES {
            let evicted = evicted(cluster, node, resources);
            let state = node.condition(condition);
            let evidence = if state.get("status").is_true() {
                let says = "the kubelet reports the pressure";
                Some(
                    Evidence::value(node, state.get("message"), condition, Strength::Proof, says)
                        .of_kind(EvidenceKind::Condition),
                )
            } else {
                evicted.first().filter(|p| !cluster.is_settled(p)).map(|pod| {
                    let says = "the kubelet says that the node ran low";
                    Evidence::field(pod, "status.message", Strength::Statement, says)
                })
            };
            let Some(evidence) = evidence else { continue };
            let message = match state.get("status").is_true() {
                true => state.get("message").text(),
                false => evicted.first().map_or("", |p| p.at("status.message").text()),
            };
            let mut finding = Finding::new(cause, node.reference.clone(), evidence)
                .fact("pods", evicted.len())
                .fact("message", message.trim_end_matches(['.', ' ']))
                .affects(evicted.iter().map(|p| p.reference.clone()));
            for event in complaints(cluster, node, condition) {
                finding = finding.evidence(event);
            }
            out.push(finding);
        }
    }
}

/// Pods the kubelet of the node has lately evicted for one of these resources.
fn evicted<'a>(cluster: &'a Cluster, node: &Resource, resources: &[&str]) -> Vec<&'a Resource> {
    let low = |p: &&Resource| {
        let message = p.at("status.message").text();
        let for_it =
            message.split_once("low on resource: ").is_some_and(|(_, what)| resources.iter().any(|r| what.starts_with(r)));
        let at = stamp(p.at("status.startTime")).or_else(|| stamp(p.at("metadata.creationTimestamp")));
        p.at("status.reason").text() == "Evicted"
            && p.at("spec.nodeName").text() == node.name()
            && for_it
            && within(cluster, at, RECENT)
    };
    cluster.kind("Pod").filter(low).collect()
}

/// What the kubelet says of freeing space.
fn complaints(cluster: &Cluster, node: &Resource, condition: &str) -> Vec<Evidence> {
    const DISK: [&str; 3] = ["FreeDiskSpaceFailed", "ImageGCFailed", "ContainerGCFailed"];
    let about_it = |reason: &str, message: &str| match reason {
        "EvictionThresholdMet" => {
            PRESSURES.iter().any(|(c, _, resources)| *c == condition && resources.iter().any(|r| message.contains(r)))
        }
        reason => condition == "DiskPressure" && DISK.contains(&reason),
    };
    let events = cluster.events_of(&node.reference).filter(|e| about_it(&e.reason, &e.message) && cluster.is_current(e));
    events.take(3).map(|e| Evidence::event(e, Strength::Statement, "the kubelet tries to free some")).collect()
}
