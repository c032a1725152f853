//! Kubernetes' three patch types on JSON values.

use serde_json::{Map, Value as Json};

use crate::catalog::PatchKind;

/// `before` with the patch applied; `None` when it does not fit.
pub(super) fn apply(before: &Json, kind: PatchKind, patch: &Json) -> Option<Json> {
    let mut after = before.clone();
    match kind {
        PatchKind::Merge => json_patch::merge(&mut after, patch),
        PatchKind::Json => {
            let patch: json_patch::Patch = serde_json::from_value(patch.clone()).ok()?;
            json_patch::patch(&mut after, &patch).ok()?;
        }
        PatchKind::Strategic => strategic(&mut after, patch),
    }
    Some(after)
}

/// Strategic merge for what patches of workloads touch: maps merge, lists of named items merge by name, `$patch: delete`
/// removes an item, other lists are replaced.
fn strategic(target: &mut Json, patch: &Json) {
    match (target, patch) {
        (Json::Object(target), Json::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    target.remove(key);
                } else {
                    strategic(target.entry(key.clone()).or_insert(Json::Null), value);
                }
            }
        }
        (Json::Array(target), Json::Array(patch)) if patch.iter().all(|item| merge_key(item).is_some()) => {
            for item in patch {
                let key = merge_key(item);
                let known = target.iter().position(|t| merge_key(t) == key);
                let delete = item.get("$patch").and_then(Json::as_str) == Some("delete");
                match (known, delete) {
                    (Some(at), true) => drop(target.remove(at)),
                    (Some(at), false) => strategic(&mut target[at], item),
                    (None, true) => {}
                    (None, false) => target.push(item.clone()),
                }
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

/// The field lists of this item merge by: `name` of containers, volumes and variables, `containerPort` of ports,
/// `mountPath` of mounts (kubernetes api/core/v1, `patchMergeKey`).
fn merge_key(item: &Json) -> Option<(&'static str, &Json)> {
    ["mountPath", "containerPort", "name", "port"].into_iter().find_map(|key| item.get(key).map(|v| (key, v)))
}

/// Makes the change from `old` to `new` in `child`, which was made from `old` and has fields of its own beside.
pub(super) fn transplant(old: &Json, new: &Json, child: &mut Json) {
    if old == new {
        return;
    }
    match (old, new, &mut *child) {
        (Json::Object(old), Json::Object(new), Json::Object(child)) => transplant_map(old, new, child),
        (Json::Array(old), Json::Array(new), Json::Array(children)) if named(old) && named(new) => {
            let name = |v: &Json| v.get("name").cloned();
            children.retain(|c| !old.iter().any(|o| name(o) == name(c)) || new.iter().any(|n| name(n) == name(c)));
            for item in new {
                let before = old.iter().find(|o| name(o) == name(item));
                match (before, children.iter_mut().find(|c| name(c) == name(item))) {
                    (Some(before), Some(child)) => transplant(before, item, child),
                    (None, Some(child)) => *child = item.clone(),
                    (_, None) => children.push(item.clone()),
                }
            }
        }
        _ => *child = new.clone(),
    }
}

fn transplant_map(old: &Map<String, Json>, new: &Map<String, Json>, child: &mut Map<String, Json>) {
    for key in old.keys().filter(|k| !new.contains_key(*k)) {
        child.remove(key);
    }
    for (key, value) in new {
        match (old.get(key), child.get_mut(key)) {
            (Some(before), Some(child)) => transplant(before, value, child),
            (Some(before), None) if before == value => {}
            _ => drop(child.insert(key.clone(), value.clone())),
        }
    }
}

fn named(items: &[Json]) -> bool {
    items.iter().all(|i| i.get("name").is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strategic_patches_merge_containers_by_name() {
        let before = json!({"containers": [{"name": "a", "image": "x"}, {"name": "b"}]});
        let patch = json!({"containers": [{"name": "a", "image": "y"}, {"name": "b", "$patch": "delete"}]});
        let after = apply(&before, PatchKind::Strategic, &patch).unwrap();
        assert_eq!(after, json!({"containers": [{"name": "a", "image": "y"}]}));
    }

    #[test]
    fn a_template_change_reaches_a_pod_that_has_more_fields() {
        let old = json!({"containers": [{"name": "a", "image": "x", "tty": true}]});
        let new = json!({"containers": [{"name": "a", "image": "y"}]});
        let mut pod = json!({"nodeName": "n", "containers": [{"name": "a", "image": "x", "tty": true, "terminationMessagePath": "/t"}, {"name": "sidecar"}]});
        transplant(&old, &new, &mut pod);
        assert_eq!(
            pod,
            json!({"nodeName": "n", "containers": [{"name": "a", "image": "y", "terminationMessagePath": "/t"}, {"name": "sidecar"}]})
        );
    }
}
