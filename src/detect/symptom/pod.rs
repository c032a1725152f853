//! Pods that do not run, are not ready, or were restarted lately.

use jiff::SignedDuration;

use super::{RECENT, replicas, stamp, within};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Event, Resource};
use crate::detect::{Evidence, EvidenceKind, Symptom};

/// What is wrong with a pod now, if anything: a short reason (`CrashLoopBackOff`, `Unschedulable`, `NotReady`, …).
pub(crate) fn pod_trouble(cluster: &Cluster, pod: &Resource) -> Option<String> {
    let status = pod.at("status");
    let phase = status.get("phase").text();
    if phase == "Succeeded" || is_leftover(cluster, pod) {
        return None;
    }
    let statuses = || status.get("initContainerStatuses").items().chain(status.get("containerStatuses").items());
    let waiting = statuses()
        .map(|c| c.path("state.waiting.reason").text())
        .find(|r| !r.is_empty() && !matches!(*r, "ContainerCreating" | "PodInitializing"));
    if let Some(reason) = waiting {
        return Some(reason.to_owned());
    }
    if phase == "Failed" {
        let reason = status.get("reason").text();
        return Some(if reason.is_empty() { "Failed".to_owned() } else { reason.to_owned() });
    }
    if pod.condition("PodScheduled").get("status").as_bool() == Some(false) {
        let reason = pod.condition("PodScheduled").get("reason").text();
        return Some(if reason.is_empty() { "Unschedulable".to_owned() } else { reason.to_owned() });
    }
    if pod.at("metadata.deletionTimestamp").exists() {
        let grace = pod.at("metadata.deletionGracePeriodSeconds").as_i64().unwrap_or(30).clamp(0, 86_400);
        let due = stamp(pod.at("metadata.deletionTimestamp"));
        let overdue = !within(cluster, due, SignedDuration::from_secs(grace.max(60)));
        return overdue.then(|| "Terminating".to_owned());
    }
    if statuses().any(|c| c.path("state.terminated.exitCode").as_i64().is_some_and(|code| code != 0)) {
        return Some("Error".to_owned());
    }
    // A young pod may just be starting.
    let young = SignedDuration::from_secs(45);
    let started = stamp(pod.at("status.startTime")).or_else(|| stamp(pod.at("metadata.creationTimestamp")));
    let is_young = cluster.now.is_some() && started.is_some() && within(cluster, started, young);
    // A lone description dates its pod; of how long ago that was only the ages of the events tell.
    let complained_of = |e: &Event| e.warning && e.first_age.is_some_and(|age| age > young) && cluster.is_current(e);
    let is_young = is_young && !cluster.events_of(&pod.reference).any(complained_of);
    if phase == "Pending" {
        return (!is_young).then(|| "Pending".to_owned());
    }
    let unready = statuses().any(|c| c.get("ready").as_bool() == Some(false) && !c.path("state.terminated").exists())
        || pod.condition("Ready").get("status").as_bool() == Some(false);
    if phase == "Running" && unready {
        return (!is_young).then(|| "NotReady".to_owned());
    }
    if phase == "Unknown" {
        return Some("Unknown".to_owned());
    }
    crate::detect::arc::runner_crash(cluster, pod).map(|_| "RunnerCrash".to_owned())
}

/// A Failed or finished pod that somebody else has replaced: an evicted leftover of a healthy ReplicaSet, a failed try of a
/// Job that went on, a pod refused by a kubelet and made again.
fn is_leftover(cluster: &Cluster, pod: &Resource) -> bool {
    if pod.at("status.phase").text() != "Failed" {
        return false;
    }
    let Some(owner) = cluster.owner(pod) else { return false };
    match owner.kind() {
        "Job" => owner.condition("Complete").get("status").is_true() || owner.at("status.succeeded").as_i64().unwrap_or(0) > 0,
        "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ReplicationController" => {
            let (desired, ready) = replicas(owner);
            ready >= desired
        }
        _ => false,
    }
}

pub(super) fn pod(cluster: &Cluster, pod: &Resource, out: &mut Vec<Symptom>) {
    let since = stamp(pod.condition("Ready").get("lastTransitionTime")).or_else(|| stamp(pod.at("metadata.creationTimestamp")));
    if let Some(trouble) = pod_trouble(cluster, pod) {
        let what = match trouble.as_str() {
            "NotReady" => format!("pod {} runs but is not ready", pod.name()),
            "RunnerCrash" => format!("the runner in pod {} breaks down in the middle of a job", pod.name()),
            "Terminating" => format!("pod {} has been terminating for longer than its grace period", pod.name()),
            reason => format!("pod {} is not running: {reason}", pod.name()),
        };
        let path = if pod.at("status.reason").exists() { "status.reason" } else { "status.phase" };
        out.push(Symptom {
            resource: pod.reference.clone(),
            kind: "pod-not-ready",
            what,
            since,
            weight: 0.6,
            evidence: Evidence::field(pod, path, Strength::Statement, "the pod's own status"),
        });
        return;
    }
    let statuses = pod.at("status.containerStatuses");
    for container in statuses.items() {
        let restarts = container.get("restartCount").as_i64().unwrap_or(0);
        let last = container.path("lastState.terminated");
        let recent = last.exists() && within(cluster, stamp(last.get("finishedAt")), RECENT);
        let bad = last.get("exitCode").as_i64().unwrap_or(0) != 0 || last.get("reason").text() == "OOMKilled";
        if restarts > 0 && recent && bad && pod.at("status.phase").text() == "Running" {
            let name = container.get("name").text();
            let reason = last.get("reason").text();
            let exit = last.get("exitCode").text();
            out.push(Symptom {
                resource: pod.reference.clone(),
                kind: "container-restarts",
                what: format!(
                    "container {name} of pod {} was restarted ({reason}, exit code {exit}), {restarts} times so far",
                    pod.name()
                ),
                since: stamp(last.get("finishedAt")),
                weight: if restarts >= 3 { 0.5 } else { 0.35 },
                evidence: Evidence::value(
                    pod,
                    container.get("restartCount"),
                    "restartCount",
                    Strength::Statement,
                    "it was restarted",
                )
                .of_kind(EvidenceKind::Status),
            });
            break;
        }
    }
}
