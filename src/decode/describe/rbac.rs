//! Roles and their bindings.

use super::outline::{Block, Entry, given};
use crate::decode::columns::Columns;
use crate::decode::draft::{Draft, Node};

const GROUP: &str = "rbac.authorization.k8s.io";

/// A Role or ClusterRole: `Resources  Non-Resource URLs  Resource Names  Verbs` below `PolicyRule:`.
pub(super) fn fill_role<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    let Some(told) = object.get("PolicyRule") else { return };
    for (columns, line, raw) in rows(told) {
        let mut rule = Draft::default();
        for (name, cell) in columns.cells(raw) {
            match name {
                "Resources" => fill_resource(&mut rule, cell, line),
                "Non-Resource URLs" => fill_list(&mut rule, "nonResourceURLs", cell, line),
                "Resource Names" => fill_list(&mut rule, "resourceNames", cell, line),
                "Verbs" => fill_list(&mut rule, "verbs", cell, line),
                _ => {}
            }
        }
        draft.list("rules", told.number()).push((line, Node::Map(rule)));
    }
}

fn rows<'o, 't>(told: Entry<'o, 't>) -> impl Iterator<Item = (Columns<'t>, u32, &'t str)> + 'o {
    let mut rows = told.below.0.iter().filter(|l| !l.text().is_empty());
    let columns = rows.next().map(|header| Columns::of(header.raw));
    rows.filter(|l| !l.text().starts_with("--")).filter_map(move |l| Some((columns.clone()?, l.number, l.raw)))
}

/// `deployments.apps/scale`: resource, group, subresource.
fn fill_resource<'t>(rule: &mut Draft<'t>, cell: &'t str, line: u32) {
    if cell.is_empty() {
        return;
    }
    let (name, subresource) = cell.split_once('/').map_or((cell, None), |(name, sub)| (name, Some(sub)));
    let (resource, group) = name.split_once('.').unwrap_or((name, ""));
    let resource = subresource.map_or_else(|| resource.into(), |sub| format!("{resource}/{sub}").into());
    rule.list("apiGroups", line).push((line, Node::text(group)));
    rule.list("resources", line).push((line, Node::Scalar(crate::decode::Tag::Str, resource)));
}

/// `[get list watch]`.
fn fill_list<'t>(rule: &mut Draft<'t>, field: &'static str, cell: &'t str, line: u32) {
    for item in cell.trim_matches(['[', ']']).split(' ').filter(|i| !i.is_empty()) {
        rule.list(field, line).push((line, Node::text(item)));
    }
}

/// A RoleBinding or ClusterRoleBinding.
pub(super) fn fill_binding<'t>(draft: &mut Draft<'t>, object: Block<'_, 't>) {
    if let Some(role) = object.get("Role") {
        draft.text("roleRef.apiGroup", role.number(), GROUP);
        for (key, path) in [("Kind", "roleRef.kind"), ("Name", "roleRef.name")] {
            if let Some((value, line)) = role.below.given(key) {
                draft.text(path, line, value);
            }
        }
    }
    let Some(told) = object.get("Subjects") else { return };
    for (columns, line, raw) in rows(told) {
        let mut subject = Draft::default();
        for (name, cell) in columns.cells(raw) {
            match (name, given(cell)) {
                ("Kind", Some(kind)) => subject.text("kind", line, kind),
                ("Name", Some(name)) => subject.text("name", line, name),
                ("Namespace", Some(namespace)) => subject.text("namespace", line, namespace),
                _ => {}
            }
        }
        draft.list("subjects", told.number()).push((line, Node::Map(subject)));
    }
}
