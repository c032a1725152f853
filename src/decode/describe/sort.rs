//! What kind of object a describe text tells of.

use super::outline::Block;
use super::{argocd, config};
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
    (&["Default backend", "Rules"], "Ingress"),
    (&["Rules", "Address"], "Ingress"),
    (&["Reference", "Max replicas"], "HorizontalPodAutoscaler"),
    (&["Min available", "Status"], "PodDisruptionBudget"),
    (&["Max unavailable", "Status"], "PodDisruptionBudget"),
    (&["Value", "GlobalDefault"], "PriorityClass"),
    (&["Containers", "Status"], "Pod"),
    (&["Containers", "Node"], "Pod"),
];

/// A kind with its API version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sort<'t> {
    /// `apps/v1`; empty when it is not known.
    pub(super) api_version: &'t str,
    /// `Deployment`.
    pub(super) kind: &'t str,
}

/// The kind, as the text states it or as its keys tell; where several kinds look alike, as the path tells.
pub(super) fn kind_of<'t>(path: &str, object: Block<'_, 't>) -> Option<Sort<'t>> {
    if let (Some((kind, _)), Some((api_version, _))) = (object.given("Kind"), object.given("API Version")) {
        return Some(Sort { api_version, kind });
    }
    if argocd::is_application(object) {
        return Some(Sort { api_version: argocd::API_VERSION, kind: "Application" });
    }
    let keys: Vec<&str> = object.entries().map(|e| e.key()).collect();
    let told = SIGNS.iter().find(|(signs, _)| signs.iter().all(|s| keys.contains(s))).map(|(_, kind)| *kind);
    let named = || told.or_else(|| kind_of_text(object)).and_then(KindName::of);
    named().or_else(|| kind_of_path(path)).map(|k| Sort { api_version: k.api_version, kind: k.kind })
}

/// Kinds whose texts are told by a line that is no key.
fn kind_of_text(object: Block<'_, '_>) -> Option<&'static str> {
    if config::has_data(object) {
        return Some(if config::head(object).has("Type") { "Secret" } else { "ConfigMap" });
    }
    if object.get("Spec").is_some_and(|spec| spec.below.has("PodSelector")) {
        return Some("NetworkPolicy");
    }
    let mut lines = object.0.iter().map(|l| l.text());
    lines.find_map(|text| match text {
        _ if text.starts_with("Resource ") && text.ends_with(" Hard") => Some("ResourceQuota"),
        _ if text.starts_with("Type ") && text.contains(" Default Request ") => Some("LimitRange"),
        "Resource Quotas" => Some("Namespace"),
        _ if text.to_ascii_lowercase().starts_with("no resource quota") => Some("Namespace"),
        _ => None,
    })
}

/// `describe/resourcequota/x.txt`, `describe_pvc.txt`.
fn kind_of_path(path: &str) -> Option<&'static KindName> {
    let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = directory.rsplit('/').next().unwrap_or_default();
    KindName::of(parent).or_else(|| KindName::in_file_name(file))
}
