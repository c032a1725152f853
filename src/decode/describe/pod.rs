//! Pods, and the pod templates of workloads.

use super::outline::{Block, Entry, given};
use super::{conditions, container, metadata, volume};
use crate::decode::draft::{Draft, Node};

/// A pod.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, pod: Block<'_, 't>) {
    let line = pod.0.first().map_or(0, |l| l.number);
    fill_spec(draft.map("spec", line), pod);
    fill_status(draft, pod);
}

/// The template of a workload: `Pod Template:` with labels, annotations and a pod spec below.
pub(super) fn fill_template<'t>(template: &mut Draft<'t>, told: Entry<'_, 't>) {
    if let Some(labels) = told.below.get("Labels") {
        metadata::fill_pairs(template, "metadata.labels", labels);
    }
    if let Some(annotations) = told.below.get("Annotations") {
        metadata::fill_annotations(template, annotations);
    }
    fill_spec(template.map("spec", told.number()), told.below);
}

fn fill_spec<'t>(spec: &mut Draft<'t>, told: Block<'_, 't>) {
    for entry in told.entries() {
        let line = entry.number();
        match entry.key() {
            "Containers" => fill_containers(spec, "containers", entry),
            "Init Containers" => fill_containers(spec, "initContainers", entry),
            "Ephemeral Containers" => fill_containers(spec, "ephemeralContainers", entry),
            "Volumes" => volume::fill_volumes(spec, entry),
            "Tolerations" => fill_tolerations(spec, entry),
            "Node-Selectors" => metadata::fill_pairs(spec, "nodeSelector", entry),
            "Topology Spread Constraints" => fill_spread(spec, entry),
            key => {
                if let Some(value) = entry.given() {
                    fill_scalar(spec, key, value, line);
                }
            }
        }
    }
}

fn fill_scalar<'t>(spec: &mut Draft<'t>, key: &str, value: &'t str, line: u32) {
    match key {
        "Service Account" => spec.text("serviceAccountName", line, value),
        "Node" => spec.text("nodeName", line, value.split_once('/').map_or(value, |(name, _)| name)),
        "Priority" => spec.number("priority", line, value),
        "Priority Class Name" => spec.text("priorityClassName", line, value),
        "Runtime Class Name" => spec.text("runtimeClassName", line, value),
        "Restart Policy" => spec.text("restartPolicy", line, value),
        "SeccompProfile" => spec.text("securityContext.seccompProfile.type", line, value),
        "Termination Grace Period" => {
            let seconds = value.strip_suffix('s').unwrap_or(value);
            spec.number("terminationGracePeriodSeconds", line, seconds);
        }
        _ => {}
    }
}

fn fill_containers<'t>(spec: &mut Draft<'t>, field: &'static str, told: Entry<'_, 't>) {
    for entry in told.below.entries().filter(Entry::is_bare_key) {
        let container = container::spec(entry);
        spec.list(field, told.number()).push((entry.number(), Node::Map(container)));
    }
}

fn fill_status<'t>(draft: &mut Draft<'t>, pod: Block<'_, 't>) {
    for entry in pod.entries() {
        let line = entry.number();
        match entry.key() {
            "Containers" => fill_statuses(draft, "status.containerStatuses", entry),
            "Init Containers" => fill_statuses(draft, "status.initContainerStatuses", entry),
            "Ephemeral Containers" => fill_statuses(draft, "status.ephemeralContainerStatuses", entry),
            "Conditions" => conditions::fill(draft, entry),
            "IPs" => fill_ips(draft, entry),
            "Message" => draft.text("status.message", line, entry.long_value()),
            key => {
                let Some(value) = entry.given() else { continue };
                match key {
                    "Status" => fill_phase(draft, value, line),
                    "Reason" => draft.text("status.reason", line, value),
                    "IP" => draft.text("status.podIP", line, value),
                    "QoS Class" => draft.text("status.qosClass", line, value),
                    "NominatedNodeName" => draft.text("status.nominatedNodeName", line, value),
                    "Node" => {
                        if let Some(ip) = value.split_once('/').and_then(|(_, ip)| given(ip)) {
                            draft.text("status.hostIP", line, ip);
                        }
                    }
                    "Start Time" => draft.stamp("status.startTime", line, value),
                    _ => {}
                }
            }
        }
    }
}

/// `Running`, or `Terminating (lasts 5m)` when deletion was asked for.
pub(super) fn fill_phase<'t>(draft: &mut Draft<'t>, value: &'t str, line: u32) {
    match value.strip_prefix("Terminating") {
        Some(lasts) => {
            let age = lasts.trim().strip_prefix("(lasts ").and_then(|t| t.strip_suffix(')'));
            draft.age("metadata.deletionTimestamp", line, age.unwrap_or("0s"));
        }
        None => draft.text("status.phase", line, value),
    }
}

fn fill_statuses<'t>(draft: &mut Draft<'t>, field: &'static str, told: Entry<'_, 't>) {
    for entry in told.below.entries().filter(Entry::is_bare_key) {
        if let Some(status) = container::status(entry) {
            draft.list(field, told.number()).push((entry.number(), Node::Map(status)));
        }
    }
}

fn fill_ips<'t>(draft: &mut Draft<'t>, told: Entry<'_, 't>) {
    for entry in told.below.entries() {
        if let Some(ip) = entry.given() {
            let mut pod_ip = Draft::default();
            pod_ip.text("ip", entry.number(), ip);
            draft.list("status.podIPs", told.number()).push((entry.number(), Node::Map(pod_ip)));
        }
    }
}

/// `key=value:NoExecute op=Exists for 300s`, one a line or joined by commas.
fn fill_tolerations<'t>(spec: &mut Draft<'t>, told: Entry<'_, 't>) {
    for (text, line) in told.values() {
        for text in text.split(", ") {
            let toleration = toleration(text, line);
            spec.list("tolerations", told.number()).push((line, Node::Map(toleration)));
        }
    }
}

fn toleration(text: &str, line: u32) -> Draft<'_> {
    let mut draft = Draft::default();
    let (text, seconds) = match text.rsplit_once(" for ") {
        Some((text, seconds)) => (text, seconds.strip_suffix('s')),
        None => (text, None),
    };
    let (taint, operator) = match text.rsplit_once("op=") {
        Some((taint, operator)) => (taint.trim(), Some(operator)),
        None => (text.trim(), None),
    };
    let (pair, effect) = taint.rsplit_once(':').unwrap_or((taint, ""));
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    if !key.is_empty() {
        draft.text("key", line, key);
    }
    // Older versions print no operator; a toleration without a value is then one that any value satisfies.
    let operator = operator.unwrap_or(if value.is_empty() { "Exists" } else { "Equal" });
    draft.text("operator", line, operator);
    if !value.is_empty() {
        draft.text("value", line, value);
    }
    if !effect.is_empty() {
        draft.text("effect", line, effect);
    }
    if let Some(seconds) = seconds {
        draft.number("tolerationSeconds", line, seconds);
    }
    draft
}

/// `kubernetes.io/hostname:DoNotSchedule when max skew 1 is exceeded for selector app=web`.
fn fill_spread<'t>(spec: &mut Draft<'t>, told: Entry<'_, 't>) {
    for (text, line) in told.values() {
        let Some((what, rest)) = text.split_once(" when max skew ") else { continue };
        let Some((key, action)) = what.rsplit_once(':') else { continue };
        let (skew, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut constraint = Draft::default();
        constraint.number("maxSkew", line, skew);
        constraint.text("topologyKey", line, key);
        constraint.text("whenUnsatisfiable", line, action);
        if let Some((_, selector)) = rest.split_once("for selector ") {
            metadata::fill_selector(constraint.map("labelSelector", line), selector, line);
        }
        spec.list("topologySpreadConstraints", told.number()).push((line, Node::Map(constraint)));
    }
}
