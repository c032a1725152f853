//! Routes of a service mesh that lead nowhere: a host that is no Service, a subset that nobody defines or that has no pod.

use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::address::service_name;
use crate::cluster::{Cluster, Presence, selects};
use crate::decode::{Origin, Ref, Resource, Value};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "mesh_route", run: routes }];

const CAUSE: &str = "gateway-misrouted";

fn routes(cluster: &Cluster, out: &mut Vec<Finding>) {
    for service in cluster.kind("VirtualService").filter(|v| v.origin != Origin::Manifest) {
        for destination in destinations(service) {
            out.extend(misrouted(cluster, service, destination));
        }
    }
}

fn destinations(route: &Resource) -> impl Iterator<Item = Value<'_>> {
    let lists = ["spec.http", "spec.tcp", "spec.tls"].into_iter().flat_map(|path| route.at(path).items());
    lists.flat_map(|rule| rule.get("route").items()).map(|to| to.get("destination")).filter(|d| d.exists())
}

/// The Service a host of a mesh means: `reviews`, `reviews.shop`, `reviews.shop.svc.cluster.local`.
fn service_of(host: &str, from: &Resource) -> Option<Ref> {
    let (name, namespace) = service_name(host, from.namespace())?;
    Some(Ref::new("Service", namespace, name))
}

fn misrouted(cluster: &Cluster, route: &Resource, destination: Value<'_>) -> Option<Finding> {
    let (host, subset) = (destination.get("host"), destination.get("subset"));
    let target = service_of(host.text(), route)?;
    let found = |culprit: &Resource, value: Value<'_>, key: &str, says: &str, reason: String| {
        let evidence = Evidence::value(culprit, value, key, Strength::Proof, says);
        Finding::new(CAUSE, culprit.reference.clone(), evidence).fact("reason", reason).affects([target.clone()])
    };
    let is_entry = || cluster.kind("ServiceEntry").any(|e| e.at("spec.hosts").items().any(|h| h.text() == host.text()));
    if cluster.presence(&target) == Presence::Absent && !is_entry() {
        let reason = format!("there is no {target}");
        return Some(found(route, host, "host", "no Service of this name exists", reason));
    }
    if !subset.exists() {
        return None;
    }
    let mut rules = cluster.kind("DestinationRule").filter(|r| service_of(r.at("spec.host").text(), r).as_ref() == Some(&target));
    let defined = rules.find_map(|rule| {
        let entry = rule.at("spec.subsets").items().find(|s| s.get("name").text() == subset.text())?;
        Some((rule, entry))
    });
    let Some((rule, entry)) = defined else {
        let known = cluster.kind("DestinationRule").next().is_some() || cluster.collected("DestinationRule", route.namespace());
        let reason = format!("no DestinationRule defines the subset {} of {}", subset.text(), target.name);
        return known.then(|| found(route, subset, "subset", "no DestinationRule defines this subset", reason));
    };
    let labels = entry.get("labels");
    let service = cluster.get(&target)?;
    let mut pods = cluster.pods_behind(service).peekable();
    pods.peek()?;
    if labels.is_empty() || pods.any(|p| selects(labels, p.at("metadata.labels"))) {
        return None;
    }
    let reason = format!("no pod of {} has the labels of the subset {}", target.name, subset.text());
    Some(found(rule, labels, "labels", "no pod behind the Service has these labels", reason))
}
