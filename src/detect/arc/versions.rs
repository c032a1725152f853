//! Controller, scale sets and CRDs of different releases.

use super::{controller, controller_version, release, scale_sets, subject};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Ref, Resource};
use crate::detect::{Evidence, Finding};

pub(super) fn versions(cluster: &Cluster, out: &mut Vec<Finding>) {
    mismatch_said(cluster, out);
    mismatch_seen(cluster, out);
    crd_outdated(cluster, out);
}

const MISMATCH: &str = "arc-chart-controller-version-mismatch";

/// The controller deletes a set of another version and says so in one line; the set is not there any more.
fn mismatch_said(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (log, hit) in cluster.hits("arc-version-mismatch") {
        let Some(set) = subject(cluster, log, hit) else { continue };
        let version = |name: &str| {
            cluster
                .captures("arc-version-mismatch", &hit.line.text)
                .and_then(|c| c.name(name).map(|v| v.as_str().to_owned()))
                .unwrap_or_default()
        };
        let evidence = Evidence::hit(log, hit, Strength::Proof, "the controller deletes the set for its version");
        let culprit = match cluster.get(&set) {
            Some(_) => set.clone(),
            None => controller(cluster).map_or_else(|| set.clone(), |c| cluster.top_owner_ref(c)),
        };
        out.push(found(culprit, &set, &version("controller"), &version("set"), evidence));
    }
}

fn mismatch_seen(cluster: &Cluster, out: &mut Vec<Finding>) {
    let Some(controller) = controller(cluster) else { return };
    let Some(built) = controller_version(controller).filter(|v| release(v).is_some()) else { return };
    for set in scale_sets(cluster) {
        let label = set.at("metadata.labels[app.kubernetes.io/version]");
        if label.exists() && label.text() != built && release(label.text()).is_some() {
            let says = "must equal the controller's version, patch level included";
            let evidence = Evidence::value(set, label, "app.kubernetes.io/version", Strength::Proof, says);
            out.push(found(set.reference.clone(), &set.reference, built, label.text(), evidence));
        }
    }
}

fn found(culprit: Ref, set: &Ref, controller: &str, chart: &str, evidence: Evidence) -> Finding {
    Finding::new(MISMATCH, culprit, evidence)
        .fact("set", set.to_string())
        .fact("set_name", set.name.clone())
        .fact("set_ns", set.namespace.clone().unwrap_or_default())
        .fact("controller_version", controller)
        .fact("set_version", chart)
        .affects([set.clone()])
}

/// Where the schema of an EphemeralRunner keeps the type of `status.failures`: boolean up to 0.11, a time from 0.12.
const FAILURES: &str = "schema.openAPIV3Schema.properties.status.properties.failures.additionalProperties";

/// Helm does not upgrade CRDs: objects written by an old release cannot be read by a new controller.
fn crd_outdated(cluster: &Cluster, out: &mut Vec<Finding>) {
    let crd = cluster.find("CustomResourceDefinition", None, "ephemeralrunners.actions.github.com");
    let controller = controller(cluster);
    let version = controller.and_then(controller_version);
    let old_type = |crd: &Resource| crd.at("spec.versions").items().any(|v| v.path(FAILURES).get("type").text() == "boolean");
    let is_new = version.and_then(release).is_some_and(|v| v >= (0, 12));
    let computed = crd.filter(|c| is_new && old_type(c));
    let said = cluster.hits("arc-crd-outdated").next();
    let evidence = match (computed, said) {
        (Some(crd), _) => {
            let versions = crd.at("spec.versions");
            let value = versions.item(0).path(FAILURES).get("type");
            Evidence::value(crd, value, "failures", Strength::Proof, "the type up to 0.11; the controller wants times")
        }
        (None, Some((log, hit))) => {
            Evidence::hit(log, hit, Strength::Statement, "the controller cannot read objects of the old schema")
        }
        (None, None) => return,
    };
    let culprit = crd.map(|c| c.reference.clone()).or_else(|| controller.map(|c| cluster.top_owner_ref(c)));
    let Some(culprit) = culprit else { return };
    let mut finding = Finding::new("arc-crd-outdated", culprit, evidence).fact("controller_version", version.unwrap_or(""));
    if let (Some(_), Some((log, hit))) = (computed, said) {
        finding = finding.evidence(Evidence::hit(
            log,
            hit,
            Strength::Statement,
            "the controller cannot read objects of the old schema",
        ));
    }
    let suffering = controller.map(|c| cluster.top_owner_ref(c));
    let pods = controller.into_iter().flat_map(|c| cluster.descendants(&c.reference)).map(|p| p.reference.clone());
    out.push(
        finding.affects(
            suffering.into_iter().chain(pods).chain(scale_sets(cluster).map(|s| s.reference.clone())).collect::<Vec<_>>(),
        ),
    );
}
