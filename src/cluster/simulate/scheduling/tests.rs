//! Scenarios from the Kubernetes documentation, each as nodes, pods and what keeps the pod `web` off the nodes.

#![allow(clippy::needless_pass_by_value, reason = "tables read better with literals passed by value")]

use serde_json::{Value as Json, json};

use super::*;
use crate::cluster::testing::cluster;

fn node(name: &str, labels: Json, spec: Json) -> Json {
    let mut labels = labels;
    labels["kubernetes.io/hostname"] = json!(name);
    json!({"kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec,
           "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "3"}}})
}

fn plain(name: &str) -> Json {
    node(name, json!({}), json!({}))
}

fn tainted(name: &str, key: &str) -> Json {
    node(name, json!({}), json!({"taints": [{"key": key, "effect": "NoSchedule"}]}))
}

fn pod(name: &str, labels: Json, spec: Json) -> Json {
    json!({"kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": labels}, "spec": spec})
}

fn asks(cpu: &str) -> Json {
    json!([{"name": "c", "resources": {"requests": {"cpu": cpu}}}])
}

fn on(node: &str, name: &str, cpu: &str) -> Json {
    pod(name, json!({"app": name}), json!({"nodeName": node, "containers": asks(cpu)}))
}

/// `constraint: nodes` of the blame for the pod `web`, or `fits`.
fn verdict(objects: &[Json], message: Option<&str>) -> String {
    let cluster = cluster(objects);
    let scheduler = Scheduler::new(&cluster);
    let web = Pod::of(cluster.find("Pod", Some("shop"), "web").unwrap()).unwrap();
    let refusal = message.and_then(Refusal::parse);
    match blame(&scheduler, &web, refusal.as_ref()) {
        None => "fits".to_owned(),
        Some(blame) => {
            let nodes: Vec<_> = blame.nodes.iter().map(|(node, _)| node.resource.name()).collect();
            format!("{:?}: {}", blame.constraint, nodes.join(" "))
        }
    }
}

fn web(spec: Json) -> Json {
    pod("web", json!({"app": "web"}), spec)
}

#[test]
fn an_empty_node_takes_a_modest_pod() {
    assert_eq!(verdict(&[plain("a"), web(json!({"containers": asks("1")}))], None), "fits");
}

#[test]
fn requests_are_held_against_what_is_left() {
    let busy = |cpu| [plain("a"), on("a", "db", cpu), web(json!({"containers": asks("1")}))];
    assert_eq!(verdict(&busy("3"), None), "fits");
    assert_eq!(verdict(&busy("3001m"), None), "Resource(\"cpu\"): a");
    let ended = pod("old", json!({}), json!({"nodeName": "a", "containers": asks("4")}));
    let mut ended = ended;
    ended["status"] = json!({"phase": "Succeeded"});
    assert_eq!(verdict(&[plain("a"), ended, web(json!({"containers": asks("1")}))], None), "fits");
    let full = [plain("a"), on("a", "p1", "0"), on("a", "p2", "0"), on("a", "p3", "0"), web(json!({"containers": asks("1")}))];
    assert_eq!(verdict(&full, None), "PodCount: a");
}

#[test]
fn a_device_nobody_has_is_blamed_before_what_is_merely_full() {
    let wants = json!([{"name": "c", "resources": {"requests": {"cpu": "1", "nvidia.com/gpu": "1"}}}]);
    let objects = [plain("a"), on("a", "db", "4"), plain("b"), on("b", "db2", "4"), web(json!({"containers": wants}))];
    assert_eq!(verdict(&objects, None), "Resource(\"nvidia.com/gpu\"): a b");
}

#[test]
fn the_node_the_selector_points_to_decides() {
    let selector = json!({"nodeSelector": {"disk": "ssd"}, "containers": asks("1")});
    assert_eq!(verdict(&[plain("a"), plain("b"), web(selector.clone())], None), "NodeSelector: a b");
    let cordoned = node("c", json!({"disk": "ssd"}), json!({"unschedulable": true}));
    assert_eq!(verdict(&[plain("a"), plain("b"), cordoned, web(selector.clone())], None), "Cordon: c");
    let full = node("c", json!({"disk": "ssd"}), json!({}));
    assert_eq!(verdict(&[plain("a"), full, on("c", "db", "4"), web(selector)], None), "Resource(\"cpu\"): c");
}

#[test]
fn node_affinity_terms_are_alternatives() {
    let affinity = |terms: Json| {
        let required = json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}});
        web(json!({"affinity": {"nodeAffinity": required}, "containers": asks("1")}))
    };
    let zone = |zone: &str| json!({"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]});
    let nodes = || [node("a", json!({"zone": "z1"}), json!({})), node("b", json!({"zone": "z2"}), json!({}))];
    let with = |pod: Json| nodes().into_iter().chain([pod]).collect::<Vec<_>>();
    assert_eq!(verdict(&with(affinity(json!([zone("z9"), zone("z2")]))), None), "fits");
    assert_eq!(verdict(&with(affinity(json!([zone("z9")]))), None), "NodeAffinity: a b");
}

#[test]
fn the_control_plane_is_set_aside_unless_it_is_asked_for() {
    let master = || tainted("m", "node-role.kubernetes.io/control-plane");
    let big = || web(json!({"containers": asks("1")}));
    assert_eq!(verdict(&[master(), plain("a"), on("a", "db", "4"), big()], None), "Resource(\"cpu\"): a");
    assert_eq!(verdict(&[master(), big()], None), "ControlPlaneTaint: m");
    let asked = web(json!({"nodeSelector": {"kubernetes.io/hostname": "m"}, "containers": asks("1")}));
    assert_eq!(verdict(&[master(), plain("a"), asked], None), "ControlPlaneTaint: m");
    // Keeping away from something is not asking for the control plane.
    let term = json!({"matchExpressions": [{"key": "state", "operator": "NotIn", "values": ["old"]}]});
    let required = json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}});
    let shy = web(json!({"affinity": {"nodeAffinity": required}, "containers": asks("1")}));
    assert_eq!(verdict(&[master(), node("a", json!({"state": "old"}), json!({})), shy], None), "NodeAffinity: a");
}

#[test]
fn taints_count_when_no_untainted_node_could_ever_hold_the_pod() {
    let small = || web(json!({"containers": asks("1")}));
    assert_eq!(verdict(&[tainted("a", "dedicated"), tainted("b", "dedicated"), small()], None), "Taint: a b");
    assert_eq!(verdict(&[tainted("a", "dedicated"), plain("b"), on("b", "db", "4"), small()], None), "Resource(\"cpu\"): b");
    let mut large = tainted("a", "dedicated");
    large["status"]["allocatable"]["cpu"] = json!("64");
    assert_eq!(verdict(&[large, plain("b"), web(json!({"containers": asks("32")}))], None), "Taint: a");
    assert_eq!(verdict(&[tainted("a", "node.kubernetes.io/not-ready"), small()], None), "NodeFault: a");
}

#[test]
fn anti_affinity_holds_both_ways() {
    let apart = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}]}});
    let spec = |node: &str| json!({"nodeName": node, "affinity": apart, "containers": asks("1")});
    let running = |node: &str| pod(&format!("web-{node}"), json!({"app": "web"}), spec(node));
    let third = || web(json!({"affinity": apart, "containers": asks("1")}));
    assert_eq!(verdict(&[plain("a"), running("a"), third()], None), "PodAntiAffinity: a");
    assert_eq!(verdict(&[plain("a"), running("a"), plain("b"), third()], None), "fits");
    // The pod itself states nothing: the one that is there keeps it away.
    assert_eq!(verdict(&[plain("a"), running("a"), web(json!({"containers": asks("1")}))], None), "PodAntiAffinity: a");
    // Siblings are apart by intent; the node left for the pod is the one that matters.
    let objects = [plain("a"), running("a"), plain("b"), on("b", "db", "4"), third()];
    assert_eq!(verdict(&objects, None), "Resource(\"cpu\"): b");
}

#[test]
fn affinity_needs_a_partner_but_the_first_of_a_group_needs_none() {
    let near = |app: &str| {
        let term = json!({"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "kubernetes.io/hostname"});
        web(json!({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}},
                   "containers": asks("1")}))
    };
    assert_eq!(verdict(&[plain("a"), near("cache")], None), "PodAffinity: a");
    assert_eq!(verdict(&[plain("a"), on("a", "cache", "1"), near("cache")], None), "fits");
    assert_eq!(verdict(&[plain("a"), near("web")], None), "fits");
}

#[test]
fn spreading_counts_pods_by_domain() {
    let spread = |max_skew: u32| {
        web(json!({"containers": asks("1"), "topologySpreadConstraints": [
            {"maxSkew": max_skew, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
             "labelSelector": {"matchLabels": {"app": "web"}}}]}))
    };
    let zoned = |name: &str, zone: &str| node(name, json!({"zone": zone}), json!({}));
    let there = |i: u32| pod(&format!("web-{i}"), json!({"app": "web"}), json!({"nodeName": "a", "containers": asks("1")}));
    let full = || on("b", "db", "4");
    let objects = |skew| [zoned("a", "z1"), zoned("b", "z2"), there(1), full(), spread(skew)];
    assert_eq!(verdict(&objects(2), None), "fits");
    assert_eq!(verdict(&objects(1), None), "Resource(\"cpu\"): b");
    assert_eq!(verdict(&[plain("a"), spread(1)], None), "TopologySpread: a");
}

#[test]
fn host_ports_clash_by_port_and_protocol() {
    let listens = |protocol: &str| json!([{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80, "protocol": protocol}]}]);
    let old = pod("old", json!({}), json!({"nodeName": "a", "containers": listens("TCP")}));
    assert_eq!(verdict(&[plain("a"), old.clone(), web(json!({"containers": listens("TCP")}))], None), "HostPort: a");
    assert_eq!(verdict(&[plain("a"), old, web(json!({"containers": listens("UDP")}))], None), "fits");
}

#[test]
fn a_bound_volume_ties_the_pod_to_its_zone() {
    let volume = |zone: &str| {
        let term = json!({"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]});
        json!({"kind": "PersistentVolume", "metadata": {"name": "pv"},
               "spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}})
    };
    let claim = json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop"},
                       "spec": {"volumeName": "pv"}});
    let user =
        || web(json!({"containers": asks("1"), "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]}));
    let here = node("a", json!({"zone": "z1"}), json!({}));
    assert_eq!(verdict(&[here.clone(), claim.clone(), volume("z1"), user()], None), "fits");
    assert_eq!(verdict(&[here, claim, volume("z2"), user()], None), "Volume: a");
}

#[test]
fn what_only_the_scheduler_sees_is_believed() {
    let small = || web(json!({"containers": asks("1")}));
    let full = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.";
    let master = node("m", json!({"node-role.kubernetes.io/master": ""}), json!({"unschedulable": true}));
    assert_eq!(verdict(&[plain("a"), master, small()], Some(full)), "Resource(\"cpu\"): a");
    assert_eq!(verdict(&[small()], Some("0/3 nodes are available: 3 Too many pods.")), "PodCount: ");
    let tie =
        "0/2 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/master: }, 1 Insufficient memory.";
    assert_eq!(verdict(&[small()], Some(tie)), "Resource(\"memory\"): ");
    let gpu = web(json!({"containers": [{"resources": {"limits": {"nvidia.com/gpu": 1}}}]}));
    let pool =
        "0/4 nodes are available: 1 node(s) had untolerated taint {nvidia.com/gpu: present}, 3 Insufficient nvidia.com/gpu.";
    assert_eq!(verdict(&[gpu], Some(pool)), "Taint: ");
}
