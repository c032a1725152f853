//! Names that do not resolve: pods with a nameserver of their own that does not answer, and a cluster DNS that is down.

use super::{Detector, Evidence, Finding, pod_trouble, symptom};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Origin, Resource, Value};

mod outside;

pub(super) const DETECTORS: &[Detector] = &[
    Detector { name: "pod_nameserver", run: pod_nameserver },
    Detector { name: "cluster_dns", run: cluster_dns },
    Detector { name: "unknown_host", run: outside::unknown_host },
    Detector { name: "dns_upstream", run: outside::upstream },
    Detector { name: "dns_wildcard", run: outside::wildcard },
];

/// Signals that a name could not be resolved.
const UNRESOLVED: &[&str] = &["no-such-host", "dns-unavailable"];

fn cluster_dns_services(cluster: &Cluster) -> impl Iterator<Item = &Resource> {
    cluster.kind("Service").filter(|s| s.label("k8s-app") == Some("kube-dns") || matches!(s.name(), "kube-dns" | "coredns"))
}

/// A pod that is told not to use the cluster's DNS, and cannot resolve.
fn pod_nameserver(cluster: &Cluster, out: &mut Vec<Finding>) {
    for pod in cluster.kind("Pod").filter(|p| p.origin != Origin::Manifest) {
        let Some((holder, spec)) = dns_settings(cluster, pod) else { continue };
        let servers = spec.path("dnsConfig.nameservers");
        let is_cluster_dns = |ip: &str| cluster_dns_services(cluster).any(|s| s.at("spec.clusterIP").text() == ip);
        let Some(server) = servers.items().find(|s| !is_cluster_dns(s.text())) else { continue };
        let said = cluster.logs_of(&pod.reference).find_map(|log| {
            let unresolved = |p: u32| cluster.patterns().is_some_and(|all| UNRESOLVED.contains(&all.name(p)));
            log.hits.iter().rev().find(|h| unresolved(h.pattern)).map(|h| (log, h))
        });
        let sick = pod_trouble(cluster, pod).is_some();
        if said.is_none() && !sick {
            continue;
        }
        let strength = if said.is_some() { Strength::Proof } else { Strength::Statement };
        let top = cluster.top_owner_ref(pod);
        let says = "dnsPolicy None: the pod asks this server only, which knows nothing of the cluster's names";
        let mut finding =
            Finding::new("dns-resolution-failure", top, Evidence::value(holder, server, "nameserver", strength, says))
                .evidence(Evidence::value(holder, spec.get("dnsPolicy"), "dnsPolicy", strength, "the cluster's DNS is not used"))
                .fact("server", server.text())
                .affects([pod.reference.clone()]);
        if let Some((log, hit)) = said {
            finding = finding.evidence(Evidence::hit(log, hit, Strength::Statement, "a name it cannot resolve"));
        }
        out.push(finding);
    }
}

/// The spec that tells a pod not to use the cluster's DNS: its own, or its template's where the pod was read from a text
/// that leaves the setting out.
fn dns_settings<'a>(cluster: &'a Cluster, pod: &'a Resource) -> Option<(&'a Resource, Value<'a>)> {
    let own = pod.at("spec");
    let template = || cluster.top_owner(pod).pod_spec().map(|(_, spec)| (cluster.top_owner(pod), spec));
    let known = if own.get("dnsPolicy").exists() { Some((pod, own)) } else { template() };
    known.filter(|(_, spec)| spec.get("dnsPolicy").text() == "None")
}

/// It makes the pods of the cluster's DNS: so its labels say, or its name where a table tells no labels.
fn serves_dns(workload: &Resource) -> bool {
    const LABEL: &str = "k8s-app";
    let labelled =
        workload.label(LABEL) == Some("kube-dns") || workload.at("spec.selector.matchLabels").get(LABEL).text() == "kube-dns";
    let name = workload.name();
    let named = workload.namespace() == Some("kube-system") && name.contains("coredns") && !name.contains("autoscaler");
    labelled || named
}

/// The cluster's DNS has no pod that is ready.
fn cluster_dns(cluster: &Cluster, out: &mut Vec<Finding>) {
    let workloads = ["Deployment", "DaemonSet"].into_iter().flat_map(|kind| cluster.kind(kind)).filter(|w| serves_dns(w));
    for deployment in workloads.filter(|d| d.origin != Origin::Manifest) {
        let (desired, ready) = symptom::replicas(deployment);
        let is_asked_for = deployment.kind() == "Deployment" || desired > 0;
        if ready > 0 || !deployment.at("status").exists() || !is_asked_for {
            continue;
        }
        let path = if desired == 0 { "spec.replicas" } else { "status" };
        let brief = format!("{ready} of {desired} ready");
        let evidence = Evidence::field(deployment, path, Strength::Proof, "no pod answers DNS queries").brief(&brief);
        let sick_pods = cluster.descendants(&deployment.reference).into_iter().map(|p| p.reference.clone()).collect::<Vec<_>>();
        // Every pod that complains about names suffers from it.
        let complaining = UNRESOLVED
            .iter()
            .flat_map(|s| cluster.hits(s))
            .filter_map(|(log, _)| cluster.pod_of(log))
            .map(|p| p.reference.clone());
        let services = cluster_dns_services(cluster).map(|s| s.reference.clone());
        out.push(
            Finding::new("coredns-down", deployment.reference.clone(), evidence)
                .fact("desired", desired)
                .affects(sick_pods.into_iter().chain(services).chain(complaining).collect::<Vec<_>>()),
        );
    }
}
