//! Kinds somebody asks for and the API server does not serve: removed versions, and definitions that are not installed.

use crate::catalog::Strength;
use crate::cluster::{Cluster, KubernetesVersion};
use crate::decode::{Event, Hit, Log, Ref};
use crate::detect::{Evidence, Finding};

/// Built-in API versions that were removed: kind, version, the release without it, and what serves the kind now
/// (<https://kubernetes.io/docs/reference/using-api/deprecation-guide/>).
const REMOVED: &[(&str, &str, u16, &str)] = &[
    ("FlowSchema", "flowcontrol.apiserver.k8s.io/v1beta3", 32, "flowcontrol.apiserver.k8s.io/v1"),
    ("PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io/v1beta3", 32, "flowcontrol.apiserver.k8s.io/v1"),
    ("FlowSchema", "flowcontrol.apiserver.k8s.io/v1beta2", 29, "flowcontrol.apiserver.k8s.io/v1"),
    ("PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io/v1beta2", 29, "flowcontrol.apiserver.k8s.io/v1"),
    ("CSIStorageCapacity", "storage.k8s.io/v1beta1", 27, "storage.k8s.io/v1"),
    ("HorizontalPodAutoscaler", "autoscaling/v2beta2", 26, "autoscaling/v2"),
    ("HorizontalPodAutoscaler", "autoscaling/v2beta1", 25, "autoscaling/v2"),
    ("CronJob", "batch/v1beta1", 25, "batch/v1"),
    ("EndpointSlice", "discovery.k8s.io/v1beta1", 25, "discovery.k8s.io/v1"),
    ("Event", "events.k8s.io/v1beta1", 25, "events.k8s.io/v1"),
    ("PodDisruptionBudget", "policy/v1beta1", 25, "policy/v1"),
    ("PodSecurityPolicy", "policy/v1beta1", 25, "Pod Security admission"),
    ("RuntimeClass", "node.k8s.io/v1beta1", 25, "node.k8s.io/v1"),
    ("MutatingWebhookConfiguration", "admissionregistration.k8s.io/v1beta1", 22, "admissionregistration.k8s.io/v1"),
    ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1beta1", 22, "admissionregistration.k8s.io/v1"),
    ("CustomResourceDefinition", "apiextensions.k8s.io/v1beta1", 22, "apiextensions.k8s.io/v1"),
    ("APIService", "apiregistration.k8s.io/v1beta1", 22, "apiregistration.k8s.io/v1"),
    ("CertificateSigningRequest", "certificates.k8s.io/v1beta1", 22, "certificates.k8s.io/v1"),
    ("Lease", "coordination.k8s.io/v1beta1", 22, "coordination.k8s.io/v1"),
    ("Ingress", "extensions/v1beta1", 22, "networking.k8s.io/v1"),
    ("Ingress", "networking.k8s.io/v1beta1", 22, "networking.k8s.io/v1"),
    ("IngressClass", "networking.k8s.io/v1beta1", 22, "networking.k8s.io/v1"),
    ("ClusterRole", "rbac.authorization.k8s.io/v1beta1", 22, "rbac.authorization.k8s.io/v1"),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1beta1", 22, "rbac.authorization.k8s.io/v1"),
    ("Role", "rbac.authorization.k8s.io/v1beta1", 22, "rbac.authorization.k8s.io/v1"),
    ("RoleBinding", "rbac.authorization.k8s.io/v1beta1", 22, "rbac.authorization.k8s.io/v1"),
    ("PriorityClass", "scheduling.k8s.io/v1beta1", 22, "scheduling.k8s.io/v1"),
    ("CSIDriver", "storage.k8s.io/v1beta1", 22, "storage.k8s.io/v1"),
    ("StorageClass", "storage.k8s.io/v1beta1", 22, "storage.k8s.io/v1"),
    ("Deployment", "extensions/v1beta1", 16, "apps/v1"),
    ("DaemonSet", "extensions/v1beta1", 16, "apps/v1"),
    ("Deployment", "apps/v1beta1", 16, "apps/v1"),
    ("StatefulSet", "apps/v1beta1", 16, "apps/v1"),
    ("StatefulSet", "apps/v1beta2", 16, "apps/v1"),
];

/// A kind and version as client-go's error names them.
struct Wanted {
    kind: String,
    version: String,
}

impl Wanted {
    fn of(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("no matches for kind \"")?;
        let (kind, rest) = rest.split_once('"')?;
        let (_, rest) = rest.split_once("in version \"")?;
        let (version, _) = rest.split_once('"')?;
        Some(Self { kind: kind.to_owned(), version: version.to_owned() })
    }
}

pub(super) fn api_kinds(cluster: &Cluster, out: &mut Vec<Finding>) {
    for (log, hit) in cluster.hits("kind-unknown") {
        if let Some(wanted) = Wanted::of(&hit.line.text) {
            out.extend(in_log(cluster, &wanted, log, hit));
        }
    }
    for event in cluster.events().iter().filter(|e| e.message.contains("no matches for kind") && cluster.is_current(e)) {
        out.extend(Wanted::of(&event.message).and_then(|wanted| in_event(cluster, &wanted, event)));
    }
    for resource in cluster.resources().filter(|r| r.at("status.conditions").items().any(|c| is_refusal(c.get("message").text())))
    {
        let Some(message) = resource.at("status.conditions").items().map(|c| c.get("message")).find(|m| is_refusal(m.text()))
        else {
            continue;
        };
        let says = "the controller quotes the API server";
        let evidence = Evidence::value(resource, message, "message", Strength::Statement, says);
        out.extend(Wanted::of(message.text()).and_then(|w| finding(cluster, &w, &resource.reference, &evidence, message.text())));
    }
}

fn is_refusal(message: &str) -> bool {
    message.contains("no matches for kind \"")
}

fn in_log(cluster: &Cluster, wanted: &Wanted, log: &Log, hit: &Hit) -> Option<Finding> {
    let pod = cluster.pod_of(log)?;
    let strength = if cluster.is_settled(pod) { Strength::Hint } else { Strength::Statement };
    let evidence = Evidence::hit(log, hit, strength, "the API server does not know the kind");
    let found = finding(cluster, wanted, &cluster.top_owner_ref(pod), &evidence, &hit.line.text)?;
    Some(found.fact("pod", pod.name()).affects([pod.reference.clone()]))
}

fn in_event(cluster: &Cluster, wanted: &Wanted, event: &Event) -> Option<Finding> {
    let culprit = cluster.get(&event.regarding).map_or_else(|| event.regarding.clone(), |r| cluster.top_owner_ref(r));
    let evidence = Evidence::event(event, Strength::Statement, "the controller quotes the API server");
    finding(cluster, wanted, &culprit, &evidence, &event.message)
}

fn finding(cluster: &Cluster, wanted: &Wanted, culprit: &Ref, evidence: &Evidence, line: &str) -> Option<Finding> {
    const LONGEST: usize = 240;
    let removed = REMOVED.iter().find(|(kind, version, ..)| *kind == wanted.kind && *version == wanted.version);
    let line = line.trim();
    let with = |cause: &str| {
        Finding::new(cause, culprit.clone(), evidence.clone())
            .fact("wanted", wanted.kind.as_str())
            .fact("version", wanted.version.as_str())
            .fact("line", &line[..line.floor_char_boundary(LONGEST)])
    };
    if let Some((_, _, release, instead)) = removed {
        let served = cluster.kubernetes_version().is_some_and(|v| v < KubernetesVersion::minor(*release));
        return (!served)
            .then(|| with("api-version-removed").fact("removed_in", format!("1.{release}")).fact("instead", *instead));
    }
    let (group, _) = wanted.version.rsplit_once('/')?;
    let own = !group.contains('.') || group.ends_with(".k8s.io") && cluster.kind("CustomResourceDefinition").next().is_none();
    let installed = cluster.kind("CustomResourceDefinition").any(|d| {
        d.at("spec.group").text() == group
            && d.at("spec.names.kind").text() == wanted.kind
            && d.at("spec.versions")
                .items()
                .any(|v| wanted.version.ends_with(&format!("/{}", v.get("name").text())) && v.get("served").is_true())
    });
    (!own && !installed).then(|| with("crd-missing"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::testing::{Said, cluster_that_says};
    use crate::decode::Version;
    use crate::location::Location;

    fn cause(kind: &str, version: &str, server: &str) -> Option<String> {
        let pod = json!({"kind": "Pod", "metadata": {"name": "op", "namespace": "shop"}, "status": {"phase": "Running"}});
        let text = format!("unable to start: no matches for kind \"{kind}\" in version \"{version}\"");
        let said = Said { pod: "op", container: "c", previous: false, text: &text };
        let mut cluster = cluster_that_says(&[pod], Vec::new(), &[said]);
        let location = Location::line(&std::sync::Arc::from("version.json"), 1);
        cluster.versions.push(Version { component: "kubernetes".to_owned(), version: server.to_owned(), location });
        let mut out = Vec::new();
        api_kinds(&cluster, &mut out);
        out.pop().map(|f| f.cause)
    }

    #[test]
    fn removed_versions_are_told_from_missing_definitions() {
        assert_eq!(cause("PodDisruptionBudget", "policy/v1beta1", "1.25.3").as_deref(), Some("api-version-removed"));
        assert_eq!(cause("PodDisruptionBudget", "policy/v1beta1", "1.24.3"), None);
        assert_eq!(cause("Certificate", "cert-manager.io/v1", "1.30.0").as_deref(), Some("crd-missing"));
    }
}
