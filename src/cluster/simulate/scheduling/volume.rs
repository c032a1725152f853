//! Volumes that can be used on some nodes only (kubernetes plugins VolumeBinding and VolumeZone).

use super::{Obstacle, Pod, domain};
use crate::cluster::Cluster;
use crate::cluster::selector::{self, Operator, Requirement};
use crate::decode::Resource;

/// Labels by which older volumes tell their zone.
const ZONE_LABELS: [&str; 4] = [
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];

/// The PersistentVolumes behind the claims of `pod`, as far as they are bound and in the bundle.
pub(super) fn bound<'a>(cluster: &'a Cluster, pod: &Pod<'a>) -> Vec<&'a Resource> {
    claims(pod)
        .filter_map(|claim| cluster.find("PersistentVolumeClaim", pod.namespace(), &claim))
        .filter_map(|claim| cluster.find("PersistentVolume", None, claim.at("spec.volumeName").text()))
        .collect()
}

/// Names of the claims a pod mounts, those made for generic ephemeral volumes among them.
pub(super) fn claims<'a>(pod: &Pod<'a>) -> impl Iterator<Item = String> + use<'a> {
    let name = pod.resource.name();
    pod.spec.get("volumes").items().filter_map(move |volume| {
        let claim = volume.path("persistentVolumeClaim.claimName");
        if claim.exists() {
            Some(claim.text().to_owned())
        } else {
            volume.get("ephemeral").exists().then(|| format!("{name}-{}", volume.get("name").text()))
        }
    })
}

/// What keeps `volume` from being used on `node`.
pub(super) fn obstacle<'a>(volume: &'a Resource, node: &Resource) -> Option<Obstacle<'a>> {
    let terms = volume.at("spec.nodeAffinity.required.nodeSelectorTerms");
    let misses = terms.items().map(|term| selector::unmet_by_node(term, node.name(), |key| domain(node, key)).err());
    let nearest = misses.collect::<Option<Vec<_>>>().unwrap_or_default().into_iter().min_by_key(Vec::len);
    let unmet = nearest.or_else(|| Some(unmet_zones(volume, node)).filter(|z| !z.is_empty()))?;
    Some(Obstacle::Volume { volume: volume.reference.clone(), unmet })
}

/// Zone labels of the volume that the node does not share. A value may name several zones: `a__b`. Nodes without any zone
/// label are clusters of one zone.
fn unmet_zones<'a>(volume: &'a Resource, node: &Resource) -> Vec<Requirement<'a>> {
    let zones = ZONE_LABELS.iter().filter_map(|key| {
        let values = volume.label(key)?.split("__").collect();
        Some(Requirement { key, operator: Operator::In, values })
    });
    let zoned = ZONE_LABELS.iter().any(|key| node.label(key).is_some());
    zones.filter(|r| zoned && !r.is_met_by(node.label(r.key))).collect()
}
