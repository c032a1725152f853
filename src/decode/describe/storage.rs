//! Claims, volumes and storage classes.

use super::outline::{Block, Entry};
use super::pod::fill_phase;
use super::{conditions, metadata, volume};
use crate::decode::draft::{Draft, Node};

/// A PersistentVolumeClaim.
pub(super) fn fill_claim<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let line = entry.number();
        if entry.key() == "Conditions" {
            conditions::fill(draft, entry);
            continue;
        }
        let Some(value) = entry.given() else { continue };
        match entry.key() {
            "StorageClass" => draft.text("spec.storageClassName", line, value),
            "Status" => fill_phase(draft, value, line),
            "Volume" => draft.text("spec.volumeName", line, value),
            "Capacity" => draft.text("status.capacity.storage", line, value),
            "Access Modes" => {
                volume::fill_access_modes(draft, "spec.accessModes", value, line);
                volume::fill_access_modes(draft, "status.accessModes", value, line);
            }
            "VolumeMode" => draft.text("spec.volumeMode", line, value),
            _ => {}
        }
    }
}

/// A PersistentVolume.
pub(super) fn fill_volume<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let line = entry.number();
        match entry.key() {
            "Source" => {
                volume::fill_source(draft.map("spec", line), entry.below);
                continue;
            }
            "Node Affinity" => {
                fill_affinity(draft, entry);
                continue;
            }
            _ => {}
        }
        let Some(value) = entry.given() else { continue };
        match entry.key() {
            "StorageClass" => draft.text("spec.storageClassName", line, value),
            "Status" => fill_phase(draft, value, line),
            "Reason" => draft.text("status.reason", line, value),
            "Message" => draft.text("status.message", line, value),
            "Claim" => fill_claim_ref(draft, value, line),
            "Reclaim Policy" => draft.text("spec.persistentVolumeReclaimPolicy", line, value),
            "Access Modes" => volume::fill_access_modes(draft, "spec.accessModes", value, line),
            "VolumeMode" => draft.text("spec.volumeMode", line, value),
            "Capacity" => draft.text("spec.capacity.storage", line, value),
            _ => {}
        }
    }
}

/// `namespace/name`.
pub(in crate::decode) fn fill_claim_ref<'t>(draft: &mut Draft<'t>, value: &'t str, line: u32) {
    if let Some((namespace, name)) = value.split_once('/') {
        let claim = draft.map("spec.claimRef", line);
        claim.text("kind", line, "PersistentVolumeClaim");
        claim.text("namespace", line, namespace);
        claim.text("name", line, name);
    }
}

/// `Required Terms:` with `Term 0:  kubernetes.io/hostname in [node-1]` below; further expressions stand on lines of their own.
fn fill_affinity<'t>(draft: &mut Draft<'t>, told: Entry<'_, 't>) {
    let Some(required) = told.below.get("Required Terms") else { return };
    for term in required.below.entries().filter(|e| e.key().starts_with("Term ")) {
        let mut selector = Draft::default();
        for (text, line) in term.values() {
            if let Some(expression) = expression(text, line) {
                selector.list("matchExpressions", line).push((line, Node::Map(expression)));
            }
        }
        let line = term.number();
        draft.list("spec.nodeAffinity.required.nodeSelectorTerms", line).push((line, Node::Map(selector)));
    }
}

/// `kubernetes.io/hostname in [node-1, node-2]`, `zone exists`.
fn expression(text: &str, line: u32) -> Option<Draft<'_>> {
    let (key, rest) = text.split_once(' ')?;
    let (operator, values) = rest.split_once(" [").unwrap_or((rest, ""));
    let mut draft = Draft::default();
    draft.text("key", line, key);
    let operator = match operator.trim() {
        "in" => "In",
        "not in" | "notin" => "NotIn",
        "exists" => "Exists",
        "does not exist" => "DoesNotExist",
        other => other,
    };
    draft.text("operator", line, operator);
    for value in values.trim_end_matches(']').split(',').map(str::trim).filter(|v| !v.is_empty()) {
        draft.list("values", line).push((line, Node::text(value)));
    }
    Some(draft)
}

/// A StorageClass.
pub(super) fn fill_class<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let line = entry.number();
        let Some(value) = entry.given() else { continue };
        match entry.key() {
            "IsDefaultClass" if value == "Yes" => mark_default(draft, line),
            "Provisioner" => draft.text("provisioner", line, value),
            "Parameters" => metadata::fill_joined_pairs(draft, "parameters", line, value),
            "AllowVolumeExpansion" => draft.flag("allowVolumeExpansion", line, value.eq_ignore_ascii_case("true")),
            "ReclaimPolicy" => draft.text("reclaimPolicy", line, value),
            "VolumeBindingMode" => draft.text("volumeBindingMode", line, value),
            "MountOptions" => {
                for (options, line) in entry.values() {
                    let options = options.split(',').map(|o| (line, Node::text(o.trim())));
                    draft.list("mountOptions", line).extend(options);
                }
            }
            _ => {}
        }
    }
}

/// The annotation that makes a class the default.
pub(in crate::decode) fn mark_default(draft: &mut Draft<'_>, line: u32) {
    let annotations = draft.map("metadata.annotations", line);
    annotations.push("storageclass.kubernetes.io/is-default-class", line, Node::text("true"));
}
