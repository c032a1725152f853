//! Network policies that stand between a caller and what it calls.

use std::collections::BTreeSet;

use super::complaint::Complaint;
use super::dependency::{Peer, named};
use super::{Detector, Evidence, Finding, pod_trouble, symptom};
use crate::catalog::Strength;
use crate::cluster::simulate::policy::{Direction, Port, blocking, selecting};
use crate::cluster::{Cluster, Relation};
use crate::decode::{Hit, Log, Ref, Resource};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "network_policy", run: network_policies }];

/// Signals of packets that get no answer. A drop is silent: it shows as a time-out, of the connection or of the DNS query
/// before it, never as a refusal.
const SILENCE: &[&str] = &["io-timeout", "deadline-exceeded", "dns-unavailable", "no-such-host"];

fn network_policies(cluster: &Cluster, out: &mut Vec<Finding>) {
    if cluster.kind("NetworkPolicy").next().is_none() {
        return;
    }
    let waiting = waiting(cluster);
    for service in cluster.kind("Service").filter(|s| !s.at("spec.selector").is_empty()) {
        let Some(target) = cluster.pods_behind(service).next() else { continue };
        for caller in callers(cluster, service, &waiting) {
            out.extend(between(cluster, caller, target, service));
        }
    }
    let pods: BTreeSet<&Ref> = cluster.kind("Pod").map(|p| &p.reference).collect();
    for pod in pods.into_iter().filter_map(|p| cluster.get(p)) {
        out.extend(no_dns(cluster, pod));
    }
}

/// One pod of each workload whose settings name the service, or whose log complains that it does not answer.
fn callers<'a>(cluster: &'a Cluster, service: &Resource, waiting: &[(Ref, &'a Resource)]) -> Vec<&'a Resource> {
    let called = cluster.graph().suffers_from(&service.reference).filter(|(_, r)| *r == Relation::Called);
    let told = called.filter_map(|(object, _)| cluster.get(object)).filter(|r| r.kind() == "Pod");
    let waiting = waiting.iter().filter(|(target, _)| *target == service.reference).map(|(_, pod)| *pod);
    let mut pods: Vec<&Resource> = told.chain(waiting).collect();
    pods.dedup_by_key(|p| cluster.top_owner_ref(p));
    pods
}

/// Pods that wait for an answer of a service that their log names, by name or address.
fn waiting(cluster: &Cluster) -> Vec<(Ref, &Resource)> {
    let complaints = ["io-timeout", "deadline-exceeded"].into_iter().flat_map(|signal| Complaint::all(cluster, signal));
    let of_service = |c: Complaint<'_>| match Peer::of(cluster, &named(c.hit)?.host, c.pod.namespace()) {
        Peer::Service(service) => Some((service.reference.clone(), c.pod.reference.clone())),
        _ => None,
    };
    complaints.filter_map(of_service).filter_map(|(service, pod)| Some((service, cluster.get(&pod)?))).collect()
}

/// The port of the pod behind a service, as its first port says.
fn target_port<'a>(service: &'a Resource, pod: &'a Resource) -> Port<'a> {
    let port = service.at("spec.ports[0]");
    let target = if port.get("targetPort").exists() { port.get("targetPort") } else { port.get("port") };
    let declared = pod.at("spec.containers").items().flat_map(|c| c.get("ports").items());
    let declared =
        declared.into_iter().find(|d| d.get("name").text() == target.text() || d.get("containerPort").text() == target.text());
    let number = target.as_i64().or_else(|| declared.and_then(|d| d.get("containerPort").as_i64()));
    Port { number, name: declared.map_or("", |d| d.get("name").text()), protocol: port.get("protocol").text() }
}

fn between(cluster: &Cluster, caller: &Resource, target: &Resource, service: &Resource) -> Option<Finding> {
    let port = target_port(service, target);
    let at_target = blocking(cluster, Direction::Ingress, target, caller, port);
    let at_source = blocking(cluster, Direction::Egress, caller, target, port);
    let (policy, direction, selected, shut_out) = match (at_target.first(), at_source.first()) {
        (Some(policy), _) => (*policy, "ingress", target, caller),
        (None, Some(policy)) => (*policy, "egress", caller, target),
        (None, None) => return None,
    };
    let address = service.at("spec.clusterIP").text();
    let said = silence(cluster, caller, Some(service.name()))
        .or_else(|| silence(cluster, caller, Some(address)).filter(|_| !address.is_empty()));
    let strength = if said.is_some() || pod_trouble(cluster, caller).is_some() { Strength::Proof } else { Strength::Hint };
    let says = format!("selects {} and none of its rules lets {} through", selected.name(), shut_out.name());
    let path = if direction == "ingress" { "spec.ingress" } else { "spec.egress" };
    let path = if policy.at(path).exists() { path } else { "spec.podSelector" };
    let mut finding =
        Finding::new("network-policy-blocking", policy.reference.clone(), Evidence::field(policy, path, strength, says))
            .fact("direction", direction)
            .fact("caller", cluster.top_owner_ref(caller).to_string())
            .fact("target", format!("Service {}", service.name()))
            .fact("port", port.number.map_or(String::new(), |n| n.to_string()))
            .fact("labels", labels(if direction == "ingress" { caller } else { target }));
    if let Some((log, hit)) = said {
        finding = finding.evidence(Evidence::hit(log, hit, Strength::Statement, "the caller waits and gets no answer"));
    }
    Some(finding.affects([caller.reference.clone(), cluster.top_owner_ref(caller)]))
}

/// A pod that may not ask the cluster's DNS, and complains that names do not resolve.
fn no_dns(cluster: &Cluster, pod: &Resource) -> Option<Finding> {
    let mut policies = selecting(cluster, Direction::Egress, pod).peekable();
    policies.peek()?;
    let dns = cluster.kind("Pod").find(|p| p.label("k8s-app") == Some("kube-dns"));
    let port = |protocol| Port { number: Some(53), name: "dns", protocol };
    let blocked = match dns {
        Some(dns) => {
            let udp = blocking(cluster, Direction::Egress, pod, dns, port("UDP"));
            let tcp = blocking(cluster, Direction::Egress, pod, dns, port("TCP"));
            udp.first().copied().filter(|_| !tcp.is_empty())
        }
        // Where the DNS pods were not collected only a policy that allows nothing at all is certain.
        None => selecting(cluster, Direction::Egress, pod).next().filter(|p| p.at("spec.egress").is_empty()),
    }?;
    let (log, hit) = silence(cluster, pod, None).or_else(|| silence_of_names(cluster, pod))?;
    let says = "selects the pod and lets no DNS query through (port 53)";
    let path = if blocked.at("spec.egress").exists() { "spec.egress" } else { "spec.policyTypes" };
    let finding =
        Finding::new("network-policy-blocking", blocked.reference.clone(), Evidence::field(blocked, path, Strength::Proof, says))
            .evidence(Evidence::hit(log, hit, Strength::Statement, "names do not resolve"))
            .fact("direction", "egress")
            .fact("caller", cluster.top_owner_ref(pod).to_string())
            .fact("target", "the cluster's DNS")
            .fact("port", "53")
            .fact("labels", "");
    Some(finding.affects([pod.reference.clone(), cluster.top_owner_ref(pod)]))
}

/// The last line in which a pod complains of silence, about `host` when one is given.
fn silence<'a>(cluster: &'a Cluster, pod: &Resource, host: Option<&str>) -> Option<(&'a Log, &'a Hit)> {
    let patterns = cluster.patterns()?;
    let wanted: Vec<u32> =
        SILENCE.iter().filter(|s| host.is_some() || s.starts_with("dns")).filter_map(|s| patterns.index(s)).collect();
    let about = |hit: &Hit| {
        let near = || hit.before.iter().chain(&hit.after).chain([&hit.line.text]);
        host.is_none_or(|h| near().any(|l| l.contains(h)))
    };
    symptom::last_hit(cluster, pod, |hit| wanted.contains(&hit.pattern) && about(hit))
}

fn silence_of_names<'a>(cluster: &'a Cluster, pod: &Resource) -> Option<(&'a Log, &'a Hit)> {
    let index = cluster.patterns()?.index("no-such-host")?;
    symptom::last_hit(cluster, pod, |hit| hit.pattern == index)
}

fn labels(pod: &Resource) -> String {
    let labels = pod.at("metadata.labels").fields().filter(|(k, _)| !k.contains("hash") && !k.contains("pod-name"));
    labels.map(|(k, v)| format!("{k}={}", v.text())).collect::<Vec<_>>().join(", ")
}
