//! Alerts of Prometheus and Alertmanager, and what other monitoring tools report as anomalies.

use super::tape::{Tag, Value};
use super::{Alert, Document};
use crate::time;

/// Containers inside containers that are looked through for alerts.
const DEPTH: u32 = 10;
/// Characters kept of what an alert says.
const KEPT: usize = 1_000;

/// The alerts in a document that is no object of the API.
pub(super) fn read(root: Value<'_>, path: &str) -> Vec<Document> {
    let mut found = Vec::new();
    let stem = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    collect(root, names_alerts(&stem), DEPTH, &mut found);
    found
}

/// A file or key that holds alerts says so.
fn names_alerts(name: &str) -> bool {
    ["alert", "anomal", "incident"].iter().any(|word| name.contains(word))
}

/// Adds the alerts in `value`; `named` when its key or file says that it holds some.
fn collect(value: Value<'_>, named: bool, depth: u32, out: &mut Vec<Document>) {
    if depth == 0 {
        return;
    }
    match value.tag() {
        Some(Tag::Seq) => value.items().for_each(|item| collect(item, named, depth - 1, out)),
        Some(Tag::Map) if value.path("labels.alertname").exists() => out.extend(of_prometheus(value)),
        Some(Tag::Map) if named && subject(value).is_some() => of_report(value, out),
        Some(Tag::Map) => {
            for (key, value) in value.fields().filter(|(_, v)| matches!(v.tag(), Some(Tag::Seq | Tag::Map))) {
                collect(value, names_alerts(&key.to_ascii_lowercase()), depth - 1, out);
            }
        }
        _ => {}
    }
}

/// Labels that name what an alert is about, most specific first.
const SUBJECT_LABELS: &[(&str, &str)] = &[
    ("pod", "Pod"),
    ("persistentvolumeclaim", "PersistentVolumeClaim"),
    ("deployment", "Deployment"),
    ("statefulset", "StatefulSet"),
    ("daemonset", "DaemonSet"),
    ("job_name", "Job"),
    ("cronjob", "CronJob"),
    ("horizontalpodautoscaler", "HorizontalPodAutoscaler"),
    ("node", "Node"),
    ("service", "Service"),
    ("destination_service_name", "Service"),
    ("namespace", "Namespace"),
    ("instance", ""),
];

/// `{labels: {alertname, …}, annotations, state|status, startsAt|activeAt}` of Prometheus' and Alertmanager's APIs.
fn of_prometheus(alert: Value<'_>) -> Option<Document> {
    let labels = alert.get("labels");
    let state = [alert.get("state").text(), alert.path("status.state").text(), alert.get("status").text()];
    // Watchdogs fire on purpose, at severity none.
    if state.iter().any(|s| is_over(s)) || labels.get("severity").text() == "none" {
        return None;
    }
    let (label, kind) = SUBJECT_LABELS.iter().find(|(label, _)| labels.get(label).exists()).copied().unwrap_or(("", ""));
    let namespace = Some(labels.get("namespace").text()).filter(|ns| !ns.is_empty() && kind != "Namespace" && kind != "Node");
    let annotations = alert.get("annotations");
    let what = ["description", "message", "summary"].iter().map(|key| annotations.get(key).text()).find(|t| !t.is_empty());
    Some(Document::Alert(Alert {
        name: labels.get("alertname").text().to_owned(),
        subject_kind: kind.to_owned(),
        subject_namespace: namespace.map(str::to_owned),
        subject: labels.get(label).text().to_owned(),
        what: cut(what.unwrap_or("")),
        at: stamp(alert),
        location: alert.location()?,
    }))
}

fn is_over(state: &str) -> bool {
    matches!(
        state.to_ascii_lowercase().as_str(),
        "resolved" | "inactive" | "suppressed" | "ok" | "normal" | "clean" | "closed" | "healthy"
    )
}

/// Keys that name what a report is about, most specific first.
const SUBJECT_KEYS: &[&str] = &[
    "entity_name",
    "entityName",
    "entity",
    "subject",
    "target",
    "pod",
    "deployment",
    "workload",
    "service",
    "service_name",
    "serviceName",
    "entry_service",
    "node",
    "host",
    "resource",
    "component",
    "name",
];
/// Keys that tell its kind.
const KIND_KEYS: &[&str] = &["entity_type", "entityType", "resource_type", "resourceType", "kind", "type"];
/// Keys that say what is wrong, best first.
const SAYING_KEYS: &[&str] =
    &["evidence", "message", "description", "summary", "details", "raw_error", "error", "reason", "what", "text"];
/// Keys that name the alert itself.
const NAME_KEYS: &[&str] = &[
    "alertname",
    "alert_name",
    "alertName",
    "rule",
    "metric_category",
    "category",
    "business_action",
    "title",
    "metric",
    "type",
];

fn subject(map: Value<'_>) -> Option<(&'static str, &str)> {
    let says = SAYING_KEYS.iter().any(|key| map.get(key).exists());
    SUBJECT_KEYS.iter().map(|key| (*key, map.get(key).text())).find(|(_, text)| !text.is_empty()).filter(|_| says)
}

/// A map of any monitoring tool: a subject, and what is wrong with it as text or a list of texts.
fn of_report(map: Value<'_>, out: &mut Vec<Document>) {
    let Some((subject_key, subject)) = subject(map) else { return };
    if ["status", "state"].iter().any(|key| is_over(map.get(key).text())) {
        return;
    }
    let kind = KIND_KEYS.iter().map(|key| kind_of(map.get(key).text())).find(|k| !k.is_empty());
    let kind = kind.unwrap_or_else(|| kind_of(subject_key));
    let name = NAME_KEYS.iter().map(|key| map.get(key).text()).find(|t| !t.is_empty() && kind_of(t).is_empty()).unwrap_or("");
    let saying = SAYING_KEYS.iter().map(|key| map.get(key)).find(|v| v.exists()).unwrap_or(Value::ABSENT);
    let said: Vec<Value<'_>> = if saying.tag() == Some(Tag::Seq) { saying.items().collect() } else { vec![saying] };
    for says in said {
        let (category, what) = category(says.text()).unwrap_or((name, says.text()));
        let alert = Alert {
            name: category.to_owned(),
            subject_kind: kind.to_owned(),
            subject_namespace: Some(map.get("namespace").text()).filter(|ns| !ns.is_empty()).map(str::to_owned),
            subject: subject.to_owned(),
            what: cut(&with_request(map, what)),
            at: stamp(map),
            location: says.location().or_else(|| map.location()).expect("a value that was found has a place"),
        };
        out.push(Document::Alert(alert));
    }
}

/// `LATENCY [slow response] | p90: 3 ms -> 4 s` → its category, and the rest.
fn category(text: &str) -> Option<(&str, &str)> {
    let (head, rest) = text.split_once(" | ")?;
    let code = head.split(['[', ' ']).next().unwrap_or("");
    let is_code = code.len() > 2 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    is_code.then_some((head, rest))
}

/// What failed, when a report tells it of a request: method, path, how often.
fn with_request(map: Value<'_>, what: &str) -> String {
    let (method, url) = (map.get("request_method").text(), map.get("url").text());
    let count = ["occurrences", "count"].iter().filter_map(|key| map.get(key).as_i64()).next();
    let request = [method, url].iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>().join(" ");
    let times = count.map_or(String::new(), |n| format!(" ({n} times)"));
    if request.is_empty() { format!("{what}{times}") } else { format!("{request}: {what}{times}") }
}

fn kind_of(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "service" | "service_name" | "servicename" | "entry_service" => "Service",
        "pod" => "Pod",
        "node" | "host" => "Node",
        "deployment" => "Deployment",
        "statefulset" => "StatefulSet",
        "daemonset" => "DaemonSet",
        "job" => "Job",
        "namespace" => "Namespace",
        _ => "",
    }
}

/// When it began; of a range (`2006-01-02 15:04:05 ~ …`) its start.
fn stamp(map: Value<'_>) -> Option<jiff::Timestamp> {
    const KEYS: &[&str] =
        &["startsAt", "activeAt", "started_at", "start_time", "startTime", "timestamp", "time", "at", "time_range", "date"];
    KEYS.iter().map(|key| map.get(key).text()).find_map(|t| time::leading(t.as_bytes()).map(|(stamp, _)| stamp))
}

fn cut(text: &str) -> String {
    text.trim().chars().take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::Tape;
    use super::*;

    fn alerts(path: &str, value: &serde_json::Value) -> Vec<Alert> {
        let tape = Tape::from_json(&Arc::from(path), value, 3);
        let alert = |d| if let Document::Alert(a) = d { Some(a) } else { None };
        read(tape.root(), path).into_iter().filter_map(alert).collect()
    }

    fn shown(alerts: &[Alert]) -> Vec<String> {
        let show = |a: &Alert| format!("{}: {} {}: {}", a.name, a.subject_kind, a.subject, a.what);
        alerts.iter().map(show).collect()
    }

    #[test]
    fn reads_what_fires_in_prometheus() {
        let alert = |name: &str, state: &str, severity: &str| {
            json!({"labels": {"alertname": name, "namespace": "shop", "pod": "web-0", "severity": severity},
                   "annotations": {"summary": "It crashes."}, "state": state, "activeAt": "2024-01-02T15:04:05Z"})
        };
        let alerts_of = |list: serde_json::Value| json!({"status": "success", "data": {"alerts": list}});
        let all =
            json!([alert("A", "firing", "warning"), alert("B", "inactive", "warning"), alert("Watchdog", "firing", "none")]);
        let found = alerts("x.json", &alerts_of(all));
        assert_eq!(shown(&found), ["A: Pod web-0: It crashes."]);
        assert_eq!((found[0].subject_namespace.as_deref(), found[0].at), (Some("shop"), "2024-01-02T15:04:05Z".parse().ok()));
        let rules = json!({"data": {"groups": [{"rules": [{"name": "A", "alerts": [alert("A", "firing", "critical")]}]}]}});
        assert_eq!(alerts("rules.json", &rules).len(), 1);
    }

    #[test]
    fn reads_what_other_tools_report() {
        let report = json!({"status": "has_anomalies", "alerts": [
            {"type": "Service", "name": "cart", "status": "ABNORMAL", "time_range": "2024-01-02 15:04:05 ~ 2024-01-02 15:06:05",
             "evidence": ["LATENCY [slow] | p90: 3ms -> 4s", "it is slow"]},
            {"entry_service": "order", "business_action": "Pay", "request_method": "POST", "url": "/pay", "occurrences": 3, "raw_error": "500"},
            {"type": "Service", "name": "web", "status": "NORMAL", "evidence": ["fine"]},
        ]});
        let found = alerts("x.json", &report);
        assert_eq!(
            shown(&found),
            [
                "LATENCY [slow]: Service cart: p90: 3ms -> 4s",
                ": Service cart: it is slow",
                "Pay: Service order: POST /pay: 500 (3 times)"
            ]
        );
        assert_eq!(found[0].at, "2024-01-02T15:04:05Z".parse().ok());
    }

    #[test]
    fn other_documents_hold_no_alerts() {
        for value in [
            json!([{"name": "check", "message": "passed", "severity": "debug"}]),
            json!({"pods": [{"name": "web", "reason": "x"}]}),
            json!({"alerts": []}),
            json!("text"),
        ] {
            assert!(alerts("analysis.json", &value).is_empty(), "{value}");
        }
    }
}
