//! Disruption budgets that refuse every eviction, or protect nothing (kubernetes `pkg/registry/core/pod/storage/eviction.go`).

use super::address::mentions;
use super::{Detector, Evidence, Finding};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::cluster::selector::selects;
use crate::decode::{Origin, Resource, Value};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "disruption_budget", run: budgets }];

/// The eviction API's answer while a budget allows nothing.
const REFUSED: &str = "violate the pod's disruption budget";

fn budgets(cluster: &Cluster, out: &mut Vec<Finding>) {
    let refusals = refusals(cluster);
    for budget in cluster.kind("PodDisruptionBudget").filter(|b| b.origin != Origin::Manifest) {
        let found = if allows_nothing(budget) { blocked(cluster, budget, &refusals) } else { None };
        out.extend(found.or_else(|| protects_nothing(cluster, budget)));
    }
}

/// Somebody's record of a refused eviction.
struct Refusal<'a> {
    text: &'a str,
    evidence: Evidence,
}

fn refusals(cluster: &Cluster) -> Vec<Refusal<'_>> {
    let says = "an eviction was refused";
    let logged = cluster
        .hits("eviction-refused")
        .map(|(log, hit)| Refusal { text: &hit.line.text, evidence: Evidence::hit(log, hit, Strength::Proof, says) });
    let events = cluster.events().iter().filter(|e| e.message.contains(REFUSED) && cluster.is_current(e));
    let told = events.map(|e| Refusal { text: &e.message, evidence: Evidence::event(e, Strength::Proof, says) });
    let about = cluster.events().iter().filter(|e| e.message.contains(REFUSED) && e.regarding.kind == "Pod");
    let pods = about.map(|e| Refusal { text: &e.regarding.name, evidence: Evidence::event(e, Strength::Proof, says) });
    logged.chain(told).chain(pods).collect()
}

fn allows_nothing(budget: &Resource) -> bool {
    let status = budget.at("status");
    status.get("disruptionsAllowed").as_i64() == Some(0) && status.get("expectedPods").as_i64() != Some(0)
}

/// A budget without room that an eviction met, or that alone keeps a node from being drained.
fn blocked(cluster: &Cluster, budget: &Resource, refusals: &[Refusal<'_>]) -> Option<Finding> {
    let pods = protected(cluster, budget);
    let about_it = |r: &&Refusal<'_>| {
        let names_pod = pods.iter().any(|p| mentions(r.text, p.name()));
        // The pods are not in the bundle: the namespace's only budget without room is the one that was met.
        let in_namespace = budget.namespace().is_some_and(|ns| mentions(r.text, ns));
        names_pod || pods.is_empty() && in_namespace && is_alone(cluster, budget)
    };
    let refusal = refusals.iter().find(about_it).map(|r| (r.evidence.clone(), None));
    let (evidence, node) = refusal.or_else(|| {
        let node = kept_from_draining(cluster, &pods)?;
        let says = "it is cordoned, and only pods that no budget lets go are left on it";
        Some((Evidence::field(node, "spec.unschedulable", Strength::Proof, says), Some(node.name())))
    })?;
    let allowed = Evidence::field(budget, "status.disruptionsAllowed", Strength::Statement, "it allows no disruption");
    let budget_of = |field: &str| budget.at(&format!("spec.{field}")).text();
    Some(
        Finding::new("pdb-blocks-drain", budget.reference.clone(), evidence)
            .evidence(allowed)
            .fact("node", node.unwrap_or(""))
            .fact("min_available", budget_of("minAvailable"))
            .fact("healthy", budget.at("status.currentHealthy").text())
            .affects(pods.iter().map(|p| p.reference.clone())),
    )
}

fn is_alone(cluster: &Cluster, budget: &Resource) -> bool {
    let rivals = cluster.kind("PodDisruptionBudget").filter(|b| b.namespace() == budget.namespace() && allows_nothing(b));
    rivals.count() == 1
}

fn protected<'a>(cluster: &'a Cluster, budget: &Resource) -> Vec<&'a Resource> {
    let selector = budget.at("spec.selector");
    let chosen = |p: &&Resource| {
        p.namespace() == budget.namespace() && cluster.pod_labels(p).is_some_and(|labels| selects(selector, labels))
    };
    if selector.exists() { cluster.kind("Pod").filter(chosen).collect() } else { Vec::new() }
}

/// The cordoned node on which nothing is left that a drain could still evict, and one of `pods` is.
fn kept_from_draining<'a>(cluster: &'a Cluster, pods: &[&Resource]) -> Option<&'a Resource> {
    if !cluster.collected("Pod", None) {
        return None;
    }
    let stays = |pod: &Resource| {
        let of_node = cluster.owner(pod).is_some_and(|o| o.kind() == "DaemonSet") || owner_kind(pod) == "DaemonSet";
        of_node || owner_kind(pod) == "Node" || matches!(pod.at("status.phase").text(), "Succeeded" | "Failed")
    };
    cluster.kind("Node").filter(|n| n.at("spec.unschedulable").is_true()).find(|node| {
        let held = |pod: &Resource| pods.iter().any(|p| p.reference == pod.reference);
        let mut left = cluster.pods_on(node.name()).filter(|p| !stays(p)).peekable();
        left.peek().is_some() && left.all(held)
    })
}

fn owner_kind(pod: &Resource) -> &str {
    pod.at("metadata.ownerReferences").items().next().map_or("", |o| o.get("kind").text())
}

/// A budget whose selector fits no pod, and no template of its namespace either.
fn protects_nothing(cluster: &Cluster, budget: &Resource) -> Option<Finding> {
    let selector = budget.at("spec.selector");
    let namespace = budget.namespace();
    let expects_none = budget.at("status.expectedPods").as_i64() == Some(0);
    let fits = |labels: Value<'_>| selects(selector, labels);
    let is_empty = selector.get("matchLabels").is_empty() && selector.get("matchExpressions").is_empty();
    if !expects_none || is_empty || cluster.templates(namespace).any(|(_, labels)| fits(labels)) {
        return None;
    }
    // Where nothing runs in the namespace, whatever it was made for is gone or yet to come.
    let strength = if cluster.templates(namespace).next().is_some() { Strength::Proof } else { Strength::Hint };
    let says = "no pod and no template of the namespace has these labels";
    let mut finding = Finding::new(
        "pdb-selector-mismatch",
        budget.reference.clone(),
        Evidence::value(budget, selector, "selector", strength, says),
    );
    if let Some(event) = cluster.events_of(&budget.reference).find(|e| e.reason == "NoPods") {
        finding = finding.evidence(Evidence::event(event, Strength::Statement, "the controller finds no pod for it"));
    }
    Some(finding)
}
