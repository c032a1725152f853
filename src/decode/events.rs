//! Events of core/v1 and events.k8s.io, whose fields have other names for the same things.

use jiff::Timestamp;

use super::resource::Ref;
use super::{Event, Tape, Value};

/// The event in `tape`, when it is about an object.
pub(super) fn read(tape: &Tape) -> Option<Event> {
    let root = tape.root();
    let object = first(root, &["involvedObject", "regarding"]);
    let (kind, name) = (object.get("kind").text(), object.get("name").text());
    if kind.is_empty() || name.is_empty() {
        return None;
    }
    let namespace = Some(object.get("namespace").text()).filter(|ns| !ns.is_empty());
    let api_version = object.get("apiVersion").text().to_owned();
    let began = time(root, &["firstTimestamp", "deprecatedFirstTimestamp", "eventTime", "metadata.creationTimestamp"]);
    let ended = time(root, &["series.lastObservedTime", "lastTimestamp", "deprecatedLastTimestamp", "eventTime"]);
    let regarding = Ref { api_version, ..Ref::new(kind, namespace, name) };
    let message = first(root, &["message", "note"]);
    Some(Event {
        uid: object.get("uid").text().to_owned(),
        field_path: object.get("fieldPath").text().to_owned(),
        warning: !matches!(root.get("type").text(), "Normal" | ""),
        reason: root.get("reason").text().to_owned(),
        message: message.text().to_owned(),
        count: count(root),
        first: began,
        last: ended.or(began),
        source: first(root, SOURCES).text().to_owned(),
        // What an event says is what is pointed at.
        ..Event::new(regarding, message.location().or_else(|| root.location())?)
    })
}

const SOURCES: &[&str] = &["source.component", "deprecatedSource.component", "reportingController", "reportingComponent"];

/// The first of `paths` that is there and says something.
fn first<'a>(root: Value<'a>, paths: &[&str]) -> Value<'a> {
    let says = |v: &Value<'_>| v.exists() && (!v.text().is_empty() || !v.is_empty());
    paths.iter().map(|path| root.path(path)).find(says).unwrap_or(Value::ABSENT)
}

fn time(root: Value<'_>, paths: &[&str]) -> Option<Timestamp> {
    paths.iter().find_map(|path| root.path(path).text().parse().ok())
}

fn count(root: Value<'_>) -> u32 {
    let counts = ["count", "deprecatedCount", "series.count"].iter().filter_map(|path| root.path(path).as_i64());
    counts.max().and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn event(value: &serde_json::Value) -> Event {
        read(&Tape::from_json(&Arc::from("x"), value, 3)).expect("an event")
    }

    #[test]
    fn both_groups_say_the_same() {
        let object = json!({"kind": "Pod", "namespace": "shop", "name": "web-0", "fieldPath": "spec.containers{web}"});
        let core = event(&json!({
            "involvedObject": object, "type": "Warning", "reason": "BackOff", "message": "m", "count": 4,
            "firstTimestamp": "2026-01-02T03:04:05Z", "lastTimestamp": "2026-01-02T03:09:05Z",
            "source": {"component": "kubelet", "host": "n"},
        }));
        let new = event(&json!({
            "regarding": object, "type": "Warning", "reason": "BackOff", "note": "m", "deprecatedCount": 4,
            "deprecatedFirstTimestamp": "2026-01-02T03:04:05Z", "deprecatedLastTimestamp": "2026-01-02T03:09:05Z",
            "eventTime": null, "deprecatedSource": {"component": "kubelet"},
        }));
        for e in [core, new] {
            assert_eq!(e.regarding, Ref::new("Pod", Some("shop"), "web-0"));
            assert_eq!((e.container(), e.warning, e.reason.as_str(), e.message.as_str()), (Some("web"), true, "BackOff", "m"));
            assert_eq!((e.count, e.source.as_str()), (4, "kubelet"));
            assert_eq!(e.first.unwrap().to_string(), "2026-01-02T03:04:05Z");
            assert_eq!(e.last.unwrap().to_string(), "2026-01-02T03:09:05Z");
            assert_eq!(e.location.line, Some(3));
        }
    }

    #[test]
    fn a_series_has_its_own_count_and_time() {
        let e = event(&json!({
            "regarding": {"kind": "Node", "name": "n1"}, "type": "Normal", "reportingController": "kubelet",
            "eventTime": "2026-01-02T03:04:05.123456Z", "lastTimestamp": null,
            "series": {"count": 7, "lastObservedTime": "2026-01-02T04:04:05.000000Z"},
        }));
        assert_eq!((e.count, e.warning, e.regarding.namespace), (7, false, None));
        assert_eq!(e.first.unwrap().to_string(), "2026-01-02T03:04:05.123456Z");
        assert_eq!(e.last.unwrap().to_string(), "2026-01-02T04:04:05Z");
    }
}
