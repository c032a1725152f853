//! Services that are to be reached from outside: nobody makes their address, or only some nodes answer.

use jiff::SignedDuration;

use super::symptom::{stamp, within};
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Connectivity, Origin, Resource};

pub(super) const DETECTORS: &[Detector] =
    &[Detector { name: "local_policy", run: local_policy }, Detector { name: "load_balancer", run: controller_missing }];

/// A node port of a Service that keeps outside traffic on the node it comes to, and a node without a pod of it.
fn local_policy(cluster: &Cluster, out: &mut Vec<Finding>) {
    let is_local = |s: &&Resource| s.at("spec.externalTrafficPolicy").text() == "Local";
    for service in cluster.kind("Service").filter(is_local) {
        let pods: Vec<&Resource> = cluster.pods_behind(service).collect();
        let on: Vec<&str> = pods.iter().map(|p| p.at("spec.nodeName").text()).filter(|n| !n.is_empty()).collect();
        let without: Vec<&str> = cluster.kind("Node").map(Resource::name).filter(|n| !on.contains(n)).collect();
        if on.is_empty() || without.is_empty() {
            continue;
        }
        let Some(failed) = unanswered(cluster, service, &on) else { continue };
        let says = "a node that runs no pod of the Service drops what comes to it";
        let told = Evidence::file(failed.location.clone(), &failed.says, Strength::Statement, "no answer at this node");
        out.push(
            Finding::new(
                "service-external-traffic-policy-local",
                service.reference.clone(),
                Evidence::field(service, "spec.externalTrafficPolicy", Strength::Proof, says),
            )
            .evidence(told)
            .fact("without", without.join(", "))
            .fact("on", on.join(", ")),
        );
    }
}

/// A connection to a node port of the service that failed although it works at another node, or at a node without a pod.
fn unanswered<'a>(cluster: &'a Cluster, service: &Resource, on: &[&str]) -> Option<&'a Connectivity> {
    let ports: Vec<i64> = service.at("spec.ports").items().filter_map(|p| p.get("nodePort").as_i64()).collect();
    let of_service = |c: &&Connectivity| c.port.is_some_and(|p| ports.contains(&i64::from(p)));
    let works_elsewhere = cluster.connectivity.iter().filter(of_service).any(|c| c.reached);
    let is_empty_node = |c: &Connectivity| node_at(cluster, &c.target).is_some_and(|n| !on.contains(&n.name()));
    cluster.connectivity.iter().filter(of_service).find(|c| !c.reached && (works_elsewhere || is_empty_node(c)))
}

/// The node of that name or address.
pub(super) fn node_at<'a>(cluster: &'a Cluster, host: &str) -> Option<&'a Resource> {
    let has = |n: &&Resource| n.name() == host || n.at("status.addresses").items().any(|a| a.get("address").text() == host);
    cluster.kind("Node").find(has)
}

/// Making a load balancer takes minutes at most.
const MADE_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// A Service that waits for an address where nothing gives any.
fn controller_missing(cluster: &Cluster, out: &mut Vec<Finding>) {
    let is_balanced = |s: &&Resource| s.at("spec.type").text() == "LoadBalancer" && s.origin > Origin::Mention;
    let balanced: Vec<&Resource> = cluster.kind("Service").filter(is_balanced).collect();
    let has_address = |s: &Resource| !s.at("status.loadBalancer.ingress").is_empty() || !s.at("spec.externalIPs").is_empty();
    if balanced.iter().any(|s| has_address(s)) || is_implemented(cluster) {
        return;
    }
    for service in balanced {
        let young = cluster.now.is_some() && within(cluster, stamp(service.at("metadata.creationTimestamp")), MADE_WITHIN);
        if young || cluster.events_of(&service.reference).next().is_some() {
            continue;
        }
        let strength = if is_whole(cluster) { Strength::Proof } else { Strength::Hint };
        let says = "no address was given, and nothing in the cluster gives any";
        let evidence = Evidence::field(service, "spec.type", strength, says);
        out.push(Finding::new("load-balancer-controller-missing", service.reference.clone(), evidence));
    }
}

/// Enough of the cluster is known to say that nothing makes load balancers.
fn is_whole(cluster: &Cluster) -> bool {
    let has_system_pods = cluster.kind("Pod").any(|p| p.namespace() == Some("kube-system"));
    let has_nodes = cluster.kind("Node").any(|n| n.origin == Origin::Live);
    has_system_pods || has_nodes
}

/// Words in names and images of what makes load balancers.
const IMPLEMENTATIONS: &[&str] = &[
    "metallb",
    "kube-vip",
    "cloud-controller",
    "cloud-provider",
    "load-balancer",
    "loadbalancer",
    "svclb",
    "klipper",
    "purelb",
    "openelb",
    "ccm",
];

fn is_implemented(cluster: &Cluster) -> bool {
    let implements = |text: &str| IMPLEMENTATIONS.iter().any(|w| text.contains(w));
    let by_pod =
        |p: &Resource| implements(p.name()) || p.at("spec.containers").items().any(|c| implements(c.get("image").text()));
    cluster.kind("Pod").any(by_pod)
        || ["Deployment", "DaemonSet"].into_iter().flat_map(|k| cluster.kind(k)).any(|w| implements(w.name()))
        || cluster.kind("Node").any(is_in_a_cloud)
}

/// A cloud's node names its machine, or runs a build of that cloud.
fn is_in_a_cloud(node: &Resource) -> bool {
    const OWN: &[&str] = &["kind://", "k3s://", "rke2://", "metal3://", "baremetalhost://", "tinkerbell://"];
    let provider = node.at("spec.providerID").text();
    let version = node.at("status.nodeInfo.kubeletVersion").text();
    let built_for_one = ["-gke", "-eks", "+IKS", "-aliyun", "-tke", "-do"].iter().any(|w| version.contains(w));
    let named_by_one = ["aks-", "gke-", "ip-"].iter().any(|w| node.name().starts_with(w));
    !provider.is_empty() && !OWN.iter().any(|o| provider.starts_with(o)) || built_for_one || named_by_one
}
