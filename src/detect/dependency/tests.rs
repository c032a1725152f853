use serde_json::{Value as Json, json};

use super::*;
use crate::catalog::Strength;
use crate::cluster::testing::{Said, cluster_that_says};

/// A caller that crashes, and a database `db` on port 5432 that is well.
fn world(port: &str) -> Vec<Json> {
    let env = json!([{"name": "DB_HOST", "value": "db"}, {"name": "DB_PORT", "value": port},
                     {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db-login", "key": "password"}}}]);
    let spec = json!({"containers": [{"name": "web", "image": "web:1", "env": env}]});
    let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                       "containerStatuses": [{"name": "pg", "ready": true, "state": {"running": {}}}]});
    let meta = |name: &str, owner: &str| json!({"name": name, "namespace": "shop", "labels": {"app": owner}, "ownerReferences": [{"kind": "StatefulSet", "name": owner}]});
    let named = |name: &str| json!({"name": name, "namespace": "shop"});
    vec![
        json!({"kind": "StatefulSet", "metadata": named("web"), "spec": {"template": {"spec": spec}}}),
        json!({"kind": "Pod", "metadata": meta("web-0", "web"), "spec": spec, "status": {"phase": "Running", "containerStatuses": [
            {"name": "web", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}),
        json!({"kind": "StatefulSet", "metadata": named("db"), "spec": {"template": {"spec": {}}}}),
        json!({"kind": "Pod", "metadata": meta("db-0", "db"), "spec": {"containers": [{"name": "pg", "image": "postgres:16"}]}, "status": ready}),
        json!({"kind": "Service", "metadata": named("db"), "spec": {"selector": {"app": "db"}, "clusterIP": "10.96.0.7", "ports": [{"port": 5432}]}}),
        json!({"kind": "Secret", "metadata": named("db-login"), "data": {"password": "eA=="}}),
    ]
}

fn found(objects: &[Json], pod: &str, text: &str) -> Vec<Finding> {
    let container = if pod == "db-0" { "pg" } else { "web" };
    let mut out = Vec::new();
    dependency(&cluster_that_says(objects, Vec::new(), &[Said { pod, container, previous: false, text }]), &mut out);
    out
}

fn causes(port: &str, text: &str) -> Vec<(String, String)> {
    found(&world(port), "web-0", text).into_iter().map(|f| (f.cause, f.culprit.name)).collect()
}

fn one(cause: &str, culprit: &str) -> Vec<(String, String)> {
    vec![(cause.to_owned(), culprit.to_owned())]
}

#[test]
fn a_port_the_service_does_not_have_is_wrong() {
    let refused = "could not connect: Connection refused";
    let finding = &found(&world("5433"), "web-0", refused)[0];
    assert_eq!((finding.cause.as_str(), finding.facts["right"].as_str()), ("db-port-wrong", Some("5432")));
    assert_eq!((finding.culprit.name.as_str(), finding.strength()), ("web", Strength::Proof));
    assert!(causes("5432", "dial tcp 10.96.0.7:5432: connect: connection refused").iter().all(|(c, _)| c != "db-port-wrong"));
}

#[test]
fn a_login_refused_is_the_callers_where_the_caller_suffers() {
    let refused = "FATAL: password authentication failed for user \"shop\"";
    let finding = &found(&world("5432"), "web-0", refused)[0];
    assert_eq!((finding.cause.as_str(), finding.facts["user"].as_str()), ("db-credentials-invalid", Some("shop")));
    assert_eq!(finding.facts["source"], "DB_PASSWORD of Secret shop/db-login");
    assert!(finding.evidence.iter().all(|e| !e.excerpt.contains("eA==")));
    assert!(found(&world("5432"), "db-0", refused).is_empty());
}

#[test]
fn a_server_that_refuses_to_write_is_to_blame_itself() {
    let read_only = "ERROR: cannot execute INSERT in a read-only transaction\n".repeat(3);
    assert_eq!(causes("5432", &read_only), one("db-read-only", "db"));
    let full = "FATAL: sorry, too many clients already\n".repeat(3);
    assert_eq!(causes("5432", &full), one("db-connections-exhausted", "db"));
}

#[test]
fn a_peer_that_does_not_answer_is_named() {
    let finding = &found(&world("5432"), "web-0", "Error: connect ECONNREFUSED 10.96.0.7:5432")[0];
    assert_eq!((finding.cause.as_str(), finding.facts["peer"].as_str()), ("dependency-unreachable", Some("Service shop/db")));
    assert!(causes("5432", "dial tcp 127.0.0.1:9000: connect: connection refused").is_empty());
}

#[test]
fn a_missing_table_is_told() {
    assert_eq!(causes("5432", "ERROR: relation \"orders\" does not exist"), one("db-not-initialized", "web"));
}

#[test]
fn a_caller_that_works_has_got_over_it() {
    let mut objects = world("5433");
    objects[1]["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                                  "containerStatuses": [{"name": "web", "ready": true, "state": {"running": {}}}]});
    assert!(found(&objects, "web-0", "dial tcp 10.96.0.7:5433: connect: connection refused").is_empty());
}
