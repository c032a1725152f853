//! Rows of nodes.

use super::{Row, item};
use crate::decode::draft::{Draft, Node};

/// Fills a node from its row.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    let line = row.line;
    for word in row.get("STATUS").unwrap_or_default().split(',') {
        match word {
            "Ready" => fill_ready(draft, "True", line),
            "NotReady" => fill_ready(draft, "False", line),
            "Unknown" => fill_ready(draft, "Unknown", line),
            "SchedulingDisabled" => fill_cordon(draft, line),
            _ => {}
        }
    }
    for role in row.get("ROLES").unwrap_or_default().split(',').filter(|r| !r.is_empty()) {
        let labels = draft.map("metadata.labels", line);
        labels.push(format!("node-role.kubernetes.io/{role}"), line, Node::text(""));
    }
    for (column, kind) in [("INTERNAL-IP", "InternalIP"), ("EXTERNAL-IP", "ExternalIP")] {
        if let Some(ip) = row.get(column) {
            let mut address = Draft::default();
            address.text("type", line, kind);
            address.text("address", line, ip);
            draft.list("status.addresses", line).push(item(address, line));
        }
    }
    for (column, path) in [
        ("VERSION", "status.nodeInfo.kubeletVersion"),
        ("OS-IMAGE", "status.nodeInfo.osImage"),
        ("KERNEL-VERSION", "status.nodeInfo.kernelVersion"),
        ("CONTAINER-RUNTIME", "status.nodeInfo.containerRuntimeVersion"),
    ] {
        if let Some(cell) = row.get(column) {
            draft.text(path, line, cell);
        }
    }
}

fn fill_ready<'t>(draft: &mut Draft<'t>, status: &'t str, line: u32) {
    let mut condition = Draft::default();
    condition.text("type", line, "Ready");
    condition.text("status", line, status);
    draft.list("status.conditions", line).push(item(condition, line));
}

/// A cordon, and the taint the node controller adds for it.
fn fill_cordon(draft: &mut Draft<'_>, line: u32) {
    draft.flag("spec.unschedulable", line, true);
    let mut taint = Draft::default();
    taint.text("key", line, "node.kubernetes.io/unschedulable");
    taint.text("effect", line, "NoSchedule");
    draft.list("spec.taints", line).push(item(taint, line));
}
