//! Secrets that changed after a program took its login from them.
//!
//! The kubelet sets environment variables and subPath mounts when it starts a container; later changes of the Secret do not
//! reach it.

use super::complaint::Complaint;
use super::symptom::{REFUSED_LOGINS, stamp};
use super::{Detector, Evidence, EvidenceKind, Finding};
use crate::catalog::Strength;
use crate::cluster::{Cluster, Container};
use crate::decode::{Origin, Resource, Value};
use crate::time;

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "secret_rotation", run: secret_rotation }];

fn secret_rotation(cluster: &Cluster, out: &mut Vec<Finding>) {
    for complaint in REFUSED_LOGINS.iter().chain(&["arc-credentials-refused"]).flat_map(|signal| Complaint::all(cluster, signal))
    {
        let containers = cluster.containers(complaint.pod);
        let name = complaint.container();
        let Some(container) = containers.iter().find(|c| c.name == name || name.is_empty()) else { continue };
        out.extend(of_a_container(&complaint, container));
    }
}

/// The newest Secret that a running container took values from and that changed since.
fn of_a_container(complaint: &Complaint<'_>, container: &Container<'_>) -> Option<Finding> {
    let cluster = complaint.cluster;
    let started = started(container)?;
    let newer = taken_at_start(container).into_iter().filter_map(|name| {
        let secret = cluster.find("Secret", container.pod.namespace(), name).filter(|s| s.origin != Origin::Manifest)?;
        let changed = changed(secret)?;
        changed.is_well_after(&started).then_some((changed, secret))
    });
    let (changed, secret) = newer.max_by_key(|(changed, _)| changed.at)?;
    if complaint.hit.line.at.is_some_and(|said| !changed.is_age && said.as_second() < changed.at) {
        return None;
    }
    let (changed_at, started_at) = (changed.value.text(), started.value.text());
    let says = format!("Secret {} changed after the container had started", secret.name());
    let newer = Evidence::value(secret, changed.value, "time", Strength::Statement, says);
    let since = Evidence::value(container.pod, started.value, "startedAt", Strength::Statement, "when the container started");
    Some(
        complaint
            .about_the_caller("secret-updated-pod-not-restarted", Strength::Statement, "the login it holds is refused")
            .evidence(newer.brief(changed_at.trim_end_matches(" ago")))
            .evidence(since.of_kind(EvidenceKind::Status).brief(started_at.trim_end_matches(" ago")))
            .fact("container", container.name)
            .fact("secret", secret.name())
            .fact("changed", changed_at)
            .fact("started", started_at)
            .affects([secret.reference.clone()]),
    )
}

/// A moment as an object tells it: by a stamp, or by an age where the bundle has no clock.
struct Moment<'a> {
    /// Seconds that grow with time, comparable among stamps and among ages.
    at: i64,
    is_age: bool,
    value: Value<'a>,
}

impl<'a> Moment<'a> {
    fn of(value: Value<'a>) -> Option<Self> {
        let stamp = stamp(value).map(|at| (at.as_second(), false));
        let age = || value.text().strip_suffix(" ago").and_then(time::age).map(|age| (-age.as_secs(), true));
        let (at, is_age) = stamp.or_else(age)?;
        Some(Self { at, is_age, value })
    }

    /// Later by more than what lies between objects that were made together.
    fn is_well_after(&self, earlier: &Self) -> bool {
        const TOGETHER: i64 = 60;
        self.is_age == earlier.is_age && self.at - earlier.at > TOGETHER
    }
}

/// When the container that runs now was started.
fn started<'a>(container: &Container<'a>) -> Option<Moment<'a>> {
    let is_first = container.restarts() == 0 && container.is_running();
    let told = Moment::of(container.status.path("state.running.startedAt"));
    let pod = container.pod;
    let of_pod = || ["status.startTime", "metadata.creationTimestamp"].iter().find_map(|path| Moment::of(pod.at(path)));
    told.or_else(|| of_pod().filter(|_| is_first))
}

/// Names of the Secrets whose values a container gets once, at its start.
fn taken_at_start<'a>(container: &Container<'a>) -> Vec<&'a str> {
    let spec = container.spec;
    let variables = spec.get("env").items().map(|e| e.path("valueFrom.secretKeyRef.name"));
    let imported = spec.get("envFrom").items().map(|e| e.path("secretRef.name"));
    let volumes = container.pod.at("spec.volumes");
    let pinned = spec.get("volumeMounts").items().filter(|m| m.get("subPath").exists()).map(|m| {
        let volume = volumes.items().find(|v| v.get("name").text() == m.get("name").text());
        volume.map_or(Value::ABSENT, |v| v.path("secret.secretName"))
    });
    variables.chain(imported).chain(pinned).map(Value::text).filter(|name| !name.is_empty()).collect()
}

/// When a Secret was last written.
fn changed(secret: &Resource) -> Option<Moment<'_>> {
    let written = secret.at("metadata.managedFields").items().map(|m| m.get("time"));
    let made = secret.at("metadata.creationTimestamp");
    written.chain([made]).filter_map(Moment::of).max_by_key(|m| m.at)
}
