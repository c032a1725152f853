//! Call graphs: who calls whom, as service maps of meshes, tracers and people tell it.

use super::tape::{Tag, Value};
use super::{Dependency, Document};
use crate::location::Location;

/// Keys under which a service's callers stand.
const CALLERS: &[&str] = &["upstream", "upstreams", "callers", "calledby", "called_by", "called by", "consumers", "dependents"];
/// Keys under which the services it calls stand.
const CALLEES: &[&str] =
    &["downstream", "downstreams", "calls", "callees", "dependencies", "depends_on", "dependson", "depends on", "requires"];
/// Keys of the two ends of an edge.
const EDGES: &[(&str, &str)] =
    &[("caller", "callee"), ("parent", "child"), ("source", "target"), ("from", "to"), ("source", "destination")];

/// The calls that a document which is no object of the API tells of.
pub(super) fn read(root: Value<'_>) -> Vec<Document> {
    let mut found = Vec::new();
    match root.tag() {
        Some(Tag::Map) => {
            of_edge(root, &mut found);
            // Jaeger: `{"data": [{"parent", "child"}]}`; others: `{"edges": […]}`, `{"dependencies": […]}`.
            for key in ["data", "edges", "dependencies", "links"] {
                root.get(key).items().for_each(|item| of_edge(item, &mut found));
            }
            if found.is_empty() {
                root.fields().for_each(|(name, value)| of_service(name, value, &mut found));
            }
        }
        Some(Tag::Seq) => root.items().for_each(|item| of_edge(item, &mut found)),
        _ => {}
    }
    found.sort_by(|a, b| (&a.caller, &a.callee).cmp(&(&b.caller, &b.callee)));
    found.dedup_by(|a, b| a.caller == b.caller && a.callee == b.callee);
    found.into_iter().map(Document::Dependency).collect()
}

fn add(caller: &str, callee: &str, at: Option<Location>, out: &mut Vec<Dependency>) {
    let (Some(caller), Some(callee), Some(location)) = (service_name(caller), service_name(callee), at) else { return };
    if caller != callee {
        out.push(Dependency { caller: caller.to_owned(), callee: callee.to_owned(), location });
    }
}

/// A name without remarks around it: `cart (database)`, `cart   <-- cache`.
fn service_name(text: &str) -> Option<&str> {
    let name = text.trim().split(['(', '<', '[', ' ', '\t']).next().unwrap_or("");
    let sound = (1..=253).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:".contains(&b));
    sound.then_some(name)
}

fn of_edge(item: Value<'_>, out: &mut Vec<Dependency>) {
    for (from, to) in EDGES {
        let (caller, callee) = (item.get(from), item.get(to));
        if caller.as_str().is_some() && callee.as_str().is_some() {
            add(caller.text(), callee.text(), item.location(), out);
            return;
        }
    }
}

/// `name: {upstream: […], downstream: […]}`, or the same as text.
fn of_service(name: &str, value: Value<'_>, out: &mut Vec<Dependency>) {
    match value.tag() {
        Some(Tag::Map) => {
            for (key, list) in value.fields() {
                let key = key.to_ascii_lowercase();
                for other in names(list) {
                    if CALLERS.contains(&key.as_str()) {
                        add(other, name, list.location(), out);
                    } else if CALLEES.contains(&key.as_str()) {
                        add(name, other, list.location(), out);
                    }
                }
            }
        }
        Some(Tag::Str) => of_text(name, value, out),
        _ => {}
    }
}

fn names(list: Value<'_>) -> Vec<&str> {
    match list.tag() {
        Some(Tag::Seq) => list.items().map(|i| if i.tag() == Some(Tag::Map) { i.get("name").text() } else { i.text() }).collect(),
        Some(Tag::Str) => list.text().split(',').collect(),
        _ => Vec::new(),
    }
}

/// Headings with lists and trees under them:
///
/// ```text
/// [Upstream (Called By)]: web, checkout
/// [Downstream (Calls)]:
/// cart
/// └── redis
/// ```
fn of_text(name: &str, value: Value<'_>, out: &mut Vec<Dependency>) {
    let mut callers = None;
    let mut branch: Vec<&str> = Vec::new();
    for line in value.text().lines() {
        if let Some((is_callers, rest)) = heading(line) {
            callers = is_callers;
            branch.clear();
            for other in rest.split(',').filter(|r| !r.trim().is_empty()) {
                match is_callers {
                    Some(true) => add(other, name, value.location(), out),
                    Some(false) => add(name, other, value.location(), out),
                    None => {}
                }
            }
            continue;
        }
        if callers != Some(false) {
            continue;
        }
        let Some((depth, text)) = tree_line(line) else { continue };
        branch.truncate(depth);
        if let Some(caller) = branch.last() {
            add(caller, text, value.location(), out);
        }
        branch.push(text);
    }
}

/// Whether a line is a heading over callers (`true`), callees (`false`) or something else, and what follows on it.
fn heading(line: &str) -> Option<(Option<bool>, &str)> {
    let (head, rest) = line.split_once("]:").filter(|(h, _)| h.trim_start().starts_with('['))?;
    let head = head.to_ascii_lowercase();
    let words = |list: &[&str]| list.iter().any(|word| head.contains(word));
    Some((if words(&["upstream", "called by"]) { Some(true) } else { words(&["downstream", "calls"]).then_some(false) }, rest))
}

/// The depth of a line in a tree of `├──`, `└──`, and its text.
fn tree_line(line: &str) -> Option<(usize, &str)> {
    let is_branch = |c: char| matches!(c, '│' | '├' | '└' | '─' | '|' | '`' | '+' | ' ' | '\u{a0}');
    let text = line.trim_start_matches(is_branch);
    let indent = line[..line.len() - text.len()].chars().count();
    (!text.is_empty() && !text.starts_with('(')).then_some((indent / 4, text))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::Tape;
    use super::*;

    fn calls(value: &serde_json::Value) -> Vec<String> {
        let tape = Tape::from_json(&Arc::from("calls.json"), value, 1);
        let call = |d| if let Document::Dependency(d) = d { Some(format!("{} → {}", d.caller, d.callee)) } else { None };
        read(tape.root()).into_iter().filter_map(call).collect()
    }

    #[test]
    fn reads_lists_and_edges() {
        let lists = json!({"cart": {"upstream": ["web"], "downstream": ["redis"]}, "web": {"calls": "cart, ads"}});
        assert_eq!(calls(&lists), ["cart → redis", "web → ads", "web → cart"]);
        assert_eq!(calls(&json!({"data": [{"parent": "web", "child": "cart", "callCount": 3}]})), ["web → cart"]);
        assert_eq!(calls(&json!([{"source": "web", "target": "cart"}])), ["web → cart"]);
    }

    #[test]
    fn reads_trees() {
        let text = "[Service]: web (Entrypoint)\n[Upstream (Called By)]: (User Traffic)\n[Downstream (Calls)]:\nweb\n├── cart\n│   └── redis  <-- (Database)\n└── ads\n";
        assert_eq!(calls(&json!({"web": text})), ["cart → redis", "web → ads", "web → cart"]);
        assert_eq!(
            calls(&json!({"ads": "[Upstream (Called By)]: web, cart\n[Downstream (Calls)]:\n(None - Leaf Service)"})),
            ["cart → ads", "web → ads"]
        );
    }

    #[test]
    fn other_documents_hold_none() {
        assert!(calls(&json!({"a": "text", "b": {"name": "x"}, "c": [1], "dependencies": {"left-pad": "1.0"}})).is_empty());
    }
}
