//! Actions Runner Controller: what it hides, told from its objects and its logs.
//!
//! Its controllers record no events, its counters go stale, and its log says "still running" of a runner whose image cannot be
//! pulled; so the state of the objects decides, and the log only adds the reason.

use super::{Detector, Symptom};
use crate::cluster::Cluster;
use crate::decode::{Hit, Log, Ref, Resource};

mod lifecycle;
mod listener;
mod listener_template;
mod refused;
mod registration;
mod runners;
mod symptom;
mod versions;

pub(super) use refused::refused_chain;
pub(super) use runners::runner_crash;

pub(super) const DETECTORS: &[Detector] = &[
    Detector { name: "arc_registration", run: registration::registration },
    Detector { name: "arc_listener", run: listener::listener },
    Detector { name: "arc_listener_template", run: listener_template::misplaced_fields },
    Detector { name: "arc_versions", run: versions::versions },
    Detector { name: "arc_runners", run: runners::runners },
    Detector { name: "arc_lifecycle", run: lifecycle::lifecycle },
];

/// What hurts in a way only ARC's own objects tell.
pub(super) fn symptoms(cluster: &Cluster, out: &mut Vec<Symptom>) {
    symptom::symptoms(cluster, out);
}

/// Kinds ARC's logs speak of, whether or not they were collected.
pub(super) const KINDS: &[&str] = &[
    "AutoscalingRunnerSet",
    "EphemeralRunnerSet",
    "EphemeralRunner",
    "AutoscalingListener",
    "Runner",
    "RunnerDeployment",
    "RunnerReplicaSet",
    "RunnerSet",
    "HorizontalRunnerAutoscaler",
];

/// Annotation an AutoscalingRunnerSet gets when GitHub knows it.
const REGISTERED: &str = "runner-scale-set-id";

fn scale_sets(cluster: &Cluster) -> impl Iterator<Item = &Resource> + Clone {
    cluster.kind("AutoscalingRunnerSet")
}

/// The workload of the scale-set controller: its Deployment, or its pod when only that was collected.
fn controller(cluster: &Cluster) -> Option<&Resource> {
    let is_controller = |r: &&Resource| {
        let listener = r.label("app.kubernetes.io/component") == Some("runner-scale-set-listener");
        let images = r.pod_spec().map(|(_, spec)| spec.get("containers"));
        let runs = images.is_some_and(|c| c.items().any(|c| c.get("image").text().contains("gha-runner-scale-set-controller")));
        !listener
            && (runs || r.label("app.kubernetes.io/part-of") == Some("gha-rs-controller"))
            && !r.name().ends_with("-listener")
    };
    cluster.kind("Deployment").find(is_controller).or_else(|| cluster.kind("Pod").find(is_controller))
}

/// The controller's version: of its label, else of its image's tag.
fn controller_version(controller: &Resource) -> Option<&str> {
    let labelled = controller.label("app.kubernetes.io/version");
    let image = || {
        let (_, spec) = controller.pod_spec()?;
        let tag = spec.get("containers").items().find_map(|c| c.get("image").text().rsplit_once(':').map(|(_, tag)| tag))?;
        tag.starts_with(|c: char| c.is_ascii_digit()).then_some(tag)
    };
    labelled.or_else(image)
}

/// (major, minor) of a version such as `0.9.3`.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('v').split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The set or runner a log line is about: the object it names, or the scale set whose listener wrote it.
fn subject(cluster: &Cluster, log: &Log, hit: &Hit) -> Option<Ref> {
    let named = cluster.mentioned(&hit.line.text, KINDS);
    let named = named.map(|mut r| {
        // Old releases name a runner without its namespace.
        if r.namespace.is_none() {
            r.namespace = cluster.kind(&r.kind).find(|o| o.name() == r.name).and_then(|o| o.reference.namespace.clone());
        }
        cluster.get(&r).map_or(r, |object| cluster.top_owner(object).reference.clone())
    });
    named.or_else(|| set_of_listener(cluster, log.source.pod.as_deref()?))
}

/// The scale set a listener pod serves. A listener has the name of its AutoscalingListener.
fn set_of_listener(cluster: &Cluster, pod: &str) -> Option<Ref> {
    let listener = cluster.kind("AutoscalingListener").find(|l| l.name() == pod)?;
    let (namespace, name) = ("spec.autoscalingRunnerSetNamespace", "spec.autoscalingRunnerSetName");
    Some(Ref::new("AutoscalingRunnerSet", Some(listener.at(namespace).text()), listener.at(name).text()))
}
