//! Workloads short of replicas, rollouts that hang, Jobs that fail.

use super::{pod_trouble, stamp};
use crate::catalog::Strength;
use crate::cluster::{Cluster, owner_ref};
use crate::decode::{Origin, Ref, Resource};
use crate::detect::{Evidence, EvidenceKind, Symptom};

/// Wanted and ready.
pub(crate) fn replicas(workload: &Resource) -> (i64, i64) {
    let n = |path: &str| workload.at(path).as_i64();
    if workload.kind() == "DaemonSet" {
        return (n("status.desiredNumberScheduled").unwrap_or(0), n("status.numberReady").unwrap_or(0));
    }
    let desired = n("spec.replicas").unwrap_or(1);
    // The API leaves a zero out; a description of a StatefulSet never tells the number.
    let made = n("status.replicas").unwrap_or(desired);
    let untold = if workload.origin == Origin::Live { 0 } else { desired.min(made) };
    (desired, n("status.readyReplicas").unwrap_or(untold))
}

pub(super) fn workload(cluster: &Cluster, workload: &Resource, out: &mut Vec<Symptom>) {
    // A ReplicaSet's shortage is its Deployment's, where that is in the bundle.
    if workload.kind() == "ReplicaSet" && cluster.owner(workload).is_some() || !workload.at("status").exists() {
        return;
    }
    let (desired, ready) = replicas(workload);
    let since = ["Available", "Progressing", "ReplicaFailure"]
        .iter()
        .find_map(|c| stamp(workload.condition(c).get("lastTransitionTime")));
    let kind = workload.kind();
    if ready < desired {
        // One pod that has only just been made is no shortage.
        let pods: Vec<_> = cluster.descendants(&workload.reference).into_iter().filter(|p| p.kind() == "Pod").collect();
        let all_well = pods.len() as i64 >= desired && pods.iter().all(|p| pod_trouble(cluster, p).is_none());
        if all_well {
            return;
        }
        out.push(Symptom {
            resource: workload.reference.clone(),
            kind: "workload-short",
            what: format!("{ready} of {desired} replicas of {kind} {} are ready", workload.name()),
            since,
            weight: if ready == 0 { 1.0 } else { 0.7 },
            evidence: Evidence::field(workload, "status", Strength::Statement, "fewer are ready than wanted")
                .brief(&format!("ready {ready} of {desired}")),
        });
        return;
    }
    let updated = workload.at("status.updatedReplicas").as_i64();
    let stuck = workload.condition("Progressing").get("reason").text() == "ProgressDeadlineExceeded"
        || workload.condition("ReplicaFailure").get("status").is_true()
        || kind == "Deployment" && updated.is_some_and(|u| u < desired) && has_troubled_pod(cluster, &workload.reference);
    if stuck && desired > 0 {
        out.push(Symptom {
            resource: workload.reference.clone(),
            kind: "rollout-stuck",
            what: format!("the rollout of {kind} {} does not get on; the old replicas still serve", workload.name()),
            since,
            weight: 0.7,
            evidence: Evidence::field(workload, "status.conditions", Strength::Statement, "its conditions say so"),
        });
    }
}

fn has_troubled_pod(cluster: &Cluster, workload: &Ref) -> bool {
    cluster.descendants(workload).into_iter().any(|p| p.kind() == "Pod" && pod_trouble(cluster, p).is_some())
}

pub(super) fn job(cluster: &Cluster, job: &Resource, out: &mut Vec<Symptom>) {
    if job.condition("Complete").get("status").is_true() {
        return;
    }
    let failed = job.condition("Failed");
    let n_failed = job.at("status.failed").as_i64().unwrap_or(0);
    if failed.get("status").is_true() {
        // A CronJob that succeeded later has got over it.
        let since = stamp(failed.get("lastTransitionTime"));
        if superseded(cluster, job) {
            return;
        }
        out.push(Symptom {
            resource: job.reference.clone(),
            kind: "job-failed",
            what: format!("Job {} failed: {}", job.name(), failed.get("reason").text()),
            since,
            weight: 0.9,
            evidence: Evidence::value(job, failed, "condition", Strength::Statement, "its condition says so")
                .of_kind(EvidenceKind::Condition),
        });
    } else if n_failed > 0 && job.at("status.succeeded").as_i64().unwrap_or(0) == 0 {
        out.push(Symptom {
            resource: job.reference.clone(),
            kind: "job-failing",
            what: format!("{n_failed} pods of Job {} failed and none succeeded", job.name()),
            since: stamp(job.at("status.startTime")),
            weight: 0.7,
            evidence: Evidence::field(job, "status.failed", Strength::Statement, "pods failed"),
        });
    }
}

/// A later Job of the same CronJob completed.
fn superseded(cluster: &Cluster, job: &Resource) -> bool {
    let Some(owner) = owner_ref(job) else { return false };
    let start = job.at("status.startTime").text();
    cluster.children(&owner).any(|other| {
        other.kind() == "Job"
            && other.condition("Complete").get("status").is_true()
            && other.at("status.startTime").text() > start
    })
}
