//! Peers that do not answer: at the wrong port, or at all.

use super::peer::{Peer, Target, is_served, named, ports, server_of, targets};
use super::server::Server;
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::cluster::address::Address;
use crate::decode::Resource;
use crate::detect::complaint::Complaint;
use crate::detect::{Evidence, Finding};

/// Signals of connections that do not come about.
const SIGNALS: [&str; 6] =
    ["connection-refused", "io-timeout", "no-route", "connect-failed", "connection-reset", "deadline-exceeded"];

pub(super) fn unreachable(cluster: &Cluster, out: &mut Vec<Finding>) {
    for signal in SIGNALS {
        for complaint in Complaint::all(cluster, signal).into_iter().filter(Complaint::hurts) {
            out.extend(at_the_wrong_port(&complaint).or_else(|| of_a_peer(&complaint, signal)));
        }
    }
}

/// The caller is told a port its service does not have.
fn at_the_wrong_port(complaint: &Complaint<'_>) -> Option<Finding> {
    let cluster = complaint.cluster;
    let address = named(complaint.hit);
    let target = targets(cluster, complaint.holder()).into_iter().find(|t| is_wrong(t) && fits(t, address.as_ref()))?;
    let service = target.service?;
    let server = server_of(cluster, service).or_else(|| Server::told_by(&target.setting))?;
    let served = ports(service)?;
    let right: Vec<String> = served.iter().map(u16::to_string).collect();
    let says = format!("the port the caller is told; the service has {}", right.join(", "));
    let holder = target.holder;
    let source = format!("{} of {}", target.setting, holder.reference);
    let mut setting = Evidence::value(holder, target.value, &target.setting, Strength::Proof, says);
    if holder.kind() == "Secret" {
        setting.excerpt = format!("{}: {}", target.setting, target.port?);
    }
    Some(
        complaint
            .about_the_caller("db-port-wrong", Strength::Statement, "nobody answers at that port")
            .evidence(setting)
            .evidence(Evidence::field(service, "spec.ports", Strength::Proof, "the ports the service has"))
            .fact("peer", service.reference.to_string())
            .fact("server", server.name())
            .fact("port", target.port?)
            .fact("right", right.join(", "))
            .fact("source", source)
            .affects([holder.reference.clone()]),
    )
}

fn is_wrong(target: &Target<'_>) -> bool {
    let served = target.service.and_then(ports);
    matches!((served, target.port), (Some(served), Some(port)) if !served.contains(&port))
}

/// The complaint may be about this target: it names no address, or this one.
fn fits(target: &Target<'_>, named: Option<&Address>) -> bool {
    named.is_none_or(|a| {
        let same_host = a.host == target.host || target.service.is_some_and(|s| s.at("spec.clusterIP").text() == a.host);
        // A line may name a class or a file where we look for a host.
        same_host || a.port.is_none() && !a.host.contains(|c: char| c.is_ascii_digit())
    })
}

/// A peer that is named and does not answer. It is never more than the caller's side of somebody else's trouble.
fn of_a_peer(complaint: &Complaint<'_>, signal: &str) -> Option<Finding> {
    let cluster = complaint.cluster;
    let address = named(complaint.hit).or_else(|| only_target(cluster, complaint.holder()))?;
    let peer = Peer::of(cluster, &address.host, complaint.pod.namespace());
    if is_itself(complaint.pod, &address.host) {
        return None;
    }
    let state = match peer {
        Peer::Service(service) if !is_served(cluster, service) => "no ready pod stands behind it".to_owned(),
        Peer::Service(service) => match (ports(service), address.port) {
            (Some(ports), Some(port)) if !ports.contains(&port) => format!("it has no port {port}"),
            _ => "its pods are ready".to_owned(),
        },
        Peer::Pod(pod) if cluster.is_settled(pod) => "the pod is ready".to_owned(),
        Peer::Pod(_) => "the pod does not work".to_owned(),
        Peer::Outside => "the bundle holds no service or pod of that name".to_owned(),
    };
    let port = address.port.map_or_else(String::new, |p| format!(":{p}"));
    let known = peer.reference().map(ToString::to_string);
    let says = "the peer does not answer";
    let mut finding = complaint
        .about_the_caller("dependency-unreachable", Strength::Statement, says)
        .fact("address", format!("{}{port}", address.host))
        .fact("peer", known.unwrap_or_else(|| "outside".to_owned()))
        .fact("state", state)
        .fact("how", signal.replace('-', " "));
    if let Some(object) = peer.reference().and_then(|r| cluster.get(r)) {
        let path = if object.kind() == "Service" { "spec.ports" } else { "status.phase" };
        finding = finding.evidence(Evidence::field(object, path, Strength::Hint, "what the address means"));
    }
    Some(finding)
}

/// The caller talks to itself: that is no peer.
fn is_itself(pod: &Resource, host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "0.0.0.0") || pod.at("status.podIP").text() == host
}

/// The address the caller is told, when it is told only one.
fn only_target(cluster: &Cluster, holder: &Resource) -> Option<Address> {
    let mut told = targets(cluster, holder).into_iter();
    let first = told.next()?;
    told.all(|t| t.host == first.host).then_some(Address { host: first.host, port: first.port })
}
