//! Ingresses and network policies.

use super::metadata;
use super::outline::{Block, Entry, given};
use super::service::fill_ingress_points;
use crate::decode::columns::fields;
use crate::decode::draft::{Draft, Node};

/// An Ingress.
pub(super) fn fill_ingress<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let line = entry.number();
        match (entry.key(), entry.given()) {
            ("Address", Some(address)) => fill_ingress_points(draft, address, line),
            ("Ingress Class", Some(class)) => draft.text("spec.ingressClassName", line, class),
            ("Default backend", Some(backend)) => fill_backend(draft.map("spec.defaultBackend", line), backend, line),
            ("TLS", _) => fill_tls(draft, entry),
            ("Rules", _) => fill_rules(draft, entry),
            _ => {}
        }
    }
}

/// `web-tls terminates a.example.com,b.example.com`.
fn fill_tls<'t>(draft: &mut Draft<'t>, told: Entry<'_, 't>) {
    for (text, line) in told.values() {
        let (secret, hosts) = match (text.split_once(" terminates "), text.split_once(" routes ")) {
            (Some((secret, hosts)), _) => (Some(secret), hosts),
            (None, Some((_, hosts))) => (None, hosts),
            _ => continue,
        };
        let mut tls = Draft::default();
        if let Some(secret) = secret {
            tls.text("secretName", line, secret);
        }
        let hosts = hosts.split(',').map(str::trim).filter(|h| !h.is_empty());
        tls.list("hosts", line).extend(hosts.map(|h| (line, Node::text(h))));
        draft.list("spec.tls", told.number()).push((line, Node::Map(tls)));
    }
}

/// Hosts under the heading `Host`, their paths and backends on the lines below.
fn fill_rules<'t>(draft: &mut Draft<'t>, told: Entry<'_, 't>) {
    let mut lines = told.below.0.iter().filter(|l| !l.text().is_empty());
    let Some(header) = lines.next() else { return };
    let mut rules: Vec<(u32, Draft<'t>)> = Vec::new();
    for row in lines.filter(|l| !l.text().starts_with("--")) {
        let line = row.number;
        let mut cells = fields(row.raw).map(|(_, text)| text);
        if row.indent <= header.indent || rules.is_empty() {
            let mut rule = Draft::default();
            if let Some(host) = cells.next().filter(|h| *h != "*") {
                rule.text("host", line, host);
            }
            rules.push((line, rule));
        }
        let cells: Vec<&str> = cells.collect();
        let (path, backend) = match cells[..] {
            [path, backend, ..] => (Some(path), backend),
            [backend] => (None, backend),
            [] => continue,
        };
        // A path and its backend may stand close together.
        let (path, backend) = match (path, backend.split_once(' ')) {
            (None, Some((path, backend))) if path.starts_with('/') => (Some(path), backend.trim()),
            _ => (path, backend),
        };
        let mut told = Draft::default();
        if let Some(path) = path {
            told.text("path", line, path);
        }
        fill_backend(told.map("backend", line), backend, line);
        if let Some((_, rule)) = rules.last_mut() {
            rule.list("http.paths", line).push((line, Node::Map(told)));
        }
    }
    draft.list("spec.rules", told.number()).extend(rules.into_iter().map(|(line, rule)| (line, Node::Map(rule))));
}

/// `web:80 (10.0.0.1:8080)`, `web:http (<error: endpoints "web" not found>)`.
fn fill_backend<'t>(backend: &mut Draft<'t>, text: &'t str, line: u32) {
    let target = text.split_once(' ').map_or(text, |(target, _)| target);
    let Some((service, port)) = target.rsplit_once(':') else { return };
    backend.text("service.name", line, service);
    let is_number = port.bytes().all(|b| b.is_ascii_digit());
    backend.number(if is_number { "service.port.number" } else { "service.port.name" }, line, port);
}

/// An IngressClass.
pub(super) fn fill_ingress_class<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    if let Some((controller, line)) = object.given("Controller") {
        draft.text("spec.controller", line, controller);
    }
}

/// A NetworkPolicy.
pub(super) fn fill_policy<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    let Some(spec) = object.get("Spec") else { return };
    for entry in spec.below.entries() {
        let line = entry.number();
        match entry.key() {
            "PodSelector" => fill_pod_selector(draft.map("spec.podSelector", line), entry.value(), line),
            "Allowing ingress traffic" => fill_policy_rules(draft, "spec.ingress", "from", entry),
            "Allowing egress traffic" => fill_policy_rules(draft, "spec.egress", "to", entry),
            "Policy Types" => {
                let kinds = entry.value().split(',').map(|k| (line, Node::text(k.trim())));
                draft.list("spec.policyTypes", line).extend(kinds);
            }
            _ => {}
        }
    }
}

/// `app=web`, `<none> (Allowing the specific traffic to all pods in this namespace)`.
fn fill_pod_selector<'t>(selector: &mut Draft<'t>, text: &'t str, line: u32) {
    if !text.starts_with("<none>") {
        metadata::fill_selector(selector, text, line);
    }
}

/// Rules, with lines of dashes between them.
fn fill_policy_rules<'t>(draft: &mut Draft<'t>, path: &'static str, peers: &'static str, told: Entry<'_, 't>) {
    let rules = draft.list(path, told.number());
    let mut open = false;
    for entry in told.below.entries() {
        let line = entry.number();
        if entry.text().starts_with("--") {
            open = false;
            continue;
        }
        if entry.text().starts_with("<none>") {
            continue;
        }
        if !open {
            rules.push((line, Node::Map(Draft::default())));
            open = true;
        }
        let Some((_, Node::Map(rule))) = rules.last_mut() else { continue };
        match entry.key() {
            "To Port" => fill_policy_port(rule, entry),
            "From" | "To" if !entry.value().starts_with("<any>") => {
                let peer = peer(entry.below);
                rule.list(peers, line).push((line, Node::Map(peer)));
            }
            _ => {}
        }
    }
}

/// `80/TCP`, `<any> (traffic allowed to all ports)`.
fn fill_policy_port<'t>(rule: &mut Draft<'t>, entry: Entry<'_, 't>) {
    let (line, value) = (entry.number(), entry.value());
    if value.starts_with("<any>") {
        return;
    }
    let (number, protocol) = value.split_once('/').unwrap_or((value, "TCP"));
    let mut port = Draft::default();
    if given(number).is_some() {
        port.number("port", line, number);
    }
    port.text("protocol", line, protocol);
    rule.list("ports", line).push((line, Node::Map(port)));
}

fn peer<'t>(told: Block<'_, 't>) -> Draft<'t> {
    let mut peer = Draft::default();
    for entry in told.entries() {
        let line = entry.number();
        match entry.key() {
            "PodSelector" => fill_pod_selector(peer.map("podSelector", line), entry.value(), line),
            "NamespaceSelector" => fill_pod_selector(peer.map("namespaceSelector", line), entry.value(), line),
            "IPBlock" => {
                for told in entry.below.entries() {
                    match (told.key(), told.given()) {
                        ("CIDR", Some(cidr)) => peer.text("ipBlock.cidr", told.number(), cidr),
                        ("Except", Some(except)) => {
                            let except = except.trim_matches(['[', ']']).split([',', ' ']).filter(|e| !e.is_empty());
                            let except = except.map(|e| (told.number(), Node::text(e)));
                            peer.list("ipBlock.except", told.number()).extend(except);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    peer
}
