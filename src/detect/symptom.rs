//! Where it hurts: facts that are bad for somebody whatever their cause.
//!
//! Weights say how much: 1 a workload wholly down or a node lost, 0.5 partly, 0.2 a complaint that may be noise.

use jiff::{SignedDuration, Timestamp};

use super::{Evidence, EvidenceKind, Symptom};
use crate::catalog::Strength;
use crate::cluster::{Cluster, owner_ref};
use crate::decode::{Hit, Log, Origin, Ref, Resource, Value};

/// A container that ended this recently is still part of the incident.
const RECENT: SignedDuration = SignedDuration::from_mins(30);

/// All symptoms, heaviest first.
pub(super) fn all(cluster: &Cluster) -> Vec<Symptom> {
    let mut out = Vec::new();
    for resource in cluster.resources().filter(|r| r.origin != Origin::Manifest) {
        match resource.kind() {
            "Pod" => pod(cluster, resource, &mut out),
            "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController" | "DaemonSet" => {
                workload(cluster, resource, &mut out);
            }
            "Job" => job(cluster, resource, &mut out),
            "PersistentVolumeClaim" => claim(cluster, resource, &mut out),
            "Node" => node(resource, &mut out),
            "Service" => service(cluster, resource, &mut out),
            "HorizontalPodAutoscaler" => autoscaler(resource, &mut out),
            "Namespace" => terminating(cluster, resource, &mut out),
            _ if is_custom(resource) => {
                super::custom::symptoms(cluster, resource, &mut out);
                terminating(cluster, resource, &mut out);
            }
            _ => {}
        }
    }
    super::arc::symptoms(cluster, &mut out);
    refused(cluster, &mut out);
    alerts(cluster, &mut out);
    complaints(cluster, &mut out);
    out.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| (&a.resource, a.kind).cmp(&(&b.resource, b.kind))));
    out.dedup_by(|a, b| a.resource == b.resource && a.kind == b.kind);
    out
}

/// Not of Kubernetes' own groups.
pub(super) fn is_custom(resource: &Resource) -> bool {
    let group = resource.group();
    group.contains('.') && !group.ends_with(".k8s.io") && group != "apiextensions.k8s.io"
}

/// The stamp at a path.
pub(super) fn stamp(value: Value<'_>) -> Option<Timestamp> {
    value.text().parse().ok()
}

/// Is `at` no longer ago than `span`, by the bundle's clock? Unknown times count as recent.
pub(super) fn within(cluster: &Cluster, at: Option<Timestamp>, span: SignedDuration) -> bool {
    match (cluster.now, at) {
        (Some(now), Some(at)) => now.duration_since(at) <= span,
        _ => true,
    }
}

/// What is wrong with a pod now, if anything: a short reason (`CrashLoopBackOff`, `Unschedulable`, `NotReady`, …).
pub(crate) fn pod_trouble(cluster: &Cluster, pod: &Resource) -> Option<String> {
    let status = pod.at("status");
    let phase = status.get("phase").text();
    if phase == "Succeeded" || is_leftover(cluster, pod) {
        return None;
    }
    let statuses = || status.get("initContainerStatuses").items().chain(status.get("containerStatuses").items());
    let waiting = statuses()
        .map(|c| c.path("state.waiting.reason").text())
        .find(|r| !r.is_empty() && !matches!(*r, "ContainerCreating" | "PodInitializing"));
    if let Some(reason) = waiting {
        return Some(reason.to_owned());
    }
    if phase == "Failed" {
        let reason = status.get("reason").text();
        return Some(if reason.is_empty() { "Failed".to_owned() } else { reason.to_owned() });
    }
    if pod.condition("PodScheduled").get("status").as_bool() == Some(false) {
        let reason = pod.condition("PodScheduled").get("reason").text();
        return Some(if reason.is_empty() { "Unschedulable".to_owned() } else { reason.to_owned() });
    }
    if pod.at("metadata.deletionTimestamp").exists() {
        let grace = pod.at("metadata.deletionGracePeriodSeconds").as_i64().unwrap_or(30).clamp(0, 86_400);
        let due = stamp(pod.at("metadata.deletionTimestamp"));
        let overdue = !within(cluster, due, SignedDuration::from_secs(grace.max(60)));
        return overdue.then(|| "Terminating".to_owned());
    }
    if statuses().any(|c| c.path("state.terminated.exitCode").as_i64().is_some_and(|code| code != 0)) {
        return Some("Error".to_owned());
    }
    // A young pod may just be starting.
    let young = SignedDuration::from_secs(45);
    let started = stamp(pod.at("status.startTime")).or_else(|| stamp(pod.at("metadata.creationTimestamp")));
    let is_young = cluster.now.is_some() && started.is_some() && within(cluster, started, young);
    if phase == "Pending" {
        return (!is_young).then(|| "Pending".to_owned());
    }
    let unready = statuses().any(|c| c.get("ready").as_bool() == Some(false) && !c.path("state.terminated").exists())
        || pod.condition("Ready").get("status").as_bool() == Some(false);
    if phase == "Running" && unready {
        return (!is_young).then(|| "NotReady".to_owned());
    }
    if phase == "Unknown" {
        return Some("Unknown".to_owned());
    }
    None
}

/// A Failed or finished pod that somebody else has replaced: an evicted leftover of a healthy ReplicaSet, a failed try of a
/// Job that went on, a pod refused by a kubelet and made again.
fn is_leftover(cluster: &Cluster, pod: &Resource) -> bool {
    if pod.at("status.phase").text() != "Failed" {
        return false;
    }
    let Some(owner) = cluster.owner(pod) else { return false };
    match owner.kind() {
        "Job" => owner.condition("Complete").get("status").is_true() || owner.at("status.succeeded").as_i64().unwrap_or(0) > 0,
        "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ReplicationController" => {
            let (desired, ready) = replicas(owner);
            ready >= desired
        }
        _ => false,
    }
}

fn pod(cluster: &Cluster, pod: &Resource, out: &mut Vec<Symptom>) {
    let since = stamp(pod.condition("Ready").get("lastTransitionTime")).or_else(|| stamp(pod.at("metadata.creationTimestamp")));
    if let Some(trouble) = pod_trouble(cluster, pod) {
        let what = match trouble.as_str() {
            "NotReady" => format!("pod {} runs but is not ready", pod.name()),
            "Terminating" => format!("pod {} has been terminating for longer than its grace period", pod.name()),
            reason => format!("pod {} is not running: {reason}", pod.name()),
        };
        let path = if pod.at("status.reason").exists() { "status.reason" } else { "status.phase" };
        out.push(Symptom {
            resource: pod.reference.clone(),
            kind: "pod-not-ready",
            what,
            since,
            weight: 0.6,
            evidence: Evidence::field(pod, path, Strength::Statement, "the pod's own status"),
        });
        return;
    }
    let statuses = pod.at("status.containerStatuses");
    for container in statuses.items() {
        let restarts = container.get("restartCount").as_i64().unwrap_or(0);
        let last = container.path("lastState.terminated");
        let recent = last.exists() && within(cluster, stamp(last.get("finishedAt")), RECENT);
        let bad = last.get("exitCode").as_i64().unwrap_or(0) != 0 || last.get("reason").text() == "OOMKilled";
        if restarts > 0 && recent && bad && pod.at("status.phase").text() == "Running" {
            let name = container.get("name").text();
            let reason = last.get("reason").text();
            let exit = last.get("exitCode").text();
            out.push(Symptom {
                resource: pod.reference.clone(),
                kind: "container-restarts",
                what: format!(
                    "container {name} of pod {} was restarted ({reason}, exit code {exit}), {restarts} times so far",
                    pod.name()
                ),
                since: stamp(last.get("finishedAt")),
                weight: if restarts >= 3 { 0.5 } else { 0.35 },
                evidence: Evidence::value(
                    pod,
                    container.get("restartCount"),
                    "restartCount",
                    Strength::Statement,
                    "it was restarted",
                )
                .of_kind(EvidenceKind::Status),
            });
            break;
        }
    }
}

/// Wanted and ready.
pub(crate) fn replicas(workload: &Resource) -> (i64, i64) {
    let n = |path: &str| workload.at(path).as_i64();
    if workload.kind() == "DaemonSet" {
        return (n("status.desiredNumberScheduled").unwrap_or(0), n("status.numberReady").unwrap_or(0));
    }
    let desired = n("spec.replicas").unwrap_or(1);
    // The API leaves a zero out; a description of a StatefulSet never tells the number.
    let untold = if workload.origin == Origin::Live { 0 } else { desired };
    (desired, n("status.readyReplicas").unwrap_or(untold))
}

fn workload(cluster: &Cluster, workload: &Resource, out: &mut Vec<Symptom>) {
    // A ReplicaSet's shortage is its Deployment's.
    if workload.kind() == "ReplicaSet" && owner_ref(workload).is_some() || !workload.at("status").exists() {
        return;
    }
    let (desired, ready) = replicas(workload);
    let since = ["Available", "Progressing", "ReplicaFailure"]
        .iter()
        .find_map(|c| stamp(workload.condition(c).get("lastTransitionTime")));
    let kind = workload.kind();
    if ready < desired {
        // One pod that has only just been made is no shortage.
        let pods: Vec<_> = cluster.descendants(&workload.reference).into_iter().filter(|p| p.kind() == "Pod").collect();
        let all_well = pods.len() as i64 >= desired && pods.iter().all(|p| pod_trouble(cluster, p).is_none());
        if all_well {
            return;
        }
        out.push(Symptom {
            resource: workload.reference.clone(),
            kind: "workload-short",
            what: format!("{ready} of {desired} replicas of {kind} {} are ready", workload.name()),
            since,
            weight: if ready == 0 { 1.0 } else { 0.7 },
            evidence: Evidence::field(workload, "status", Strength::Statement, "fewer are ready than wanted")
                .brief(&format!("ready {ready} of {desired}")),
        });
        return;
    }
    let updated = workload.at("status.updatedReplicas").as_i64();
    let stuck = workload.condition("Progressing").get("reason").text() == "ProgressDeadlineExceeded"
        || workload.condition("ReplicaFailure").get("status").is_true()
        || kind == "Deployment" && updated.is_some_and(|u| u < desired) && has_troubled_pod(cluster, &workload.reference);
    if stuck && desired > 0 {
        out.push(Symptom {
            resource: workload.reference.clone(),
            kind: "rollout-stuck",
            what: format!("the rollout of {kind} {} does not get on; the old replicas still serve", workload.name()),
            since,
            weight: 0.7,
            evidence: Evidence::field(workload, "status.conditions", Strength::Statement, "its conditions say so"),
        });
    }
}

fn has_troubled_pod(cluster: &Cluster, workload: &Ref) -> bool {
    cluster.descendants(workload).into_iter().any(|p| p.kind() == "Pod" && pod_trouble(cluster, p).is_some())
}

fn job(cluster: &Cluster, job: &Resource, out: &mut Vec<Symptom>) {
    if job.condition("Complete").get("status").is_true() {
        return;
    }
    let failed = job.condition("Failed");
    let n_failed = job.at("status.failed").as_i64().unwrap_or(0);
    if failed.get("status").is_true() {
        // A CronJob that succeeded later has got over it.
        let since = stamp(failed.get("lastTransitionTime"));
        if superseded(cluster, job) {
            return;
        }
        out.push(Symptom {
            resource: job.reference.clone(),
            kind: "job-failed",
            what: format!("Job {} failed: {}", job.name(), failed.get("reason").text()),
            since,
            weight: 0.9,
            evidence: Evidence::value(job, failed, "condition", Strength::Statement, "its condition says so")
                .of_kind(EvidenceKind::Condition),
        });
    } else if n_failed > 0 && job.at("status.succeeded").as_i64().unwrap_or(0) == 0 {
        out.push(Symptom {
            resource: job.reference.clone(),
            kind: "job-failing",
            what: format!("{n_failed} pods of Job {} failed and none succeeded", job.name()),
            since: stamp(job.at("status.startTime")),
            weight: 0.7,
            evidence: Evidence::field(job, "status.failed", Strength::Statement, "pods failed"),
        });
    }
}

/// A later Job of the same CronJob completed.
fn superseded(cluster: &Cluster, job: &Resource) -> bool {
    let Some(owner) = owner_ref(job) else { return false };
    let start = job.at("status.startTime").text();
    cluster.children(&owner).any(|other| {
        other.kind() == "Job"
            && other.condition("Complete").get("status").is_true()
            && other.at("status.startTime").text() > start
    })
}

fn claim(cluster: &Cluster, claim: &Resource, out: &mut Vec<Symptom>) {
    let phase = claim.at("status.phase").text();
    if phase != "Pending" && phase != "Lost" {
        return;
    }
    let users = || {
        cluster.kind("Pod").filter(|p| {
            p.namespace() == claim.namespace()
                && p.at("spec.volumes").items().any(|v| v.path("persistentVolumeClaim.claimName").text() == claim.name())
        })
    };
    let class = cluster.find("StorageClass", None, claim.at("spec.storageClassName").text());
    let waits = class.is_some_and(|c| c.at("volumeBindingMode").text() == "WaitForFirstConsumer")
        || cluster
            .events_of(&claim.reference)
            .any(|e| matches!(e.reason.as_str(), "WaitForFirstConsumer" | "WaitForPodScheduled"));
    if phase == "Pending" && waits && users().next().is_none() {
        return;
    }
    out.push(Symptom {
        resource: claim.reference.clone(),
        kind: "claim-not-bound",
        what: format!("PersistentVolumeClaim {} is {phase}", claim.name()),
        since: stamp(claim.at("metadata.creationTimestamp")),
        weight: if waits { 0.2 } else { 0.7 },
        evidence: Evidence::field(claim, "status.phase", Strength::Statement, "its phase"),
    });
}

fn node(node: &Resource, out: &mut Vec<Symptom>) {
    let ready = node.condition("Ready");
    let mut say = |kind: &'static str, condition: Value<'_>, what: String, weight: f64| {
        out.push(Symptom {
            resource: node.reference.clone(),
            kind,
            what,
            since: stamp(condition.get("lastTransitionTime")),
            weight,
            evidence: Evidence::value(node, condition, "condition", Strength::Statement, "the node's condition")
                .of_kind(EvidenceKind::Condition),
        });
    };
    if ready.exists() && ready.get("status").as_bool() != Some(true) {
        let state = if ready.get("status").text() == "Unknown" { "does not report" } else { "is not ready" };
        say("node-not-ready", ready, format!("node {} {state}", node.name()), 1.0);
    }
    for pressure in ["DiskPressure", "MemoryPressure", "PIDPressure", "NetworkUnavailable"] {
        let condition = node.condition(pressure);
        if condition.get("status").is_true() {
            say("node-pressure", condition, format!("node {} is under {pressure}", node.name()), 0.7);
        }
    }
}

/// A service that selects pods and has none ready. (One without selector is somebody's own affair.)
fn service(cluster: &Cluster, service: &Resource, out: &mut Vec<Symptom>) {
    let selector = service.at("spec.selector");
    if selector.is_empty() || service.at("spec.type").text() == "ExternalName" || cluster.kind("Pod").next().is_none() {
        return;
    }
    let ready = ready_endpoints(cluster, service);
    let selected: Vec<_> = cluster
        .kind("Pod")
        .filter(|p| p.namespace() == service.namespace() && crate::cluster::selects(selector, p.at("metadata.labels")))
        .collect();
    let backed = match ready {
        Some(n) => n > 0,
        None => selected.iter().any(|p| pod_trouble(cluster, p).is_none()),
    };
    let starting = selected.iter().any(|p| pod_trouble(cluster, p).is_none());
    if backed || starting {
        return;
    }
    let what = if selected.is_empty() {
        format!("no pod matches the selector of Service {}", service.name())
    } else {
        format!("Service {} has no ready endpoint", service.name())
    };
    // One that nobody calls may be left over.
    let weight = if super::service::is_called(cluster, &service.reference) || cluster.is_refused(service) { 0.5 } else { 0.15 };
    // A service nobody's pods were ever collected for is no symptom in a partial dump.
    let collected = cluster.kind("Pod").any(|p| p.namespace() == service.namespace());
    if collected {
        out.push(Symptom {
            resource: service.reference.clone(),
            kind: "service-without-endpoints",
            what,
            since: None,
            weight,
            evidence: Evidence::field(service, "spec.selector", Strength::Statement, "what it selects"),
        });
    }
}

/// Ready addresses behind a service, when Endpoints or EndpointSlices were collected.
pub(crate) fn ready_endpoints(cluster: &Cluster, service: &Resource) -> Option<usize> {
    if let Some(endpoints) = cluster.find("Endpoints", service.namespace(), service.name()) {
        return Some(endpoints.at("subsets").items().map(|s| s.get("addresses").len()).sum());
    }
    let mut slices = cluster
        .kind("EndpointSlice")
        .filter(|s| s.namespace() == service.namespace() && s.label("kubernetes.io/service-name") == Some(service.name()))
        .peekable();
    slices.peek()?;
    let ready = |e: &Value<'_>| e.path("conditions.ready").as_bool() != Some(false);
    Some(slices.map(|s| s.at("endpoints").items().filter(ready).count()).sum())
}

fn autoscaler(hpa: &Resource, out: &mut Vec<Symptom>) {
    for condition in ["AbleToScale", "ScalingActive"] {
        let c = hpa.condition(condition);
        if c.get("status").as_bool() == Some(false) && c.get("reason").text() != "ScalingDisabled" {
            out.push(Symptom {
                resource: hpa.reference.clone(),
                kind: "autoscaler-inactive",
                what: format!("HorizontalPodAutoscaler {} cannot scale: {}", hpa.name(), c.get("reason").text()),
                since: stamp(c.get("lastTransitionTime")),
                weight: 0.5,
                evidence: Evidence::value(hpa, c, "condition", Strength::Statement, "its condition")
                    .of_kind(EvidenceKind::Condition),
            });
            return;
        }
    }
}

/// An object whose deletion does not end.
fn terminating(cluster: &Cluster, resource: &Resource, out: &mut Vec<Symptom>) {
    let deleted = resource.at("metadata.deletionTimestamp");
    let long_ago = deleted.exists() && !within(cluster, stamp(deleted), SignedDuration::from_mins(5));
    if long_ago || resource.kind() == "Namespace" && resource.at("status.phase").text() == "Terminating" {
        out.push(Symptom {
            resource: resource.reference.clone(),
            kind: "deletion-stuck",
            what: format!("the deletion of {} {} does not end", resource.kind(), resource.name()),
            since: stamp(deleted),
            weight: 0.6,
            evidence: Evidence::field(resource, "metadata.deletionTimestamp", Strength::Statement, "deleted, and still there"),
        });
    }
}

/// Warnings that something was refused or failed, about objects that show no other symptom: a CronJob that starts nothing, an
/// Ingress the controller ignores, a ReplicaSet whose pods are refused and whose owner was not collected.
fn refused(cluster: &Cluster, out: &mut Vec<Symptom>) {
    const REASONS: &[&str] = &[
        "FailedCreate",
        "FailedNeedsStart",
        "TooManyMissedTimes",
        "UnparseableSchedule",
        "FailedScheduling",
        "FailedMount",
        "FailedAttachVolume",
        "ProvisioningFailed",
        "FailedBinding",
        "FailedCreatePodSandBox",
        "SyncLoadBalancerFailed",
        "FailedBuildModel",
        "FailedGetScale",
        "BackoffLimitExceeded",
        "Evicted",
        "FailedUpdateRegistrationToken",
        "InspectFailed",
        "ErrImageNeverPull",
        "NodeNotReady",
        "SystemOOM",
        "FailedPreStopHook",
        "FailedPostStartHook",
        "VolumeResizeFailed",
    ];
    for event in cluster.events().iter().filter(|e| e.warning && REASONS.contains(&e.reason.as_str())) {
        let object = &event.regarding;
        let well = match cluster.get(object) {
            Some(pod) if pod.kind() == "Pod" => pod_trouble(cluster, pod).is_none(),
            Some(workload) if workload.pod_spec().is_some() && workload.at("status").exists() => {
                let (desired, ready) = replicas(workload);
                matches!(workload.kind(), "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet") && ready >= desired
                    || workload.kind() == "Job" && workload.condition("Complete").get("status").is_true()
            }
            Some(claim) if claim.kind() == "PersistentVolumeClaim" => claim.at("status.phase").text() == "Bound",
            Some(node) if node.kind() == "Node" => node.condition("Ready").get("status").is_true(),
            Some(_) => false,
            // Gone from a dump that holds its kind: history.
            None => cluster.kind(&object.kind).next().is_some(),
        };
        let recent = within(cluster, event.last, SignedDuration::from_hours(2));
        if !well && recent && !out.iter().any(|s| s.resource == *object) {
            out.push(Symptom {
                resource: object.clone(),
                kind: "warned",
                what: format!("{object}: {}", event.reason),
                since: event.first,
                weight: 0.4,
                evidence: Evidence::event(event, Strength::Statement, "a warning about it"),
            });
        }
    }
}

/// What monitoring complains about.
fn alerts(cluster: &Cluster, out: &mut Vec<Symptom>) {
    for alert in &cluster.alerts {
        let Some(object) = alert_subject(cluster, &alert.subject_kind, alert.subject_namespace.as_deref(), &alert.subject) else {
            continue;
        };
        out.push(Symptom {
            resource: object,
            kind: "alert",
            what: if alert.what.is_empty() { alert.name.clone() } else { format!("{}: {}", alert.name, alert.what) },
            since: alert.at,
            weight: 0.3,
            evidence: Evidence::file(alert.location.clone(), alert.what.clone(), Strength::Hint, "monitoring says so"),
        });
    }
}

/// The object of an alert: of the kind it names, else the workload, pod, service or node of that name.
pub(crate) fn alert_subject(cluster: &Cluster, kind: &str, namespace: Option<&str>, name: &str) -> Option<Ref> {
    let of_kind = |kind: &str| {
        cluster
            .kind(kind)
            .find(|r| r.name() == name && (namespace.is_none() || r.namespace() == namespace))
            .map(|r| r.reference.clone())
    };
    of_kind(kind).or_else(|| ["Deployment", "StatefulSet", "DaemonSet", "Service", "Pod", "Node"].iter().find_map(|k| of_kind(k)))
}

/// Signals in logs that say the process cannot do its work, though its pod looks well.
const COMPLAINTS: &[&str] = &[
    "connection-refused",
    "no-such-host",
    "dns-unavailable",
    "io-timeout",
    "deadline-exceeded",
    "no-route",
    "connection-reset",
    "certificate-date",
    "certificate-untrusted",
    "certificate-name",
    "auth-failed-postgres",
    "auth-failed-mysql",
    "auth-failed-mongo",
    "auth-failed-redis",
    "auth-failed-broker",
    "auth-failed-other",
    "too-many-connections",
    "pool-exhausted",
    "database-read-only",
    "schema-missing",
    "no-space",
    "read-only-filesystem",
    "api-forbidden",
    "tls-mismatch",
];

/// A workload whose log keeps complaining.
fn complaints(cluster: &Cluster, out: &mut Vec<Symptom>) {
    let Some(patterns) = cluster.patterns() else { return };
    for log in cluster.logs() {
        // The DNS server's own log is full of names that others asked for.
        let Some(pod) = cluster.pod_of(log).filter(|p| p.label("k8s-app") != Some("kube-dns")) else { continue };
        let worst = COMPLAINTS
            .iter()
            .filter_map(|name| patterns.index(name).map(|i| (log.count(i), i, *name)))
            .filter(|(n, ..)| *n >= 3)
            .max_by_key(|(n, ..)| *n);
        let Some((n, index, name)) = worst else { continue };
        let Some(hit) = log.hits.iter().rev().find(|h| h.pattern == index) else { continue };
        if !within(cluster, hit.line.at.or(log.last), RECENT) || log.source.previous {
            continue;
        }
        out.push(Symptom {
            resource: pod.reference.clone(),
            kind: "log-complaints",
            what: format!("{n} lines of the log of pod {} complain of {}", pod.name(), name.replace('-', " ")),
            since: log.hits.iter().find(|h| h.pattern == index).and_then(|h| h.line.at),
            weight: 0.25,
            evidence: Evidence::log(log, &hit.line, Strength::Hint, "the last of them"),
        });
    }
}

/// The last line of a pod's present logs that matches.
pub(super) fn last_hit<'a>(cluster: &'a Cluster, pod: &Resource, wanted: impl Fn(&Hit) -> bool) -> Option<(&'a Log, &'a Hit)> {
    let logs = cluster.logs_of(&pod.reference).filter(|l| !l.source.previous);
    logs.filter_map(|log| log.hits.iter().rev().find(|h| wanted(h)).map(|h| (log, h))).last()
}
