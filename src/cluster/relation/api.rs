//! The control plane's own dependencies: etcd carries the API server, which carries all who act through it; an aggregated
//! API carries those who ask it.

use super::{Graph, Relation};
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};

/// Components that do nothing without the API server.
const CLIENTS: [&str; 3] = ["kube-scheduler", "kube-controller-manager", "cloud-controller-manager"];

pub(super) fn relate(graph: &mut Graph, cluster: &Cluster) {
    let servers: Vec<&Ref> = component(cluster, "kube-apiserver").map(|p| &p.reference).collect();
    for server in &servers {
        component(cluster, "etcd").for_each(|etcd| graph.edge(&etcd.reference, Relation::Called, server));
        for client in CLIENTS.iter().flat_map(|name| component(cluster, name)) {
            graph.edge(server, Relation::Called, &client.reference);
        }
    }
    for service in cluster.kind("APIService") {
        aggregated(graph, cluster, service);
    }
}

/// Pods of a component of the control plane: kubeadm labels them, others name them.
pub(crate) fn component<'a>(cluster: &'a Cluster, name: &'a str) -> impl Iterator<Item = &'a Resource> {
    let is_of_it = move |pod: &&Resource| {
        let named = pod.name().strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
        let namespace = pod.namespace().unwrap_or("");
        (namespace == "kube-system" || namespace.starts_with("openshift-")) && (pod.label("component") == Some(name) || named)
    };
    cluster.kind("Pod").filter(is_of_it)
}

/// The Service behind an aggregated API, and who waits for the API: autoscalers for metrics, namespaces for discovery.
fn aggregated(graph: &mut Graph, cluster: &Cluster, api: &Resource) {
    let this = &api.reference;
    let behind = api.at("spec.service");
    if behind.exists() {
        let service = Ref::new("Service", Some(behind.get("namespace").text()), behind.get("name").text());
        graph.edge(&service, Relation::Backs, this);
    }
    let group = api.name().split_once('.').map_or("", |(_, group)| group);
    if group.ends_with("metrics.k8s.io") {
        for autoscaler in cluster.kind("HorizontalPodAutoscaler") {
            graph.edge(this, Relation::Called, &autoscaler.reference);
        }
    }
    for namespace in cluster.kind("Namespace") {
        let failure = namespace.condition("NamespaceDeletionDiscoveryFailure");
        if failure.get("status").is_true() && failure.get("message").text().contains(group) {
            graph.edge(this, Relation::Called, &namespace.reference);
        }
    }
}
