//! Pods the API server refuses: computed from every template, and read from the refusals controllers pass on.

use super::symptom::is_custom;
use super::{Detector, Evidence, EvidenceKind, Finding};
use crate::catalog::Strength;
use crate::cluster::admission::{self, Fault, Maker, Refusal, SIDECARS};
use crate::cluster::{Cluster, KubernetesVersion, Presence};
use crate::decode::{Origin, Ref, Resource, Value};

mod refused;

pub(super) const DETECTORS: &[Detector] =
    &[Detector { name: "pod_admission", run: pod_admission }, Detector { name: "pod_refused", run: refused::pod_refused }];

/// What the API server would refuse in the templates that are there.
///
/// A template is only judged at the top of its owner chain, where a person changes it, and not where a pod made from it lives:
/// the API server accepted that one. Templates of Kubernetes' own workloads are validated when the workload is made, so one
/// that is there is valid; one that was applied and is not there may be absent for this reason.
fn pod_admission(cluster: &Cluster, out: &mut Vec<Finding>) {
    let version = cluster.kubernetes_version();
    for resource in cluster.resources().filter(|r| r.kind() != "Pod") {
        let Some((path, spec)) = resource.pod_spec() else { continue };
        if cluster.top_owner(resource).reference != resource.reference || !is_wanted(cluster, resource) {
            continue;
        }
        let metadata = template_metadata(resource, path);
        let refusals = admission::refusals(metadata, spec, Maker::of_kind(resource.kind()), version);
        for refusal in refusals.into_iter().filter(|r| !is_accepted(cluster, resource, path, r)) {
            let strength = if version.is_none() && is_versioned(&refusal) { Strength::Statement } else { Strength::Proof };
            let evidence = field_evidence(resource, path, &refusal, strength);
            out.push(finding(cluster, resource, path, &refusal, version, evidence));
        }
    }
}

/// Does anybody still have to accept pods of this template?
fn is_wanted(cluster: &Cluster, resource: &Resource) -> bool {
    match resource.origin {
        Origin::Live => is_custom(resource) && resource.at("spec.replicas").as_i64() != Some(0),
        Origin::Manifest => cluster.presence(&resource.reference) == Presence::Absent,
        Origin::Mention | Origin::Table | Origin::Describe => false,
    }
}

/// The metadata beside a pod spec: `spec.template.spec` → `spec.template.metadata`.
fn template_metadata<'a>(resource: &'a Resource, spec_path: &str) -> Value<'a> {
    match spec_path.strip_suffix(".spec") {
        Some(parent) => resource.at(&format!("{parent}.metadata")),
        None => Value::ABSENT,
    }
}

/// Is there a pod made from this template, with this very field? Then the API server takes it.
fn is_accepted(cluster: &Cluster, resource: &Resource, spec_path: &str, refusal: &Refusal) -> bool {
    let wanted = in_template(resource, spec_path, &refusal.path);
    cluster.descendants(&resource.reference).iter().any(|child| {
        child.kind() == "Pod" && {
            let there = child.at(&refusal.path);
            match refusal.fault {
                Fault::Required | Fault::Forbidden | Fault::NotFound => true,
                _ => there.text() == wanted.text() || there.exists() == wanted.exists(),
            }
        }
    })
}

/// Rules that came or went with a version of Kubernetes.
fn is_versioned(refusal: &Refusal) -> bool {
    refusal.field() == "restartPolicy" || refusal.path.contains("initContainers") && refusal.field().ends_with("Probe")
}

/// The value in an object's template that a path from the pod's root means.
pub(super) fn in_template<'a>(resource: &'a Resource, spec_path: &str, pod_path: &str) -> Value<'a> {
    match pod_path.strip_prefix("spec") {
        Some(rest) => resource.at(&format!("{spec_path}{rest}")),
        None => template_metadata(resource, spec_path).path(pod_path.trim_start_matches("metadata.")),
    }
}

fn field_evidence(resource: &Resource, spec_path: &str, refusal: &Refusal, strength: Strength) -> Evidence {
    let mut value = in_template(resource, spec_path, &refusal.path);
    if !value.exists() {
        // A missing field is shown at what should hold it.
        let parent = refusal.path.rsplit_once('.').map_or("spec", |(parent, _)| parent);
        value = in_template(resource, spec_path, parent);
    }
    let says = format!("the API server refuses a pod with this: {refusal}");
    let excerpt = match (refusal.value.as_str(), value.text()) {
        ("", "") => format!("{} is not acceptable", refusal.field()),
        ("", text) => format!("{}: {text}", refusal.field()),
        (value, _) => format!("{}: {value}", refusal.field()),
    };
    Evidence::value(resource, value, refusal.field(), strength, says).of_kind(EvidenceKind::Spec).brief(&excerpt)
}

/// The finding for a refusal of pods made from `carrier`'s template.
fn finding(
    cluster: &Cluster,
    carrier: &Resource,
    spec_path: &str,
    refusal: &Refusal,
    version: Option<KubernetesVersion>,
    evidence: Evidence,
) -> Finding {
    let container = container_of(carrier, spec_path, &refusal.path);
    let field = format!("{spec_path}{}", refusal.path.strip_prefix("spec").unwrap_or(&refusal.path));
    let mut finding = Finding::new(cause(carrier, spec_path, refusal, version), carrier.reference.clone(), evidence)
        .fact("field", refusal.path.clone())
        .fact("template_field", field.clone())
        .fact("pointer", pointer(&field))
        .fact("value", refusal.value.clone())
        .fact("allowed", refusal.allowed.join(", "))
        .fact("detail", refusal.detail.clone())
        .fact("refusal", refusal.to_string())
        .fact("container", container.get("name").text())
        .fact("image", container.get("image").text())
        .fact("is_daemon", is_daemon(container))
        .fact("is_init", refusal.path.contains("initContainers"))
        .affects(cluster.descendants(&carrier.reference).into_iter().map(|r| r.reference.clone()).collect::<Vec<Ref>>());
    if is_scale_set(carrier) {
        finding = super::arc::refused_chain(cluster, carrier, refusal, finding);
    }
    finding
}

/// JSON pointer of a dotted path: `spec.a[1].b` → `/spec/a/1/b`.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', ".").replace(']', "").replace('.', "/"))
}

fn container_of<'a>(carrier: &'a Resource, spec_path: &str, pod_path: &str) -> Value<'a> {
    match pod_path.split_once(']') {
        Some((container, _)) if pod_path.contains("ontainers[") => in_template(carrier, spec_path, &format!("{container}]")),
        _ => Value::ABSENT,
    }
}

fn is_scale_set(resource: &Resource) -> bool {
    resource.group() == "actions.github.com"
}

/// Which cause a refusal is.
fn cause(carrier: &Resource, spec_path: &str, refusal: &Refusal, version: Option<KubernetesVersion>) -> &'static str {
    let init = refusal.path.contains("initContainers");
    let probe = init && refusal.fault == Fault::Forbidden;
    let container = container_of(carrier, spec_path, &refusal.path);
    let is_sidecar = container.get("restartPolicy").text() == "Always";
    if probe && is_sidecar {
        // The spec is right, and the server did not see it: it is too old for sidecars, or somebody took the field away.
        return match version {
            Some(v) if v >= SIDECARS => "mutating-webhook-strips-sidecar-restartpolicy",
            _ if is_scale_set(carrier) => "arc-native-sidecar-unsupported",
            _ => "pod-spec-invalid",
        };
    }
    match refusal.field() {
        "restartPolicy" if init && is_scale_set(carrier) => "arc-init-container-restartpolicy-invalid",
        "labels" if is_scale_set(carrier) => "arc-runner-template-invalid-label",
        _ => "pod-spec-invalid",
    }
}

/// Does this container serve for as long as the pod lives, as far as image, command and probes tell? A step ends.
fn is_daemon(container: Value<'_>) -> bool {
    const SERVES: &[&str] = &[
        "dind",
        "dockerd",
        "buildkitd",
        "containerd",
        "daemon",
        "proxy",
        "agent",
        "fluent",
        "vector",
        "promtail",
        "otel",
        "envoy",
        "sidecar",
        "exporter",
        "serve",
        "tail -f",
        "sleep infinity",
    ];
    const STEPS: &[&str] = &["cp", "mv", "chown", "chmod", "mkdir", "git", "curl", "wget", "tar", "test", "echo", "rm", "ln"];
    let words = || ["command", "args"].into_iter().flat_map(move |f| container.get(f).items()).map(|v| v.text());
    let program = words().next().unwrap_or_default();
    if STEPS.contains(&program.rsplit('/').next().unwrap_or_default()) {
        return false;
    }
    let serves = |text: &str| SERVES.iter().any(|s| text.to_ascii_lowercase().contains(s));
    let image = container.get("image").text();
    let image = image.rsplit('/').next().unwrap_or(image);
    let probed = ["startupProbe", "readinessProbe", "livenessProbe"].iter().any(|p| container.get(p).exists());
    probed || !container.get("ports").is_empty() || serves(image) || serves(container.get("name").text()) || words().any(serves)
}
