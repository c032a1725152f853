//! What a tape holds, whatever text it came from: an object, a List or array of them, an event, a version, a refusal.

use super::{
    Document, Event, Origin, Part, Resource, Tag, Tape, TapeBuilder, Value, Version, alerts, collected, dependencies, events,
    kind::KindName, note,
};
use crate::location::Location;

/// What an object without a kind of its own is: an item of a `PodList` is a Pod, in the List's API version.
#[derive(Debug, Clone, Default)]
pub(super) struct Heirs {
    kind: String,
    api_version: String,
}

impl Heirs {
    /// What the items of the List `list` inherit. A plain `List` tells nothing.
    pub(super) fn of_list(list: Value<'_>) -> Self {
        let kind = list.get("kind").text().strip_suffix("List").unwrap_or("");
        let api_version = if kind.is_empty() { "" } else { list.get("apiVersion").text() };
        Self { kind: kind.to_owned(), api_version: api_version.to_owned() }
    }

    fn of(kind: &str, api_version: &str) -> Self {
        Self { kind: kind.to_owned(), api_version: api_version.to_owned() }
    }
}

/// The `items` of this document are objects, rather than a field of its own. Lists have no name; the kind of a file that
/// was cut may read `Li`.
pub(super) fn is_list(root: Value<'_>) -> bool {
    root.get("kind").text().ends_with("List") || !root.path("metadata.name").exists()
}

/// Adds what `tapes` hold.
pub(super) fn take_all(tapes: Vec<Tape>, part: &Part<'_>, out: &mut Vec<Document>) {
    tapes.into_iter().for_each(|tape| take(tape, &Heirs::default(), part, out));
}

/// Adds what `tape` holds: one document, several, or none when it is nothing of Kubernetes.
pub(super) fn take(tape: Tape, heirs: &Heirs, part: &Part<'_>, out: &mut Vec<Document>) {
    let root = tape.root();
    match root.tag() {
        Some(Tag::Seq) => root.items().for_each(|item| take_item(item, heirs, part, out)),
        Some(Tag::Map) if root.get("items").tag() == Some(Tag::Seq) && is_list(root) => {
            let heirs = Heirs::of_list(root);
            let from = out.len();
            root.get("items").items().for_each(|item| take_item(item, &heirs, part, out));
            note_collected(from, &heirs, part, out);
        }
        Some(Tag::Map) => take_map(tape, heirs, part, out),
        _ => {}
    }
}

/// Adds which kinds the List of the documents `from` on shows to have been asked for. An empty one tells it by its own
/// kind, or by its file's name.
pub(super) fn note_collected(from: usize, heirs: &Heirs, part: &Part<'_>, out: &mut Vec<Document>) {
    let location = Location::file(part.path);
    let asked = if out.len() > from {
        collected::of_objects(&out[from..], false, &location)
    } else {
        let file = part.path.rsplit('/').next().unwrap_or(part.path);
        let kind = KindName::of(&heirs.kind).or_else(|| KindName::in_file_name(file));
        kind.map(|kind| collected::none_of(kind, None, location)).into_iter().collect()
    };
    out.extend(asked);
}

fn take_item(item: Value<'_>, heirs: &Heirs, part: &Part<'_>, out: &mut Vec<Document>) {
    match item.tag() {
        Some(Tag::Map) => take(item.to_tape(), heirs, part, out),
        // Collectors list the errors they met as strings.
        Some(Tag::Str) => take_error(item, out),
        _ => {}
    }
}

fn take_map(tape: Tape, heirs: &Heirs, part: &Part<'_>, out: &mut Vec<Document>) {
    let tape = mended(with_kind(tape, heirs, part));
    let root = tape.root();
    let kind = root.get("kind").text();
    if kind.is_empty() {
        take_other(root, part, out);
    } else if kind == "Status" && root.get("apiVersion").text() == "v1" {
        take_error(root.get("message"), out);
    } else if let Some(event) = event(&tape) {
        out.push(Document::Event(event));
    } else {
        let origin = origin(root);
        out.extend(Resource::from_tape(tape, origin).map(Document::Resource));
    }
}

fn event(tape: &Tape) -> Option<Event> {
    let api_version = tape.root().get("apiVersion").text();
    let is_event = tape.root().get("kind").text() == "Event"
        && (matches!(api_version, "v1" | "") || api_version.starts_with("events.k8s.io/"));
    if is_event { events::read(tape) } else { None }
}

/// A map without a kind: a version, errors by namespace, or objects by name (`{"pod": {…}, "events": {…}}`).
fn take_other(root: Value<'_>, part: &Part<'_>, out: &mut Vec<Document>) {
    if let Some(version) = kubernetes_version(root) {
        out.push(Document::Version(version));
        return;
    }
    for (_, value) in root.fields() {
        let is_object = value.get("metadata").tag() == Some(Tag::Map) && value.get("kind").exists();
        let is_objects = value.get("items").tag() == Some(Tag::Seq) && is_list(value);
        if is_object || is_objects {
            take(value.to_tape(), &Heirs::default(), part, out);
        } else if is_api_error(value.text()) {
            take_error(value, out);
        }
    }
    out.extend(alerts::read(root, part.path));
    out.extend(dependencies::read(root));
}

/// The answer of `/version`, alone, in `kubectl version -o json|yaml`, or in a collector's wrapping.
fn kubernetes_version(root: Value<'_>) -> Option<Version> {
    let paths = ["serverVersion.gitVersion", "info.gitVersion", "gitVersion", "kubernetesversion"];
    let value = paths.iter().map(|path| root.path(path)).find(|v| v.text().starts_with('v'))?;
    let version = value.text().trim_start_matches('v').to_owned();
    Some(Version { component: "kubernetes".to_owned(), version, location: value.location()? })
}

fn take_error(value: Value<'_>, out: &mut Vec<Document>) {
    if let Some(location) = value.location()
        && !value.text().trim().is_empty()
    {
        out.push(note(value.text(), location));
    }
}

/// Words of the API server and its clients about a request that failed.
fn is_api_error(text: &str) -> bool {
    ["is forbidden", "could not find the requested resource", "the server ", "Error from server", "failed to ", "dial tcp"]
        .iter()
        .any(|words| text.contains(words))
}

/// `tape`, with kind and API version when it is an object that lacks them.
fn with_kind(tape: Tape, heirs: &Heirs, part: &Part<'_>) -> Tape {
    let root = tape.root();
    if root.get("kind").exists() || root.get("metadata").tag() != Some(Tag::Map) {
        return tape;
    }
    let heirs = if heirs.kind.is_empty() { guess(root, part.path) } else { heirs.clone() };
    if heirs.kind.is_empty() {
        return tape;
    }
    let line = root.line().unwrap_or(0);
    let mut builder = TapeBuilder::new(tape.path());
    builder.map(line);
    builder.pair("apiVersion", &heirs.api_version, line);
    builder.pair("kind", &heirs.kind, line);
    for (key, value) in root.fields() {
        builder.key(key, value.line().unwrap_or(line));
        builder.copy(value);
    }
    builder.end();
    builder.finish()
}

/// The kind of an object that does not tell: by its fields, else by the folder or file it lies in.
fn guess(root: Value<'_>, path: &str) -> Heirs {
    if root.get("involvedObject").exists() || (root.get("regarding").exists() && root.get("reason").exists()) {
        return Heirs::of("Event", "v1");
    }
    if root.path("spec.containers").tag() == Some(Tag::Seq) {
        return Heirs::of("Pod", "v1");
    }
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or("");
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    // `pods/<namespace>.json` before `pods.json`: a namespace may be called `jobs`.
    let named = parts.next().and_then(KindName::of).or_else(|| KindName::of(stem));
    named.map_or_else(Heirs::default, |k| Heirs::of(k.kind, k.api_version))
}

/// Only the API server writes uids, resource versions, times of creation and status.
fn origin(root: Value<'_>) -> Origin {
    let metadata = root.get("metadata");
    let is_live = ["uid", "resourceVersion", "creationTimestamp"].iter().any(|key| !metadata.get(key).text().is_empty())
        || !root.get("status").is_empty();
    if is_live { Origin::Live } else { Origin::Manifest }
}

/// support-bundle-kit writes `"null"` for empty strings and nulls, and `null` behind every string that ends with a
/// quotation mark. Undone where its marks are seen; a lone `"null"` may be meant.
fn mended(tape: Tape) -> Tape {
    let root = tape.root();
    if !tape.contains_text("null") || !has_null_text(root) {
        return tape;
    }
    let every = has_null_time(root);
    let mut builder = TapeBuilder::new(tape.path());
    builder.copy_with(root, &|text| match text {
        "null" if every => "".into(),
        _ => without_null(text).unwrap_or(text).into(),
    });
    builder.finish()
}

fn without_null(text: &str) -> Option<&str> {
    text.strip_suffix("null").filter(|rest| rest.ends_with('"'))
}

fn has_null_text(value: Value<'_>) -> bool {
    match value.tag() {
        Some(Tag::Map) => value.fields().any(|(_, v)| has_null_text(v)),
        Some(Tag::Seq) => value.items().any(has_null_text),
        Some(Tag::Str) => value.text() == "null" || without_null(value.text()).is_some(),
        _ => false,
    }
}

/// A time or an API group is never called `null`.
fn has_null_time(value: Value<'_>) -> bool {
    let is_null = |v: Value<'_>| v.tag() == Some(Tag::Str) && v.text() == "null";
    match value.tag() {
        Some(Tag::Map) => value.fields().any(|(key, v)| {
            let is_time = key.ends_with("Time") || key.ends_with("Timestamp");
            (is_time && is_null(v)) || (key == "apiGroups" && v.items().any(is_null)) || has_null_time(v)
        }),
        Some(Tag::Seq) => value.items().any(has_null_time),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn documents(path: &str, value: &serde_json::Value) -> Vec<Document> {
        let path = Arc::from(path);
        let mut out = Vec::new();
        let part = Part { path: &path, text: "", line: 1, title: "" };
        take(Tape::from_json(&path, value, 1), &Heirs::default(), &part, &mut out);
        out
    }

    fn resource(path: &str, value: &serde_json::Value) -> Resource {
        match documents(path, value).swap_remove(0) {
            Document::Resource(resource) => resource,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn items_inherit_what_they_do_not_say() {
        let bare = json!({"metadata": {"name": "a"}});
        let list = json!({"kind": "DeploymentList", "apiVersion": "apps/v1", "items": [bare]});
        let r = resource("x", &list);
        assert_eq!((r.kind(), r.reference.api_version.as_str()), ("Deployment", "apps/v1"));
        let array = json!([bare]);
        assert_eq!(resource("cluster-resources/storage-classes.json", &array).kind(), "StorageClass");
        assert_eq!(resource("cluster-resources/statefulsets/jobs.json", &array).kind(), "StatefulSet");
        let pod = json!({"items": [{"metadata": {"name": "a"}, "spec": {"containers": []}}]});
        assert_eq!(resource("dump.json", &pod).kind(), "Pod");
        assert!(documents("dump.json", &array).is_empty());
    }

    #[test]
    fn only_the_server_writes_status_and_uids() {
        let origin = |more: serde_json::Value| {
            let mut pod = json!({"kind": "Pod", "metadata": {"name": "a", "creationTimestamp": null}, "status": {}});
            pod.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            resource("x", &pod).origin
        };
        assert_eq!(origin(json!({})), Origin::Manifest);
        assert_eq!(origin(json!({"status": {"phase": "Running"}})), Origin::Live);
        assert_eq!(origin(json!({"metadata": {"name": "a", "uid": "1"}})), Origin::Live);
    }

    #[test]
    fn answers_and_refusals_are_no_objects() {
        for version in [
            json!({"info": {"gitVersion": "v1.30.6"}, "string": "v1.30.6"}),
            json!({"clientVersion": {"gitVersion": "v1.33.0"}, "serverVersion": {"gitVersion": "v1.30.6"}}),
            json!({"major": "1", "minor": "30", "gitVersion": "v1.30.6"}),
        ] {
            let [Document::Version(v)] = &documents("x", &version)[..] else { panic!("{version}") };
            assert_eq!((v.component.as_str(), v.version.as_str()), ("kubernetes", "1.30.6"));
        }
        for refusal in [
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "pods is forbidden"}),
            json!(["pods is forbidden"]),
            json!({"shop": "pods is forbidden"}),
        ] {
            let [Document::Note(note)] = &documents("errors.json", &refusal)[..] else { panic!("{refusal}") };
            assert_eq!(note.text, "pods is forbidden");
        }
        assert!(documents("x", &json!({"a": "b", "c": [1]})).is_empty());
        assert!(documents("x", &json!({"kind": "Config", "apiVersion": "v1", "clusters": []})).is_empty());
    }

    #[test]
    fn objects_may_lie_side_by_side() {
        let pod = json!({"kind": "Pod", "metadata": {"name": "a"}});
        let event = json!({"involvedObject": {"kind": "Pod", "name": "a"}, "metadata": {"name": "e"}});
        let both = documents("x", &json!({"pod": pod, "events": {"kind": "EventList", "apiVersion": "v1", "items": [event]}}));
        assert!(matches!(both[..], [Document::Resource(_), Document::Event(_)]));
    }

    #[test]
    fn undoes_the_null_of_support_bundle_kit() {
        let event = json!({
            "kind": "Event", "apiVersion": "v1", "metadata": {"name": "e"}, "eventTime": "null", "type": "Warning",
            "involvedObject": {"kind": "Pod", "namespace": "null", "name": "a"},
            "message": "Back-off pulling image \"x\"null",
        });
        let [Document::Event(event)] = &documents("x", &event)[..] else { panic!() };
        assert_eq!(event.message, "Back-off pulling image \"x\"");
        assert_eq!(event.regarding.namespace, None);
        let config = json!({"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "null"}});
        assert_eq!(resource("x", &config).at("data.x").text(), "null");
    }
}
