//! Rows of custom resources: their columns are what their authors chose.

use super::{Row, item};
use crate::decode::draft::{Draft, Node};

/// Fills the status from the columns. READY is the condition of that name, by the customs of controllers; any other
/// column is a field of the status called like it: `CURRENT RUNNERS` → `currentRunners`.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, row: &Row<'t>) {
    let line = row.line;
    for (name, _) in &row.cells {
        let Some(cell) = row.get(name) else { continue };
        match (*name, cell) {
            ("NAMESPACE" | "NAME" | "AGE" | "LABELS", _) => {}
            ("READY", "True" | "False" | "Unknown") => {
                let mut condition = Draft::default();
                condition.text("type", line, "Ready");
                condition.text("status", line, cell);
                for (column, field) in [("REASON", "reason"), ("STATUS", "message"), ("MESSAGE", "message")] {
                    if let Some(told) = row.get(column) {
                        condition.text(field, line, told);
                    }
                }
                draft.list("status.conditions", line).push(item(condition, line));
            }
            ("SYNC STATUS", _) => draft.text("status.sync.status", line, cell),
            ("HEALTH STATUS", _) => draft.text("status.health.status", line, cell),
            _ => draft.map("status", line).push(field_name(name), line, Node::plain(cell)),
        }
    }
}

/// `CURRENT RUNNERS` → `currentRunners`.
fn field_name(heading: &str) -> String {
    let mut name = String::with_capacity(heading.len());
    for word in heading.split([' ', '-', '_']).filter(|w| !w.is_empty()) {
        let mut letters = word.chars();
        let first = letters.next().into_iter();
        if name.is_empty() {
            name.extend(first.map(|c| c.to_ascii_lowercase()));
        } else {
            name.extend(first);
        }
        name.extend(letters.map(|c| c.to_ascii_lowercase()));
    }
    name
}
