//! Volumes of pods and sources of persistent volumes: the same describers print both.

use super::outline::{Block, Entry};
use crate::decode::draft::{Draft, Node};

/// A volume type: as described, as the API names it, and its fields (described, API).
type Source = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// kubectl `describe.describeVolumes` and `describePersistentVolume`.
#[rustfmt::skip]
const SOURCES: &[Source] = &[
    ("HostPath", "hostPath", &[("Path", "path"), ("HostPathType", "type")]),
    ("EmptyDir", "emptyDir", &[("Medium", "medium"), ("SizeLimit", "sizeLimit")]),
    ("GCEPersistentDisk", "gcePersistentDisk", &[("PDName", "pdName"), ("FSType", "fsType"), ("Partition", "partition"), ("ReadOnly", "readOnly")]),
    ("AWSElasticBlockStore", "awsElasticBlockStore", &[("VolumeID", "volumeID"), ("FSType", "fsType"), ("Partition", "partition"), ("ReadOnly", "readOnly")]),
    ("GitRepo", "gitRepo", &[("Repository", "repository"), ("Revision", "revision")]),
    ("Secret", "secret", &[("SecretName", "secretName"), ("Optional", "optional")]),
    ("ConfigMap", "configMap", &[("Name", "name"), ("Optional", "optional")]),
    ("NFS", "nfs", &[("Server", "server"), ("Path", "path"), ("ReadOnly", "readOnly")]),
    ("ISCSI", "iscsi", &[("TargetPortal", "targetPortal"), ("IQN", "iqn"), ("Lun", "lun"), ("FSType", "fsType"), ("ReadOnly", "readOnly")]),
    ("PersistentVolumeClaim", "persistentVolumeClaim", &[("ClaimName", "claimName"), ("ReadOnly", "readOnly")]),
    ("RBD", "rbd", &[("RBDImage", "image"), ("FSType", "fsType"), ("RBDPool", "pool"), ("RadosUser", "user"), ("Keyring", "keyring"), ("ReadOnly", "readOnly")]),
    ("AzureDisk", "azureDisk", &[("DiskName", "diskName"), ("DiskURI", "diskURI"), ("Kind", "kind"), ("FSType", "fsType"), ("CachingMode", "cachingMode"), ("ReadOnly", "readOnly")]),
    ("AzureFile", "azureFile", &[("SecretName", "secretName"), ("SecretNamespace", "secretNamespace"), ("ShareName", "shareName"), ("ReadOnly", "readOnly")]),
    ("CephFS", "cephfs", &[("Path", "path"), ("User", "user"), ("SecretFile", "secretFile"), ("ReadOnly", "readOnly")]),
    ("vSphereVolume", "vsphereVolume", &[("VolumePath", "volumePath"), ("FSType", "fsType"), ("StoragePolicyName", "storagePolicyName")]),
    ("FlexVolume", "flexVolume", &[("Driver", "driver"), ("FSType", "fsType"), ("ReadOnly", "readOnly")]),
    ("CSI", "csi", &[("Driver", "driver"), ("FSType", "fsType"), ("VolumeHandle", "volumeHandle"), ("ReadOnly", "readOnly")]),
    ("LocalVolume", "local", &[("Path", "path")]),
    ("DownwardAPI", "downwardAPI", &[]),
    ("Image", "image", &[("Reference", "reference"), ("PullPolicy", "pullPolicy")]),
];

/// The volumes of a pod: one entry each below `Volumes:`.
pub(super) fn fill_volumes<'t>(spec: &mut Draft<'t>, volumes: Entry<'_, 't>) {
    for entry in volumes.below.entries().filter(Entry::is_bare_key) {
        let mut volume = Draft::default();
        volume.text("name", entry.number(), entry.key());
        fill_source(&mut volume, entry.below);
        let line = entry.number();
        spec.list("volumes", line).push((line, Node::Map(volume)));
    }
}

/// The source that `Type:` and the lines beside it tell.
pub(super) fn fill_source<'t>(volume: &mut Draft<'t>, told: Block<'_, 't>) {
    let Some((kind, line)) = told.given("Type") else { return };
    let kind = kind.split_once(' ').map_or(kind, |(kind, _)| kind);
    match kind {
        "Projected" => return fill_projected(volume, told, line),
        "EphemeralVolume" => return fill_ephemeral(volume, told, line),
        _ => {}
    }
    let Some((_, name, fields)) = SOURCES.iter().find(|(described, ..)| *described == kind) else { return };
    let source = volume.map(name, line);
    for entry in told.entries() {
        let Some((_, field)) = fields.iter().find(|(described, _)| *described == entry.key()) else { continue };
        // `false` and nothing are what the API leaves out.
        if let Some(value) = entry.given().filter(|v| *v != "false" || *field == "optional") {
            source.put(field, entry.number(), scalar(field, value));
        }
    }
    match *name {
        "csi" => fill_attributes(source, told),
        "downwardAPI" => fill_items(source, told),
        _ => {}
    }
}

/// `metadata.labels -> labels` lines below `Items:`.
fn fill_items<'t>(source: &mut Draft<'t>, told: Block<'_, 't>) {
    let Some(items) = told.get("Items") else { return };
    for (text, line) in items.values() {
        if let Some((field, path)) = text.split_once(" -> ") {
            let mut item = Draft::default();
            item.text("path", line, path);
            item.text("fieldRef.fieldPath", line, field);
            source.list("items", items.number()).push((line, Node::Map(item)));
        }
    }
}

fn scalar<'t>(field: &str, value: &'t str) -> Node<'t> {
    match field {
        "optional" | "readOnly" | "lun" | "partition" => Node::plain(value),
        _ => Node::text(value),
    }
}

/// `VolumeAttributes:  storage.kubernetes.io/csiProvisionerIdentity=1-2-ebs.csi.aws.com`.
fn fill_attributes<'t>(source: &mut Draft<'t>, told: Block<'_, 't>) {
    let Some(entry) = told.get("VolumeAttributes") else { return };
    for (pair, line) in entry.values() {
        if let Some((key, value)) = pair.split_once('=') {
            source.map("volumeAttributes", line).push(key.trim(), line, Node::text(value));
        }
    }
}

/// Sources of a projected volume, told one after the other without a mark between them.
fn fill_projected<'t>(volume: &mut Draft<'t>, told: Block<'_, 't>, line: u32) {
    let sources = volume.list("projected.sources", line);
    for entry in told.entries() {
        let (line, value) = (entry.number(), entry.value());
        let mut source = Draft::default();
        match entry.key() {
            "TokenExpirationSeconds" => source.number("serviceAccountToken.expirationSeconds", line, value),
            "SecretName" => source.text("secret.name", line, value),
            "ConfigMapName" => source.text("configMap.name", line, value),
            "DownwardAPI" => drop(source.map("downwardAPI", line)),
            "ConfigMapOptional" | "Optional" | "SecretOptionalName" => {
                fill_optional(sources.last_mut().map(|(_, s)| s), value, line);
                continue;
            }
            _ => continue,
        }
        sources.push((line, Node::Map(source)));
    }
}

fn fill_optional<'t>(source: Option<&mut Node<'t>>, value: &'t str, line: u32) {
    let (Some(Node::Map(source)), "true" | "false") = (source, value) else { return };
    let path = if source.has("secret") { "secret.optional" } else { "configMap.optional" };
    source.flag(path, line, value == "true");
}

/// A claim that is made for the pod: `StorageClass:`, `Capacity:`, `Access Modes:`.
fn fill_ephemeral<'t>(volume: &mut Draft<'t>, told: Block<'_, 't>, line: u32) {
    let claim = volume.map("ephemeral.volumeClaimTemplate.spec", line);
    if let Some((class, line)) = told.given("StorageClass") {
        claim.text("storageClassName", line, class);
    }
    if let Some((capacity, line)) = told.given("Capacity") {
        claim.text("resources.requests.storage", line, capacity);
    }
    if let Some((modes, line)) = told.given("Access Modes") {
        fill_access_modes(claim, "accessModes", modes, line);
    }
}

/// `RWO`, `RWO,ROX`, `[ReadWriteOnce]`.
pub(in crate::decode) fn fill_access_modes<'t>(draft: &mut Draft<'t>, path: &'static str, modes: &'t str, line: u32) {
    for mode in modes.trim_matches(['[', ']']).split([',', ' ']).filter(|m| !m.is_empty()) {
        let mode = match mode {
            "RWO" => "ReadWriteOnce",
            "ROX" => "ReadOnlyMany",
            "RWX" => "ReadWriteMany",
            "RWOP" => "ReadWriteOncePod",
            other => other,
        };
        draft.list(path, line).push((line, Node::text(mode)));
    }
}
