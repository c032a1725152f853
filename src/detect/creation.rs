//! Pods that are wanted and that nobody was allowed to make, and what was said when it was tried.

use super::{Evidence, EvidenceKind};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Origin, Resource};

/// A refusal in the API server's words, as a controller passes it on.
pub(super) struct Refused<'a> {
    /// The object the words stand at: a ReplicaSet, a Job, a runner.
    pub(super) sufferer: &'a Resource,
    /// Its owner at the top.
    pub(super) workload: &'a Resource,
    /// The words.
    pub(super) text: &'a str,
    /// Where they stand.
    pub(super) evidence: Evidence,
}

/// Refusals with `word` in them that still hold: in events and in the statuses of what makes pods.
pub(super) fn refusals<'a>(cluster: &'a Cluster, word: &str) -> Vec<Refused<'a>> {
    let says = "the API server's own refusal, passed on by the controller";
    let mut found = Vec::new();
    for event in cluster.events().iter().filter(|e| e.warning && e.message.contains(word) && cluster.is_current(e)) {
        let sufferer = cluster.get(&event.regarding).or_else(|| cluster.presumed_owner(&event.regarding));
        let Some(sufferer) = sufferer.filter(|s| !cluster.is_settled(s)) else { continue };
        let workload = cluster.top_owner(sufferer);
        let is_over = makes_pods(sufferer) && has_its_pods(cluster, sufferer);
        if !cluster.is_settled(workload) && !is_over {
            found.push(Refused {
                sufferer,
                workload,
                text: &event.message,
                evidence: Evidence::event(event, Strength::Statement, says),
            });
        }
    }
    for sufferer in cluster.resources().filter(|r| r.origin != Origin::Manifest) {
        let conditions = sufferer
            .at("status.conditions")
            .items()
            .filter(|c| c.get("type").text() != "ReplicaFailure" || c.get("status").is_true());
        for message in conditions.map(|c| c.get("message")).chain([sufferer.at("status.message")]) {
            if message.text().contains(word) && !cluster.is_settled(sufferer) {
                let evidence =
                    Evidence::value(sufferer, message, "message", Strength::Statement, says).of_kind(EvidenceKind::Status);
                let workload = cluster.top_owner(sufferer);
                found.push(Refused { sufferer, workload, text: message.text(), evidence });
            }
        }
    }
    found
}

/// Pods are wanted of this workload, and some are not there at all.
pub(super) fn lacks_pods(cluster: &Cluster, workload: &Resource) -> bool {
    let is_idle = workload.at("spec.suspend").is_true() || workload.condition("Complete").get("status").is_true();
    // Where no pod of the namespace was collected, none that is missing can be told.
    let collected = || {
        let has_pods = cluster.kind_in("Pod", workload.namespace()).any(|p| p.origin != Origin::Manifest);
        has_pods || cluster.collected("Pod", workload.namespace())
    };
    let told_short = workload.at("status.replicas").as_i64().is_some_and(|made| made < wanted(workload));
    !is_idle && !has_its_pods(cluster, workload) && (told_short || collected())
}

/// As many pods were made as are wanted: whatever refused some of them is over.
pub(super) fn has_its_pods(cluster: &Cluster, workload: &Resource) -> bool {
    let pods = cluster.descendants(&workload.reference).into_iter().filter(|p| p.kind() == "Pod").count();
    pods as i64 >= wanted(workload)
}

fn wanted(workload: &Resource) -> i64 {
    let count = |path: &str| workload.at(path).as_i64();
    match workload.kind() {
        "DaemonSet" => count("status.desiredNumberScheduled").unwrap_or(0),
        "Job" => count("spec.parallelism").unwrap_or(1) - count("status.succeeded").unwrap_or(0),
        "CronJob" => workload.at("status.active").len() as i64,
        _ => count("spec.replicas").unwrap_or(1),
    }
}

/// Kinds that make pods themselves.
pub(super) fn makes_pods(object: &Resource) -> bool {
    matches!(object.kind(), "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicationController")
}

/// Workloads at the top of their owner chains that lack pods.
pub(super) fn short_workloads(cluster: &Cluster) -> impl Iterator<Item = &Resource> {
    // A table row tells nothing of a template.
    let makes = |r: &&Resource| r.pod_spec().is_some() || r.kind() == "Deployment" || makes_pods(r);
    let workloads = cluster.resources().filter(|r| r.kind() != "Pod" && r.origin != Origin::Manifest).filter(makes);
    workloads.filter(|r| cluster.owner(r).is_none() && lacks_pods(cluster, r))
}
