//! Changes that mend a probe, as JSON patches of the object that carries the template.

use serde_json::{Value as Json, json};

use super::action::Probe;
use crate::cluster::Container;
use crate::detect::template::Template;

/// The patch for a cause, as YAML; empty where the right value is not known.
pub(super) fn patch(template: &Template<'_>, container: &Container<'_>, probe: &Probe<'_>, cause: &str, wants: &str) -> String {
    let Some(at) = template.pointer_of(container, probe.kind.field()) else { return String::new() };
    let operations = if cause.ends_with("wrong-protocol") {
        other_language(&at, probe, wants)
    } else if cause == "liveness-probe-timing" {
        more_time(&at, probe, template.container(container).is_some_and(|c| c.get("startupProbe").exists()))
    } else {
        Vec::new()
    };
    if operations.is_empty() { String::new() } else { Json::from(operations).to_string() }
}

fn other_language(at: &str, probe: &Probe<'_>, wants: &str) -> Vec<Json> {
    let Some(port) = probe.port else { return Vec::new() };
    let field = probe.action.field();
    let replaced = |by: &str, action: Json| {
        vec![
            json!({"op": "remove", "path": format!("{at}/{field}")}),
            json!({"op": "add", "path": format!("{at}/{by}"), "value": action}),
        ]
    };
    match wants {
        "HTTP" | "HTTPS" if field == "httpGet" => {
            vec![json!({"op": "add", "path": format!("{at}/httpGet/scheme"), "value": wants})]
        }
        "gRPC" => replaced("grpc", json!({"port": port})),
        "TCP" => replaced("tcpSocket", json!({"port": port})),
        "HTTP" | "HTTPS" => replaced("httpGet", json!({"path": "/", "port": port, "scheme": wants})),
        _ => Vec::new(),
    }
}

/// Five minutes to start, and a liveness probe that forgives a slow answer.
fn more_time(at: &str, probe: &Probe<'_>, has_startup: bool) -> Vec<Json> {
    let mut operations = Vec::new();
    for (field, least) in [("timeoutSeconds", 5), ("periodSeconds", 10), ("failureThreshold", 3)] {
        if probe.number(field) < least {
            operations.push(json!({"op": "add", "path": format!("{at}/{field}"), "value": least}));
        }
    }
    if !has_startup {
        let field = probe.action.field();
        let startup =
            json!({field: probe.value.get(field).to_json(), "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 30});
        let beside = at.strip_suffix("livenessProbe").unwrap_or(at);
        operations.push(json!({"op": "add", "path": format!("{beside}startupProbe"), "value": startup}));
    }
    operations
}
