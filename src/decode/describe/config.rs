//! ConfigMaps, Secrets, ServiceAccounts and Namespaces.

use std::sync::Arc;

use super::outline::{Block, Line, given};
use super::{conditions, policy};
use crate::decode::draft::{Draft, Node};
use crate::decode::{Collected, Within};
use crate::location::Location;

/// What stands before the data, whose lines may look like anything.
pub(super) fn head<'o, 't>(object: Block<'o, 't>) -> Block<'o, 't> {
    Block(&object.0[..data_start(object.0).unwrap_or(object.0.len())])
}

/// The line `Data` that `====` underlines.
fn data_start(lines: &[Line<'_>]) -> Option<usize> {
    lines.windows(2).position(|pair| pair[0].raw.trim_end() == "Data" && pair[1].raw.trim_end() == "====")
}

/// The text has data.
pub(super) fn has_data(object: Block<'_, '_>) -> bool {
    data_start(object.0).is_some()
}

/// A ConfigMap: `key:`, underlined by `----`, and the value as it is.
pub(super) fn fill_config_map<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    let Some(start) = data_start(object.0) else { return };
    let mut lines = &object.0[start + 2..];
    while let Some((line, rest)) = lines.split_first() {
        let is_key =
            |l: &Line<'_>, next: Option<&Line<'_>>| l.raw.ends_with(':') && next.is_some_and(|n| n.raw.trim_end() == "----");
        let ends = |l: &Line<'_>| l.raw.starts_with("Events:") || matches!(l.raw.trim_end(), "BinaryData");
        if is_key(line, rest.first()) {
            let value = &rest[1..];
            let length = (0..value.len()).position(|i| ends(&value[i]) || is_key(&value[i], value.get(i + 1)));
            let (value, after) = value.split_at(length.unwrap_or(value.len()));
            let key = line.raw.trim_end_matches(':');
            draft.map("data", object.0[start].number).push(key, line.number, Node::text(joined(value)));
            lines = after;
        } else if line.raw.trim_end() == "BinaryData" {
            fill_sizes(draft, "binaryData", rest);
            return;
        } else {
            lines = rest;
        }
    }
}

/// The lines of a value. How many newlines it ended with is not told; text of several lines ends with one.
fn joined(lines: &[Line<'_>]) -> String {
    let mut value: String = lines.iter().flat_map(|l| [l.raw, "\n"]).collect();
    value.truncate(value.trim_end_matches('\n').len());
    if value.contains('\n') {
        value.push('\n');
    }
    value
}

/// A Secret: keys with the sizes of their values. The size stands in the place of the value, which is not told.
pub(super) fn fill_secret<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    if let Some((kind, line)) = head(object).given("Type") {
        draft.text("type", line, kind);
    }
    if let Some(start) = data_start(object.0) {
        fill_sizes(draft, "data", &object.0[start + 2..]);
    }
}

/// `password:  9 bytes`. A service account's token is printed itself.
fn fill_sizes<'t>(draft: &mut Draft<'t>, field: &'static str, lines: &[Line<'t>]) {
    for line in lines.iter().take_while(|l| !l.raw.starts_with("Events:")) {
        if line.text().is_empty() || line.key() == line.text() {
            continue;
        }
        let value = if line.value() == "0 bytes" { "" } else { line.value() };
        draft.map(field, line.number).push(line.key(), line.number, Node::text(value));
    }
}

/// A ServiceAccount.
pub(super) fn fill_account<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    for (key, field) in [("Image pull secrets", "imagePullSecrets"), ("Mountable secrets", "secrets")] {
        let Some(entry) = object.get(key) else { continue };
        for (name, line) in entry.values() {
            let mut secret = Draft::default();
            secret.text("name", line, name.strip_suffix(" (not found)").unwrap_or(name));
            draft.list(field, entry.number()).push((line, Node::Map(secret)));
        }
    }
}

/// A Namespace.
pub(super) fn fill_namespace<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    if let Some((phase, line)) = object.given("Status") {
        draft.text("status.phase", line, phase);
    }
    if let Some(told) = object.get("Conditions") {
        conditions::fill(draft, told);
    }
}

/// Kinds of which a namespace's text says that there are none: `No resource quota.`, `No LimitRange resource.`
pub(super) fn none_in(path: &Arc<str>, namespace: &str, object: Block<'_, '_>) -> impl Iterator<Item = Collected> {
    object.0.iter().filter_map(move |line| {
        let text = line.text().strip_prefix("No ")?.to_ascii_lowercase();
        let kind = match text.as_str() {
            _ if text.starts_with("resource quota") => "ResourceQuota",
            _ if text.starts_with("limitrange") || text.starts_with("resource limits") => "LimitRange",
            _ => return None,
        };
        let within = Within::Namespace(namespace.to_owned());
        Some(Collected { kind: kind.to_owned(), within, location: Location::line(path, line.number) })
    })
}

/// The quotas a namespace's text tells below `Resource Quotas`, each beginning with its name.
pub(super) fn quotas_of<'t>(namespace: &'t str, object: Block<'_, 't>) -> Vec<(u32, Draft<'t>)> {
    let lines = object.0.iter().skip_while(|l| l.text() != "Resource Quotas").skip(1);
    let lines: Vec<Line<'t>> = lines.take_while(|l| l.raw.starts_with([' ', '\t']) || l.text().is_empty()).copied().collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].key() == "Name").collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]);
    let quota = |(start, end): (usize, usize)| {
        let line = lines[start].number;
        let mut quota = Draft::of("v1", "ResourceQuota", line);
        quota.text("metadata.name", line, given(lines[start].value())?);
        quota.text("metadata.namespace", line, namespace);
        policy::fill_quota(&mut quota, &lines[start..end]);
        Some((line, quota))
    };
    starts.iter().copied().zip(ends).filter_map(quota).collect()
}
