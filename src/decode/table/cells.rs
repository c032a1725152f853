//! Cells that are written alike in tables of many kinds.

use super::{Row, item};
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
