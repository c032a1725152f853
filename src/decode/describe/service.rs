//! Services and their endpoints.

use super::metadata;
use super::outline::{Block, Entry, given};
use crate::decode::columns::Columns;
use crate::decode::draft::{Draft, Node};

/// A service.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let line = entry.number();
        match entry.key() {
            "Port" => draft.list("spec.ports", line).push((line, Node::Map(port(entry)))),
            "TargetPort" => fill_last_port(draft, "targetPort", entry),
            "NodePort" => fill_last_port(draft, "nodePort", entry),
            "Selector" => {
                if let Some(selector) = entry.given() {
                    metadata::fill_joined_pairs(draft, "spec.selector", line, selector);
                }
            }
            key => {
                if let Some(value) = entry.given() {
                    fill_scalar(draft, key, value, line);
                }
            }
        }
    }
}

fn fill_scalar<'t>(draft: &mut Draft<'t>, key: &str, value: &'t str, line: u32) {
    match key {
        "Type" => draft.text("spec.type", line, value),
        "IP" => draft.text("spec.clusterIP", line, value),
        "IPs" => fill_list(draft, "spec.clusterIPs", value, line),
        "IP Families" => fill_list(draft, "spec.ipFamilies", value, line),
        "IP Family Policy" => draft.text("spec.ipFamilyPolicy", line, value),
        "External IPs" => fill_list(draft, "spec.externalIPs", value, line),
        "External Name" => draft.text("spec.externalName", line, value),
        "LoadBalancer Ingress" => fill_ingress_points(draft, value, line),
        "Session Affinity" => draft.text("spec.sessionAffinity", line, value),
        "External Traffic Policy" => draft.text("spec.externalTrafficPolicy", line, value),
        "Internal Traffic Policy" => draft.text("spec.internalTrafficPolicy", line, value),
        "HealthCheck NodePort" => draft.number("spec.healthCheckNodePort", line, value),
        "LoadBalancer Source Ranges" => fill_list(draft, "spec.loadBalancerSourceRanges", value, line),
        _ => {}
    }
}

fn fill_list<'t>(draft: &mut Draft<'t>, path: &'static str, value: &'t str, line: u32) {
    let items = value.split(',').map(|v| (line, Node::text(v.trim())));
    draft.list(path, line).extend(items);
}

/// `203.0.113.7 (VIP), lb.example.com`.
pub(in crate::decode) fn fill_ingress_points<'t>(draft: &mut Draft<'t>, value: &'t str, line: u32) {
    for point in value.split(',') {
        let point = point.trim();
        let point = point.split_once(' ').map_or(point, |(address, _)| address);
        let mut ingress = Draft::default();
        let is_ip = point.parse::<std::net::IpAddr>().is_ok();
        ingress.text(if is_ip { "ip" } else { "hostname" }, line, point);
        draft.list("status.loadBalancer.ingress", line).push((line, Node::Map(ingress)));
    }
}

/// `http  8080/TCP`, `<unset>  8080/TCP`.
fn port<'t>(entry: Entry<'_, 't>) -> Draft<'t> {
    let line = entry.number();
    let (name, number) = entry.value().split_once(char::is_whitespace).unwrap_or(("", entry.value()));
    let (number, protocol) = number.trim().split_once('/').unwrap_or((number.trim(), "TCP"));
    let mut port = Draft::default();
    if let Some(name) = given(name) {
        port.text("name", line, name);
    }
    port.number("port", line, number);
    port.text("protocol", line, protocol);
    port
}

/// `http/TCP`, `http  31337/TCP`: belongs to the port told last.
fn fill_last_port<'t>(draft: &mut Draft<'t>, field: &'static str, entry: Entry<'_, 't>) {
    let Some(value) = entry.given() else { return };
    let value = value.rsplit(char::is_whitespace).next().unwrap_or(value);
    let number = value.split_once('/').map_or(value, |(number, _)| number);
    if let Some((_, Node::Map(port))) = draft.list("spec.ports", entry.number()).last_mut() {
        port.number(field, entry.number(), number);
    }
}

/// The endpoints of a service as its own text tells them; `None` when it tells none.
pub(super) fn endpoints_of<'t>(object: Block<'_, 't>) -> Option<Draft<'t>> {
    let told = object.entries().filter(|e| e.key() == "Endpoints");
    let line = told.clone().next()?.number();
    let mut endpoints = Draft::of("v1", "Endpoints", line);
    for (key, path) in [("Name", "metadata.name"), ("Namespace", "metadata.namespace")] {
        if let Some((value, line)) = object.given(key) {
            endpoints.text(path, line, value);
        }
    }
    for entry in told {
        if let Some(addresses) = entry.given() {
            endpoints.list("subsets", line).push((entry.number(), Node::Map(subset_of(addresses, entry.number()))));
        }
    }
    Some(endpoints)
}

/// `10.0.0.1:80,10.0.0.2:80 + 3 more...` as one subset.
pub(in crate::decode) fn subset_of(addresses: &str, line: u32) -> Draft<'_> {
    let mut subset = Draft::default();
    let (listed, _more) = addresses.split_once(" + ").unwrap_or((addresses, ""));
    let (mut ips, mut ports): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for address in listed.split(',').filter(|a| !a.is_empty()) {
        let (ip, port) = address.rsplit_once(':').unwrap_or((address, ""));
        ips.push(ip.trim_matches(['[', ']']));
        ports.push(port);
    }
    ips.dedup();
    ports.sort_unstable();
    ports.dedup();
    for ip in ips {
        let mut address = Draft::default();
        address.text("ip", line, ip);
        subset.list("addresses", line).push((line, Node::Map(address)));
    }
    for number in ports.into_iter().filter(|p| !p.is_empty()) {
        let mut port = Draft::default();
        port.number("port", line, number);
        subset.list("ports", line).push((line, Node::Map(port)));
    }
    subset
}

/// An Endpoints object: subsets told one after the other, each beginning with `Addresses:`.
pub(super) fn fill_endpoints<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    let Some(told) = object.get("Subsets") else { return };
    let mut subsets: Vec<(u32, Draft<'t>)> = Vec::new();
    for entry in told.below.entries() {
        let line = entry.number();
        if entry.key() == "Addresses" || subsets.is_empty() {
            subsets.push((line, Draft::default()));
        }
        let Some((_, subset)) = subsets.last_mut() else { continue };
        match entry.key() {
            "Addresses" => fill_addresses(subset, "addresses", entry),
            "NotReadyAddresses" => fill_addresses(subset, "notReadyAddresses", entry),
            "Ports" => fill_ports(subset, "ports", entry),
            _ => {}
        }
    }
    let subsets = subsets.into_iter().map(|(line, subset)| (line, Node::Map(subset)));
    draft.list("subsets", told.number()).extend(subsets);
}

fn fill_addresses<'t>(subset: &mut Draft<'t>, field: &'static str, entry: Entry<'_, 't>) {
    let Some(addresses) = entry.given() else { return };
    for ip in addresses.split(',') {
        let mut address = Draft::default();
        address.text("ip", entry.number(), ip);
        subset.list(field, entry.number()).push((entry.number(), Node::Map(address)));
    }
}

/// A table `Name  Port  Protocol`.
fn fill_ports<'t>(draft: &mut Draft<'t>, field: &'static str, told: Entry<'_, 't>) {
    let mut rows = told.below.0.iter().filter(|l| !l.text().is_empty());
    let Some(header) = rows.next() else { return };
    let columns = Columns::of(header.raw);
    for row in rows.filter(|r| !r.text().starts_with("--")) {
        let line = row.number;
        let mut port = Draft::default();
        for (name, cell) in columns.cells(row.raw) {
            match (name, given(cell)) {
                ("Name", Some(cell)) => port.text("name", line, cell),
                ("Port", Some(cell)) => port.number("port", line, cell),
                ("Protocol", Some(cell)) => port.text("protocol", line, cell),
                _ => {}
            }
        }
        draft.list(field, told.number()).push((line, Node::Map(port)));
    }
}

/// An EndpointSlice.
pub(super) fn fill_slice<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        match entry.key() {
            "AddressType" => draft.text("addressType", entry.number(), entry.value()),
            "Ports" => fill_ports(draft, "ports", entry),
            "Endpoints" => {
                for told in entry.below.entries().filter(|e| e.text().starts_with('-')) {
                    let endpoint = slice_endpoint(told);
                    draft.list("endpoints", entry.number()).push((told.number(), Node::Map(endpoint)));
                }
            }
            _ => {}
        }
    }
}

/// `- Addresses:  10.0.0.1` with the endpoint's other fields below.
fn slice_endpoint<'t>(told: Entry<'_, 't>) -> Draft<'t> {
    let line = told.number();
    let mut endpoint = Draft::default();
    fill_list(&mut endpoint, "addresses", told.value(), line);
    for entry in told.below.entries() {
        let line = entry.number();
        match (entry.key(), entry.given()) {
            ("NodeName", Some(node)) => endpoint.text("nodeName", line, node),
            ("Zone", Some(zone)) => endpoint.text("zone", line, zone),
            ("Hostname", Some(name)) => endpoint.text("hostname", line, name),
            ("TargetRef", Some(target)) => {
                if let Some((kind, name)) = target.split_once('/') {
                    endpoint.text("targetRef.kind", line, kind);
                    endpoint.text("targetRef.name", line, name);
                }
            }
            ("Conditions", _) => {
                if let Some((ready, line)) = entry.below.given("Ready") {
                    endpoint.flag("conditions.ready", line, ready == "true");
                }
            }
            _ => {}
        }
    }
    endpoint
}
