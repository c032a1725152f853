//! Rows of workloads: numbers of replicas, and with `-o wide` containers and selector.

use super::{Row, cells};
use crate::decode::describe::metadata::fill_selector;
use crate::decode::draft::Draft;

/// Fills a workload of `kind` from its row.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, kind: &str, row: &Row<'t>) {
    let line = row.line;
    // A ratio `1/3`, or (replica sets, daemon sets) a number beside DESIRED and CURRENT.
    if let Some((ready, desired)) = row.get("READY").and_then(cells::ratio) {
        draft.number("status.readyReplicas", line, ready);
        draft.number("spec.replicas", line, desired);
    }
    for (column, path) in columns(kind) {
        if let Some(number) = row.get(column).filter(|n| cells::ratio(n).is_none()) {
            draft.number(path, line, number);
        }
    }
    cells::fill_containers(draft, row);
    if let Some(selector) = row.get("SELECTOR") {
        fill_selector(draft.map("spec.selector", line), selector, line);
    }
    if let Some(selector) = row.get("NODE SELECTOR") {
        cells::fill_pairs(draft.map("spec.template.spec.nodeSelector", line), selector, line);
    }
}

fn columns(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind {
        "DaemonSet" => &[
            ("DESIRED", "status.desiredNumberScheduled"),
            ("CURRENT", "status.currentNumberScheduled"),
            ("READY", "status.numberReady"),
            ("UP-TO-DATE", "status.updatedNumberScheduled"),
            ("AVAILABLE", "status.numberAvailable"),
        ],
        _ => &[
            ("DESIRED", "spec.replicas"),
            ("CURRENT", "status.replicas"),
            ("READY", "status.readyReplicas"),
            ("UP-TO-DATE", "status.updatedReplicas"),
            ("AVAILABLE", "status.availableReplicas"),
        ],
    }
}
