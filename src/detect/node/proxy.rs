//! kube-proxy: as a unit of the node, or as a pod of its DaemonSet.

use super::unit::{evidence, is_down, reason, words};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::Ref;
use crate::detect::{Evidence, EvidenceKind, Finding};

pub(super) fn proxies(cluster: &Cluster, out: &mut Vec<Finding>) {
    for unit in cluster.node_services.iter().filter(|s| s.unit == "kube-proxy" && is_down(s)) {
        let Some(node) = unit.node.as_deref().and_then(|n| cluster.find("Node", None, n)) else { continue };
        let says = "systemd says that kube-proxy does not run";
        let mut finding = Finding::new("kube-proxy-down", node.reference.clone(), evidence(unit, Strength::Proof, says))
            .fact("state", format!("its unit is {} ({})", unit.active, unit.sub));
        if let Some((line, evidence)) = reason(unit) {
            finding = finding.fact("why", words(&line.text)).evidence(evidence);
        }
        out.push(finding);
    }
    let proxies = cluster.kind("Pod").filter(|p| p.label("k8s-app") == Some("kube-proxy"));
    for pod in proxies {
        let Some(container) = cluster.containers(pod).into_iter().find(|c| c.is_dying(cluster)) else { continue };
        let node = pod.at("spec.nodeName").text();
        let culprit = cluster.find("Node", None, node).map_or_else(|| cluster.top_owner_ref(pod), |n| n.reference.clone());
        let state = container.status.get("state");
        let says = "kube-proxy's container does not stay up";
        let evidence = Evidence::value(pod, state, "state", Strength::Statement, says).of_kind(EvidenceKind::Status);
        let on_it = cluster.pods_on(node).count();
        let affected: Vec<Ref> = vec![pod.reference.clone(), cluster.top_owner_ref(pod)];
        out.push(
            Finding::new("kube-proxy-down", culprit, evidence)
                .fact("state", format!("pod {} is restarted", pod.name()))
                .fact("pods", on_it)
                .affects(affected),
        );
    }
}
