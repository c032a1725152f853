//! Rows of services and endpoints.

use super::{Row, cells, item};
use crate::decode::describe::service::{fill_ingress_points, subset_of};
use crate::decode::draft::{Draft, Node};

/// Fills a service from its row.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    let line = row.line;
    let kind = row.get("TYPE").unwrap_or_default();
    if !kind.is_empty() {
        draft.text("spec.type", line, kind);
    }
    if let Some(ip) = row.get("CLUSTER-IP") {
        draft.text("spec.clusterIP", line, ip);
    }
    match (kind, row.get("EXTERNAL-IP")) {
        ("ExternalName", Some(name)) => draft.text("spec.externalName", line, name),
        ("LoadBalancer", Some(points)) => fill_ingress_points(draft, points, line),
        (_, Some(ips)) => {
            let ips = ips.split(',').map(|ip| (line, Node::text(ip)));
            draft.list("spec.externalIPs", line).extend(ips);
        }
        _ => {}
    }
    if let Some(selector) = row.get("SELECTOR") {
        cells::fill_pairs(draft.map("spec.selector", line), selector, line);
    }
    for port in row.get("PORT(S)").unwrap_or_default().split(',').filter(|p| !p.is_empty()) {
        let port = port_of(port, line);
        draft.list("spec.ports", line).push(item(port, line));
    }
}

/// `80/TCP`, `80:31234/TCP`.
fn port_of(text: &str, line: u32) -> Draft<'_> {
    let (numbers, protocol) = text.split_once('/').unwrap_or((text, "TCP"));
    let (number, node_port) = numbers.split_once(':').unwrap_or((numbers, ""));
    let mut port = Draft::default();
    port.number("port", line, number);
    port.text("protocol", line, protocol);
    if !node_port.is_empty() {
        port.number("nodePort", line, node_port);
    }
    port
}

/// Fills an Endpoints object from its row; the table names the first addresses only.
pub(super) fn fill_endpoints<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    if let Some(addresses) = row.get("ENDPOINTS") {
        let subset = subset_of(addresses, row.line);
        draft.list("subsets", row.line).push(item(subset, row.line));
    }
}
