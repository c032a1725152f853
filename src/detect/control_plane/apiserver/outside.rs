//! The API server, as kubelets and kubectl itself miss it.

use std::collections::BTreeSet;

use super::SIGNAL;
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{NodeService, Ref, Resource};
use crate::detect::node::unit::{is_kubelet, latest, line_evidence};
use crate::detect::{Evidence, Finding};

/// Somebody outside of the cluster's pods got no answer.
struct Miss<'a> {
    evidence: Evidence,
    /// `host:port`.
    address: String,
    how: String,
    kubelet: Option<&'a NodeService>,
}

/// kubectl is refused, or the kubelets of several nodes are, or the only one there is.
pub(super) fn told(cluster: &Cluster) -> Option<Finding> {
    // One that reports to the API server is proof that it answers.
    if cluster.kind("Node").any(|n| n.condition("Ready").get("status").is_true()) {
        return None;
    }
    let misses: Vec<Miss<'_>> = refused(cluster).chain(kubelets(cluster)).collect();
    let nodes: BTreeSet<&str> = misses.iter().filter_map(|m| m.kubelet?.node.as_deref()).collect();
    let refused = misses.iter().any(|m| m.kubelet.is_none());
    let answered = cluster.resources().next().is_some();
    if misses.is_empty() || answered && nodes.len() < 2 || !refused && nodes.len() < 2 && misses[0].how != "connection refused" {
        return None;
    }
    let first = misses.iter().find(|m| m.kubelet.is_some()).unwrap_or(&misses[0]);
    let strength = if refused && !nodes.is_empty() { Strength::Proof } else { Strength::Statement };
    let evidence = Evidence { strength, ..first.evidence.clone() };
    let mut finding = Finding::new("apiserver-unavailable", culprit(cluster, first), evidence)
        .fact("address", first.address.as_str())
        .fact("how", first.how.as_str())
        .fact("callers", misses.len())
        .affects(nodes.iter().map(|n| Ref::new("Node", None, *n)));
    for miss in misses.iter().filter(|m| m.evidence.location != first.evidence.location).take(4) {
        finding = finding.evidence(miss.evidence.clone());
    }
    Some(finding)
}

/// What kubectl said: `The connection to the server 10.0.0.5:6443 was refused - did you specify …`.
fn refused(cluster: &Cluster) -> impl Iterator<Item = Miss<'_>> {
    cluster.notes.iter().filter_map(|note| {
        let (_, rest) = note.text.split_once("The connection to the server ")?;
        let (address, rest) = rest.split_once(' ')?;
        // Without a kubeconfig kubectl asks localhost:8080.
        let meant = !address.ends_with(":8080") && rest.starts_with("was refused");
        let says = "kubectl was refused";
        meant.then(|| Miss {
            evidence: Evidence::file(note.location.clone(), note.text.clone(), Strength::Statement, says),
            address: address.to_owned(),
            how: "connection refused".to_owned(),
            kubelet: None,
        })
    })
}

/// Kubelets that end in failures to post their status.
fn kubelets(cluster: &Cluster) -> impl Iterator<Item = Miss<'_>> {
    const POSTS: [&str; 3] = ["Error updating node status", "Failed to ensure lease exists", "Unable to register node"];
    cluster.node_services.iter().filter(|s| is_kubelet(s)).filter_map(|service| {
        let line = latest(service, |text| POSTS.iter().any(|p| text.contains(p)) && cluster.captures(SIGNAL, text).is_some())?;
        let captures = cluster.captures(SIGNAL, &line.text)?;
        let text = |name: &str| captures.name(name).map_or("", |m| m.as_str());
        Some(Miss {
            evidence: line_evidence(service, line, Strength::Statement, "the API server does not answer the kubelet"),
            address: format!("{}:{}", text("host"), text("port")),
            how: text("how").to_owned(),
            kubelet: Some(service),
        })
    })
}

/// The node the address is of, else the one whose kubelet runs the API server, else its Service.
fn culprit(cluster: &Cluster, miss: &Miss<'_>) -> Ref {
    let host = miss.address.rsplit_once(':').map_or("", |(host, _)| host);
    let addressed = |n: &&Resource| n.at("status.addresses").items().any(|a| a.get("address").text() == host);
    let runs_it = |s: &NodeService| s.lines.iter().any(|l| l.text.contains("kube-apiserver-"));
    let own = miss.kubelet.filter(|s| runs_it(s)).and_then(|s| s.node.as_deref());
    cluster
        .kind("Node")
        .find(addressed)
        .map(|n| n.reference.clone())
        .or_else(|| own.map(|name| Ref::new("Node", None, name)))
        .unwrap_or_else(|| Ref::new("Service", Some("default"), "kubernetes"))
}
