//! From the blamed obstacle to a finding.

use serde_json::{Value as Json, json};

use super::{Blame, Constraint, Evidence, Finding, Obstacle, Refusal, Waiting};
use crate::catalog::Strength;
use crate::cluster::Quantity;
use crate::cluster::selector::{Operator, Requirement};
use crate::cluster::simulate::resources::{self, Bound};
use crate::cluster::simulate::scheduling::{Node, Taint};
use crate::decode::{Ref, Value};
use crate::detect::last_key;
use crate::detect::near::nearest;
use crate::detect::template::pointer_part;

/// The finding, when the obstacle is a cause of its own: a claim or a node that is broken is found elsewhere.
pub(super) fn of(waiting: &Waiting<'_>, blame: &Blame<'_, '_>, refusal: Option<&Refusal<'_>>) -> Option<Finding> {
    let finding = match &blame.constraint {
        Constraint::Cordon => cordon(waiting, blame),
        Constraint::Taint | Constraint::ControlPlaneTaint => taint(waiting, blame, refusal),
        Constraint::NodeSelector => node_selector(waiting, blame),
        Constraint::NodeAffinity => node_affinity(waiting, blame),
        Constraint::HostPort => host_port(waiting, blame),
        Constraint::Resource(name) => resource(waiting, blame, name),
        Constraint::PodCount => pod_count(waiting, blame),
        Constraint::Volume => volume(waiting, blame, refusal),
        Constraint::VolumeLimit => stated(waiting, "volume-limit-exceeded"),
        Constraint::ClaimInUse => stated(waiting, "volume-already-in-use-rwop"),
        Constraint::TopologySpread => spread(waiting, blame, refusal),
        Constraint::PodAffinity => affinity(waiting, blame),
        Constraint::PodAntiAffinity => anti_affinity(waiting, blame),
        Constraint::NodeFault
        | Constraint::Placement
        | Constraint::UnboundClaim
        | Constraint::ClaimMissing
        | Constraint::Other => None,
    }?;
    let nodes: Vec<_> = blame.nodes.iter().map(|(node, _)| node.resource.name()).collect();
    let n_nodes = if nodes.is_empty() { refusal.map_or(0, |r| r.n_nodes as usize) } else { nodes.len() };
    Some(finding.fact("nodes", nodes.join(", ")).fact("n_nodes", n_nodes).fact("n_freed", blame.n_freed))
}

/// The strength of what was computed: proof when one obstacle alone is in the way, and seen.
fn strength(blame: &Blame<'_, '_>) -> Strength {
    match blame.nodes.first() {
        Some((_, obstacle)) if !matches!(obstacle, Obstacle::Told(_)) => Strength::Proof,
        _ => Strength::Statement,
    }
}

/// The scheduler's words are all there is.
fn stated(waiting: &Waiting<'_>, cause: &str) -> Option<Finding> {
    let evidence = Evidence::event(waiting.event?, Strength::Statement, "the scheduler names what every node lacks");
    Some(waiting.finding(cause, waiting.template.carrier.clone(), evidence))
}

/// Evidence at a field of the pod template, at the pod when the template does not say it, or at the spec that lacks it.
fn demand(waiting: &Waiting<'_>, path: &str, strength: Strength, says: String) -> Evidence {
    let (template, pod) = (waiting.template.at(path), waiting.pod.spec.path(path));
    let key = last_key(path);
    if template.exists() {
        Evidence::value(waiting.template.holder, template, key, strength, says)
    } else if pod.exists() {
        Evidence::value(waiting.pod.resource, pod, key, strength, says)
    } else {
        let spec = Evidence::value(waiting.template.holder, waiting.template.at(""), "spec", strength, says);
        spec.brief(&format!("spec without {key}"))
    }
}

fn culprit(waiting: &Waiting<'_>) -> Ref {
    waiting.template.carrier.clone()
}

fn ops(waiting: &Waiting<'_>, ops: impl FnOnce(&str) -> Vec<Json>) -> Json {
    waiting.template.pointer().map(|pointer| Json::Array(ops(&pointer))).unwrap_or_default()
}

fn cordon(waiting: &Waiting<'_>, blame: &Blame<'_, '_>) -> Option<Finding> {
    let says = |what: &str| format!("the node {what}, and the pod would fit on it otherwise");
    let Some((node, _)) = blame.nodes.iter().find(|(node, _)| !node.is_control_plane()).or(blame.nodes.first()) else {
        return stated(waiting, "node-cordoned");
    };
    let field = node.resource.at("spec.unschedulable");
    let evidence = if field.exists() {
        Evidence::field(node.resource, "spec.unschedulable", strength(blame), says("is cordoned"))
    } else {
        Evidence::field(node.resource, "spec.taints", strength(blame), says("has the taint of a cordon"))
    };
    let mut finding = waiting.finding("node-cordoned", node.resource.reference.clone(), evidence);
    if !waiting.template.at("nodeSelector").is_empty() {
        let says = "the pod asks for this kind of node by its labels".to_owned();
        finding = finding.evidence(demand(waiting, "nodeSelector", Strength::Hint, says));
    }
    Some(finding)
}

fn taint(waiting: &Waiting<'_>, blame: &Blame<'_, '_>, refusal: Option<&Refusal<'_>>) -> Option<Finding> {
    let seen = blame.nodes.iter().find_map(|(node, obstacle)| match obstacle {
        Obstacle::Taint(taint) => Some((*node, *taint)),
        _ => None,
    });
    let told = refusal.and_then(|r| r.clauses.iter().find(|c| c.constraint == blame.constraint)?.taint);
    let says = |taint: Taint<'_>| format!("no toleration of the pod matches {taint}");
    let (finding, taint) = match seen {
        Some((node, taint)) => {
            let tolerations = demand(waiting, "tolerations", strength(blame), says(taint));
            let finding = waiting.finding("taint-not-tolerated", culprit(waiting), tolerations);
            let of_node = format!("node {} keeps away every pod that does not tolerate it", node.resource.name());
            let on_node = Evidence::field(node.resource, "spec.taints", strength(blame), of_node);
            (finding.evidence(on_node).fact("node", node.resource.name()), taint)
        }
        None => (stated(waiting, "taint-not-tolerated")?, told.unwrap_or(Taint { key: "", value: "", effect: "" })),
    };
    let mut toleration = json!({"key": taint.key, "operator": if taint.value.is_empty() { "Exists" } else { "Equal" }});
    for (field, text) in [("value", taint.value), ("effect", taint.effect)] {
        if !text.is_empty() {
            toleration[field] = text.into();
        }
    }
    let add = |pointer: &str| {
        if waiting.template.at("tolerations").is_empty() {
            vec![json!({"op": "add", "path": format!("{pointer}/tolerations"), "value": [toleration]})]
        } else {
            vec![json!({"op": "add", "path": format!("{pointer}/tolerations/-"), "value": toleration})]
        }
    };
    let ops = if taint.key.is_empty() { Json::Null } else { ops(waiting, add) };
    Some(
        finding
            .fact("taint", taint.to_string())
            .fact("key", taint.key)
            .fact("toleration", toleration.to_string())
            .fact("ops", ops),
    )
}

fn node_selector(waiting: &Waiting<'_>, blame: &Blame<'_, '_>) -> Option<Finding> {
    let selector = waiting.pod.spec.get("nodeSelector");
    let wanted: Vec<_> = selector.fields().map(|(k, v)| format!("{k}={}", v.text())).collect();
    let unmet = nearest_miss(blame);
    let says = match &unmet {
        Some((node, unmet)) => format!("no node has all of these labels; {} lacks {}", node.resource.name(), listed(unmet)),
        None => "the scheduler finds no node with these labels".to_owned(),
    };
    let evidence = demand(waiting, "nodeSelector", strength(blame), says);
    let mut finding = waiting.finding("node-selector-mismatch", culprit(waiting), evidence).fact("selector", wanted.join(","));
    if let Some((node, unmet)) = unmet {
        finding = finding.evidence(labels_of(node, &unmet));
        let near = |r: &Requirement<'_>| {
            let values = blame.nodes.iter().filter_map(|(node, _)| node.resource.label(r.key));
            nearest(r.values.first().copied().unwrap_or_default(), values).map(str::to_owned)
        };
        let change = |pointer: &str| {
            let of_key = |r: &Requirement<'_>| {
                let path = format!("{pointer}/nodeSelector/{}", pointer_part(r.key));
                match near(r) {
                    Some(value) => json!({"op": "replace", "path": path, "value": value}),
                    None => json!({"op": "remove", "path": path}),
                }
            };
            unmet.iter().map(of_key).collect()
        };
        let labels: Vec<_> = unmet.iter().map(|r| format!("{}={}", r.key, r.values.join(","))).collect();
        finding = finding
            .fact("node", node.resource.name())
            .fact("unmet", labels.join(" "))
            .fact("near", unmet.iter().find_map(|r| Some(format!("{}={}", r.key, near(r)?))).unwrap_or_default())
            .fact("ops", ops(waiting, change));
    }
    Some(finding)
}

fn node_affinity(waiting: &Waiting<'_>, blame: &Blame<'_, '_>) -> Option<Finding> {
    const REQUIRED: &str = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    let unmet = nearest_miss(blame);
    let says = match &unmet {
        Some((node, unmet)) => format!("no node satisfies a term of it; {} fails {}", node.resource.name(), listed(unmet)),
        None => "the pod has no nodeSelector, so it is its node affinity that no node satisfies".to_owned(),
    };
    let evidence = demand(waiting, REQUIRED, strength(blame), says);
    let mut finding = waiting.finding("node-affinity-mismatch", culprit(waiting), evidence);
    if let Some((node, unmet)) = unmet {
        let remove = |pointer: &str| vec![json!({"op": "remove", "path": format!("{pointer}/{}", REQUIRED.replace('.', "/"))})];
        let has_own = waiting.template.at(REQUIRED).exists();
        finding = finding
            .evidence(labels_of(node, &unmet))
            .fact("node", node.resource.name())
            .fact("unmet", listed(&unmet))
            .fact("label", label_for(&unmet))
            .fact("ops", if has_own { ops(waiting, remove) } else { Json::Null });
    }
    Some(finding)
}

/// The node that lacks least, and what it lacks.
fn nearest_miss<'s, 'a>(blame: &Blame<'s, 'a>) -> Option<(&'s Node<'a>, Vec<Requirement<'a>>)> {
    let misses = blame.nodes.iter().filter_map(|(node, obstacle)| match obstacle {
        Obstacle::NodeSelector(unmet) | Obstacle::NodeAffinity(unmet) | Obstacle::Volume { unmet, .. } => {
            Some((*node, unmet.clone()))
        }
        _ => None,
    });
    misses.min_by_key(|(_, unmet)| unmet.len())
}

fn listed(unmet: &[Requirement<'_>]) -> String {
    unmet.iter().map(Requirement::to_string).collect::<Vec<_>>().join(", ")
}

/// What the nearest node says to the labels that are asked for.
fn labels_of(node: &Node<'_>, unmet: &[Requirement<'_>]) -> Evidence {
    let labels = node.resource.at("metadata.labels");
    let key = unmet.first().map_or("", |r| r.key);
    let says = format!("node {} comes nearest", node.resource.name());
    let value = labels.get(key);
    let place = if value.exists() { value } else { labels };
    let mut evidence = Evidence::value(node.resource, place, key, Strength::Proof, says);
    if !value.exists() {
        evidence.excerpt = format!("no label {key}");
    }
    evidence
}

/// `key=value` of a label that would satisfy the first requirement, where a label can.
fn label_for(unmet: &[Requirement<'_>]) -> String {
    match unmet.first() {
        Some(r) if r.operator == Operator::In => format!("{}={}", r.key, r.values.first().unwrap_or(&"")),
        Some(r) if r.operator == Operator::Exists => format!("{}=true", r.key),
        _ => String::new(),
    }
}

fn resource(waiting: &Waiting<'_>, blame: &Blame<'_, '_>, name: &str) -> Option<Finding> {
    let cause = match name {
        "cpu" => "insufficient-cpu",
        "memory" => "insufficient-memory",
        "ephemeral-storage" => "insufficient-ephemeral-storage",
        "pods" => return pod_count(waiting, blame),
        _ => "insufficient-gpu",
    };
    let best = blame.nodes.iter().filter_map(|(node, obstacle)| match obstacle {
        Obstacle::Resource { free, allocatable, requested, .. } => Some((*free, *allocatable, *requested, *node)),
        _ => None,
    });
    let best = best.max_by_key(|(free, allocatable, ..)| (*free, *allocatable));
    let requested = resources::of_pod(waiting.pod.spec, Bound::Requests).get(name).copied().unwrap_or_default();
    let says = match &best {
        Some((free, allocatable, ..)) => {
            format!("the pod requests {requested}; no node has more than {free} of {allocatable} left")
        }
        None => format!("the pod requests {requested}, and the scheduler finds no node with as much left"),
    };
    let container = largest_request(waiting, name);
    let path = container.map_or("containers".to_owned(), |(path, _)| path);
    let evidence = demand(waiting, &path, strength(blame), says);
    let mut finding =
        waiting.finding(cause, culprit(waiting), evidence).fact("resource_name", name).fact("requested", requested.to_string());
    if let Some((free, allocatable, _, node)) = best {
        let says = format!("{} has {allocatable} in all, {free} of it left", node.resource.name());
        let never = blame
            .nodes
            .iter()
            .all(|(_, o)| matches!(o, Obstacle::Resource { requested, allocatable, .. } if requested > allocatable));
        finding = finding
            .evidence(offer(node, name, strength(blame), says))
            .fact("node", node.resource.name())
            .fact("free", free.to_string())
            .fact("allocatable", allocatable.to_string())
            .fact("never", never)
            .fact("ops", lowered(waiting, name, requested, free));
    }
    Some(finding)
}

/// What a node offers of a resource, or its list of resources when it offers none.
fn offer(node: &Node<'_>, name: &str, strength: Strength, says: String) -> Evidence {
    let all = node.resource.at("status.allocatable");
    let offered = all.get(name);
    if offered.exists() {
        Evidence::value(node.resource, offered, name, strength, says)
    } else {
        Evidence::value(node.resource, all, "allocatable", strength, says).brief(&format!("allocatable without {name}"))
    }
}

/// The container that requests most of a resource: the path of its request inside the pod spec, and how much.
fn largest_request(waiting: &Waiting<'_>, name: &str) -> Option<(String, Quantity)> {
    let of_list = |list: &'static str| {
        waiting.template.at(list).items().enumerate().filter_map(move |(i, container)| {
            let resources = container.get("resources");
            let bound = if resources.get("requests").get(name).exists() { "requests" } else { "limits" };
            let amount = Quantity::of(resources.get(bound).get(name))?;
            Some((format!("{list}[{i}].resources.{bound}[{name}]"), amount))
        })
    };
    of_list("containers").chain(of_list("initContainers")).max_by_key(|(_, amount)| *amount)
}

/// The patch that lowers the largest request to what is left of the best node.
fn lowered(waiting: &Waiting<'_>, name: &str, requested: Quantity, free: Quantity) -> Json {
    let Some((path, amount)) = largest_request(waiting, name) else { return Json::Null };
    let fitting = free - (requested - amount);
    if fitting <= Quantity::ZERO || name.contains('/') || !path.contains("requests") {
        return Json::Null;
    }
    let at = path.replace(['.', '['], "/").replace(']', "");
    let at = at.strip_suffix(name).map_or(at.clone(), |stem| format!("{stem}{}", pointer_part(name)));
    ops(waiting, |pointer| vec![json!({"op": "replace", "path": format!("{pointer}/{at}"), "value": fitting.to_string()})])
}

fn pod_count(waiting: &Waiting<'_>, blame: &Blame<'_, '_>) -> Option<Finding> {
    let Some((node, Obstacle::PodCount { limit })) = blame.nodes.first() else {
        return stated(waiting, "node-pod-capacity-exhausted");
    };
    let says = format!("its kubelet admits {limit} pods, and {} run there", node.n_pods);
    let evidence = Evidence::field(node.resource, "status.allocatable.pods", strength(blame), says);
    let finding = waiting.finding("node-pod-capacity-exhausted", node.resource.reference.clone(), evidence);
    Some(finding.fact("limit", limit.to_string()))
}

fn host_port(waiting: &Waiting<'_>, blame: &Blame<'_, '_>) -> Option<Finding> {
    let Some((node, Obstacle::HostPort { port, holder })) = blame.nodes.first() else {
        return stated(waiting, "host-port-conflict");
    };
    let own = waiting.cluster.get(holder).is_some_and(|h| waiting.cluster.top_owner_ref(h) == culprit(waiting));
    let (path, _) = port_field(waiting, *port);
    let says = format!("host port {port} of node {} is taken by {holder}", node.resource.name());
    let evidence = demand(waiting, &path, strength(blame), says);
    let strategy = waiting.template.holder.at("spec.strategy");
    let ops = match waiting.template.carrier.kind.as_str() {
        "Deployment" if own => ops(waiting, |_| {
            vec![
                json!({"op": if strategy.exists() { "replace" } else { "add" }, "path": "/spec/strategy", "value": {"type": "Recreate"}}),
            ]
        }),
        _ => Json::Null,
    };
    let mut finding = waiting
        .finding("host-port-conflict", culprit(waiting), evidence)
        .fact("port", *port)
        .fact("holder", holder.to_string())
        .fact("own", own)
        .fact("node", node.resource.name())
        .fact("ops", ops);
    if let Some(holder) = waiting.cluster.get(holder) {
        let says = format!("{} runs on {} and has the port", holder.name(), node.resource.name());
        finding = finding.evidence(Evidence::field(holder, "spec.nodeName", Strength::Proof, says));
    }
    Some(finding)
}

/// Where the pod spec states a host port, or `hostNetwork` and the container port.
fn port_field<'a>(waiting: &Waiting<'a>, port: i64) -> (String, Value<'a>) {
    for (i, container) in waiting.template.at("containers").items().enumerate() {
        for (j, stated) in container.get("ports").items().enumerate() {
            for key in ["hostPort", "containerPort"] {
                if stated.get(key).as_i64() == Some(port) {
                    return (format!("containers[{i}].ports[{j}].{key}"), stated.get(key));
                }
            }
        }
    }
    ("hostNetwork".to_owned(), waiting.template.at("hostNetwork"))
}

fn volume(waiting: &Waiting<'_>, blame: &Blame<'_, '_>, refusal: Option<&Refusal<'_>>) -> Option<Finding> {
    let by_zone_label = refusal.is_some_and(|r| r.clauses.iter().any(|c| c.text.contains("volume zone")));
    let Some((_, Obstacle::Volume { volume, .. })) = blame.nodes.first() else {
        return stated(waiting, if by_zone_label { "volume-zone-conflict" } else { "volume-node-affinity-conflict" });
    };
    let (node, unmet) = nearest_miss(blame)?;
    let pv = waiting.cluster.get(volume)?;
    let affinity = pv.at("spec.nodeAffinity");
    let (cause, path) = if affinity.exists() {
        ("volume-node-affinity-conflict", "spec.nodeAffinity")
    } else {
        ("volume-zone-conflict", "metadata.labels")
    };
    let says = format!("the volume can only be used where {}", listed(&unmet));
    let evidence = Evidence::field(pv, path, strength(blame), says);
    let claim = pv.at("spec.claimRef.name").text();
    let finding = waiting.finding(cause, volume.clone(), evidence).evidence(labels_of(node, &unmet));
    let claim_ref = Ref::new("PersistentVolumeClaim", waiting.pod.resource.namespace(), claim);
    let finding = if claim.is_empty() { finding } else { finding.affects([claim_ref]) };
    Some(
        finding
            .fact("volume", volume.name.as_str())
            .fact("claim", claim)
            .fact("unmet", listed(&unmet))
            .fact("node", node.resource.name()),
    )
}

fn spread(waiting: &Waiting<'_>, blame: &Blame<'_, '_>, refusal: Option<&Refusal<'_>>) -> Option<Finding> {
    let told_unlabelled = refusal.is_some_and(|r| r.clauses.iter().any(|c| c.text.contains("missing required label")));
    let (key, unlabelled) = match blame.nodes.first() {
        Some((_, Obstacle::TopologySpread { topology_key, unlabelled })) => (*topology_key, *unlabelled),
        _ => ("", told_unlabelled),
    };
    let says = if unlabelled {
        format!("nodes lack the label {key} that tells the domains apart")
    } else {
        format!("one more pod in any domain of {key} that is open would exceed maxSkew")
    };
    let mut constraints = waiting.template.at("topologySpreadConstraints").items();
    let at = constraints.position(|c| c.get("topologyKey").text() == key && c.get("whenUnsatisfiable").text() == "DoNotSchedule");
    let evidence = demand(waiting, "topologySpreadConstraints", strength(blame), says);
    let loosen = |pointer: &str| {
        let at = at.unwrap_or_default();
        let path = format!("{pointer}/topologySpreadConstraints/{at}/whenUnsatisfiable");
        vec![json!({"op": "replace", "path": path, "value": "ScheduleAnyway"})]
    };
    Some(
        waiting
            .finding("topology-spread-unsatisfiable", culprit(waiting), evidence)
            .fact("topology_key", key)
            .fact("unlabelled", unlabelled)
            .fact("ops", if at.is_some() { ops(waiting, loosen) } else { Json::Null }),
    )
}

const POD_REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const POD_PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

fn affinity(waiting: &Waiting<'_>, blame: &Blame<'_, '_>) -> Option<Finding> {
    let (key, nowhere) = match blame.nodes.first() {
        Some((_, Obstacle::PodAffinity { topology_key, nowhere })) => (*topology_key, *nowhere),
        _ => ("", false),
    };
    let says = if nowhere {
        "no pod that runs is what the term selects".to_owned()
    } else {
        format!("no node in a {key} with such a pod can take this one")
    };
    let path = format!("affinity.podAffinity.{POD_REQUIRED}");
    let evidence = demand(waiting, &path, strength(blame), says);
    let finding = waiting.finding("pod-affinity-unsatisfiable", culprit(waiting), evidence);
    Some(finding.fact("topology_key", key).fact("nowhere", nowhere).fact("ops", preferred(waiting, "podAffinity")))
}

fn anti_affinity(waiting: &Waiting<'_>, blame: &Blame<'_, '_>) -> Option<Finding> {
    let path = format!("affinity.podAntiAffinity.{POD_REQUIRED}");
    let Some((node, Obstacle::PodAntiAffinity { topology_key, with })) = blame.nodes.first() else {
        return stated(waiting, "pod-anti-affinity-conflict");
    };
    let own = waiting.cluster.get(with).is_some_and(|w| waiting.cluster.top_owner_ref(w) == culprit(waiting));
    let says = format!("every {topology_key} that is open already has such a pod; on {} it is {with}", node.resource.name());
    let evidence = demand(waiting, &path, strength(blame), says);
    let finding = waiting
        .finding("pod-anti-affinity-conflict", culprit(waiting), evidence)
        .fact("topology_key", *topology_key)
        .fact("with", with.to_string())
        .fact("own", own)
        .fact("node", node.resource.name())
        .fact("replicas", waiting.template.holder.at("spec.replicas").as_i64().unwrap_or(1));
    Some(finding.fact("ops", preferred(waiting, "podAntiAffinity")))
}

/// The patch that turns required terms into preferred ones.
fn preferred(waiting: &Waiting<'_>, kind: &str) -> Json {
    let own = waiting.template.at("affinity").get(kind);
    let required = own.get(POD_REQUIRED);
    if required.is_empty() {
        return Json::Null;
    }
    let as_preference = |term: Value<'_>| json!({"weight": 100, "podAffinityTerm": term.to_json()});
    let kept = own.get(POD_PREFERRED).items().map(Value::to_json);
    let terms: Vec<_> = kept.chain(required.items().map(as_preference)).collect();
    ops(waiting, |pointer| {
        let at = format!("{pointer}/affinity/{kind}");
        vec![
            json!({"op": "remove", "path": format!("{at}/{POD_REQUIRED}")}),
            json!({"op": "add", "path": format!("{at}/{POD_PREFERRED}"), "value": terms}),
        ]
    })
}
