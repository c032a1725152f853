//! Which PersistentVolumes a claim can bind, and what keeps it from the others (kubernetes
//! component-helpers/storage/volume and pkg/controller/volume/persistentvolume).

use std::cmp::Reverse;

use crate::cluster::selector::{self, Requirement};
use crate::cluster::{Cluster, Presence, Quantity};
use crate::decode::{Ref, Resource, Value};

/// What keeps a claim from a volume. In the order in which a person would mend them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit<'a> {
    /// They name different classes; empty for none.
    Class {
        /// The claim's.
        wanted: &'a str,
        /// The volume's.
        offered: &'a str,
    },
    /// The volume lacks labels the claim selects by.
    Selector(Vec<Requirement<'a>>),
    /// The volume does not offer all access modes.
    AccessModes {
        /// What the claim wants.
        wanted: Vec<&'a str>,
        /// What the volume offers.
        offered: Vec<&'a str>,
    },
    /// The volume is smaller than requested.
    Capacity {
        /// What the claim requests.
        wanted: Quantity,
        /// What the volume holds.
        offered: Quantity,
    },
    /// One is a block device, the other a file system.
    VolumeMode {
        /// The claim's.
        wanted: &'a str,
        /// The volume's.
        offered: &'a str,
    },
    /// The volume belongs to another claim, or to one that is gone.
    Claimed {
        /// `namespace/name` of that claim.
        by: String,
        /// The volume's phase: `Bound`, `Released`.
        phase: &'a str,
    },
    /// The volume is being deleted, or failed.
    Unusable(&'a str),
}

impl Misfit<'_> {
    /// How far it takes the volume from being the one that was meant: a volume that is somebody else's was hardly meant.
    fn weight(&self) -> u32 {
        match self {
            Self::Claimed { .. } | Self::Unusable(_) => 3,
            _ => 2,
        }
    }
}

/// All that keeps `claim` from binding `volume`; nothing when it can.
pub fn misfits<'a>(claim: &'a Resource, volume: &'a Resource) -> Vec<Misfit<'a>> {
    let mut found = Vec::new();
    let (wanted, offered) = (class_of(claim), class_of(volume));
    if wanted.unwrap_or_default() != offered.unwrap_or_default() {
        found.push(Misfit::Class { wanted: wanted.unwrap_or_default(), offered: offered.unwrap_or_default() });
    }
    let labels = volume.at("metadata.labels");
    let demanded = selector::requirements(claim.at("spec.selector"));
    let unmet: Vec<_> = demanded.into_iter().filter(|r| !selector::is_met(r, labels)).collect();
    if !unmet.is_empty() {
        found.push(Misfit::Selector(unmet));
    }
    let (wanted, offered) = (access_modes(claim), access_modes(volume));
    if !wanted.iter().all(|mode| offered.contains(mode)) && !offered.is_empty() {
        found.push(Misfit::AccessModes { wanted, offered });
    }
    let (wanted, offered) = (requested(claim), Quantity::of(volume.at("spec.capacity.storage")));
    if let (Some(wanted), Some(offered)) = (wanted, offered)
        && wanted > offered
    {
        found.push(Misfit::Capacity { wanted, offered });
    }
    let (wanted, offered) = (volume_mode(claim), volume_mode(volume));
    if wanted != offered {
        found.push(Misfit::VolumeMode { wanted, offered });
    }
    if let Some(by) = other_claim(claim, volume) {
        found.push(Misfit::Claimed { by, phase: volume.at("status.phase").text() });
    }
    let phase = volume.at("status.phase").text();
    if phase == "Failed" || volume.at("metadata.deletionTimestamp").exists() {
        found.push(Misfit::Unusable(if phase == "Failed" { "Failed" } else { "Terminating" }));
    }
    found
}

/// The volume that comes nearest to what `claim` asks for, with what keeps it away: the one it names, else the one with
/// the fewest misfits.
pub fn nearest<'a>(cluster: &'a Cluster, claim: &'a Resource) -> Option<(&'a Resource, Vec<Misfit<'a>>)> {
    let named = claim.at("spec.volumeName").text();
    let judged = cluster.kind("PersistentVolume").map(|volume| (volume, misfits(claim, volume)));
    judged.min_by_key(|(volume, misfits)| {
        let weight: u32 = misfits.iter().map(Misfit::weight).sum();
        let reserved = volume.at("spec.claimRef.name").text() == claim.name();
        (Reverse(volume.name() == named), Reverse(reserved), weight, volume.name())
    })
}

/// The class of a claim or a volume, also from the annotation of old. `None` when it names none; an empty name says that
/// none is wanted.
pub fn class_of(resource: &Resource) -> Option<&str> {
    let field = resource.at("spec.storageClassName");
    if field.exists() { Some(field.text()) } else { resource.annotation("volume.beta.kubernetes.io/storage-class") }
}

/// The class claims get that name none.
pub fn default_class(cluster: &Cluster) -> Option<&Resource> {
    const DEFAULT: [&str; 2] =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
    cluster.kind("StorageClass").find(|class| DEFAULT.iter().any(|key| class.annotation(key) == Some("true")))
}

/// Does the class exist?
pub fn class_presence(cluster: &Cluster, name: &str) -> Presence {
    cluster.presence(&Ref::new("StorageClass", None, name))
}

/// How much a claim requests.
pub fn requested(claim: &Resource) -> Option<Quantity> {
    Quantity::of(claim.at("spec.resources.requests.storage"))
}

/// `ReadWriteOnce` …, also where kubectl's abbreviations were read.
pub fn access_modes(resource: &Resource) -> Vec<&str> {
    let long = |mode| match mode {
        "RWO" => "ReadWriteOnce",
        "ROX" => "ReadOnlyMany",
        "RWX" => "ReadWriteMany",
        "RWOP" => "ReadWriteOncePod",
        other => other,
    };
    resource.at("spec.accessModes").items().map(Value::text).map(long).collect()
}

fn volume_mode(resource: &Resource) -> &str {
    Some(resource.at("spec.volumeMode").text()).filter(|mode| !mode.is_empty()).unwrap_or("Filesystem")
}

/// The claim a volume belongs to, when that is another one: by name, or of the same name but made anew since.
fn other_claim(claim: &Resource, volume: &Resource) -> Option<String> {
    let owner = volume.at("spec.claimRef");
    let name = owner.get("name").text();
    if name.is_empty() {
        return None;
    }
    let namespace = owner.get("namespace").text();
    let uid = owner.get("uid").text();
    let same_name = name == claim.name() && (namespace.is_empty() || Some(namespace) == claim.namespace());
    let same_object = uid.is_empty() || claim.uid().is_empty() || uid == claim.uid();
    (!same_name || !same_object).then(|| format!("{namespace}/{name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::cluster::testing::{cluster, resource};
    use crate::decode::Origin;

    fn claim(spec: &Json) -> Resource {
        let object =
            json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop", "uid": "1"}, "spec": spec});
        resource(&object, Origin::Live, 1)
    }

    fn volume(spec: &Json) -> Resource {
        let object = json!({"kind": "PersistentVolume", "metadata": {"name": "pv", "labels": {"disk": "hdd"}}, "spec": spec});
        resource(&object, Origin::Live, 1)
    }

    #[test]
    fn every_property_is_held_against_the_volume() {
        let offered = volume(&json!({"storageClassName": "slow", "accessModes": ["RWO"], "capacity": {"storage": "1Gi"}}));
        let request = |size: &str| json!({"requests": {"storage": size}});
        let table = [
            (json!({"storageClassName": "slow", "accessModes": ["ReadWriteOnce"], "resources": request("1Gi")}), "[]"),
            (json!({"storageClassName": "fast"}), r#"[Class { wanted: "fast", offered: "slow" }]"#),
            (json!({}), r#"[Class { wanted: "", offered: "slow" }]"#),
            (
                json!({"storageClassName": "slow", "accessModes": ["ReadWriteOnce", "ReadWriteMany"]}),
                r#"[AccessModes { wanted: ["ReadWriteOnce", "ReadWriteMany"], offered: ["ReadWriteOnce"] }]"#,
            ),
            (
                json!({"storageClassName": "slow", "volumeMode": "Block"}),
                r#"[VolumeMode { wanted: "Block", offered: "Filesystem" }]"#,
            ),
        ];
        for (spec, wanted) in table {
            assert_eq!(format!("{:?}", misfits(&claim(&spec), &offered)), wanted, "{spec}");
        }
        let large = claim(&json!({"storageClassName": "slow", "resources": request("1025Mi")}));
        assert!(matches!(misfits(&large, &offered)[..], [Misfit::Capacity { .. }]));
        let picky = claim(&json!({"storageClassName": "slow", "selector": {"matchLabels": {"disk": "ssd"}}}));
        assert!(matches!(&misfits(&picky, &offered)[..], [Misfit::Selector(unmet)] if unmet[0].to_string() == "disk = ssd"));
    }

    #[test]
    fn a_volume_of_another_claim_is_taken() {
        let of = |claim_ref: Json| volume(&json!({"claimRef": claim_ref}));
        let ours = claim(&json!({}));
        assert_eq!(misfits(&ours, &of(json!({"namespace": "shop", "name": "data", "uid": "1"}))), vec![]);
        for other in [
            json!({"namespace": "shop", "name": "data", "uid": "0"}),
            json!({"namespace": "test", "name": "data"}),
            json!({"namespace": "shop", "name": "logs"}),
        ] {
            assert!(matches!(misfits(&ours, &of(other))[..], [Misfit::Claimed { .. }]));
        }
    }

    #[test]
    fn the_nearest_volume_is_free_and_lacks_least() {
        let pv = |name: &str, spec: Json| json!({"kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec});
        let cluster = cluster(&[
            pv("a-taken", json!({"accessModes": ["ReadWriteMany"], "claimRef": {"namespace": "x", "name": "y"}})),
            pv("b-other-class", json!({"accessModes": ["ReadWriteOnce"], "storageClassName": "x"})),
            pv("c-free", json!({"accessModes": ["ReadWriteOnce"]})),
        ]);
        let wants_many = claim(&json!({"accessModes": ["ReadWriteMany"]}));
        let (volume, misfits) = nearest(&cluster, &wants_many).unwrap();
        assert_eq!(volume.name(), "c-free");
        assert!(matches!(misfits[..], [Misfit::AccessModes { .. }]));
        let names_one = claim(&json!({"accessModes": ["ReadWriteMany"], "volumeName": "b-other-class"}));
        assert_eq!(nearest(&cluster, &names_one).unwrap().0.name(), "b-other-class");
    }
}
