//! Sets that are not known to GitHub, have no listener, or were deleted by their own controller.

use jiff::SignedDuration;

use super::{controller, scale_sets, subject};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::Resource;
use crate::detect::symptom::{stamp, within};
use crate::detect::{Evidence, Symptom, pod_trouble};

/// Registration takes seconds; a set this old without it has failed.
const REGISTERS_WITHIN: SignedDuration = SignedDuration::from_mins(2);

pub(super) fn symptoms(cluster: &Cluster, out: &mut Vec<Symptom>) {
    for set in scale_sets(cluster).filter(|s| !s.at("metadata.deletionTimestamp").exists()) {
        if let Some((what, weight)) = trouble(cluster, set) {
            out.push(Symptom {
                resource: set.reference.clone(),
                kind: "scale-set-down",
                what,
                since: stamp(set.at("metadata.creationTimestamp")),
                weight,
                evidence: Evidence::field(
                    set,
                    "metadata.annotations",
                    Strength::Statement,
                    "what GitHub and the controller wrote here",
                ),
            });
        }
    }
    deleted(cluster, out);
    runners_without_pods(cluster, out);
}

fn trouble(cluster: &Cluster, set: &Resource) -> Option<(String, f64)> {
    let young = cluster.now.is_some() && within(cluster, stamp(set.at("metadata.creationTimestamp")), REGISTERS_WITHIN);
    // A table or a manifest does not show annotations.
    if young || !set.at("metadata.uid").exists() {
        return None;
    }
    if set.annotation(super::REGISTERED).is_none() {
        return Some((format!("scale set {} is not registered at GitHub: no listener, no runner", set.name()), 1.0));
    }
    let listeners: Vec<&Resource> = cluster
        .kind("AutoscalingListener")
        .filter(|l| {
            l.at("spec.autoscalingRunnerSetName").text() == set.name()
                && Some(l.at("spec.autoscalingRunnerSetNamespace").text()) == set.namespace()
        })
        .collect();
    if cluster.kind("AutoscalingListener").next().is_some() && listeners.is_empty() {
        return Some((format!("scale set {} has no listener", set.name()), 0.9));
    }
    let listener = listeners.first()?;
    let pods_known = controller(cluster).is_some() && cluster.kind("Pod").any(|p| p.namespace() == listener.namespace());
    match cluster.find("Pod", listener.namespace(), listener.name()) {
        Some(pod) if pod_trouble(cluster, pod).is_some() => {
            Some((format!("the listener of scale set {} does not run", set.name()), 0.9))
        }
        None if pods_known => Some((format!("the listener of scale set {} has no pod", set.name()), 0.7)),
        _ => None,
    }
}

/// A set the controller says it deleted is not there to complain.
fn deleted(cluster: &Cluster, out: &mut Vec<Symptom>) {
    for (log, hit) in cluster.hits("arc-version-mismatch") {
        let Some(set) = subject(cluster, log, hit).filter(|s| cluster.get(s).is_none()) else { continue };
        out.push(Symptom {
            what: format!("scale set {} was deleted by its controller", set.name),
            resource: set,
            kind: "scale-set-down",
            since: hit.line.at,
            weight: 1.0,
            evidence: Evidence::hit(log, hit, Strength::Statement, "the controller's own words"),
        });
    }
}

/// Runners that were made long ago and have neither a pod nor an end.
fn runners_without_pods(cluster: &Cluster, out: &mut Vec<Symptom>) {
    if cluster.kind("Pod").next().is_none() {
        return;
    }
    for kind in ["EphemeralRunner", "Runner"] {
        for runner in
            cluster.kind(kind).filter(|r| matches!(r.at("status.phase").text(), "" | "Pending") && r.at("metadata.uid").exists())
        {
            let old = !within(cluster, stamp(runner.at("metadata.creationTimestamp")), SignedDuration::from_mins(3));
            let pod = cluster.find("Pod", runner.namespace(), runner.name());
            if old && pod.is_none() && cluster.now.is_some() {
                out.push(Symptom {
                    resource: runner.reference.clone(),
                    kind: "runner-without-pod",
                    what: format!("{kind} {} has no pod", runner.name()),
                    since: stamp(runner.at("metadata.creationTimestamp")),
                    weight: 0.6,
                    evidence: Evidence::field(runner, "status", Strength::Statement, "its status"),
                });
            }
        }
    }
}
