//! The way of packets between nodes: sizes that do not fit, and ports that are closed.

use super::complaint::Complaint;
use super::load_balancer::node_at;
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Hit, Log};

pub(super) const DETECTORS: &[Detector] =
    &[Detector { name: "mtu", run: bridges_too_wide }, Detector { name: "node_ports", run: closed_ports }];

/// An interface as `ip link` shows it.
struct Interface<'a> {
    name: String,
    mtu: u32,
    hit: &'a Hit,
}

fn interfaces<'a>(cluster: &Cluster, log: &'a Log) -> Vec<Interface<'a>> {
    const SIGNAL: &str = "interface-mtu";
    let Some(pattern) = cluster.patterns().and_then(|p| p.index(SIGNAL)) else { return Vec::new() };
    let read = |hit: &'a Hit| {
        let captures = cluster.captures(SIGNAL, &hit.line.text)?;
        Some(Interface { name: captures["name"].to_owned(), mtu: captures["mtu"].parse().ok()?, hit })
    };
    log.hits.iter().filter(|h| h.pattern == pattern).filter_map(read).collect()
}

/// A bridge or an overlay is given larger packets than the interface below it carries.
fn bridges_too_wide(cluster: &Cluster, out: &mut Vec<Finding>) {
    let is_inner =
        |name: &str| ["docker", "br-", "cni", "flannel", "vxlan", "cilium_vxlan", "tunl"].iter().any(|p| name.starts_with(p));
    let is_outer = |name: &str| ["eth", "ens", "enp", "eno", "bond"].iter().any(|p| name.starts_with(p));
    for log in cluster.logs() {
        let all = interfaces(cluster, log);
        let Some(outer) = all.iter().filter(|i| is_outer(&i.name)).min_by_key(|i| i.mtu) else { continue };
        let Some(inner) = all.iter().filter(|i| is_inner(&i.name)).max_by_key(|i| i.mtu).filter(|i| i.mtu > outer.mtu) else {
            continue;
        };
        let node = log.source.node.as_deref().and_then(|name| cluster.find("Node", None, name));
        let Some(holder) = cluster.pod_of(log).or(node) else { continue };
        let says = format!("larger than the {} of {}", outer.mtu, outer.name);
        out.push(
            Finding::new(
                "mtu-mismatch",
                cluster.top_owner_ref(holder),
                Evidence::log(log, &inner.hit.line, Strength::Proof, says),
            )
            .evidence(Evidence::log(log, &outer.hit.line, Strength::Proof, "what the way below carries"))
            .fact("inner", inner.name.as_str())
            .fact("inner_mtu", inner.mtu)
            .fact("outer", outer.name.as_str())
            .fact("outer_mtu", outer.mtu)
            .affects([holder.reference.clone()]),
        );
    }
}

/// Ports that nodes keep open for each other, and which do not answer although their node is ready.
fn closed_ports(cluster: &Cluster, out: &mut Vec<Finding>) {
    const SIGNAL: &str = "node-port-silent";
    for complaint in Complaint::all(cluster, SIGNAL) {
        let Some(captures) = cluster.captures(SIGNAL, &complaint.hit.line.text) else { continue };
        let Some(node) = node_at(cluster, &captures["ip"]).filter(|n| n.condition("Ready").get("status").is_true()) else {
            continue;
        };
        let strength = if complaint.goes_on() || complaint.hurts() { Strength::Statement } else { Strength::Hint };
        let says = "the node is ready, and this port of it does not answer";
        out.push(
            Finding::new("firewall-blocked", node.reference.clone(), complaint.evidence(strength, says))
                .fact("port", &captures["port"])
                .fact("address", &captures["ip"])
                .fact("caller", complaint.carrier().to_string())
                .affects([complaint.pod.reference.clone()]),
        );
    }
}
