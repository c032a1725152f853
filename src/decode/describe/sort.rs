//! What kind of object a describe text tells of.

use super::outline::Block;
use crate::decode::kind::KindName;

/// Keys at the outermost level that only texts of one kind have, most telling first: all of them must be there.
#[rustfmt::skip]
const SIGNS: &[(&[&str], &str)] = &[
    (&["System Info"], "Node"),
    (&["Roles", "Taints"], "Node"),
    (&["StrategyType", "Replicas"], "Deployment"),
    (&["Desired Number of Nodes Scheduled"], "DaemonSet"),
    (&["Schedule", "Concurrency Policy"], "CronJob"),
    (&["Parallelism", "Pods Statuses"], "Job"),
    (&["Update Strategy", "Replicas"], "StatefulSet"),
    (&["Volume Claims", "Replicas"], "StatefulSet"),
    (&["Replicas", "Pod Template"], "ReplicaSet"),
    (&["Session Affinity"], "Service"),
    (&["Selector", "IP"], "Service"),
    (&["Subsets"], "Endpoints"),
    (&["AddressType", "Endpoints"], "EndpointSlice"),
    (&["Reclaim Policy", "Source"], "PersistentVolume"),
    (&["StorageClass", "Access Modes"], "PersistentVolumeClaim"),
    (&["Provisioner", "VolumeBindingMode"], "StorageClass"),
    (&["IsDefaultClass"], "StorageClass"),
    (&["Mountable secrets"], "ServiceAccount"),
    (&["Containers", "Status"], "Pod"),
    (&["Containers", "Node"], "Pod"),
];

/// The kind, from what the text holds; where several kinds look alike, from the path.
pub(super) fn kind_of(path: &str, object: Block<'_, '_>) -> Option<&'static KindName> {
    let keys: Vec<&str> = object.entries().map(|e| e.key()).collect();
    let told = SIGNS.iter().find(|(signs, _)| signs.iter().all(|s| keys.contains(s)));
    told.and_then(|(_, kind)| KindName::of(kind)).or_else(|| kind_of_path(path))
}

/// `describe/resourcequota/x.txt`, `describe_pvc.txt`.
fn kind_of_path(path: &str) -> Option<&'static KindName> {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = directory.rsplit('/').next().unwrap_or_default();
    KindName::of(parent).or_else(|| KindName::in_file_name(file))
}
