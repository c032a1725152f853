//! Signs on systemd units of nodes and on monitoring alerts.

use super::field::{Field, Place};
use super::objects::node_of;
use super::{Found, Seen, Sighting, Wanted, wanted};
use crate::catalog::{Catalog, Strength};
use crate::cluster::Cluster;
use crate::decode::{Alert, NodeService, Ref};
use crate::detect::{Evidence, EvidenceKind};
use crate::location::Location;

pub(super) fn look<'a>(cluster: &'a Cluster, catalog: &'a Catalog, found: &mut Found<'a>) {
    for wanted in wanted(catalog) {
        match wanted.sign.on.as_str() {
            "node-service" => {
                cluster.node_services.iter().filter_map(|s| see_service(cluster, s, wanted)).for_each(|s| found.add(wanted, s));
            }
            "alert" => cluster.alerts.iter().filter_map(|a| see_alert(cluster, a, wanted)).for_each(|s| found.add(wanted, s)),
            _ => {}
        }
    }
}

fn see_service<'a>(cluster: &'a Cluster, service: &'a NodeService, wanted: Wanted<'a>) -> Option<Seen<'a>> {
    let sighting = Sighting::of(wanted.sign, "lines", |path| service_places(service, path))?;
    let node = service.node.as_deref().or_else(|| the_only_node(cluster)).unwrap_or("unknown");
    let object = cluster.find("Node", None, node);
    let line = service.lines.iter().find(|l| !sighting.text.is_empty() && l.text == sighting.text);
    let evidence = match line {
        Some(line) => {
            let at = Location::line(&service.location.path, line.line);
            Evidence::file(at, &line.text, wanted.sign.strength, "").of_kind(EvidenceKind::Log)
        }
        None => {
            let state = format!("{}: {} ({})", service.unit, service.active, service.sub);
            Evidence::file(service.location.clone(), state, wanted.sign.strength, "").of_kind(EvidenceKind::Status)
        }
    };
    let works = service.active != "failed" && object.is_some_and(|n| cluster.is_settled(n));
    Some(Seen {
        subject: object.map_or_else(|| Ref::new("Node", None, node), |n| n.reference.clone()),
        object,
        container: "",
        node: object.map_or("", node_of),
        sighting,
        evidence,
        at_most: if works { Strength::Hint } else { Strength::Proof },
    })
}

fn the_only_node(cluster: &Cluster) -> Option<&str> {
    let mut nodes = cluster.kind("Node");
    let only = nodes.next()?;
    nodes.next().is_none().then(|| only.name())
}

fn service_places<'a>(service: &'a NodeService, path: &str) -> Vec<Place<'a>> {
    let field = match path {
        "unit" => Field::Text(&service.unit),
        "active" => Field::Text(&service.active),
        "sub" => Field::Text(&service.sub),
        "node" => Field::Text(service.node.as_deref().unwrap_or("")),
        "lines" => return service.lines.iter().map(|l| Place { field: Field::Text(&l.text), item: None }).collect(),
        _ => return Vec::new(),
    };
    vec![Place { field, item: None }]
}

fn see_alert<'a>(cluster: &'a Cluster, alert: &'a Alert, wanted: Wanted<'a>) -> Option<Seen<'a>> {
    let sighting = Sighting::of(wanted.sign, "what", |path| alert_places(alert, path))?;
    let subject = Ref::new(&alert.subject_kind, alert.subject_namespace.as_deref(), &alert.subject);
    let object = cluster.get(&subject);
    let text = format!("{}: {}", alert.name, alert.what);
    Some(Seen {
        subject: object.map_or(subject, |o| o.reference.clone()),
        object,
        container: "",
        node: object.map_or("", node_of),
        sighting,
        evidence: Evidence::file(alert.location.clone(), text, wanted.sign.strength, ""),
        at_most: Strength::Statement,
    })
}

fn alert_places<'a>(alert: &'a Alert, path: &str) -> Vec<Place<'a>> {
    let field = match path {
        "name" => Field::Text(&alert.name),
        "what" => Field::Text(&alert.what),
        "subject" => Field::Text(&alert.subject),
        "subject.kind" => Field::Text(&alert.subject_kind),
        "subject.namespace" => Field::Text(alert.subject_namespace.as_deref().unwrap_or("")),
        _ => return Vec::new(),
    };
    vec![Place { field, item: None }]
}
