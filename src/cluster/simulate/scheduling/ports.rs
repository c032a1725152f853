//! Host ports (kubernetes plugin NodePorts).

use super::{Obstacle, Pod};
use crate::decode::Value;

/// A port on the address of a node.
#[derive(Debug, Clone, Copy)]
struct HostPort<'a> {
    port: i64,
    protocol: &'a str,
    /// Empty for all addresses.
    ip: &'a str,
}

impl HostPort<'_> {
    fn clashes_with(&self, other: &Self) -> bool {
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || self.ip.is_empty() || other.ip.is_empty())
    }
}

fn host_ports<'a>(spec: Value<'a>) -> impl Iterator<Item = HostPort<'a>> {
    let host_network = spec.get("hostNetwork").is_true();
    let sidecars = spec.get("initContainers").items().filter(|c| c.get("restartPolicy").text() == "Always");
    let ports = spec.get("containers").items().chain(sidecars).flat_map(|c| c.get("ports").items());
    ports.filter_map(move |p| {
        let stated = p.get("hostPort").as_i64().filter(|port| *port > 0);
        let port = stated.or_else(|| p.get("containerPort").as_i64().filter(|_| host_network))?;
        let protocol = Some(p.get("protocol").text()).filter(|t| !t.is_empty()).unwrap_or("TCP");
        let ip = Some(p.get("hostIP").text()).filter(|ip| *ip != "0.0.0.0").unwrap_or_default();
        Some(HostPort { port, protocol, ip })
    })
}

/// Ports `pod` wants of a node that one of its `others` has.
pub(super) fn taken<'a>(pod: &Pod<'a>, others: &[Pod<'a>]) -> Vec<Obstacle<'a>> {
    let wanted: Vec<_> = host_ports(pod.spec).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for other in others {
        for has in host_ports(other.spec).filter(|has| wanted.iter().any(|w| w.clashes_with(has))) {
            found.push(Obstacle::HostPort { port: has.port, holder: other.resource.reference.clone() });
        }
    }
    found
}
