//! What every describe text starts with: name, namespace, labels, annotations, owner, stamps.

use std::borrow::Cow;

use super::outline::{Block, Entry, given, split_key};
use crate::decode::draft::{Draft, Node};
use crate::decode::kind::KindName;

/// Fills `metadata` from the outermost entries of an object.
pub(super) fn fill<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for entry in object.entries() {
        let line = entry.number();
        match entry.key() {
            "Name" => draft.text("metadata.name", line, entry.value()),
            "Namespace" => {
                if let Some(namespace) = entry.given() {
                    draft.text("metadata.namespace", line, namespace);
                }
            }
            "Labels" => fill_pairs(draft, "metadata.labels", entry),
            "Annotations" => fill_annotations(draft, entry),
            "CreationTimestamp" | "Created on" => draft.stamp("metadata.creationTimestamp", line, entry.value()),
            "Controlled By" => fill_owner(draft, entry),
            "Finalizers" => fill_finalizers(draft, entry),
            _ => {}
        }
    }
}

/// `a=b` lines into the map at `path`.
pub(super) fn fill_pairs<'t>(draft: &mut Draft<'t>, path: &'static str, entry: Entry<'_, 't>) {
    for (pair, line) in entry.values() {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        draft.map(path, line).push(key, line, Node::text(value));
    }
}

/// `a=b,c=d` into the map at `path`. A comma that no `=` follows belongs to the value before it.
pub(super) fn fill_joined_pairs<'t>(draft: &mut Draft<'t>, path: &'static str, line: u32, text: &'t str) {
    for pair in text.split(',') {
        if let Some((key, value)) = pair.trim().split_once('=') {
            draft.map(path, line).push(key, line, Node::text(value));
        }
    }
}

/// `key: value` lines; a long or many-lined value stands below its key, indented deeper.
pub(super) fn fill_annotations<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    let mut told: Vec<(&str, Cow<'t, str>, u32)> = Vec::new();
    let mut key_column = 0;
    let first = given(entry.value()).map(|text| (entry.line.value_at, text, entry.number()));
    let rest = entry.below.0.iter().filter(|l| !l.text().is_empty()).map(|l| (l.indent, l.text(), l.number));
    for (column, text, line) in first.into_iter().chain(rest) {
        if told.is_empty() {
            key_column = column;
        }
        match told.last_mut() {
            Some((_, value, _)) if column > key_column => {
                if !value.is_empty() {
                    value.to_mut().push('\n');
                }
                value.to_mut().push_str(text);
            }
            _ => {
                let (key, value) = split_annotation(text);
                told.push((key, Cow::Borrowed(value), line));
            }
        }
    }
    for (key, value, line) in told {
        draft.map("metadata.annotations", line).push(key, line, Node::text(value));
    }
}

/// `key: value`, or `key=value` as older kubectl and the describers of storage classes write it.
fn split_annotation(text: &str) -> (&str, &str) {
    let (key, value) = split_key(text);
    match text.split_once('=') {
        Some((name, rest)) if name.len() < key.len() && !name.contains(' ') => (name, rest),
        _ => (key, value),
    }
}

/// `ReplicaSet/web-5d4`.
fn fill_owner<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    if let Some((kind, name)) = entry.given().and_then(|v| v.split_once('/')) {
        fill_controller(draft, kind, name, entry.number());
    }
}

/// The owner that made the object.
pub(super) fn fill_controller<'t>(draft: &mut Draft<'t>, kind: &'t str, name: &'t str, line: u32) {
    let api_version = KindName::of(kind).map_or("", |k| k.api_version);
    let mut owner = Draft::of(api_version, kind, line);
    owner.text("name", line, name);
    owner.flag("controller", line, true);
    draft.list("metadata.ownerReferences", line).push((line, Node::Map(owner)));
}

/// `[kubernetes.io/pvc-protection]`.
fn fill_finalizers<'t>(draft: &mut Draft<'t>, entry: Entry<'_, 't>) {
    for (value, line) in entry.values() {
        for name in value.trim_matches(['[', ']']).split([' ', ',']).filter(|n| !n.is_empty()) {
            draft.list("metadata.finalizers", line).push((line, Node::text(name)));
        }
    }
}

/// A label selector: `app=web,tier in (a,b),!legacy`, into `matchLabels` and `matchExpressions`.
pub(in crate::decode) fn fill_selector<'t>(selector: &mut Draft<'t>, text: &'t str, line: u32) {
    for requirement in split_requirements(text) {
        let pair = requirement.split_once("!=").map(|(k, v)| (k, "NotIn", v));
        let set = || requirement.split_once(" notin ").map(|(k, v)| (k, "NotIn", v));
        let within = || requirement.split_once(" in ").map(|(k, v)| (k, "In", v));
        if let Some((key, operator, values)) = pair.or_else(set).or_else(within) {
            let mut expression = Draft::default();
            expression.text("key", line, key.trim());
            expression.text("operator", line, operator);
            for value in values.trim().trim_matches(['(', ')']).split(',').filter(|v| !v.is_empty()) {
                expression.list("values", line).push((line, Node::text(value.trim())));
            }
            selector.list("matchExpressions", line).push((line, Node::Map(expression)));
        } else if let Some((key, value)) = requirement.split_once('=') {
            selector.map("matchLabels", line).push(key, line, Node::text(value.trim_start_matches('=')));
        } else if !requirement.is_empty() {
            let absent = requirement.strip_prefix('!');
            let mut expression = Draft::default();
            expression.text("key", line, absent.unwrap_or(requirement));
            expression.text("operator", line, if absent.is_some() { "DoesNotExist" } else { "Exists" });
            selector.list("matchExpressions", line).push((line, Node::Map(expression)));
        }
    }
}

/// Parts between commas that stand in no parentheses.
fn split_requirements(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    text.split(move |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .map(str::trim)
}
