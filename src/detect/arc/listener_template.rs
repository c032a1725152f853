//! Pod settings that were written one level too deep.

use serde_json::Value as Json;

use super::scale_sets;
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::Resource;
use crate::detect::{Evidence, Finding, pod_trouble};

/// Fields of a pod that a container does not have; the CRD takes them without a word and drops them.
const OF_THE_POD: &[&str] =
    &["tolerations", "nodeSelector", "affinity", "imagePullSecrets", "serviceAccountName", "priorityClassName"];

const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

pub(super) fn misplaced_fields(cluster: &Cluster, out: &mut Vec<Finding>) {
    for set in scale_sets(cluster) {
        let applied = set.annotation(APPLIED).and_then(|text| serde_json::from_str::<Json>(text).ok());
        for template in ["listenerTemplate", "template"] {
            let Some((field, evidence)) = in_containers(set, template).or_else(|| in_manifest(set, applied.as_ref()?, template))
            else {
                continue;
            };
            let missing = !set.at(&format!("spec.{template}.spec")).get(field).exists();
            if missing && is_pending(cluster, set) {
                let finding = Finding::new("arc-listener-template-misplaced-field", set.reference.clone(), evidence);
                out.push(finding.fact("field", field).fact("template", template));
            }
        }
    }
}

/// Seen in the object itself: read from a manifest, or kept by a CRD without a schema.
fn in_containers(set: &Resource, template: &str) -> Option<(&'static str, Evidence)> {
    let containers = set.at(&format!("spec.{template}.spec.containers"));
    let (field, value) = containers.items().find_map(|c| {
        let field = OF_THE_POD.iter().copied().find(|f| c.get(f).exists())?;
        Some((field, c.get(field)))
    })?;
    Some((field, Evidence::value(set, value, field, Strength::Proof, "a setting of the pod, written into a container")))
}

/// Seen in what was applied; the API server dropped it.
fn in_manifest(set: &Resource, applied: &Json, template: &str) -> Option<(&'static str, Evidence)> {
    let containers = applied.pointer(&format!("/spec/{template}/spec/containers"))?.as_array()?;
    let field = containers.iter().find_map(|c| OF_THE_POD.iter().copied().find(|f| c.get(f).is_some()))?;
    let says = "what was applied holds this setting of the pod inside a container, and the API server dropped it";
    let annotation = set.at("metadata.annotations").get(APPLIED);
    let evidence = Evidence::value(set, annotation, APPLIED, Strength::Proof, says);
    Some((field, evidence.brief(&format!("{template}.spec.containers[].{field}"))))
}

/// A pod of the set, or its listener's, is not placed.
fn is_pending(cluster: &Cluster, set: &Resource) -> bool {
    let waits = |p: &Resource| p.at("status.phase").text() == "Pending" && pod_trouble(cluster, p).is_some();
    let of_set = |p: &Resource| cluster.top_owner_ref(p) == set.reference;
    cluster.kind("Pod").any(|p| waits(p) && of_set(p))
}
