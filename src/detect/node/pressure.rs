//! Nodes that run out of disk, memory or process ids.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Event, Ref, Resource, Value};
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
    let evictions = evictions(cluster);
    let mut nodes: BTreeSet<&str> = cluster.kind("Node").map(Resource::name).collect();
    nodes.extend(evictions.iter().map(|e| e.node));
    for name in nodes {
        for (condition, cause, resources) in PRESSURES {
            let evicted: Vec<&Eviction<'_>> =
                evictions.iter().filter(|e| e.node == name && resources.iter().any(|r| e.resource.starts_with(r))).collect();
            if let Some((evidence, message)) = proof(cluster, name, condition, &evicted) {
                let mut finding = Finding::new(cause, Ref::new("Node", None, name), evidence)
                    .fact("pods", evicted.len())
                    .fact("message", message.trim_end_matches(['.', ' ']))
                    .affects(evicted.iter().map(|e| e.pod.reference.clone()));
                for event in complaints(cluster, name, condition) {
                    finding = finding.evidence(event);
                }
                out.push(finding);
            }
        }
    }
}

/// What shows the pressure, and in which words: the node's condition, else the kubelet's word of it, else an eviction.
fn proof(cluster: &Cluster, name: &str, condition: &str, evicted: &[&Eviction<'_>]) -> Option<(Evidence, String)> {
    let node = cluster.find("Node", None, name);
    let state = node.map_or(Value::ABSENT, |n| n.condition(condition));
    if let Some(node) = node.filter(|_| state.get("status").is_true()) {
        let says = "the kubelet reports the pressure";
        let message = state.get("message");
        let evidence = Evidence::value(node, message, condition, Strength::Proof, says).of_kind(EvidenceKind::Condition);
        return Some((evidence, message.text().to_owned()));
    }
    // A table of nodes tells no such condition.
    if !state.exists()
        && let Some(event) = announced(cluster, name, condition)
    {
        let says = "the kubelet announces the pressure";
        return Some((Evidence::event(event, Strength::Statement, says), event.message.clone()));
    }
    let unsettled = evicted.iter().find(|e| !cluster.is_settled(e.pod))?;
    Some((unsettled.evidence.clone(), unsettled.message.to_owned()))
}

/// The kubelet's last word of the condition, when it says that it holds: `NodeHasDiskPressure`, `NodeHasInsufficientMemory`.
fn announced<'a>(cluster: &'a Cluster, name: &str, condition: &str) -> Option<&'a Event> {
    let (begins, ends) = match condition {
        "DiskPressure" => ("NodeHasDiskPressure", "NodeHasNoDiskPressure"),
        "MemoryPressure" => ("NodeHasInsufficientMemory", "NodeHasSufficientMemory"),
        _ => ("NodeHasInsufficientPID", "NodeHasSufficientPID"),
    };
    let node = Ref::new("Node", None, name);
    let said = |reason: &str| cluster.events_of(&node).filter(|e| e.reason == reason).max_by_key(|e| e.last);
    let began = said(begins).filter(|e| within(cluster, e.last, RECENT))?;
    said(ends).is_none_or(|ended| ended.last < began.last).then_some(began)
}

/// A pod that a kubelet has lately evicted because its node ran low.
struct Eviction<'a> {
    pod: &'a Resource,
    node: &'a str,
    /// The kubelet's word for what ran low, and what follows it.
    resource: &'a str,
    message: &'a str,
    evidence: Evidence,
}

/// Evictions as the pods tell them, else as events do: a table of pods holds no message.
fn evictions(cluster: &Cluster) -> Vec<Eviction<'_>> {
    let says = "the kubelet says that the node ran low";
    let mut found = Vec::new();
    for pod in cluster.kind("Pod").filter(|p| p.at("status.reason").text() == "Evicted") {
        let node = pod.at("spec.nodeName").text();
        let at = stamp(pod.at("status.startTime")).or_else(|| stamp(pod.at("metadata.creationTimestamp")));
        if node.is_empty() || !within(cluster, at, RECENT) {
            continue;
        }
        let told = Evidence::field(pod, "status.message", Strength::Statement, says);
        let own = Some((pod.at("status.message").text(), told)).filter(|(message, _)| !message.is_empty());
        let said = || {
            let event = cluster.events_of(&pod.reference).find(|e| e.reason == "Evicted")?;
            Some((event.message.as_str(), Evidence::event(event, Strength::Statement, says)))
        };
        let Some((message, evidence)) = own.or_else(said) else { continue };
        if let Some((_, resource)) = message.split_once("low on resource: ") {
            found.push(Eviction { pod, node, resource: resource.trim_start_matches('['), message, evidence });
        }
    }
    found
}

/// What the kubelet says of freeing space.
fn complaints(cluster: &Cluster, name: &str, condition: &str) -> Vec<Evidence> {
    const DISK: [&str; 3] = ["FreeDiskSpaceFailed", "ImageGCFailed", "ContainerGCFailed"];
    let about_it = |reason: &str, message: &str| match reason {
        "EvictionThresholdMet" => {
            PRESSURES.iter().any(|(c, _, resources)| *c == condition && resources.iter().any(|r| message.contains(r)))
        }
        reason => condition == "DiskPressure" && DISK.contains(&reason),
    };
    let node = Ref::new("Node", None, name);
    let events = cluster.events_of(&node).filter(|e| about_it(&e.reason, &e.message) && within(cluster, e.last, RECENT));
    events.take(3).map(|e| Evidence::event(e, Strength::Statement, "the kubelet tries to free some")).collect()
}
