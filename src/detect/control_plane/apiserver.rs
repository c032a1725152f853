//! The API server, as others miss it.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Strength;
use crate::cluster::{Cluster, is_network_plugin};
use crate::decode::{Hit, Log, Ref, Resource};
use crate::detect::{Evidence, EvidenceKind, Finding};

mod outside;

const SIGNAL: &str = "api-server-unreachable";

/// A line that says that the API server did not answer.
struct Miss<'a> {
    log: &'a Log,
    hit: &'a Hit,
    pod: &'a Resource,
    address: String,
    how: String,
}

/// Misses of pods that are in trouble, by pod: what a pod complained of before it worked is history.
fn misses(cluster: &Cluster) -> Vec<Miss<'_>> {
    let mut newest: BTreeMap<&Ref, Miss<'_>> = BTreeMap::new();
    for (log, hit) in cluster.hits(SIGNAL) {
        let Some(pod) = cluster.pod_of(log).filter(|p| !cluster.is_settled(p)) else { continue };
        let Some(captures) = cluster.captures(SIGNAL, &hit.line.text) else { continue };
        let text = |name: &str| captures.name(name).map_or("", |m| m.as_str()).to_owned();
        let address = format!("{}:{}", text("host"), text("port"));
        if is_of_the_api_server(cluster, &text("host")) {
            newest.insert(&pod.reference, Miss { log, hit, pod, address, how: text("how") });
        }
    }
    newest.into_values().collect()
}

/// 443 may be anybody's port: the host must be the Service of the API server, or an address of a node, or its own name.
fn is_of_the_api_server(cluster: &Cluster, host: &str) -> bool {
    let service = cluster.find("Service", Some("default"), "kubernetes");
    let of_service = service.is_some_and(|s| s.at("spec.clusterIP").text() == host);
    let of_node = cluster.kind("Node").any(|n| n.at("status.addresses").items().any(|a| a.get("address").text() == host));
    // The first address of the Service range, where the Service itself was not collected.
    let conventional = service.is_none() && host.starts_with("10.") && host.ends_with(".0.1") || host == "10.43.0.1";
    of_service || of_node || conventional || host.starts_with("kubernetes.default") || matches!(host, "localhost" | "127.0.0.1")
}

/// Several workloads miss it, or its own pod is down.
pub(super) fn apiserver(cluster: &Cluster, out: &mut Vec<Finding>) {
    let misses: Vec<_> = misses(cluster).into_iter().filter(|m| !is_network_plugin(m.pod)).collect();
    let callers: BTreeSet<Ref> = misses.iter().map(|m| cluster.top_owner_ref(m.pod)).collect();
    let own = own_pod(cluster);
    let evidence = match (&own, misses.first()) {
        (Some((_, evidence)), _) => evidence.clone(),
        (None, Some(miss)) if callers.len() >= 2 => {
            Evidence::hit(miss.log, miss.hit, Strength::Statement, "the API server does not answer it")
        }
        _ => {
            out.extend(outside::told(cluster));
            return;
        }
    };
    let culprit = own.as_ref().map(|(pod, _)| pod.reference.clone()).or_else(|| control_plane(cluster, &misses));
    let Some(culprit) = culprit else { return };
    let mut finding = Finding::new("apiserver-unavailable", culprit, evidence)
        .fact("address", misses.first().map_or("", |m| m.address.as_str()))
        .fact("how", misses.first().map_or("its own container does not stay up", |m| m.how.as_str()))
        .fact("callers", callers.len())
        .affects(misses.iter().map(|m| m.pod.reference.clone()));
    for miss in misses.iter().skip(usize::from(own.is_none())).take(4) {
        let says = "the API server does not answer it either";
        finding = finding.evidence(Evidence::hit(miss.log, miss.hit, Strength::Statement, says));
    }
    out.push(finding);
}

/// The API server's own pod, when none of them works.
fn own_pod(cluster: &Cluster) -> Option<(&Resource, Evidence)> {
    let pods = || {
        let ours = |p: &&Resource| p.label("component") == Some("kube-apiserver") || p.name().starts_with("kube-apiserver-");
        cluster.kind("Pod").filter(|p| p.namespace() == Some("kube-system")).filter(ours)
    };
    if pods().any(|p| cluster.is_settled(p)) {
        return None;
    }
    pods().find_map(|pod| {
        let dying = cluster.containers(pod).into_iter().find(|c| c.is_dying(cluster))?;
        let says = "the API server's container does not stay up";
        let state = dying.status.get("state");
        Some((pod, Evidence::value(pod, state, "state", Strength::Statement, says).of_kind(EvidenceKind::Status)))
    })
}

/// The node the address is of, else a node of the control plane, else the API server's Service.
fn control_plane(cluster: &Cluster, misses: &[Miss<'_>]) -> Option<Ref> {
    let host = misses.first()?.address.rsplit_once(':')?.0;
    let of_host = cluster.kind("Node").find(|n| n.at("status.addresses").items().any(|a| a.get("address").text() == host));
    let role = |n: &&Resource| {
        ["control-plane", "master"]
            .iter()
            .any(|r| n.at("metadata.labels").get(&format!("node-role.kubernetes.io/{r}")).tag().is_some())
    };
    let node = of_host.or_else(|| cluster.kind("Node").find(role));
    node.or_else(|| cluster.find("Service", Some("default"), "kubernetes")).map(|r| r.reference.clone())
}

/// A network plug-in that cannot reach the API server through its Service.
pub(super) fn api_unreachable(cluster: &Cluster, out: &mut Vec<Finding>) {
    for miss in misses(cluster).into_iter().filter(|m| is_network_plugin(m.pod)) {
        let node = miss.pod.at("spec.nodeName").text();
        let culprit = cluster.find("Node", None, node).map_or_else(|| cluster.top_owner_ref(miss.pod), |n| n.reference.clone());
        let says = "the network plug-in gets no connection to the API server";
        out.push(
            Finding::new("cni-api-unreachable", culprit, Evidence::hit(miss.log, miss.hit, Strength::Statement, says))
                .fact("address", miss.address)
                .fact("how", miss.how)
                .fact("pod", miss.pod.name())
                .fact("node", node)
                .affects([miss.pod.reference.clone(), cluster.top_owner_ref(miss.pod)]),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::{Said, cluster_that_says};

    fn pod(name: &str) -> Json {
        json!({"kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": {"nodeName": "n1", "containers": [{"name": "c"}]},
               "status": {"phase": "Running", "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}})
    }

    fn causes(pods: &[&str]) -> Vec<(String, String)> {
        let mut objects: Vec<Json> = pods.iter().map(|p| pod(p)).collect();
        objects.push(json!({"kind": "Node", "metadata": {"name": "n1"}, "status": {"addresses": [{"address": "10.0.0.5"}]}}));
        objects.push(json!({"kind": "Service", "metadata": {"name": "kubernetes", "namespace": "default"}, "spec": {"clusterIP": "10.96.0.1"}}));
        let text = "Get \"https://10.96.0.1:443/version\": dial tcp 10.96.0.1:443: i/o timeout";
        let logs: Vec<_> = pods.iter().map(|pod| Said { pod, container: "c", previous: false, text }).collect();
        let cluster = cluster_that_says(&objects, Vec::new(), &logs);
        let mut out = Vec::new();
        apiserver(&cluster, &mut out);
        api_unreachable(&cluster, &mut out);
        out.into_iter().map(|f| (f.cause, f.culprit.to_string())).collect()
    }

    #[test]
    fn several_workloads_must_miss_it() {
        assert!(causes(&["operator-0"]).is_empty());
        assert_eq!(causes(&["operator-0", "dashboard-0"])[0].0, "apiserver-unavailable");
    }

    #[test]
    fn a_network_plugin_is_cut_off_on_its_node() {
        assert_eq!(causes(&["kube-flannel-ds-x"]), [("cni-api-unreachable".to_owned(), "Node n1".to_owned())]);
    }
}
