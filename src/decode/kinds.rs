//! Kinds of the API by the names kubectl and collectors call them in paths and tables.

/// (plural, as in URLs and file names; kind; API version).
const KINDS: &[(&str, &str, &str)] = &[
    ("certificatesigningrequests", "CertificateSigningRequest", "certificates.k8s.io/v1"),
    ("clusterrolebindings", "ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
    ("clusterroles", "ClusterRole", "rbac.authorization.k8s.io/v1"),
    ("componentstatuses", "ComponentStatus", "v1"),
    ("configmaps", "ConfigMap", "v1"),
    ("controllerrevisions", "ControllerRevision", "apps/v1"),
    ("cronjobs", "CronJob", "batch/v1"),
    ("csidrivers", "CSIDriver", "storage.k8s.io/v1"),
    ("csinodes", "CSINode", "storage.k8s.io/v1"),
    ("customresourcedefinitions", "CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    ("daemonsets", "DaemonSet", "apps/v1"),
    ("deployments", "Deployment", "apps/v1"),
    ("endpoints", "Endpoints", "v1"),
    ("endpointslices", "EndpointSlice", "discovery.k8s.io/v1"),
    ("events", "Event", "v1"),
    ("horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling/v2"),
    ("ingressclasses", "IngressClass", "networking.k8s.io/v1"),
    ("ingresses", "Ingress", "networking.k8s.io/v1"),
    ("jobs", "Job", "batch/v1"),
    ("leases", "Lease", "coordination.k8s.io/v1"),
    ("limitranges", "LimitRange", "v1"),
    ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    ("namespaces", "Namespace", "v1"),
    ("networkpolicies", "NetworkPolicy", "networking.k8s.io/v1"),
    ("nodes", "Node", "v1"),
    ("persistentvolumeclaims", "PersistentVolumeClaim", "v1"),
    ("persistentvolumes", "PersistentVolume", "v1"),
    ("poddisruptionbudgets", "PodDisruptionBudget", "policy/v1"),
    ("pods", "Pod", "v1"),
    ("priorityclasses", "PriorityClass", "scheduling.k8s.io/v1"),
    ("replicasets", "ReplicaSet", "apps/v1"),
    ("replicationcontrollers", "ReplicationController", "v1"),
    ("resourcequotas", "ResourceQuota", "v1"),
    ("rolebindings", "RoleBinding", "rbac.authorization.k8s.io/v1"),
    ("roles", "Role", "rbac.authorization.k8s.io/v1"),
    ("secrets", "Secret", "v1"),
    ("serviceaccounts", "ServiceAccount", "v1"),
    ("services", "Service", "v1"),
    ("statefulsets", "StatefulSet", "apps/v1"),
    ("storageclasses", "StorageClass", "storage.k8s.io/v1"),
    ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
    ("volumeattachments", "VolumeAttachment", "storage.k8s.io/v1"),
];

/// Short names of `kubectl api-resources`, and what collectors name their folders.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("cm", "configmaps"),
    ("crds", "customresourcedefinitions"),
    ("csr", "certificatesigningrequests"),
    ("deploy", "deployments"),
    ("ds", "daemonsets"),
    ("ep", "endpoints"),
    ("ev", "events"),
    ("hpa", "horizontalpodautoscalers"),
    ("ing", "ingresses"),
    ("limits", "limitranges"),
    ("netpol", "networkpolicies"),
    ("no", "nodes"),
    ("ns", "namespaces"),
    ("pdb", "poddisruptionbudgets"),
    ("po", "pods"),
    ("pv", "persistentvolumes"),
    ("pvc", "persistentvolumeclaims"),
    ("pvcs", "persistentvolumeclaims"),
    ("pvs", "persistentvolumes"),
    ("quota", "resourcequotas"),
    ("rc", "replicationcontrollers"),
    ("rs", "replicasets"),
    ("sa", "serviceaccounts"),
    ("sc", "storageclasses"),
    ("sts", "statefulsets"),
    ("svc", "services"),
];

/// Kind and API version of a plural, singular or short name, whatever its case and punctuation: `pods`, `Pod`, `po`,
/// `storage-classes`. Without the group of `deployments.apps`.
pub(super) fn named(name: &str) -> Option<(&'static str, &'static str)> {
    let name: String = name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect();
    let full = OTHER_NAMES.iter().find(|(short, _)| *short == name).map_or(name.as_str(), |(_, plural)| *plural);
    let found = KINDS.iter().find(|(plural, kind, _)| *plural == full || kind.eq_ignore_ascii_case(full))?;
    Some((found.1, found.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_spelling() {
        for name in ["pods", "Pod", "po", "Pods"] {
            assert_eq!(named(name), Some(("Pod", "v1")));
        }
        assert_eq!(named("storage-classes"), Some(("StorageClass", "storage.k8s.io/v1")));
        assert_eq!(named("network-policy"), Some(("NetworkPolicy", "networking.k8s.io/v1")));
        assert_eq!(named("endpoints"), Some(("Endpoints", "v1")));
        assert_eq!(named("default"), None);
    }

    #[test]
    fn the_tables_agree() {
        assert!(KINDS.is_sorted() && OTHER_NAMES.is_sorted());
        assert!(OTHER_NAMES.iter().all(|(_, plural)| KINDS.iter().any(|(p, ..)| p == plural)));
    }
}
