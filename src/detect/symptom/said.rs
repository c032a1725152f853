//! What others say hurts: warnings of controllers, alerts of monitoring, complaints in logs.

use jiff::SignedDuration;

use super::{RECENT, pod_trouble, replicas, within};
use crate::catalog::Strength;
use crate::cluster::Cluster;
use crate::decode::{Hit, Log, Ref, Resource};
use crate::detect::{Evidence, Symptom};

/// Warnings that something was refused or failed, about objects that show no other symptom: a CronJob that starts nothing, an
/// Ingress the controller ignores, a ReplicaSet whose pods are refused and whose owner was not collected.
pub(super) fn refused(cluster: &Cluster, out: &mut Vec<Symptom>) {
    const REASONS: &[&str] = &[
        "BackOff",
        "Failed",
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
pub(super) fn alerts(cluster: &Cluster, out: &mut Vec<Symptom>) {
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

/// Signals of a login that a server refuses.
pub(in crate::detect) const REFUSED_LOGINS: [&str; 6] = [
    "auth-failed-postgres",
    "auth-failed-mysql",
    "auth-failed-mongo",
    "auth-failed-redis",
    "auth-failed-broker",
    "auth-failed-other",
];

/// Other signals in logs that say the process cannot do its work, though its pod looks well.
const COMPLAINTS: &[&str] = &[
    "connection-refused",
    "no-such-host",
    "dns-unavailable",
    "io-timeout",
    "deadline-exceeded",
    "no-route",
    "connection-reset",
    "certificate-date",
    "certificate-unverified",
    "certificate-name",
    "too-many-connections",
    "pool-exhausted",
    "database-read-only",
    "schema-missing",
    "no-space",
    "read-only-filesystem",
    "api-forbidden",
    "tls-mismatch",
];

/// Signals of a shortage that fails requests while it lasts and leaves no other trace: afterwards only the log tells.
const PASSING: [&str; 3] = ["pool-exhausted", "too-many-connections", "database-read-only"];

/// So many lines are no hiccup.
const MANY: u32 = 10;

/// Does a log that holds `count` lines of `signal` tell of an incident, though it may be over?
pub(in crate::detect) fn was_an_incident(signal: &str, count: u32) -> bool {
    count >= MANY && PASSING.contains(&signal)
}

/// A workload whose log keeps complaining.
pub(super) fn complaints(cluster: &Cluster, out: &mut Vec<Symptom>) {
    let Some(patterns) = cluster.patterns() else { return };
    for log in cluster.logs() {
        // The DNS server's own log is full of names that others asked for.
        let Some(pod) = cluster.pod_of(log).filter(|p| p.label("k8s-app") != Some("kube-dns")) else { continue };
        let worst = COMPLAINTS
            .iter()
            .chain(&REFUSED_LOGINS)
            .filter_map(|name| patterns.index(name).map(|i| (log.count(i), i, *name)))
            .filter(|(n, ..)| *n >= 3)
            .max_by_key(|(n, ..)| *n);
        let Some((n, index, name)) = worst else { continue };
        let Some(hit) = log.hits.iter().rev().find(|h| h.pattern == index) else { continue };
        let was_an_incident = was_an_incident(name, n);
        if !(was_an_incident || within(cluster, hit.line.at.or(log.last), RECENT)) || log.source.previous {
            continue;
        }
        out.push(Symptom {
            resource: pod.reference.clone(),
            kind: "log-complaints",
            what: format!("{n} lines of the log of pod {} complain of {}", pod.name(), name.replace('-', " ")),
            since: log.hits.iter().find(|h| h.pattern == index).and_then(|h| h.line.at),
            weight: if was_an_incident { 0.3 } else { 0.25 },
            evidence: Evidence::log(log, &hit.line, Strength::Hint, "the last of them"),
        });
    }
}

/// The last line of a pod's present logs that matches.
pub(in crate::detect) fn last_hit<'a>(
    cluster: &'a Cluster,
    pod: &Resource,
    wanted: impl Fn(&Hit) -> bool,
) -> Option<(&'a Log, &'a Hit)> {
    let logs = cluster.logs_of(&pod.reference).filter(|l| !l.source.previous);
    logs.filter_map(|log| log.hits.iter().rev().find(|h| wanted(h)).map(|h| (log, h))).last()
}
