use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::cluster::testing::{cluster, cluster_with, event, resource};
use crate::decode::{Document, Event, Hit, Log, LogLine, LogSource, NodeService, Origin, Pattern, Patterns};
use crate::location::Location;

/// A catalogue of one cause `c` of this layer with these signs.
fn catalog(layer: &str, signs: &str) -> Catalog {
    let text = format!(
        r#"
        [[cause]]
        id = "c"
        title = "{{{{ ref }}}} is ill"
        severity = "error"
        layer = "{layer}"
        because = "It is so."
        fix.summary = "Mend it."
        {signs}
        "#
    );
    let mut catalog = Catalog::default();
    catalog.extend("test.toml", &text, &[]).unwrap();
    catalog
}

fn findings(cluster: &Cluster, signs: &str) -> Vec<Finding> {
    findings_of("process", cluster, signs)
}

fn findings_of(layer: &str, cluster: &Cluster, signs: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    run(cluster, &catalog(layer, signs), &mut found);
    found
}

fn fact<'f>(finding: &'f Finding, name: &str) -> &'f str {
    finding.facts[name].as_str().unwrap()
}

/// A Deployment `web` with a pod, whose readiness is given.
fn web(ready: &str) -> [Json; 3] {
    let owner = |kind: &str, name: &str| json!([{"kind": kind, "name": name, "controller": true}]);
    let status = json!({
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": "2026-03-01T10:00:00Z"}],
        "containerStatuses": [{"name": "app", "restartCount": 9, "state": {"waiting": {"message": "secret \"s3\" not found"}}}],
    });
    [
        json!({"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"replicas": 1}}),
        json!({"kind": "ReplicaSet", "metadata": {"name": "web-5d4", "namespace": "shop", "ownerReferences": owner("Deployment", "web")}}),
        json!({"kind": "Pod", "metadata": {"name": "web-5d4-x", "namespace": "shop", "ownerReferences": owner("ReplicaSet", "web-5d4")},
               "spec": {"nodeName": "n1"}, "status": status}),
    ]
}

fn of_pod(reason: &str, message: &str) -> Event {
    Event { field_path: "spec.containers{app}".to_owned(), ..event("Pod", Some("shop"), "web-5d4-x", reason, message) }
}

#[test]
fn an_object_sign_blames_the_top_owner_and_takes_facts() {
    let found = findings(
        &cluster(&web("False")),
        r#"
        [[cause.sign]]
        on = "Pod"
        where = { "status.containerStatuses" = { any = { restartCount = { above = 5 } } } }
        field = "status.containerStatuses[*].state.waiting.message"
        take = 'secret "(?<secret>[^"]+)" not found'
        get = { restarts = "status.containerStatuses[*].restartCount" }
        says = "container {{ container }} of {{ subject }} on {{ node }} wants {{ secret }}"
        "#,
    );
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!(finding.culprit, Ref::new("Deployment", Some("shop"), "web"));
    assert_eq!(finding.affected, [Ref::new("Pod", Some("shop"), "web-5d4-x")]);
    assert_eq!(finding.evidence[0].says, "container app of Pod shop/web-5d4-x on n1 wants s3");
    assert_eq!(finding.evidence[0].location.to_string(), "objects.yaml:3");
    assert_eq!((finding.facts["restarts"].as_i64(), fact(finding, "resource")), (Some(9), "deployment/web"));
}

#[test]
fn a_container_sign_reads_whatever_state_tells_why() {
    let sign = r#"
        [[cause.sign]]
        on = "container"
        where = { restartCount = { above = 5 } }
        take = 'secret "(?<secret>[^"]+)" not found'
        says = "container {{ container }} waits for {{ secret }}"
    "#;
    let found = findings(&cluster(&web("False")), sign);
    assert_eq!(found[0].evidence[0].says, "container app waits for s3");
    assert_eq!((&*found[0].culprit.name, found[0].evidence[0].excerpt.as_str()), ("web", "message: secret \"s3\" not found"));
}

const EVENT: &str = r#"
    [[cause.sign]]
    on = "event"
    where = { reason = "Failed" }
    take = 'secret "(?<secret>\S+)" not found'
    culprit = { object = "Secret/{{ ns }}/{{ secret }}" }
    says = "the kubelet misses {{ secret }}"
"#;

#[test]
fn several_events_of_one_culprit_are_one_finding() {
    let at = |line| Location::line(&Arc::from("events.yaml"), line);
    let said = |i| Event { location: at(i), ..of_pod("Failed", &format!("Error {i}: secret \"s3\" not found")) };
    let events = (1..=20).map(said).collect();
    let found = findings(&cluster_with(&web("False"), events), EVENT);
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!(finding.culprit, Ref::new("Secret", Some("shop"), "s3"));
    assert_eq!((finding.evidence.len(), fact(finding, "name"), fact(finding, "container")), (8, "s3", "app"));
}

#[test]
fn events_of_another_reason_or_text_are_not_taken() {
    let events = vec![of_pod("Pulled", "secret \"s3\" not found"), of_pod("Failed", "no such image")];
    assert!(findings(&cluster_with(&web("False"), events), EVENT).is_empty());
}

#[test]
fn a_sign_without_reason_is_found_by_its_text() {
    let sign = r#"
        [[cause.sign]]
        on = "event"
        where = { type = "Warning", message = { contains = "Disk Full" } }
        culprit = "node"
        says = "full"
    "#;
    let found = findings(&cluster_with(&web("False"), vec![of_pod("Odd", "the Disk Full of it")]), sign);
    assert_eq!(found[0].culprit, Ref::new("Node", None, "n1"));
}

#[test]
fn state_beats_events() {
    let said = |event: Event, ready: &str| findings(&cluster_with(&web(ready), vec![event]), EVENT).len();
    let message = "secret \"s3\" not found";
    let at = |time: &str| Event { last: Some(time.parse().unwrap()), ..of_pod("Failed", message) };
    assert_eq!(said(at("2026-03-01T09:00:00Z"), "True"), 0, "ready since");
    assert_eq!(said(at("2026-03-01T11:00:00Z"), "True"), 1, "said after it was ready");
    assert_eq!(said(at("2026-03-01T09:00:00Z"), "False"), 1, "not ready");
    let gone = |name: &str| Event { regarding: Ref::new("Pod", Some("shop"), name), ..of_pod("Failed", message) };
    assert_eq!(said(gone("web-5d4-y"), "False"), 1, "the workload that made it still tries");
    assert_eq!(said(gone("old-6f7-y"), "False"), 0, "its workload is gone as well");
}

#[test]
fn what_a_settled_pod_logs_is_a_hint() {
    let strength = |ready: &str| {
        let patterns = Patterns::new(vec![Pattern { name: "c/0".to_owned(), regex: "panic: (?<why>.*)".to_owned() }]).unwrap();
        let line = LogLine { line: 7, at: None, level: None, text: "panic: no disk".to_owned() };
        let log = Log {
            path: Arc::from("web.log"),
            source: LogSource { namespace: Some("shop".into()), pod: Some("web-5d4-x".into()), ..LogSource::default() },
            head: Vec::new(),
            tail: Vec::new(),
            hits: vec![Hit { pattern: 0, line, before: Vec::new(), after: Vec::new() }],
            counts: vec![(0, 1)],
            templates: Vec::new(),
            n_lines: 7,
            n_errors: 1,
            first: None,
            last: None,
        };
        let objects = web(ready).iter().map(|o| Document::Resource(resource(o, Origin::Live, 1))).collect::<Vec<_>>();
        let documents = objects.into_iter().chain([Document::Log(log)]).collect();
        let cluster = Cluster::new(documents, Arc::new(patterns));
        let sign = "[[cause.sign]]\non = \"log\"\ntake = 'panic: (?<why>.*)'\nsays = \"{{ why }}\"";
        let is_started = ready == "True";
        assert_eq!(findings_of("container", &cluster, sign).is_empty(), is_started, "what runs was started");
        let found = findings(&cluster, sign);
        assert_eq!(found[0].culprit.name, "web");
        assert_eq!(found[0].evidence[0].location.to_string(), "web.log:7");
        found[0].strength()
    };
    assert_eq!(strength("False"), Strength::Statement);
    assert_eq!(strength("True"), Strength::Hint);
}

#[test]
fn a_node_service_blames_its_node() {
    let mut cluster = cluster(&[]);
    let at = Location::file(&Arc::from("n1/kubelet.log"));
    let line = LogLine { line: 4, at: None, level: None, text: "failed to run Kubelet: swap on".to_owned() };
    cluster.node_services.push(NodeService {
        node: Some("n1".into()),
        unit: "kubelet".into(),
        active: "failed".into(),
        sub: String::new(),
        enabled: true,
        since: None,
        location: at,
        lines: vec![line],
    });
    let sign = r#"
        [[cause.sign]]
        on = "node-service"
        where = { unit = "kubelet" }
        take = 'failed to run Kubelet: (?<why>.*)'
        says = "the kubelet ends: {{ why }}"
    "#;
    let found = findings(&cluster, sign);
    assert_eq!(found[0].culprit, Ref::new("Node", None, "n1"));
    assert_eq!(found[0].evidence[0].location.to_string(), "n1/kubelet.log:4");
    assert_eq!(found[0].evidence[0].says, "the kubelet ends: swap on");
}
