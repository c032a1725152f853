//! Nodes of which the bundle holds units and journals, and no object.

use std::collections::BTreeMap;

use super::unit::{evidence, is_down, is_kubelet, latest, line_evidence, misses_runtime, reason, words};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{NodeService, Ref};
use crate::detect::{Evidence, Finding};

const RUNTIMES: [&str; 4] = ["containerd", "crio", "docker", "dockerd"];

pub(super) fn nodes(cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut by_node: BTreeMap<&str, Vec<&NodeService>> = BTreeMap::new();
    for service in &cluster.node_services {
        if let Some(node) = service.node.as_deref().filter(|n| cluster.find("Node", None, n).is_none()) {
            by_node.entry(node).or_default().push(service);
        }
    }
    // A host that is no node of the cluster is somebody's workstation.
    if cluster.kind("Node").next().is_none() {
        out.extend(by_node.iter().filter_map(|(node, units)| runtime_down(node, units).or_else(|| kubelet_down(node, units))));
    }
}

fn runtime_down(node: &str, units: &[&NodeService]) -> Option<Finding> {
    if let Some(unit) = units.iter().find(|u| RUNTIMES.contains(&u.unit.as_str()) && is_down(u)) {
        let says = "systemd says that the container runtime does not run";
        let finding = finding("containerd-down", node, evidence(unit, Strength::Proof, says)).fact("runtime", unit.unit.as_str());
        return Some(with_state(finding, unit));
    }
    let kubelet = units.iter().find(|u| is_kubelet(u))?;
    let line = latest(kubelet, misses_runtime)?;
    let runtime = if line.text.contains("crio") { "crio" } else { "containerd" };
    let evidence = line_evidence(kubelet, line, Strength::Statement, "the kubelet finds no container runtime");
    Some(finding("containerd-down", node, evidence).fact("state", words(&line.text)).fact("runtime", runtime))
}

fn kubelet_down(node: &str, units: &[&NodeService]) -> Option<Finding> {
    let kubelet = units.iter().find(|u| is_kubelet(u) && is_down(u))?;
    let evidence = evidence(kubelet, Strength::Proof, "systemd says that the kubelet does not run");
    Some(with_state(finding("kubelet-down", node, evidence), kubelet))
}

fn finding(cause: &str, node: &str, evidence: Evidence) -> Finding {
    Finding::new(cause, Ref::new("Node", None, node), evidence).fact("pods", 0).fact("ready_nodes", 0)
}

fn with_state(finding: Finding, unit: &NodeService) -> Finding {
    let finding = finding
        .fact("state", format!("its unit is {} ({})", unit.active, unit.sub))
        .fact("since", unit.since.map(|t| t.to_string()).unwrap_or_default());
    match reason(unit) {
        Some((line, evidence)) => finding.fact("why", words(&line.text)).evidence(evidence),
        None => finding,
    }
}
