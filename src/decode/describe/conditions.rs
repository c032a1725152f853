//! Condition tables: `Type  Status  Reason …` below `Conditions:`.

use super::outline::Entry;
use crate::decode::columns::Columns;
use crate::decode::draft::{Draft, Node};

/// The rows as `status.conditions`.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, told: Entry<'_, 't>) {
    let mut rows = told.below.0.iter().filter(|l| !l.text().is_empty());
    let Some(header) = rows.next() else { return };
    let columns = Columns::of(header.raw);
    for row in rows.filter(|r| !r.text().starts_with("--")) {
        let line = row.number;
        let mut condition = Draft::default();
        for (name, cell) in columns.cells(row.raw) {
            match name {
                "Type" => condition.text("type", line, cell),
                "Status" => condition.text("status", line, cell),
                "Reason" if !cell.is_empty() => condition.text("reason", line, cell),
                "Message" if !cell.is_empty() => condition.text("message", line, cell),
                "LastHeartbeatTime" => condition.stamp("lastHeartbeatTime", line, cell),
                "LastTransitionTime" => condition.stamp("lastTransitionTime", line, cell),
                "LastProbeTime" => condition.stamp("lastProbeTime", line, cell),
                _ => {}
            }
        }
        draft.list("status.conditions", told.number()).push((line, Node::Map(condition)));
    }
}
