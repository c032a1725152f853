//! The kinds kubectl knows by name: what `pods`, `po` and `get/pods-wide.txt` mean.

/// A built-in (or widely installed) kind under all its names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KindName {
    /// `Deployment`.
    pub(super) kind: &'static str,
    /// `deployments`.
    pub(super) plural: &'static str,
    /// `deploy`; other abbreviations follow after a comma.
    pub(super) short: &'static str,
    /// `apps/v1`.
    pub(super) api_version: &'static str,
    /// Lives in a namespace.
    pub(super) namespaced: bool,
}

/// `kubectl api-resources`, and the custom resources of the Actions Runner Controller, of Argo CD, Flux and OLM.
#[rustfmt::skip]
pub(super) const KINDS: &[KindName] = &[
    namespaced("Pod", "pods", "po", "v1"),
    namespaced("Service", "services", "svc", "v1"),
    namespaced("Endpoints", "endpoints", "ep", "v1"),
    namespaced("ConfigMap", "configmaps", "cm", "v1"),
    namespaced("Secret", "secrets", "", "v1"),
    namespaced("ServiceAccount", "serviceaccounts", "sa", "v1"),
    namespaced("PersistentVolumeClaim", "persistentvolumeclaims", "pvc,pvcs", "v1"),
    namespaced("ResourceQuota", "resourcequotas", "quota", "v1"),
    namespaced("LimitRange", "limitranges", "limits", "v1"),
    cluster("ComponentStatus", "componentstatuses", "cs", "v1"),
    namespaced("ReplicationController", "replicationcontrollers", "rc", "v1"),
    namespaced("PodTemplate", "podtemplates", "", "v1"),
    namespaced("Event", "events", "ev", "v1"),
    cluster("Node", "nodes", "no", "v1"),
    cluster("Namespace", "namespaces", "ns", "v1"),
    cluster("PersistentVolume", "persistentvolumes", "pv,pvs", "v1"),
    namespaced("Deployment", "deployments", "deploy", "apps/v1"),
    namespaced("ReplicaSet", "replicasets", "rs", "apps/v1"),
    namespaced("StatefulSet", "statefulsets", "sts", "apps/v1"),
    namespaced("DaemonSet", "daemonsets", "ds", "apps/v1"),
    namespaced("ControllerRevision", "controllerrevisions", "", "apps/v1"),
    namespaced("Job", "jobs", "", "batch/v1"),
    namespaced("CronJob", "cronjobs", "cj", "batch/v1"),
    namespaced("HorizontalPodAutoscaler", "horizontalpodautoscalers", "hpa", "autoscaling/v2"),
    namespaced("PodDisruptionBudget", "poddisruptionbudgets", "pdb", "policy/v1"),
    namespaced("Ingress", "ingresses", "ing", "networking.k8s.io/v1"),
    cluster("IngressClass", "ingressclasses", "", "networking.k8s.io/v1"),
    namespaced("NetworkPolicy", "networkpolicies", "netpol", "networking.k8s.io/v1"),
    namespaced("EndpointSlice", "endpointslices", "", "discovery.k8s.io/v1"),
    namespaced("Role", "roles", "", "rbac.authorization.k8s.io/v1"),
    namespaced("RoleBinding", "rolebindings", "", "rbac.authorization.k8s.io/v1"),
    cluster("ClusterRole", "clusterroles", "", "rbac.authorization.k8s.io/v1"),
    cluster("ClusterRoleBinding", "clusterrolebindings", "", "rbac.authorization.k8s.io/v1"),
    cluster("StorageClass", "storageclasses", "sc", "storage.k8s.io/v1"),
    cluster("VolumeAttachment", "volumeattachments", "", "storage.k8s.io/v1"),
    cluster("CSIDriver", "csidrivers", "", "storage.k8s.io/v1"),
    cluster("CSINode", "csinodes", "", "storage.k8s.io/v1"),
    cluster("PriorityClass", "priorityclasses", "pc", "scheduling.k8s.io/v1"),
    cluster("RuntimeClass", "runtimeclasses", "", "node.k8s.io/v1"),
    namespaced("Lease", "leases", "", "coordination.k8s.io/v1"),
    cluster("CertificateSigningRequest", "certificatesigningrequests", "csr", "certificates.k8s.io/v1"),
    cluster("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", "", "admissionregistration.k8s.io/v1"),
    cluster("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", "", "admissionregistration.k8s.io/v1"),
    cluster("CustomResourceDefinition", "customresourcedefinitions", "crd,crds", "apiextensions.k8s.io/v1"),
    cluster("APIService", "apiservices", "", "apiregistration.k8s.io/v1"),
    namespaced("Application", "applications", "", "argoproj.io/v1alpha1"),
    namespaced("Kustomization", "kustomizations", "", "kustomize.toolkit.fluxcd.io/v1"),
    namespaced("HelmRelease", "helmreleases", "", "helm.toolkit.fluxcd.io/v2"),
    namespaced("GitRepository", "gitrepositories", "", "source.toolkit.fluxcd.io/v1"),
    namespaced("HelmRepository", "helmrepositories", "", "source.toolkit.fluxcd.io/v1"),
    namespaced("OCIRepository", "ocirepositories", "", "source.toolkit.fluxcd.io/v1"),
    namespaced("ClusterServiceVersion", "clusterserviceversions", "", "operators.coreos.com/v1alpha1"),
    namespaced("CatalogSource", "catalogsources", "", "operators.coreos.com/v1alpha1"),
    namespaced("InstallPlan", "installplans", "", "operators.coreos.com/v1alpha1"),
    namespaced("AutoscalingRunnerSet", "autoscalingrunnersets", "", "actions.github.com/v1alpha1"),
    namespaced("AutoscalingListener", "autoscalinglisteners", "", "actions.github.com/v1alpha1"),
    namespaced("EphemeralRunnerSet", "ephemeralrunnersets", "", "actions.github.com/v1alpha1"),
    namespaced("EphemeralRunner", "ephemeralrunners", "", "actions.github.com/v1alpha1"),
    namespaced("RunnerDeployment", "runnerdeployments", "rdeploy", "actions.summerwind.dev/v1alpha1"),
    namespaced("RunnerReplicaSet", "runnerreplicasets", "rrs", "actions.summerwind.dev/v1alpha1"),
    namespaced("RunnerSet", "runnersets", "", "actions.summerwind.dev/v1alpha1"),
    namespaced("Runner", "runners", "", "actions.summerwind.dev/v1alpha1"),
    namespaced("HorizontalRunnerAutoscaler", "horizontalrunnerautoscalers", "hra", "actions.summerwind.dev/v1alpha1"),
];

const fn namespaced(kind: &'static str, plural: &'static str, short: &'static str, api_version: &'static str) -> KindName {
    KindName { kind, plural, short, api_version, namespaced: true }
}

const fn cluster(kind: &'static str, plural: &'static str, short: &'static str, api_version: &'static str) -> KindName {
    KindName { kind, plural, short, api_version, namespaced: false }
}

impl KindName {
    /// The kind that `name` means as kubectl takes it or collectors call their folders: kind, plural, singular or
    /// abbreviation, in any case and punctuation (`storage-classes`), with or without a group (`deployments.apps`,
    /// `deployment.v1.apps`).
    pub(super) fn of(name: &str) -> Option<&'static KindName> {
        let (bare, group) = name.split_once('.').unwrap_or((name, ""));
        KINDS.iter().find(|k| k.is_called(bare) && (group.is_empty() || k.is_in(group)))
    }

    fn is_called(&self, name: &str) -> bool {
        let same = |known: &str| {
            let letters = name.bytes().filter(|b| !matches!(b, b'-' | b'_')).map(|b| b.to_ascii_lowercase());
            letters.eq(known.bytes().map(|b| b.to_ascii_lowercase()))
        };
        same(self.kind) || same(self.plural) || (!name.is_empty() && self.short.split(',').any(same))
    }

    fn is_in(&self, group: &str) -> bool {
        let own = self.api_version.split_once('/').map_or("", |(group, _)| group);
        let asked = group.split_once('.').filter(|(v, _)| is_version(v)).map_or(group, |(_, group)| group);
        asked == own
    }

    /// The kind a file or directory name names: `pods-wide.txt`, `kubectl-get-nodes.txt`, `describe_sts.txt`, `get_pods`,
    /// `pod.describe`, `all-pods`. Words that name no kind are allowed around it; the first kind named counts.
    pub(super) fn in_file_name(file: &str) -> Option<&'static KindName> {
        let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
        // Abbreviations that are words or parts of names as well.
        let is_told = |word: &&str| !matches!(*word, "no" | "ev" | "pc" | "cs");
        stem.split(['-', '_', ' ']).filter(is_told).find_map(KindName::of)
    }
}

fn is_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_kind() {
        let kind = |name| KindName::of(name).map(|k| k.kind);
        assert_eq!(kind("deploy"), Some("Deployment"));
        assert_eq!(kind("deployment.apps"), Some("Deployment"));
        assert_eq!(kind("Deployments.v1.apps"), Some("Deployment"));
        assert_eq!(kind("storage-classes"), Some("StorageClass"));
        assert_eq!(kind("network-policy"), Some("NetworkPolicy"));
        assert_eq!(kind("service.serving.knative.dev"), None);
        assert_eq!(kind(""), None);
    }

    #[test]
    fn kind_of_a_file() {
        let kind = |name| KindName::in_file_name(name).map(|k| k.kind);
        assert_eq!(kind("pods-wide.txt"), Some("Pod"));
        assert_eq!(kind("kubectl-get-nodes.txt"), Some("Node"));
        assert_eq!(kind("describe_sts.txt"), Some("StatefulSet"));
        assert_eq!(kind("README.txt"), None);
    }
}
