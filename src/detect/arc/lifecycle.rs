//! Deletions that do not end.

use super::{REGISTERED, controller, subject};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Presence};
use crate::decode::{Ref, Resource};
use crate::detect::{Evidence, Finding, pod_trouble};

pub(super) fn lifecycle(cluster: &Cluster, out: &mut Vec<Finding>) {
    for object in cluster.resources().filter(|r| r.group() == "actions.github.com" && r.at("metadata.deletionTimestamp").exists())
    {
        let finalizers = object.at("metadata.finalizers");
        if finalizers.is_empty() {
            continue;
        }
        if let Some(finding) = controller_removed(cluster, object).or_else(|| secret_gone(cluster, object)) {
            out.push(finding);
        }
    }
}

/// Finalizers are taken off by the controller, and there is none.
fn controller_removed(cluster: &Cluster, object: &Resource) -> Option<Finding> {
    let runs = controller(cluster).is_some_and(|c| match c.kind() {
        "Pod" => pod_trouble(cluster, c).is_none(),
        _ => c.at("spec.replicas").as_i64() != Some(0),
    });
    if runs || cluster.kind("Pod").next().is_none() {
        return None;
    }
    let says = "only the controller takes these off, and no controller is there";
    let evidence = Evidence::field(object, "metadata.finalizers", Strength::Proof, says);
    let culprit = cluster.top_owner(object).reference.clone();
    Some(Finding::new("arc-controller-removed-before-scale-sets", culprit, evidence).affects([object.reference.clone()]))
}

/// Deregistering at GitHub needs the credentials; without the secret the finalizer stays.
fn secret_gone(cluster: &Cluster, object: &Resource) -> Option<Finding> {
    let name = object.at("spec.githubConfigSecret").as_str()?;
    let said = cluster.hits("arc-secret-unreadable").find(|(l, h)| subject(cluster, l, h).as_ref() == Some(&object.reference));
    let absent = cluster.presence(&Ref::new("Secret", object.namespace(), name)) == Presence::Absent;
    if object.kind() != "AutoscalingRunnerSet" || object.annotation(REGISTERED).is_none() || !(absent || said.is_some()) {
        return None;
    }
    let says = "needed to deregister the set at GitHub, and not there";
    let evidence =
        Evidence::field(object, "spec.githubConfigSecret", if absent { Strength::Proof } else { Strength::Statement }, says);
    let mut finding =
        Finding::new("arc-deletion-blocked-by-missing-secret", object.reference.clone(), evidence).fact("secret", name);
    if let Some((log, hit)) = said {
        finding = finding.evidence(Evidence::hit(log, hit, Strength::Statement, "the controller cannot read it"));
    }
    let namespace = object.namespace().map(|ns| Ref::new("Namespace", None, ns));
    Some(finding.affects(namespace))
}
