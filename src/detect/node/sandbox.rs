//! Pods whose sandbox is made anew again and again although it can be made.

use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::detect::symptom::pod_trouble;
use crate::detect::{Evidence, Finding};

/// A reboot or a failed start changes a sandbox once or twice.
const OFTEN: u32 = 5;

pub(super) fn loops(cluster: &Cluster, out: &mut Vec<Finding>) {
    for event in cluster.events().iter().filter(|e| e.reason == "SandboxChanged" && e.count > OFTEN && cluster.is_current(e)) {
        let Some(pod) = cluster.get(&event.regarding).filter(|p| pod_trouble(cluster, p).is_some()) else { continue };
        // A sandbox that cannot be made is reported as changed as well.
        let cannot_be_made = |reason: &str| reason.starts_with("FailedCreatePodSand") || reason == "NetworkNotReady";
        if cluster.events_of(&pod.reference).any(|e| cannot_be_made(&e.reason)) {
            continue;
        }
        let evidence = Evidence::event(event, Strength::Statement, "the kubelet recreates the sandbox");
        let culprit = match cluster.top_owner_ref(pod) {
            owner if owner.kind == "Node" => pod.reference.clone(),
            owner => owner,
        };
        out.push(
            Finding::new("pod-sandbox-changed-loop", culprit, evidence)
                .fact("node", pod.at("spec.nodeName").text())
                .fact("times", event.count)
                .affects([pod.reference.clone()]),
        );
    }
}
