//! Nodes that are told of by their units and journals only.

use super::Symptom;
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::Ref;
use crate::detect::node::unit::{evidence, is_down, latest, line_evidence};

/// Units without which a node does not work.
const VITAL: [&str; 10] =
    ["kubelet", "containerd", "crio", "docker", "k3s", "k3s-agent", "rke2-server", "rke2-agent", "etcd", "kube-apiserver"];

/// What a kubelet, or kubeadm, says when the node does not work.
const LAST_WORDS: [&str; 8] = [
    "command failed",
    "failed to run Kubelet",
    "container runtime is down",
    "Error updating node status",
    "Failed to ensure lease exists",
    "Unable to register node with API server",
    "error execution phase",
    "couldn't validate the identity",
];

pub(super) fn units(cluster: &Cluster, out: &mut Vec<Symptom>) {
    // Nodes that were collected tell their state themselves.
    if cluster.kind("Node").next().is_some() {
        return;
    }
    for service in &cluster.node_services {
        let Some(node) = &service.node else { continue };
        let down = is_down(service) && VITAL.contains(&service.unit.as_str());
        let says_so =
            latest(service, |text| LAST_WORDS.iter().any(|w| text.contains(w))).filter(|_| service.active != "inactive");
        let (what, evidence) = match says_so {
            _ if down => {
                let what = format!("{} does not run on node {node}", service.unit);
                (what, evidence(service, Strength::Statement, "the state of the unit"))
            }
            Some(line) => {
                let what = format!("{} on node {node} says that it cannot do its work", service.unit);
                (what, line_evidence(service, line, Strength::Statement, "the end of its journal"))
            }
            None => continue,
        };
        let resource = Ref::new("Node", None, node);
        out.push(Symptom { resource, kind: "unit-down", what, since: service.since, weight: 0.8, evidence });
    }
}
