use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::cluster::testing::resource;
use crate::decode::{Dependency, Document, Metric, Origin, Patterns};
use crate::location::Location;

fn at() -> Location {
    Location::line(&Arc::from("metrics.csv"), 1)
}

/// Services with their node and response times (before, now), and calls between them.
fn found(services: &[(&str, &str, f64, f64)], calls: &[(&str, &str)], more: Vec<Document>) -> Vec<(String, String)> {
    let mut documents = more;
    for (name, node, before, now) in services {
        let labels = json!({"app": name});
        let limits = json!({"limits": {"cpu": "500m"}});
        let objects = [
            json!({"kind": "StatefulSet", "metadata": {"name": name, "namespace": "shop"},
                   "spec": {"template": {"spec": {"containers": [{"name": "c", "resources": limits}]}}}}),
            json!({"kind": "Pod", "metadata": {"name": format!("{name}-0"), "namespace": "shop", "labels": labels,
                   "ownerReferences": [{"kind": "StatefulSet", "name": name}]}, "spec": {"nodeName": node}, "status": {"phase": "Running"}}),
            json!({"kind": "Node", "metadata": {"name": node}}),
        ];
        documents.extend(objects.iter().map(|o| Document::Resource(resource(o, Origin::Live, 1))));
        let samples = (0..40).map(|i| (None, if i < 15 { *before } else { *now })).collect();
        documents.push(Document::Metric(Metric {
            subject: (*name).to_owned(),
            name: "p90latency".to_owned(),
            samples,
            location: at(),
        }));
    }
    for (caller, callee) in calls {
        documents.push(Document::Dependency(Dependency {
            caller: (*caller).to_owned(),
            callee: (*callee).to_owned(),
            location: at(),
        }));
    }
    let cluster = Cluster::new(documents, Arc::new(Patterns::new(Vec::new()).unwrap()));
    let mut out = Vec::new();
    latency(&cluster, &mut out);
    out.into_iter().map(|f| (f.cause, f.culprit.name)).collect()
}

fn one(cause: &str, name: &str) -> Vec<(String, String)> {
    vec![(cause.to_owned(), name.to_owned())]
}

const CALLS: [(&str, &str); 4] = [("front", "cart"), ("front", "ads"), ("front", "order"), ("order", "pay")];

#[test]
fn the_slow_one_whose_callees_are_not_slow_delays_its_callers() {
    let services = [
        ("front", "n1", 20.0, 900.0),
        ("order", "n2", 10.0, 800.0),
        ("pay", "n1", 5.0, 700.0),
        ("cart", "n1", 5.0, 5.0),
        ("ads", "n2", 5.0, 5.0),
    ];
    assert_eq!(found(&services, &CALLS, Vec::new()), one("network-delay", "pay"));
}

#[test]
fn a_caller_whose_packets_are_late_makes_all_its_callees_look_slow() {
    let services = [
        ("front", "n1", 20.0, 9000.0),
        ("order", "n2", 10.0, 800.0),
        ("pay", "n1", 5.0, 5.0),
        ("cart", "n1", 5.0, 700.0),
        ("ads", "n2", 5.0, 600.0),
    ];
    assert_eq!(found(&services, &CALLS, Vec::new()), one("network-delay", "front"));
}

#[test]
fn several_that_are_slow_on_their_own_share_a_bad_node() {
    let services = [
        ("front", "n1", 20.0, 900.0),
        ("order", "n2", 10.0, 800.0),
        ("pay", "n2", 5.0, 5.0),
        ("cart", "n1", 5.0, 5.0),
        ("ads", "n2", 5.0, 700.0),
    ];
    assert_eq!(found(&services, &CALLS, Vec::new()), one("node-network-delay", "n2"));
}

#[test]
fn a_full_cpu_is_no_matter_of_the_network() {
    let busy = Metric { subject: "pay".to_owned(), name: "cpu".to_owned(), samples: vec![(None, 0.49); 8], location: at() };
    let services = [("front", "n1", 20.0, 900.0), ("pay", "n2", 5.0, 700.0)];
    assert_eq!(found(&services, &[("front", "pay")], vec![Document::Metric(busy)]), one("cpu-overload", "pay"));
}

#[test]
fn an_alert_on_the_node_itself_decides() {
    let alert = crate::decode::Alert {
        name: "NodeNetworkDegraded".to_owned(),
        subject_kind: "Node".to_owned(),
        subject_namespace: None,
        subject: "n2".to_owned(),
        what: "TCP retransmissions rise".to_owned(),
        at: None,
        location: at(),
    };
    let services = [("front", "n1", 20.0, 900.0), ("pay", "n2", 5.0, 700.0)];
    assert_eq!(found(&services, &[("front", "pay")], vec![Document::Alert(alert)]), one("node-network-delay", "n2"));
}

#[test]
fn nothing_slow_is_nothing_found() {
    assert!(found(&[("front", "n1", 20.0, 25.0), ("pay", "n2", 5.0, 6.0)], &[("front", "pay")], Vec::new()).is_empty());
}
