//! The events at the end of a describe text.

use std::sync::Arc;

use super::outline::{Block, Line, given};
use crate::decode::Event;
use crate::decode::columns::Columns;
use crate::decode::resource::Ref;
use crate::location::Location;
use crate::time;

/// Lines a message may run on; what follows is another text.
const MESSAGE_LINES: usize = 40;

/// The events of `object`, which they are about.
pub(super) fn read(path: &Arc<str>, object: Block<'_, '_>, regarding: &Ref) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let Some(at) = object.0.iter().position(|l| l.raw.starts_with("Events:")) else { return events };
    let mut rows = object.0[at + 1..].iter();
    let Some(header) = rows.find(|l| !l.text().is_empty()) else { return events };
    let columns = Columns::of(header.raw);
    if !columns.has("Reason") {
        return events;
    }
    let mut run_on = 0;
    for row in rows {
        if row.text().is_empty() || is_rule(row.text()) {
            run_on = MESSAGE_LINES;
        } else if row.raw.starts_with([' ', '\t']) && is_row(&columns, row) {
            events.push(event(path, &columns, row, regarding));
            run_on = 0;
        } else if let Some(event) = events.last_mut().filter(|_| run_on < MESSAGE_LINES) {
            // A message of several lines runs on where its line ends, outside of the table.
            event.message.push('\n');
            event.message.push_str(row.text());
            run_on += 1;
        }
    }
    events
}

fn is_rule(text: &str) -> bool {
    text.starts_with("----")
}

/// The row begins with a type, as every event does.
fn is_row(columns: &Columns<'_>, row: &Line<'_>) -> bool {
    columns.cells(row.raw).iter().any(|(name, cell)| *name == "Type" && matches!(*cell, "Normal" | "Warning"))
}

fn event(path: &Arc<str>, columns: &Columns<'_>, row: &Line<'_>, regarding: &Ref) -> Event {
    let mut event = Event::new(regarding.clone(), Location::line(path, row.number));
    for (name, cell) in columns.cells(row.raw) {
        match name {
            "Type" => event.warning = cell != "Normal",
            "Reason" => event.reason = cell.to_owned(),
            "Message" => event.message = cell.to_owned(),
            "From" => event.source = cell.split(',').next().unwrap_or_default().trim().to_owned(),
            "SubObjectPath" => event.field_path = given(cell).unwrap_or_default().to_owned(),
            "Count" => event.count = cell.parse().unwrap_or(1).max(1),
            "FirstSeen" => event.first_age = time::age(cell),
            "LastSeen" => event.last_age = time::age(cell),
            "Age" => event.set_age(cell),
            _ => {}
        }
    }
    event
}
