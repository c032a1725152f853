use serde_json::{Value as Json, json};

use super::*;
use crate::cluster::testing::{Said, cluster_that_says, event};

/// A running pod of a Deployment with one container.
fn objects(container: &Json, status: &Json) -> Vec<Json> {
    let mut spec = json!({"name": "web", "ports": [{"containerPort": 8080}]});
    spec.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    let mut state = json!({"name": "web", "ready": false, "restartCount": 0, "state": {"running": {}}});
    state.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
    vec![
        json!({"kind": "StatefulSet", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": {"spec": {"containers": [spec]}}}}),
        json!({"kind": "Pod", "metadata": {"name": "web-0", "namespace": "shop", "ownerReferences": [{"kind": "StatefulSet", "name": "web"}]},
               "spec": {"containers": [spec]}, "status": {"phase": "Running", "containerStatuses": [state]}}),
    ]
}

fn found(objects: &[Json], messages: &[&str], log: &str) -> Vec<Finding> {
    let events = messages.iter().map(|m| {
        let reason = if m.contains("will be restarted") { "Killing" } else { "Unhealthy" };
        Event { count: 9, ..event("Pod", Some("shop"), "web-0", reason, m) }
    });
    let said = Said { pod: "web-0", container: "web", previous: false, text: log };
    let mut out = Vec::new();
    probes(&cluster_that_says(objects, events.collect(), &[said]), &mut out);
    out
}

fn restarted() -> Json {
    json!({"restartCount": 3, "ready": true, "lastState": {"terminated": {"exitCode": 137, "reason": "Error"}}})
}

const KILLED: &str = "Container web failed liveness probe, will be restarted";

fn causes(objects: &[Json], messages: &[&str], log: &str) -> Vec<String> {
    found(objects, messages, log).into_iter().map(|f| f.cause).collect()
}

#[test]
fn a_port_nobody_listens_on_is_wrong() {
    let probe = json!({"livenessProbe": {"httpGet": {"path": "/", "port": 9090}}});
    let refused = "Liveness probe failed: Get \"http://10.0.0.1:9090/\": dial tcp 10.0.0.1:9090: connect: connection refused";
    let finding = &found(&objects(&probe, &restarted()), &[refused, KILLED], "listening on :8080")[0];
    assert_eq!((finding.cause.as_str(), finding.facts["right"].as_str()), ("liveness-probe-wrong-port", Some("8080")));
    assert_eq!(finding.strength(), Strength::Proof);
    assert_eq!(finding.facts["pointer"], "/spec/template/spec/containers/0/livenessProbe/httpGet/port");

    let readiness = json!({"readinessProbe": {"tcpSocket": {"port": 9090}}});
    let refused = "Readiness probe failed: dial tcp 10.0.0.1:9090: connect: connection refused";
    assert_eq!(causes(&objects(&readiness, &json!({})), &[refused], ""), ["readiness-probe-wrong-port"]);
}

#[test]
fn a_port_that_is_served_is_refused_only_during_the_start() {
    let probe = json!({"livenessProbe": {"httpGet": {"path": "/", "port": 8080}, "failureThreshold": 1, "periodSeconds": 1}});
    let refused = "Liveness probe failed: Get \"http://10.0.0.1:8080/\": dial tcp 10.0.0.1:8080: connect: connection refused";
    let found = &found(&objects(&probe, &restarted()), &[refused, KILLED], "Server started on port 8080")[0];
    assert_eq!(found.cause, "liveness-probe-timing");
    let patch: Json = serde_json::from_str(found.facts["patch"].as_str().unwrap()).unwrap();
    assert_eq!(patch[3]["path"], "/spec/template/spec/containers/0/startupProbe");
}

#[test]
fn another_language_is_told_by_words_and_by_the_probe_that_is_answered() {
    let probes = json!({"livenessProbe": {"httpGet": {"path": "/", "port": 8080}}, "readinessProbe": {"grpc": {"port": 8080}}});
    let garbled = "Liveness probe failed: Get \"http://10.0.0.1:8080/\": malformed HTTP response \"\\x00\\x00\\x06\\x04\"";
    let finding = &found(&objects(&probes, &restarted()), &[garbled, KILLED], "")[0];
    assert_eq!((finding.cause.as_str(), finding.facts["wants"].as_str()), ("liveness-probe-wrong-protocol", Some("gRPC")));

    let tls = json!({"readinessProbe": {"httpGet": {"path": "/", "port": 8080, "scheme": "HTTPS"}}});
    let plain = "Readiness probe failed: Get \"https://10.0.0.1:8080/\": http: server gave HTTP response to HTTPS client";
    let finding = &found(&objects(&tls, &json!({})), &[plain], "")[0];
    assert_eq!((finding.cause.as_str(), finding.facts["wants"].as_str()), ("readiness-probe-wrong-protocol", Some("HTTP")));
}

#[test]
fn a_status_tells_a_wrong_path() {
    let probe = json!({"livenessProbe": {"httpGet": {"path": "/helth", "port": 8080}}});
    let missing = "Liveness probe failed: HTTP probe failed with statuscode: 404";
    assert_eq!(causes(&objects(&probe, &restarted()), &[missing, KILLED], ""), ["liveness-probe-wrong-path"]);
}

#[test]
fn a_check_that_fails_steadily_is_told_and_a_single_failure_is_noise() {
    let probe = json!({"readinessProbe": {"exec": {"command": ["cat", "/tmp/ready"]}}});
    let failed = "Readiness probe failed: cat: can't open '/tmp/ready'";
    assert_eq!(causes(&objects(&probe, &json!({})), &[failed], ""), ["readiness-probe-failing"]);
    assert!(causes(&objects(&probe, &json!({"ready": true})), &[failed], "").is_empty());
}

#[test]
fn a_container_that_dies_by_itself_is_not_the_probes_fault() {
    let probe = json!({"livenessProbe": {"httpGet": {"path": "/", "port": 8080}}, "readinessProbe": {"httpGet": {"path": "/", "port": 8080}}});
    let crashed = json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                         "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}});
    assert!(causes(&objects(&probe, &crashed), &[], "").is_empty());
}

#[test]
fn a_template_with_another_probe_is_the_cure() {
    let probe = json!({"readinessProbe": {"tcpSocket": {"port": 9090}}});
    let mut objects = objects(&probe, &json!({}));
    objects[0]["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["tcpSocket"]["port"] = 8080.into();
    let refused = "Readiness probe failed: dial tcp 10.0.0.1:9090: connect: connection refused";
    assert!(causes(&objects, &[refused], "").is_empty());
}

#[test]
fn a_startup_probe_that_never_succeeds_is_told() {
    let probe = json!({"startupProbe": {"httpGet": {"path": "/", "port": 9090}, "failureThreshold": 3}});
    let status = json!({"started": false});
    let refused = "Startup probe failed: Get \"http://10.0.0.1:9090/\": dial tcp 10.0.0.1:9090: connect: connection refused";
    let finding = &found(&objects(&probe, &status), &[refused], "listening on :8080")[0];
    assert_eq!((finding.cause.as_str(), finding.facts["right"].as_str()), ("startup-probe-failing", Some("8080")));
}
