//! `kubectl get` tables → objects and events.
//!
//! A header of capital words tells the columns; the kind comes from a prefix of the name (`pod/web-0`), from the columns, or
//! from the file's name. A text may hold several tables, and other text between them.

use std::sync::Arc;

use super::columns::Columns;
use super::draft::{Draft, Node};
use super::resource::Origin;
use super::{Decoded, Document, Part, collected};
use crate::location::Location;

mod cells;
mod custom;
mod events;
mod known;
mod node;
mod pod;
mod service;
mod sort;
mod workload;

use sort::Listed;

/// The line begins a table: it is a header, or a row of events whose header was cut off.
pub(super) fn begins(line: &str) -> bool {
    Table::begun_by("", line).is_some() || events::Events::headless(line).is_some()
}

/// The tables of a text; `None` when it holds none.
pub(super) fn decode(part: &Part<'_>) -> Option<Decoded> {
    let mut decoded = Decoded::default();
    read(part.path, part.name(), part.text, part.line, &mut decoded).then_some(decoded)
}

/// Reads the tables of `text`, whose first line is line `first` of its file, into `decoded`. Says whether there were any.
/// `name` is the path or the command that may tell the kind.
pub(super) fn read(path: &Arc<str>, name: &str, text: &str, first: u32, decoded: &mut Decoded) -> bool {
    let mut found = false;
    let mut table: Option<Table> = None;
    let mut from = decoded.documents.len();
    for (row, line) in text.lines().zip(first..) {
        if let Some(next) = Table::begun_by(name, row) {
            end(table.replace(next), path, name, from, decoded);
            found = true;
            from = decoded.documents.len();
        } else if row.trim().is_empty() {
            // Blank lines end a table, but an event's message may run on after one.
            if let Some(ended) = table.take_if(|t| matches!(t, Table::Objects { .. })) {
                end(Some(ended), path, name, from, decoded);
            }
        } else if let Some(table) = &mut table {
            table.read(path, row, line, decoded);
        } else if let Some(mut events) = events::Events::headless(row) {
            found = true;
            events.read(path, row, line, decoded);
            table = Some(Table::Events(events));
        }
    }
    end(table, path, name, from, decoded);
    found
}

/// Adds what the table of the documents `from` on shows to have been asked for. A single row may have been asked for by
/// its name, unless the file is called after the kind.
fn end(table: Option<Table<'_>>, path: &Arc<str>, name: &str, from: usize, decoded: &mut Decoded) {
    let Some(Table::Objects { columns, listed }) = table else { return };
    let objects = &decoded.documents[from..];
    let everywhere = columns.has("NAMESPACE");
    let is_named = listed.is_some_and(|l| sort::is_named(name, &l.kind));
    if everywhere || is_named || objects.len() > 1 {
        let asked = collected::of_objects(objects, everywhere, &Location::file(path));
        decoded.documents.extend(asked);
    }
}

/// A table whose rows are being read.
enum Table<'t> {
    /// Events.
    Events(events::Events<'t>),
    /// Objects of one kind, or of several told by their names' prefixes.
    Objects { columns: Columns<'t>, listed: Option<Listed<'t>> },
}

impl<'t> Table<'t> {
    /// The table that `line` is the header of.
    fn begun_by(name: &str, line: &'t str) -> Option<Self> {
        if !sort::may_be_header(line) {
            return None;
        }
        let columns = Columns::of(line);
        if columns.has("REASON") && (columns.has("OBJECT") || columns.has("KIND")) {
            return Some(Table::Events(events::Events::under(columns)));
        }
        if !columns.has("NAME") {
            return None;
        }
        let listed = sort::listed(&columns, name);
        Some(Table::Objects { columns, listed })
    }

    fn read(&mut self, path: &Arc<str>, row: &'t str, line: u32, decoded: &mut Decoded) {
        match self {
            Table::Events(events) => events.read(path, row, line, decoded),
            Table::Objects { columns, listed } => {
                if let Some(draft) = object(&Row { cells: columns.cells(row), line }, listed.as_ref()) {
                    let resource = draft.into_resource(path, Origin::Table, line);
                    decoded.documents.extend(resource.map(Document::Resource));
                }
            }
        }
    }
}

/// One row with its headings.
struct Row<'t> {
    cells: Vec<(&'t str, &'t str)>,
    line: u32,
}

impl<'t> Row<'t> {
    /// The cell under `name`, when it tells something.
    fn get(&self, name: &str) -> Option<&'t str> {
        let cell = self.cells.iter().find(|(n, _)| *n == name)?.1;
        let nothing = matches!(cell, "" | "<none>" | "<unset>" | "<unknown>" | "<pending>" | "<invalid>");
        (!nothing).then_some(cell)
    }

    /// There is a column `name`.
    fn has(&self, name: &str) -> bool {
        self.cells.iter().any(|(n, _)| *n == name)
    }
}

/// The object a row tells of.
fn object<'t>(row: &Row<'t>, listed: Option<&Listed<'t>>) -> Option<Draft<'t>> {
    let (name, of) = sort::split_name(row.get("NAME")?, listed)?;
    let line = row.line;
    let mut draft = Draft::of(of.api_version, of.kind.clone(), line);
    draft.text("metadata.name", line, name);
    if let Some(namespace) = row.get("NAMESPACE").filter(|_| of.namespaced) {
        draft.text("metadata.namespace", line, namespace);
    }
    if let Some(labels) = row.get("LABELS") {
        cells::fill_labels(&mut draft, labels, line);
    }
    if let Some(age) = row.get("AGE") {
        draft.age("metadata.creationTimestamp", line, age);
    }
    fill(&mut draft, &of.kind, row);
    Some(draft)
}

fn fill<'t>(draft: &mut Draft<'t>, kind: &str, row: &Row<'t>) {
    match kind {
        "Pod" => pod::fill(draft, row),
        "Node" => node::fill(draft, row),
        "Service" => service::fill(draft, row),
        "Endpoints" => service::fill_endpoints(draft, row),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ReplicationController" => workload::fill(draft, kind, row),
        _ if known::is_custom(kind) => custom::fill(draft, row),
        _ => {}
    }
    known::fill(draft, kind, row);
}

/// A node of a list item.
fn item<'t>(draft: Draft<'t>, line: u32) -> (u32, Node<'t>) {
    (line, Node::Map(draft))
}
