//! Signs on containers of pods: what the kubelet last said of one, wherever in its status it stands.

use super::field::{Conditions, Field, Place, places};
use super::objects::node_of;
use super::{Found, Seen, Sighting, Wanted, wanted};
use crate::catalog::{Catalog, Strength};
use crate::cluster::Cluster;
use crate::decode::{Resource, Value};
use crate::detect::{Evidence, EvidenceKind};

/// Lists of container statuses, and the lists of the pod spec they are about.
const LISTS: [(&str, &str); 3] = [
    ("status.initContainerStatuses", "spec.initContainers"),
    ("status.containerStatuses", "spec.containers"),
    ("status.ephemeralContainerStatuses", "spec.ephemeralContainers"),
];

/// States that tell why a container does not run, the present one first.
const STATES: [&str; 3] = ["state.waiting", "state.terminated", "lastState.terminated"];

pub(super) fn look<'a>(cluster: &'a Cluster, catalog: &'a Catalog, found: &mut Found<'a>) {
    let signs: Vec<Wanted<'_>> = wanted(catalog).filter(|w| w.sign.on == "container").collect();
    for pod in cluster.kind("Pod").filter(|_| !signs.is_empty()) {
        // The last state of a container that runs well again is history.
        let is_settled = cluster.is_settled(pod);
        let at_most = if is_settled { Strength::Hint } else { Strength::Proof };
        for (statuses, specs) in LISTS {
            for status in pod.at(statuses).items() {
                let name = status.get("name").text();
                let spec = pod.at(specs).items().find(|c| c.get("name").text() == name).unwrap_or(Value::ABSENT);
                for wanted in signs.iter().filter(|w| !(is_settled && w.denies_start())) {
                    if let Some(seen) = see(pod, status, spec, *wanted) {
                        found.add(*wanted, Seen { at_most, ..seen });
                    }
                }
            }
        }
    }
}

fn see<'a>(pod: &'a Resource, status: Value<'a>, spec: Value<'a>, wanted: Wanted<'a>) -> Option<Seen<'a>> {
    let sighting = Sighting::of(wanted.sign, "message", |path| fields(status, spec, path, &wanted.sign.conditions))?;
    let witness = sighting.witness.as_ref();
    let path = witness.map_or("name", |w| w.path.as_str());
    let (value, key) = match witness.map(|w| w.field) {
        Some(Field::Value(value)) => (value, path.rsplit('.').next().unwrap_or(path)),
        _ => (status.get("name"), "name"),
    };
    let kind = if path.starts_with("spec.") { EvidenceKind::Spec } else { EvidenceKind::Status };
    Some(Seen {
        subject: pod.reference.clone(),
        object: Some(pod),
        container: status.get("name").text(),
        node: node_of(pod),
        evidence: Evidence::value(pod, value, key, wanted.sign.strength, "").of_kind(kind),
        sighting,
        at_most: Strength::Proof,
    })
}

/// Fields of a container, as signs name them: `reason`, `message` and `exitCode` of its present or last state, `spec.…` of
/// its spec, anything else of its status.
fn fields<'a>(status: Value<'a>, spec: Value<'a>, path: &str, conditions: &Conditions) -> Vec<Place<'a>> {
    if matches!(path, "reason" | "message" | "exitCode") {
        let told = STATES.iter().map(|state| status.path(state).get(path)).filter(|v| v.exists());
        return told.map(|v| Place { field: Field::Value(v), item: Some(status) }).collect();
    }
    match path.strip_prefix("spec.") {
        Some(inner) => places(spec, inner, conditions),
        None => places(status, path, conditions),
    }
}
