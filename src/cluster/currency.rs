//! State beats events: is what an event says still so?
//!
//! Events live an hour or more, their objects often less; an event of an object that is gone or works again is history.

use jiff::{SignedDuration, Timestamp};

use super::{Cluster, Presence};
use crate::decode::{Event, Ref, Resource, Value};

/// What an event is worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Currency {
    /// Nothing speaks against it.
    Current,
    /// Its object is not there although objects of that kind were collected.
    Gone,
    /// Its object is another by now, or works.
    Past,
}

/// A node that reports this long after an event about it has survived it.
const SURVIVED: SignedDuration = SignedDuration::from_mins(10);

/// Makers of pods, also where a table row tells nothing of their template.
const WORKLOADS: &[&str] = &["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController"];

/// A pod that restarted this recently is not called settled, even when it happens to be ready.
const RECENT_RESTART: SignedDuration = SignedDuration::from_mins(30);

impl Cluster {
    /// Is what `event` says still so?
    pub fn is_current(&self, event: &Event) -> bool {
        self.currency(event) == Currency::Current
    }

    /// What `event` is worth now.
    pub fn currency(&self, event: &Event) -> Currency {
        let Some(object) = self.get(&event.regarding) else {
            return if self.presence(&event.regarding) == Presence::Absent { Currency::Gone } else { Currency::Current };
        };
        // Node events carry the node's name as uid, those of static pods a hash: only UUIDs can be compared.
        if is_uuid(&event.uid) && is_uuid(object.uid()) && event.uid != object.uid() {
            return Currency::Past;
        }
        let overtaken = match object.kind() {
            "Pod" => is_overtaken(object, event),
            "Node" => is_survived(object, event),
            "Service" | "Ingress" => self.was_ensured(object, event),
            _ => false,
        };
        if overtaken || self.settled(object).is_some_and(|since| is_before(event, since)) {
            return Currency::Past;
        }
        Currency::Current
    }

    /// Provably works as wanted now. `false` also where the object does not tell.
    pub fn is_settled(&self, object: &Resource) -> bool {
        self.settled(object).is_some()
    }

    /// The workload that must have made a pod that is not in the bundle: the one whose name the pod's begins with.
    pub fn presumed_owner(&self, pod: &Ref) -> Option<&Resource> {
        if pod.kind != "Pod" || self.get(pod).is_some() {
            return None;
        }
        let makes_pods = |r: &Resource| WORKLOADS.contains(&r.kind()) || (r.kind() != "Pod" && r.pod_spec().is_some());
        let prefixes = pod.name.rmatch_indices('-').map(|(dash, _)| &pod.name[..dash]);
        let mut named =
            prefixes.flat_map(|name| self.kinds().filter_map(move |(kind, _)| self.find(kind, pod.namespace.as_deref(), name)));
        let owner = named.find(|r| makes_pods(r))?;
        Some(self.top_owner(owner))
    }

    /// Since when it works; `Some(None)` when it works and does not tell since when.
    fn settled(&self, object: &Resource) -> Option<Option<Timestamp>> {
        let status = object.at("status");
        let count = |field: &str| status.get(field).as_i64().unwrap_or(0);
        let wanted = object.at("spec.replicas").as_i64().unwrap_or(1);
        let observed =
            status.get("observedGeneration").as_i64().is_none_or(|seen| Some(seen) >= object.at("metadata.generation").as_i64());
        let works = status.exists()
            && match object.kind() {
                "Pod" => return self.settled_pod(object),
                "Node" => return settled_node(object),
                "Deployment" => observed && count("readyReplicas") >= wanted && count("updatedReplicas") >= wanted,
                "StatefulSet" | "ReplicaSet" | "ReplicationController" => observed && count("readyReplicas") >= wanted,
                "DaemonSet" => {
                    let scheduled = count("desiredNumberScheduled");
                    observed && count("numberReady") >= scheduled && count("updatedNumberScheduled") >= scheduled
                }
                "Job" => object.condition("Complete").get("status").is_true() || self.was_made_good(object),
                "PersistentVolumeClaim" => status.get("phase").text() == "Bound" && status.get("conditions").is_empty(),
                "PersistentVolume" => status.get("phase").text() == "Bound",
                _ if observed => return settled_custom(object),
                _ => false,
            };
        works.then_some(None)
    }

    /// A load balancer that could not be made, and was made later.
    fn was_ensured(&self, object: &Resource, event: &Event) -> bool {
        const ENSURED: &[&str] = &["EnsuredLoadBalancer", "UpdatedLoadBalancer", "SuccessfullyReconciled"];
        let failed =
            event.reason.contains("LoadBalancer") || matches!(event.reason.as_str(), "FailedBuildModel" | "FailedDeployModel");
        let later = |e: &&Event| ENSURED.contains(&e.reason.as_str()) && e.last > event.last;
        let has_address = !object.at("status.loadBalancer.ingress").is_empty();
        failed && has_address && self.events_of(&object.reference).any(|e| later(&e))
    }

    /// A failed run of a CronJob that succeeded later.
    fn was_made_good(&self, job: &Resource) -> bool {
        let failed = stamp(job.condition("Failed").get("lastTransitionTime"));
        let succeeded = self.owner(job).and_then(|cron| stamp(cron.at("status.lastSuccessfulTime")));
        matches!((failed, succeeded), (Some(failed), Some(succeeded)) if failed < succeeded)
    }

    fn settled_pod(&self, pod: &Resource) -> Option<Option<Timestamp>> {
        if pod.at("status.phase").text() == "Succeeded" {
            return Some(None);
        }
        // A failed attempt whose maker has what it wants by now is a leftover.
        if pod.at("status.phase").text() == "Failed"
            && self.owner(pod).is_some_and(|o| !matches!(o.kind(), "Node" | "Pod") && self.is_settled(o))
        {
            return Some(None);
        }
        let containers = pod.at("status.containerStatuses");
        let ready = pod.condition("Ready");
        let is_ready = if ready.exists() {
            ready.get("status").is_true()
        } else {
            !containers.is_empty() && containers.items().all(|c| c.get("ready").is_true())
        };
        let restarted_lately = containers.items().any(|c| {
            let ended = stamp(c.path("lastState.terminated.finishedAt"));
            matches!((ended, self.now), (Some(ended), Some(now)) if now.duration_since(ended) < RECENT_RESTART)
        });
        let running = pod.at("status.phase").text() == "Running" && !pod.at("metadata.deletionTimestamp").exists();
        (running && is_ready && !restarted_lately).then(|| stamp(ready.get("lastTransitionTime")))
    }
}

/// Controllers of custom resources tell by the condition `Ready` that they have done what was asked of them.
fn settled_custom(object: &Resource) -> Option<Option<Timestamp>> {
    let ready = object.condition("Ready");
    ready.get("status").is_true().then(|| stamp(ready.get("lastTransitionTime")))
}

fn settled_node(node: &Resource) -> Option<Option<Timestamp>> {
    let pressed = node.at("status.conditions").items().any(|c| c.get("type").text() != "Ready" && c.get("status").is_true());
    let ready = node.condition("Ready");
    (ready.get("status").is_true() && !pressed).then(|| stamp(ready.get("lastTransitionTime")))
}

/// A pod that has gone past the step the event complains about: it has a node, its volumes, its image.
fn is_overtaken(pod: &Resource, event: &Event) -> bool {
    let statuses = || pod.at("status.containerStatuses").items().chain(pod.at("status.initContainerStatuses").items());
    let has_run = |c: &Value<'_>| c.path("state.running").exists() || c.path("state.terminated.containerID").exists();
    match event.reason.as_str() {
        "FailedScheduling" | "NotTriggerScaleUp" => !pod.at("spec.nodeName").text().is_empty(),
        "FailedMount" | "FailedAttachVolume" | "FailedCreatePodSandBox" | "NetworkNotReady" => statuses().any(|c| has_run(&c)),
        "Failed" | "ErrImageNeverPull" | "InspectFailed" | "InvalidImageName" => {
            let named = event.container().and_then(|name| statuses().find(|c| c.get("name").text() == name));
            let started = named.map(|c| c.path("state.running.startedAt"));
            started.is_some_and(|at| at.exists() && is_before(event, stamp(at)))
        }
        _ => false,
    }
}

/// A node that was restarted or out of reach, reports again and has for a while. What its kernel killed stays dead.
fn is_survived(node: &Resource, event: &Event) -> bool {
    let lasting = event.reason.contains("OOM") || event.source.contains("monitor");
    let heartbeat = stamp(node.condition("Ready").get("lastHeartbeatTime"));
    let reports = matches!((event.last, heartbeat), (Some(said), Some(beat)) if beat.duration_since(said) > SURVIVED);
    reports && !lasting && settled_node(node).is_some()
}

/// Said last at or before `since`; also when either stamp is not known.
fn is_before(event: &Event, since: Option<Timestamp>) -> bool {
    match (event.last.or(event.first), since) {
        (Some(last), Some(since)) => last <= since,
        _ => true,
    }
}

fn stamp(value: Value<'_>) -> Option<Timestamp> {
    value.text().parse().ok()
}

fn is_uuid(uid: &str) -> bool {
    uid.len() == 36 && uid.bytes().filter(|b| *b == b'-').count() == 4
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::testing::{cluster_with, event};

    /// What an event about the pod `a` is worth when the pod has this uid, spec and status.
    fn currency(about: &Event, pod: &serde_json::Value) -> Currency {
        let metadata = json!({"name": "a", "namespace": "ns", "uid": "00000000-0000-0000-0000-000000000001"});
        let mut object = json!({"kind": "Pod", "metadata": metadata});
        object.as_object_mut().unwrap().extend(pod.as_object().unwrap().clone());
        cluster_with(&[object], vec![about.clone()]).currency(about)
    }

    fn of_pod(reason: &str) -> Event {
        Event { last: Some("2026-03-01T10:00:00Z".parse().unwrap()), ..event("Pod", Some("ns"), "a", reason, "m") }
    }

    fn ready_since(stamp: &str, restarted: Option<&str>) -> serde_json::Value {
        let last = restarted.map(|at| json!({"terminated": {"finishedAt": at}}));
        json!({"status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": stamp}],
            "containerStatuses": [{"name": "c", "ready": true, "lastState": last}],
        }})
    }

    #[test]
    fn an_event_of_an_earlier_object_of_that_name_is_past() {
        let earlier = Event { uid: "00000000-0000-0000-0000-000000000009".into(), ..of_pod("Failed") };
        assert_eq!(currency(&earlier, &json!({"status": {"phase": "Pending"}})), Currency::Past);
        let hashed = Event { uid: "d41d8cd98f00b204e9800998ecf8427e".into(), ..of_pod("Failed") };
        assert_eq!(currency(&hashed, &json!({"status": {"phase": "Pending"}})), Currency::Current);
    }

    #[test]
    fn a_pod_that_became_ready_after_the_event_overtakes_it() {
        let event = of_pod("Unhealthy");
        assert_eq!(currency(&event, &ready_since("2026-03-01T10:05:00Z", None)), Currency::Past);
        assert_eq!(currency(&event, &ready_since("2026-03-01T09:00:00Z", None)), Currency::Current);
        let flapping = ready_since("2026-03-01T10:05:00Z", Some("2026-03-01T09:59:00Z"));
        assert_eq!(currency(&event, &flapping), Currency::Current);
    }

    #[test]
    fn a_node_that_reports_again_has_survived_its_reboot() {
        let currency = |reason: &str, heartbeat: &str| {
            let ready = json!([{"type": "Ready", "status": "True", "lastTransitionTime": "2025-08-01T00:00:00Z", "lastHeartbeatTime": heartbeat}]);
            let node = json!({"kind": "Node", "metadata": {"name": "n"}, "status": {"conditions": ready}});
            let about = Event { last: Some("2026-03-01T10:00:00Z".parse().unwrap()), ..event("Node", None, "n", reason, "m") };
            cluster_with(&[node], vec![about.clone()]).currency(&about)
        };
        assert_eq!(currency("Rebooted", "2026-03-01T10:40:00Z"), Currency::Past);
        assert_eq!(currency("Rebooted", "2026-03-01T10:02:00Z"), Currency::Current);
        assert_eq!(currency("SystemOOM", "2026-03-01T10:40:00Z"), Currency::Current);
    }

    #[test]
    fn failed_attempts_that_were_made_good_are_leftovers() {
        let by = |kind: &str, name: &str| json!([{"kind": kind, "name": name, "controller": true}]);
        let meta = |name: &str, owner: serde_json::Value| json!({"name": name, "namespace": "ns", "ownerReferences": owner});
        let settled = |succeeded: &str| {
            let failed = json!([{"type": "Failed", "status": "True", "lastTransitionTime": "2026-03-01T10:00:00Z"}]);
            let objects = [
                json!({"kind": "CronJob", "metadata": {"name": "c", "namespace": "ns"}, "status": {"lastSuccessfulTime": succeeded}}),
                json!({"kind": "Job", "metadata": meta("c-1", by("CronJob", "c")), "status": {"conditions": failed}}),
                json!({"kind": "Pod", "metadata": meta("a", by("Job", "c-1")), "status": {"phase": "Failed"}}),
            ];
            let cluster = cluster_with(&objects, Vec::new());
            cluster.is_settled(cluster.find("Pod", Some("ns"), "a").unwrap())
        };
        assert!(settled("2026-03-01T11:00:00Z"));
        assert!(!settled("2026-03-01T09:00:00Z"));
    }

    #[test]
    fn a_pod_with_a_node_was_scheduled() {
        let pending = json!({"spec": {"nodeName": "n"}, "status": {"phase": "Pending"}});
        assert_eq!(currency(&of_pod("FailedScheduling"), &pending), Currency::Past);
        assert_eq!(currency(&of_pod("FailedMount"), &pending), Currency::Current);
    }

    #[test]
    fn a_missing_object_of_a_collected_kind_is_gone() {
        let other = json!({"kind": "Pod", "metadata": {"name": "b", "namespace": "ns"}});
        assert_eq!(cluster_with(&[other], Vec::new()).currency(&of_pod("Failed")), Currency::Gone);
        assert_eq!(cluster_with(&[], Vec::new()).currency(&of_pod("Failed")), Currency::Current);
    }
}
