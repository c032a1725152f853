//! Nodes, with the lease and the pods their text tells beside them.

use super::conditions;
use super::container::fill_quantities;
use super::outline::{Block, Entry};
use crate::decode::columns::Columns;
use crate::decode::draft::{Draft, Node};

/// A node.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let (line, value) = (entry.number(), entry.value());
        match entry.key() {
            "Taints" => fill_taints(draft, entry),
            "Unschedulable" if value == "true" => draft.flag("spec.unschedulable", line, true),
            "Conditions" => conditions::fill(draft, entry),
            "Addresses" => fill_addresses(draft, entry),
            "Capacity" => fill_quantities(draft.map("status.capacity", line), entry),
            "Allocatable" => fill_quantities(draft.map("status.allocatable", line), entry),
            "System Info" => fill_system(draft.map("status.nodeInfo", line), entry),
            "PodCIDR" => draft.text("spec.podCIDR", line, value),
            "PodCIDRs" => {
                let cidrs = value.split(',').map(|c| (line, Node::text(c)));
                draft.list("spec.podCIDRs", line).extend(cidrs);
            }
            "ProviderID" => draft.text("spec.providerID", line, value),
            _ => {}
        }
    }
}

/// `key=value:NoSchedule`.
fn fill_taints<'t>(draft: &mut Draft<'t>, told: Entry<'_, 't>) {
    for (text, line) in told.values() {
        let (pair, effect) = text.rsplit_once(':').unwrap_or((text, ""));
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mut taint = Draft::default();
        taint.text("key", line, key);
        if !value.is_empty() {
            taint.text("value", line, value);
        }
        taint.text("effect", line, effect);
        draft.list("spec.taints", told.number()).push((line, Node::Map(taint)));
    }
}

fn fill_addresses<'t>(draft: &mut Draft<'t>, told: Entry<'_, 't>) {
    for entry in told.below.entries() {
        let line = entry.number();
        let mut address = Draft::default();
        address.text("type", line, entry.key());
        address.text("address", line, entry.value());
        draft.list("status.addresses", told.number()).push((line, Node::Map(address)));
    }
}

fn fill_system<'t>(system: &mut Draft<'t>, told: Entry<'_, 't>) {
    for entry in told.below.entries() {
        let field = match entry.key() {
            "Machine ID" => "machineID",
            "System UUID" => "systemUUID",
            "Boot ID" => "bootID",
            "Kernel Version" => "kernelVersion",
            "OS Image" => "osImage",
            "Operating System" => "operatingSystem",
            "Architecture" => "architecture",
            "Container Runtime Version" => "containerRuntimeVersion",
            "Kubelet Version" => "kubeletVersion",
            "Kube-Proxy Version" => "kubeProxyVersion",
            _ => continue,
        };
        system.text(field, entry.number(), entry.value());
    }
}

/// The node's lease, which tells whether its kubelet lives.
pub(super) fn lease<'t>(node: &'t str, told: Entry<'_, 't>) -> Draft<'t> {
    let line = told.number();
    let mut lease = Draft::of("coordination.k8s.io/v1", "Lease", line);
    lease.text("metadata.name", line, node);
    lease.text("metadata.namespace", line, "kube-node-lease");
    if let Some((holder, line)) = told.below.given("HolderIdentity") {
        lease.text("spec.holderIdentity", line, holder);
    }
    for (key, path) in [("AcquireTime", "spec.acquireTime"), ("RenewTime", "spec.renewTime")] {
        if let Some((stamp, line)) = told.below.given(key) {
            lease.stamp(path, line, stamp);
        }
    }
    lease
}

/// The pods that `Non-terminated Pods:` lists, with what they request: enough to know what is left of the node.
pub(super) fn pods<'t>(node: &'t str, told: Entry<'_, 't>) -> Vec<(u32, Draft<'t>)> {
    let mut rows = told.below.0.iter().filter(|l| !l.text().is_empty());
    let Some(header) = rows.next() else { return Vec::new() };
    let columns = Columns::of(header.raw);
    rows.filter(|r| !r.text().starts_with("--"))
        .map(|row| (row.number, listed_pod(node, &columns, row.raw, row.number)))
        .collect()
}

fn listed_pod<'t>(node: &'t str, columns: &Columns<'t>, row: &'t str, line: u32) -> Draft<'t> {
    let mut pod = Draft::of("v1", "Pod", line);
    let mut resources = Draft::default();
    for (name, cell) in columns.cells(row) {
        // `100m (1%)`: the share follows the quantity.
        let quantity = cell.split_once(' ').map_or(cell, |(quantity, _)| quantity);
        match name {
            "Namespace" => pod.text("metadata.namespace", line, cell),
            "Name" => pod.text("metadata.name", line, cell),
            "Age" => pod.age("metadata.creationTimestamp", line, cell),
            "CPU Requests" if quantity != "0" => resources.text("requests.cpu", line, quantity),
            "CPU Limits" if quantity != "0" => resources.text("limits.cpu", line, quantity),
            "Memory Requests" if quantity != "0" => resources.text("requests.memory", line, quantity),
            "Memory Limits" if quantity != "0" => resources.text("limits.memory", line, quantity),
            _ => {}
        }
    }
    pod.text("spec.nodeName", line, node);
    if !resources.is_empty() {
        let mut container = Draft::default();
        container.put("resources", line, Node::Map(resources));
        pod.list("spec.containers", line).push((line, Node::Map(container)));
    }
    pod
}
