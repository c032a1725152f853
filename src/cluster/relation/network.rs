//! Nodes wait for the network plug-in's pod on them.

use super::{Graph, Relation};
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};

/// Parts of the names of network plug-ins' pods.
const PLUGINS: [&str; 10] =
    ["calico", "flannel", "cilium", "weave", "canal", "aws-node", "antrea", "kindnet", "multus", "azure-cni"];

/// Does the pod set up the network of its node?
pub(crate) fn is_network_plugin(pod: &Resource) -> bool {
    PLUGINS.iter().any(|plugin| pod.name().contains(plugin))
}

/// A plug-in that fails on a node that is not ready keeps the node from being so.
pub(super) fn relate(graph: &mut Graph, cluster: &Cluster) {
    for pod in cluster.kind("Pod").filter(|p| is_network_plugin(p) && !cluster.is_settled(p)) {
        let name = pod.at("spec.nodeName").text();
        if cluster.find("Node", None, name).is_some_and(|n| n.condition("Ready").get("status").as_bool() == Some(false)) {
            graph.edge(&pod.reference, Relation::Needed, &Ref::new("Node", None, name));
        }
    }
}
