//! Nodes that do not work: kubelet, container runtime, pod network, kube-proxy, pressure, version.

use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::{Cluster, KubernetesVersion};

mod journal;
mod pressure;
mod proxy;
mod sandbox;
mod serving;
mod state;
pub(super) mod unit;

pub(super) const DETECTORS: &[Detector] = &[
    Detector { name: "node_state", run: node_state },
    Detector { name: "node_pressure", run: pressure::node_pressure },
    Detector { name: "version_skew", run: version_skew },
    Detector { name: "sandbox_loop", run: sandbox::loops },
    Detector { name: "kubelet_serving_request", run: serving::requests },
];

fn node_state(cluster: &Cluster, out: &mut Vec<Finding>) {
    state::nodes(cluster, out);
    journal::nodes(cluster, out);
    proxy::proxies(cluster, out);
}

/// Kubelets the API server does not support: newer than itself, or too many minor versions older
/// (<https://kubernetes.io/releases/version-skew-policy/>).
fn version_skew(cluster: &Cluster, out: &mut Vec<Finding>) {
    let Some(server) = cluster.kubernetes_version() else { return };
    let supported = if server >= KubernetesVersion::minor(28) { 3 } else { 2 };
    for node in cluster.kind("Node") {
        let field = "status.nodeInfo.kubeletVersion";
        let Some(kubelet) = KubernetesVersion::parse(node.at(field).text()) else { continue };
        let older = i32::from(server.minor) - i32::from(kubelet.minor);
        if (0..=supported).contains(&older) || server.major != kubelet.major {
            continue;
        }
        let evidence = Evidence::field(node, field, Strength::Statement, "the version the kubelet reports");
        out.push(
            Finding::new("node-version-skew", node.reference.clone(), evidence)
                .fact("kubelet", kubelet.to_string())
                .fact("server", server.to_string())
                .fact("minors", older.unsigned_abs()),
        );
    }
}

#[cfg(test)]
mod tests;
