//! Tables of events, with or without their header.

use std::sync::Arc;

use crate::decode::columns::{Columns, fields};
use crate::decode::kind::KindName;
use crate::decode::resource::Ref;
use crate::decode::{Decoded, Document, Event};
use crate::location::Location;
use crate::time;

/// Lines a message may run on.
const MESSAGE_LINES: u32 = 40;

/// A table of events whose rows are being read.
pub(super) struct Events<'t> {
    /// The columns, when a header told them and they are not the usual ones.
    columns: Option<Columns<'t>>,
    /// Lines since the last row.
    run_on: u32,
}

impl<'t> Events<'t> {
    /// Events under a header.
    pub(super) fn under(columns: Columns<'t>) -> Self {
        // The usual columns are told apart by what stands in them, which also stands rows that do not keep to them.
        let usual = columns.names().all(|n| matches!(n, "NAMESPACE" | "LAST SEEN" | "TYPE" | "REASON" | "OBJECT" | "MESSAGE"));
        Self { columns: Some(columns).filter(|_| !usual), run_on: 0 }
    }

    /// Events without a header (the end of a longer table), when `row` looks like one.
    pub(super) fn headless(row: &str) -> Option<Self> {
        usual_row(row).map(|_| Self { columns: None, run_on: 0 })
    }

    /// Reads one row, or one more line of the message before.
    pub(super) fn read(&mut self, path: &Arc<str>, row: &str, line: u32, decoded: &mut Decoded) {
        let event = match &self.columns {
            Some(columns) => wide_event(columns, row, Location::line(path, line)),
            None => usual_row(row).and_then(|told| told.event(Location::line(path, line))),
        };
        if let Some(event) = event {
            decoded.documents.push(Document::Event(event));
            self.run_on = 0;
        } else if let Some(Document::Event(event)) = decoded.documents.last_mut().filter(|_| self.run_on < MESSAGE_LINES) {
            event.message.push('\n');
            event.message.push_str(row.trim());
            self.run_on += 1;
        }
    }
}

/// `[NAMESPACE] LAST-SEEN TYPE REASON OBJECT MESSAGE`.
struct UsualRow<'r> {
    namespace: Option<&'r str>,
    age: &'r str,
    kind: &'r str,
    reason: &'r str,
    object: &'r str,
    message: &'r str,
}

fn usual_row(row: &str) -> Option<UsualRow<'_>> {
    let mut parts = fields(row).map(|(_, text)| text);
    let first = parts.next()?;
    let second = parts.next()?;
    let (namespace, age, kind) = if matches!(second, "Normal" | "Warning") {
        (None, first, second)
    } else {
        (Some(first), second, parts.next().filter(|k| matches!(*k, "Normal" | "Warning"))?)
    };
    let (reason, object) = (parts.next()?, parts.next()?);
    if !object.contains('/') || !(age == "<unknown>" || time::event_ages(age).is_some()) {
        return None;
    }
    let after = object.as_ptr().addr() - row.as_ptr().addr() + object.len();
    Some(UsualRow { namespace, age, kind, reason, object, message: row[after..].trim() })
}

impl UsualRow<'_> {
    fn event(self, location: Location) -> Option<Event> {
        let mut event = Event::new(regarding(self.object, self.namespace)?, location);
        event.warning = self.kind == "Warning";
        event.reason = self.reason.to_owned();
        event.message = self.message.to_owned();
        event.set_age(self.age);
        Some(event)
    }
}

/// `pod/web-0`, `deployment.apps/web`. The namespace column of a node's event is that of the event, not of the node.
fn regarding(object: &str, namespace: Option<&str>) -> Option<Ref> {
    let (prefix, name) = object.split_once('/')?;
    let known = KindName::of(prefix);
    let kind = known.map_or(prefix, |k| k.kind);
    let namespaced = known.is_none_or(|k| k.namespaced);
    Some(Ref::new(kind, namespace.filter(|_| namespaced), name))
}

/// A row of `-o wide`, or of the layouts of old versions.
fn wide_event(columns: &Columns<'_>, row: &str, location: Location) -> Option<Event> {
    let cells = columns.cells(row);
    let cell = |name: &str| cells.iter().find(|(n, c)| *n == name && !c.is_empty() && *c != "<none>").map(|(_, c)| *c);
    let kind = cell("TYPE").filter(|k| matches!(*k, "Normal" | "Warning"))?;
    let regarding = match (cell("OBJECT"), cell("KIND"), cell("NAME")) {
        (Some(object), ..) => regarding(object, cell("NAMESPACE"))?,
        // Before 1.14: the event's own name is the object's with a suffix.
        (None, Some(kind), Some(name)) => Ref::new(kind, cell("NAMESPACE"), name.rsplit_once('.').map_or(name, |(n, _)| n)),
        _ => return None,
    };
    let mut event = Event::new(regarding, location);
    event.warning = kind == "Warning";
    event.reason = cell("REASON").unwrap_or_default().to_owned();
    event.message = cell("MESSAGE").unwrap_or_default().to_owned();
    event.field_path = cell("SUBOBJECT").unwrap_or_default().to_owned();
    event.source = cell("SOURCE").and_then(|s| s.split(',').next()).unwrap_or_default().to_owned();
    event.count = cell("COUNT").and_then(|c| c.parse().ok()).unwrap_or(1).max(1);
    event.first_age = cell("FIRST SEEN").or_else(|| cell("FIRSTSEEN")).and_then(time::age);
    event.set_age(cell("LAST SEEN").or_else(|| cell("LASTSEEN")).unwrap_or_default());
    Some(event)
}
