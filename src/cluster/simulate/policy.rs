//! Would the network policies let this packet through?
//!
//! Policies only ever allow: a pod that some policy selects for a direction accepts in that direction what at least one of
//! those policies allows; a pod that none selects accepts everything (networking.k8s.io/v1, NetworkPolicySpec).

use crate::cluster::selector::{is_met, requirements, selects};
use crate::cluster::{Cluster, selector::Requirement};
use crate::decode::{Origin, Resource, Value};

/// The side of a connection a policy stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// At the target.
    Ingress,
    /// At the source.
    Egress,
}

impl Direction {
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Ingress => ("Ingress", "ingress", "from"),
            Self::Egress => ("Egress", "egress", "to"),
        }
    }
}

/// A port of a pod, by number and by the name the container gives it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Port<'a> {
    /// `8080`
    pub number: Option<i64>,
    /// `http`
    pub name: &'a str,
    /// `TCP` or `UDP`; empty means TCP.
    pub protocol: &'a str,
}

/// The policies that keep `pod` from talking to `peer` in `direction`: all that select the pod, when none of them allows it.
/// Empty when the packet passes, or when that cannot be told.
pub fn blocking<'a>(
    cluster: &'a Cluster,
    direction: Direction,
    pod: &Resource,
    peer: &Resource,
    port: Port<'_>,
) -> Vec<&'a Resource> {
    let selecting: Vec<&Resource> = selecting(cluster, direction, pod).collect();
    let passes = selecting.iter().any(|p| allows(cluster, p, direction, peer, port).unwrap_or(true));
    if passes { Vec::new() } else { selecting }
}

/// Policies that select a pod for a direction.
pub fn selecting<'a>(cluster: &'a Cluster, direction: Direction, pod: &Resource) -> impl Iterator<Item = &'a Resource> {
    let policies = cluster.kind_in("NetworkPolicy", pod.namespace());
    let own = policies.filter(|p| p.origin != Origin::Manifest && p.group().ends_with("k8s.io"));
    own.filter(move |p| governs(p, direction) && selects(p.at("spec.podSelector"), pod.at("metadata.labels")))
}

/// Without `policyTypes` a policy is for ingress, and for egress when it has egress rules.
fn governs(policy: &Resource, direction: Direction) -> bool {
    let types = policy.at("spec.policyTypes");
    let (word, rules, _) = direction.words();
    if types.is_empty() {
        return direction == Direction::Ingress || policy.at("spec").get(rules).exists();
    }
    types.items().any(|t| t.text() == word)
}

/// `None` when a rule cannot be judged, because labels of a namespace were not collected or it speaks of addresses.
fn allows(cluster: &Cluster, policy: &Resource, direction: Direction, peer: &Resource, port: Port<'_>) -> Option<bool> {
    let (_, rules, peers) = direction.words();
    let mut unknown = false;
    for rule in policy.at("spec").get(rules).items() {
        if !ports_allow(rule.get("ports"), port) {
            continue;
        }
        let peers = rule.get(peers);
        if peers.is_empty() {
            return Some(true);
        }
        for allowed in peers.items() {
            match peer_fits(cluster, policy, allowed, peer) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => unknown = true,
            }
        }
    }
    if unknown { None } else { Some(false) }
}

fn ports_allow(ports: Value<'_>, port: Port<'_>) -> bool {
    let protocol = |p: &str| if p.is_empty() { "TCP".to_owned() } else { p.to_owned() };
    let fits = |allowed: Value<'_>| {
        let wanted = allowed.get("port");
        let last = allowed.get("endPort").as_i64();
        let number = match (wanted.as_i64(), port.number) {
            _ if !wanted.exists() => true,
            (Some(first), Some(n)) => n == first || last.is_some_and(|last| (first..=last).contains(&n)),
            (None, _) => wanted.text() == port.name,
            // A port nobody told: it may be this one.
            (Some(_), None) => true,
        };
        number && protocol(allowed.get("protocol").text()) == protocol(port.protocol)
    };
    ports.is_empty() || ports.items().any(fits)
}

fn peer_fits(cluster: &Cluster, policy: &Resource, allowed: Value<'_>, peer: &Resource) -> Option<bool> {
    if allowed.get("ipBlock").exists() {
        return None;
    }
    let namespaces = allowed.get("namespaceSelector");
    let in_namespace = if namespaces.tag().is_some() {
        namespace_fits(cluster, &requirements(namespaces), peer.namespace())?
    } else {
        peer.namespace() == policy.namespace()
    };
    let pods = allowed.get("podSelector");
    Some(in_namespace && (pods.tag().is_none() || selects(pods, peer.at("metadata.labels"))))
}

fn namespace_fits(cluster: &Cluster, wanted: &[Requirement<'_>], name: Option<&str>) -> Option<bool> {
    let namespace = cluster.find("Namespace", None, name?);
    let labels = namespace.map_or(Value::ABSENT, |n| n.at("metadata.labels"));
    let mut all = true;
    for requirement in wanted {
        // The API server gives every namespace this label.
        let by_name = requirement.key == "kubernetes.io/metadata.name";
        if namespace.is_none() && !by_name {
            return None;
        }
        all &= if by_name { requirement.is_met_by(name) } else { is_met(requirement, labels) };
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::cluster;

    fn pod(name: &str, namespace: &str, app: &str) -> Json {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "uid": name, "labels": {"app": app}}, "spec": {}})
    }

    fn policy(spec: &Json) -> Json {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p", "namespace": "a", "uid": "p"}, "spec": spec})
    }

    fn blocked(spec: &Json, direction: Direction, number: i64) -> bool {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "b", "uid": "b", "labels": {"team": "x"}}});
        let c = cluster(&[pod("web", "a", "web"), pod("peer", "b", "peer"), policy(spec), namespace]);
        let get = |ns, name| c.find("Pod", Some(ns), name).unwrap();
        !blocking(&c, direction, get("a", "web"), get("b", "peer"), Port { number: Some(number), ..Port::default() }).is_empty()
    }

    #[test]
    fn policies_allow_what_their_rules_say() {
        use Direction::{Egress, Ingress};
        let all = json!({});
        let from = |peer: Json| json!({"podSelector": {}, "ingress": [{"from": [peer]}]});
        assert!(blocked(&json!({"podSelector": all, "policyTypes": ["Ingress"]}), Ingress, 80), "deny all");
        assert!(!blocked(&json!({"podSelector": all, "policyTypes": ["Ingress"]}), Egress, 80), "the other direction");
        assert!(!blocked(&json!({"podSelector": {"matchLabels": {"app": "other"}}, "policyTypes": ["Ingress"]}), Ingress, 80));
        assert!(!blocked(&json!({"podSelector": all, "ingress": [{}]}), Ingress, 80), "allow all");
        assert!(blocked(&from(json!({"podSelector": {}})), Ingress, 80), "pods of the policy's own namespace only");
        assert!(!blocked(&from(json!({"namespaceSelector": {}})), Ingress, 80));
        assert!(!blocked(&from(json!({"namespaceSelector": {"matchLabels": {"team": "x"}}})), Ingress, 80));
        assert!(blocked(&from(json!({"namespaceSelector": {"matchLabels": {"team": "y"}}})), Ingress, 80));
        assert!(!blocked(
            &from(json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "b"}}})),
            Ingress,
            80
        ));
        assert!(blocked(&from(json!({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "z"}}})), Ingress, 80));
        assert!(!blocked(&from(json!({"ipBlock": {"cidr": "10.0.0.0/8"}})), Ingress, 80), "addresses cannot be told");
        let ports =
            json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 8000, "endPort": 8100}]}]});
        assert!(!blocked(&ports, Egress, 8080));
        assert!(blocked(&ports, Egress, 53));
    }
}
