//! Cells that are written alike in tables of many kinds.

use super::{Row, item};
use crate::decode::describe::storage::{fill_claim_ref, mark_default};
use crate::decode::describe::volume::fill_access_modes;
use crate::decode::draft::{Draft, Node};

/// `a=b,c=d` into `metadata.labels`.
pub(super) fn fill_labels<'t>(draft: &mut Draft<'t>, labels: &'t str, line: u32) {
    fill_pairs(draft.map("metadata.labels", line), labels, line);
}

/// `a=b,c=d` into a map. Set-based requirements are left out.
pub(super) fn fill_pairs<'t>(draft: &mut Draft<'t>, pairs: &'t str, line: u32) {
    for pair in pairs.split(',') {
        if let Some((key, value)) = pair.split_once('=') {
            draft.push(key, line, Node::text(value));
        }
    }
}

/// `2/3`.
pub(super) fn ratio(cell: &str) -> Option<(&str, &str)> {
    let (part, whole) = cell.split_once('/')?;
    let number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    (number(part) && number(whole)).then_some((part, whole))
}

/// Columns that hold one field as it is: kind, column, path in the object.
#[rustfmt::skip]
const KNOWN: &[(&str, &str, &str)] = &[
    ("Namespace", "STATUS", "status.phase"),
    ("PersistentVolumeClaim", "STATUS", "status.phase"),
    ("PersistentVolumeClaim", "VOLUME", "spec.volumeName"),
    ("PersistentVolumeClaim", "CAPACITY", "status.capacity.storage"),
    ("PersistentVolumeClaim", "STORAGECLASS", "spec.storageClassName"),
    ("PersistentVolumeClaim", "VOLUMEMODE", "spec.volumeMode"),
    ("PersistentVolume", "CAPACITY", "spec.capacity.storage"),
    ("PersistentVolume", "RECLAIM POLICY", "spec.persistentVolumeReclaimPolicy"),
    ("PersistentVolume", "STATUS", "status.phase"),
    ("PersistentVolume", "STORAGECLASS", "spec.storageClassName"),
    ("PersistentVolume", "REASON", "status.reason"),
    ("PersistentVolume", "VOLUMEMODE", "spec.volumeMode"),
    ("StorageClass", "PROVISIONER", "provisioner"),
    ("StorageClass", "RECLAIMPOLICY", "reclaimPolicy"),
    ("StorageClass", "VOLUMEBINDINGMODE", "volumeBindingMode"),
];

/// Fills the columns whose cells are a field of the object just as they stand.
pub(super) fn fill_known<'t>(draft: &mut Draft<'t>, kind: &str, row: &Row<'t>) {
    for (_, column, path) in KNOWN.iter().filter(|(k, ..)| *k == kind) {
        if let Some(cell) = row.get(column) {
            draft.put(path, row.line, Node::text(cell));
        }
    }
    let line = row.line;
    match kind {
        "PersistentVolumeClaim" | "PersistentVolume" => {
            if let Some(modes) = row.get("ACCESS MODES") {
                fill_access_modes(draft, "spec.accessModes", modes, line);
            }
            if let Some(claim) = row.get("CLAIM") {
                fill_claim_ref(draft, claim, line);
            }
        }
        "StorageClass" => {
            if row.get("NAME").is_some_and(|n| n.ends_with("(default)")) {
                mark_default(draft, line);
            }
            if let Some(expansion) = row.get("ALLOWVOLUMEEXPANSION") {
                draft.flag("allowVolumeExpansion", line, expansion == "true");
            }
        }
        "CustomResourceDefinition" => {
            if let Some(stamp) = row.get("CREATED AT") {
                draft.stamp("metadata.creationTimestamp", line, stamp);
            }
        }
        _ => {}
    }
}

/// `web,sidecar` and `nginx:1,envoy:2` as the containers of a pod template.
pub(super) fn fill_containers<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    let (Some(names), Some(images)) = (row.get("CONTAINERS"), row.get("IMAGES")) else { return };
    let line = row.line;
    for (name, image) in names.split(',').zip(images.split(',')) {
        let mut container = Draft::default();
        container.text("name", line, name);
        container.text("image", line, image);
        draft.list("spec.template.spec.containers", line).push(item(container, line));
    }
}
