//! Namespaces that objects are meant for and that are not there.

use jiff::SignedDuration;

use super::client::{self, Answer};
use super::near::nearest;
use super::symptom::{is_custom, within};
use super::{Detector, Evidence, EvidenceKind, Finding};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Presence};
use crate::decode::{Origin, Ref, Resource, Value};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "namespace_missing", run: namespace_missing }];

/// A refusal logged longer ago than this is history.
const RECENT: SignedDuration = SignedDuration::from_mins(30);

/// The signal that reads the API server's `namespaces "x" not found`.
const SIGNAL: &str = "namespace-not-found";

/// Refusals for want of a namespace: in events, in what deliverers say of their objects, and in the logs of programs.
fn namespace_missing(cluster: &Cluster, out: &mut Vec<Finding>) {
    for event in cluster.events().iter().filter(|e| e.warning && cluster.is_current(e)) {
        let says = "the API server refuses for want of the namespace";
        let culprit = || cluster.get(&event.regarding).map_or_else(|| event.regarding.clone(), |o| cluster.top_owner_ref(o));
        out.extend(finding(cluster, &event.message, culprit, || Evidence::event(event, Strength::Proof, says)));
    }
    for object in cluster.resources().filter(|r| r.origin != Origin::Manifest && is_custom(r)) {
        for message in complaints(object).filter(|m| !is_of_another_cluster(object, *m)) {
            let says = "it was refused for want of the namespace";
            let evidence = || Evidence::value(object, message, "message", Strength::Proof, says).of_kind(EvidenceKind::Condition);
            out.extend(finding(cluster, message.text(), || cluster.top_owner_ref(object), evidence));
        }
    }
    // A collector that asks for a namespace nobody has gets the same answer; it wants nothing made.
    let makes = |text: &str| ["error when ", "INSTALLATION FAILED", "UPGRADE FAILED"].iter().any(|words| text.contains(words));
    for Answer { text, evidence } in client::answers(cluster).into_iter().filter(|a| makes(a.text)) {
        let named = || missing(cluster, text).map_or_else(|| namespace(""), namespace);
        out.extend(finding(cluster, text, || client::object(cluster, text).unwrap_or_else(named), || evidence.clone()));
    }
    for (log, hit) in cluster.hits(SIGNAL) {
        let Some(pod) = cluster.pod_of(log).filter(|_| within(cluster, hit.line.at.or(log.last), RECENT)) else { continue };
        let says = "the API server's answer to this program";
        let evidence = || Evidence::hit(log, hit, Strength::Statement, says);
        out.extend(finding(cluster, &hit.line.text, || cluster.top_owner_ref(pod), evidence));
    }
}

/// What an object says of itself that has not succeeded.
fn complaints(object: &Resource) -> impl Iterator<Item = Value<'_>> {
    let conditions = object.at("status.conditions").items().filter(|c| !c.get("status").is_true()).map(|c| c.get("message"));
    let operation = object.at("status.operationState");
    let failed = matches!(operation.get("phase").text(), "Failed" | "Error" | "Running");
    conditions.chain(failed.then(|| operation.get("message")))
}

/// Argo CD may deliver to another cluster, of whose namespaces this bundle tells nothing.
fn is_of_another_cluster(object: &Resource, message: Value<'_>) -> bool {
    let server = object.at("spec.destination.server").text();
    !message.exists() || !server.is_empty() && !server.contains("kubernetes.default.svc")
}

/// The namespace that `text` says is not there.
fn missing<'t>(cluster: &Cluster, text: &'t str) -> Option<&'t str> {
    let captures = if text.contains("not found") { cluster.captures(SIGNAL, text)? } else { return None };
    captures.name("missing").map(|name| name.as_str())
}

fn namespace(name: &str) -> Ref {
    Ref::new("Namespace", None, name)
}

fn finding(cluster: &Cluster, text: &str, culprit: impl FnOnce() -> Ref, evidence: impl FnOnce() -> Evidence) -> Option<Finding> {
    let missing = missing(cluster, text)?;
    if cluster.presence(&namespace(missing)) == Presence::Present {
        return None;
    }
    let near = nearest(missing, cluster.kind("Namespace").map(Resource::name)).unwrap_or("");
    Some(Finding::new("namespace-missing", culprit(), evidence()).fact("missing", missing).fact("near", near))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::testing::cluster_that_says;

    fn found(namespace: &str, server: &str) -> Vec<Finding> {
        let application = json!({"kind": "Application", "apiVersion": "argoproj.io/v1alpha1",
            "metadata": {"name": "pay", "namespace": "argocd"}, "spec": {"destination": {"server": server}},
            "status": {"operationState": {"phase": "Failed", "message": "reason: namespaces \"payment\" not found"}}});
        let there =
            json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": namespace}, "status": {"phase": "Active"}});
        let mut out = Vec::new();
        namespace_missing(&cluster_that_says(&[application, there], Vec::new(), &[]), &mut out);
        out
    }

    #[test]
    fn a_namespace_that_is_there_by_now_is_not_missing() {
        let missing = found("payments", "");
        assert_eq!(
            (missing[0].facts["missing"].as_str(), missing[0].facts["near"].as_str()),
            (Some("payment"), Some("payments"))
        );
        assert!(found("payment", "https://kubernetes.default.svc").is_empty());
        assert!(found("payments", "https://10.0.0.1:6443").is_empty());
    }
}
