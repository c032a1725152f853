//! Controllers that do not do what they are for: paused, suspended, blocked, or waiting for somebody who is gone.

use jiff::SignedDuration;

use super::symptom::{stamp, within};
use super::{Detector, Evidence, Finding, pod_trouble};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Presence};
use crate::decode::{Origin, Ref, Resource, Value};

pub(super) const DETECTORS: &[Detector] = &[
    Detector { name: "rollout", run: rollouts },
    Detector { name: "stateful_set", run: stateful_sets },
    Detector { name: "cron_job", run: cron_jobs },
    Detector { name: "deletion", run: deletions },
];

fn live<'a>(cluster: &'a Cluster, kind: &str) -> impl Iterator<Item = &'a Resource> {
    cluster.kind(kind).filter(|r| r.origin != Origin::Manifest)
}

fn rollouts(cluster: &Cluster, out: &mut Vec<Finding>) {
    for deployment in live(cluster, "Deployment") {
        let Some((key, paused)) = paused_by(deployment) else { continue };
        let updated = deployment.at("status.updatedReplicas").as_i64().unwrap_or(0);
        let wanted = deployment.at("spec.replicas").as_i64().unwrap_or(1);
        let strength = if updated < wanted { Strength::Proof } else { Strength::Hint };
        let says = "no change of the template is rolled out while it is paused";
        let evidence = Evidence::value(deployment, paused, key, strength, says);
        out.push(
            Finding::new("rollout-paused", deployment.reference.clone(), evidence)
                .fact("updated", updated)
                .fact("wanted", wanted),
        );
    }
}

/// The field that tells a Deployment to be paused: a description shows only the condition.
fn paused_by(deployment: &Resource) -> Option<(&'static str, Value<'_>)> {
    let field = deployment.at("spec.paused");
    if field.exists() {
        return field.is_true().then_some(("paused", field));
    }
    let reason = deployment.condition("Progressing").get("reason");
    (reason.text() == "DeploymentPaused").then_some(("reason", reason))
}

fn stateful_sets(cluster: &Cluster, out: &mut Vec<Finding>) {
    for set in live(cluster, "StatefulSet") {
        out.extend(service_missing(cluster, set));
        out.extend(ordinal_blocked(cluster, set));
    }
}

/// Peers find each other by names the headless Service gives; without it there are none.
fn service_missing(cluster: &Cluster, set: &Resource) -> Option<Finding> {
    let name = set.at("spec.serviceName");
    let wanted = Ref::new("Service", set.namespace(), name.as_str().filter(|n| !n.is_empty())?);
    if cluster.presence(&wanted) != Presence::Absent {
        return None;
    }
    let unresolved = cluster.hits("no-such-host").any(|(_, hit)| hit.line.text.contains(&format!(".{}", wanted.name)));
    let strength = if unresolved { Strength::Proof } else { Strength::Hint };
    let evidence = Evidence::value(set, name, "serviceName", strength, "no Service of this name is in the namespace");
    Some(Finding::new("statefulset-service-missing", set.reference.clone(), evidence).fact("service", wanted.name))
}

/// The controller does not replace a broken pod of an old revision by itself (kubernetes#67250).
fn ordinal_blocked(cluster: &Cluster, set: &Resource) -> Option<Finding> {
    let (current, update) = (set.at("status.currentRevision"), set.at("status.updateRevision"));
    if current.text() == update.text() || !update.exists() || set.at("spec.podManagementPolicy").text() == "Parallel" {
        return None;
    }
    let stuck = cluster
        .children(&set.reference)
        .find(|p| p.label("controller-revision-hash").is_some_and(|h| h != update.text()) && pod_trouble(cluster, p).is_some())?;
    let says = "of an old revision and not ready: the controller waits for it and does not replace it";
    let evidence = Evidence::field(stuck, "metadata.labels[controller-revision-hash]", Strength::Proof, says);
    let finding = Finding::new("statefulset-ordinal-blocked", set.reference.clone(), evidence).evidence(Evidence::value(
        set,
        update,
        "updateRevision",
        Strength::Proof,
        "the revision that waits",
    ));
    Some(finding.fact("pod", stuck.name()).affects([stuck.reference.clone()]))
}

/// A schedule has to have been missed for this long to matter.
const MISSED: SignedDuration = SignedDuration::from_hours(25);

fn cron_jobs(cluster: &Cluster, out: &mut Vec<Finding>) {
    for cron in live(cluster, "CronJob") {
        if cron.at("spec.suspend").is_true() {
            // One that never ran is kept for starting Jobs from it by hand; one that did has been stopped.
            let strength = if cron.at("status.lastScheduleTime").exists() { Strength::Proof } else { Strength::Hint };
            let evidence = Evidence::field(cron, "spec.suspend", strength, "no Job is started while this is set");
            out.push(Finding::new("cronjob-suspended", cron.reference.clone(), evidence));
            continue;
        }
        out.extend(blocked(cluster, cron));
    }
}

/// `Forbid`, and a Job that has been running since long before the last scheduled time.
fn blocked(cluster: &Cluster, cron: &Resource) -> Option<Finding> {
    if cron.at("spec.concurrencyPolicy").text() != "Forbid" {
        return None;
    }
    let said = cluster.events_of(&cron.reference).find(|e| e.reason == "JobAlreadyActive");
    let active = cron.at("status.active").items().next()?;
    let job = cluster.find("Job", cron.namespace(), active.get("name").text());
    let old = job.is_some_and(|j| !within(cluster, stamp(j.at("status.startTime")), MISSED));
    if said.is_none() && !old {
        return None;
    }
    let says = "still running; with concurrencyPolicy Forbid no other Job is started beside it";
    let strength = if said.is_some() || old { Strength::Proof } else { Strength::Hint };
    let mut finding = Finding::new(
        "cronjob-blocked-by-running-job",
        cron.reference.clone(),
        Evidence::value(cron, active.get("name"), "active", strength, says),
    )
    .fact("job", active.get("name").text());
    if let Some(event) = said {
        finding = finding.evidence(Evidence::event(event, Strength::Statement, "the controller says so"));
    }
    Some(finding.affects(job.map(|j| j.reference.clone())))
}

fn deletions(cluster: &Cluster, out: &mut Vec<Finding>) {
    for object in cluster.resources().filter(|r| r.at("metadata.deletionTimestamp").exists() && r.origin == Origin::Live) {
        let deleted = stamp(object.at("metadata.deletionTimestamp"));
        if within(cluster, deleted, SignedDuration::from_mins(5)) {
            continue;
        }
        let finalizers = object.at("metadata.finalizers");
        match object.kind() {
            "Pod" => out.push(stuck_pod(cluster, object)),
            "PersistentVolumeClaim" | "Namespace" => {}
            _ if !finalizers.is_empty() => {
                let says = "each of these is taken off by its controller; one of them does not answer";
                let evidence = Evidence::field(object, "metadata.finalizers", Strength::Statement, says);
                let names: Vec<&str> = finalizers.items().map(|f| f.text()).collect();
                out.push(
                    Finding::new("finalizer-stuck", object.reference.clone(), evidence).fact("finalizers", names.join(", ")),
                );
            }
            _ => {}
        }
    }
}

/// A pod that does not end: its node does not answer, a finalizer holds it, or something on the node cannot be let go.
fn stuck_pod(cluster: &Cluster, pod: &Resource) -> Finding {
    let says = "deleted long ago, and still there";
    let evidence = Evidence::field(pod, "metadata.deletionTimestamp", Strength::Statement, says);
    let mut finding = Finding::new("pod-stuck-terminating", pod.reference.clone(), evidence);
    let node = cluster.find("Node", None, pod.at("spec.nodeName").text());
    let lost = node.filter(|n| n.condition("Ready").get("status").as_bool() != Some(true));
    let finalizers: Vec<&str> = pod.at("metadata.finalizers").items().map(|f| f.text()).collect();
    if let Some(node) = lost {
        let ready = node.condition("Ready");
        finding = finding.evidence(Evidence::value(
            node,
            ready.get("status"),
            "Ready",
            Strength::Proof,
            "its node does not answer, so nobody can confirm the end",
        ));
    } else if !finalizers.is_empty() {
        finding = finding.evidence(Evidence::field(pod, "metadata.finalizers", Strength::Proof, "held by a finalizer"));
    }
    finding
        .fact("node", pod.at("spec.nodeName").text())
        .fact("node_lost", lost.is_some())
        .fact("finalizers", finalizers.join(", "))
}
