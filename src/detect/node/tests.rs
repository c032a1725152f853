use std::slice::from_ref;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::*;
use crate::cluster::testing::resource;
use crate::decode::{Document, NodeService, Note, Origin, Patterns};
use crate::location::Location;

fn node(name: &str, status: &str, message: &str) -> Json {
    json!({"kind": "Node", "metadata": {"name": name},
           "status": {"nodeInfo": {"containerRuntimeVersion": "containerd://1.7.1", "kubeletVersion": "v1.30.1"},
                      "addresses": [{"type": "InternalIP", "address": "10.0.0.2"}],
                      "conditions": [{"type": "Ready", "status": status, "message": message}]}})
}

fn service(unit: &str, active: &str) -> Document {
    Document::NodeService(NodeService {
        node: Some("n2".to_owned()),
        unit: unit.to_owned(),
        active: active.to_owned(),
        sub: "dead".to_owned(),
        enabled: unit != "docker",
        since: None,
        location: Location::line(&Arc::from("n2/units.txt"), 1),
        lines: Vec::new(),
    })
}

/// Causes found on node n2, which is in this state.
fn causes(objects: &[Json], more: Vec<Document>) -> Vec<String> {
    let resources = objects.iter().map(|o| Document::Resource(resource(o, Origin::Live, 1)));
    let cluster = Cluster::new(resources.chain(more).collect(), Arc::new(Patterns::new(Vec::new()).unwrap()));
    let mut out = Vec::new();
    DETECTORS.iter().for_each(|d| (d.run)(&cluster, &mut out));
    assert!(out.iter().all(|f| f.culprit.kind == "Node"));
    out.into_iter().map(|f| f.cause).collect()
}

#[test]
fn the_dead_unit_below_is_to_blame() {
    let unknown = node("n2", "Unknown", "Kubelet stopped posting node status.");
    assert_eq!(causes(from_ref(&unknown), vec![service("kubelet", "inactive")]), ["kubelet-down"]);
    assert_eq!(
        causes(from_ref(&unknown), vec![service("kubelet", "inactive"), service("containerd", "failed")]),
        ["containerd-down"]
    );
    assert_eq!(causes(&[node("n2", "True", "")], vec![service("kube-proxy", "failed")]), ["kube-proxy-down"]);
    assert!(causes(&[node("n2", "True", "")], vec![service("kubelet", "active"), service("docker", "inactive")]).is_empty());
}

#[test]
fn a_silent_node_whose_machine_is_gone_is_unreachable() {
    let unknown = node("n2", "Unknown", "Kubelet stopped posting node status.");
    assert_eq!(causes(from_ref(&unknown), Vec::new()), ["kubelet-down"]);
    let note = Note {
        text: "Error from server: Get \"https://10.0.0.2:10250/containerLogs\": dial tcp 10.0.0.2:10250: i/o timeout".to_owned(),
        location: Location::line(&Arc::from("x.log"), 1),
    };
    assert_eq!(causes(from_ref(&unknown), vec![Document::Note(note)]), ["node-unreachable"]);
    assert_eq!(causes(&[unknown], vec![service("kubelet", "active")]), ["node-unreachable"]);
}

#[test]
fn the_kubelet_says_why_its_node_is_not_ready() {
    let table = [
        ("container runtime is down", "containerd-down"),
        ("PLEG is not healthy: pleg was last seen active 10m18s ago; threshold is 3m0s", "container-runtime-unhealthy"),
        (
            "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized",
            "cni-not-initialized",
        ),
    ];
    for (message, cause) in table {
        assert_eq!(causes(&[node("n2", "False", message)], Vec::new()), [cause], "{message}");
    }
}

#[test]
fn a_lease_left_behind_by_the_others_is_stale() {
    let lease = |name: &str, at: &str| json!({"kind": "Lease", "metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": {"renewTime": at}});
    let nodes = |at: &str| [node("n1", "True", ""), node("n2", "True", ""), lease("n1", "2026-03-01T10:05:00Z"), lease("n2", at)];
    assert_eq!(causes(&nodes("2026-03-01T10:00:00Z"), Vec::new()), ["kubelet-down"]);
    assert!(causes(&nodes("2026-03-01T10:04:50Z"), Vec::new()).is_empty());
}

#[test]
fn pressure_is_told_by_the_condition_and_by_evictions() {
    let mut pressed = node("n2", "True", "");
    let condition = json!({"type": "DiskPressure", "status": "True", "message": "kubelet has disk pressure"});
    pressed["status"]["conditions"].as_array_mut().unwrap().push(condition);
    assert_eq!(causes(&[pressed], Vec::new()), ["node-disk-pressure"]);
    let evicted = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": {"nodeName": "n2"},
        "status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory. Threshold quantity: 100Mi"}});
    assert_eq!(causes(&[node("n2", "True", ""), evicted], Vec::new()), ["node-memory-pressure"]);
}

#[test]
fn only_a_skew_that_is_not_supported_counts() {
    let of = |version: &str| {
        let mut old = node("n2", "True", "");
        old["status"]["nodeInfo"]["kubeletVersion"] = version.into();
        causes(&[node("n1", "True", ""), old], Vec::new())
    };
    assert_eq!(of("v1.24.1"), ["node-version-skew"]);
    assert!(of("v1.28.1").is_empty());
}
